import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Server as NetServer } from 'node:net';
import type { Clock, Random } from '../../../framework/core/clock.ts';
import { Redactor } from '../../../framework/core/redact.ts';
import { createClient } from '../../../framework/http/client.ts';
import type { Client, ClientEvent, ClientOptions } from '../../../framework/http/types.ts';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface TestServer {
  port: number;
  origin: string;
  seen: Seen[];
  close(): Promise<void>;
}

export type Answer = (request: Seen, response: ServerResponse, count: number) => void;

const open: { close(): Promise<void> }[] = [];

/** A real server on 127.0.0.1. `answer` gets the request with its body read, and how many came before it. */
export async function serve(answer: Answer, tls?: ServerOptions): Promise<TestServer> {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      seen.push(one);
      answer(one, response, seen.length - 1);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const port = await listen(server);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const result = { port, origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, seen, close };
  open.push(result);
  return result;
}

export async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export interface TestProxy {
  port: number;
  /** What was asked for: `host:port`. */
  tunnels: string[];
  authorizations: (string | undefined)[];
}

/** A proxy that knows CONNECT alone. Every tunnel ends at 127.0.0.1 on the port that was asked for. */
export async function serveProxy(status = 200): Promise<TestProxy> {
  const server = createServer();
  const tunnels: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<{ destroy(): void }>();
  server.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
  });
  const port = await listen(server);
  open.push({
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return { port, tunnels, authorizations };
}

/** A clock on which a wait takes no time: it is noted, and the clock goes on by as much. */
export class InstantClock implements Clock {
  time = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly waits: number[] = [];
  now(): number {
    return this.time;
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason;
    this.waits.push(ms);
    this.time += ms;
  }
}

/** Always the same number where one in [0, 1) is wanted. */
export const fixedRandom = (float: number): Random => ({
  float: () => float,
  bytes: (size) => new Uint8Array(size),
  uuid: () => '00000000-0000-4000-8000-000000000000',
});

const clients: Client[] = [];

/** A client for a server on loopback, without retries' real waits. */
export function clientFor(
  baseUrl: string,
  options: Partial<ClientOptions> = {},
): { client: Client; clock: InstantClock; events: ClientEvent[]; redactor: Redactor } {
  const clock = new InstantClock();
  const events: ClientEvent[] = [];
  const redactor = options.redactor ?? new Redactor();
  const network = { allowLoopback: true, allowHttpLoopback: true, ...options.network };
  const client = createClient({
    clock,
    random: fixedRandom(0.5),
    onEvent: (event) => events.push(event),
    ...options,
    baseUrl,
    redactor,
    network,
  });
  clients.push(client);
  return { client, clock, events, redactor };
}

/** To be called after each test. */
export async function closeAll(): Promise<void> {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(open.splice(0).map((server) => server.close()));
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** What a promise rejects with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}
