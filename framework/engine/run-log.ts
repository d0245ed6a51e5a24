import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, systemCode, writeNew } from '../core/atomic-write.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { ownIdentity } from '../core/process-identity.ts';
import { VERSION } from '../core/version.ts';
import type { ClientEvent } from '../http/types.ts';
import { logged } from './event-log.ts';
import type { RunEvent, StreamOutcome } from './run-events.ts';
import { EVENTS, RECORD, type RunError, type RunRecord, type RunRequest, removeOldRuns, type StreamRecord } from './run-record.ts';
import { createTally, type Tally } from './run-tally.ts';

/** Of events.jsonl. Bytes. */
const MOST_BYTES = 50 * 1024 * 1024;
/** Runs that are kept. */
const MOST_RUNS = 200;
const LETTERS = 4;
const MOST_TRIES = 5;
/** Requests and statuses, without headers and bodies. */
const VERBOSITY = 3;

export interface RunLogOptions {
  clock?: Clock;
  random?: Random;
  /** Largest size of events.jsonl in bytes. Default 50 MiB. */
  mostBytes?: number;
  /** Runs that are kept, this one among them. Default 200. */
  mostRuns?: number;
}

/** The log of one run, open. */
export interface RunLog {
  readonly id: string;
  /** Its own folder. */
  readonly path: string;
  /** For `readInto`. */
  onEvent(event: RunEvent): void;
  /** For the connection's `onEvent`. */
  onHttp(event: ClientEvent): void;
  /** What stopped the writing of events; the run itself goes on. */
  readonly problem: FerruleError | undefined;
  /** Writes how it ended. `error`: what stopped all of it. @throws FerruleError output_failed */
  end(how?: { error?: FerruleError; stopped?: boolean }): Promise<RunRecord>;
}

/**
 * Logs a run into a new folder under `folder`: run.json (what was asked, and what became of it) and events.jsonl (what happened, one JSON
 * object a line; neither headers, bodies nor records are in it). For its owner alone. Lines are written in the same turn of the event loop, so
 * that a process that is killed has told all but its last moment. The oldest runs beyond 200 are removed.
 * @throws FerruleError output_failed
 */
export async function runLog(folder: string, request: RunRequest, options: RunLogOptions = {}): Promise<RunLog> {
  const { clock = systemClock, random = systemRandom, mostBytes = MOST_BYTES, mostRuns = MOST_RUNS } = options;
  try {
    const began = new Date(clock.now()).toISOString();
    const id = await newFolder(folder, `${began.slice(0, 19).replaceAll(':', '-')}Z-${request.connector}`, random);
    const path = join(folder, id);
    const record: RunRecord = {
      format: 1,
      id,
      state: 'running',
      ferrule: VERSION,
      process: await ownIdentity(),
      began,
      ...request,
      outcomes: [],
      others: {},
    };
    await writeNew(join(path, RECORD), text(record));
    await removeOldRuns(folder, mostRuns);
    return openLog(record, path, clock, openEvents(join(path, EVENTS), mostBytes));
  } catch (cause) {
    throw failed(folder, cause);
  }
}

const text = (record: RunRecord): string => `${JSON.stringify(record, undefined, 2)}\n`;

const failed = (path: string, cause: unknown): FerruleError =>
  new FerruleError('output_failed', `The run cannot be logged (${systemCode(cause) ?? 'unknown'})`, {
    where: path,
    next: 'Mend the folder or set FERRULE_HOME to another one, or pass --no-run-log.',
    cause,
  });

async function newFolder(folder: string, name: string, random: Random): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (let tries = 1; ; tries += 1) {
    const letters = [...random.bytes(LETTERS)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('');
    try {
      await mkdir(join(folder, `${name}-${letters}`), { mode: 0o700 });
      return `${name}-${letters}`;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST' || tries === MOST_TRIES) throw error;
    }
  }
}

