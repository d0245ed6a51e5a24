import { Readable } from 'node:stream';
import pRetry from 'p-retry';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { reveal } from '../core/secret.ts';
import { Answer } from './answer.ts';
import { Channels } from './channel.ts';
import { Deadlines } from './deadlines.ts';
import { ACCEPT_ENCODING, uncompress, uncompressStream } from './decode.ts';
import { type Inherited, lowerCase, mergeDraft } from './draft.ts';
import { Exchange, type Exchanged, type PreparedCall, type Sender } from './exchange.ts';
import { createHttp } from './facade.ts';
import { createHostPolicy, type HostPolicy } from './hosts.ts';
import { judge } from './judge.ts';
import { joinedBody, pagedOf } from './page.ts';
import { parseProxy } from './proxy.ts';
import { createRateLimiter, type RateLimiter } from './rate-limit.ts';
import { mayRetry, Retryable, retryPolicy, waitBeforeRetry } from './retry.ts';
import { Runs } from './run.ts';
import { createShown, type Shown } from './trace.ts';
import { createTransport, type Transport, type WireResponse } from './transport.ts';
import type {
  CallDraft,
  CallOptions,
  CallResult,
  Client,
  ClientEvent,
  ClientOptions,
  ErrorRules,
  Http,
  PagedResponse,
  Preview,
  RetryPolicy,
  StreamedResponse,
  Timeouts,
} from './types.ts';
import { askedWait } from './wait.ts';

const TIMEOUTS: Timeouts = { connect: 10_000, response: 60_000, total: 600_000 };
const MAX_BYTES = 256 * 1024 * 1024;
/** Of an error's body, when the call is a stream. */
const MAX_ERROR_BYTES = 256 * 1024;
const NO_RULES: ErrorRules = { rules: [] };
const NOTHING: Inherited = { headers: {}, query: {} };

/** A whole answer, content decoding undone. */
type Whole = WireResponse & { bytes: Buffer };
type Opened = WireResponse & { body: AsyncIterable<Buffer>; cancel: () => void };
/** Whole, or begun: what is read of it, and what comes after that. */
type Paged = Whole | (Opened & { bytes?: undefined });
/** A larger answer is read as it comes. */
const WHOLE_BYTES = 4 * 1024 * 1024;

/** Bytes as the caller gives them, instead of a draft's body: for `.http` alone. */
export interface RawCallOptions extends CallOptions {
  payload?: Uint8Array;
}

/**
 * The client of one connection: host policy, credential, rate limits, redirects, retries, timeouts, decoding. Everything it throws is a
 * FerruleError without a secret in it; nothing of the transport library leaves it.
 */
export const createClient = (options: ClientOptions): Client => new HttpClient(options);

class HttpClient implements Client {
  readonly http: Http;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #emit: ((event: ClientEvent) => void) | undefined;
  readonly #policy: HostPolicy;
  readonly #shown: Shown;
  readonly #limiter: RateLimiter;
  readonly #exchange: Exchange;
  readonly #runs: Runs;
  readonly #transport: Transport;
  readonly #deadlines = new Deadlines();
  readonly #channels = new Channels(() => ({ memory: {}, agents: this.#transport.agents() }));
  readonly #retry: RetryPolicy;
  readonly #timeout: Timeouts;
  readonly #maxBytes: number;
  readonly #inherited: Inherited;
  readonly #ofNetwork: Inherited;
  readonly #whole: Sender<Whole>;
  readonly #opened: Sender<Opened>;

