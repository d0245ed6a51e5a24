// Generated from schemas/ by scripts/generate.ts. Do not edit: run npm run generate.

/**
 * Where the facts were read.
 *
 * @minItems 1
 */
export type Sources = [Source, ...Source[]];
/**
 * One way to authenticate: fields → steps → send.
 */
export type AuthMethod = AuthNone | AuthApiKey | AuthBasic | AuthBearer | AuthOauth2ClientCredentials | AuthOauth2AuthorizationCode;
/**
 * One call of an auth method, in order. The word token stands for the built-in token request.
 */
export type Step = TokenStep | CallStep;
/**
 * How the next page is asked for. Without a type it amends an inherited one.
 *
 * This interface was referenced by `SpecDocument`'s JSON-Schema
 * via the `definition` "paginate".
 */
export type Paginate = PaginateNone | PaginatePage | PaginateOffset | PaginateNextToken | PaginateNextUrl | PaginateLinkHeader;

/**
 * One file describes one provider: auth methods, fields, URLs, choices, streams.
 */
export interface SpecDocument {
  /** Yours. */
  [custom: `x_${string}`]: unknown;
  /**
   * Version of the language.
   */
  spec: 1;
  /**
   * The file's name without .yaml.
   */
  name: string;
  /**
   * The provider's name as people write it.
   */
  title: string;
  /**
   * The connector's own version (semver).
   */
  version: string;
  /**
   * One sentence on what the provider is.
   */
  summary?: string;
  /**
   * What kind of product it is.
   */
  categories?: string[];
  /**
   * Pages for people: api, console, credentials, status, …
   */
  links?: {
    [k: string]: string;
  };
  /**
   * What the provider has and this file does not, and why; shown on the connector's page.
   */
  left_out?: LeftOut[];
  /**
   * Closed choices, such as a region or an API version.
   */
  choices?: {
    [k: string]: Choice;
  };
  /**
   * What the person enters, whatever the method.
   */
  fields?: {
    [k: string]: Field;
  };
  /**
   * Named parts of streams.
   */
  templates?: {
    [k: string]: Template;
  };
  /**
   * Ways to authenticate; the first is the default.
   */
  auth: {
    [k: string]: AuthMethod;
  };
  /**
   * Every call to the API.
   */
  http: Http;
  /**
   * What every stream starts from.
   */
  defaults?: StreamPart;
  /**
   * A cheap call that proves the credential.
   */
  check?: Check;
  /**
   * What can be read.
   */
  streams?: {
    [k: string]: Stream;
  };
}
export interface LeftOut {
  /**
   * What is left out.
   */
  what: string;
  /**
   * Why.
   */
  reason: string;
}
/**
 * A closed choice such as a region; ${<choice>.<attribute>} gives what the chosen option says.
 */
export interface Choice {
  /**
   * Its label.
   */
  title?: string;
  /**
   * What it decides.
   */
  help?: string;
  /**
   * The option taken when none is chosen. Left out: the person must choose.
   */
  default?: string;
  /**
   * The options by name.
   */
  options: {
    [k: string]: ChoiceOption;
  };
}
/**
 * One option: its title, what it lays over http and defaults, and free attributes.
 *
 * This interface was referenced by `Choice`'s JSON-Schema
 * via the `definition` "option".
 */
export interface ChoiceOption {
  /**
   * Its label.
   */
  title?: string;
  /**
   * Laid over http.
   */
  http?: Http;
  /**
   * Laid over defaults.
   */
  defaults?: StreamPart;
  [k: string]: string | Http | StreamPart | undefined;
}
/**
 * What holds for every call to the API (check, options, streams, requests by hand), never for token calls.
 */
