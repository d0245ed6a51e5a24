import { FerruleError, isFerruleError } from '../core/errors.ts';

/** System errors in words; their codes stay for those who search for them. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOSPC: 'no space is left on the device',
    EACCES: 'permission is denied',
    EISDIR: 'it is a folder',
    ENOENT: 'the folder does not exist',
    EROFS: 'the file system is read-only',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file would become too large',
    EPIPE: 'the reader has gone away',
  };
  return code !== undefined && known[code] !== undefined ? `${known[code]} (${code})` : message;
}

/** What a system error becomes that met the file or folder `path`; an error of ours stays as it is. */
export function outputFailed(path: string, error: unknown, does = 'Writing'): FerruleError {
  if (isFerruleError(error)) return error;
  return new FerruleError('output_failed', `${does} ${path} failed: ${reason(error)}`, {
    where: path,
    next: 'Check the disk and the path, and run again: what was committed is kept, and the next run goes on from there.',
    cause: error,
  });
}

/** What is at `path` cannot be gone on with: `what` says why, as a sentence. */
export function unreadable(path: string, what: string, next?: string): FerruleError {
  return new FerruleError('output_unreadable', what, { where: path, ...(next !== undefined && { next }) });
}
