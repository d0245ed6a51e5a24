import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock, Random } from '../core/clock.ts';
import type { ErrorKind } from '../core/errors.ts';
import type { Redactor } from '../core/redact.ts';
import type { Secret, Text } from '../core/secret.ts';
import type { Answered, Signature, SignatureAbout, Unsigned } from '../core/signing.ts';
import type { Encode, Json, Method, RequestDraft, Response, Value } from '../core/value.ts';

export type { SignatureAbout } from '../core/signing.ts';

import type { LimitState, RateLimiter } from './rate-limit.ts';

// ── what auth gives ──────────────────────────────────────────────────────────────────────────────────────────────

/** One sending of one request: what a signer may depend on. A retry and each hop of a redirect is a new attempt. */
export interface Attempt {
  /** 1 for the first. */
  number: number;
  /** The provider's address that the request goes to (the spec's origin, also when an address map leads elsewhere). */
  url: URL;
  /** Milliseconds since the epoch; fixed for the attempt. */
  now: number;
  uuid: string;
  signal: AbortSignal;
  /** The body's bytes as they are sent, with their content type. Auth that changes the body cannot cover it. */
  readonly body: { bytes: Uint8Array; contentType: string | undefined };
  /** What is known of the connection that it goes over, where auth is bound to one. */
  readonly connection: Record<string, Json> | undefined;
}

export interface Authenticator {
  /** False when a new try could only send the same credential (basic, api_key): a 401 then fails at once. */
  readonly renewable: boolean;
  /**
   * Puts `send` on the request. Sees the merged request: `url` absolute, `http`'s and the call's own query and headers in it. What the
   * call itself names is put on top again afterwards (http ← send ← call). `version` names the token that was used.
   * May throw a FerruleError (`reconnect_required`, `token_refused` …): it reaches the caller as it is.
   */
  apply(draft: RequestDraft, attempt: Attempt): Promise<{ draft: RequestDraft; version?: number }>;
  /**
   * Called once a call, on outcome `renew`. A version older than the current token's renews nothing: the token source decides. `served`:
   * what time it was at the server, where it said so (ms since the epoch).
   */
  renew(version: number | undefined, signal?: AbortSignal, served?: number): Promise<void>;
  /** Signs the bytes that are about to leave, after everything else is on them. */
  sign?(request: Unsigned, attempt: Attempt): Signature;
  /** What that signature covers; only who explains a request asks. */
  about?(request: Unsigned, signature: Signature, attempt: Attempt): SignatureAbout | undefined;
  /** Hears of each answer to a signed request. True: it was a challenge that can now be met, and the request is sent once more. */
  challenged?(answer: Answered, attempt: Attempt): boolean;
  /** The credential is shown to a connection, not with each request: one request at a time on each. */
  readonly connectionBound?: boolean;
}

// ── how answers are judged ───────────────────────────────────────────────────────────────────────────────────────

export type Then = 'retry' | 'renew' | 'empty' | 'fail';

/** Reads a text from an answer: a compiled path or computed path. Undefined or null when it is not there; never throws. */
export type Read = (response: Response) => Json | undefined;

/** One of `errors.rules`, compiled by the caller. All that is given must hold. First match wins; the built-in rules come after. */
export interface ErrorRule {
  status?: readonly number[];
  when?: (response: Response) => boolean;
  kind?: ErrorKind;
  /** Default by kind: transient, rate_limit → retry; auth → renew; any other → fail. */
  then?: Then;
  message?: Read;
  /** What to do next, shown with the error. */
  hint?: string;
  /** Where it is written: a path in the spec. */
  at?: string;
}

export interface ErrorRules {
  /** Where the provider's own words stand. Without it (or when it finds nothing) the usual places are looked at. */
  message?: Read;
  code?: Read;
  rules: readonly ErrorRule[];
}