export interface Http {
  /**
   * Where paths start. Its origin is where the credential goes.
   */
  base_url?: string | null;
  /**
   * Further origins that may get the credential, through next links, redirects and record URLs. `*.acme.com` covers any depth below.
   */
  hosts?: string[] | null;
  /**
   * Plain http to a literal loopback address, for a program on the same machine. Nothing else is ever sent without TLS.
   */
  allow_http?: 'loopback';
  /**
   * Headers on every call; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Query parameters on every call; a list repeats the key.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Whole numbers beyond 2^53: `text` keeps them digit for digit as text, `number` makes them an error. They are never rounded.
   */
  big_integers?: 'number' | 'text';
  /**
   * Limits that all hold at once.
   */
  rate_limit?: RateLimit[] | null;
  /**
   * How answers are classed.
   */
  errors?: Errors;
  retry?: Retry;
  timeout?: Timeout;
}
/**
 * One limit.
 *
 * This interface was referenced by `Http`'s JSON-Schema
 * via the `definition` "rate_limit".
 */
export interface RateLimit {
  /**
   * How many requests.
   */
  requests: number;
  /**
   * In what time.
   */
  per: string;
  /**
   * What the provider counts by.
   */
  scope?: 'credential' | 'ip' | 'app';
  /**
   * Only paths that begin so.
   */
  match?: string;
  /**
   * The header that says how many are left.
   */
  remaining?: string;
  /**
   * The header that says how many there are.
   */
  limit?: string;
  reset?: RateLimitReset;
}
/**
 * The header that says when the count starts anew, and its unit.
 */
export interface RateLimitReset {
  /**
   * The header.
   */
  header: string;
  /**
   * Its unit.
   */
  as: 'seconds' | 'epoch' | 'epoch_ms' | 'iso' | 'http_date' | 'duration';
}
/**
 * How an answer is classed: where the provider puts its words, and rules that give a kind. The first match wins; built-in rules follow.
 */
export interface Errors {
  /**
   * Where the provider puts its message, from the body.
   */
  message?: string | null;
  /**
   * Where the provider puts its own error code, from the body.
   */
  code?: string | null;
  /**
   * Rules in order; the first that matches decides.
   */
  rules?: ErrorRule[] | null;
}
/**
 * One rule.
 *
 * This interface was referenced by `Errors`'s JSON-Schema
 * via the `definition` "rule".
 */
export interface ErrorRule {
  /**
   * HTTP statuses that it is about; left out: any.
   *
   * @minItems 1
   */
  status?: [number, ...number[]];
  /**
   * A further condition on the answer.
   */
  when?: string;
  /**
   * What the answer means; it decides retry, renewal and exit code.
   */
  kind?: 'spec' | 'input' | 'auth' | 'permission' | 'rate_limit' | 'transient' | 'request' | 'data' | 'internal';
  /**
   * What to do, where the kind does not decide it: send again, renew the token, take the answer as no records, or fail.
   */
  then?: 'retry' | 'renew' | 'empty' | 'fail';
  /**
   * Where the message is, for this rule.
   */
  message?: string;
  /**
   * What the person should do, shown with the error.
   */
  hint?: string;
}
/**
 * How often and how long; what is retried follows from the kind of the answer. On without a word.
 */
export interface Retry {
  /**
   * How often a call is sent again.
   */
  max_retries?: number;
  /**
   * How waits grow; all with full jitter.
   */
  backoff?: 'exponential' | 'linear' | 'constant';
  /**
   * The longest single wait. A server that asks for more makes the call fail at once.
   */
  longest?: string;
  /**
   * Methods that may be sent again besides GET, HEAD, PUT, DELETE and OPTIONS.
   */
  repeat?: ('post' | 'patch')[];
}
/**
 * Time limits of a call.
 */
export interface Timeout {
  /**
   * Until the connection stands, TLS included.
   */
  connect?: string;
  /**
   * Until the answer begins, and the longest pause within it.
   */
  response?: string;
  /**
   * The whole call, retries and waits included.
   */
  total?: string;
}
/**
 * What streams start from.
 */
