import type { Clock, Random } from '../core/clock.ts';
import { type FerruleError, isFerruleError } from '../core/errors.ts';
import { isSensitiveName, type Redactor } from '../core/redact.ts';
import { reveal, Secret } from '../core/secret.ts';
import type { Signature, SignatureAbout, Unsigned } from '../core/signing.ts';
import type { RequestDraft } from '../core/value.ts';
import { AuthAttempt } from './attempt.ts';
import type { Channel, Channels } from './channel.ts';
import { type EncodedRequest, eachSecret, encodeRequest, ownOnTop } from './draft.ts';
import type { HostPolicy } from './hosts.ts';
import type { LimitState, RateLimiter } from './rate-limit.ts';
import { followRedirect, isRedirect, tooManyRedirects } from './redirect.ts';
import { mayRetry, Retryable } from './retry.ts';
import type { Run } from './run.ts';
import type { Shown } from './trace.ts';
import type { WireLimits, WireRequest, WireResponse } from './transport.ts';
import type { Authenticator, CallDraft, ClientEvent, ErrorRules, RetryPolicy } from './types.ts';

/** A call, ready to be sent as often as it takes. */
export interface PreparedCall {
  run: Run;
  /** As the caller named it. */
  own: CallDraft;
  /** With what `http` names. */
  merged: RequestDraft;
  url: URL;
  bare: boolean;
  payload: Uint8Array | undefined;
  defaults: Record<string, string>;
  retry: RetryPolicy;
  rules: ErrorRules;
  /** In place of the authenticator's signature. */
  sign: ((request: Unsigned) => Signature) | undefined;
  /** Makes `own`, `url` and `merged` anew, where the caller can. */
  redraft: (() => Promise<void>) | undefined;
}

export interface Exchanged<T> {
  answer: T;
  /** Lower-case names, one text each. */
  headers: Record<string, string>;
  /** As it was sent, query and all. */
  href: string;
  where: () => string;
  /** Of the token that was used. */
  version: number | undefined;
  /** Call it when the answer has been read: its connection may serve others then. */
  release: () => void;
}

export interface ExchangeEnv {
  channels: Channels;
  policy: HostPolicy;
  limiter: RateLimiter;
  shown: Shown;
  redactor: Redactor;
  clock: Clock;
  random: Random;
  auth: Authenticator | undefined;
  maxRedirects: number;
  maxBytes: number;
  onEvent: ((event: ClientEvent) => void) | undefined;
  eventDetails: boolean;
}

/** What differs between a whole answer and a stream. */
export interface Sender<T extends WireResponse> {
  send(request: WireRequest, limits: WireLimits): Promise<T>;
  /** For an answer that nobody reads. `keep`: its connection is still wanted. */
  discard(answer: T, keep: boolean): Promise<void> | void;
  bytesOf(answer: T): Uint8Array | undefined;
}

/** One attempt: host policy, turn, credential, bytes, redirects. */
export class Exchange {
  readonly #env: ExchangeEnv;

  constructor(env: ExchangeEnv) {
    this.#env = env;
  }

  async run<T extends WireResponse>(call: PreparedCall, sender: Sender<T>): Promise<Exchanged<T>> {
    const { auth, channels } = this.#env;
    if (call.bare || auth?.connectionBound !== true) return await this.#hops(call, sender, undefined);
    const channel = channels.take();
    try {
      const exchanged = await this.#hops(call, sender, channel);
      return { ...exchanged, release: () => channels.giveBack(channel) };
    } catch (error) {
      channels.drop(channel);
      throw error;
    }
  }

