import { createHmac, timingSafeEqual } from 'node:crypto';
import { md4 } from '../../core/md4.ts';
import { rc4 } from '../../core/rc4.ts';
import type { Verdict } from '../authenticate.ts';
import type { Incoming } from '../request.ts';
import type { Scheme } from '../scheme.ts';

/** What the server keeps for one TCP connection: NTLM proves the connection, not the request (MS-NTHT 1.3). Begins as `{}`. */
export interface NtlmConnection {
  /** The handshake under way: the client's first message and our challenge to it. */
  open?: { negotiate: Buffer; challenge: Buffer };
  /** Proven: every further request of the connection is let in. */
  proven?: boolean;
}

/** The one account that the provider knows. */
export interface NtlmAccount {
  username: string;
  password: string;
  /** Empty or absent: any domain is taken. */
  domain?: string | undefined;
}

export interface NtlmAnswer {
  verdict: Verdict;
  /** WWW-Authenticate of the 401; absent when the request is let in. */
  challenge?: string;
}

/** Where the parts of an AUTHENTICATE message are described (MS-NLMP 2.2.1.3). */
const AT = { nt: 20, domain: 28, username: 36, encryptedKey: 52, flags: 60, version: 64, mic: 72, payload: 88 } as const;
const UNICODE = 0x1;
const SIGN_OR_SEAL = 0x30;
const KEY_EXCHANGE = 0x40000000;
/** Pairs of the target information (MS-NLMP 2.2.2.1). */
const PAIR_FLAGS = 6;
const PAIR_TIME = 7;

/**
 * One request as a server of MS-NTHT reads it. `authorization`: the request's header; `now`: milliseconds since the epoch; `nonce`: 8 fresh
 * random bytes. Changes `connection`.
 */
export function answerNtlm(
  authorization: string | undefined,
  connection: NtlmConnection,
  account: NtlmAccount,
  now: number,
  nonce: Uint8Array,
): NtlmAnswer {
  if (authorization === undefined && connection.proven) return { verdict: 'good' };
  const message = token(authorization);
  const { open } = connection;
  delete connection.open;
  // Whoever sends a token on a proven connection begins anew.
  connection.proven = false;
  if (message === undefined) return { verdict: authorization === undefined ? 'missing' : 'wrong', challenge: 'NTLM' };
  if (message.readUInt32LE(8) === 1) {
    const challenge = challengeMessage(message, now, nonce);
    connection.open = { negotiate: message, challenge };
    return { verdict: 'missing', challenge: `NTLM ${challenge.toString('base64')}` };
  }
  if (open === undefined || verifyAuthenticate(message, open, account) === 'wrong') return { verdict: 'wrong', challenge: 'NTLM' };
  connection.proven = true;
  return { verdict: 'good' };
}

function token(authorization: string | undefined): Buffer | undefined {
  const [, base64] = /^NTLM +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  const message = Buffer.from(base64 ?? '', 'base64');
  return message.length >= 16 && message.toString('latin1', 0, 8) === 'NTLMSSP\0' ? message : undefined;
}

/** A CHALLENGE that asks for all that the client offered, and gives the server's time, so that a MIC is due (MS-NLMP 2.2.1.2). */
function challengeMessage(negotiate: Buffer, now: number, nonce: Uint8Array): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigInt64LE((BigInt(now) + 11644473600000n) * 10000n);
  const pairs: [number, Buffer][] = [
    [2, Buffer.from('FERRULE', 'utf16le')],
    [1, Buffer.from('SANDBOX', 'utf16le')],
    [4, Buffer.from('ferrule.example', 'utf16le')],
    [3, Buffer.from('sandbox.ferrule.example', 'utf16le')],
    [PAIR_TIME, time],
    [0, Buffer.alloc(0)],
  ];
  const info = Buffer.concat(pairs.flatMap(([id, value]) => [Buffer.of(id, 0, value.length, 0), value]));
  const name = Buffer.from('FERRULE', 'utf16le');
  const head = Buffer.alloc(56);
  head.write('NTLMSSP\0', 'latin1');
  head.writeUInt32LE(2, 8);
  describePart(head, 12, name.length, 56);
  // Without OEM text and the LAN Manager key; with a target that is a domain, and target information.
  head.writeUInt32LE(((negotiate.readUInt32LE(12) & ~0x82) | 0x00810205) >>> 0, 20);
  head.set(nonce, 24);
  describePart(head, 40, info.length, 56 + name.length);
  head.set([10, 0, 0, 0, 0, 0, 0, 15], 48);
  return Buffer.concat([head, name, info]);
}

function describePart(head: Buffer, at: number, length: number, offset: number): void {
  head.writeUInt16LE(length, at);
  head.writeUInt16LE(length, at + 2);
  head.writeUInt32LE(offset, at + 4);
}

/**
 * Judges the third message (MS-NLMP 3.2.5.1.2). Our challenge gave the server's time, so a client owes a MIC (3.1.5.1.2); one that
 * says it has none is let in by its proof alone, as servers do for older clients (curl is one).
 */
