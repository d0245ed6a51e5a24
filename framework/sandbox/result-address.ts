import { createHmac } from 'node:crypto';
import type { Answer } from './answer.ts';
import { same } from './authenticate.ts';
import type { Incoming } from './request.ts';
import { digest } from './seeded.ts';

/** Under this path the results of jobs lie, at whatever origin. */
export const RESULTS = '/sandbox-results/';

const SIGNATURE = 'X-Sandbox-Signature';
const EXPIRES = 'X-Sandbox-Expires';

/** An address that needs no credential for as long as its signature holds, as object stores give them. @param ends epoch milliseconds */
export function resultAddress(origin: string, key: string, ends: number, seed: string): string {
  const path = `${RESULTS}${key}/result`;
  const expires = String(Math.floor(ends / 1000));
  return `${origin}${path}?${EXPIRES}=${expires}&${SIGNATURE}=${signature(path, expires, seed)}`;
}

const signature = (path: string, expires: string, seed: string): string =>
  createHmac('sha256', digest(seed, 'results')).update(`${path}\n${expires}`).digest('hex');

/** Why an address is not, or no longer, good. `besides`: query names that the spec itself may add. */
export function resultAsked(request: Incoming, now: number, seed: string, besides: ReadonlySet<string>): Answer | undefined {
  const { path, query } = request;
  const value = (name: string): string => query.find(([key]) => key === name)?.[1] ?? '';
  const own = query.filter(([name]) => !besides.has(name)).map(([name]) => name);
  const expires = value(EXPIRES);
  const right = same(value(SIGNATURE), signature(path, expires, seed)) && own.join() === [EXPIRES, SIGNATURE].join();
  if (!right) return storeRefusal(403, 'SignatureDoesNotMatch', 'The signature is not the one of this address');
  if (now >= Number(expires) * 1000) return storeRefusal(403, 'AccessDenied', 'Request has expired');
  return undefined;
}

/** Object stores take one way of showing who one is: the signature, or a credential (S3: InvalidArgument). */
export function credentialSent(
  { headers, query }: Incoming,
  names: { headers: ReadonlySet<string>; query: ReadonlySet<string> },
): string | undefined {
  const sent = ['authorization', 'proxy-authorization', 'cookie', ...names.headers].find((name) => headers[name] !== undefined);
  return sent ?? query.find(([name]) => names.query.has(name))?.[0];
}

export const storeRefusal = (status: number, code: string, message: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});
