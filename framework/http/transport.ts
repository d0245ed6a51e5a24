import http, { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions } from 'node:http';
import https, { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import got, { type Got } from 'got';
import hpagent from 'hpagent';
import { reveal } from '../core/secret.ts';
import type { Method } from '../core/value.ts';
import { guardedLookup, refuseAddress } from './addresses.ts';
import { type Agents, type Channel, destroy } from './channel.ts';
import type { Deadlines } from './deadlines.ts';
import { uncompress } from './decode.ts';
import { type FailurePlace, failureOf, timeoutError, tooLarge } from './failure.ts';
import { bypassesProxy, parseProxy } from './proxy.ts';
import type { Stop } from './run.ts';
import type { Network, Timeouts } from './types.ts';

/** A request as bytes: everything is revealed, nothing is added to it. */
export interface WireRequest {
  method: Method;
  /** Where to connect: only its origin counts. */
  to: URL;
  href: string;
  headers: Record<string, string>;
  body?: Uint8Array | string;
  /** Method and URL for messages, redacted. */
  where: () => string;
  /** True for the sandbox's own loopback address, which the map has checked. */
  mapped: boolean;
  /** The one connection that it goes over; without: any. */
  channel?: Channel;
}

export interface WireResponse {
  status: number;
  /** As node gives them: lower-case names, set-cookie a list. */
  headers: Record<string, string | string[] | undefined>;
}

export interface WireLimits {
  timeout: Timeouts;
  /** Of the body, before and after content decoding. */
  maxBytes: number;
  /** Ends the request with its reason. */
  stop: Stop;
}

/** The only place where bytes leave. All it throws are FerruleErrors, made from codes alone. */
export interface Transport {
  /** The body whole, content decoding undone. */
  fetch(request: WireRequest, limits: WireLimits): Promise<WireResponse & { bytes: Buffer }>;
  /** The body is raw (content decoding is the caller's); it ends with a FerruleError when it is cut. */
  open(request: WireRequest, limits: WireLimits): Promise<WireResponse & { body: AsyncIterable<Buffer>; cancel: () => void }>;
  /** The raw body whole, up to so many bytes; what is larger has a `rest`, which is read as that of `open`. */
  begin(request: WireRequest, limits: WireLimits, most: number): Promise<WireResponse & Begun>;
  /** For a connection of its own, which is opened when something is sent over it. To destroy them is the caller's. */
  agents(): Agents;
  close(): void;
}

export interface Begun {
  bytes: Buffer;
  rest?: { body: AsyncGenerator<Buffer>; cancel: () => void };
}

export const MAX_HEADER_BYTES = 64 * 1024;

export function createTransport(network: Network, deadlines: Deadlines): Transport {
  const proxy = network.proxy === undefined ? undefined : parseProxy(network.proxy);
  const tls = tlsOptions(network);
  const agentsOf = (more: AgentOptions = {}): Agents => ({
    ...directAgents(network, { ...tls, ...more }),
    tunnel: proxy && new hpagent.HttpsProxyAgent({ ...tls, ...KEEP_ALIVE, ...more, proxy: proxy.url }),
  });
  const shared = agentsOf();
  const client = got.extend({
    throwHttpErrors: false,
    followRedirect: false,
    retry: { limit: 0 },
    decompress: false,
    responseType: 'buffer',
    maxHeaderSize: MAX_HEADER_BYTES,
    headers: { 'user-agent': undefined },
    request: send,
  });

  let allowed: string | undefined;

  const prepare = (request: WireRequest) => {
    const { to: url } = request;
    const viaProxy = proxy !== undefined && url.protocol === 'https:' && !bypassesProxy(url, network.noProxy);
    const host = url.hostname;
    if (host !== allowed && !request.mapped) {
      // A literal address is never looked up, so it is checked here; behind a proxy the proxy resolves names.
      const literal = host.replace(/^\[|\]$/g, '');
      const refused = isIP(literal) === 0 ? undefined : refuseAddress(literal, literal, network);
      if (refused) throw refused;
      allowed = host;
    }
    const { mapped, tunnel, ...direct } = request.channel?.agents ?? shared;
    const agent = { http: request.mapped ? mapped : direct.http, https: viaProxy && tunnel ? tunnel : direct.https };
    const place = (): FailurePlace => ({
      where: request.where(),
      host: `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`,
      ...(viaProxy && { proxy: proxy.shown }),
    });
    return { agent, place };
  };

  return {
    async fetch(request, limits) {
      const { agent, place } = prepare(request);
      const { stop, maxBytes } = limits;
      const call = client(request.href, { ...gotOptions(request), agent });
      stop.ends = () => call.cancel();
      const stopWatching = watch(call, deadlines, limits, place, 'body');
      call.on('downloadProgress', ({ transferred }) => {
        stopWatching.moved();
        if (transferred > maxBytes) stop.stop(tooLarge(maxBytes, place().where));
      });
      try {
        const { statusCode: status, headers, rawBody } = await call;
        const encoding = headers['content-encoding'];
        const bytes = encoding === undefined ? rawBody : await uncompress(rawBody, encoding, maxBytes, request.where);
        return { status, headers, bytes };
      } catch (error) {
        throw stop.reason ?? failureOf(error, place());
      } finally {
        stopWatching.end();
        stop.ends = undefined;
      }
    },

    async open(request, limits) {
      const { agent, place } = prepare(request);
      return openStream({ client, deadlines, limits, place }, request, agent);
    },

    async begin(request, limits, most) {
      const { agent, place } = prepare(request);
      return beginStream({ client, deadlines, limits, place }, request, agent, most);
    },

    agents: () => agentsOf({ maxSockets: 1 }),

    close: () => destroy(shared),
  };
}

/**
 * What got sends with. It would hand on three dozen settings, nearly all of them undefined, which Node copies several times for each request; TLS is the
 * agents' business here.
 */
function send(
  url: URL,
  { method, headers, agent, maxHeaderSize }: RequestOptions,
  onResponse?: (response: IncomingMessage) => void,
): ClientRequest {
  const { protocol, hostname, port, pathname, search } = url;
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const options = { protocol, hostname: host, port, path: pathname + search, method, headers, agent, maxHeaderSize } as RequestOptions;
  // Looked up at each call: that is where tracing and tests put their own.
  return (protocol === 'https:' ? https : http).request(options, onResponse);
}

const KEEP_ALIVE = { keepAlive: true, scheduling: 'lifo', maxFreeSockets: 32 } as const;

function directAgents(network: Network, more: AgentOptions) {
  const lookup = guardedLookup(network, network.lookup);
  return {
    http: new HttpAgent({ ...KEEP_ALIVE, ...more, lookup }),
    https: new HttpsAgent({ ...KEEP_ALIVE, ...more, lookup }),
    mapped: new HttpAgent({ ...KEEP_ALIVE, ...more }),
  };
}

function tlsOptions(network: Network): AgentOptions {
  // Whatever the environment says: no switch turns verification off.
  return { rejectUnauthorized: true, ...trust(network) };
}

/** The last one that trusts an authority beside the usual ones: those are more than a hundred, and to read them takes 16 ms. */
let trusting: { ca: string; secureContext: SecureContext } | undefined;

function trust({ ca, certificate, key, passphrase }: Network): AgentOptions {
  if (ca !== undefined && certificate === undefined && key === undefined) {
    if (trusting?.ca !== ca) trusting = { ca, secureContext: createSecureContext({ ca: [...rootCertificates, ca] }) };
    return { secureContext: trusting.secureContext };
  }
  return {
    ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key: reveal(key) }),
    ...(passphrase !== undefined && { passphrase: reveal(passphrase) }),
  };
}

