import { createHash } from 'node:crypto';
import { percent } from '../../core/encode.ts';
import { FerruleError } from '../../core/errors.ts';
import type { Json } from '../../core/value.ts';
import type { Signer, SignerContext, Unsigned } from '../signer.ts';

/** What a server asked for, as it is kept from one request to the next. Texts as in the header: one character per byte. */
type Challenge = {
  realm: string;
  nonce: string;
  /** In the server's own spelling; null where it names none, which means MD5. */
  algorithm: string | null;
  opaque: string | null;
  /** Null: the form of RFC 2069, without cnonce and count. */
  qop: 'auth' | 'auth-int' | null;
  userhash: boolean;
  /** charset=UTF-8: names and passwords in Normalization Form C (RFC 7616, 4). */
  normal: boolean;
};

/** Names of RFC 7616, 6.1, weakest first, and what Node calls them. */
const HASHES: readonly (readonly [string, string])[] = [
  ['MD5', 'md5'],
  ['SHA-256', 'sha256'],
  ['SHA-512-256', 'sha512-256'],
];

/**
 * HTTP Digest (RFC 7616; RFC 2617 and 2069 for older servers). Values: `username`, `password`.
 * The first request goes out bare; the server's challenge is then kept and used until the server gives another nonce.
 * Memory: `challenge`, `count` (requests signed with its nonce), `cnonce` (for -sess), `excused` (see `challenged`).
 */
export const digest: Signer = {
  type: 'digest',

  sign(request, context) {
    const { memory } = context;
    const [username, password] = [field('username', context), field('password', context)];
    const challenge = memory.challenge as Challenge | undefined;
    if (challenge === undefined) {
      memory.excused = excused(memory) + 1;
      return {};
    }
    memory.count = number(memory.count) + 1;
    const count = memory.count.toString(16).padStart(8, '0');
    const spell = (text: string): string => bytes(challenge.normal ? text.normalize('NFC') : text);
    const credential = { username: spell(username), password: spell(password) };
    return { headers: { authorization: authorization(challenge, request, credential, count, clientNonce(challenge, context)) } };
  },

  about(_request, { headers = {} }) {
    const { authorization: sent } = headers;
    if (sent === undefined) return undefined;
    const parameter = (name: string): string | undefined => new RegExp(`\\b${name}="?([\\w-]+)`).exec(sent)?.[1];
    const body = parameter('qop') === 'auth-int' ? ['body'] : [];
    return { algorithm: `Digest ${parameter('algorithm') ?? 'MD5'}`, covers: ['method', 'path and query', ...body] };
  },

  /**
   * A refusal is the password's fault unless the server says `stale`, asks for another realm, or the refusal is excused:
   * each request that went out bare earns one excuse, and so does a nonce that has served, for not every server says
   * `stale` when it has forgotten one. The answer alone does not tell which request it belongs to; hence a count.
   */
  challenged({ status, headers }, { memory }) {
    const offer = status === 401 ? strongest(headers['www-authenticate'] ?? '') : undefined;
    if (offer === undefined) return false;
    const before = memory.challenge as Challenge | undefined;
    adopt(memory, offer.challenge);
    if (offer.stale) return true;
    if (before?.realm === offer.challenge.realm && excused(memory) === 0) return false;
    memory.excused = Math.max(0, excused(memory) - 1);
    return true;
  },

  answered({ status, headers }, { memory }) {
    if (status >= 400) return;
    const challenge = memory.challenge as Challenge | undefined;
    if (challenge === undefined) {
      memory.excused = Math.max(0, excused(memory) - 1);
      return;
    }
    memory.excused = Math.max(1, excused(memory));
    const nonce = parameters(headers['authentication-info'] ?? '').get('nextnonce');
    if (nonce !== undefined) adopt(memory, { ...challenge, nonce });
  },
};

export interface DigestInput {
  /** A name of RFC 7616, 6.1, in any case, with or without -sess. */
  algorithm: string;
  /** Texts have one character per byte, so that those of the header stay what they were. */
  username: string;
  realm: string;
  password: string;
  method: string;
  /** The request's target: path and query. */
  uri: string;
  nonce: string;
  /** Left out: RFC 2069. */
  qop?: 'auth' | 'auth-int' | null;
  /** Eight hexadecimal digits; needed with `qop`. */
  nc?: string;
  cnonce?: string;
  /** Only `auth-int` looks at it. */
  body?: Uint8Array;
}

/** The `response` of RFC 7616, 3.4.1 to 3.4.3 (without `qop`: RFC 2069, 2.1.2), in lower-case hexadecimal digits. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, username, realm, password, method, uri, nonce, qop, nc = '', cnonce = '', body = new Uint8Array() } = input;
  const { hash, session } = algorithmOf(algorithm)!;
  const user = digested(hash, username, realm, password);
  // RFC 7616, 3.4.2
  const a1 = session ? digested(hash, user, nonce, cnonce) : user;
  const entity = qop === 'auth-int' ? [createHash(hash).update(body).digest('hex')] : [];
  const a2 = digested(hash, method, uri, ...entity);
  return qop ? digested(hash, a1, nonce, nc, cnonce, qop, a2) : digested(hash, a1, nonce, a2);
}

const digested = (hash: string, ...parts: string[]): string => createHash(hash).update(parts.join(':'), 'latin1').digest('hex');

/** UTF-8, one character per byte. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
const excused = (memory: SignerContext['memory']): number => number(memory.excused);

function field(name: string, { values }: SignerContext): string {
  const value = values[name];
  if (value === undefined) throw new FerruleError('input_missing', `${name} is missing`, { where: `fields.${name}` });
  return value;
}

/** The count belongs to a nonce: a server that gives the same one again would take a second 00000001 for a replay. */
function adopt(memory: SignerContext['memory'], challenge: Challenge): void {
  if ((memory.challenge as Challenge | undefined)?.nonce !== challenge.nonce) {
    memory.count = 0;
    delete memory.cnonce;
  }
  memory.challenge = challenge;
}

