import type { Clock, Random } from '../core/clock.ts';
import { type FerruleError, isFerruleError } from '../core/errors.ts';
import type { Redactor } from '../core/redact.ts';
import type { Secret } from '../core/secret.ts';
import type { RequestDraft } from '../core/value.ts';
import { type EncodedRequest, eachSecret, encodeRequest, ownOnTop } from './draft.ts';
import type { HostPolicy } from './hosts.ts';
import type { RateLimiter } from './rate-limit.ts';
import { followRedirect, isRedirect, tooManyRedirects } from './redirect.ts';
import type { Run } from './run.ts';
import type { Shown } from './trace.ts';
import type { WireLimits, WireRequest, WireResponse } from './transport.ts';
import type { Authenticator, CallDraft, ClientEvent } from './types.ts';

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
  /** The longest wait for a turn under the rate limits, ms. */
  longest: number;
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
}

export interface ExchangeEnv {
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
}

/** What differs between a whole answer and a stream. */
export interface Sender<T extends WireResponse> {
  send(request: WireRequest, limits: WireLimits): Promise<T>;
  /** For an answer that nobody reads. */
  discard(answer: T): void;
  bytesOf(answer: T): Uint8Array | undefined;
  /** Hears of what went wrong on the wire (not of refusals before it), and may make another error of it. */
  onFailure(failure: FerruleError): Error;
}

/** One attempt: host policy, turn, credential, bytes, redirects. */
export function createExchange(env: ExchangeEnv) {
  const { policy, limiter, shown, clock, auth } = env;
  const known = new WeakSet<Secret>();
  const learn = (secret: Secret) => {
    if (known.has(secret)) return;
    known.add(secret);
    env.redactor.add(secret);
  };

  const withCredential = async (call: PreparedCall, draft: RequestDraft, url: URL, hop: number) => {
    if (call.bare || !auth) return { draft, version: undefined };
    const { run } = call;
    let uuid: string | undefined;
    const attempt = {
      number: run.sent,
      url,
      now: clock.now(),
      get uuid() {
        uuid ??= env.random.uuid();
        return uuid;
      },
      get signal() {
        return run.signal;
      },
    };
    const applied = await run.race(auth.apply(draft, attempt));
    return { draft: ownOnTop(applied.draft, call.own, hop === 0), version: applied.version };
  };

  const encode = (call: PreparedCall, draft: RequestDraft, url: URL): EncodedRequest => {
    // Its text must be known before the first byte of it leaves, so that nothing which comes back can show it.
    eachSecret(draft, learn);
    const payload = draft.method === call.own.method ? call.payload : undefined;
    return encodeRequest(draft, url, payload, call.defaults, env.random);
  };

  const sendOnce = async <T extends WireResponse>(
    call: PreparedCall,
    draft: RequestDraft,
    target: URL,
    encoded: EncodedRequest,
    sender: Sender<T>,
    where: () => string,
  ) => {
    const { run } = call;
    const { method } = draft;
    const to = policy.onTheWire(target);
    const mapped = to !== target;
    const headers = mapped ? { ...encoded.headers, host: target.host } : encoded.headers;
    const shownUrl = env.onEvent ? shown.url(encoded.href, call.bare) : '';
    const base = { call: run.id, ...(run.name !== undefined && { name: run.name }), attempt: run.sent, method, url: shownUrl };
    const started = clock.now();
    if (env.onEvent) {
      const body = shown.body(encoded.body);
      env.onEvent({ ...base, type: 'request', at: started, headers: shown.headers(headers, draft), ...(body !== undefined && { body }) });
    }
    const request: WireRequest = {
      method,
      to,
      href: mapped ? to.origin + encoded.href.slice(target.origin.length) : encoded.href,
      headers,
      where,
      mapped,
      ...(encoded.body !== undefined && { body: encoded.body }),
    };
    try {
      const answer = await sender.send(request, { timeout: run.timeout, maxBytes: env.maxBytes, stop: run.attempt() });
      if (env.onEvent) {
        const bytes = sender.bytesOf(answer);
        const body = shown.body(bytes);
        const at = clock.now();
        const seen = { status: answer.status, headers: shown.headers(answer.headers), bytes: bytes?.length ?? 0, duration: at - started };
        env.onEvent({ ...base, type: 'response', at, ...seen, ...(body !== undefined && { body }) });
      }
      return answer;
    } catch (error) {
      if (!isFerruleError(error)) throw error;
      const at = clock.now();
      env.onEvent?.({ ...base, type: 'failure', at, code: error.code, message: error.message, duration: at - started });
      throw run.reason ? error : sender.onFailure(error);
    }
  };

  return async function exchange<T extends WireResponse>(call: PreparedCall, sender: Sender<T>): Promise<Exchanged<T>> {
    const { run, bare } = call;
    let { url, merged: draft } = call;
    for (let hop = 0; ; hop++) {
      policy.check(url, !bare);
      const path = limitedPath(url, policy.base);
      if (!bare && !limiter.tryAcquire(path)) await takeTurn(env, call, path);
      run.sent++;
      const applied = await withCredential(call, draft, url, hop);
      const target = applied.draft.url === draft.url ? url : policy.resolve(revealUrl(applied.draft));
      if (target !== url) policy.check(target, !bare);
      const encoded = encode(call, applied.draft, target);
      const { method } = draft;
      const where = () => shown.where(method, target);
      const answer = await sendOnce(call, applied.draft, target, encoded, sender, where);
      const headers = flatten(answer.headers);
      if (!bare) limiter.observe(path, headers);
      const location = headers.location;
      if (!isRedirect(answer.status, location)) return { answer, headers, href: encoded.href, where, version: applied.version };
      sender.discard(answer);
      if (hop >= env.maxRedirects) throw tooManyRedirects(target, env.maxRedirects);
      const next = followRedirect(target, draft, answer.status, location, policy, !bare);
      env.onEvent?.({
        type: 'redirect',
        call: run.id,
        at: clock.now(),
        attempt: run.sent,
        status: answer.status,
        from: shown.url(encoded.href, bare),
        to: shown.url(next.url.href, bare),
      });
      ({ url, draft } = next);
    }
  };
}

const revealUrl = ({ url }: RequestDraft) => (typeof url === 'string' ? url : url.reveal());

function takeTurn({ limiter, onEvent, clock }: ExchangeEnv, { run, longest }: PreparedCall, path: string): Promise<void> {
  return limiter.acquire(path, {
    signal: run.signal,
    longest: Math.min(longest, run.left()),
    onWait: (wait, reason) => onEvent?.({ type: 'wait', call: run.id, at: clock.now(), wait, reason }),
  });
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