export interface StreamPart {
  /**
   * GET this path under base_url, or an https URL. A call has exactly one method.
   */
  get?: string;
  /**
   * POST this path under base_url, or an https URL. A call has exactly one method.
   */
  post?: string;
  /**
   * PUT this path under base_url, or an https URL. A call has exactly one method.
   */
  put?: string;
  /**
   * PATCH this path under base_url, or an https URL. A call has exactly one method.
   */
  patch?: string;
  /**
   * DELETE this path under base_url, or an https URL. A call has exactly one method.
   */
  delete?: string;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  } | null;
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  } | null;
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  } | null;
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string | null;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * How answers of this stream are classed.
   */
  errors?: Errors;
  /**
   * Where the records are: a list gives its items, an object one record. Missing or null is an error unless the last segment ends in ?.
   */
  records?: string | null;
  /**
   * Paths in a record that together name it.
   */
  primary_key?: string[] | null;
  /**
   * Put into each record after it is taken out.
   */
  add?: {[column: string]: unknown};
  /**
   * Taken out of each record.
   */
  remove?: string[] | null;
  /**
   * How the next page is asked for.
   */
  paginate?: Paginate | PaginateAmend | null;
}
/**
 * One thing that the person enters.
 */
export interface Field {
  /**
   * Its label. Left out: made from the name.
   */
  title?: string;
  /**
   * Where to find the value and what it looks like.
   */
  help?: string;
  /**
   * A value that could be real.
   */
  example?: string;
  /**
   * What it is; it decides checks and where it may stand.
   */
  type?:
    'text' | 'url' | 'host' | 'subdomain' | 'pem' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'choice' | 'list' | 'email';
  /**
   * Whether it must have a value.
   */
  required?: boolean;
  /**
   * Whether it is secret. True without a word for pem and every implied password, key, token and client secret.
   */
  secret?: boolean;
  /**
   * Fixed: not asked, not stored.
   */
  value?: string;
  /**
   * Taken when nothing is entered.
   */
  default?: string | number | boolean;
  /**
   * A regular expression that values should match, anchored with ^ and $. It advises; it blocks only in a host.
   */
  pattern?: string;
  /**
   * For url and host: what the host must match. Without it the person's own word stands.
   *
   * @minItems 1
   */
  hosts?: [string, ...string[]];
  /**
   * Its names in connection strings.
   */
  aliases?: string[];
  /**
   * Who has the value: the person, or whoever runs the product (an OAuth client).
   */
  owner?: 'person' | 'app';
  /**
   * Asked for once a token is there; optional until then, required after.
   */
  after?: 'auth';
  /**
   * Whether it is asked for, over fields and choices.
   */
  when?: string;
  options?: Options;
}
/**
 * Values to choose from: a list, or a call to the API.
 *
 * This interface was referenced by `Field`'s JSON-Schema
 * via the `definition` "options".
 */
export interface Options {
  /**
   * The values.
   *
   * @minItems 1
   */
  list?: [Option, ...Option[]];
  /**
   * GET this path under base_url, or an https URL. A call has exactly one method.
   */
  get?: string;
  /**
   * POST this path under base_url, or an https URL. A call has exactly one method.
   */
  post?: string;
  /**
   * PUT this path under base_url, or an https URL. A call has exactly one method.
   */
  put?: string;
  /**
   * PATCH this path under base_url, or an https URL. A call has exactly one method.
   */
  patch?: string;
  /**
   * DELETE this path under base_url, or an https URL. A call has exactly one method.
   */
  delete?: string;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  };
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * Where the list is in the answer.
   */
  records?: string;
  /**
   * What is stored, from one item.
   */
  value?: string;
  /**
   * What is shown, over item.
   */
  label?: string;
}
export interface Option {
  /**
   * What is stored.
   */
  value: string;
  /**
   * What is shown.
   */
  label?: string;
}
/**
 * A named part of a stream; not itself one. ${with.x} is replaced by the stream's own literal.
 */
export interface Template {
  /**
   * GET this path under base_url, or an https URL. A call has exactly one method.
   */
  get?: string;
  /**
   * POST this path under base_url, or an https URL. A call has exactly one method.
   */
  post?: string;
  /**
   * PUT this path under base_url, or an https URL. A call has exactly one method.
   */
  put?: string;
  /**
   * PATCH this path under base_url, or an https URL. A call has exactly one method.
   */
  patch?: string;
  /**
   * DELETE this path under base_url, or an https URL. A call has exactly one method.
   */
  delete?: string;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  } | null;
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  } | null;
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  } | null;
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string | null;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * How answers of this stream are classed.
   */
  errors?: Errors;
  /**
   * Where the records are: a list gives its items, an object one record. Missing or null is an error unless the last segment ends in ?.
   */
  records?: string | null;
  /**
   * Paths in a record that together name it.
   */
  primary_key?: string[] | null;
  /**
   * Put into each record after it is taken out.
   */
  add?: {[column: string]: unknown};
  /**
   * Taken out of each record.
   */
  remove?: string[] | null;
  /**
   * How the next page is asked for.
   */
  paginate?: Paginate | PaginateAmend | null;
  /**
   * Read once per record of that stream.
   */
  parent?: string;
  source?: Sources;
  columns?: Columns;
}
/**
 * One page.
 */
