import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../../unit/http/certificate.ts';
import type { Exchanged, Wire } from './wire.ts';

export interface Arrived {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  certificate: boolean;
}

/** A server on loopback that stands for every origin of a wire file and gives its answers in their order. */
export interface Provider {
  arrived: Arrived[];
  addresses: Record<string, string>;
  /** Of a server with TLS: whom to trust, and what the client shows. */
  ca?: string;
  client?: { cert: string; key: string };
  close(): Promise<void>;
}

export async function provide(wire: Wire): Promise<Provider> {
  const arrived: Arrived[] = [];
  const listener = listenerOf(wire.wire, arrived);
  const origins = [...new Set(wire.wire.map(({ url }) => new URL(url).origin))];
  const own = wire.mutual_tls ? makeCertificate(['127.0.0.1', ...origins.map((origin) => new URL(origin).hostname)]) : undefined;
  const client = wire.mutual_tls ? makeCertificate(['client']) : undefined;
  const server = own && client ? createTlsServer({ ...own, ca: client.cert, requestCert: true }, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const origin = `${own ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    arrived,
    addresses: Object.fromEntries(origins.map((real) => [real, origin])),
    ...(own && { ca: own.cert }),
    ...(client && { client }),
    close: () => closed(server),
  };
}

function listenerOf(wire: readonly Exchanged[], arrived: Arrived[]): RequestListener {
  return async (request, response) => {
    // The wire files have a clock of their own.
    response.sendDate = false;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer: Exchanged['answer'] = wire[arrived.length]?.answer ?? { status: 599, text: 'nothing more was expected' };
    arrived.push({
      method: request.method ?? '',
      url: `https://${request.headers.host}${request.url}`,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      certificate: Object.keys((request.socket as TLSSocket).getPeerCertificate?.() ?? {}).length > 0,
    });
    const { status = 200, headers, json, text } = answer;
    response.writeHead(status, { 'content-type': json === undefined ? 'text/plain' : 'application/json', ...headers });
    response.end(json === undefined ? (text ?? '') : JSON.stringify(json));
  };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
