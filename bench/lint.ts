/**
 * npm run build && node scripts/run.mjs bench/lint.ts [files] [workers]
 * Lint of 1,000 specs of 150 lines against yaml.parseDocument alone on the same files with as many workers (at most
 * 1.5 ×), and loading one connector by name from a catalogue of 5 and of 1,000.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSpec } from './lint-spec.ts';

// The built files: threads would else spend their time on transforming TypeScript.
const dist = new URL(process.env.FERRULE_DIST ?? '../dist/', import.meta.url);
const built = (file: string): Promise<unknown> => import(new URL(`spec/${file}.js`, dist).href);
const { Catalogue } = (await built('catalogue')) as typeof import('../framework/spec/catalogue.ts');
const { inThreads } = (await built('lint-threads')) as typeof import('../framework/spec/lint-threads.ts');
const { lint } = (await built('lint')) as typeof import('../framework/spec/lint.ts');
const { loadConnector } = (await built('load')) as typeof import('../framework/spec/load.ts');

const count = Number(process.argv[2] ?? 1000);
const workers = Number(process.argv[3] ?? availableParallelism());
const ROUNDS = 5;
const LOADS = 200;

const folder = mkdtempSync(join(tmpdir(), 'ferrule-bench-'));
const write = (into: string, specs: number): string[] => {
  mkdirSync(into, { recursive: true });
  return Array.from({ length: specs }, (_, at) => {
    const file = join(into, `acme-${at}.yaml`);
    writeFileSync(file, makeSpec(`acme-${at}`));
    return file;
  });
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
/** Milliseconds of processor time, all threads: steadier than the clock where other work goes on. */
const busy = async (work: () => Promise<unknown>): Promise<number> => {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
};
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;

try {
  const files = write(join(folder, 'many'), count);
  const few = join(folder, 'few');
  write(few, 5);
  const parseAll = (): Promise<unknown> => inThreads(files, workers, new URL('./lint-parse-worker.mjs', import.meta.url));
  const lintAll = async (): Promise<void> => {
    const { findings } = await lint(files, { workers });
    if (findings.length > 0) throw new Error(`the made specs have findings: ${JSON.stringify(findings[0])}`);
  };
  console.log(`lint of ${count} specs of ${makeSpec('x').split('\n').length} lines, ${workers} workers, and yaml.parseDocument alone`);
  for (const [what, measure] of [
    ['time', timed],
    ['processor time', busy],
  ] as const) {
    const lintTimes: number[] = [];
    const parseTimes: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      parseTimes.push(await measure(parseAll));
      lintTimes.push(await measure(lintAll));
    }
    const [lintMs, parseMs] = [median(lintTimes), median(parseTimes)];
    console.log(`${what}: ${lintMs.toFixed(0)} ms and ${parseMs.toFixed(0)} ms; ratio ${(lintMs / parseMs).toFixed(2)} (at most 1.5)`);
  }

  const byName = async (path: string): Promise<number> => {
    const times: number[] = [];
    for (let at = 0; at < LOADS; at++) {
      times.push(await timed(async () => loadConnector((await new Catalogue([path]).find('acme-3')).path)));
    }
    return median(times);
  };
  await byName(few);
  const [one, other] = [await byName(few), await byName(join(folder, 'many'))];
  console.log(`loading one by name: ${one.toFixed(2)} ms of 5, ${other.toFixed(2)} ms of ${count}; ratio ${(other / one).toFixed(2)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