  constructor(options: ClientOptions) {
    const { network = {}, redactor, auth, onEvent } = options;
    if (network.key !== undefined) redactor.add(network.key);
    if (network.passphrase !== undefined) redactor.add(network.passphrase);
    if (network.proxy !== undefined) redactor.add(decodeURIComponent(parseProxy(network.proxy).url.password));
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#emit = onEvent;
    this.#policy = hostPolicyOf(options);
    this.#transport = createTransport(network, this.#deadlines);
    this.#shown = createShown(redactor, options.secretAnswers);
    this.#runs = new Runs(this.#clock, this.#deadlines);
    this.#retry = retryPolicy(options.retry);
    this.#timeout = timeouts(TIMEOUTS, options.timeout);
    this.#maxBytes = options.maxResponseBytes ?? MAX_BYTES;
    this.#limiter =
      options.limiter ?? createRateLimiter({ limits: options.limits ?? [], clock: this.#clock, longest: this.#retry.longest });
    this.#ofNetwork = { headers: lowerCase(network.headers ?? {}), query: { ...network.query } };
    this.#inherited = {
      headers: { ...this.#ofNetwork.headers, ...lowerCase(options.headers ?? {}) },
      query: { ...this.#ofNetwork.query, ...options.query },
    };
    this.#exchange = new Exchange({
      policy: this.#policy,
      channels: this.#channels,
      limiter: this.#limiter,
      shown: this.#shown,
      redactor,
      clock: this.#clock,
      random: this.#random,
      auth,
      onEvent,
      eventDetails: options.eventDetails ?? true,
      maxBytes: this.#maxBytes,
      maxRedirects: options.maxRedirects ?? 5,
    });
    this.#whole = { send: this.#transport.fetch, discard: () => {}, bytesOf: ({ bytes }) => bytes };
    this.#opened = { send: this.#transport.open, discard: discardStream, bytesOf: () => undefined };
    this.http = createHttp({ raw: (draft, more) => this.#raw(draft, more), stream: (draft, more) => this.stream(draft, more) });
  }

  async call(draft: CallDraft, options: CallOptions = {}): Promise<CallResult> {
    const answer = await this.#raw(draft, options);
    return answer.withBody(answer.decode(options.decode ?? 'json'));
  }

  async preview(draft: CallDraft, options: RawCallOptions = {}): Promise<Preview> {
    const call = this.#prepare(draft, options);
    try {
      const { draft: sent, target, encoded, signature, wire, limits } = await this.#exchange.preview(call);
      const { url, headers, body } = this.#shown;
      return {
        draft: sent,
        url: url(encoded.href, call.bare),
        wire: wire.origin,
        mapped: wire !== target,
        headers: headers(encoded.headers, sent),
        body: body(encoded.body),
        bytes: Buffer.byteLength(encoded.body ?? ''),
        signature: signature && {
          headers: Object.keys(signature.headers ?? {}),
          inQuery: signature.href !== undefined,
          about: signature.about,
        },
        limits,
        retry: call.retry,
        timeout: call.run.timeout,
      };
    } finally {
      call.run.end();
    }
  }

  async stream(draft: CallDraft, options: RawCallOptions = {}): Promise<StreamedResponse> {
    const call = this.#prepare(draft, { decode: 'bytes', ...options });
    try {
      return await this.#attempts(call, () => this.#streamOnce(call));
    } catch (error) {
      call.run.end();
      throw error;
    }
  }

  async page(
    draft: CallDraft,
    { wholeBytes = WHOLE_BYTES, ...options }: RawCallOptions & { wholeBytes?: number } = {},
  ): Promise<PagedResponse> {
    const call = this.#prepare(draft, options);
    const sender = this.#pagedUpTo(wholeBytes);
    let streams = false;
    try {
      const page = await this.#attempts(call, () => this.#pageOnce(call, sender));
      streams = page.stream !== undefined;
      return page;
    } finally {
      if (!streams) call.run.end();
    }
  }

  /** Reads the body until it is over, or too large to be kept whole. */
  #pagedUpTo(wholeBytes: number): Sender<Paged> {
    return {
      send: async (request, limits) => {
        const { status, headers, bytes: begun, rest } = await this.#transport.begin(request, limits, wholeBytes);
        if (rest !== undefined) return { status, headers, body: joinedBody(begun, rest.body), cancel: rest.cancel };
        const encoding = headers['content-encoding']?.toString();
        const bytes = encoding === undefined ? begun : await uncompress(begun, encoding, this.#maxBytes, request.where);
        return { status, headers, bytes };
      },
      discard: (answer) => {
        if (answer.bytes === undefined) answer.cancel();
      },
      bytesOf: ({ bytes }) => bytes,
    };
  }

  async #pageOnce(call: PreparedCall, sender: Sender<Paged>): Promise<PagedResponse> {
    for (;;) {
      const exchanged = await this.#exchange.run(call, sender);
      const { answer: got } = exchanged;
      if (got.bytes === undefined && isGood(got.status)) return this.#largePage(call, exchanged, got);
      const bytes = got.bytes ?? (await collect(got, MAX_ERROR_BYTES));
      const answer = this.#answer(call, exchanged, { ...got, bytes });
      exchanged.release();
      const outcome = isPlain(answer, call.rules) ? 'good' : await this.#settle(call, exchanged, answer);
      if (outcome === 'again') continue;
      if (outcome === 'empty') answer.empty = true;
      return pagedOf(answer);
    }
  }

  #largePage(call: PreparedCall, exchanged: Exchanged<Paged>, opened: Opened): PagedResponse {
    const head = this.#answer(call, exchanged, { ...opened, bytes: Buffer.alloc(0) });
    return { ...pagedOf(head), bytes: undefined, stream: this.#bodyOf(call, exchanged, opened) };
  }

  /** A good answer's body as it comes; with its end the call ends. */
  #bodyOf({ run }: PreparedCall, { headers, where, release }: Exchanged<unknown>, opened: Opened): Readable {
    run.headIsThere();
    const body = uncompressStream(Readable.from(opened.body, { objectMode: false }), headers['content-encoding'], where);
    return body.once('close', () => {
      // A generator that nobody began to read does not end what it reads.
      if (!body.readableEnded) opened.cancel();
      release();
      run.end();
    });
  }

  async close(): Promise<void> {
    this.#runs.close();
    this.#channels.close();
    this.#transport.close();
    this.#deadlines.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #raw(draft: CallDraft, options: RawCallOptions): Promise<Answer> {
    const call = this.#prepare(draft, options);
    try {
      return await this.#attempts(call, () => this.#once(call));
    } finally {
      call.run.end();
    }
  }

  #prepare(own: CallDraft, options: RawCallOptions): PreparedCall {
    const { bare = false, inherit = true, decode = 'json', signal, name, payload, sign, redraft } = options;
    const url = this.#policy.resolve(reveal(own.url));
    const accept = decode === 'json' || decode === 'auto' ? 'application/json' : '*/*';
    const below = bare ? NOTHING : inherit ? this.#inherited : this.#ofNetwork;
    const call: PreparedCall = {
      own,
      url,
      bare,
      payload,
      sign,
      merged: mergeDraft(own, url, below),
      redraft:
        redraft &&
        (async () => {
          call.own = await redraft();
          call.url = this.#policy.resolve(reveal(call.own.url));
          call.merged = mergeDraft(call.own, call.url, below);
        }),
      defaults: { accept, 'accept-encoding': ACCEPT_ENCODING, 'user-agent': this.#options.network?.userAgent ?? 'ferrule' },
      retry: options.retry ? retryPolicy(this.#retry, options.retry) : this.#retry,
      // The API's rules say nothing about another host's answers.
      rules: options.errors ?? (bare ? undefined : this.#options.errors) ?? NO_RULES,
      run: this.#runs.begin({
        name,
        signal,
        timeout: options.timeout === undefined ? this.#timeout : timeouts(this.#timeout, options.timeout),
        host: url.host,
        where: () => this.#shown.where(own.method, url),
      }),
    };
    return call;
  }

  /** One attempt, and one more when the credential was renewed in between. */
  async #once(call: PreparedCall): Promise<Answer> {
    for (;;) {
      const exchanged = await this.#exchange.run(call, this.#whole);
      const answer = this.#answer(call, exchanged, exchanged.answer);
      exchanged.release();
      if (isPlain(answer, call.rules)) return answer;
      const outcome = await this.#settle(call, exchanged, answer);
      if (outcome === 'again') continue;
      if (outcome === 'empty') answer.empty = true;
      return answer;
    }
  }