export interface Source {
  /**
   * Its address.
   */
  url: string;
  /**
   * Whose word it is: the vendor's, an archived copy of the vendor's, or somebody else's.
   */
  trust?: 'vendor' | 'vendor_archive' | 'third_party';
  /**
   * What was taken from it.
   */
  note?: string;
}
/**
 * The columns of a record, as the source lists them. Records may have more.
 */
export interface Columns {
  [k: string]: Column;
}
/**
 * One column.
 */
export interface Column {
  /**
   * What its values are.
   */
  type: 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'object' | 'list';
  /**
   * What it means.
   */
  help?: string;
  /**
   * A value that could be real.
   */
  example?: string | number | boolean;
}
/**
 * No credential.
 */
export interface AuthNone {
  /**
   * No credential.
   */
  type: 'none';
  /**
   * Its label.
   */
  title?: string;
  /**
   * How to get what it asks for, step by step.
   */
  help?: string;
  /**
   * Its own fields. They merge with those that the type implies: null drops one, value fixes it, a title relabels it; new names add.
   */
  fields?: {
    [k: string]: Field | null;
  };
  /**
   * Named expressions, worked out once per attempt; later ones see earlier ones.
   */
  vars?: {
    [k: string]: string;
  };
  /**
   * Calls in order; the word token stands for the built-in one.
   */
  steps?: Step[];
  /**
   * What is put on each request. It sees the merged request, so it can sign.
   */
  send?: Send;
  /**
   * Laid over http when this method is chosen.
   */
  http?: Http;
  /**
   * Laid over defaults when this method is chosen.
   */
  defaults?: StreamPart;
}
/**
 * The built-in token request.
 */
export interface TokenStep {
  /**
   * The built-in token request.
   */
  type: 'token';
}
/**
 * A call of its own.
 */
export interface CallStep {
  /**
   * A call of its own.
   */
  type: 'call';
  /**
   * Its name in logs and errors.
   */
  name?: string;
  /**
   * GET this path under base_url, or an https URL. A call has exactly one method.
   */
  get?: string;
  /**
   * POST this path under base_url, or an https URL. A call has exactly one method.
   */
  post?: string;
  /**
   * PUT this path under base_url, or an https URL. A call has exactly one method.
   */
  put?: string;
  /**
   * PATCH this path under base_url, or an https URL. A call has exactly one method.
   */
  patch?: string;
  /**
   * DELETE this path under base_url, or an https URL. A call has exactly one method.
   */
  delete?: string;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  };
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * Values taken from the answer, kept sealed: token.<name> in auth. Null drops an inherited one.
   */
  capture?: {
    [k: string]: Capture | null;
  };
  expires?: Expires;
  /**
   * How answers of this call are classed.
   */
  errors?: Errors;
}
/**
 * A value taken from an answer.
 */
export interface Capture {
  /**
   * Where it is, from the body; or one ${…} over response.
   */
  path: string;
  /**
   * What it is. Only url and host may stand in the host of a URL, and they need hosts.
   */
  type?: 'text' | 'url' | 'host' | 'number' | 'map';
  /**
   * Hosts that it may name; `same` is the host that it came from.
   *
   * @minItems 1
   */
  hosts?: [string, ...string[]];
  /**
   * Whether it is secret: true, unless its type is url or host.
   */
  secret?: boolean;
}
/**
 * How long the captured values hold. The first that the answer has counts: in, at, then default.
 */
