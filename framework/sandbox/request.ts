import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A request as the sandbox reads it: nothing of the client's parsing is used. */
export interface Incoming {
  method: string;
  host: string;
  /** Percent-encoded, as sent. */
  path: string;
  query: [string, string][];
  /** The query as sent, without its question mark. */
  search: string;
  headers: Record<string, string>;
  cookies: Record<string, string>;
  body: string;
  bytes: Buffer;
  /** Kept for as long as the client's connection stands. */
  connection?: object;
}

const connections = new WeakMap<Socket, object>();

function connectionOf(socket: Socket): object {
  const known = connections.get(socket) ?? {};
  connections.set(socket, known);
  return known;
}

const LARGEST = 10 * 1024 * 1024;

export async function receive(message: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= LARGEST) chunks.push(chunk);
  }
  const [path = '/', ...search] = (message.url ?? '/').split('?');
  const bytes = Buffer.concat(chunks);
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
  return {
    method: message.method ?? 'GET',
    host: (headers.host ?? '').toLowerCase(),
    path,
    query: pairs(search.join('?')),
    search: search.join('?'),
    headers,
    cookies: cookies(headers.cookie ?? ''),
    body: bytes.toString('utf8'),
    bytes,
    connection: connectionOf(message.socket),
  };
}

/** `a=1&b=x+y` → pairs in order (application/x-www-form-urlencoded, WHATWG URL, 5.1). */
export const pairs = (text: string): [string, string][] => [...new URLSearchParams(text)];

/** RFC 6265, 4.2.1 */
function cookies(header: string): Record<string, string> {
  const found = header.split(';').map((part) => part.trim().split('='));
  return Object.fromEntries(found.filter(([name]) => name !== '').map(([name, ...value]) => [name, value.join('=')]));
}

/** The media type without its parameters, lower case. */
export const mediaType = (header: string | undefined): string => (header ?? '').split(';')[0]!.trim().toLowerCase();
