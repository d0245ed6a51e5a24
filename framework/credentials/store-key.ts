import { lstat, readFile } from 'node:fs/promises';
import { createFile, replaceFile, unlessMissing } from '../core/atomic-write.ts';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { KeyRing } from './sealed.ts';
import type { KeyPlace } from './types.ts';

export const KEY_BYTES = 32;

/** Where a store's keys come from. */
export interface KeySource {
  /** For messages: a variable's name, a file's path, an entry of a keyring. */
  readonly where: string;
  /** The keys as they are now; undefined: there is none yet. Asked again before each write, since another process may have changed them. */
  read(): Promise<KeyRing | undefined>;
  /** Makes the first key, and gives the one that holds: another process may have been faster. Missing where only a person can. */
  make?(): Promise<KeyRing>;
  /** Puts these keys in the place of all there are, whole or not at all. Only under the store's lock. Missing where only a person can. */
  replace?(keys: KeyRing): Promise<void>;
  /**
   * Puts the keys, after a new one, in another place, and gives all of them; undefined when they are there already. Only under the store's
   * lock. Missing where keys have no other place.
   */
  move?(to: KeyPlace, keys: KeyRing, fresh: Uint8Array): Promise<KeyRing | undefined>;
}

/**
 * Reads keys from text, the one that seals first: each 64 hexadecimal digits, or base64 (also its URL form) of 32 bytes, with white space
 * or commas between them. `where` names the place it came from. `store_key_wrong` otherwise; the text itself is never shown.
 */
export function parseKeys(text: string, where: string): KeyRing {
  const [first = '', ...others] = text.trim().split(/[\s,]+/);
  return [parseKey(first, where), ...others.map((one) => parseKey(one, where))];
}

function parseKey(text: string, where: string): Buffer {
  const wrong = (what: string) =>
    new FerruleError('store_key_wrong', `The key in ${where} ${what}.`, {
      where,
      next: `Give ${KEY_BYTES} bytes as base64 or as ${KEY_BYTES * 2} hexadecimal digits, for example from: openssl rand -base64 32`,
    });
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) throw wrong(text === '' ? 'is empty' : 'is neither base64 nor hexadecimal');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES) throw wrong(`has ${bytes.length} bytes, not ${KEY_BYTES}`);
  return bytes;
}

/** FERRULE_KEY: the person's own, never made. */
export const environmentKeys = (text: string): KeySource => ({
  where: 'FERRULE_KEY',
  read: async () => parseKeys(text, 'FERRULE_KEY'),
});

/** Keys that the caller has, and keeps. */
export function givenKeys(keys: KeyRing): KeySource {
  let given = keys;
  return {
    where: 'key',
    read: async () => given,
    replace: async (others) => {
      given = others;
    },
  };
}

/** Keys as `parseKeys` reads them. */
export const keyText = (keys: KeyRing): string => keys.map((key) => `${Buffer.from(key).toString('base64')}\n`).join('');

/** A key file for its owner alone. */
export const keyFile = (path: string, random: Random): KeySource => ({
  where: path,
  read: () => readKeys(path),
  make: async () => {
    await createFile(path, keyText([random.bytes(KEY_BYTES)]), `${path}.${Buffer.from(random.bytes(8)).toString('hex')}.new`);
    const keys = await readKeys(path);
    if (!keys) throw new FerruleError('store_unreadable', 'The key file was removed while it was being made.', { where: path });
    return keys;
  },
  replace: (keys) => replaceFile(path, Buffer.from(keyText(keys)), `${path}.new`),
});

async function readKeys(path: string): Promise<KeyRing | undefined> {
  const text = await readKeyText(path);
  return text === undefined ? undefined : parseKeys(text, path);
}

/** Undefined when there is no file. Refuses one that others than its owner may read. */
export async function readKeyText(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(unlessMissing);
  if (!found) return undefined;
  if (!found.isFile()) throw new FerruleError('store_unreadable', 'The key file is not a plain file.', { where: path });
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new FerruleError('store_unreadable', 'Others than its owner may read the key file.', {
      where: path,
      next: `Run: chmod 600 ${path} – and make a new key if somebody may have read this one.`,
    });
  }
  return readFile(path, 'utf8');
}
