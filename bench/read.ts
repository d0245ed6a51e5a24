/**
 * What reading costs beside a bare Node loop that receives, parses and writes the same pages: node scripts/run.mjs bench/read.ts [CASE…]
 * PAGES=n, ROUNDS=n; ONLY=ours leaves the bare loop out, for a profiler.
 */
import { fork } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSink } from '../framework/destinations/index.ts';
import { connectSpec } from '../framework/engine/connect.ts';
import { loadText } from '../framework/spec/load.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const A_PAGE = 100;
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

interface Case {
  title: string;
  /** Bytes of a record, about. */
  size: number;
  pages: number;
  streams: string;
  /** The stream whose records count. */
  of: string;
  to: 'jsonl' | 'duckdb';
  /** The same by hand. */
  bare(from: Pages, folder: string): Promise<void>;
}

const ITEMS =
  'items: { get: /items, records: data, primary_key: [id], paginate: { type: page, page: query.page, start: 1, stop: empty_page } }';
const PARENTS =
  'parents: { get: /parents, records: data, primary_key: [id], paginate: { type: page, page: query.page, start: 1, stop: empty_page } }';

const CASES: Record<string, Case> = {
  small: { title: '0.8 KB records into jsonl', size: 800, pages: 1000, streams: ITEMS, of: 'items', to: 'jsonl', bare: intoFile },
  large: { title: '10 KB records into jsonl', size: 10_000, pages: 200, streams: ITEMS, of: 'items', to: 'jsonl', bare: intoFile },
  changed: {
    title: '0.8 KB records into jsonl, a column of each taken out',
    size: 800,
    pages: 1000,
    streams: ITEMS.replace('records: data', 'records: data, remove: [status]'),
    of: 'items',
    to: 'jsonl',
    bare: (from, folder) => intoFile(from, folder, ({ status: _, ...record }) => record),
  },
  child: {
    title: '0.8 KB records of a child stream, a page for each parent, into jsonl',
    size: 800,
    pages: 1000,
    streams: `${PARENTS}\n  items: { parent: parents, get: /items, query: { page: '\${parent.id}' }, records: data, primary_key: [id] }`,
    of: 'items',
    to: 'jsonl',
    bare: ofParents,
  },
  duckdb: {
    title: '0.8 KB records into DuckDB, with upsert',
    size: 800,
    pages: 500,
    streams: ITEMS,
    of: 'items',
    to: 'duckdb',
    bare: intoDuckdb,
  },
};

type Item = Record<string, unknown>;
/** Asks for one page. */
type Pages = (path: string) => Promise<Item[]>;

function pagesOf(origin: string): { from: Pages; close: () => void } {
  const agent = new Agent({ keepAlive: true });
  const from: Pages = async (path) => {
    const text = await new Promise<string>((resolve, reject) => {
      get(origin + path, { agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      }).on('error', reject);
    });
    return (JSON.parse(text) as { data: Item[] }).data;
  };
  return { from, close: () => agent.destroy() };
}

