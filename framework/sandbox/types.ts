import type { Clock } from '../core/clock.ts';

export interface SandboxOptions {
  /** For `inputs`, `expected` and a page that several methods share; left out: the first method, default choices. The server serves all methods and choices at once. */
  method?: string;
  choices?: Record<string, string>;
  /** 0 (the default): any free one. */
  port?: number;
  /** Records of each stream in all, over all parents. As a map: by stream, `*` for the rest. Default 250. */
  records?: number | Record<string, number>;
  /** Records of a stream that has child streams and is not named in `records`: a full read asks once for each. Default: `records`, at most 12. */
  parents?: number;
  /** The same seed gives the same records and the same credential. Default: the spec's name. */
  seed?: string;
  clock?: Clock;
  /** Seconds that an access token lives. Default 3600. */
  tokenLifetime?: number;
  /** Seconds that an authorization code lives. Default 300. */
  codeLifetime?: number;
  /** Answer 429 when the spec's rate limits are passed. The headers that tell what remains are always sent. */
  enforceLimits?: boolean;
  /** Consent without a page. Each request can ask for it too, with `auto=accept` or `auto=deny`. */
  autoConsent?: boolean;
  /** Registered redirect URIs. Left out: any loopback or https address, and the out-of-band one. */
  redirectUris?: string[];
  /** Over how much time before the clock's start the records of a stream with a cursor are spread. Default 30 days, or less where the spec's `start` or `oldest` is nearer. Milliseconds. */
  span?: number;
  jobs?: JobOptions;
  /** Values in place of generated ones: a site, a user name, a start date. */
  fields?: Record<string, string>;
  faults?: Fault[];
}

/** How long a job takes. */
export interface JobOptions {
  /** Polls that find it still running. Default 2. */
  polls?: number;
  /** Milliseconds, by the sandbox's clock, before which it is not done however often it is asked for. Default 0. */
  takes?: number;
  /** Seconds that the address of a result is good for. Default 600. */
  urlLifetime?: number;
}

/** A right credential, as a person would enter it. */
export interface SandboxInputs {
  method: string;
  choices: Record<string, string>;
  fields: Record<string, string>;
}

export interface RecordedRequest {
  method: string;
  /** The spec's origin that the Host header names; the sandbox's own when it names none of them. */
  origin: string;
  host: string;
  /** As sent, percent-encoded, without the query. */
  path: string;
  /** Decoded, in order. */
  query: [string, string][];
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string;
  /** What was answered; 0 when the connection was cut before the head. */
  status: number;
  /** The stream that answered. */
  stream?: string;
}

export type FaultKind =
  | 'rate_limit'
  | 'server_error'
  | 'expire_tokens'
  | 'cut_before_head'
  | 'cut_in_body'
  | 'html'
  | 'slow'
  | 'repeat_page'
  /** A job of the stream fails, or ends with nothing to download. */
  | 'job_failed'
  | 'job_none';

/** Something that goes wrong on request. The first that fits is used, until its `times` are over. */
export interface Fault {
  kind: FaultKind;
  /** How often. Default 1. */
  times?: number;
  /** So many fitting requests pass first. */
  after?: number;
  /** Only requests whose path contains it. */
  path?: string;
  /** Only requests that this stream answers. */
  stream?: string;
  /** Default api. */
  where?: 'api' | 'token';
  /** server_error: default 503. html: default 200. */
  status?: number;
  /** rate_limit: how the wait is told: Retry-After in seconds or as a date, the spec's own reset header, or not at all. Default seconds. */
  header?: 'seconds' | 'http_date' | 'reset' | 'none';
  /** rate_limit: seconds to wait, default 1. slow: milliseconds, default 1000. */
  wait?: number;
}

export interface Sandbox {
  /** Whose provider it stands in for. */
  connector: string;
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** Every origin of the spec that a credential can reach → the sandbox's own. */
  addresses: Record<string, string>;
  inputs: SandboxInputs;
  inputsFor(method?: string, choices?: Record<string, string>): SandboxInputs;
  /** Records that a full read of each stream must give, as the data are now. */
  readonly expected: Record<string, number>;
  expectedFor(method?: string, choices?: Record<string, string>): Record<string, number>;
  /** Changes data between two reads; says which records, by their keys. */
  change(change: Change): Changed;
  /** Every job so far, in order. */
  readonly jobs: readonly SandboxJob[];
  requests: readonly RecordedRequest[];
  faults: { add(...faults: Fault[]): void; clear(): void; list(): Fault[] };
  /** An access token, a refresh token (its whole grant), or a key, password or client secret: refused from now on. False when none is known. */
  revoke(tokenOrKey: string): boolean;
  /** Every access token issued so far has expired. */
  expire(): void;
  /** Live ones. */
  tokens: { readonly access: string[]; readonly refresh: string[] };
  close(): Promise<void>;
}

/** What a caller changes in a stream. */
export interface Change {
  stream: string;
  /** So many records get another value in some column, and the cursor's value of now. Where the cursor is part of the key, the newest ones are restated under the key they have. */
  update?: number;
  insert?: number;
  delete?: number;
  /** When it happens: epoch milliseconds or RFC 3339. Default: the sandbox's clock. */
  at?: number | string;
}

/** A record's primary key, under the names that the spec gives. Whole numbers beyond 2^53 are text. */
export type Key = Record<string, string | number | boolean | null>;

export interface Changed {
  updated: Key[];
  inserted: Key[];
  deleted: Key[];
}

export interface SandboxJob {
  stream: string;
  /** What its create call captured: the names of `job`. */
  captured: Record<string, string>;
  state: 'running' | 'done' | 'failed' | 'none' | 'cancelled';
  polls: number;
  downloads: number;
  /** The clean-up call came. */
  cleanedUp: boolean;
}