/** `http.retry` with its defaults, and the seed's four per-connection options, which narrow it. */
export interface RetryPolicy {
  /** Default 5. 0: none. RetryCountMax. */
  max_retries: number;
  backoff: 'exponential' | 'linear' | 'constant';
  /** The longest single wait, ms. A longer one that the server asks for fails at once, with `retryAfter` set. */
  longest: number;
  /** Methods that may be repeated besides GET, HEAD, OPTIONS, PUT, DELETE. */
  repeat: readonly Method[];
  /** RetryMode. Default RetryAny: whatever the kinds allow. */
  mode?: 'None' | 'RetryAny' | 'RetryWhenStatusCodeMatch';
  /** RetryStatusCodeList, for RetryWhenStatusCodeMatch. */
  statuses?: readonly number[];
  /** RetryMultiplyWaitTime: false makes the wait constant. */
  multiplyWaitTime?: boolean;
}

export type ResetUnit = 'seconds' | 'epoch' | 'epoch_ms' | 'iso' | 'http_date' | 'duration';

/** One of `http.rate_limit`. All hold at once. */
export interface RateLimit {
  /** So many requests in any `per` milliseconds. */
  requests: number;
  per: number;
  scope?: 'credential' | 'ip' | 'app';
  /** Clients whose limits have the same word here count together: what the provider counts by is wider than one credential. */
  among?: string;
  /** Path pattern (`/v1/*` with * for any text); without: every request. */
  match?: string;
  /** Header that tells how many are left. */
  remaining?: string;
  /** Header that tells the limit itself. */
  limit?: string;
  reset?: { header: string; as: ResetUnit };
}

/** Milliseconds. `connect`: name, TCP, TLS and proxy; `response`: from the sent request to the head of the answer, and the longest pause within it (a stream, which no total ends, must bring 1 KiB in each such time); `total`: the call with all its retries and waits. */
export interface Timeouts {
  connect: number;
  response: number;
  total: number;
}

// ── the network that one connection lives in ─────────────────────────────────────────────────────────────────────

/** Settings of the one who runs Ferrule; never from a spec. */
export interface Network {
  /** Proxy for https, e.g. `http://user:pass@proxy.acme.com:3128`. Given as Secret when it holds a password. `networkFromEnvironment` reads HTTPS_PROXY, NO_PROXY. */
  proxy?: Text;
  /** As NO_PROXY: host names, `.domain`, `host:port`, IPs, CIDR, `*`; comma-separated. */
  noProxy?: string;
  /** Further certificate authorities (PEM), besides the usual ones. */
  ca?: string;
  /** Client certificate (PEM). */
  certificate?: string;
  key?: Text;
  /** Opens an encrypted key. */
  passphrase?: Text;
  /** Put on every call of this connection, under what the spec says. */
  headers?: Record<string, Text>;
  query?: Record<string, Text>;
  /** Default `ferrule`. */
  userAgent?: string;
  /** Setting allowPrivateAddresses / --allow-private. */
  allowPrivate?: boolean;
  /** Setting allowLoopbackAddresses / --allow-loopback. */
  allowLoopback?: boolean;
  /** Plain http to a literal loopback address (`allow_http: loopback` in the spec). */
  allowHttpLoopback?: boolean;
  /** How names become addresses; default the system's. Tests pass their own. */
  lookup?: LookupFunction;
  /**
   * The sandbox: spec origin → `http://127.0.0.1:port`. When present, any origin that is not in it is refused, so that a sandbox credential
   * never reaches a real host. The Host header stays the spec origin's.
   */
  addressMap?: ReadonlyMap<string, string>;
}

// ── the client ───────────────────────────────────────────────────────────────────────────────────────────────────

/** An exact origin (`https://api.acme.com`, port when not 443) or a pattern over the host of https URLs on port 443 (`*.acme.com`: any depth, not acme.com itself). */
export type HostRule = string;

