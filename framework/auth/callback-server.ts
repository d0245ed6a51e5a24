import { createServer } from 'node:http';
import { FerruleError } from '../core/errors.ts';

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
  const server = createServer((request, response) => {
    // Anybody on this machine may ask, in any words: a target that is no path and query must not end the wait.
    const url = URL.canParse(`${wanted.origin}${request.url}`) ? new URL(`${wanted.origin}${request.url}`) : undefined;
    const asked = url?.origin === wanted.origin && url.pathname === wanted.pathname;
    const expected = asked && request.method === 'GET' && request.headers.host === wanted.host;
    response.writeHead(expected ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      connection: 'close',
      'cache-control': 'no-store',
    });
    response.end(expected ? PAGE : 'Not found');
    if (expected) settle?.resolve(url.href);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const port = wanted.port === '' ? '80' : wanted.port;
      const taken = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code ?? 'unknown'})`;
      reject(new FerruleError('callback_port_taken', `The callback port ${port} ${taken}`, { where: redirectUri }));
    });
    // `localhost` may mean ::1 or 127.0.0.1 to a browser; browsers try both, and 127.0.0.1 is always there.
    server.listen(Number(wanted.port || 80), wanted.hostname === '[::1]' ? '::1' : '127.0.0.1', () => resolve());
  });
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
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