  async #hops<T extends WireResponse>(call: PreparedCall, sender: Sender<T>, channel: Channel | undefined): Promise<Exchanged<T>> {
    const { policy, limiter, shown, maxRedirects, auth } = this.#env;
    const { run, bare } = call;
    let { url, merged: draft } = call;
    let challenges = 0;
    for (let hop = 0; ; hop++) {
      policy.check(url, !bare);
      const path = limiter.limited ? limitedPath(url, policy.base) : url.pathname;
      if (!bare && !limiter.tryAcquire(path)) await this.#takeTurn(call, path);
      run.sent++;
      const { target, encoded, version, ...applied } = await this.#applied(call, draft, url, { hop, channel });
      const { method } = draft;
      const where = () => shown.where(method, target);
      const answer = await this.#send(call, { draft: applied.draft, target, encoded, where, channel }, sender);
      const headers = flatten(answer.headers);
      if (!bare && limiter.limited) limiter.observe(path, headers);
      if (!bare && auth?.challenged?.({ status: answer.status, headers }, applied.attempt) && challenges++ < MOST_CHALLENGES) {
        await sender.discard(answer, channel !== undefined);
        hop--;
        continue;
      }
      const location = headers.location;
      if (!isRedirect(answer.status, location)) return { answer, headers, href: encoded.href, where, version, release: () => {} };
      await sender.discard(answer, channel !== undefined);
      if (hop >= maxRedirects) throw tooManyRedirects(target, maxRedirects);
      const next = followRedirect(target, draft, answer.status, location, policy, !bare);
      this.#emitRedirect(call, answer.status, encoded.href, next.url.href);
      ({ url, draft } = next);
    }
  }

  /** What would be sent now. Nothing leaves, no turn is taken; a signer that counts its requests counts this one. */
  async preview(call: PreparedCall): Promise<Previewed> {
    const { auth, channels, limiter, policy } = this.#env;
    const { run, url, bare } = call;
    policy.check(url, !bare);
    run.sent = 1;
    const channel = !bare && auth?.connectionBound === true ? channels.take() : undefined;
    const { draft, target, encoded, signed, attempt } = await this.#applied(call, call.merged, url, { hop: 0, channel }).finally(() => {
      // What was begun on it is not finished.
      if (channel) channels.drop(channel);
    });
    const signature = signed && { ...signed.signature, about: auth?.about?.(signed.request, signed.signature, attempt) };
    const limits = bare ? [] : limiter.state(limitedPath(url, policy.base));
    return { draft, target, encoded, signature, wire: policy.onTheWire(target), limits };
  }

  #takeTurn({ run, retry }: PreparedCall, path: string): Promise<void> {
    const { limiter, onEvent, clock } = this.#env;
    return limiter.acquire(path, {
      signal: run.signal,
      longest: Math.min(retry.longest, run.left()),
      onWait: (wait, reason) => onEvent?.({ ...run.told, type: 'wait', at: clock.now(), wait, reason }),
    });
  }

  /** The credential on the draft, and the draft as bytes. */
  async #applied(call: PreparedCall, draft: RequestDraft, url: URL, { hop, channel }: Leg): Promise<Applied> {
    const { clock, random, auth, policy, redactor } = this.#env;
    const { run, own, bare, defaults } = call;
    const payload = draft.method === own.method ? call.payload : undefined;
    const attempt = new AuthAttempt({ run, payload }, draft, url, { now: clock.now(), random, connection: channel?.memory });
    let sent = draft;
    let version: number | undefined;
    if (!bare && auth) {
      const applied = await run.race(auth.apply(draft, attempt));
      sent = ownOnTop(applied.draft, own, hop === 0);
      version = applied.version;
    }
    const target = sent.url === draft.url ? url : policy.resolve(reveal(sent.url));
    if (target !== url) policy.check(target, !bare);
    // Its text must be known before the first byte of it leaves, so that nothing which comes back can show it.
    eachSecret(sent, (secret) => redactor.addPassing(secret));
    const encoded = encodeRequest(sent, target, attempt.contentOf(sent), defaults);
    return { draft: sent, version, target, attempt, ...this.#signed(call, sent, encoded, attempt) };
  }

  #signed({ bare, sign }: PreparedCall, { method }: RequestDraft, encoded: EncodedRequest, attempt: AuthAttempt): Signed {
    const { auth, redactor } = this.#env;
    if (bare || !(sign ?? auth?.sign)) return { encoded, signed: undefined };
    const { body = '' } = encoded;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const request: Unsigned = { method, href: encoded.href, headers: encoded.headers, body: bytes };
    const signature = sign ? sign(request) : auth?.sign?.(request, attempt);
    // The others are times and digests: whoever looks for a clock that is wrong must see them.
    for (const [name, value] of Object.entries(signature?.headers ?? {})) if (isSensitiveName(name)) redactor.addPassing(new Secret(value));
    const href = signature?.href ?? encoded.href;
    return {
      encoded: { ...encoded, href, headers: { ...encoded.headers, ...signature?.headers } },
      signed: signature && { request, signature },
    };
  }

  async #send<T extends WireResponse>(call: PreparedCall, hop: Hop, sender: Sender<T>): Promise<T> {
    const { policy, maxBytes, clock } = this.#env;
    const { run, retry, own } = call;
    const { target, encoded, where } = hop;
    const { method } = hop.draft;
    const to = policy.onTheWire(target);
    const mapped = to !== target;
    const headers = mapped ? { ...encoded.headers, host: target.host } : encoded.headers;
    const href = mapped ? to.origin + encoded.href.slice(target.origin.length) : encoded.href;
    const request: WireRequest = {
      method,
      to,
      href,
      headers,
      where,
      mapped,
      ...(encoded.body !== undefined && { body: encoded.body }),
      ...(hop.channel && { channel: hop.channel }),
    };
    const started = clock.now();
    this.#emitRequest(call, hop, headers);
    try {
      const answer = await sender.send(request, { timeout: run.timeout, maxBytes, stop: run.attempt() });
      this.#emitResponse(call, hop, answer, sender.bytesOf(answer), started);
      return answer;
    } catch (error) {
      if (!isFerruleError(error)) throw error;
      this.#emitFailure(call, hop, error, started);
      if (run.reason || error.kind !== 'transient' || !mayRetry(retry, own.method, error, undefined, false)) throw error;
      throw new Retryable(error);
    }
  }

  #emitRequest(call: PreparedCall, hop: Hop, headers: Record<string, string>): void {
    const { onEvent, eventDetails, shown, clock } = this.#env;
    if (!onEvent) return;
    const details = eventDetails ? detailsOf(shown.headers(headers, hop.draft), shown.body(hop.encoded.body)) : NO_DETAILS;
    onEvent({ ...this.#eventBase(call, hop), type: 'request', at: clock.now(), ...details });
  }

  #emitResponse(call: PreparedCall, hop: Hop, { status, headers }: WireResponse, bytes: Uint8Array | undefined, started: number): void {
    const { onEvent, eventDetails, shown, clock } = this.#env;
    if (!onEvent) return;
    const at = clock.now();
    const details = eventDetails ? detailsOf(shown.answerHeaders(headers, status), shown.answer(bytes, status)) : NO_DETAILS;
    const seen = { status, bytes: bytes?.length ?? 0, duration: at - started };
    onEvent({ ...this.#eventBase(call, hop), type: 'response', at, ...seen, ...details });
  }

  #emitFailure(call: PreparedCall, hop: Hop, { code, message }: FerruleError, started: number): void {
    const { onEvent, clock } = this.#env;
    const at = clock.now();
    onEvent?.({ ...this.#eventBase(call, hop), type: 'failure', at, code, message, duration: at - started });
  }

  #emitRedirect({ run, bare }: PreparedCall, status: number, from: string, to: string): void {
    const { onEvent, shown, clock } = this.#env;
    const urls = { from: shown.url(from, bare), to: shown.url(to, bare) };
    onEvent?.({ ...run.told, type: 'redirect', at: clock.now(), attempt: run.sent, status, ...urls });
  }

  #eventBase({ run, bare }: PreparedCall, hop: Hop) {
    hop.url ??= this.#env.shown.url(hop.encoded.href, bare);
    return { ...run.told, attempt: run.sent, method: hop.draft.method, url: hop.url };
  }
}

