import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';

/** The bytes of a spec's file. @throws FerruleError spec_unreadable */
export async function readSpecFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new FerruleError('spec_unreadable', `${path} cannot be read (${reason})`, { where: path, cause });
  }
}

/** The same value, with everything in it frozen. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}
