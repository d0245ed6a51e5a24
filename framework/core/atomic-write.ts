import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reached } from './moment.ts';

/** The code of a system error (`ENOENT`), or undefined. By shape: an error of another realm is no `instanceof Error`. */
export const systemCode = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Makes a rename or a removal last a power cut. Windows cannot open folders, and needs no such step. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new file, for its owner alone, flushed; fails with EEXIST when there is one. What could be written only in part is removed. */
export async function writeNew(path: string, bytes: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    reached('written');
    reached('before_fsync');
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(path);
    throw error;
  }
  await handle.close();
}

/**
 * Replaces a file whole or not at all: a new file beside it (`temporary`, which nobody else may use), flushed, then
 * renamed over it. A temporary file that a killed process left is removed first.
 */
export async function replaceFile(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
  await unlink(temporary).catch(unlessMissing);
  await writeNew(temporary, bytes);
  try {
    reached('before_rename');
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes a file with its whole content, or returns false when there is one already: never seen half-written by others. */
export async function createFile(path: string, bytes: Uint8Array | string, temporary: string): Promise<boolean> {
  await writeNew(temporary, bytes);
  try {
    await link(temporary, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
}

/** For `.catch`: a file that is not there is no failure. */
export const unlessMissing = (error: unknown): undefined => {
  if (systemCode(error) !== 'ENOENT') throw error;
  return undefined;
};
