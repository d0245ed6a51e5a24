import { readdir, readFile, rmdir, unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../core/atomic-write.ts';
import { FerruleError } from '../core/errors.ts';
import { isGone, type ProcessIdentity } from '../core/process-identity.ts';
import { createTally, type StreamCounts, type WireCounts } from './run-tally.ts';

/** What was asked for. Never a secret: the credential's name and no value of it, a destination without its password. */
export interface RunRequest {
  connector: string;
  /** The connector's own version. */
  version?: string;
  /** The stored credential's name; left out for inputs that are stored nowhere. */
  credential?: string;
  method?: string;
  streams: readonly string[];
  options: Readonly<Record<string, string | number | boolean>>;
  /** For people: `jsonl:out/acme`, `postgres://host:5432/db`. */
  destination: string;
}

/** An error as `FerruleError.toJSON` gives it. */
export interface RunError {
  code: string;
  message: string;
  where?: string;
  next: string;
}

/** What became of one stream. Times in milliseconds. */
export interface StreamRecord extends StreamCounts {
  stream: string;
  mode?: string;
  resumed?: boolean;
  place?: string;
  /** Read in full. False for a sample. */
  complete: boolean;
  /** Left out where the stream never ended. */
  duration?: number;
  error?: RunError;
  /** How much went wrong, with that one. */
  errors: number;
}

/**
 * done: every stream as far as it was wanted; failed: at least one was not; stopped: by the person; killed: the process is gone and has
 * not said how it ended.
 */
export type RunState = 'running' | 'done' | 'failed' | 'stopped' | 'killed';

/** `run.json`: one run. */
export interface RunRecord extends RunRequest {
  /** Of this file. */
  format: 1;
  id: string;
  state: RunState;
  /** Ferrule's. */
  ferrule: string;
  process: ProcessIdentity;
  /** RFC 3339 UTC. */
  began: string;
  ended?: string;
  /** In the order in which they were asked for; empty until the run ends. */
  outcomes: StreamRecord[];
  /** What was sent besides the streams' own requests: for tokens, for parents. By the call's name. */
  others: Record<string, WireCounts>;
  /** What stopped all of it. */
  error?: RunError;
  /** Of events.jsonl. `cut`: not all of it is there. */
  events?: { lines: number; bytes: number; cut: boolean };
}

export const RECORD = 'run.json';
export const EVENTS = 'events.jsonl';
const OURS = [RECORD, `${RECORD}.new`, EVENTS];
/** Time, connector, four letters. */
/** Characters of a name that are its time, to the second. */
const SECOND = '2026-11-27T12-00-00'.length;
const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[a-z0-9][a-z0-9-]*-[a-z]{4}$/;

/** Where runs are logged: `runs` in `FERRULE_HOME`, else in `ferrule` under `XDG_STATE_HOME`, else in `~/.local/state/ferrule`. */
export function runFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const state = env.FERRULE_HOME || join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'ferrule');
  return join(state, 'runs');
}

/** Names of runs, the latest first. None where there is no such folder. @throws FerruleError output_unreadable */
export async function runNames(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => unreadable(folder, cause))) ?? [];
  const names = entries.filter((entry) => entry.isDirectory() && NAME.test(entry.name)).map(({ name }) => name);
  const began = await beganInOneSecond(folder, names);
  const order = (name: string): string => began.get(name) ?? name.slice(0, SECOND);
  return names.sort((a, b) => (order(a) < order(b) ? 1 : order(a) > order(b) ? -1 : a < b ? 1 : -1));
}

/** Of runs whose names are of the same second, when they began to the millisecond, written as a name begins. */
async function beganInOneSecond(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const seconds = new Map<string, string[]>();
  for (const name of names) seconds.set(name.slice(0, SECOND), [...(seconds.get(name.slice(0, SECOND)) ?? []), name]);
  const began = new Map<string, string>();
  for (const name of [...seconds.values()].flatMap((same) => (same.length > 1 ? same : []))) {
    const record = parsed(await readFile(join(folder, name, RECORD), 'utf8').catch(() => ''));
    if (typeof record?.began === 'string') began.set(name, record.began.replaceAll(':', '-').replace('Z', ''));
  }
  return began;
}

function unreadable(folder: string, cause: unknown): undefined {
  if (systemCode(cause) === 'ENOENT') return undefined;
  throw new FerruleError('output_unreadable', `The log of runs cannot be read (${systemCode(cause) ?? 'unknown'})`, {
    where: folder,
    next: 'Mend the folder and its rights, or set FERRULE_HOME to another one.',
    cause,
  });
}

/** A run as it stands now; undefined where its record cannot be read. A process that is gone makes it `killed`. */
export async function readRun(folder: string, id: string): Promise<RunRecord | undefined> {
  const text = await readFile(join(folder, id, RECORD), 'utf8').catch(() => undefined);
  const record = text === undefined ? undefined : parsed(text);
  if (record?.format !== 1 || record.id !== id || !Array.isArray(record.outcomes)) return undefined;
  return record.state === 'running' && (await isGone(record.process)) ? { ...record, state: 'killed' } : record;
}

function parsed(text: string): RunRecord | undefined {
  try {
    return JSON.parse(text) as RunRecord;
  } catch {
    return undefined;
  }
}

/** A run that never said how it ended, with what its events tell. Others stay as they are. */
export async function withEvents(folder: string, run: RunRecord): Promise<RunRecord> {
  if (run.state !== 'running' && run.state !== 'killed') return run;
  const text = (await readFile(join(folder, run.id, EVENTS), 'utf8').catch(() => undefined)) ?? '';
  const tally = createTally(run.streams);
  const outcomes = new Map<string, Partial<StreamRecord>>();
  for (const line of text.split('\n')) {
    const event = parsed(line) as Record<string, unknown> | undefined; // the last line may be half there
    if (event === undefined) continue;
    if (event.of === 'http') tally.seeHttp(event as Parameters<typeof tally.seeHttp>[0]);
    else if (event.of === 'stream') tally.seeRun(event as Parameters<typeof tally.seeRun>[0]);
    const { stream, type, time: _time, of: _of, ...about } = event;
    if (type === 'start') outcomes.set(String(stream), { ...outcomes.get(String(stream)), ...(about as Partial<StreamRecord>) });
    if (type === 'end' && typeof event.outcome === 'object')
      outcomes.set(String(stream), { ...outcomes.get(String(stream)), ...(event.outcome as Partial<StreamRecord>) });
  }
  const of = (stream: string): StreamRecord => ({ stream, complete: false, errors: 0, ...outcomes.get(stream), ...tally.of(stream) });
  return { ...run, outcomes: run.streams.map(of), others: tally.others() };
}

/** Removes the oldest runs beyond `most`, but none that is still under way, and nothing that is not of ours. */
export async function removeOldRuns(folder: string, most: number): Promise<void> {
  const names = await runNames(folder);
  for (const name of names.slice(most)) {
    if ((await readRun(folder, name))?.state === 'running') continue;
    const path = join(folder, name);
    // Another process may be at it too, and what cannot be removed is no reason not to log. What somebody else has put there stays.
    for (const file of OURS) await unlink(join(path, file)).catch(() => {});
    await rmdir(path).catch(() => {});
  }
}
