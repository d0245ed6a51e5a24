import type {
  Capture,
  Column,
  Decode as DecodePart,
  Errors,
  Expires,
  Option,
  Paginate,
  RateLimit,
  Retry,
  Source,
  Timeout,
} from './spec-types.gen.ts';
import type { Encode, Method } from './value.ts';

/**
 * A spec under one auth method and one set of choices, with everything inherited laid in: what the runtime, the
 * sandbox and the docs work on. Texts are still as written, with their `${…}`.
 */
export interface Resolved {
  name: string;
  title: string;
  method: ResolvedMethod;
  /** Chosen options: `region` → `{ id: 'eu', api: '…' }`. */
  choices: Record<string, Record<string, string>>;
  /** The connection's fields and the method's, in the order in which a person is asked. */
  fields: ResolvedField[];
  http: ResolvedHttp;
  check: ResolvedCheck | undefined;
  streams: Record<string, ResolvedStream>;
}

/** What a call takes from its answer. */
export type Captures = Pick<ResolvedCall, 'capture'>;

/** What of a resolved spec names variables. */
export interface Login {
  fields: ResolvedField[];
  method: {
    vars: Record<string, string>;
    steps: readonly ({ type: 'token' } | ({ type: 'call' | 'made' } & Captures))[];
    token?: Captures;
    refresh?: readonly Captures[];
    authorize?: Captures;
  };
}

/** The word of a field's `type` in a spec. */
export type FieldType =
  | 'text'
  | 'url'
  | 'host'
  | 'subdomain'
  | 'pem'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'choice'
  | 'list'
  | 'email';

export interface ResolvedField {
  name: string;
  title: string;
  help?: string;
  example?: string;
  type: FieldType;
  required: boolean;
  secret: boolean;
  /** Fixed text, with `${…}`: neither asked nor stored. */
  value?: string;
  default?: string | number | boolean;
  pattern?: string;
  hosts?: string[];
  aliases: string[];
  owner: 'person' | 'app';
  after?: 'auth';
  when?: string;
  options?: ResolvedOptions;
  /** Whose field it is. */
  of: 'connection' | 'method';
}

export interface ResolvedOptions {
  list?: Option[];
  call?: ResolvedCall;
  records: string;
  value: string;
  label: string;
}

export interface ResolvedHttp {
  base_url: string;
  hosts: string[];
  allow_http?: 'loopback';
  headers: Record<string, string | null>;
  query: Record<string, string | string[] | null>;
  big_integers: 'number' | 'text';
  rate_limit: RateLimit[];
  errors: Errors;
  retry: Required<Retry>;
  timeout: Required<Timeout>;
}

/**
 * A call with nothing inherited left open. Null in headers and query removes what lies under the call on the wire
 * (http ← send ← call). `url` is a path under base_url or an https URL, as text.
 */
export interface ResolvedCall {
  name?: string;
  method: Method;
  url: string;
  query: Record<string, string | string[] | null>;
  headers: Record<string, string | null>;
  cookies: Record<string, string>;
  encode: Encode;
  media_type?: string;
  /** A YAML value whose string leaves are text. */
  body?: unknown;
  capture: Record<string, Capture>;
  expires?: Expires;
  errors?: Errors;
  /** How the answer is read, where its content type does not say it. */
  decode?: Decode;
  /** What a good answer fulfils: a condition over response. */
  expect?: string;
  /** Signed as the method's signer does, with these settings over the method's own. */
  sign?: Record<string, string>;
  /** The URL is an issuer's or a resource's; its metadata stand at this well-known place (RFC 8615). */
  well_known?: WellKnown;
  /** Parameters of client authentication that the author took out: they go under other names, or not at all. */
  without?: string[];
  /** Made once for a credential, never again for a renewal. */
  once?: boolean;
}

export type Decode = 'json' | 'text' | 'xml' | 'form';
export type WellKnown = 'openid-configuration' | 'oauth-authorization-server' | 'oauth-protected-resource';

export interface ResolvedCheck extends ResolvedCall {
  expect?: string;
  otherwise?: string;
  account?: string;
}

/** How a stream's answer is read, outermost part first. Empty: by content type. */
export type DecodeChain = readonly DecodePart[];

/** `field` and `format` as in the spec. Lengths are milliseconds; with format integer, so many. */
export interface ResolvedCursor {
  field: string;
  format: string;
  record_format: string | undefined;
  time_zone: string;
  filter: 'server' | 'client';
  order: 'asc' | 'none';
  /** A range with an explicit end; without one each read has no end. */
  window: { max: number | undefined; end: 'inclusive' | 'exclusive' | undefined; step: number } | undefined;
  lookback: number;
  /** Text: a duration, a date, or what gives one. */
  start: string | undefined;
  oldest: number | undefined;
  per: 'stream' | 'partition';
}