export function verifyAuthenticate(
  message: Buffer,
  { negotiate, challenge }: { negotiate: Buffer; challenge: Buffer },
  account: NtlmAccount,
): 'good' | 'wrong' {
  if (message.length < AT.version || message.readUInt32LE(8) !== 3 || !(message.readUInt32LE(AT.flags) & UNICODE)) return 'wrong';
  const [nt, domain, username, encryptedKey] = [AT.nt, AT.domain, AT.username, AT.encryptedKey].map((at) => part(message, at));
  if (nt === undefined || domain === undefined || username === undefined || encryptedKey === undefined) return 'wrong';
  if (!isAccount(username.toString('utf16le'), domain.toString('utf16le'), account)) return 'wrong';

  // The client's own spelling counts: it is what it has put under the key.
  const key = mac(md4(Buffer.from(account.password, 'utf16le')), [Buffer.from(capitals(username.toString('utf16le')), 'utf16le'), domain]);
  const proof = mac(key, [challenge.subarray(24, 32), nt.subarray(16)]);
  if (nt.length < 48 || !timingSafeEqual(proof, nt.subarray(0, 16))) return 'wrong';
  const said = readPairs(nt.subarray(16 + 28));
  if (!repeats(said, challenge)) return 'wrong';
  if (!claimsMic(said)) return 'good';
  if (message.length < AT.payload || !takesTime(nt.subarray(16), challenge)) return 'wrong';

  let sessionKey = mac(key, [proof]);
  const flags = message.readUInt32LE(AT.flags);
  if (flags & KEY_EXCHANGE && flags & SIGN_OR_SEAL) {
    if (encryptedKey.length !== 16) return 'wrong';
    sessionKey = rc4(sessionKey, encryptedKey);
  }
  const blank = Buffer.from(message).fill(0, AT.mic, AT.mic + 16);
  const mic = mac(sessionKey, [negotiate, challenge, blank]);
  return timingSafeEqual(mic, message.subarray(AT.mic, AT.mic + 16)) ? 'good' : 'wrong';
}

/** A part of the message by its description; undefined when it does not lie wholly behind the header. */
function part(message: Buffer, at: number): Buffer | undefined {
  const [length, offset] = [message.readUInt16LE(at), message.readUInt32LE(at + 4)];
  if (length === 0) return Buffer.alloc(0);
  return offset >= AT.version && offset + length <= message.length ? message.subarray(offset, offset + length) : undefined;
}

function isAccount(username: string, domain: string, account: NtlmAccount): boolean {
  const rightDomain = !account.domain || capitals(domain) === capitals(account.domain);
  return rightDomain && capitals(username) === capitals(account.username);
}

/** Letter by letter, as Windows does: no letter becomes two. */
function capitals(text: string): string {
  return text.replace(/[\s\S]/g, (letter) => {
    const capital = letter.toUpperCase();
    return capital.length > 1 ? letter : capital;
  });
}

/** The client repeats our pairs (MS-NLMP 3.1.5.1.2). */
function repeats(said: ReadonlyMap<number, Buffer>, challenge: Buffer): boolean {
  return [...pairsOf(challenge)].every(([id, value]) => id === PAIR_FLAGS || said.get(id)?.equals(value) === true);
}

/** It takes our time for its own. */
const takesTime = (temp: Buffer, challenge: Buffer): boolean => pairsOf(challenge).get(PAIR_TIME)?.equals(temp.subarray(8, 16)) === true;

/** MS-NLMP 2.2.2.1, MsvAvFlags: the proof covers it, so nobody on the way can take it out. */
function claimsMic(said: ReadonlyMap<number, Buffer>): boolean {
  const flags = said.get(PAIR_FLAGS);
  return flags?.length === 4 && (flags.readUInt32LE() & 2) !== 0;
}

const pairsOf = (challenge: Buffer): Map<number, Buffer> => readPairs(challenge.subarray(challenge.readUInt32LE(44)));

function readPairs(info: Buffer): Map<number, Buffer> {
  const pairs = new Map<number, Buffer>();
  let rest = info;
  while (rest.length >= 4 && rest.readUInt16LE() !== 0) {
    const end = 4 + rest.readUInt16LE(2);
    pairs.set(rest.readUInt16LE(), rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return pairs;
}

const mac = (key: Uint8Array, parts: Uint8Array[]): Buffer => {
  const hmac = createHmac('md5', key);
  for (const one of parts) hmac.update(one);
  return hmac.digest();
};

const answers = new WeakMap<Incoming, NtlmAnswer>();

/** The same as a scheme. A request is answered once, however often it is asked for: each answer changes the connection. */
export const ntlm: Scheme = {
  type: 'ntlm',

  verify(request, { values, now, fresh }) {
    const { username = '', password = '', domain } = values;
    const known = answers.get(request);
    const account = { username, password, domain };
    const answer =
      known ??
      answerNtlm(request.headers.authorization, (request.connection ?? {}) as NtlmConnection, account, now, Buffer.from(fresh(8), 'hex'));
    answers.set(request, answer);
    return answer.verdict;
  },

  challenge: (_verdict, request) => answers.get(request)?.challenge,
};