function openLog(record: RunRecord, path: string, clock: Clock, events: Events): RunLog {
  const tally = createTally(record.streams);
  const outcomes = new Map<string, StreamOutcome>();
  return {
    id: record.id,
    path,
    get problem() {
      return events.problem();
    },
    onEvent: (event) => {
      tally.seeRun(event);
      if (event.type === 'end') outcomes.set(event.stream, event.outcome);
      events.write(runLine(event));
    },
    onHttp: (event) => {
      tally.seeHttp(event);
      const line = logged(event, VERBOSITY);
      if (line !== undefined) events.write({ of: 'http', ...line });
    },
    end: async ({ error, stopped = false } = {}) => {
      const ended: RunRecord = {
        ...record,
        state: stopped
          ? 'stopped'
          : error !== undefined || [...outcomes.values()].some((one) => one.error !== undefined)
            ? 'failed'
            : 'done',
        ended: new Date(clock.now()).toISOString(),
        outcomes: record.streams.map((stream) => streamRecord(stream, outcomes.get(stream), tally)),
        others: tally.others(),
        ...(error && { error: plainError(error) }),
        events: events.close(),
      };
      await replaceFile(join(path, RECORD), Buffer.from(text(ended)), join(path, `${RECORD}.new`)).catch((cause: unknown) =>
        Promise.reject(failed(path, cause)),
      );
      return ended;
    },
  };
}

function streamRecord(stream: string, outcome: StreamOutcome | undefined, tally: Tally): StreamRecord {
  const counts = tally.of(stream);
  if (outcome === undefined) return { stream, complete: false, errors: 0, ...counts };
  const { mode, resumed, place, complete, duration, error, errors } = outcome;
  return { stream, mode, resumed, place, complete, duration, ...(error && { error: plainError(error) }), errors, ...counts };
}

function plainError({ code, message, where, next }: FerruleError): RunError {
  return { code, message, ...(where !== undefined && { where }), next };
}

/** Without what stands for records: partitions are their keys. */
function runLine(event: RunEvent): object {
  const { at, type, stream, ...rest } = event;
  const {
    partition: _partition,
    error,
    outcome,
    ...about
  } = rest as Record<string, unknown> & {
    error?: FerruleError;
    outcome?: StreamOutcome;
  };
  const line = { of: 'stream', time: new Date(at).toISOString(), type, stream, ...about };
  if (error !== undefined) return { ...line, error: plainError(error) };
  if (outcome === undefined) return line;
  const { mode, resumed, place, complete, duration, error: first, errors } = outcome;
  return { ...line, outcome: { mode, resumed, place, complete, duration, errors, ...(first && { error: plainError(first) }) } };
}

interface Events {
  write(line: object): void;
  problem(): FerruleError | undefined;
  close(): NonNullable<RunRecord['events']>;
}

/** One descriptor for the whole run, and one write for what happens in one turn of the event loop: mostly an answer, its page and the next request. */
function openEvents(path: string, most: number): Events {
  let file: number | undefined = openSync(path, 'wx', 0o600);
  const count = { lines: 0, bytes: 0, cut: false };
  let problem: FerruleError | undefined;
  let waiting: Buffer[] = [];
  const put = (line: object): void => {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    if (waiting.push(bytes) === 1) setImmediate(flush);
    count.bytes += bytes.length;
  };
  const flush = (): void => {
    const lines = waiting;
    waiting = [];
    if (file === undefined || lines.length === 0) return;
    try {
      writeSync(file, Buffer.concat(lines));
      count.lines += lines.length;
    } catch (cause) {
      count.bytes -= lines.reduce((sum, { length }) => sum + length, 0);
      count.cut = true;
      problem = failed(path, cause);
      shut();
    }
  };
  const shut = (): void => {
    if (file === undefined) return;
    flush();
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    write: (line) => {
      if (file === undefined) return;
      if (count.bytes < most) return put(line);
      count.cut = true;
      put({ of: 'log', type: 'cut', bytes: count.bytes });
      shut();
    },
    problem: () => problem,
    close: () => {
      shut();
      return { ...count };
    },
  };
}
