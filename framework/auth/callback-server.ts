import { createServer, type RequestListener, type Server } from 'node:http';
import { FerruleError } from '../core/errors.ts';
import { urlOf } from '../core/url.ts';

export interface CallbackServer {
  /** Resolves with the whole callback URL; rejects with consent_timeout or the signal's reason. */
  wait(): Promise<string>;
  close(): Promise<void>;
}

export interface CallbackServerOptions {
  /** How long to wait for the browser. Milliseconds. */
  timeout: number;
  signal?: AbortSignal;
}

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Ferrule</title><p>Ferrule has received the answer. You can close this window.</p>';

/** The address that the page has holds the code: no other site and no frame may learn it (RFC 9700, 4.2.4 and 4.16). */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  connection: 'close',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
};

/**
 * Listens on the loopback port of the redirect URI for one callback (RFC 8252, 7.3). It answers with a page that holds
 * nothing of the request, and takes no other path, method or Host.
 */
export async function listenForCallback(redirectUri: string, options: CallbackServerOptions): Promise<CallbackServer> {
  const wanted = new URL(redirectUri);
  let settle: { resolve: (url: string) => void; reject: (error: unknown) => void } | undefined;
  const answer = new Promise<string>((resolve, reject) => {
    settle = { resolve, reject };
  });
  answer.catch(() => undefined); // Whoever calls wait() sees it; until then it must not count as unhandled.
  const listener: RequestListener = (request, response) => {
    // Anybody on this machine may ask, in any words: a target that is no path and query must not end the wait.
    const url = urlOf(`${wanted.origin}${request.url}`);
    const asked = url?.origin === wanted.origin && url.pathname === wanted.pathname;
    const expected = asked && request.method === 'GET' && request.headers.host === wanted.host;
    response.writeHead(expected ? 200 : 404, HEADERS);
    response.end(expected ? PAGE : 'Not found');
    if (expected) settle?.resolve(url.href);
  };
  const servers = await listen(wanted, listener);
  const timer = setTimeout(() => {
    settle?.reject(
      new FerruleError('consent_timeout', `No callback came within ${Math.round(options.timeout / 1000)} s`, { where: redirectUri }),
    );
  }, options.timeout);
  const onAbort = () => settle?.reject(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  return {
    wait: () => answer,
    close: async () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      await closeAll(servers);
    },
  };
}

/**
 * `localhost` may mean ::1 or 127.0.0.1 to a browser. Both are taken, or whoever else has the other one could be sent the code
 * (RFC 8252, 8.3); 127.0.0.1 is always there.
 */
async function listen(wanted: URL, listener: RequestListener): Promise<Server[]> {
  const { hostname } = wanted;
  const addresses = hostname === 'localhost' ? ['127.0.0.1', '::1'] : [hostname === '[::1]' ? '::1' : '127.0.0.1'];
  const servers: Server[] = [];
  for (const address of addresses) {
    const server = createServer(listener);
    try {
      await listenAt(server, Number(wanted.port || 80), address);
      servers.push(server);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      if (servers.length > 0 && NO_SUCH_ADDRESS.has(code)) continue;
      await closeAll(servers);
      const taken = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
      throw new FerruleError('callback_port_taken', `The callback port ${wanted.port || '80'} ${taken}`, { where: wanted.href });
    }
  }
  return servers;
}

/** On a machine without IPv6. */
const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

async function listenAt(server: Server, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve());
  });
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