const NO_DETAILS = { headers: {} };
const detailsOf = (headers: Record<string, string>, body: string | undefined) => ({ headers, ...(body !== undefined && { body }) });

/** So often a server may ask for another proof within one attempt: for the first one, and for one with a fresh nonce. */
const MOST_CHALLENGES = 2;

interface Signed {
  encoded: EncodedRequest;
  /** What was signed, and with what. */
  signed: { request: Unsigned; signature: Signature } | undefined;
}

/** A request that was made ready and not sent; secrets are open in `encoded`. */
export interface Previewed {
  draft: RequestDraft;
  target: URL;
  wire: URL;
  encoded: EncodedRequest;
  signature: (Signature & { about: SignatureAbout | undefined }) | undefined;
  limits: LimitState[];
}

interface Applied extends Signed {
  draft: RequestDraft;
  version: number | undefined;
  target: URL;
  attempt: AuthAttempt;
}

interface Leg {
  /** How many redirects lie behind. */
  hop: number;
  channel: Channel | undefined;
}

/** One request of an attempt. */
interface Hop {
  draft: RequestDraft;
  target: URL;
  encoded: EncodedRequest;
  where: () => string;
  channel: Channel | undefined;
  /** As events show it; the redactor knows what is in it before the first one. */
  url?: string;
}

/** A limit's pattern is written as the spec's paths are: under the base URL. */
function limitedPath(url: URL, base: URL): string {
  const root = base.pathname.replace(/\/+$/, '');
  return url.origin === base.origin && url.pathname.startsWith(`${root}/`) ? url.pathname.slice(root.length) : url.pathname;
}

function flatten(headers: WireResponse['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined) result[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return result;
}
