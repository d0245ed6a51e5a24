// Generated from schemas/ by scripts/generate.ts. Do not edit: run npm run generate.

/**
 * How the answer is read, outermost first; every part works as the bytes come. Left out: by content type.
 *
 * @minItems 1
 */
export type DecodeChain = [Decode, ...Decode[]];
/**
 * One part of reading an answer.
 */
export type Decode = DecodeJson | DecodeJsonl | DecodeCsv | DecodeXml | DecodeText | DecodeGzip | DecodeZip;
/**
 * Where the facts were read.
 *
 * @minItems 1
 */
export type Sources = [Source, ...Source[]];
/**
 * One way to authenticate: fields → steps → send.
 */
export type AuthMethod =
  | AuthNone
  | AuthApiKey
  | AuthBasic
  | AuthBearer
  | AuthSession
  | AuthCustom
  | AuthJwt
  | AuthDigest
  | AuthNtlm
  | AuthWsse
  | AuthMutualTls
  | AuthOauth1
  | AuthAwsSigv4
  | AuthHttpSignature
  | AuthOauth2ClientCredentials
  | AuthOauth2AuthorizationCode
  | AuthOauth2Password
  | AuthOauth2Device
  | AuthOauth2JwtBearer
  | AuthOauth2TokenExchange
  | AuthOauth2Saml2Bearer;
/**
 * One call of an auth method, in order. The word token stands for the built-in token request, assertion for the method's own jwt.
 */
export type Step = TokenStep | AssertionStep | JwtStep | CallStep;
/**
 * Registers a client by itself where none is given (RFC 7591): its metadata. redirect_uris and grant_types are filled in.
 */
export type Registration = Record<string, unknown>;
/**
 * How the next page is asked for. Without a type it amends an inherited one.
 *
 * This interface was referenced by `SpecDocument`'s JSON-Schema
 * via the `definition` "paginate".
 */
export type Paginate =
  PaginateNone | PaginatePage | PaginateOffset | PaginateNextToken | PaginateNextUrl | PaginateLinkHeader | PaginateKeyset;

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
   * How waits grow; `exponential` with full jitter, the others to the millisecond.
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
   * Until the answer begins, and the longest pause within it; in each such time a stream must bring 1 KiB.
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
  encode?: 'json' | 'form' | 'multipart' | 'query' | 'xml' | 'text' | 'graphql';
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
   * How the answer is read, outermost first; every part works as the bytes come. Left out: by content type. Null removes it.
   */
  decode?: DecodeChain | null;
  /**
   * Which records are kept, before add and remove; the others are counted as skipped.
   */
  keep?: string | null;
  /**
   * Nested maps become columns of their own. Null removes it.
   */
  flatten?: Flatten | null;
  /**
   * Columns under another name.
   */
  rename?: {[column: string]: string | null} | null;
  /**
   * Columns whose values are turned into this type; one that cannot be is a record that does not fit.
   */
  types?: {[column: string]: string | null} | null;
  /**
   * What makes a stream incremental: the column by which records are found that are new since the last read. Null removes it.
   */
  cursor?: Cursor | null;
}
/**
 * JSON; a list of records deep inside a large document is read as it comes.
 */
export interface DecodeJson {
  /**
   * JSON; a list of records deep inside a large document is read as it comes.
   */
  type: 'json';
}
/**
 * One JSON value a line.
 */
export interface DecodeJsonl {
  /**
   * One JSON value a line.
   */
  type: 'jsonl';
  /**
   * Of the characters, where neither a byte order mark nor the content type says it.
   */
  encoding?: string;
}
/**
 * Comma-separated values (RFC 4180); all columns are text.
 */
export interface DecodeCsv {
  /**
   * Comma-separated values (RFC 4180); all columns are text.
   */
  type: 'csv';
  /**
   * Between the columns; `tab` for a tab.
   */
  delimiter?: string;
  /**
   * Around a column that holds a delimiter; "" for none.
   */
  quote?: string;
  /**
   * Names of the columns, where no first line has them.
   */
  columns?: string[];
  /**
   * Lines before the one with the names.
   */
  skip_lines?: number;
  /**
   * What stands for no value; it becomes null.
   */
  null_as?: string;
  /**
   * Of the characters, where neither a byte order mark nor the content type says it.
   */
  encoding?: string;
}
/**
 * XML: attributes are @name, text is #text; `records` names the elements.
 */
