/**
 * The long fuzz run: node scripts/run.mjs test/fuzz/run.ts [--cases 200000] [--seconds 900] [--seed N] [--only NAME[,NAME]] [--path PATH]
 *
 * Each target runs in a process of its own, so that one which hangs or dies is told with the input that it was at. Two at a time;
 * --processes 1 for one. With --path (which a failure prints) that one case alone is run, with the seed beside it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Failure } from './target.ts';
import { TARGETS } from './targets.ts';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '900' },
    seed: { type: 'string' },
    only: { type: 'string' },
    path: { type: 'string' },
    processes: { type: 'string', default: '2' },
  },
});
const cases = Number(options.cases);
const seconds = Number(options.seconds);
/** No case may stand for longer: the process is ended. Seconds. */
const HANGS = 30;
const PROGRESS_MS = 20_000;

/** What a worker tells. */
export type Message = { done: number } | { failed: Failure } | { ended: true };

interface Outcome {
  name: string;
  seed: number;
  cases: number;
  seconds: number;
  failures: Failure[];
  /** Why it did not come to its end. */
  stopped?: string;
}

const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [RUN, WORKER, ...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });

/** The case that a worker was at when it wrote last. */
const standing = (file: string): [seed: string, path: string] => {
  const [seed = '', path = ''] = readFileSync(file, 'utf8').trim().split(' ');
  return [seed, path];
};

/** The input behind seed and path, made by a fresh process. */
async function shownBy(name: string, seed: string, path: string): Promise<string> {
  const child = start('show', name, seed, path);
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return text.trim();
}

function say(name: string, { seed: own, path, input, message }: Failure): void {
  console.log(`\n${name} failed; again with: --only ${name} --seed ${own} --path ${path}`);
  console.log(`  input: ${input.slice(0, 4000)}\n  ${message.slice(0, 2000)}\n`);
}

async function run(name: string, seed: number, folder: string): Promise<Outcome> {
  const outcome: Outcome = { name, seed, cases: 0, seconds: 0, failures: [] };
  const began = performance.now();
  const file = join(folder, name);
  writeFileSync(file, '');
  const child = start('run', name, String(seed), String(cases), file, ...(options.path === undefined ? [] : [options.path]));
  child.stdout?.pipe(process.stdout);
  let last = '';
  let since = performance.now();
  let said = performance.now();
  let ended = false;
  const watch = setInterval(() => {
    const now = performance.now();
    outcome.seconds = (now - began) / 1000;
    const at = standing(file).join(' ');
    if (at !== last) since = now;
    last = at;
    if (now - said > PROGRESS_MS) {
      said = now;
      console.log(`  ${name}: ${outcome.cases} of ${cases} cases, ${Math.round(outcome.seconds)} s`);
    }
    if (now - since > HANGS * 1000) outcome.stopped = `the case hangs for ${HANGS} s`;
    else if (outcome.seconds > seconds) outcome.stopped = `its ${seconds} s were over`;
    if (outcome.stopped !== undefined) child.kill('SIGKILL');
  }, 500);
  child.on('message', (message: Message) => {
    if ('done' in message) outcome.cases += message.done;
    else if ('failed' in message) {
      outcome.failures.push(message.failed);
      say(name, message.failed);
    } else ended = true;
  });
  const code = await new Promise<number | string>((resolve) => child.once('close', (status, signal) => resolve(signal ?? status ?? 0)));
  clearInterval(watch);
  outcome.seconds = (performance.now() - began) / 1000;
  if (!ended && outcome.stopped === undefined) outcome.stopped = `its process ended (${code})`;
  if (outcome.stopped !== undefined && !outcome.stopped.includes('were over')) {
    const [own, path] = standing(file);
    outcome.failures.push({ seed: Number(own), path, input: await shownBy(name, own, path), message: outcome.stopped });
    say(name, outcome.failures.at(-1)!);
  }
  return outcome;
}

const wanted = options.only?.split(',');
const names = TARGETS.map(({ name }) => name).filter((name) => wanted?.includes(name) ?? true);
const seed = options.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(options.seed);
if (names.length === 0 || !Number.isInteger(seed) || !(cases > 0) || !(seconds > 0)) {
  console.error(`There is nothing to run. Targets: ${TARGETS.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'ferrule-fuzz-'));
const outcomes: Outcome[] = [];
const waiting = [...names];
console.log(`fuzz: ${cases} cases each of ${names.join(', ')}; seed ${seed}`);
await Promise.all(
  Array.from({ length: Math.min(2, Number(options.processes)) }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      console.log(`  ${name}: seed ${seed}`);
      outcomes.push(await run(name, seed, folder));
    }
  }),
);
rmSync(folder, { recursive: true });

console.log('\ntarget               cases  seconds        seed  failures');
const short = (outcome: Outcome): boolean => options.path === undefined && outcome.cases < cases;
for (const outcome of outcomes.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))) {
  const { name, seconds: took, failures, stopped } = outcome;
  const early = short(outcome) ? `  stopped early: ${stopped ?? 'too many failures'}` : '';
  console.log(
    `${name.padEnd(20)}${String(outcome.cases).padStart(6)} ${took.toFixed(1).padStart(8)}  ${String(outcome.seed).padStart(10)}  ${String(failures.length).padStart(8)}${early}`,
  );
}
process.exitCode = outcomes.some((outcome) => outcome.failures.length > 0 || short(outcome)) ? 1 : 0;
