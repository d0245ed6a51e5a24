import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SinkAddress } from '../../framework/destinations/index.ts';
import { bundled, seeded } from './process.ts';
import type { RunChildOptions } from './run-child.ts';
import { type TableProvider, tableProvider } from './run-provider.ts';
import type { Ask } from './run-rows.ts';
import { runSpec } from './run-spec.ts';
import { KEYED, moveOn, notesOf, type Row, tablesAt } from './run-table.ts';

/** A destination that nobody has written to. */
export interface FreshPlace {
  into: SinkAddress;
  ask: Ask;
  remove(): Promise<unknown>;
}

export interface RunKills {
  place(): Promise<FreshPlace>;
  times: number;
  seed: number;
}

export interface RunKillsResult {
  /** Processes killed before they were at the end. */
  killed: number;
  /** Processes that came to the end, besides the last ones. */
  complete: number;
  /** Destinations that were begun and compared. */
  places: number;
  /** Rows compared. */
  rows: number;
  /** Jobs that were left at the provider: at most two for each kill. */
  jobsLeft: number;
  /** What did not agree: rows lost, doubled or of other values; files that cannot be read; runs that failed. */
  wrong: string[];
}

/** Kills on one destination, before it is read to its end and compared. */
const MOST_KILLS = 8;

/**
 * Reads all kinds of streams in a process that is killed at any instant, again and again into one destination, while the provider moves on
 * between the kills; then to the end, and once more; then compares.
 */
export async function runKills({ place, times, seed }: RunKills): Promise<RunKillsResult> {
  const random = seeded(seed);
  const result: RunKillsResult = { killed: 0, complete: 0, places: 0, rows: 0, jobsLeft: 0, wrong: [] };
  let typical = await untouched(place, result);
  while (result.killed < times && result.wrong.length === 0) {
    const provider = await tableProvider(tablesAt(Date.now()));
    const fresh = await place();
    const most = Math.min(times, result.killed + MOST_KILLS);
    try {
      for (let complete = 0; result.killed < most && complete < 3; ) {
        const ended = await runChild(provider, fresh, 5 + random() * typical);
        moveOn(provider.tables, random, Date.now());
        if (ended.said === undefined) result.killed += 1;
        else {
          complete += 1;
          typical = Math.max(50, Math.min(typical, ended.took));
          if (ended.said !== 'complete') result.wrong.push(`after ${result.killed} kills: ${ended.said}`);
        }
        result.complete += ended.said === undefined ? 0 : 1;
      }
      result.wrong.push(...(await toTheEnd(provider, fresh, result)).map((what) => `after ${result.killed} kills: ${what}`));
      result.places += 1;
      result.jobsLeft += provider.jobs.left;
    } finally {
      await provider.close();
      await fresh.remove();
    }
  }
  return result;
}

/** How long a process takes that nobody kills, from the moment that it begins to read; ms. */
async function untouched(place: RunKills['place'], result: RunKillsResult): Promise<number> {
  const provider = await tableProvider(tablesAt(Date.now()));
  const fresh = await place();
  try {
    const { said, took } = await runChild(provider, fresh);
    if (said !== 'complete') result.wrong.push(`without a kill: ${said}`);
    result.wrong.push(...(await compared(provider, fresh, result)).map((what) => `without a kill: ${what}`));
    if (provider.jobs.left > 0) result.wrong.push(`without a kill: ${provider.jobs.left} jobs were left`);
    return took;
  } finally {
    await provider.close();
    await fresh.remove();
  }
}

async function toTheEnd(provider: TableProvider, fresh: FreshPlace, result: RunKillsResult): Promise<string[]> {
  const wrong: string[] = [];
  // The first ends what was begun; what came since then is the second's.
  for (let run = 0; run < 2; run += 1) {
    const { said } = await runChild(provider, fresh);
    if (said !== 'complete') wrong.push(said ?? 'killed by somebody else');
  }
  return [...wrong, ...(await compared(provider, fresh, result))];
}

/** `said`: undefined when it was killed. `took`: milliseconds since it began to read. */
async function runChild(
  { origin }: TableProvider,
  { into }: FreshPlace,
  killAfter?: number,
): Promise<{ said: string | undefined; took: number }> {
  const options: RunChildOptions = { spec: runSpec(), origin, into };
  const child = spawn(process.execPath, [await bundled('test/kill/run-child.ts'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), ended]);
  const began = performance.now();
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const [code, signal] = (await ended) as [number | null, string | null];
  clearTimeout(timer);
  const took = performance.now() - began;
  if (signal === 'SIGKILL') return { said: undefined, took };
  return { said: code === 0 ? said.replace(/^begun\n/, '').trim() : `exit code ${code}: ${said}`, took };
}

async function compared({ tables, told }: TableProvider, { ask, into }: FreshPlace, result: RunKillsResult): Promise<string[]> {
  const wanted: Record<string, readonly Row[]> = {
    ...{ whole: tables.whole, changes: tables.changes, events: tables.events, report: tables.report, dump: tables.dump },
    ...{ pages: tables.pages.slice(0, told), comments: tables.comments.flat(), members: tables.members.flat() },
    notes: tables.topics.flatMap(notesOf),
  };
  const wrong: string[] = [];
  for (const [stream, rows] of Object.entries(wanted)) {
    // In files an upsert appends, and of several rows with one key the last one counts.
    const last = KEYED.some((one) => one === stream) && !['duckdb', 'postgres'].includes(into.type);
    const found = await ask(stream).catch((error: Error) => error.message);
    if (typeof found === 'string') wrong.push(`${stream}: ${found}`);
    else wrong.push(...difference(stream, rows, last ? [...new Map(found.map((row) => [String(row.id), row])).values()] : found));
    result.rows += rows.length;
  }
  return wrong;
}

function difference(stream: string, rows: readonly Row[], found: readonly Record<string, unknown>[]): string[] {
  const left = new Map<string, number>();
  for (const row of rows) left.set(signature({ ...row }), 1);
  const more = new Map<string, number>();
  for (const row of found) {
    const key = signature(row);
    if (left.get(key) === 1) left.set(key, 0);
    else more.set(key, (more.get(key) ?? 0) + 1);
  }
  const missing = [...left].flatMap(([key, count]) => (count === 1 ? [key.slice(0, 80)] : []));
  const doubled = [...more.keys()].filter((key) => left.has(key));
  const unknown = [...more.keys()].filter((key) => !left.has(key)).map((key) => key.slice(0, 80));
  const say = (what: string, some: string[]) =>
    some.length === 0 ? [] : [`${stream}: ${some.length} ${what}, as ${some[0]?.slice(0, 80)}`];
  return [...say('lost', missing), ...say('doubled', doubled), ...say('that the provider has not', unknown)];
}

/** The same for all programs' ways to give a value. */
const signature = ({ id, text, amount, at }: Record<string, unknown>): string =>
  JSON.stringify([Number(id), String(text), Number(amount), instant(at)]);

function instant(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'number') return value;
  const text = String(value).replace(' ', 'T');
  return Date.parse(/(Z|[+-]\d{2}(:?\d{2})?)$/.test(text.slice(10)) ? text : `${text}Z`);
}
