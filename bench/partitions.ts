// Time of 10,000 partitions of 10 pages each beside 1,000 of them; and the state of 100,000 partitions with a cursor each: how large it is,
// and how much of it a commit writes. node scripts/run.mjs bench/partitions.ts [time|state|real …]
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedStream } from '../framework/core/resolved.ts';
import type { SinkStream } from '../framework/core/sink.ts';
import type { SpecDocument } from '../framework/core/spec-types.gen.ts';
import { openSink, type SinkAddress } from '../framework/destinations/index.ts';
import { resolve } from '../framework/spec/resolve.ts';
import { Progress } from '../framework/streams/progress.ts';
import type { Unit, UnitState } from '../framework/streams/unit.ts';
import { type BenchServer, benchServer, benchSpec, readApart } from './reader.ts';

const MB = 1e6;
const LIMIT = 20;
const MOST_RATIO = 12;
let failed = 0;
const judged = (good: boolean): string => {
  if (!good) failed += 1;
  return good ? '' : ': TOO MUCH';
};

const specOf = (parents: number, pages: number): SpecDocument =>
  benchSpec(`
  parents:
    get: /parents
    headers: { X-Parents: '${parents}' }
    records: data
    primary_key: [id]
    paginate: { type: page, page: query.page, start: 1, page_size: 100, stop: short_page }
  children:
    parent: parents
    get: '/parents/\${parent.id}/children'
    headers: { X-Pages: '${pages}' }
    query: { since: '\${window.start}' }
    records: data
    primary_key: [id]
    cursor: { field: updated_at, format: iso_ms }
    paginate: { type: page, page: query.page, start: 1, more: more }
`);

async function inPlace<T>(type: 'jsonl' | 'duckdb', work: (into: SinkAddress) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-partitions-'));
  try {
    return await work({ type, target: type === 'duckdb' ? join(folder, 'out.duckdb') : join(folder, 'out') });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Bytes of what holds the state; a DuckDB file holds the rows as well. */
async function stateSize({ type, target }: SinkAddress): Promise<number> {
  if (type === 'duckdb') return (await stat(target)).size;
  const folder = join(target, '.ferrule');
  let size = 0;
  for (const name of await readdir(folder)) size += (await stat(join(folder, name))).size;
  return size;
}

async function read(server: BenchServer, parents: number, pages: number, type: 'jsonl' | 'duckdb') {
  return await inPlace(type, async (into) => {
    const found = await readApart({ spec: specOf(parents, pages), origin: server.origin, stream: 'children', into, concurrency: 8 });
    if (found.records !== parents * pages * 2) throw new Error(`${found.records} records of ${parents * pages * 2}`);
    return { ...found, state: await stateSize(into) };
  });
}

/** In turn, so that what else the machine does falls on both. */
async function time(server: BenchServer): Promise<void> {
  const ratios: number[] = [];
  for (let round = 0; round < Number(process.env.ROUNDS ?? 2); round += 1) {
    const few = await read(server, 1000, 10, 'jsonl');
    const many = await read(server, 10_000, 10, 'jsonl');
    ratios.push(many.seconds / few.seconds);
    console.log(`  1,000 partitions ${few.seconds.toFixed(1)} s, 10,000 ${many.seconds.toFixed(1)} s, ${many.most.toFixed(0)} MiB`);
  }
  const ratio = Math.min(...ratios);
  console.log(`10,000 partitions of 10 pages beside 1,000: ${ratio.toFixed(1)} ×, ${MOST_RATIO} allowed${judged(ratio <= MOST_RATIO)}`);
}

/** One page of each of 100,000 partitions. */
async function real(server: BenchServer): Promise<void> {
  const { state, seconds, most, commits } = await read(server, 100_000, 1, 'jsonl');
  const size = `${(state / MB).toFixed(1)} MB of state, ${LIMIT} allowed${judged(state / MB < LIMIT)}`;
  console.log(`100,000 partitions read in ${seconds.toFixed(0)} s: ${size}; ${commits} commits, ${most.toFixed(0)} MiB resident`);
}

/** Without requests: three reads whose cursors move on, 2,500 partitions a commit. */
async function state(type: 'jsonl' | 'duckdb'): Promise<void> {
  const stream = resolve(specOf(1, 1), {}).streams.children as ResolvedStream;
  const opened: SinkStream = {
    name: 'children',
    mode: 'append',
    primary_key: ['id'],
    columns: { id: 'integer' },
    resumes: false,
    state: {},
  };
  await inPlace(type, async (into) => {
    for (let round = 0; round < 3; round += 1) {
      const sink = await openSink(into);
      const now = 1_760_000_000_000 + round * 86_400_000;
      const progress = new Progress(stream, await sink.state('children'));
      const out = await sink.open({ ...opened, state: progress.begin({ now, mode: 'append' }) });
      let written = 0;
      const began = performance.now();
      for (let first = 0; first < 100_000; first += 2500) {
        const change = Object.assign({}, ...Array.from({ length: 2500 }, (_, at) => moved(progress, first + at, now)));
        written = Math.max(written, JSON.stringify(change).length);
        await out.commit({ records: [], state: change });
      }
      const took = performance.now() - began;
      await out.finish(progress.complete(now));
      await sink.close();
      const size = (await stateSize(into)) / MB;
      console.log(
        `${type}, read ${round + 1}: ${size.toFixed(1)} MB for 100,000 cursors, ${LIMIT} allowed${judged(size < LIMIT)}; ` +
          `40 commits in ${(took / 1000).toFixed(1)} s, ${(written / 1000).toFixed(0)} kB of state at most in one (2,500 cursors)`,
      );
    }
  });
}

function moved(progress: Progress, id: number, now: number): Record<string, unknown> {
  const unit: Unit = { stream: 'children', partition: { 'parent.id': id }, window: { start: null, end: null } };
  progress.planned(unit.partition, [unit]);
  const state: UnitState = { last: new Date(now - 1000 - id).toISOString(), keys: [String(id * 1000)] };
  return progress.finished(unit, state, now);
}

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const server = await benchServer(0, 0);
try {
  if (isWanted('state')) for (const type of ['jsonl', 'duckdb'] as const) await state(type);
  if (isWanted('time')) await time(server);
  if (isWanted('real')) await real(server);
} finally {
  server.stop();
}
process.exitCode = failed > 0 ? 1 : 0;
