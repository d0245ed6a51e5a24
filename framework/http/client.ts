import { Readable } from 'node:stream';
import pRetry from 'p-retry';
import { systemClock, systemRandom } from '../core/clock.ts';
import { reveal } from '../core/secret.ts';
import type { Json, Response } from '../core/value.ts';
import { Deadlines } from './deadlines.ts';
import { ACCEPT_ENCODING, decodeBody, decodeLeniently, uncompress, uncompressStream } from './decode.ts';
import { lowerCase, mergeDraft } from './draft.ts';
import { createExchange, type Exchanged, type PreparedCall, type Sender } from './exchange.ts';
import { createHttp } from './facade.ts';
import { createHostPolicy } from './hosts.ts';
import { judge } from './judge.ts';
import { createRateLimiter } from './rate-limit.ts';
import { mayRetry, Retryable, retryPolicy, waitBeforeRetry } from './retry.ts';
import { createRuns, type Run } from './run.ts';
import { createShown } from './trace.ts';
import { createTransport, type WireResponse } from './transport.ts';
import type {
  CallDraft,
  CallOptions,
  CallResult,
  Client,
  ClientOptions,
  ErrorRules,
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

/** A whole answer, content decoding undone. */
type Whole = WireResponse & { bytes: Buffer };
type Opened = WireResponse & { body: AsyncIterable<Buffer>; cancel: () => void };

/** Bytes as the caller gives them, instead of a draft's body: for `.http` alone. */
export interface RawCallOptions extends CallOptions {
  payload?: Uint8Array;
}

/** An answer that is not decoded yet. */
export interface RawResult extends Omit<CallResult, 'body' | 'bytes'> {
  bytes: Buffer;
  decode(as: CallOptions['decode']): Json;
}

/**
 * The client of one connection: host policy, credential, rate limits, redirects, retries, timeouts, decoding. Everything it throws is a
 * FerruleError without a secret in it; nothing of the transport library leaves it.
 */
export function createClient(options: ClientOptions): Client {
  const { network = {}, redactor, auth, onEvent, clock = systemClock, random = systemRandom } = options;
  for (const secret of [network.proxy, network.key]) if (secret !== undefined) redactor.add(secret);
  const policy = createHostPolicy({
    baseUrl: options.baseUrl,
    ...(options.credentialHosts && { credentialHosts: options.credentialHosts }),
    ...(network.allowHttpLoopback && { allowHttpLoopback: true }),
    ...(network.addressMap && { addressMap: network.addressMap }),
  });
  const deadlines = new Deadlines();
  const transport = createTransport(network, deadlines);
  const shown = createShown(redactor);
  const runs = createRuns(clock, deadlines);
  const limits = options.limits ?? [];
  const basePolicy = retryPolicy(options.retry);
  const limiter = options.limiter ?? createRateLimiter({ limits, clock, longest: basePolicy.longest });
  const maxBytes = options.maxResponseBytes ?? MAX_BYTES;
  const bigIntegers = options.bigIntegers ?? 'number';
  const exchange = createExchange({
    policy,
    limiter,
    shown,
    redactor,
    clock,
    random,
    auth,
    onEvent,
    maxBytes,
    maxRedirects: options.maxRedirects ?? 5,
  });
  const inherited = {
    headers: { ...lowerCase(network.headers ?? {}), ...lowerCase(options.headers ?? {}) },
    query: { ...network.query, ...options.query },
  };
  const ofNetwork = { headers: lowerCase(network.headers ?? {}), query: { ...network.query } };
  const nothing = { headers: {}, query: {} };
  const userAgent = network.userAgent ?? 'ferrule';

  const prepare = (own: CallDraft, callOptions: RawCallOptions, longest: number): PreparedCall => {
    const url = policy.resolve(reveal(own.url));
    const where = () => shown.where(own.method, url);
    const { bare = false, inherit = true, decode = 'json', signal, name } = callOptions;
    const timeout = timeouts(options.timeout, callOptions.timeout);
    const merged = mergeDraft(own, url, bare ? nothing : inherit ? inherited : ofNetwork);
    const accept = decode === 'json' || decode === 'auto' ? 'application/json' : '*/*';
    const defaults = { accept, 'accept-encoding': ACCEPT_ENCODING, 'user-agent': userAgent };
    const run = runs.begin({ timeout, where, host: url.host, ...(signal && { signal }), ...(name !== undefined && { name }) });
    return { run, own, merged, url, bare, payload: callOptions.payload, defaults, longest };
  };

  /** Runs attempts until one gives a result; all timing is ours, by the injected clock. The first, which mostly is the last, goes without the machinery. */
  const retrying = async <T>({ run }: PreparedCall, retry: RetryPolicy, attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Retryable)) throw error;
      return again(run, retry, error, attempt);
    }
  };

  const again = async <T>(run: Run, retry: RetryPolicy, first: Retryable, attempt: () => Promise<T>): Promise<T> => {
    try {
      return await pRetry((number) => (number === 1 ? Promise.reject(first) : attempt()), {
        retries: retry.max_retries,
        minTimeout: 0,
        factor: 1,
        async onFailedAttempt({ error, attemptNumber, retriesLeft }) {
          if (!(error instanceof Retryable) || retriesLeft === 0) throw error;
          const wait = waitBeforeRetry(retry, attemptNumber, error.asked, run.left(), random);
          if (wait === undefined) throw error;
          onEvent?.({ type: 'retry', call: run.id, at: clock.now(), attempt: run.sent, wait, reason: error.failure.message });
          await clock.sleep(wait, run.signal);
        },
      });
    } catch (error) {
      throw error instanceof Retryable ? error.failure : error;
    }
  };

  /** Undefined: good. `again`: the credential was renewed. Else it throws. */
  const settle = async (call: PreparedCall, exchanged: Exchanged<unknown>, response: Response, rules: ErrorRules, retry: RetryPolicy) => {
    const { run, own, bare } = call;
    const asked = askedWait(exchanged.headers, limits, clock.now());
    const verdict = judge(response, rules, {
      where: exchanged.where(),
      asked: response.status >= 400 ? asked : undefined,
      excerpt: shown.excerpt,
    });
    if (!verdict) return undefined;
    if (verdict.outcome === 'empty') return 'empty';
    if (verdict.outcome === 'renew' && auth?.renewable && !bare && !run.renewed) {
      run.renewed = true;
      onEvent?.({ type: 'renew', call: run.id, at: clock.now(), attempt: run.sent });
      await auth.renew(exchanged.version, run.signal);
      return 'again';
    }
    if (verdict.outcome !== 'retry') throw verdict.error;
    if (verdict.kind === 'rate_limit' && asked !== undefined && !bare) limiter.pauseUntil(clock.now() + asked);
    if (!mayRetry(retry, own.method, verdict.error, asked, verdict.repeatable)) throw verdict.error;
    throw new Retryable(verdict.error, asked);
  };

  const sender = <T extends WireResponse>(own: CallDraft, retry: RetryPolicy, parts: Omit<Sender<T>, 'onFailure'>): Sender<T> => ({
    ...parts,
    onFailure: (failure) =>
      failure.kind === 'transient' && mayRetry(retry, own.method, failure, undefined, false) ? new Retryable(failure) : failure,
  });

  const raw = async (own: CallDraft, callOptions: RawCallOptions = {}): Promise<RawResult> => {
    const retry = callOptions.retry ? retryPolicy(basePolicy, callOptions.retry) : basePolicy;
    const rules = callOptions.errors ?? (callOptions.bare ? undefined : options.errors) ?? NO_RULES;
    const call = prepare(own, callOptions, retry.longest);
    const whole = sender<Whole>(own, retry, {
      async send(request, wireLimits) {
        const answer = await transport.fetch(request, wireLimits);
        const encoding = answer.headers['content-encoding'];
        return encoding === undefined
          ? answer
          : { ...answer, bytes: await uncompress(answer.bytes, String(encoding), maxBytes, request.where) };
      },
      discard: () => {},
      bytesOf: (answer) => answer.bytes,
    });
    try {
      return await retrying(call, retry, async () => {
        for (;;) {
          const exchanged = await exchange(call, whole);
          const result = rawResult(exchanged, call);
          const { status } = exchanged.answer;
          // Without rules a good status is a good answer: its body need not be looked at here.
          if (status >= 200 && status < 300 && rules.rules.length === 0) return result;
          const outcome = await settle(call, exchanged, lenient(result), rules, retry);
          if (outcome === 'again') continue;
          return outcome === 'empty' ? { ...result, empty: true, decode: () => null } : result;
        }
      });
    } finally {
      call.run.end();
    }
  };

  const rawResult = ({ answer, headers, href, where }: Exchanged<Whole>, { run, bare }: PreparedCall): RawResult => ({
    status: answer.status,
    headers,
    get cookies() {
      return cookiesOf(answer.headers['set-cookie']);
    },
    bytes: answer.bytes,
    get url() {
      return shown.url(href, bare);
    },
    empty: false,
    attempts: run.sent,
    decode: (as = 'json') =>
      decodeBody(answer.bytes, {
        decode: as,
        bigIntegers,
        contentType: headers['content-type'],
        status: answer.status,
        where,
        excerpt: shown.excerpt,
      }),
  });

  const lenient = (result: RawResult): Response => {
    const { status, headers, cookies, bytes, url } = result;
    return { status, headers, cookies, bytes, url, body: decodeLeniently(bytes, headers['content-type']) };
  };

  const stream = async (own: CallDraft, callOptions: RawCallOptions = {}): Promise<StreamedResponse> => {
    const retry = callOptions.retry ? retryPolicy(basePolicy, callOptions.retry) : basePolicy;
    const rules = callOptions.errors ?? (callOptions.bare ? undefined : options.errors) ?? NO_RULES;
    const call = prepare(own, { decode: 'bytes', ...callOptions }, retry.longest);
    const { run, bare } = call;
    const opened = sender<Opened>(own, retry, { send: transport.open, discard: ({ cancel }) => cancel(), bytesOf: () => undefined });
    try {
      return await retrying(call, retry, async () => {
        for (;;) {
          const exchanged = await exchange(call, opened);
          const { answer, headers, href, where } = exchanged;
          if (answer.status >= 200 && answer.status < 300) {
            run.headIsThere();
            const body = uncompressStream(Readable.from(answer.body, { objectMode: false }), headers['content-encoding'], where);
            body.once('close', () => run.end());
            return { status: answer.status, headers, url: shown.url(href, bare), body };
          }
          const bytes = await uncompress(await collect(answer, MAX_ERROR_BYTES), headers['content-encoding'], MAX_ERROR_BYTES, where);
          const whole = rawResult({ ...exchanged, answer: { ...answer, bytes } }, call);
          if ((await settle(call, exchanged, lenient(whole), rules, retry)) === 'again') continue;
          run.end();
          return { status: answer.status, headers, url: shown.url(href, bare), body: Readable.from([], { objectMode: false }) };
        }
      });
    } catch (error) {
      run.end();
      throw error;
    }
  };

  const client: Client = {
    async call(draft, callOptions = {}) {
      const result = await raw(draft, callOptions);
      return withBody(result, result.decode(callOptions.decode ?? 'json'));
    },
    stream,
    http: createHttp({ raw, stream }),
    async close() {
      runs.close();
      transport.close();
      deadlines.close();
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
  return client;
}

/** Cookies and URL stay unmade until somebody looks. */
function withBody(result: RawResult, body: Json): CallResult {
  const { status, headers, bytes, empty, attempts } = result;
  return {
    status,
    headers,
    get cookies() {
      return result.cookies;
    },
    body,
    bytes,
    get url() {
      return result.url;
    },
    empty,
    attempts,
  };
}

function timeouts(...layers: (CallOptions['timeout'] | undefined)[]): Timeouts {
  let result = TIMEOUTS;
  for (const layer of layers) {
    if (typeof layer === 'number') result = { ...result, total: layer };
    else if (layer) result = { ...result, ...Object.fromEntries(Object.entries(layer).filter(([, ms]) => ms !== undefined)) };
  }
  return result;
}

/** RFC 6265 section 5.2: name and value; attributes are of no use to a caller who sends cookies by name. */
function cookiesOf(header: string | string[] | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  for (const line of header === undefined ? [] : [header].flat()) {
    const [pair = ''] = line.split(';', 1);
    const at = pair.indexOf('=');
    if (at > 0) result[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return result;
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