export interface Expires {
  /**
   * Seconds from now, as a number or text.
   */
  in?: string;
  /**
   * A point in time.
   */
  at?: string;
  /**
   * Unit of in (s, ms) or at (epoch, epoch_ms, iso).
   */
  as?: 's' | 'ms' | 'epoch' | 'epoch_ms' | 'iso';
  /**
   * When the answer says nothing.
   */
  default?: string;
  /**
   * It does not expire.
   */
  never?: true;
  /**
   * Renewed so much earlier.
   */
  margin?: string;
}
/**
 * What is put on each request.
 */
export interface Send {
  /**
   * Headers.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Query parameters.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  };
  /**
   * Entries of the body.
   */
  body?: unknown;
}
/**
 * A key; `send` says where it goes. Implies the secret field api_key.
 */
export interface AuthApiKey {
  /**
   * A key; `send` says where it goes. Implies the secret field api_key.
   */
  type: 'api_key';
  /**
   * Its label.
   */
  title?: string;
  /**
   * How to get what it asks for, step by step.
   */
  help?: string;
  /**
   * Its own fields. They merge with those that the type implies: null drops one, value fixes it, a title relabels it; new names add.
   */
  fields?: {
    [k: string]: Field | null;
  };
  /**
   * Named expressions, worked out once per attempt; later ones see earlier ones.
   */
  vars?: {
    [k: string]: string;
  };
  /**
   * Calls in order; the word token stands for the built-in one.
   */
  steps?: Step[];
  /**
   * What is put on each request. It sees the merged request, so it can sign.
   */
  send: Send;
  /**
   * Laid over http when this method is chosen.
   */
  http?: Http;
  /**
   * Laid over defaults when this method is chosen.
   */
  defaults?: StreamPart;
}
/**
 * HTTP Basic (RFC 7617), UTF-8. Implies username and the secret field password; either may be fixed or blank.
 */
export interface AuthBasic {
  /**
   * HTTP Basic (RFC 7617), UTF-8. Implies username and the secret field password; either may be fixed or blank.
   */
  type: 'basic';
  /**
   * Its label.
   */
  title?: string;
  /**
   * How to get what it asks for, step by step.
   */
  help?: string;
  /**
   * Its own fields. They merge with those that the type implies: null drops one, value fixes it, a title relabels it; new names add.
   */
  fields?: {
    [k: string]: Field | null;
  };
  /**
   * Named expressions, worked out once per attempt; later ones see earlier ones.
   */
  vars?: {
    [k: string]: string;
  };
  /**
   * Calls in order; the word token stands for the built-in one.
   */
  steps?: Step[];
  /**
   * What is put on each request. It sees the merged request, so it can sign.
   */
  send?: Send;
  /**
   * Laid over http when this method is chosen.
   */
  http?: Http;
  /**
   * Laid over defaults when this method is chosen.
   */
  defaults?: StreamPart;
}
/**
 * A token that the person has (RFC 6750). Implies the secret field token.
 */
export interface AuthBearer {
  /**
   * A token that the person has (RFC 6750). Implies the secret field token.
   */
  type: 'bearer';
  /**
   * Its label.
   */
  title?: string;
  /**
   * How to get what it asks for, step by step.
   */
  help?: string;
  /**
   * Its own fields. They merge with those that the type implies: null drops one, value fixes it, a title relabels it; new names add.
   */
  fields?: {
    [k: string]: Field | null;
  };
  /**
   * Named expressions, worked out once per attempt; later ones see earlier ones.
   */
  vars?: {
    [k: string]: string;
  };
  /**
   * Calls in order; the word token stands for the built-in one.
   */
  steps?: Step[];
  /**
   * What is put on each request. It sees the merged request, so it can sign.
   */
  send?: Send;
  /**
   * Laid over http when this method is chosen.
   */
  http?: Http;
  /**
   * Laid over defaults when this method is chosen.
   */
  defaults?: StreamPart;
}
/**
 * OAuth 2.0 client credentials (RFC 6749, 4.4). Implies client_id and client_secret.
 */