export interface ClientOptions {
  /** A path below it, query refused. Its origin is where the credential goes. */
  baseUrl: string;
  /** Further origins that may get the credential (`http.hosts`). */
  credentialHosts?: readonly HostRule[];
  /** `http.headers` and `http.query`: under every call unless it says `inherit: false`. */
  headers?: Record<string, Text>;
  query?: Record<string, Text | Text[]>;
  /** Default number: a whole number beyond 2^53 is the error number_too_large. */
  bigIntegers?: 'number' | 'text';
  errors?: ErrorRules;
  retry?: Partial<RetryPolicy>;
  limits?: readonly RateLimit[];
  /** One limiter for several clients (scope ip or app). Default: one of its own from `limits`. */
  limiter?: RateLimiter;
  timeout?: Partial<Timeouts>;
  maxRedirects?: number;
  /** Bytes of one answer after content decoding, when it is not streamed. Default 256 MiB. */
  maxResponseBytes?: number;
  auth?: Authenticator;
  network?: Network;
  redactor: Redactor;
  /** Good answers hold tokens that nobody knows yet: no event or error shows one's values. For token calls. */
  secretAnswers?: boolean;
  clock?: Clock;
  random?: Random;
  /** Everything in an event is redacted already. */
  onEvent?: (event: ClientEvent) => void;
  /** Whether events have headers (else there are none in them) and bodies. To hide what is secret in those takes time. Default true. */
  eventDetails?: boolean;
}

/** A request as a stream or a step names it: null removes a header or a query key that `http` names. */
export interface CallDraft extends Omit<RequestDraft, 'query' | 'headers' | 'cookies' | 'encode'> {
  query?: Record<string, Text | Text[] | null>;
  headers?: Record<string, Text | null>;
  cookies?: Record<string, Text>;
  /** Default json. */
  encode?: Encode;
}

/** `auto`: by content type (JSON → parsed, else text). `json`: must be JSON. `text`, `bytes`: body is the text, or null. */
export type Decode = 'auto' | 'json' | 'text' | 'bytes';

export interface CallOptions {
  signal?: AbortSignal;
  /** The call's own limits, ms. A number is `total`. */
  timeout?: number | Partial<Timeouts>;
  /** No credential, any https host (signed download URLs, token calls): neither auth nor `http`'s headers and query are put on it. */
  bare?: boolean;
  /** False: the draft already holds what `http` names (merged when the spec was resolved); nothing is put under it. Default true. */
  inherit?: boolean;
  decode?: Decode;
  /** Instead of the client's: a call's own `errors`, which replace `http.errors`. */
  errors?: ErrorRules;
  retry?: Partial<RetryPolicy>;
  /** A name for logs and errors (`token`, a stream, a step). */
  name?: string;
  /** The call anew, after the credential was renewed: for one that carries a token itself, beside what auth sends. */
  redraft?: () => Promise<CallDraft>;
  /** Signs this call, in place of the authenticator. */
  sign?: (request: Unsigned) => Signature;
}

export interface CallResult extends Response {
  /** True when a rule said `then: empty`: the answer stands for "no records", whatever its body. Its body is null then. */
  empty: boolean;
  /** How often it was sent. */
  attempts: number;
}

/** An answer that is whole where it is small, and comes as a stream where it is large. */
export interface PagedResponse extends Omit<CallResult, 'body' | 'bytes'> {
  /** The whole body, content decoding undone. */
  bytes: Uint8Array | undefined;
  /** The whole body as JSON. Throws response_malformed or number_too_large. */
  json(): Json;
  /** Of an answer that is larger than `wholeBytes`; its errors are FerruleErrors. Rules that look into the body have not seen it. */
  stream: Readable | undefined;
}

export interface StreamedResponse {
  status: number;
  headers: Record<string, string>;
  url: string;
  /** Content decoding is done. Errors are FerruleErrors. */
  body: Readable;
}

/** A request as it would be sent now. All texts are redacted but those in `draft` and `signature.about`, whose Secrets are closed. */
export interface Preview {
  /** With the credential on it. */
  draft: RequestDraft;
  /** At the provider's address, with its query. */
  url: string;
  /** The origin that is connected to; another one where a sandbox stands in (`mapped`). */
  wire: string;
  mapped: boolean;
  headers: Record<string, string>;
  body: string | undefined;
  /** Of the body. */
  bytes: number;
  /** What a signer put on it: names of headers, or parameters of the query. */
  signature: { headers: string[]; inQuery: boolean; about: SignatureAbout | undefined } | undefined;
  /** The limits that apply to its path. */
  limits: LimitState[];
  retry: RetryPolicy;
  timeout: Timeouts;
}