function gotOptions({ method, headers, body }: WireRequest) {
  // A GET that may have a body would wait, as a stream, for one to be piped in.
  return body === undefined ? { method, headers } : { method, headers, body, allowGetBody: true };
}

interface RequestEvents {
  on(event: 'request', listener: (request: ClientRequest) => void): unknown;
}

interface Watch {
  /** Bytes came. */
  moved(): void;
  end(): void;
}

/**
 * The limits of one sending: name, TCP, TLS and proxy together; from the request's last byte to the answer's head; and with `body` the
 * longest pause within the answer, so that one that drips is bounded too. got has its own, but they begin only when a socket is there,
 * which a proxy may never give. One timer serves head and body: it is looked at when it fires, not set anew with each chunk.
 */
function watch(
  call: RequestEvents,
  deadlines: Deadlines,
  { timeout, stop }: WireLimits,
  place: () => FailurePlace,
  until: 'head' | 'body',
): Watch {
  let over = false;
  let head = false;
  let last = 0;
  const expire = (phase: 'connect' | 'response' | 'idle') =>
    stop.stop(timeoutError(phase, timeout[phase === 'connect' ? 'connect' : 'response'], place()));
  const onResponseLimit = () => {
    const left = head ? timeout.response - (performance.now() - last) : 0;
    // A timer may fire a moment early; less than that is nothing left.
    if (left <= 1) expire(head ? 'idle' : 'response');
    else callOff = deadlines.after(Math.ceil(left), onResponseLimit);
  };
  let callOff = deadlines.after(timeout.connect, () => expire('connect'));
  const end = () => {
    over = true;
    callOff();
  };
  const moved = () => {
    last = performance.now();
  };
  call.on('request', (request) => {
    // Node drops the headers behind the thousandth without a word, and a next page with them; their bytes are limited anyway.
    request.maxHeadersCount = 0;
    request.once('socket', (socket) => {
      const busy = socket.connecting || ('secureConnecting' in socket && socket.secureConnecting === true);
      if (busy) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => callOff());
      else callOff();
    });
    request.once('finish', () => {
      callOff();
      if (!over) callOff = deadlines.after(timeout.response, onResponseLimit); // it may have ended before its last byte was out
    });
    request.once('response', () => {
      if (until === 'head') return end();
      head = true;
      moved();
    });
  });
  return { moved, end };
}