export interface AuthOauth2ClientCredentials {
  /**
   * OAuth 2.0 client credentials (RFC 6749, 4.4). Implies client_id and client_secret.
   */
  type: 'oauth2_client_credentials';
  /**
   * Its label.
   */
  title?: string;
  /**
   * How to get what it asks for, step by step.
   */
  help?: string;
  /**
   * Its own fields. They merge with those that the type implies: null drops one, value fixes it, a title relabels it; new names add.
   */
  fields?: {
    [k: string]: Field | null;
  };
  /**
   * Named expressions, worked out once per attempt; later ones see earlier ones.
   */
  vars?: {
    [k: string]: string;
  };
  /**
   * Calls in order; the word token stands for the built-in one.
   */
  steps?: Step[];
  /**
   * What is put on each request. It sees the merged request, so it can sign.
   */
  send?: Send;
  /**
   * Laid over http when this method is chosen.
   */
  http?: Http;
  /**
   * Laid over defaults when this method is chosen.
   */
  defaults?: StreamPart;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url: string;
  /**
   * Scopes asked for (RFC 6749, 3.3).
   */
  scopes?: string[] | string;
  /**
   * What stands between scopes.
   */
  scope_separator?: string;
  /**
   * How the client shows who it is at the token endpoint (RFC 6749, 2.3).
   */
  client_auth?: 'post' | 'basic' | 'query' | 'none';
  /**
   * Amends the token request.
   */
  token?: TokenCall;
  /**
   * Amends the token request for renewal.
   *
   * @minItems 1
   */
  refresh?: [RefreshCall, ...RefreshCall[]];
}
/**
 * What amends the built-in token request.
 */
export interface TokenCall {
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  };
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * Values taken from the answer besides access_token, refresh_token, token_type, scope, id_token.
   */
  capture?: {
    [k: string]: Capture | null;
  };
  expires?: Expires;
  /**
   * How its answers are classed.
   */
  errors?: Errors;
}
/**
 * What amends the token request for renewal.
 */
export interface RefreshCall {
  /**
   * The answer brings a new refresh token and the old one dies.
   */
  rotates?: boolean;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  };
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * Values taken from the answer.
   */
  capture?: {
    [k: string]: Capture | null;
  };
  expires?: Expires;
  /**
   * How its answers are classed.
   */
  errors?: Errors;
}
/**
 * OAuth 2.0 authorization code (RFC 6749, 4.1) with PKCE (RFC 7636). Implies client_id and client_secret.
 */
export interface AuthOauth2AuthorizationCode {
  /**
   * OAuth 2.0 authorization code (RFC 6749, 4.1) with PKCE (RFC 7636). Implies client_id and client_secret.
   */
  type: 'oauth2_authorization_code';
  /**
   * Its label.
   */
  title?: string;
  /**
   * How to get what it asks for, step by step.
   */
  help?: string;
  /**
   * Its own fields. They merge with those that the type implies: null drops one, value fixes it, a title relabels it; new names add.
   */
  fields?: {
    [k: string]: Field | null;
  };
  /**
   * Named expressions, worked out once per attempt; later ones see earlier ones.
   */
  vars?: {
    [k: string]: string;
  };
  /**
   * Calls in order; the word token stands for the built-in one.
   */
  steps?: Step[];
  /**
   * What is put on each request. It sees the merged request, so it can sign.
   */
  send?: Send;
  /**
   * Laid over http when this method is chosen.
   */
  http?: Http;
  /**
   * Laid over defaults when this method is chosen.
   */
  defaults?: StreamPart;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url: string;
  /**
   * Scopes asked for (RFC 6749, 3.3).
   */
  scopes?: string[] | string;
  /**
   * What stands between scopes.
   */
  scope_separator?: string;
  /**
   * How the client shows who it is at the token endpoint (RFC 6749, 2.3).
   */
  client_auth?: 'post' | 'basic' | 'query' | 'none';
  /**
   * Amends the token request.
   */
  token?: TokenCall;
  /**
   * Amends the token request for renewal.
   *
   * @minItems 1
   */
  refresh?: [RefreshCall, ...RefreshCall[]];
  /**
   * The authorization endpoint (RFC 6749, 3.1). https only.
   */
  authorize_url: string;
  authorize?: Authorize;
  /**
   * Proof Key for Code Exchange, S256 (RFC 7636).
   */
  pkce?: boolean;
}
/**
 * Extra parameters of the authorization request, and where the code is in the callback.
 */
