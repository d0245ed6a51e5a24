import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { unlessMissing } from '../core/atomic-write.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { isNotInstalled, peerMissing } from './table-failure.ts';

export type Driver = typeof import('@duckdb/node-api');

/** The package and the version that it was tested with. */
export const DUCKDB = '@duckdb/node-api@1.5.6-r.1';

/** An open file. It takes one statement at a time, so transactions stand in a row. */
export interface DuckFile {
  readonly path: string;
  readonly driver: Driver;
  readonly connection: DuckDBConnection;
  /** All of `work` or nothing of it. @throws FerruleError output_failed, record_refused */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Waits for what runs, and writes the log into the file. */
  close(): Promise<void>;
}

/** Extensions would be fetched from the network, and what we need is built in. */
const SETTINGS = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };

/** DuckDB's lock is the process's: it keeps other processes out, and lets this one open the file twice and damage it. */
const opened = new Set<string>();

/** @throws FerruleError peer_missing */
export async function loadDriver(): Promise<Driver> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw isNotInstalled(error) ? peerMissing('A destination in DuckDB', [DUCKDB]) : error;
  }
}

/** @throws FerruleError peer_missing, output_locked, output_unreadable, output_failed */
export async function openFile(target: string): Promise<DuckFile> {
  const driver = await loadDriver();
  await mkdir(dirname(resolve(target)), { recursive: true }).catch((error: unknown) => {
    throw new FerruleError(
      'output_failed',
      `The folder of ${target} cannot be made (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      {
        where: target,
      },
    );
  });
  const path = await realPath(resolve(target));
  if (opened.has(path)) throw lockedBy(path, 'this process itself');
  opened.add(path);
  let instance: DuckDBInstance | undefined;
  try {
    instance = await driver.DuckDBInstance.create(path, SETTINGS);
    return fileOf(path, driver, instance, await instance.connect());
  } catch (error) {
    instance?.closeSync();
    opened.delete(path);
    throw openFailure(error, path);
  }
}

/** One name for one file, also through links; of a file that is to be made the folder's. */
async function realPath(path: string): Promise<string> {
  const there = await realpath(path).catch(unlessMissing);
  if (there !== undefined) return there;
  const folder = await realpath(dirname(path)).catch(unlessMissing);
  return folder === undefined ? path : join(folder, basename(path));
}

function fileOf(path: string, driver: Driver, instance: DuckDBInstance, connection: DuckDBConnection): DuckFile {
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    // Its failure is its caller's.
    last = turn.catch(() => undefined);
    return turn;
  };
  const transaction = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) throw new FerruleError('closed', 'The destination was closed.', { where: path });
    try {
      await connection.run('BEGIN');
      const done = await work();
      await connection.run('COMMIT');
      return done;
    } catch (error) {
      // After some failures there is none to roll back any more.
      await connection.run('ROLLBACK').catch(() => undefined);
      throw failure(error, path);
    }
  };
  const close = async () => {
    if (closed) return;
    closed = true;
    // Without room for it the log stays beside the file, and is read when that is opened again.
    await connection.run('CHECKPOINT').catch(() => undefined);
    connection.closeSync();
    instance.closeSync();
    opened.delete(path);
  };
  return { path, driver, connection, transaction: (work) => inTurn(() => transaction(work)), close: () => inTurn(close) };
}

const lockedBy = (path: string, who: string): FerruleError =>
  new FerruleError('output_locked', `The DuckDB file ${path} is open in ${who}.`, { where: path });

/** By shape: an error of another realm is no `instanceof Error`. */
const wordsOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

/** DuckDB's name of what went wrong. The rest of its messages may hold values, and paths of the machine that built it. */
const classOf = (words: string): string => /^[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* Error(?=:)/.exec(words)?.[0] ?? 'an error';

const SYSTEM: readonly [RegExp, string][] = [
  [/no space left/i, 'no space is left on the device'],
  [/quota/i, 'the disk quota is used up'],
  [/file too large/i, 'the file would become too large'],
  [/permission denied/i, 'permission is denied'],
  [/read-only/i, 'the file system is read-only'],
  [/no such file/i, 'the folder does not exist'],
  [/is a directory/i, 'it is a folder'],
  [/^out of memory/i, 'there is not enough memory'],
  [/database has been invalidated/i, 'an earlier failure has closed it; open it again'],
];

const systemReason = (words: string): string | undefined => SYSTEM.find(([pattern]) => pattern.test(words))?.[1];

function openFailure(error: unknown, path: string): FerruleError {
  if (isFerruleError(error)) return error;
  const words = wordsOf(error);
  if (/conflicting lock|could not set lock/i.test(words)) {
    const holder = /\(PID (\d+)\)/.exec(words)?.[1];
    return lockedBy(path, holder === undefined ? 'another process' : `process ${holder}`);
  }
  const reason = /^IO Error/.test(words) && !/not a valid/.test(words) ? systemReason(words) : undefined;
  if (reason !== undefined)
    return new FerruleError('output_failed', `The DuckDB file ${path} cannot be opened: ${reason}.`, { where: path });
  const next = 'Choose another path. A file of a newer DuckDB needs a newer @duckdb/node-api.';
  return new FerruleError('output_unreadable', `${path} is no DuckDB database that can be read, or is damaged (${classOf(words)}).`, {
    where: path,
    next,
  });
}

function failure(error: unknown, path: string): FerruleError {
  if (isFerruleError(error)) return error;
  const words = wordsOf(error);
  if (/^(Constraint|Conversion|Out of Range|Invalid Input) Error/.test(words)) {
    return new FerruleError('record_refused', `A table in ${path} does not take a record of the batch (${classOf(words)}).`, {
      where: path,
      next: 'Look for constraints of the table that Ferrule has not made.',
    });
  }
  return new FerruleError('output_failed', `Writing to the DuckDB file ${path} failed: ${systemReason(words) ?? classOf(words)}.`, {
    where: path,
    next: 'Check the disk, and run again: what was committed is kept.',
  });
}
