import { createHmac } from 'node:crypto';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { md4 } from '../core/md4.ts';
import { rc4 } from '../core/rc4.ts';

/** MS-NLMP 2.2.2.5: the flags that we read or send. */
const FLAG = {
  unicode: 0x00000001,
  requestTarget: 0x00000004,
  sign: 0x00000010,
  seal: 0x00000020,
  ntlm: 0x00000200,
  alwaysSign: 0x00008000,
  extendedSessionSecurity: 0x00080000,
  targetInfo: 0x00800000,
  version: 0x02000000,
  key128: 0x20000000,
  keyExchange: 0x40000000,
  key56: 0x80000000,
} as const;
/** Over HTTP nothing is signed or sealed, but without these two MS-NLMP exchanges no session key. */
const SIGNED = FLAG.sign | FLAG.seal;
const OFFERED = Object.values(FLAG).reduce((all, flag) => (all | flag) >>> 0, 0);

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');
/** MS-NLMP 2.2.2.10: 10.0, build 0, NTLMSSP_REVISION_W2K3. For debugging only; sent because it fixes where the MIC stands. */
const VERSION = Buffer.from('0a0000000000000f', 'hex');

/** MS-NLMP 2.2.2.1. */
const AV = { end: 0, flags: 6, timestamp: 7 } as const;
/** Bytes, where they are fixed. */
const AV_SIZES: Readonly<Record<number, number>> = { [AV.flags]: 4, [AV.timestamp]: 8 };
/** In the pair `flags`: the message carries a MIC. */
const AV_MIC = 2;
/** Bytes: what we send back is longer by some 60, and must fit 16 bits. Real ones have a few hundred. */
const LONGEST_INFO = 0x7fff;

/** What a CHALLENGE_MESSAGE says (MS-NLMP 2.2.1.2). */
export interface NtlmChallenge {
  /** The message as it came: the MIC covers it. */
  message: Buffer;
  flags: number;
  /** 8 bytes. */
  serverChallenge: Buffer;
  /** The AV pairs in the server's order, without the closing one. */
  targetInfo: readonly AvPair[];
}

interface AvPair {
  id: number;
  value: Buffer;
}

export interface NtlmAnswer {
  challenge: NtlmChallenge;
  /** The bytes of the NEGOTIATE_MESSAGE that the challenge answers. */
  negotiate: Uint8Array;
  /** `user`, `user@realm`; or `DOMAIN\user` when no domain is given. */
  username: string;
  password: string;
  domain?: string | undefined;
  workstation?: string | undefined;
  /** Milliseconds since the epoch; counts only where the server sends no time of its own. */
  now: number;
  random: Random;
}

/** The first message (MS-NLMP 2.2.1.1): 40 bytes, naming neither domain nor workstation. */
export function negotiateMessage(): Buffer {
  const nowhere = Buffer.from('0000000028000000', 'hex');
  return Buffer.concat([SIGNATURE, uint32(1), uint32(OFFERED), nowhere, nowhere, VERSION]);
}

/**
 * The server's answer to it (MS-NLMP 2.2.1.2).
 * @throws FerruleError response_malformed, when it is not such a message or the server has no Unicode
 */
export function parseChallenge(bytes: Uint8Array): NtlmChallenge {
  const message = Buffer.from(bytes);
  if (message.length < 32 || !message.subarray(0, 8).equals(SIGNATURE) || message.readUInt32LE(8) !== 2) {
    throw unreadable('it is no CHALLENGE message');
  }
  const flags = message.readUInt32LE(20);
  if (!(flags & FLAG.unicode)) throw unreadable('the server offers no Unicode');
  return { message, flags, serverChallenge: message.subarray(24, 32), targetInfo: targetInfo(message, flags) };
}

/** Servers of old end before the field, or leave it out by its flag. */
function targetInfo(message: Buffer, flags: number): AvPair[] {
  if (!(flags & FLAG.targetInfo) || message.length < 48) return [];
  const size = message.readUInt16LE(40);
  const start = message.readUInt32LE(44);
  if (size > LONGEST_INFO) throw unreadable('its target information is too long');
  if (start + size > message.length) throw unreadable('its target information is cut off');
  return readPairs(message.subarray(start, start + size));
}

function readPairs(info: Buffer): AvPair[] {
  const pairs: AvPair[] = [];
  for (let at = 0; at < info.length; ) {
    const next = at + 4 + (at + 4 <= info.length ? info.readUInt16LE(at + 2) : 0);
    if (next > info.length) throw unreadable('its target information is cut off');
    const pair = { id: info.readUInt16LE(at), value: info.subarray(at + 4, next) };
    if (pair.id === AV.end) break;
    if (pair.value.length !== (AV_SIZES[pair.id] ?? pair.value.length))
      throw unreadable('its target information has a pair of a wrong size');
    pairs.push(pair);
    at = next;
  }
  return pairs;
}

/**
 * The message that proves the password (MS-NLMP 2.2.1.3 and 3.1.5.1.2), always with NTLMv2. A server that sends its time gets
 * a MIC over all three messages, and no LMv2 response.
 * @throws FerruleError input_missing without a user name, input_malformed where a name is longer than the message can hold
 */