export interface Authorize {
  /**
   * Extra parameters.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * The callback parameter that holds the code.
   */
  code?: string;
}
/**
 * A cheap call that proves the credential.
 */
export interface Check {
  /**
   * GET this path under base_url, or an https URL. A call has exactly one method.
   */
  get?: string;
  /**
   * POST this path under base_url, or an https URL. A call has exactly one method.
   */
  post?: string;
  /**
   * PUT this path under base_url, or an https URL. A call has exactly one method.
   */
  put?: string;
  /**
   * PATCH this path under base_url, or an https URL. A call has exactly one method.
   */
  patch?: string;
  /**
   * DELETE this path under base_url, or an https URL. A call has exactly one method.
   */
  delete?: string;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  };
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  };
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  };
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * How answers of this call are classed.
   */
  errors?: Errors;
  /**
   * What must hold besides a 2xx answer.
   */
  expect?: string;
  /**
   * What is said when expect does not hold.
   */
  otherwise?: string;
  /**
   * Who or what was reached, for the person to see.
   */
  account?: string;
}
/**
 * One readable collection.
 */
export interface Stream {
  /**
   * Its label.
   */
  title?: string;
  /**
   * What its records are.
   */
  help?: string;
  source?: Sources;
  columns?: Columns;
  /**
   * The template that it starts from.
   */
  use?: string;
  /**
   * Literals that replace ${with.x} in the template.
   */
  with?: {[name: string]: string};
  /**
   * Whether it is offered, over choices, fields and auth.method.
   */
  when?: string;
  /**
   * Read once per record of that stream, which stands in parent.
   */
  parent?: string;
  /**
   * GET this path under base_url, or an https URL. A call has exactly one method.
   */
  get?: string;
  /**
   * POST this path under base_url, or an https URL. A call has exactly one method.
   */
  post?: string;
  /**
   * PUT this path under base_url, or an https URL. A call has exactly one method.
   */
  put?: string;
  /**
   * PATCH this path under base_url, or an https URL. A call has exactly one method.
   */
  patch?: string;
  /**
   * DELETE this path under base_url, or an https URL. A call has exactly one method.
   */
  delete?: string;
  /**
   * Query parameters; a list repeats the key, null removes an inherited one.
   */
  query?: {
    [k: string]: string | string[] | null;
  } | null;
  /**
   * Headers; null removes an inherited one.
   */
  headers?: {
    [k: string]: string | null;
  } | null;
  /**
   * Cookies.
   */
  cookies?: {
    [k: string]: string | null;
  } | null;
  /**
   * How the body is sent.
   */
  encode?: 'json' | 'form' | 'query' | 'text' | 'graphql';
  /**
   * Content-Type and Accept in one word.
   */
  media_type?: string | null;
  /**
   * The body. For graphql: query, variables, operationName. Null removes an inherited entry; a JSON null is written ${null}.
   */
  body?: unknown;
  /**
   * How answers of this stream are classed.
   */
  errors?: Errors;
  /**
   * Where the records are: a list gives its items, an object one record. Missing or null is an error unless the last segment ends in ?.
   */
  records?: string | null;
  /**
   * Paths in a record that together name it.
   */
  primary_key?: string[] | null;
  /**
   * Put into each record after it is taken out.
   */
  add?: {[column: string]: unknown};
  /**
   * Taken out of each record.
   */
  remove?: string[] | null;
  /**
   * How the next page is asked for.
   */
  paginate?: Paginate | PaginateAmend | null;
}
/**
 * One request; the answer is everything.
 */
export interface PaginateNone {
  /**
   * One request; the answer is everything.
   */
  type: 'none';
}
/**
 * Numbered pages.
 */
export interface PaginatePage {
  /**
   * Numbered pages.
   */
  type: 'page';
  /**
   * Where the page number goes.
   */
  page: string;
  /**
   * The first page's number.
   */
  start?: number;
  /**
   * Where the page size goes; left out: it is not sent.
   */
  size?: string;
  /**
   * Records asked for in one page.
   */
  page_size?: number;
  /**
   * More pages than this are an error, never a quiet end.
   */
  max_pages?: number;
  /**
   * Further signs of the last page; any of them ends it.
   */
  stop?: ('empty_page' | 'short_page')[];
}
/**
 * By the number of records to skip.
 */
