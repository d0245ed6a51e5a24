import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, unlessMissing } from '../core/atomic-write.ts';
import { unreadable } from './output-failure.ts';
import type { RowPlace, RowSet } from './rows.ts';
import { NEWLINE, writeAll } from './whole-lines.ts';

/** One file with rows, each ending in a newline: what JSON Lines and CSV have in common. */
export interface RowFile {
  readonly handle: FileHandle;
  /** Bytes, committed or not. */
  length: number;
  append(bytes: Uint8Array): Promise<void>;
  /** The same for pieces, with one call of the system. */
  appendAll(pieces: readonly Uint8Array[]): Promise<void>;
  /** Makes what was appended last. */
  flush(): Promise<void>;
  cut(length: number): Promise<void>;
  close(): Promise<void>;
}

export const pathOf = ({ folder, name }: RowPlace): string => join(folder, name);

/** Opens a file of rows, made if need be, and cuts off what stands behind `length`. */
export async function openRowFile(path: string, length: number): Promise<RowFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
  const file: RowFile = {
    handle,
    length,
    async append(bytes) {
      await writeAll(handle, bytes, file.length);
      file.length += bytes.length;
    },
    async appendAll(pieces) {
      const size = pieces.reduce((sum, { length }) => sum + length, 0);
      const { bytesWritten } = await handle.writev(pieces, file.length);
      // It may write less than it was given: then the rest once more as one.
      if (bytesWritten < size) await writeAll(handle, Buffer.concat(pieces).subarray(bytesWritten), file.length + bytesWritten);
      file.length += size;
    },
    flush: () => handle.datasync(),
    async cut(to) {
      file.length = to;
      await handle.truncate(to);
    },
    close: () => handle.close(),
  };
  try {
    await file.cut(length);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return file;
}

export const holdsFile = async (place: RowPlace): Promise<boolean> => ((await stat(pathOf(place)).catch(unlessMissing))?.size ?? 0) > 0;

/**
 * Ends a renaming that was committed, then looks whether the committed rows are there; what stands behind them is cut off.
 * @throws FerruleError output_unreadable
 */
export async function restoreFile(place: RowPlace, rows: RowSet): Promise<void> {
  const path = pathOf(place);
  if (rows.from !== undefined) await replaceRows({ ...place, name: rows.from }, place).catch(unlessMissing);
  await syncFolder(place.folder);
  const handle = await open(path, 'r+').catch(unlessMissing);
  if (handle === undefined) {
    if (rows.length === 0) return;
    throw unreadable(path, `${path} is missing, and ${rows.length} bytes were written to it.`, MEND);
  }
  try {
    const { size } = await handle.stat();
    if (size < rows.length)
      throw unreadable(path, `${path} was shortened: it has ${size} bytes of ${rows.length} that were written.`, MEND);
    if (rows.length > 0) {
      const last = new Uint8Array(1);
      await handle.read(last, 0, 1, rows.length - 1);
      if (last[0] !== NEWLINE) throw unreadable(path, `${path} was changed: no line ends where the last one was written.`, MEND);
    }
    if (size > rows.length) {
      await handle.truncate(rows.length);
      await handle.datasync();
    }
  } finally {
    await handle.close();
  }
}

const MEND = 'Put the file back as it was. Or choose another folder, or remove the file and its state, and read from the start.';

export const replaceRows = (from: RowPlace, to: RowPlace): Promise<void> => rename(pathOf(from), pathOf(to));

export const removeFile = async (place: RowPlace): Promise<void> => void (await unlink(pathOf(place)).catch(unlessMissing));
