import { createHash } from 'node:crypto';
import { same } from '../authenticate.ts';
import type { Scheme } from '../scheme.ts';

/** Milliseconds that `Created` may be off, either way. */
const DRIFT = 300_000;

/** A UsernameToken in a header (OASIS Web Services Security UsernameToken Profile 1.0, 3.1): the digest first, then the time, then that the nonce is new. */
export const wsse: Scheme = {
  type: 'wsse',
  reads: ['x-wsse'],

  verify({ headers }, { values, now, memory }) {
    const header = headers['x-wsse'];
    if (header === undefined) return 'missing';
    const sent = new Map([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]));
    const [username, digest, nonce, created] = ['Username', 'PasswordDigest', 'Nonce', 'Created'].map((name) => sent.get(name) ?? '');
    if (!header.startsWith('UsernameToken ') || nonce === '' || username !== (values.username ?? '')) return 'wrong';
    const hash = createHash('sha1')
      .update(Buffer.from(nonce!, 'base64'))
      .update(`${created}${values.password ?? ''}`, 'utf8');
    if (!same(digest!, hash.digest('base64'))) return 'wrong';
    if (!(Math.abs(Date.parse(created!) - now) <= DRIFT)) return 'expired';
    const used = memory.has(nonce!);
    memory.set(nonce!, true);
    return used ? 'wrong' : 'good';
  },

  challenge: (_verdict, _request, { values }) => `WSSE realm="${values.realm ?? 'sandbox'}", profile="UsernameToken"`,
};