export interface ResolvedJob {
  create: ResolvedCall;
  /** Milliseconds. */
  poll: ResolvedCall & { every: number; timeout: number };
  download: (ResolvedCall & { chain: DecodeChain }) | undefined;
  cancel: ResolvedCall | undefined;
  clean_up: ResolvedCall | undefined;
  /** Path in the poll's answer, or one ${…}. */
  status: string;
  states: { done: readonly string[]; failed: readonly string[]; running: readonly string[]; none: readonly string[] };
  message: string | undefined;
  at_once: number;
}

/** What a column's values are made, or declared to be. */
export type ColumnType = Column['type'];

/** With a job, its call is the one that creates it. */
export interface ResolvedStream extends ResolvedCall {
  name: string;
  title: string;
  help?: string;
  source: Source[];
  columns: Record<string, Column>;
  parent?: string;
  when?: string;
  records: string;
  primary_key: string[];
  add: Record<string, unknown>;
  remove: string[];
  paginate: Paginate;
  chain: DecodeChain;
  /** Condition over record. */
  keep: string | undefined;
  flatten: { separator: string; depth: number } | undefined;
  rename: Record<string, string>;
  types: Record<string, ColumnType>;
  cursor: ResolvedCursor | undefined;
  /** Name → a list, or text that gives one. */
  each: Record<string, unknown>;
  parents: 'all' | 'changed';
  job: ResolvedJob | undefined;
}

export type ClientAuth = 'post' | 'basic' | 'query' | 'none' | 'private_key_jwt' | 'client_secret_jwt';

/** `call` steps are the author's own; `token` stands for the method's token request; what is `made` needs no request. */
export type ResolvedStep = { type: 'token' } | ({ type: 'call' } & ResolvedCall) | ({ type: 'made' } & ResolvedMade);

/** A token that is signed here. Its value is token.<name>. */
export interface ResolvedMade extends Captures {
  name: string;
  /** The word in auth/made.ts. */
  make: 'jwt' | 'saml';
  settings: Record<string, unknown>;
}

export interface ResolvedRefresh extends ResolvedCall {
  rotates: boolean;
  /** The capture that it needs. */
  from: string;
}

/** Where a person consents or installs: a page, and what its callback brings. */
export interface ResolvedAuthorize extends Captures {
  url: string;
  query: Record<string, string | string[] | null>;
  /** The callback parameter that holds the code; undefined: none is wanted. */
  code: string | undefined;
  /** The parameter that holds the state, here and in the callback. */
  state: string;
  pkce: boolean;
  /** How the callback is known to be ours: it gives back the state, or this other parameter the value of an expression; `none`: the provider starts it. */
  proof: 'state' | 'none' | { parameter: string; value: string };
  /** The issuer that the callback must name (RFC 9207), as text. */
  iss?: string;
}

export interface ResolvedTls {
  certificate?: string;
  key?: string;
  passphrase?: string;
  ca?: string;
}

export interface ResolvedSend {
  headers: Record<string, string | null>;
  query: Record<string, string | string[] | null>;
  cookies: Record<string, string>;
  body?: unknown;
}

/** fields → steps → send, with the type's defaults laid in. */
export interface ResolvedMethod {
  name: string;
  type: string;
  title: string;
  help?: string;
  /** Named expressions, in order. */
  vars: Record<string, string>;
  steps: ResolvedStep[];
  send: ResolvedSend;
  /** Present when the type has a token request of its own. */
  token?: ResolvedCall;
  /** Present when the type renews with a refresh token. */
  refresh?: ResolvedRefresh[];
  client_auth: ClientAuth;
  scopes: string[] | string;
  scope_separator: string;
  /** Present when a person must consent in a browser. */
  authorize?: ResolvedAuthorize;
  /** Present when a person enters a code on another device (RFC 8628): what asks for that code. */
  device?: ResolvedCall;
  /** The client's own JWT at the token endpoint; what it leaves open is filled in. */
  client_assertion: Record<string, unknown>;
  /** The protected resource that tokens are for (RFC 8707). */
  resource?: string;
  /** Present when requests are signed one by one; settings are texts. */
  signer?: { type: string; settings: Record<string, string> };
  tls?: ResolvedTls;
  /** Calls that end the grant or the session at the provider. */
  ending: ResolvedCall[];
}
