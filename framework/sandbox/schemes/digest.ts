import { createHash } from 'node:crypto';
import { same } from '../authenticate.ts';
import type { Incoming } from '../request.ts';
import type { Scheme, SchemeContext } from '../scheme.ts';

const REALM = 'sandbox';
/** Milliseconds. */
const NONCE_LIVES = 300_000;

/** In order of preference (RFC 7616, 3.7). */
const OFFERED = new Map([
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
]);

interface Issued {
  opaque: string;
  /** Oldest first: when each nonce was given, and the counts it was used with. */
  nonces: Map<string, { since: number; used: Set<number> }>;
}

/**
 * Digest as a provider checks it (RFC 7616): SHA-256 or MD5, qop auth. A nonce lives for 300 s; each of its counts is good once,
 * in any order, since parallel requests overtake one another (3.4: "seen twice" is a replay).
 */
export const digest: Scheme = {
  type: 'digest',

  verify(request, context) {
    const header = request.headers.authorization;
    if (header === undefined) return 'missing';
    const sent = parameters(header);
    if (sent === undefined || !proves(sent, request, context)) return 'wrong';
    const { nonces } = issued(context);
    const nonce = nonces.get(sent.get('nonce')!);
    // A right answer to a nonce that is not ours any more: RFC 7616, 3.3, stale.
    if (nonce === undefined || context.now - nonce.since > NONCE_LIVES) return 'expired';
    const count = Number.parseInt(sent.get('nc')!, 16);
    if (count === 0 || nonce.used.has(count)) return 'wrong';
    nonce.used.add(count);
    return 'good';
  },

  challenge(verdict, _request, context) {
    const { opaque, nonces } = issued(context);
    for (const [old, { since }] of nonces) if (context.now - since > NONCE_LIVES) nonces.delete(old);
    const nonce = context.fresh(24);
    nonces.set(nonce, { since: context.now, used: new Set() });
    const stale = verdict === 'expired' ? ', stale=true' : '';
    // One nonce for both: some clients, curl among them, read two challenges in one header as one.
    const offer = (algorithm: string): string =>
      `Digest realm="${REALM}", qop="auth", algorithm=${algorithm}, nonce="${nonce}", opaque="${opaque}", charset=UTF-8${stale}`;
    return [...OFFERED.keys()].map(offer).join(', ');
  },
};

function issued({ memory, fresh }: SchemeContext): Issued {
  const known = memory.get('digest') as Issued | undefined;
  if (known !== undefined) return known;
  const made: Issued = { opaque: fresh(16), nonces: new Map() };
  memory.set('digest', made);
  return made;
}

/** Undefined where it is not Digest, or a parameter stands twice. */
function parameters(header: string): Map<string, string> | undefined {
  const list = /^Digest +(.*)$/is.exec(header)?.[1];
  if (list === undefined) return undefined;
  const found = new Map<string, string>();
  for (const [, name = '', text, word] of list.matchAll(/([a-z*]+)=(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))/gi)) {
    const key = name.toLowerCase();
    if (found.has(key)) return undefined;
    found.set(key, text === undefined ? word! : text.replaceAll(/\\(.)/g, '$1'));
  }
  return found;
}

/** Everything but the nonce's age and use. */
function proves(sent: Map<string, string>, request: Incoming, context: SchemeContext): boolean {
  const hash = OFFERED.get((sent.get('algorithm') ?? 'MD5').toUpperCase());
  const [nonce = '', nc = '', cnonce = '', uri] = ['nonce', 'nc', 'cnonce', 'uri'].map((name) => sent.get(name));
  const target = request.search === '' ? request.path : `${request.path}?${request.search}`;
  if (hash === undefined || uri !== target) return false;
  if (sent.get('realm') !== REALM || sent.get('opaque') !== issued(context).opaque || sent.get('qop') !== 'auth') return false;
  if (nonce === '' || cnonce === '' || !/^[0-9a-f]{8}$/i.test(nc)) return false;
  const [username, password] = [context.values.username ?? '', context.values.password ?? ''].map((text) => text.normalize('NFC'));
  if (userName(sent) !== username) return false;
  const h = (text: string): string => createHash(hash).update(text).digest('hex');
  const proof = `${nonce}:${nc}:${cnonce}:auth:${h(`${request.method}:${target}`)}`;
  return same(sent.get('response') ?? '', h(`${h(`${username}:${REALM}:${password}`)}:${proof}`));
}

/** `username*` is percent-encoded UTF-8 (RFC 5987, 3.2); a quoted one is read as UTF-8 too, which is what curl sends. */
function userName(sent: Map<string, string>): string | undefined {
  const [plain, extended] = [sent.get('username'), sent.get('username*')];
  if (extended === undefined) return plain === undefined ? undefined : Buffer.from(plain, 'latin1').toString('utf8');
  const encoded = plain === undefined ? /^UTF-8'[^']*'(.*)$/i.exec(extended)?.[1] : undefined;
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