export interface Client {
  /** Makes a request ready as `call` would, and sends nothing: not even for a token, unless the credential itself wants one. */
  preview(draft: CallDraft, options?: CallOptions): Promise<Preview>;
  /** Sends, retries, renews, decodes. Non-2xx answers throw a FerruleError whose kind comes from the rules. Default decode: json. */
  call(draft: CallDraft, options?: CallOptions): Promise<CallResult>;
  /** As `call`, but the body of a 2xx is not read: downloads of any size. Retried only until the answer's head is there. */
  stream(draft: CallDraft, options?: CallOptions): Promise<StreamedResponse>;
  /**
   * As `call`, but an answer of more than `wholeBytes` (4 MiB) is not read: its body comes as a stream, in constant memory. What breaks off
   * before that is retried as in `call`.
   */
  page(draft: CallDraft, options?: CallOptions & { wholeBytes?: number }): Promise<PagedResponse>;
  readonly http: Http;
  /** Aborts what is under way (error `closed`) and closes the connections. May be called twice. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

// ── got's call shape ─────────────────────────────────────────────────────────────────────────────────────────────

type Scalar = string | number | boolean | Secret;

export interface HttpOptions {
  /** A list repeats the key; null and undefined leave out. */
  searchParams?: Record<string, Scalar | readonly Scalar[] | null | undefined> | URLSearchParams | string;
  json?: Value | object;
  form?: Record<string, Scalar | readonly Scalar[] | null | undefined>;
  body?: string | Uint8Array;
  /** undefined or null removes what the spec puts there. */
  headers?: Record<string, string | number | Secret | null | undefined>;
  /** Milliseconds for the whole call, or parts. */
  timeout?: number | Partial<Timeouts> | { request?: number; connect?: number; response?: number };
  signal?: AbortSignal;
  /** What `await http.get(…)` gives as body. Default: by content type. */
  responseType?: 'json' | 'text' | 'buffer';
}

/** What `await http.get(…)` resolves to. */
export interface HttpResponse {
  status: number;
  /** got's names for the same. */
  statusCode: number;
  ok: true;
  headers: Record<string, string>;
  url: string;
  body: Json | Uint8Array;
}

export interface HttpPromise extends PromiseLike<HttpResponse> {
  catch<T = never>(onRejected?: ((reason: unknown) => T | PromiseLike<T>) | null): Promise<HttpResponse | T>;
  finally(onFinally?: (() => void) | null): Promise<HttpResponse>;
  json<T = Json>(): Promise<T>;
  text(): Promise<string>;
  buffer(): Promise<Buffer>;
}

export interface Http {
  /** `path` is under the base URL, leading slash or not; an absolute URL passes the host policy. */
  get(path: string, options?: HttpOptions): HttpPromise;
  post(path: string, options?: HttpOptions): HttpPromise;
  put(path: string, options?: HttpOptions): HttpPromise;
  patch(path: string, options?: HttpOptions): HttpPromise;
  delete(path: string, options?: HttpOptions): HttpPromise;
  head(path: string, options?: HttpOptions): HttpPromise;
  /** The body of a GET (or `method`) as a Node stream; its errors are FerruleErrors. */
  stream(path: string, options?: HttpOptions & { method?: Method }): Readable;
  /** The same client with other defaults; headers and searchParams merge. */
  extend(options: HttpOptions): Http;
}

// ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface EventBase {
  /** One number per call. */
  call: number;
  name?: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** What a logger or `--trace` sees; all texts redacted, values of secret headers and query keys masked. */
export type ClientEvent = EventBase &
  (
    | { type: 'request'; attempt: number; method: Method; url: string; headers: Record<string, string>; body?: string }
    | {
        type: 'response';
        attempt: number;
        method: Method;
        url: string;
        status: number;
        headers: Record<string, string>;
        body?: string;
        bytes: number;
        duration: number;
      }
    | { type: 'failure'; attempt: number; method: Method; url: string; code: string; message: string; duration: number }
    | { type: 'redirect'; attempt: number; status: number; from: string; to: string }
    | { type: 'renew'; attempt: number }
    | { type: 'retry'; attempt: number; wait: number; reason: string }
    | { type: 'wait'; wait: number; reason: string }
  );
