/**
 * What other languages call our words: JSON Schema and SQL for types of columns, other connector products for paginators and
 * auth types, HTTP for kinds of errors. No typo, so "did you mean" would not find them.
 */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  string: ['text'],
  str: ['text'],
  varchar: ['text'],
  uuid: ['text'],
  int: ['integer'],
  int64: ['integer'],
  bigint: ['integer'],
  long: ['integer'],
  float: ['number'],
  double: ['number'],
  decimal: ['number'],
  bool: ['boolean'],
  array: ['list'],
  map: ['object'],
  json: ['object'],
  timestamp: ['datetime'],
  cursor: ['next_token'],
  token: ['next_token', 'bearer'],
  link: ['link_header'],
  url: ['next_url'],
  page_number: ['page'],
  page_increment: ['page'],
  limit_offset: ['offset'],
  oauth: ['oauth2_authorization_code'],
  oauth2: ['oauth2_authorization_code'],
  authorization_code: ['oauth2_authorization_code'],
  client_credentials: ['oauth2_client_credentials'],
  authentication: ['auth'],
  unauthorized: ['auth'],
  authorization: ['permission'],
  forbidden: ['permission'],
  throttled: ['rate_limit'],
  server: ['transient'],
};

/** Our word for another language's, if it is among those that are accepted here. */
export function ourWord(word: string, accepted: readonly string[]): string | undefined {
  const name = word.toLowerCase().replaceAll('-', '_');
  const ours = Object.hasOwn(FOREIGN, name) ? FOREIGN[name] : undefined;
  return ours?.find((one) => accepted.includes(one));
}
