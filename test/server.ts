import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  /** Host header: the origin that the client believes to talk to. */
  host: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface LocalServer {
  origin: string;
  received: Received[];
  close(): Promise<void>;
}

export type Answer = { status?: number; headers?: Record<string, string>; json?: unknown; text?: string };

/** A real server on loopback whose answers are a function of what it gets. */
export async function serve(
  answer: (request: Received, response: ServerResponse) => Answer | Promise<Answer> | undefined,
): Promise<LocalServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    // Its clock is not the test's. A test about clocks sends a Date of its own.
    response.sendDate = false;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const url = new URL(request.url ?? '/', 'http://server');
      const one: Received = {
        method: request.method ?? '',
        host: request.headers.host ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      received.push(one);
      const reply = await answer(one, response);
      if (reply === undefined) return;
      const text = reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json));
      response.writeHead(reply.status ?? 200, {
        'content-type': reply.json === undefined ? 'text/plain' : 'application/json',
        ...reply.headers,
      });
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
