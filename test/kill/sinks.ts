import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { seeded } from './process.ts';
import { KEYS, keysOf, PARTS, ROWS } from './sink-rows.ts';

export interface SinkPlace {
  /** The file that opens it, under framework/destinations. */
  module: 'duckdb' | 'postgres';
  target: string;
  /** By a program that is not ours; numbers come as numbers or as text. */
  sql(text: string): Promise<Record<string, unknown>[]>;
}

export interface SinkKills {
  /** Commits of each stream that were there at the end. */
  commits: number;
  /** What did not agree, after which kill. */
  wrong: string[];
}

/** Starts the process anew after each kill, and each time compares rows and state. */
export async function sinkKills({ place, times, seed }: { place: SinkPlace; times: number; seed: number }): Promise<SinkKills> {
  const random = seeded(seed);
  const wrong: string[] = [];
  let commits = 0;
  for (let kill = 1; kill <= times; kill++) {
    await runAndKill(place, 100 + random() * 900);
    const found = await compared(place);
    wrong.push(...found.wrong.map((what) => `kill ${kill}: ${what}`));
    commits = found.commits;
  }
  return { commits, wrong };
}

async function runAndKill({ module, target }: SinkPlace, after: number): Promise<void> {
  const file = resolve(`framework/destinations/${module}.ts`);
  const child = spawn(process.execPath, ['scripts/run.mjs', 'test/kill/sink-child.ts', file, target], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exit]);
  await new Promise((done) => setTimeout(done, after));
  if (child.exitCode !== null) throw new Error(`the process ended by itself: ${child.exitCode}`);
  child.kill('SIGKILL');
  await exit;
}

async function compared({ sql }: SinkPlace): Promise<SinkKills> {
  const state = new Map<string, number>();
  for (const { stream, key, value } of await sql('SELECT stream, key, value FROM _ferrule_state'))
    state.set(`${stream} ${key}`, Number(value));
  const stateOf = (name: string) => state.get(name) ?? 0;
  const wrong: string[] = [];
  const same = (what: string, found: unknown, wanted: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  };
  const numbers = async (text: string) => (await sql(text)).map((row) => Object.values(row).map(Number));

  const last = stateOf('log last');
  const wanted = last * ROWS;
  same('log', await numbers('SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM log'), [[wanted, wanted]]);
  const values = new Map<number, number>();
  for (let commit = 1; commit <= stateOf('keyed last'); commit++) for (const id of keysOf(commit)) values.set(id % KEYS, commit);
  same(
    'keyed',
    await numbers('SELECT id, "commit" FROM keyed ORDER BY id'),
    [...values].sort(([one], [other]) => one - other),
  );
  const [read, part] = [stateOf('whole read'), stateOf('whole part')];
  if (read > 0) {
    const counts = await numbers('SELECT count(*) AS rows, count(DISTINCT id) AS ids, min("read") AS one, max("read") AS other FROM whole');
    same('whole', counts, [[PARTS * ROWS, PARTS * ROWS, read, read]]);
  }
  if (part > 0) same('whole, waiting', await numbers('SELECT count(*) AS rows FROM whole__ferrule_new'), [[part * ROWS]]);
  return { commits: last, wrong };
}