export function authenticateMessage(answer: NtlmAnswer): Buffer {
  const { challenge, negotiate, random } = answer;
  const { username, domain } = account(answer);
  const workstation = utf16(answer.workstation ?? '', 'workstation');
  const timed = challenge.targetInfo.some(({ id }) => id === AV.timestamp);
  const key = responseKey(username, answer.password, domain);
  const { nt, lm, sessionBaseKey } = responses(key, challenge, answer.now, Buffer.from(random.bytes(8)), timed);

  // MS-NLMP 3.3.2: with NTLMv2 the key exchange key is the session base key.
  const flags = ((OFFERED & challenge.flags) | FLAG.requestTarget | FLAG.version) >>> 0;
  const exchanged = flags & FLAG.keyExchange && flags & SIGNED ? Buffer.from(random.bytes(16)) : undefined;
  const encryptedKey = exchanged === undefined ? Buffer.alloc(0) : rc4(sessionBaseKey, exchanged);

  const fields = { lm, nt, domain: utf16(domain, 'domain'), username: utf16(username, 'username'), workstation, encryptedKey };
  const message = layOut(fields, flags, timed);
  if (timed) message.set(hmac(exchanged ?? sessionBaseKey, negotiate, challenge.message, message), MIC_AT);
  return message;
}

function account({ username, domain }: NtlmAnswer): { username: string; domain: string } {
  const cut = domain === undefined ? username.indexOf('\\') : -1;
  const name = username.slice(cut + 1);
  if (name === '') throw new FerruleError('input_missing', 'NTLM needs a user name', { where: 'username' });
  return { username: name, domain: cut < 0 ? (domain ?? '') : username.slice(0, cut) };
}

/** NTOWFv2 (MS-NLMP 3.3.2). The domain keeps its case, the user name does not. */
function responseKey(username: string, password: string, domain: string): Buffer {
  return hmac(md4(Buffer.from(password, 'utf16le')), Buffer.from(upperCase(username) + domain, 'utf16le'));
}

/** Windows maps one UTF-16 unit to one: ß stays, where toUpperCase would write SS. */
function upperCase(text: string): string {
  return text.split('').map(upperUnit).join('');
}

function upperUnit(unit: string): string {
  const upper = unit.toUpperCase();
  return upper.length === 1 ? upper : unit;
}

/** MS-NLMP 3.3.2: both responses and the session base key, 16 bytes. */
function responses(key: Buffer, { serverChallenge, targetInfo }: NtlmChallenge, now: number, clientChallenge: Buffer, timed: boolean) {
  const time = targetInfo.find(({ id }) => id === AV.timestamp)?.value ?? fileTime(now);
  const zeros = Buffer.alloc(4);
  const pairs = writePairs(timed ? withMicFlag(targetInfo) : targetInfo);
  const temp = Buffer.concat([Buffer.from('0101000000000000', 'hex'), time, clientChallenge, zeros, pairs, zeros]);
  const proof = hmac(key, serverChallenge, temp);
  return {
    nt: Buffer.concat([proof, temp]),
    lm: timed ? Buffer.alloc(24) : Buffer.concat([hmac(key, serverChallenge, clientChallenge), clientChallenge]),
    sessionBaseKey: hmac(key, proof),
  };
}

function withMicFlag(pairs: readonly AvPair[]): AvPair[] {
  const own = pairs.find(({ id }) => id === AV.flags);
  const flags: AvPair = { id: AV.flags, value: uint32(((own?.value.readUInt32LE() ?? 0) | AV_MIC) >>> 0) };
  return own === undefined ? [...pairs, flags] : pairs.map((pair) => (pair === own ? flags : pair));
}

function writePairs(pairs: readonly AvPair[]): Buffer {
  const written = [...pairs, { id: AV.end, value: Buffer.alloc(0) }];
  return Buffer.concat(written.flatMap(({ id, value }) => [uint16(id), uint16(value.length), value]));
}

/** 100 ns since 1601 (MS-DTYP 2.3.3). */
function fileTime(now: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE((BigInt(Math.trunc(now)) + 11_644_473_600_000n) * 10_000n);
  return time;
}

type Fields = Record<'lm' | 'nt' | 'domain' | 'username' | 'workstation' | 'encryptedKey', Buffer>;

const MIC_AT = 72;
/** The header names the fields in one order; the payload holds them in another, as in the example of MS-NLMP 4.2.4.3. */
const HEADER = ['lm', 'nt', 'domain', 'username', 'workstation', 'encryptedKey'] as const;
const PAYLOAD = ['domain', 'username', 'workstation', 'lm', 'nt', 'encryptedKey'] as const;

/** MS-NLMP 2.2.1.3, with room for the MIC when asked. */
function layOut(fields: Fields, flags: number, withMic: boolean): Buffer {
  const places = new Map<keyof Fields, Buffer>();
  let at = withMic ? MIC_AT + 16 : MIC_AT;
  for (const name of PAYLOAD) {
    const { length } = fields[name];
    places.set(name, Buffer.concat([uint16(length), uint16(length), uint32(at)]));
    at += length;
  }
  const header = HEADER.map((name) => places.get(name) as Buffer);
  const payload = PAYLOAD.map((name) => fields[name]);
  return Buffer.concat([SIGNATURE, uint32(3), ...header, uint32(flags), VERSION, Buffer.alloc(withMic ? 16 : 0), ...payload]);
}

/** The lengths are 16 bits wide; and no account has a name that long. */
function utf16(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  if (bytes.length > 0xffff) throw new FerruleError('input_malformed', 'The value is too long for an NTLM message', { where });
  return bytes;
}

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const mac = createHmac('md5', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function unreadable(why: string): FerruleError {
  return new FerruleError('response_malformed', `The NTLM challenge cannot be read: ${why}`, {
    where: 'WWW-Authenticate',
    next: 'Check that the address is the right one, and that no proxy changes what the server sends.',
  });
}
