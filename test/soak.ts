/**
 * `npm run soak`: what CI does a few times, done often. Ends with `N passed, N failed`; every line says its seed, so that it can be played
 * again: `npm run soak -- --seed 7 --only renewal-kills`. `--share 0.1` does a tenth. The PostgreSQL lines need its server (Debian:
 * postgresql) and fail without it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { MOMENTS, type Moment } from '../framework/core/moment.ts';
import { type Postgres, postgres } from './integration/postgres-server.ts';
import { elsewhere } from './kill/elsewhere.ts';
import { inFiles, inPostgres, POSTGRES_MOMENTS } from './kill/places.ts';
import { rekeyKills } from './kill/rekey.ts';
import { renewalKills } from './kill/renewal.ts';
import { type Rounds, refreshRounds } from './kill/rounds.ts';
import { inFolder, inSchema } from './kill/run-places.ts';
import { type RunKills, runKills } from './kill/runs.ts';

const { values: options } = parseArgs({
  options: { seed: { type: 'string' }, only: { type: 'string' }, share: { type: 'string', default: '1' } },
});
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
const share = Number(options.share);
const often = (times: number): number => Math.max(1, Math.round(times * share));

interface Line {
  name: string;
  run(): Promise<{ good: boolean; said: string }>;
}

async function kills(place: Place, moments: readonly Moment[] = MOMENTS) {
  const results = await renewalKills({ times: often(100), seed, place, moments });
  const lost = results.flatMap((one) => one.lost);
  const said = results.map(({ moment, killed, lost: some }) => `${moment} ${some.length} lost in ${killed}`).join(', ');
  return { good: lost.length === 0, said: [said, ...lost].join('\n    ') };
}

async function rounds(how: Omit<Rounds, 'killing'> & { killing?: number }) {
  const { killing, ...rest } = how;
  const result = await refreshRounds({ ...rest, ...(killing !== undefined && { killing: { share: killing, seed } }) });
  const { issued, reused, forgiven, killed, failed, processes } = result;
  const said = `${processes} processes × ${result.rounds} rounds: ${issued} token requests, ${reused} spent tokens sent, ${failed.length} failures`;
  const more = killing === undefined ? '' : `, ${killed} killed, ${forgiven} answers lost with them`;
  return { good: issued === result.rounds && reused === 0 && failed.length === 0, said: [said + more, ...failed].join('\n    ') };
}

async function apart() {
  const { issued, failed, takenAfter } = await elsewhere(inFiles);
  const said = `holder in another process namespace: ${issued} token request in 40 s; killed, it was followed after ${takenAfter.toFixed(1)} s`;
  return { good: issued === 1 && failed.length === 0 && takenAfter > 20 && takenAfter < 45, said: [said, ...failed].join('\n    ') };
}

async function rekeys() {
  const { killed, lost } = await rekeyKills({ times: often(100), seed });
  const said = Object.entries(killed).map(([step, times]) => `${step} ${times} killed`);
  return { good: lost.length === 0, said: [`${said.join(', ')}; ${lost.length} lost`, ...lost].join('\n    ') };
}

async function runs(place: RunKills['place']) {
  const { killed, complete, places, rows, jobsLeft, wrong } = await runKills({ place, times: often(40), seed });
  const said = `${killed} kills, ${complete} reads that came to their end, ${places} destinations, ${rows} rows compared; ${jobsLeft} jobs left at the provider`;
  return { good: wrong.length === 0, said: [said, ...wrong].join('\n    ') };
}

/** Its own lines say seed, cases and failures of each target. */
async function fuzzed() {
  const child = spawn(
    process.execPath,
    ['scripts/run.mjs', 'test/fuzz/run.ts', '--cases', String(often(200_000)), '--seed', String(seed)],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  return { good: code === 0, said: `${often(200_000)} cases a target: exit code ${code}` };
}

type Place = Parameters<typeof renewalKills>[0]['place'];

/** A server for one line. */
async function withServer<T>(work: (server: Postgres) => Promise<T>): Promise<T> {
  const server: Postgres = await postgres();
  try {
    return await work(server);
  } finally {
    await server.remove();
  }
}

const withPostgres = <T>(work: (place: Place) => Promise<T>): Promise<T> =>
  withServer((server) => work(inPostgres(server.url(), (text) => server.sql(text))));

const LINES: Line[] = [
  { name: 'renewal-kills', run: () => kills(inFiles) },
  { name: 'rounds', run: () => rounds({ processes: 8, rounds: often(500), place: inFiles }) },
  { name: 'rounds-killed', run: () => rounds({ processes: 8, rounds: often(300), place: inFiles, killing: 0.3 }) },
  // Longer than a lock may be silent, were its holder elsewhere.
  { name: 'rounds-slow', run: () => rounds({ processes: 8, rounds: 2, place: inFiles, delay: often(40_000) }) },
  { name: 'elsewhere', run: apart },
  { name: 'rekey-kills', run: rekeys },
  { name: 'postgres-kills', run: () => withPostgres((place) => kills(place, POSTGRES_MOMENTS)) },
  { name: 'postgres-rounds', run: () => withPostgres((place) => rounds({ processes: 8, rounds: often(500), place })) },
  ...(['jsonl', 'csv', 'parquet', 'duckdb'] as const).map((type) => ({ name: `run-kills-${type}`, run: () => runs(inFolder(type)) })),
  { name: 'run-kills-postgres', run: () => withServer((server) => runs(inSchema(server.url, (text) => server.sql(text)))) },
  { name: 'fuzz', run: fuzzed },
];

let passed = 0;
let failed = 0;
for (const { name, run } of LINES) {
  if (options.only !== undefined && !options.only.split(',').includes(name)) continue;
  const begin = Date.now();
  const { good, said } = await run().catch((error: unknown) => ({ good: false, said: String(error) }));
  if (good) passed += 1;
  else failed += 1;
  console.log(
    `${good ? 'pass' : 'FAIL'}  ${String(Math.round((Date.now() - begin) / 1000)).padStart(4)}s  ${name} (seed ${seed}): ${said}`,
  );
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
