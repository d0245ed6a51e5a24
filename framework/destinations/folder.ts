import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../core/atomic-write.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { acquireLock, type Lock } from '../core/lock.ts';
import type { OpenedSink, SinkOptions, StreamState } from '../core/sink.ts';
import type { Json } from '../core/value.ts';
import { type FolderPlace, type OpenStream, openStream, sameType } from './folder-stream.ts';
import { outputFailed } from './output-failure.ts';
import type { RowFormat } from './rows.ts';
import { readState, type StateContents } from './state-file.ts';

export interface FolderOptions extends SinkOptions {
  clock?: Clock;
  random?: Random;
}

/** Beside the rows, hidden from who lists them: the lock, and a state file for each stream. */
const OURS = '.ferrule';
/** Nobody writes to a folder for a moment only: whoever meets another process is told at once. Milliseconds. */
const LONGEST_WAIT = 200;

/**
 * A destination that is a folder. One process at a time writes to it; state and rows of a stream are committed as one (folder-stream.ts).
 * @throws FerruleError output_failed, output_locked
 */
export async function openFolder(folder: string, format: RowFormat, options: FolderOptions): Promise<OpenedSink> {
  const ours = join(folder, OURS);
  const lock = await lockFolder(folder, ours, options);
  const streams = new Map<string, OpenStream>();
  const place: FolderPlace = {
    folder,
    format,
    options,
    isHeld: () => lock.isHeld(),
    statePath: (stream) => join(ours, `${stream}.state.jsonl`),
  };
  const opening = new Set<string>();
  let closed = false;

  const check = (stream: string): void => {
    if (closed) throw new FerruleError('output_failed', `The destination ${folder} is closed already.`, { where: folder });
    if (/^\w[\w-]*$/.test(stream)) return;
    throw new FerruleError('output_failed', 'The name of the stream cannot be the name of a file.', {
      where: stream,
      next: 'Use letters, digits and _ in names of streams.',
    });
  };

  return {
    type: format.type,
    async state(stream) {
      check(stream);
      const path = place.statePath(stream);
      const contents =
        streams.get(stream)?.contents() ??
        (await readState(path).catch((error: unknown) => {
          throw outputFailed(path, error, 'Reading');
        }));
      if (contents !== undefined) sameType(contents, place, stream);
      return valuesOf(contents);
    },
    async open(stream) {
      check(stream.name);
      if (streams.has(stream.name) || opening.has(stream.name)) {
        throw new FerruleError('output_locked', `The stream ${stream.name} is open already.`, { where: folder });
      }
      opening.add(stream.name);
      try {
        const opened = await openStream(place, stream, () => streams.delete(stream.name));
        streams.set(stream.name, opened);
        return opened.sink;
      } finally {
        opening.delete(stream.name);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      const ended = await Promise.allSettled([...streams.values()].map(({ sink }) => sink.close()));
      await lock.release();
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    },
  };
}

async function lockFolder(folder: string, ours: string, options: FolderOptions): Promise<Lock> {
  const { clock = systemClock, random = systemRandom } = options;
  try {
    // The first of the folders that had to be made: it must last a power cut as its files do.
    if ((await mkdir(ours, { recursive: true })) !== undefined) await syncFolder(folder);
    return await acquireLock(join(ours, 'lock'), { clock, random, wait: LONGEST_WAIT, locked: (who) => lockedBy(folder, ours, who) });
  } catch (error) {
    if (isFerruleError(error)) throw error;
    throw outputFailed(folder, error, 'Opening');
  }
}

const lockedBy = (folder: string, ours: string, who: string): FerruleError =>
  new FerruleError('output_locked', `The folder ${folder} is written to by ${who}.`, {
    where: folder,
    next: `Wait for that process, or write to another folder. If it runs on no machine any more, remove ${join(ours, 'lock')}.`,
  });

function valuesOf(contents: StateContents | undefined): StreamState {
  const values = new Map<string, Json>();
  for (const [key, text] of contents?.keys ?? []) values.set(key, JSON.parse(text) as Json);
  return values;
}
