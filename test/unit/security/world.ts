import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { connect, type LookupFunction, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ConnectOptions } from '../../../framework/engine/connect.ts';
import { makeCertificate } from '../http/certificate.ts';
import { listen } from '../http/servers.ts';

/** One request that an honest host got. */
export interface Arrived {
  host: string;
  method: string;
  path: string;
  /** All of it: line, headers, body. */
  text: string;
}

/** What a honest host answers. `head` are lines as they are, so that a header may hold any byte. */
export interface Reply {
  status?: number;
  head?: string[];
  json?: unknown;
}

export interface World {
  network: NonNullable<ConnectOptions['network']>;
  /** What the honest hosts got. */
  arrived: Arrived[];
  /** `host:port` of each connection that was asked for to a host that is not honest. */
  trapped: string[];
  /** Every byte that came over those, deciphered. */
  trapBytes: () => string;
  /** Names that were looked up. */
  asked: string[];
  reset(reply: (request: Arrived) => Reply): void;
  close(): Promise<void>;
}

export const HONEST = ['api.acme.test', 'auth.acme.test'];

/** Names that the specs of the tests allow, and what a name server says of them. */
export const NAMES: Record<string, string[]> = {
  'loop.acme.test': ['127.0.0.1'],
  'both.acme.test': ['203.0.113.7', '127.0.0.1'],
  'both6.acme.test': ['2001:db8::7', '::ffff:127.0.0.1'],
  'private.acme.test': ['10.0.0.7'],
  'metadata.acme.test': ['169.254.169.254'],
};

/**
 * Two honest hosts with TLS, and a trap that stands for every other host there is. Both are reached through a proxy, so that each URL keeps
 * its own host and port and no test needs port 443; the names of `NAMES` are looked up and reached without it. One certificate is good for
 * all hosts, the trap's too: what keeps a credential from it must not be TLS.
 */
export async function openWorld(hostile: readonly string[]): Promise<World> {
  const certificate = makeCertificate([...HONEST, ...Object.keys(NAMES), ...hostile]);
  const open: Server[] = [];
  const sockets = new Set<Socket>();
  const start = async (server: Server) => {
    open.push(server);
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket))));
    return listen(server);
  };
  let answer: (request: Arrived) => Reply = () => ({ status: 500 });
  let bytes: Buffer[] = [];
  const world = { arrived: [] as Arrived[], trapped: [] as string[], asked: [] as string[] };

  const honest = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request;
      const text = [method, url, ...rawHeaders, Buffer.concat(chunks).toString('utf8')].join('\n');
      const one = { host: request.headers.host ?? '', method, path: url, text };
      world.arrived.push(one);
      const { status = 200, head = [], json = {} } = answer(one);
      const body = JSON.stringify(json);
      const fixed = [
        `HTTP/1.1 ${status} X`,
        'connection: close',
        'content-type: application/json',
        `content-length: ${Buffer.byteLength(body)}`,
      ];
      response.socket?.write(`${[...fixed, ...head].join('\r\n')}\r\n\r\n${body}`);
      // Written by hand, so the server does not know that it has answered: the connection is of no more use to it.
      response.socket?.end();
    });
  });
  // It answers 200 to whatever comes, as one who collects would.
  const trap = createTlsServer({ cert: certificate.cert, key: certificate.key }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      bytes.push(chunk);
      const back = /GET \/back/.test(chunk.toString('latin1')) ? ['302 X', 'location: https://api.acme.test/after'] : ['200 X'];
      socket.end(`HTTP/1.1 ${back.join('\r\n')}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
    });
  });
  const [honestPort, trapPort] = [await start(honest), await start(trap)];

  const proxy = createHttpServer((_, response) => {
    world.trapped.push('a plain request');
    response.end();
  });
  proxy.on('connect', ({ url = '' }, socket: Socket) => {
    const good = HONEST.some((host) => url === `${host}:443`);
    if (!good) world.trapped.push(url);
    const upstream = connect(good ? honestPort : trapPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  const proxyPort = await start(proxy as unknown as Server);
  const lookup: LookupFunction = (name, _options, callback) => {
    world.asked.push(name);
    const addresses = NAMES[name] ?? ['127.0.0.1'];
    callback(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })) as never);
  };
  return {
    ...world,
    network: { proxy: `http://127.0.0.1:${proxyPort}`, noProxy: Object.keys(NAMES).join(','), ca: certificate.cert, lookup },
    trapBytes: () => Buffer.concat(bytes).toString('utf8'),
    reset(reply) {
      answer = reply;
      bytes = [];
      for (const list of [world.arrived, world.trapped, world.asked]) list.length = 0;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(open.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
