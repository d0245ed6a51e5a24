// What reading into a file costs beside a bare Node loop that receives, parses and writes the same pages: node scripts/run.mjs bench/read.ts
import { fork } from 'node:child_process';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSink } from '../framework/destinations/index.ts';
import { connectSpec } from '../framework/engine/connect.ts';
import { loadText } from '../framework/spec/load.ts';

const PAGES = Number(process.env.PAGES ?? 500);
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

const SPEC = `spec: 1
name: bench
title: Bench
version: 1.0.0
auth: { none: none }
http: { base_url: 'https://api.bench.test' }
streams:
  items: { get: /items, records: data, primary_key: [id], paginate: { type: page, page: query.page, start: 1, stop: empty_page } }
`;

/** The loop that anybody would write, one page after the other. */
async function bare(origin: string, file: string): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const handle = await open(file, 'w');
  let records = 0;
  for (let page = 1; ; page++) {
    const text = await new Promise<string>((resolve, reject) => {
      get(`${origin}/items?page=${page}`, { agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      }).on('error', reject);
    });
    const { data } = JSON.parse(text) as { data: object[] };
    if (data.length === 0) break;
    await handle.write(data.map((record) => `${JSON.stringify(record)}\n`).join(''));
    records += data.length;
  }
  await handle.sync();
  await handle.close();
  agent.destroy();
  return records;
}

async function ours(origin: string, folder: string, to: string): Promise<number> {
  const { spec } = loadText(SPEC, 'bench.yaml');
  if (spec === undefined) throw new Error('the spec of the bench has mistakes');
  const connection = await connectSpec(spec, { fields: {} }, { sandbox: { addresses: { 'https://api.bench.test': origin } } });
  const sink = await openSink({ type: to as 'jsonl', target: to === 'duckdb' ? join(folder, 'x.duckdb') : folder });
  const mode = process.env.MODE as 'upsert' | undefined;
  const [outcome] = await connection.readInto(sink, { streams: ['items'], fromStart: true, ...(mode && { mode }) });
  await sink.close();
  await connection.close();
  if (outcome?.error) throw outcome.error;
  return outcome?.records ?? 0;
}

async function measure(origin: string, size: string, to: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-read-'));
  const rates: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
  /** Microseconds of this process's CPU for a record: what others do on the machine is not in it. */
  const costs: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
  const time = async (kind: 'bare' | 'ours', read: () => Promise<number>): Promise<void> => {
    const began = performance.now();
    const before = process.cpuUsage();
    const records = await read();
    const { user, system } = process.cpuUsage(before);
    if (records !== PAGES * 100) throw new Error(`${kind} read ${records} records`);
    rates[kind].push((records * 1000) / (performance.now() - began));
    costs[kind].push((user + system) / (PAGES * 100));
  };
  // In turn, so that what else the machine does falls on both alike; the first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    if (round === 1) for (const kept of [rates, costs]) Object.assign(kept, { bare: [], ours: [] });
    if (process.env.ONLY !== 'ours') await time('bare', () => bare(origin, join(folder, 'bare.jsonl')));
    await time('ours', async () => ours(origin, await mkdtemp(join(folder, 'ours-')), to));
  }
  const bytes = process.env.ONLY === 'ours' ? 0 : (await stat(join(folder, 'bare.jsonl'))).size / (PAGES * 100);
  await rm(folder, { recursive: true, force: true });
  const [b, o] = [median(rates.bare), median(rates.ours)];
  const [bc, oc] = [median(costs.bare), median(costs.ours)];
  console.log(`CPU of a record: bare ${bc.toFixed(1)} µs, ferrule ${oc.toFixed(1)} µs, ratio ${(bc / oc).toFixed(2)}`);
  console.log(
    `${to}, ${size} byte records (${bytes.toFixed(0)} as written): ratio ${(o / b).toFixed(2)} (bare ${Math.round(b)}/s, ferrule ${Math.round(o)}/s)`,
  );
}

const [size = '800', to = 'jsonl'] = process.argv.slice(2);
const child = fork('bench/read-server.mjs', [String(PAGES), size]);
const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
try {
  await measure(`http://127.0.0.1:${port}`, size, to);
} finally {
  child.kill();
}
