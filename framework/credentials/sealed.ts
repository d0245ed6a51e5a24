import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { mapTree } from './tree.ts';

/*
 * A sealed file, in order (lengths in bytes):
 *
 *   magic 7 "FERRULE" · format 1 · key id 8 · name length 2 (big endian) · name, UTF-8 · nonce 12 · ciphertext · tag 16 · checksum 8
 *
 * AES-256-GCM (NIST SP 800-38D) with all before the nonce as associated data: a record copied over another name does not
 * open. The checksum (SHA-256 of all before it, shortened) protects nobody from an attacker; it tells a half-written
 * or damaged file from one that another key has sealed, and the key id tells a wrong key from one that was changed on purpose.
 */
const MAGIC = Buffer.from('FERRULE');
const FORMAT = 1;
const NONCE = 12;
const TAG = 16;
const CHECKSUM = 8;
const KEY_ID = 8;

const checksum = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM);

/** The keys of a store: the first seals, all of them open. More than one while a store is sealed anew, or where former keys are kept for copies. */
export type KeyRing = readonly [Uint8Array, ...Uint8Array[]];

/** Says which key it was without saying the key. */
const keyId = (key: Uint8Array): Buffer => createHmac('sha256', key).update('ferrule key id').digest().subarray(0, KEY_ID);

function header(key: Uint8Array, name: string): Buffer {
  const bytes = Buffer.from(name);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([MAGIC, Buffer.of(FORMAT), keyId(key), length, bytes]);
}

/** Seals `data` under `name` with a 32-byte key and a fresh nonce. Secrets in `data` are revealed here and come back as Secret. */
export const seal = (name: string, data: unknown, key: Uint8Array, random: Random): Buffer => sealText(name, toText(data), key, random);

function sealText(name: string, text: string, key: Uint8Array, random: Random): Buffer {
  const head = header(key, name);
  const nonce = random.bytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(head);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const all = Buffer.concat([head, nonce, body, cipher.getAuthTag()]);
  return Buffer.concat([all, checksum(all)]);
}

/** Plain data as JSON, its secrets in the clear: for what is sealed at once. */
export const toText = (data: unknown): string => JSON.stringify(encode(data));

/** What `toText` was given. */
export const fromText = (text: string): unknown => decode(JSON.parse(text));

/** `{ $secret: text }` stands for a Secret; a key that itself begins with `$` gets one more. */
const encode = (data: unknown): unknown =>
  mapTree(
    data,
    (node) => (node instanceof Secret ? { value: { $secret: node.reveal() } } : undefined),
    (key) => (key.startsWith('$') ? `$${key}` : key),
  );

const decode = (data: unknown): unknown =>
  mapTree(
    data,
    (node) => {
      const text =
        typeof node === 'object' && node !== null && Object.hasOwn(node, '$secret') ? (node as { $secret: string }).$secret : undefined;
      return text === undefined ? undefined : { value: new Secret(text) };
    },
    (key) => (key.startsWith('$$') ? key.slice(1) : key),
  );

interface Parts {
  head: Buffer;
  keyId: Buffer;
  name: string;
  nonce: Buffer;
  body: Buffer;
  tag: Buffer;
}

function split(bytes: Buffer, where: string): Parts {
  const broken = (what: string) =>
    new FerruleError('store_unreadable', `A sealed file ${what}.`, {
      where,
      next: 'Put back a copy of the file, or remove it and connect again.',
    });
  const fixed = MAGIC.length + 1 + KEY_ID + 2;
  if (bytes.length < fixed + NONCE + TAG + CHECKSUM) throw broken('is too short: it was written half, or cut');
  const end = bytes.length - CHECKSUM;
  if (!checksum(bytes.subarray(0, end)).equals(bytes.subarray(end))) throw broken('is damaged: its checksum does not fit');
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw broken('is none of Ferrule');
  const format = bytes[MAGIC.length]!;
  if (format !== FORMAT) throw broken(`has format ${format}, which this Ferrule does not know`);
  const at = MAGIC.length + 1;
  const nameEnd = fixed + bytes.readUInt16BE(at + KEY_ID);
  if (nameEnd + NONCE + TAG > end) throw broken('is damaged: its name is longer than the file');
  return {
    head: bytes.subarray(0, nameEnd),
    keyId: bytes.subarray(at, at + KEY_ID),
    name: bytes.toString('utf8', fixed, nameEnd),
    nonce: bytes.subarray(nameEnd, nameEnd + NONCE),
    body: bytes.subarray(nameEnd + NONCE, end - TAG),
    tag: bytes.subarray(end - TAG, end),
  };
}

/** Whether this key has sealed it. */
export const isSealedWith = (key: Uint8Array, bytes: Buffer, where: string): boolean => split(bytes, where).keyId.equals(keyId(key));

/** The name a sealed file says it has: not proved until it was opened under that name. */
export const sealedName = (bytes: Buffer, where: string): string => split(bytes, where).name;

/** Sealed anew with the first key of the ring, to the same content; undefined when that key has sealed it already. */
export function reseal(bytes: Buffer, keys: KeyRing, random: Random, where: string): Buffer | undefined {
  if (isSealedWith(keys[0], bytes, where)) return undefined;
  const name = sealedName(bytes, where);
  return sealText(name, unsealText(name, bytes, keys, where), keys[0], random);
}

/**
 * Opens what `seal` made. `where` is the file, for errors. `store_key_wrong` when none of these keys sealed it; `store_unreadable`
 * when it is damaged, of another format, or sealed under another name.
 */
export const unseal = (name: string, bytes: Buffer, keys: KeyRing, where: string): unknown =>
  fromText(unsealText(name, bytes, keys, where));

function unsealText(name: string, bytes: Buffer, keys: KeyRing, where: string): string {
  const parts = split(bytes, where);
  const key = keys.find((one) => parts.keyId.equals(keyId(one)));
  if (key === undefined) {
    throw new FerruleError('store_key_wrong', 'The credential store was sealed with another key.', { where });
  }
  const changed = (cause?: unknown) =>
    new FerruleError('store_unreadable', 'A sealed file was changed, or copied from another credential.', {
      where,
      next: 'Put back a copy of the file, or remove it and connect again.',
      cause,
    });
  if (parts.name !== name) throw changed();
  const decipher = createDecipheriv('aes-256-gcm', key, parts.nonce, { authTagLength: TAG });
  decipher.setAAD(parts.head);
  decipher.setAuthTag(parts.tag);
  try {
    return Buffer.concat([decipher.update(parts.body), decipher.final()]).toString('utf8');
  } catch (error) {
    throw changed(error);
  }
}
