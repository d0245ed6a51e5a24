// Resident memory of a process that reads much: 5 million records in 50,000 pages, a JSON answer of 1 GB with its list deep inside, and
// 1 GB of CSV as one gzip answer. node scripts/run.mjs bench/memory.ts [case …]; SHARE=0.1 reads a tenth.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SinkType } from '../framework/destinations/index.ts';
import { benchServer, benchSpec, readApart } from './reader.ts';

const share = Number(process.env.SHARE ?? 1);
const RECORDS = Math.round(50_000 * share) * 100;
const BYTES = Math.round(1e9 * share);
const LIMIT = 250;

const SPEC = benchSpec(`
  items: { get: /items, records: data, primary_key: [id], paginate: { type: page, page: query.page, start: 1, page_size: 100, stop: short_page } }
  json: { get: /large.json, records: result.data.items, primary_key: [id], paginate: none }
  csv: { get: /large.csv.gz, records: $, primary_key: [id], decode: [gzip, csv], paginate: none }
`);

const CASES: { name: string; stream: string; type: SinkType; limit?: number }[] = [
  { name: 'pages-jsonl', stream: 'items', type: 'jsonl', limit: LIMIT },
  { name: 'json-jsonl', stream: 'json', type: 'jsonl', limit: LIMIT },
  { name: 'csv-jsonl', stream: 'csv', type: 'jsonl', limit: LIMIT },
  // DuckDB keeps what it can in memory, up to a limit of its own.
  { name: 'pages-duckdb', stream: 'items', type: 'duckdb' },
];

const server = await benchServer(RECORDS, BYTES);
let failed = 0;
try {
  const wanted = process.argv.slice(2);
  for (const { name, stream, type, limit } of CASES) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const folder = await mkdtemp(join(tmpdir(), 'bench-memory-'));
    const target = type === 'duckdb' ? join(folder, 'out.duckdb') : join(folder, 'out');
    const { records, seconds, sampled, most } = await readApart({ spec: SPEC, origin: server.origin, stream, into: { type, target } });
    await rm(folder, { recursive: true });
    const over = limit !== undefined && most > limit;
    if (over) failed += 1;
    const said = limit === undefined ? '' : `, ${limit} allowed${over ? ': TOO MUCH' : ''}`;
    console.log(
      `${name}: ${records} records in ${seconds.toFixed(0)} s, resident ${most.toFixed(0)} MiB at the most (${sampled.toFixed(0)} in samples)${said}`,
    );
  }
} finally {
  server.stop();
}
process.exitCode = failed > 0 ? 1 : 0;
