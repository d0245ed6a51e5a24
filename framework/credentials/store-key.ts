import { lstat, readFile } from 'node:fs/promises';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { createFile, unlessMissing } from './atomic-write.ts';

export const KEY_BYTES = 32;

/**
 * Reads a key from text: 64 hexadecimal digits, or base64 (also its URL form) of 32 bytes. `where` names the place it came from.
 * `store_key_wrong` otherwise; the text itself is never shown.
 */
export function parseKey(text: string, where: string): Buffer {
  const trimmed = text.trim();
  const wrong = (what: string) =>
    new FerruleError('store_key_wrong', `The key in ${where} ${what}.`, {
      where,
      next: `Give ${KEY_BYTES} bytes as base64 or as ${KEY_BYTES * 2} hexadecimal digits, for example from: openssl rand -base64 32`,
    });
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed)) throw wrong(trimmed === '' ? 'is empty' : 'is neither base64 nor hexadecimal');
  const bytes = Buffer.from(trimmed, 'base64');
  if (bytes.length !== KEY_BYTES) throw wrong(`has ${bytes.length} bytes, not ${KEY_BYTES}`);
  return bytes;
}

/** The key in a key file; undefined when there is no file. Refuses one that others than its owner may read. */
export async function readKeyFile(path: string): Promise<Buffer | undefined> {
  const found = await lstat(path).catch(unlessMissing);
  if (!found) return undefined;
  if (!found.isFile()) throw new FerruleError('store_unreadable', 'The key file is not a plain file.', { where: path });
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new FerruleError('store_unreadable', 'Others than its owner may read the key file.', {
      where: path,
      next: `Run: chmod 600 ${path} – and make a new key if somebody may have read this one.`,
    });
  }
  return parseKey(await readFile(path, 'utf8'), path);
}

/** Makes a key file with a new key, for its owner alone. When another process was faster, its key is the key. */
export async function makeKeyFile(path: string, random: Random): Promise<Buffer> {
  const text = `${Buffer.from(random.bytes(KEY_BYTES)).toString('base64')}\n`;
  await createFile(path, text, `${path}.${Buffer.from(random.bytes(8)).toString('hex')}.new`);
  const key = await readKeyFile(path);
  if (!key) throw new FerruleError('store_unreadable', 'The key file was removed while it was being made.', { where: path });
  return key;
}