/** -sess keeps its cnonce as long as the nonce: some servers make the session key once, others for each request. */
function clientNonce({ algorithm }: Challenge, { memory, random }: SignerContext): string {
  const fresh = (): string => Buffer.from(random.bytes(16)).toString('hex');
  if (!algorithmOf(algorithm)?.session) return fresh();
  if (typeof memory.cnonce !== 'string') memory.cnonce = fresh();
  return memory.cnonce;
}

/** RFC 7616, 3.4: which of these are quoted is part of the syntax. */
function authorization(
  challenge: Challenge,
  request: Unsigned,
  credential: { username: string; password: string },
  nc: string,
  cnonce: string,
): string {
  const { realm, nonce, algorithm, opaque, qop, userhash } = challenge;
  const { pathname, search } = new URL(request.href);
  const uri = pathname + search;
  const { method, body } = request;
  const response = digestResponse({ ...credential, algorithm: algorithm ?? 'MD5', realm, method, uri, nonce, qop, nc, cnonce, body });
  const parts = [
    user(challenge, credential.username),
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
  ];
  if (algorithm !== null) parts.push(`algorithm=${algorithm}`);
  if (opaque !== null) parts.push(`opaque=${quoted(opaque)}`);
  if (qop !== null) parts.push(`qop=${qop}`, `nc=${nc}`, `cnonce="${cnonce}"`);
  if (userhash) parts.push('userhash=true');
  return `Digest ${parts.join(', ')}`;
}

/**
 * RFC 7616, 3.4 and 3.4.4: hashed where the server asks for it; `username*` (RFC 5987) beyond ASCII for a server that names a
 * charset. One that names none may be of RFC 2617, which has no `username*`: such servers (Apache) want the bytes as they are.
 */
function user({ algorithm, realm, userhash, normal }: Challenge, username: string): string {
  if (userhash) return `username="${digested(algorithmOf(algorithm)!.hash, username, realm)}"`;
  if ((normal ? /^[\x20-\x7e]*$/ : /^[\x20-\x7e\x80-\xff]*$/).test(username)) return `username=${quoted(username)}`;
  return `username*=UTF-8''${percent(Buffer.from(username, 'latin1').toString('utf8'))}`;
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

function algorithmOf(name: string | null): { hash: string; session: boolean; strength: number } | undefined {
  const upper = (name ?? 'MD5').toUpperCase();
  const session = upper.endsWith('-SESS');
  const strength = HASHES.findIndex(([known]) => known === (session ? upper.slice(0, -5) : upper));
  return strength < 0 ? undefined : { hash: HASHES[strength]![1], session, strength };
}

/** The Digest challenge with the strongest hash that we know; of equals the first, which is the one the server likes better. */
function strongest(header: string): { challenge: Challenge; stale: boolean } | undefined {
  const known = challenges(header).flatMap(({ scheme, given }) => {
    const challenge = scheme === 'digest' ? usable(given) : undefined;
    return challenge === undefined ? [] : [{ challenge, stale: given.get('stale')?.toLowerCase() === 'true' }];
  });
  const strength = (challenge: Challenge): number => algorithmOf(challenge.algorithm)!.strength;
  return known.sort((a, b) => strength(b.challenge) - strength(a.challenge))[0];
}

function usable(given: Map<string, string>): Challenge | undefined {
  const [realm, nonce, algorithm = null] = ['realm', 'nonce', 'algorithm'].map((name) => given.get(name));
  const offered = (given.get('qop') ?? '').split(',').flatMap((word) => word.trim().toLowerCase() || []);
  const qop = (['auth', 'auth-int'] as const).find((word) => offered.includes(word)) ?? null;
  const found = algorithmOf(algorithm);
  if (realm === undefined || nonce === undefined || found === undefined) return undefined;
  // A session key needs a cnonce, which goes with qop alone (RFC 2617, 3.2.2).
  if (qop === null && (offered.length > 0 || found.session)) return undefined;
  const says = (name: string, word: string): boolean => given.get(name)?.toLowerCase() === word;
  return {
    realm,
    nonce,
    algorithm,
    opaque: given.get('opaque') ?? null,
    qop,
    userhash: says('userhash', 'true'),
    normal: says('charset', 'utf-8'),
  };
}

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
/** `name=value` or `name="value"`; else a scheme, with its token68 if it has one (RFC 9110, 11.2 and 11.3). */
const PIECE = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))|(${TOKEN})(?:[ \\t]+[\\w.~+/-]+=*(?=[ \\t]*(?:,|$)))?`,
  'g',
);

/** Several challenges in one header, of any scheme: a comma separates both parameters and challenges. */
function challenges(header: string): { scheme: string; given: Map<string, string> }[] {
  const found: { scheme: string; given: Map<string, string> }[] = [{ scheme: '', given: new Map() }];
  for (const [, name, inQuotes, bare, scheme] of header.matchAll(PIECE)) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), given: new Map() });
    else found.at(-1)!.given.set(name!.toLowerCase(), inQuotes?.replace(/\\(.)/g, '$1') ?? bare!);
  }
  return found;
}

/** A header of parameters alone. */
const parameters = (header: string): Map<string, string> => challenges(header)[0]!.given;