/** The loop that anybody would write, one page after the other. */
async function intoFile(from: Pages, folder: string, change?: (record: Item) => Item): Promise<void> {
  const handle = await open(join(folder, 'bare.jsonl'), 'w');
  for (let page = 1; ; page++) {
    const data = await from(`/items?page=${page}`);
    if (data.length === 0) break;
    const records = change ? data.map(change) : data;
    await handle.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
  await handle.sync();
  await handle.close();
}

async function ofParents(from: Pages, folder: string): Promise<void> {
  const handle = await open(join(folder, 'bare.jsonl'), 'w');
  for (let page = 1; ; page++) {
    const parents = await from(`/parents?page=${page}`);
    if (parents.length === 0) break;
    for (const { id } of parents) {
      const data = await from(`/items?page=${id}`);
      await handle.write(data.map((record) => `${JSON.stringify(record)}\n`).join(''));
    }
  }
  await handle.sync();
  await handle.close();
}

/** Batches into a table of the session, and from there over the old rows. */
async function intoDuckdb(from: Pages, folder: string): Promise<void> {
  const { DuckDBInstance, DuckDBTimestampValue } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(join(folder, 'bare.duckdb'));
  const connection = await instance.connect();
  const columns =
    'name VARCHAR, status VARCHAR, price DOUBLE, created_at TIMESTAMP, updated_at TIMESTAMP, owner JSON, tags JSON, note VARCHAR';
  await connection.run(`CREATE TABLE items (id BIGINT PRIMARY KEY, ${columns})`);
  const write = async (batch: Item[]): Promise<void> => {
    await connection.run(`CREATE OR REPLACE TEMP TABLE batch (id BIGINT, ${columns})`);
    const appender = await connection.createAppender('batch');
    for (const { id, name, status, price, created_at, updated_at, owner, tags, note } of batch) {
      appender.appendBigInt(BigInt(id as number));
      appender.appendVarchar(name as string);
      appender.appendVarchar(status as string);
      appender.appendDouble(price as number);
      for (const time of [created_at, updated_at])
        appender.appendTimestamp(new DuckDBTimestampValue(BigInt(Date.parse(time as string)) * 1000n));
      appender.appendVarchar(JSON.stringify(owner));
      appender.appendVarchar(JSON.stringify(tags));
      appender.appendVarchar(note as string);
      appender.endRow();
    }
    appender.closeSync();
    await connection.run('INSERT OR REPLACE INTO items SELECT * FROM batch');
  };
  let batch: Item[] = [];
  for (let page = 1; ; page++) {
    const data = await from(`/items?page=${page}`);
    batch.push(...data);
    if (batch.length >= 10_000 || data.length === 0) {
      if (batch.length > 0) await write(batch);
      batch = [];
    }
    if (data.length === 0) break;
  }
  connection.closeSync();
  instance.closeSync();
}

async function ours({ streams, of, to }: Case, origin: string, folder: string): Promise<number> {
  const text = `spec: 1
name: bench
title: Bench
version: 1.0.0
auth: { none: none }
http: { base_url: 'https://api.bench.test' }
streams:
  ${streams}
`;
  const { spec } = loadText(text, 'bench.yaml');
  if (spec === undefined) throw new Error('the spec of the bench has mistakes');
  const connection = await connectSpec(spec, { fields: {} }, { sandbox: { addresses: { 'https://api.bench.test': origin } } });
  const sink = await openSink({ type: to, target: to === 'duckdb' ? join(folder, 'x.duckdb') : folder });
  const [outcome] = await connection.readInto(sink, { streams: [of], fromStart: true, ...(to === 'duckdb' && { mode: 'upsert' }) });
  await sink.close();
  await connection.close();
  if (outcome?.error) throw outcome.error;
  return outcome?.records ?? 0;
}

/** Records a second of the wall clock, and microseconds of this process's CPU for one: what others do on the machine is not in that. */
interface Figures {
  rate: number[];
  cost: number[];
}

async function measure(one: Case): Promise<void> {
  const pages = Number(process.env.PAGES ?? one.pages);
  const records = pages * A_PAGE;
  const child = fork('bench/read-server.mjs', [String(pages), String(one.size)]);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
  const origin = `http://127.0.0.1:${port}`;
  const folder = await mkdtemp(join(tmpdir(), 'bench-read-'));
  const found: Record<'bare' | 'ours', Figures> = { bare: { rate: [], cost: [] }, ours: { rate: [], cost: [] } };
  const time = async (kind: 'bare' | 'ours', read: (own: string) => Promise<void>): Promise<void> => {
    const own = await mkdtemp(join(folder, kind));
    const began = performance.now();
    const before = process.cpuUsage();
    await read(own);
    const { user, system } = process.cpuUsage(before);
    found[kind].rate.push((records * 1000) / (performance.now() - began));
    found[kind].cost.push((user + system) / records);
    await rm(own, { recursive: true });
  };
  // In turn, so that what else the machine does falls on both alike; the first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    if (round === 1) for (const figures of Object.values(found)) Object.assign(figures, { rate: [], cost: [] });
    if (process.env.ONLY !== 'ours') {
      await time('bare', async (own) => {
        const { from, close } = pagesOf(origin);
        await one.bare(from, own);
        close();
      });
    }
    await time('ours', async (own) => {
      const read = await ours(one, origin, own);
      if (read !== records) throw new Error(`${read} records were read, not ${records}`);
    });
  }
  child.kill();
  await rm(folder, { recursive: true, force: true });
  const [b, o] = [median(found.bare.rate), median(found.ours.rate)];
  const [bc, oc] = [median(found.bare.cost), median(found.ours.cost)];
  console.log(
    `${one.title}: ratio ${(o / b).toFixed(2)} (bare ${Math.round(b)}/s, ferrule ${Math.round(o)}/s); CPU of a record ${bc.toFixed(1)} and ${oc.toFixed(1)} µs, ratio ${(bc / oc).toFixed(2)}`,
  );
}

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(CASES)) {
  const one = CASES[name];
  if (one === undefined) throw new Error(`there is no case ${name}: ${Object.keys(CASES).join(', ')}`);
  await measure(one);
}
