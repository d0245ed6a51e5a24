import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import got, { type Got } from 'got';
import hpagent from 'hpagent';
import { reveal } from '../core/secret.ts';
import type { Method } from '../core/value.ts';
import { guardedLookup, refuseAddress } from './addresses.ts';
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
  close(): void;
}

export const MAX_HEADER_BYTES = 64 * 1024;

export function createTransport(network: Network, deadlines: Deadlines): Transport {
  const proxy = network.proxy === undefined ? undefined : parseProxy(network.proxy);
  const direct = directAgents(network);
  const tunnel = proxy && new hpagent.HttpsProxyAgent({ ...tlsOptions(network), ...KEEP_ALIVE, proxy: proxy.url });
  const client = got.extend({
    throwHttpErrors: false,
    followRedirect: false,
    retry: { limit: 0 },
    decompress: false,
    responseType: 'buffer',
    maxHeaderSize: MAX_HEADER_BYTES,
    headers: { 'user-agent': undefined },
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
    const agent = { http: request.mapped ? direct.mapped : direct.http, https: viaProxy && tunnel ? tunnel : direct.https };
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
      const { timeout, stop, maxBytes } = limits;
      const call = client(request.href, { ...gotOptions(request), agent });
      stop.ends = () => call.cancel();
      const stopWatching = watchHead(call, deadlines, limits, place);
      // A body that drips is bounded too: so long a pause within it ends the call.
      const pause = () => deadlines.after(timeout.response, () => stop.stop(timeoutError('idle', timeout.response, place())));
      let resumed = () => {};
      call.on('downloadProgress', ({ transferred }) => {
        if (transferred > maxBytes) stop.stop(tooLarge(maxBytes, place().where));
        resumed();
        resumed = pause();
      });
      try {
        const { statusCode: status, headers, rawBody } = await call;
        const encoding = headers['content-encoding'];
        const bytes = encoding === undefined ? rawBody : await uncompress(rawBody, encoding, maxBytes, request.where);
        return { status, headers, bytes };
      } catch (error) {
        throw stop.reason ?? failureOf(error, place());
      } finally {
        stopWatching();
        resumed();
        stop.ends = undefined;
      }
    },

    async open(request, limits) {
      const { agent, place } = prepare(request);
      return openStream(client, deadlines, request, limits, agent, place);
    },

    close() {
      for (const agent of [direct.http, direct.https, direct.mapped, tunnel]) agent?.destroy();
    },
  };
}

const KEEP_ALIVE = { keepAlive: true, scheduling: 'lifo', maxFreeSockets: 32 } as const;

function directAgents(network: Network) {
  const lookup = guardedLookup(network, network.lookup);
  return {
    http: new HttpAgent({ ...KEEP_ALIVE, lookup }),
    https: new HttpsAgent({ ...tlsOptions(network), ...KEEP_ALIVE, lookup }),
    mapped: new HttpAgent(KEEP_ALIVE),
  };
}

function tlsOptions(network: Network): AgentOptions {
  return {
    // Whatever the environment says: no switch turns verification off.
    rejectUnauthorized: true,
    ...(network.ca !== undefined && { ca: [...rootCertificates, network.ca] }),
    ...(network.certificate !== undefined && { cert: network.certificate }),
    ...(network.key !== undefined && { key: reveal(network.key) }),
  };
}

function gotOptions({ method, headers, body }: WireRequest) {
  // A GET that may have a body would wait, as a stream, for one to be piped in.
  return body === undefined ? { method, headers } : { method, headers, body, allowGetBody: true };
}

interface RequestEvents {
  on(event: 'request', listener: (request: ClientRequest) => void): unknown;
}

/**
 * Two limits: name, TCP, TLS and proxy together, and from the request's last byte to the answer's head. got has its own, but they begin
 * only when a socket is there, which a proxy may never give.
 */
function watchHead(call: RequestEvents, deadlines: Deadlines, { timeout, stop }: WireLimits, place: () => FailurePlace): () => void {
  const limit = (phase: 'connect' | 'response') =>
    deadlines.after(timeout[phase], () => stop.stop(timeoutError(phase, timeout[phase], place())));
  let callOff = limit('connect');
  let over = false;
  const connected = () => callOff();
  const end = () => {
    over = true;
    callOff();
  };
  call.on('request', (request) => {
    request.once('socket', (socket) => {
      const busy = socket.connecting || ('secureConnecting' in socket && socket.secureConnecting === true);
      if (busy) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
      else connected();
    });
    request.once('finish', () => {
      callOff();
      if (!over) callOff = limit('response'); // it may have ended before its last byte was out
    });
    request.once('response', end);
  });
  return end;
}

async function openStream(
  client: Got,
  deadlines: Deadlines,
  request: WireRequest,
  limits: WireLimits,
  agent: object,
  place: () => FailurePlace,
) {
  const { stop } = limits;
  // Without a body got's stream would wait for one to be piped in.
  const body = request.body ?? (request.method === 'GET' || request.method === 'HEAD' ? undefined : '');
  const stream = client.stream(request.href, { ...gotOptions({ ...request, ...(body !== undefined && { body }) }), agent, isStream: true });
  stream.on('error', () => {}); // every reader has its own; this one is for the time between two
  stop.ends = () => stream.destroy();
  const stopWatching = watchHead(stream, deadlines, limits, place);
  const mapped = (error: unknown) => stop.reason ?? failureOf(error, place());
  try {
    const head = await new Promise<WireResponse>((resolve, reject) => {
      stream.once('response', (response: { statusCode: number; headers: WireResponse['headers'] }) =>
        resolve({ status: response.statusCode, headers: response.headers }),
      );
      stream.once('error', reject);
      stream.once('close', () => reject(stop.reason));
    });
    return { ...head, body: chunks(stream, deadlines, limits, place, mapped), cancel: () => stream.destroy() };
  } catch (error) {
    throw mapped(error);
  } finally {
    stopWatching();
  }
}

async function* chunks(
  stream: Readable,
  deadlines: Deadlines,
  { timeout, stop }: WireLimits,
  place: () => FailurePlace,
  mapped: (error: unknown) => unknown,
) {
  const watch = () => deadlines.after(timeout.response, () => stop.stop(timeoutError('idle', timeout.response, place())));
  let callOff = watch();
  try {
    for await (const chunk of stream) {
      callOff(); // the reader's own pauses do not count
      yield chunk as Buffer;
      callOff = watch();
    }
  } catch (error) {
    throw mapped(error);
  } finally {
    callOff();
    stream.destroy();
  }
}