export interface DecodeXml {
  /**
   * XML: attributes are @name, text is #text; `records` names the elements.
   */
  type: 'xml';
}
/**
 * Each line is a record with the one column `line`.
 */
export interface DecodeText {
  /**
   * Each line is a record with the one column `line`.
   */
  type: 'text';
  /**
   * Of the characters, where neither a byte order mark nor the content type says it.
   */
  encoding?: string;
}
/**
 * Compressed by gzip, whatever the content encoding says; what is not is read as it is.
 */
export interface DecodeGzip {
  /**
   * Compressed by gzip, whatever the content encoding says; what is not is read as it is.
   */
  type: 'gzip';
}
/**
 * A ZIP archive: its files one after the other.
 */
export interface DecodeZip {
  /**
   * A ZIP archive: its files one after the other.
   */
  type: 'zip';
  /**
   * Only files whose names match; * stands for any text.
   */
  file?: string;
}
/**
 * Nested maps become columns of their own.
 */
export interface Flatten {
  /**
   * Between the names.
   */
  separator?: string;
  /**
   * How many levels down; what is deeper stays nested.
   */
  depth?: number;
}
/**
 * What makes a stream incremental: the column by which records are found that are new since the last read.
 */
export interface Cursor {
  /**
   * Where it is in a record, as it comes. Every record must have it.
   */
  field?: string;
  /**
   * How times are written in the request: iso, iso_ms, date, epoch, epoch_ms, a strftime pattern; integer for a number that only grows.
   */
  format?: string;
  /**
   * How they are written in the record, where it is another format.
   */
  record_format?: string;
  /**
   * The zone of times that name none, in requests and records: an IANA name or an offset.
   */
  time_zone?: string;
  /**
   * Who leaves out what is not new: the provider (the request then uses window.start), or this reader, which reads all of it.
   */
  filter?: 'server' | 'client';
  /**
   * asc: records come sorted by the cursor, and none can come later that lies before one that was seen; the state moves on with each page. none: only when a window is finished, and no further than to the moment when the read began.
   */
  order?: 'asc' | 'none';
  /**
   * A range with an explicit end: window.start and window.end in the request. Long ranges are cut into several. Null removes it.
   */
  window?: Window | null;
  /**
   * Read again so far back each time, for what the provider restates or delivers late. For format integer: so many.
   */
  lookback?: string | null;
  /**
   * Where the first read begins: so long ago, a date, or a field. Left out: window.start is absent then, and the provider gives all.
   */
  start?: string;
  /**
   * How far back the provider keeps data: nothing earlier is asked for.
   */
  oldest?: string | null;
  /**
   * Whether each partition has a cursor of its own, or all have one.
   */
  per?: 'stream' | 'partition';
}
/**
 * A range with an explicit end: window.start and window.end in the request. Long ranges are cut into several.
 */
