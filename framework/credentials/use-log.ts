import { type FileHandle, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, unlessMissing } from '../core/atomic-write.ts';
import type { Clock, Random } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { acquireLock } from '../core/lock.ts';
import { USE_ACTIONS, type Use, type UsesFilter } from './types.ts';
import { selectUses } from './use.ts';

export interface UseLogOptions {
  folder: string;
  /** Default: unless FERRULE_AUDIT is off. */
  audit: boolean | undefined;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  random: Random;
  /** When a file is full. Bytes. */
  full?: number;
}

const FULL = 10_000_000;
/** Rolling takes a moment; who waits longer waits for a process that hangs. Milliseconds. */
const LONGEST_ROLL = 10_000;

/**
 * The audit of a folder: `uses.jsonl`, one JSON object a line, and `uses.former.jsonl`, what came before it. A line is one write at the
 * file's end, so that those of several processes never mix; it outlives the process, not a power cut.
 */
export function useLog(options: UseLogOptions): { append(use: Use): Promise<void>; read(filter?: UsesFilter): Promise<Use[]> } {
  const { folder, clock, random, full = FULL } = options;
  const path = join(folder, 'uses.jsonl');
  const former = join(folder, 'uses.former.jsonl');

  /** Looks again under the lock: another process may have rolled it, and a second roll would lose the former file. */
  async function roll(): Promise<void> {
    const lock = await acquireLock(join(folder, 'uses.lock'), { clock, random, wait: LONGEST_ROLL });
    try {
      const found = await stat(path).catch(unlessMissing);
      if (found !== undefined && found.size >= full) await rename(path, former);
    } finally {
      await lock.release();
    }
  }

  return {
    async append(use) {
      if (!isAudited(options)) return;
      try {
        if ((await appendLine(await openLog(folder, path), use)) >= full) await roll();
      } catch (error) {
        throw unwritten(error, path);
      }
    },
    async read(filter) {
      const uses: Use[] = [];
      let unreadable = 0;
      for (const file of [former, path]) {
        const text = (await readFile(file, 'utf8').catch(unlessMissing)) ?? '';
        for (const line of text.split('\n')) {
          const use = line === '' ? undefined : useIn(line);
          if (use !== undefined) uses.push(use);
          else if (line !== '') unreadable += 1;
        }
      }
      if (unreadable > 0) filter?.skipped?.(unreadable);
      return selectUses(uses, filter);
    },
  };
}

/** Whether uses are written down at all. */
export function isAudited({ audit, env }: Pick<UseLogOptions, 'audit' | 'env'>): boolean {
  if (audit !== undefined) return audit;
  const { FERRULE_AUDIT: word = '' } = env;
  if (['', 'on', 'off'].includes(word)) return word !== 'off';
  throw new FerruleError('input_malformed', 'FERRULE_AUDIT is on or off.', { where: 'FERRULE_AUDIT', next: 'Unset it, or set it to off.' });
}

async function openLog(folder: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await open(path, 'a+', 0o600);
  }
}

/** Gives back how large the file is now. */
async function appendLine(handle: FileHandle, use: Use): Promise<number> {
  try {
    const { size } = await handle.stat();
    // After a line that a killed writer left without its end, one of our own begins.
    const torn = size > 0 && (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString('latin1') !== '\n';
    const bytes = Buffer.from(`${torn ? '\n' : ''}${JSON.stringify(use)}\n`);
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.length) throw Object.assign(new Error('the line was written in part'), { code: 'ENOSPC' });
    return size + bytes.length;
  } finally {
    await handle.close();
  }
}

function unwritten(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (isFerruleError(error) || code === undefined) return error;
  return new FerruleError('store_unwritable', `The use of a credential could not be written down (${code}).`, {
    where: path,
    next: 'Free the disk, or mend the rights of the file. To use credentials without a word of it, set FERRULE_AUDIT=off.',
    cause: error,
  });
}

/** Undefined for a line that is no use: torn by a killed writer, or not written by us. */
function useIn(line: string): Use | undefined {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { at, action, credential, connector, by, outcome } = (found ?? {}) as Partial<Record<keyof Use, unknown>>;
  const texts = [at, credential, by, outcome, connector ?? ''].every((value) => typeof value === 'string');
  return texts && (USE_ACTIONS as readonly unknown[]).includes(action) ? (found as Use) : undefined;
}