/** One sending over got's stream. */
interface Sending {
  client: Got;
  deadlines: Deadlines;
  limits: WireLimits;
  place: () => FailurePlace;
}

function gotStream({ client, limits }: Sending, request: WireRequest, agent: object) {
  // Without a body got's stream would wait for one to be piped in.
  const body = request.body ?? (request.method === 'GET' || request.method === 'HEAD' ? undefined : '');
  const stream = client.stream(request.href, { ...gotOptions({ ...request, ...(body !== undefined && { body }) }), agent, isStream: true });
  stream.on('error', () => {}); // every reader has its own; this one is for the time between two
  limits.stop.ends = () => stream.destroy();
  return stream;
}

const failed = ({ limits, place }: Sending, error: unknown): unknown => limits.stop.reason ?? failureOf(error, place());

async function openStream(sending: Sending, request: WireRequest, agent: object) {
  const { deadlines, limits, place } = sending;
  const stream = gotStream(sending, request, agent);
  const stopWatching = watch(stream, deadlines, limits, place, 'head');
  try {
    const head = await new Promise<WireResponse>((resolve, reject) => {
      stream.once('response', (response: Head) => resolve(headOf(response)));
      stream.once('error', reject);
      stream.once('close', () => reject(limits.stop.reason));
    });
    return { ...head, body: chunks(stream, sending), cancel: () => stream.destroy() };
  } catch (error) {
    throw failed(sending, error);
  } finally {
    stopWatching.end();
  }
}

/** By events: to iterate over a stream costs a tenth of what a request costs, and most answers are small. */
async function beginStream(sending: Sending, request: WireRequest, agent: object, most: number): Promise<WireResponse & Begun> {
  const { deadlines, limits, place } = sending;
  const stream = gotStream(sending, request, agent);
  const watching = watch(stream, deadlines, limits, place, 'body');
  try {
    return await new Promise<WireResponse & Begun>((resolve, reject) => {
      const begun: Buffer[] = [];
      let size = 0;
      let head: WireResponse = { status: 0, headers: {} };
      const bytes = (): Buffer => (begun.length === 1 ? (begun[0] as Buffer) : Buffer.concat(begun, size));
      const onData = (chunk: Buffer): void => {
        watching.moved();
        begun.push(chunk);
        size += chunk.length;
        if (size <= most) return;
        stream.off('data', onData);
        stream.pause();
        resolve({ ...head, bytes: bytes(), rest: { body: chunks(stream, sending), cancel: () => stream.destroy() } });
      };
      stream.once('response', (response: Head) => {
        head = headOf(response);
      });
      stream.on('data', onData);
      stream.once('end', () => resolve({ ...head, bytes: bytes() }));
      stream.once('error', reject);
      stream.once('close', () => reject(limits.stop.reason));
    });
  } catch (error) {
    throw failed(sending, error);
  } finally {
    watching.end();
  }
}

interface Head {
  statusCode: number;
  headers: WireResponse['headers'];
}

const headOf = ({ statusCode, headers }: Head): WireResponse => ({ status: statusCode, headers });

/**
 * A stream may be of any size, so that no total ends it; but silence alone would let one go on for ever that sends a byte a minute, and hold
 * its reader. Bytes that must come while the reader waits as long as the longest pause may be.
 */
const LEAST_BYTES = 1024;

async function* chunks(stream: Readable, sending: Sending): AsyncGenerator<Buffer> {
  const { deadlines, limits, place } = sending;
  const { timeout, stop } = limits;
  const watch = () => deadlines.after(timeout.response, () => stop.stop(timeoutError('idle', timeout.response, place())));
  let callOff = watch();
  let since = performance.now();
  let waited = 0;
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      callOff(); // the reader's own pauses do not count
      waited += performance.now() - since;
      bytes += (chunk as Buffer).length;
      if (bytes >= LEAST_BYTES) waited = bytes = 0;
      else if (waited > timeout.response) throw timeoutError('slow', timeout.response, place());
      yield chunk as Buffer;
      since = performance.now();
      callOff = watch();
    }
  } catch (error) {
    throw failed(sending, error);
  } finally {
    callOff();
    stream.destroy();
  }
}
