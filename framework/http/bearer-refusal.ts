/** What a resource server says of a token that it does not take (RFC 6750, 3). */
export interface BearerRefusal {
  /** `invalid_token`, `insufficient_scope`, `invalid_request`; undefined: no token was seen. */
  error: string | undefined;
  description: string | undefined;
  /** Those that it would take. */
  scopes: string[];
}

const SCHEME = /(?:^|,)\s*(Bearer|DPoP)(?=[\s,]|$)/i;
/** RFC 9110, 11.2. A further scheme has no `=` behind its name, and ends the list. */
const PARAMETER = /\s*(?:,\s*)?([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/y;

/** Reads the Bearer challenge of a WWW-Authenticate, whatever others stand beside it. */
export function bearerRefusal(header: string | undefined): BearerRefusal | undefined {
  const found = header === undefined ? null : SCHEME.exec(header);
  if (header === undefined || found === null) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = found.index + found[0].length;
  for (let one = PARAMETER.exec(header); one !== null; one = PARAMETER.exec(header)) {
    const [, name = '', quoted, word = ''] = one;
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? word);
  }
  return {
    error: parameters.get('error'),
    description: parameters.get('error_description'),
    scopes: (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== ''),
  };
}