  async #streamOnce(call: PreparedCall): Promise<StreamedResponse> {
    const { run, bare } = call;
    for (;;) {
      const exchanged = await this.#exchange.run(call, this.#opened);
      const { answer, headers, href, where } = exchanged;
      const encoding = headers['content-encoding'];
      const result = { status: answer.status, headers, url: this.#shown.url(href, bare) };
      if (isGood(answer.status)) return { ...result, body: this.#bodyOf(call, exchanged, answer) };
      const bytes = await uncompress(await collect(answer, MAX_ERROR_BYTES), encoding, MAX_ERROR_BYTES, where);
      exchanged.release();
      const outcome = await this.#settle(call, exchanged, this.#answer(call, exchanged, { ...answer, bytes }));
      if (outcome === 'again') continue;
      run.end();
      return { ...result, body: Readable.from([], { objectMode: false }) };
    }
  }

  #answer({ run, bare }: PreparedCall, { headers, href, where }: Exchanged<unknown>, whole: Whole): Answer {
    const bigIntegers = this.#options.bigIntegers ?? 'number';
    return new Answer(whole, { headers, href, bare, where, attempts: run.sent, shown: this.#shown, bigIntegers });
  }

  /** What an answer leads to: `good`; `empty`; `again`, for the credential was renewed; else it throws. */
  async #settle(call: PreparedCall, exchanged: Exchanged<unknown>, answer: Answer): Promise<'good' | 'empty' | 'again'> {
    const { run, own, bare, retry, rules } = call;
    const { auth, limits = [] } = this.#options;
    const now = this.#clock.now();
    const asked = isGood(answer.status) ? undefined : askedWait(exchanged.headers, limits, now);
    const verdict = judge(answer.leniently(), rules, {
      where: exchanged.where(),
      asked,
      excerpt: this.#shown.excerpt,
      errorCode: this.#shown.errorCode,
    });
    if (!verdict) return 'good';
    if (verdict.outcome === 'empty') return 'empty';
    if (verdict.outcome === 'renew' && auth?.renewable && !bare && !run.renewed) {
      run.renewed = true;
      this.#emit?.({ ...run.told, type: 'renew', at: now, attempt: run.sent });
      await auth.renew(exchanged.version, run.signal, verdict.error.served);
      await call.redraft?.();
      return 'again';
    }
    if (verdict.outcome !== 'retry') throw verdict.error;
    if (verdict.kind === 'rate_limit' && asked !== undefined && !bare) this.#limiter.pauseUntil(now + asked);
    if (!mayRetry(retry, own.method, verdict.error, asked, verdict.repeatable)) throw verdict.error;
    throw new Retryable(verdict.error, asked);
  }

  /** The first attempt, which mostly is the last, goes without the machinery of the others. */
  async #attempts<T>(call: PreparedCall, once: () => Promise<T>): Promise<T> {
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof Retryable)) throw error;
      return await this.#again(call, error, once);
    }
  }

  /** Attempts until one gives a result. All timing is ours, by the injected clock: p-retry's own is nil. */
  async #again<T>({ run, retry, bare }: PreparedCall, first: Retryable, attempt: () => Promise<T>): Promise<T> {
    try {
      return await pRetry((number) => (number === 1 ? Promise.reject(first) : attempt()), {
        retries: retry.max_retries,
        minTimeout: 0,
        factor: 1,
        onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
          if (!(error instanceof Retryable) || retriesLeft === 0) throw error;
          const wait = waitBeforeRetry(retry, attemptNumber, error.asked, run.left(), this.#random);
          if (wait === undefined) throw error;
          // All callers of the credential wait, also where the server did not say how long.
          if (error.failure.kind === 'rate_limit' && !bare) this.#limiter.pauseUntil(this.#clock.now() + wait);
          this.#emit?.({ ...run.told, type: 'retry', at: this.#clock.now(), attempt: run.sent, wait, reason: error.failure.message });
          await this.#clock.sleep(wait, run.signal);
        },
      });
    } catch (error) {
      throw error instanceof Retryable ? error.failure : error;
    }
  }
}

const isGood = (status: number) => status >= 200 && status < 300;

/** A good status that no rule names is a good answer: its body need not be looked at for that. */
const isPlain = ({ status }: Answer, { rules }: ErrorRules): boolean =>
  isGood(status) && rules.every((rule) => rule.status !== undefined && !rule.status.includes(status));

function hostPolicyOf({ baseUrl, credentialHosts, network }: ClientOptions): HostPolicy {
  return createHostPolicy({
    baseUrl,
    ...(credentialHosts && { credentialHosts }),
    ...(network?.allowHttpLoopback && { allowHttpLoopback: true }),
    ...(network?.addressMap && { addressMap: network.addressMap }),
  });
}

function timeouts(defaults: Timeouts, layer: CallOptions['timeout']): Timeouts {
  if (layer === undefined) return defaults;
  if (typeof layer === 'number') return { ...defaults, total: layer };
  return { ...defaults, ...Object.fromEntries(Object.entries(layer).filter(([, ms]) => ms !== undefined)) };
}

async function discardStream(answer: Opened, keep: boolean): Promise<void> {
  if (!keep) return answer.cancel();
  await collect(answer, MAX_ERROR_BYTES);
}

/** What is beyond `most` is not read. */
async function collect(answer: Opened, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}