export interface PaginateOffset {
  /**
   * By the number of records to skip.
   */
  type: 'offset';
  /**
   * Where the offset goes.
   */
  offset: string;
  /**
   * Where the answer says how many records there are in all.
   */
  total?: string;
  /**
   * Where the page size goes; left out: it is not sent.
   */
  size?: string;
  /**
   * Records asked for in one page.
   */
  page_size?: number;
  /**
   * More pages than this are an error, never a quiet end.
   */
  max_pages?: number;
  /**
   * Further signs of the last page; any of them ends it.
   */
  stop?: ('empty_page' | 'short_page')[];
}
/**
 * A token from each answer asks for the next page.
 */
export interface PaginateNextToken {
  /**
   * A token from each answer asks for the next page.
   */
  type: 'next_token';
  /**
   * Where the token is; missing, null or empty on the last page.
   */
  from: string;
  /**
   * Where the token goes.
   */
  into: string;
  /**
   * A flag that says whether there is more, where the token alone does not.
   */
  more?: string;
  /**
   * Where the page size goes; left out: it is not sent.
   */
  size?: string;
  /**
   * Records asked for in one page.
   */
  page_size?: number;
  /**
   * More pages than this are an error, never a quiet end.
   */
  max_pages?: number;
  /**
   * Further signs of the last page; any of them ends it.
   */
  stop?: ('empty_page' | 'short_page')[];
}
/**
 * Each answer brings the next page's URL.
 */
export interface PaginateNextUrl {
  /**
   * Each answer brings the next page's URL.
   */
  type: 'next_url';
  /**
   * Where the URL is; missing, null or empty on the last page.
   */
  from: string;
  /**
   * A flag that says whether there is more.
   */
  more?: string;
  /**
   * Where the page size goes; left out: it is not sent.
   */
  size?: string;
  /**
   * Records asked for in one page.
   */
  page_size?: number;
  /**
   * More pages than this are an error, never a quiet end.
   */
  max_pages?: number;
  /**
   * Further signs of the last page; any of them ends it.
   */
  stop?: ('empty_page' | 'short_page')[];
}
/**
 * The Link header names the next page (RFC 8288).
 */
export interface PaginateLinkHeader {
  /**
   * The Link header names the next page (RFC 8288).
   */
  type: 'link_header';
  /**
   * Which relation.
   */
  rel?: string;
  /**
   * Where the page size goes; left out: it is not sent.
   */
  size?: string;
  /**
   * Records asked for in one page.
   */
  page_size?: number;
  /**
   * More pages than this are an error, never a quiet end.
   */
  max_pages?: number;
  /**
   * Further signs of the last page; any of them ends it.
   */
  stop?: ('empty_page' | 'short_page')[];
}
/**
 * Changes to an inherited paginator.
 *
 * This interface was referenced by `SpecDocument`'s JSON-Schema
 * via the `definition` "paginate_amend".
 */
export interface PaginateAmend {
  /**
   * Left out: the inherited type stays.
   */
  type?: never;
  /**
   * Where the page number goes.
   */
  page?: string;
  /**
   * The first page's number.
   */
  start?: number;
  /**
   * Where the offset goes.
   */
  offset?: string;
  /**
   * Where the answer says how many records there are in all.
   */
  total?: string;
  /**
   * Where the token is; missing, null or empty on the last page.
   */
  from?: string;
  /**
   * Where the token goes.
   */
  into?: string;
  /**
   * A flag that says whether there is more, where the token alone does not.
   */
  more?: string;
  /**
   * Which relation.
   */
  rel?: string;
  /**
   * Where the page size goes; left out: it is not sent.
   */
  size?: string;
  /**
   * Records asked for in one page.
   */
  page_size?: number;
  /**
   * More pages than this are an error, never a quiet end.
   */
  max_pages?: number;
  /**
   * Further signs of the last page; any of them ends it.
   */
  stop?: ('empty_page' | 'short_page')[];
}
