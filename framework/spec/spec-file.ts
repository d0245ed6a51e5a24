import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FerruleError } from '../core/errors.ts';

/** The largest spec that is read. Bytes. */
export const MAX_BYTES: number = 1024 * 1024;

/**
 * The bytes of a spec's file, and one byte more than a spec may have of what is larger. A pipe or a device is not read: nobody knows when
 * it ends, or whether it begins. @throws FerruleError spec_unreadable
 */
export function specBytes(path: string): Uint8Array {
  let file: number | undefined;
  try {
    // Without O_NONBLOCK a pipe that nobody writes to is opened when somebody does.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) {
      throw new FerruleError('spec_unreadable', `${path} is no file`, { where: path, next: 'Name a file, or lint standard input with -.' });
    }
    return readUpTo(file, MAX_BYTES + 1);
  } catch (cause) {
    if (cause instanceof FerruleError) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new FerruleError('spec_unreadable', `${path} cannot be read (${reason})`, { where: path, cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The size that a file tells of itself may be none (in /proc), or change. */
function readUpTo(file: number, most: number): Uint8Array {
  let bytes = Buffer.allocUnsafe(Math.min(most, fstatSync(file).size + 1));
  let size = 0;
  for (;;) {
    const read = readSync(file, bytes, size, bytes.length - size, null);
    size += read;
    if (read === 0 || size === most) return bytes.subarray(0, size);
    if (size === bytes.length) bytes = Buffer.concat([bytes], Math.min(most, 2 * size + 1024));
  }
}

/** The same for who waits. @throws FerruleError spec_unreadable */
export const readSpecFile = async (path: string): Promise<Uint8Array> => specBytes(path);

/** The same value, with everything in it frozen. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}