export interface Window {
  /**
   * The longest that the provider takes, or that is worth one request. For format integer: so many.
   */
  max?: string | null;
  /**
   * Whether what is exactly at window.end belongs to the window. A wrong word loses or doubles a day.
   */
  end?: 'inclusive' | 'exclusive';
  /**
   * The smallest difference between two values; with end inclusive the next window begins one step later. By default what the format can write: 1d for date, 1ms for iso_ms and epoch_ms, 1 for integer, else 1s.
   */
  step?: string | null;
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
  encode?: 'json' | 'form' | 'multipart' | 'query' | 'xml' | 'text' | 'graphql';
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
  /**
   * How the answer is read, outermost first; every part works as the bytes come. Left out: by content type. Null removes it.
   */
  decode?: DecodeChain | null;
  /**
   * Which records are kept, before add and remove; the others are counted as skipped.
   */
  keep?: string | null;
  /**
   * Nested maps become columns of their own. Null removes it.
   */
  flatten?: Flatten | null;
  /**
   * Columns under another name.
   */
  rename?: {[column: string]: string | null} | null;
  /**
   * Columns whose values are turned into this type; one that cannot be is a record that does not fit.
   */
  types?: {[column: string]: string | null} | null;
  /**
   * What makes a stream incremental: the column by which records are found that are new since the last read. Null removes it.
   */
  cursor?: Cursor | null;
  /**
   * Read once for each item, which is each.<name> in the request; several multiply.
   */
  each?: {[name: string]: unknown} | null;
  /**
   * Of which records of the parent: of all, or of those that changed since the last read, by the parent's own cursor.
   */
  parents?: 'all' | 'changed';
  /**
   * Instead of one request: a job is created, polled until it is done, and its result downloaded. `records`, `decode` and `paginate` are about the download. Null removes it.
   */
  job?: Job | null;
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
 * Instead of one request: a job is created, polled until it is done, and its result downloaded. `records`, `decode` and `paginate` are about the download.
 */
export interface Job {
  create?: JobCreate;
  poll?: JobPoll;
  download?: JobDownload;
  /**
   * Sent when a job takes longer than its timeout.
   */
  cancel?: JobEnd;
  /**
   * Sent when the result has been read.
   */
  clean_up?: JobEnd;
  /**
   * Where the poll says how far the job is.
   */
  status?: string;
  states?: JobStates;
  /**
   * Where it says why a job failed.
   */
  message?: string;
  /**
   * How many jobs of this stream may run at a time.
   */
  at_once?: number;
}
/**
 * The call that begins the job. What it captures is kept in the state: a restart goes on with the same job.
 */
export interface JobCreate {
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
   * Values taken from the answer: job.<name> in the calls after it. Null drops an inherited one.
   */
  capture?: {
    [k: string]: Capture | null;
  };
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
  /**
   * What the value must match; anything else is refused.
   */
  pattern?: string;
}
/**
 * The call that asks how far the job is. Its captures are taken when it is done.
 */
export interface JobPoll {
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
   * Values taken from the answer: job.<name> in the calls after it. Null drops an inherited one.
   */
  capture?: {
    [k: string]: Capture | null;
  };
  /**
   * The first wait between two polls; waits grow to four times as long.
   */
  every?: string;
  /**
   * How long a job may take; then it is cancelled, and the read of its window fails.
   */
  timeout?: string;
}
/**
 * The call that fetches the result. To another host it goes without the credential.
 */
export interface JobDownload {
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
  decode?: DecodeChain;
}
/**
 * A call that ends the job.
 */
export interface JobEnd {
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
}
/**
 * The words of the status. One that is in no list is an error.
 */
export interface JobStates {
  /**
   * The result is there.
   */
  done?: string[];
  /**
   * It will never be there.
   */
  failed?: string[];
  /**
   * Not yet.
   */
  running?: string[];
  /**
   * Done, and there is nothing to download.
   */
  none?: string[];
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
  /**
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
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
 * The method's own jwt, signed: token.jwt.
 */
export interface AssertionStep {
  /**
   * The method's own jwt, signed: token.jwt.
   */
  type: 'assertion';
}
/**
 * Signs a JWT instead of sending a request; the result is token.<name>.
 */
export interface JwtStep {
  /**
   * Signs a JWT; the result is token.<name>.
   */
  type: 'jwt';
  /**
   * Its name: the result is token.<name>.
   */
  name: string;
  /**
   * What is signed.
   */
  jwt: Jwt;
}
/**
 * A JSON Web Token that is signed here (RFC 7519, RFC 7515).
 */
export interface Jwt {
  /**
   * Signature algorithm (RFC 7518, 3.1; RFC 8037).
   */
  alg: 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';
  /**
   * What signs: a PEM key, a JWK, or a shared secret (text, or bytes of an expression).
   */
  key: string;
  /**
   * Opens an encrypted PEM key.
   */
  passphrase?: string;
  /**
   * Header parameters besides alg and typ.
   */
  header?: Record<string, unknown>;
  /**
   * Claims. iat, exp and jti are put in by themselves; null leaves one out.
   */
  claims?: Record<string, unknown>;
  /**
   * How long it holds.
   */
  lifetime?: string;
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
  /**
   * How the answer is read. Default: by its content type.
   */
  decode?: 'json' | 'text' | 'xml';
  /**
   * What a good answer must fulfil besides its status; else the call failed.
   */
  expect?: string;
  /**
   * Made once for a credential, and not again when what it captured is renewed by other means.
   */
  once?: true;
  /**
   * Signs this call as the method's signer does, with these settings in place of the method's own.
   */
  sign?: {
    [k: string]: string;
  };
}
/**
 * How long the captured values hold. The first that the answer has counts: in, at, jwt, then default.
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
   * A captured JWT whose exp claim says it (RFC 7519, 4.1.4).
   */
  jwt?: string;
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
  /**
   * The step whose values end then, where it is not this one: token, after an introspection.
   */
  of?: string;
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
 * The client's certificate, for every call of this method, token calls too (RFC 8705).
 */
export interface Tls {
  /**
   * PEM, with its chain.
   */
  certificate?: string;
  /**
   * PEM.
   */
  key?: string;
  /**
   * Opens an encrypted key.
   */
  passphrase?: string;
  /**
   * PEM of further authorities that the server's certificate may come from.
   */
  ca?: string;
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
  /**
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
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
  /**
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
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
  /**
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
}
/**
 * Logs in by calls of its own; a token or cookies hold until the session ends. Implies username and password.
 */
export interface AuthSession {
  /**
   * Logs in by calls of its own; a token or cookies hold until the session ends. Implies username and password.
   */
  type: 'session';
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
  steps: Step[];
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * What ends the session at the provider when the credential is removed.
   */
  logout?: TellCall;
}
/**
 * A call whose answer only says whether it worked.
 */
export interface TellCall {
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
   * What a good answer must fulfil besides its status; else the call failed.
   */
  expect?: string;
}
/**
 * Fields, steps and send as the spec writes them. Implies no field.
 */
export interface AuthCustom {
  /**
   * Fields, steps and send as the spec writes them. Implies no field.
   */
  type: 'custom';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The provider's own installation page: the person installs the app there, and its callback brings what is captured.
   */
  install?: Install;
  /**
   * What ends the session at the provider when the credential is removed.
   */
  logout?: TellCall;
}
/**
 * The provider's own installation page: the person installs the app there, and its callback brings what is captured.
 */
export interface Install {
  /**
   * The page.
   */
  url: string;
  /**
   * Whether the provider gives back the state that it was sent.
   */
  state?: boolean;
  /**
   * Values that come with the callback, from callback; checked before anything is done with them.
   */
  capture: {
    [k: string]: CallbackCapture;
  };
}
/**
 * A value taken from the callback.
 */
export interface CallbackCapture {
  /**
   * One ${…} over callback.
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
  /**
   * What the value must match; anything else is refused.
   */
  pattern?: string;
}
/**
 * A JSON Web Token that is signed here and sent with each request (RFC 7519). Implies no field.
 */
export interface AuthJwt {
  /**
   * A JSON Web Token that is signed here and sent with each request (RFC 7519). Implies no field.
   */
  type: 'jwt';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * What is signed.
   */
  jwt: Jwt;
}
/**
 * HTTP Digest (RFC 7616). Implies username and password.
 */
export interface AuthDigest {
  /**
   * HTTP Digest (RFC 7616). Implies username and password.
   */
  type: 'digest';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
}
/**
 * NTLMv2 over HTTP (MS-NLMP, MS-NTHT), bound to the connection. Implies username, password and domain.
 */
export interface AuthNtlm {
  /**
   * NTLMv2 over HTTP (MS-NLMP, MS-NTHT), bound to the connection. Implies username, password and domain.
   */
  type: 'ntlm';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
}
/**
 * WSSE UsernameToken: a digest of nonce, time and password in X-WSSE. Implies username and password.
 */
export interface AuthWsse {
  /**
   * WSSE UsernameToken: a digest of nonce, time and password in X-WSSE. Implies username and password.
   */
  type: 'wsse';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
}
/**
 * A client certificate alone (TLS; RFC 8705 for tokens bound to it). Implies certificate, private_key and passphrase.
 */
export interface AuthMutualTls {
  /**
   * A client certificate alone (TLS; RFC 8705 for tokens bound to it). Implies certificate, private_key and passphrase.
   */
  type: 'mutual_tls';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
}
/**
 * OAuth 1.0a (RFC 5849). Implies consumer_key, consumer_secret, token and token_secret; with URLs the token comes by consent.
 */
export interface AuthOauth1 {
  /**
   * OAuth 1.0a (RFC 5849). Implies consumer_key, consumer_secret, token and token_secret; with URLs the token comes by consent.
   */
  type: 'oauth1';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * How requests are signed (RFC 5849, 3.4).
   */
  signature_method?: 'HMAC-SHA1' | 'HMAC-SHA256' | 'RSA-SHA1' | 'RSA-SHA256' | 'PLAINTEXT';
  /**
   * Realm of the Authorization header.
   */
  realm?: string;
  /**
   * Where the parameters go.
   */
  placement?: 'header' | 'query';
  /**
   * Temporary credential request (RFC 5849, 2.1).
   */
  request_url?: string;
  /**
   * Resource owner authorization (RFC 5849, 2.2).
   */
  authorize_url?: string;
  /**
   * Token request (RFC 5849, 2.3).
   */
  token_url?: string;
}
/**
 * AWS Signature Version 4. Implies access_key_id, secret_access_key and session_token.
 */
export interface AuthAwsSigv4 {
  /**
   * AWS Signature Version 4. Implies access_key_id, secret_access_key and session_token.
   */
  type: 'aws_sigv4';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The signing name of the service.
   */
  service: string;
  /**
   * The region that is signed for.
   */
  region: string;
  /**
   * Where the signature goes.
   */
  placement?: 'header' | 'query';
  /**
   * Seconds that a signature in the query holds.
   */
  expires?: number;
  /**
   * Whether x-amz-content-sha256 is sent: with the body's hash (yes), with UNSIGNED-PAYLOAD (unsigned), or not. Default: yes for s3.
   */
  signed_body?: 'yes' | 'no' | 'unsigned';
}
/**
 * HTTP Message Signatures (RFC 9421). Implies key_id and private_key.
 */
export interface AuthHttpSignature {
  /**
   * HTTP Message Signatures (RFC 9421). Implies key_id and private_key.
   */
  type: 'http_signature';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * Signature algorithm (RFC 9421, 3.3).
   */
  alg: 'ed25519' | 'hmac-sha256' | 'rsa-pss-sha512' | 'rsa-v1_5-sha256' | 'ecdsa-p256-sha256';
  /**
   * What is covered, in order (RFC 9421, 2).
   *
   * @minItems 1
   */
  components: [string, ...string[]];
  /**
   * Its label in Signature and Signature-Input.
   */
  label?: string;
  /**
   * expires is created and so much more.
   */
  lifetime?: string;
  /**
   * Whether a nonce goes along.
   */
  nonce?: boolean;
  /**
   * An application's own tag.
   */
  tag?: string;
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
  token_url?: string;
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  /**
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The issuer; its metadata name the endpoints (RFC 8414; OpenID Connect Discovery 1.0), in place of authorize_url and token_url.
   */
  issuer?: string;
  /**
   * Hosts that endpoints in the metadata may name besides the issuer's own.
   *
   * @minItems 1
   */
  issuer_hosts?: [string, ...string[]];
  /**
   * Where metadata stand: openid (OpenID Connect), oauth (RFC 8414), resource (RFC 9728: the resource names its issuer).
   */
  discovery?: 'openid' | 'oauth' | 'resource';
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
  /**
   * How the answer is read. Default: by its content type.
   */
  decode?: 'json' | 'text' | 'xml';
  /**
   * What a good answer must fulfil besides its status; else the call failed.
   */
  expect?: string;
  /**
   * GET this URL instead of a POST to token_url.
   */
  get?: string;
  /**
   * POST this URL instead of a POST to token_url.
   */
  post?: string;
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
  /**
   * How the answer is read. Default: by its content type.
   */
  decode?: 'json' | 'text' | 'xml';
  /**
   * What a good answer must fulfil besides its status; else the call failed.
   */
  expect?: string;
  /**
   * GET this URL instead of a POST to token_url.
   */
  get?: string;
  /**
   * POST this URL instead of a POST to token_url.
   */
  post?: string;
  /**
   * The capture that a renewal is made with: an access token, where there is no refresh token.
   */
  from?: string;
}
/**
 * The client's own JWT at the token endpoint (RFC 7523, 2.2). iss, sub and aud are filled in; alg is HS256 and key the client secret for client_secret_jwt.
 */
export interface ClientAssertion {
  /**
   * Signature algorithm (RFC 7518, 3.1; RFC 8037).
   */
  alg?: 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';
  /**
   * What signs: a PEM key, a JWK, or a shared secret (text, or bytes of an expression).
   */
  key?: string;
  /**
   * Opens an encrypted PEM key.
   */
  passphrase?: string;
  /**
   * Header parameters besides alg and typ.
   */
  header?: Record<string, unknown>;
  /**
   * Claims. iat, exp and jti are put in by themselves; null leaves one out.
   */
  claims?: Record<string, unknown>;
  /**
   * How long it holds.
   */
  lifetime?: string;
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
  token_url?: string;
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
  authorize_url?: string;
  authorize?: Authorize;
  /**
   * Proof Key for Code Exchange, S256 (RFC 7636).
   */
  pkce?: boolean;
  /**
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  /**
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  registration?: Registration;
  /**
   * The provider's own installation page: the person installs the app there, and its callback brings what is captured.
   */
  install?: Install;
  /**
   * The issuer; its metadata name the endpoints (RFC 8414; OpenID Connect Discovery 1.0), in place of authorize_url and token_url.
   */
  issuer?: string;
  /**
   * Hosts that endpoints in the metadata may name besides the issuer's own.
   *
   * @minItems 1
   */
  issuer_hosts?: [string, ...string[]];
  /**
   * Where metadata stand: openid (OpenID Connect), oauth (RFC 8414), resource (RFC 9728: the resource names its issuer).
   */
  discovery?: 'openid' | 'oauth' | 'resource';
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
  /**
   * The parameter that holds the state, in the page's query and in the callback.
   */
  state?: string;
  /**
   * The issuer that the callback must name (RFC 9207), where the provider does and no issuer is discovered.
   */
  iss?: string;
  /**
   * Values that come with the callback, from callback; checked before anything is done with them.
   */
  capture?: {
    [k: string]: CallbackCapture;
  };
}
/**
 * OAuth 2.0 resource owner password credentials (RFC 6749, 4.3). Implies client_id, client_secret, username and password.
 */
export interface AuthOauth2Password {
  /**
   * OAuth 2.0 resource owner password credentials (RFC 6749, 4.3). Implies client_id, client_secret, username and password.
   */
  type: 'oauth2_password';
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url?: string;
  /**
   * The issuer; its metadata name the endpoints (RFC 8414; OpenID Connect Discovery 1.0), in place of authorize_url and token_url.
   */
  issuer?: string;
  /**
   * Hosts that endpoints in the metadata may name besides the issuer's own.
   *
   * @minItems 1
   */
  issuer_hosts?: [string, ...string[]];
  /**
   * Where metadata stand: openid (OpenID Connect), oauth (RFC 8414), resource (RFC 9728: the resource names its issuer).
   */
  discovery?: 'openid' | 'oauth' | 'resource';
}
/**
 * OAuth 2.0 device authorization (RFC 8628). Implies client_id and client_secret.
 */
export interface AuthOauth2Device {
  /**
   * OAuth 2.0 device authorization (RFC 8628). Implies client_id and client_secret.
   */
  type: 'oauth2_device';
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  /**
   * The device authorization endpoint (RFC 8628, 3.1).
   */
  device_authorization_url?: string;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url?: string;
  /**
   * The issuer; its metadata name the endpoints (RFC 8414; OpenID Connect Discovery 1.0), in place of authorize_url and token_url.
   */
  issuer?: string;
  /**
   * Hosts that endpoints in the metadata may name besides the issuer's own.
   *
   * @minItems 1
   */
  issuer_hosts?: [string, ...string[]];
  /**
   * Where metadata stand: openid (OpenID Connect), oauth (RFC 8414), resource (RFC 9728: the resource names its issuer).
   */
  discovery?: 'openid' | 'oauth' | 'resource';
}
/**
 * OAuth 2.0 JWT bearer grant (RFC 7523, 2.1). Implies client_id.
 */
export interface AuthOauth2JwtBearer {
  /**
   * OAuth 2.0 JWT bearer grant (RFC 7523, 2.1). Implies client_id.
   */
  type: 'oauth2_jwt_bearer';
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  /**
   * The assertion. exp, iat and jti are put in; aud is the token URL unless it says another.
   */
  jwt: Jwt;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url?: string;
  /**
   * The issuer; its metadata name the endpoints (RFC 8414; OpenID Connect Discovery 1.0), in place of authorize_url and token_url.
   */
  issuer?: string;
  /**
   * Hosts that endpoints in the metadata may name besides the issuer's own.
   *
   * @minItems 1
   */
  issuer_hosts?: [string, ...string[]];
  /**
   * Where metadata stand: openid (OpenID Connect), oauth (RFC 8414), resource (RFC 9728: the resource names its issuer).
   */
  discovery?: 'openid' | 'oauth' | 'resource';
}
/**
 * OAuth 2.0 token exchange (RFC 8693). Implies subject_token, client_id and client_secret.
 */
export interface AuthOauth2TokenExchange {
  /**
   * OAuth 2.0 token exchange (RFC 8693). Implies subject_token, client_id and client_secret.
   */
  type: 'oauth2_token_exchange';
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  /**
   * What the subject token is (RFC 8693, 3).
   */
  subject_token_type?: string;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url?: string;
  /**
   * The issuer; its metadata name the endpoints (RFC 8414; OpenID Connect Discovery 1.0), in place of authorize_url and token_url.
   */
  issuer?: string;
  /**
   * Hosts that endpoints in the metadata may name besides the issuer's own.
   *
   * @minItems 1
   */
  issuer_hosts?: [string, ...string[]];
  /**
   * Where metadata stand: openid (OpenID Connect), oauth (RFC 8414), resource (RFC 9728: the resource names its issuer).
   */
  discovery?: 'openid' | 'oauth' | 'resource';
}
/**
 * OAuth 2.0 SAML 2.0 bearer grant (RFC 7522). Implies client_id.
 */
export interface AuthOauth2Saml2Bearer {
  /**
   * OAuth 2.0 SAML 2.0 bearer grant (RFC 7522). Implies client_id.
   */
  type: 'oauth2_saml2_bearer';
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
  client_auth?: 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';
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
   * The client's certificate, for every call of this method, token calls too (RFC 8705).
   */
  tls?: Tls;
  /**
   * The client's own JWT, for client_auth private_key_jwt and client_secret_jwt.
   */
  client_assertion?: ClientAssertion;
  /**
   * What ends the grant at the provider when the credential is removed (RFC 7009).
   */
  revoke?: TellCall;
  /**
   * The protected resource that tokens are for (RFC 8707).
   */
  resource?: string;
  assertion: SamlAssertion;
  /**
   * The token endpoint (RFC 6749, 3.2).
   */
  token_url?: string;
}
/**
 * The assertion that is made and signed here.
 */
export interface SamlAssertion {
  /**
   * Who asserts.
   */
  issuer: string;
  /**
   * For whom the token is.
   */
  subject: string;
  /**
   * Who reads it.
   */
  audience: string;
  /**
   * Where it is sent. Default: the token URL.
   */
  recipient?: string;
  /**
   * Format of the subject's name.
   */
  name_id_format?: string;
  /**
   * The PEM key that signs.
   */
  key: string;
  /**
   * Opens an encrypted PEM key.
   */
  passphrase?: string;
  /**
   * PEM of its certificate, to be put into the assertion.
   */
  certificate?: string;
  /**
   * Attributes of the subject.
   */
  attributes?: {
    [k: string]: string;
  };
  /**
   * How long it holds.
   */
  lifetime?: string;
  /**
   * Class of authentication, for servers that want an AuthnStatement.
   */
  authn_context?: string;
  /**
   * How the assertion is encoded: RFC 7522 has base64url, some servers take base64 alone.
   */
  encoding?: 'base64url' | 'base64';
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
  encode?: 'json' | 'form' | 'query' | 'xml' | 'text' | 'graphql';
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
  encode?: 'json' | 'form' | 'multipart' | 'query' | 'xml' | 'text' | 'graphql';
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
   * How the answer is read, outermost first; every part works as the bytes come. Left out: by content type. Null removes it.
   */
  decode?: DecodeChain | null;
  /**
   * Which records are kept, before add and remove; the others are counted as skipped.
   */
  keep?: string | null;
  /**
   * Nested maps become columns of their own. Null removes it.
   */
  flatten?: Flatten | null;
  /**
   * Columns under another name.
   */
  rename?: {[column: string]: string | null} | null;
  /**
   * Columns whose values are turned into this type; one that cannot be is a record that does not fit.
   */
  types?: {[column: string]: string | null} | null;
  /**
   * What makes a stream incremental: the column by which records are found that are new since the last read. Null removes it.
   */
  cursor?: Cursor | null;
  /**
   * Read once for each item, which is each.<name> in the request; several multiply.
   */
  each?: {[name: string]: unknown} | null;
  /**
   * Of which records of the parent: of all, or of those that changed since the last read, by the parent's own cursor.
   */
  parents?: 'all' | 'changed';
  /**
   * Instead of one request: a job is created, polled until it is done, and its result downloaded. `records`, `decode` and `paginate` are about the download. Null removes it.
   */
  job?: Job | null;
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
   * Where the answer says how many records there are in all; without it there it is an error.
   */
  total?: string;
  /**
   * Where the answer says how many pages there are in all; without it there it is an error.
   */
  total_pages?: string;
  /**
   * A flag that says whether there is more.
   */
  more?: string;
  restart?: PaginateRestart;
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
 * For a provider that gives no more than so many rows of a list: paging begins again at the first page, with the last record's key in the request.
 */
export interface PaginateRestart {
  /**
   * How many rows the provider gives; it is asked for none beyond them.
   */
  at: number;
  /**
   * Where the key is in the last record; without it there, or with more rows of one key than `at`, it is an error. The request must sort by it. Rows of equal key may come twice where the provider's filter includes the key; where it does not, the key must be unique.
   */
  from: string;
  /**
   * Where the key goes.
   */
  into: string;
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
   * Where the answer says how many records there are in all; without it there it is an error.
   */
  total?: string;
  /**
   * A flag that says whether there is more.
   */
  more?: string;
  restart?: PaginateRestart;
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
   * Where the token is; missing, null or empty on the last page. Within `${…}` a name that is missing is an error: `${default(…, null)}` allows it.
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
 * The last record's key asks for what comes after it.
 */
export interface PaginateKeyset {
  /**
   * The last record's key asks for what comes after it.
   */
  type: 'keyset';
  /**
   * Where the key is in the last record; without it there it is an error. The request must sort by it. Where the provider's filter leaves out rows of equal key, the key must be unique; where it does not, they come twice, and `stop` or `more` must tell the end.
   */
  from: string;
  /**
   * Where the key goes.
   */
  into: string;
  /**
   * A flag that says whether there is more; without one the end is an empty page.
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
   * Where the answer says how many records there are in all; without it there it is an error.
   */
  total?: string;
  /**
   * Where the answer says how many pages there are in all; without it there it is an error.
   */
  total_pages?: string;
  /**
   * Where the token, the URL or the key is.
   */
  from?: string;
  /**
   * Where the token or the key goes.
   */
  into?: string;
  /**
   * A flag that says whether there is more.
   */
  more?: string;
  /**
   * Which relation.
   */
  rel?: string;
  restart?: PaginateRestart;
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
