import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { plainCanary } from '../canary.ts';

/**
 * A provider that rotates. A strict one forgives nothing: a refresh token is good for one request, and whoever sends a spent one ends the
 * grant for all (RFC 9700, 4.14.2). One with grace takes the last spent one again until its successor was used, as many do, since an
 * answer may be lost on the wire. The API takes the newest access token alone.
 */
export interface RotatingProvider {
  origin: string;
  /** Token requests that brought a token. */
  issued: number;
  /** Spent refresh tokens that came again, and were not forgiven. */
  reused: number;
  /** Answers given once more in grace. */
  forgiven: number;
  logins: number;
  /** The access token of the moment is good no more. */
  revokeAccess(): void;
  /** How long token requests take. Milliseconds. */
  delay: number;
  /** Token requests are answered by 503, and counted. */
  down: boolean;
  refused: number;
  /** Called when a token answer has been handed to the network. */
  onIssued: (() => void) | undefined;
  close(): Promise<void>;
}

export const accessToken = (number: number): string => plainCanary(`killed access ${number}`);
export const refreshToken = (number: number): string => plainCanary(`killed refresh ${number}`);

export async function rotatingProvider({ grace = false }: { grace?: boolean } = {}): Promise<RotatingProvider> {
  let current = 0;
  let used = true;
  let ended = false;
  let accessRevoked = false;
  const answer = (path: string, authorization: string | undefined, session: string | undefined, body: string): [number, object] => {
    if (path === '/token' && provider.down) {
      provider.refused += 1;
      return [503, { message: 'down' }];
    }
    if (path === '/token') {
      const sent = new URLSearchParams(body).get('refresh_token');
      if (!ended && grace && !used && sent === refreshToken(current - 1)) {
        current -= 1;
        provider.issued -= 1;
        provider.forgiven += 1;
      }
      if (ended || sent !== refreshToken(current)) {
        provider.reused += 1;
        ended = true;
        return [400, { error: 'invalid_grant', error_description: 'spent before' }];
      }
      current += 1;
      used = false;
      accessRevoked = false;
      provider.issued += 1;
      return [200, { access_token: accessToken(current), refresh_token: refreshToken(current), token_type: 'Bearer', expires_in: 3600 }];
    }
    if (path === '/login') {
      provider.logins += 1;
      return authorization === `Bearer ${accessToken(current)}` ? [200, { session: `session-${current}` }] : [401, { message: 'who?' }];
    }
    const good = !ended && !accessRevoked && (authorization === `Bearer ${accessToken(current)}` || session === `session-${current}`);
    if (good) used = true;
    return good ? [200, { token: current }] : [401, { message: 'revoked' }];
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', async () => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const { authorization, 'x-session': session } = request.headers;
      const [status, json] = answer(path, authorization, Array.isArray(session) ? undefined : session, body);
      if (path === '/token' && provider.delay > 0) await new Promise((resolve) => setTimeout(resolve, provider.delay));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(json), () => {
        if (path === '/token' && status === 200) provider.onIssued?.();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const provider: RotatingProvider = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    issued: 0,
    reused: 0,
    forgiven: 0,
    logins: 0,
    delay: 0,
    down: false,
    refused: 0,
    onIssued: undefined,
    revokeAccess: () => {
      accessRevoked = true;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return provider;
}
