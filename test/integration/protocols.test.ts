/** What `ferrule airbyte` and `ferrule singer` print, read by Airbyte's own models and by Singer targets that nobody here wrote. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { singerSink } from '../../framework/interop/singer-sink.ts';
import { type Key, type Sandbox, type SandboxOptions, startSandbox } from '../../framework/sandbox/index.ts';
import { loadConnector } from '../../framework/spec/load.ts';
import { installed } from './programs.ts';

const SPEC = resolve('test/integration/specs/protocols.yaml');
const COMMAND = resolve('dist/cli.js');

let folder: string;
let sandbox: Sandbox;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-protocols-'));
});
afterEach(async () => {
  await sandbox?.close();
  await rm(folder, { recursive: true });
});

const file = async (name: string, value: unknown): Promise<string> => {
  await writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  return name;
};
const texts = async (name: string): Promise<string[]> => (await readFile(join(folder, name), 'utf8')).split('\n').slice(0, -1);

async function start(connector = SPEC, options: SandboxOptions = {}): Promise<string> {
  sandbox = await startSandbox(await loadConnector(connector), { records: 60, parents: 4, ...options });
  const { method, choices, fields } = sandbox.inputs;
  await file('config.json', { ...choices, credentials: { method, ...fields } });
  return connector;
}

/** Runs the program as it ships; what it prints on standard output goes into a file. The sandbox is in this process: it must go on meanwhile. */
async function ferrule(args: string[], to: string, { killAt }: { killAt?: string } = {}): Promise<number | null> {
  const options = ['--config', 'config.json', '--sandbox', sandbox.origin];
  const child = spawn(process.execPath, [COMMAND, ...args, ...options], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (killAt !== undefined && chunk.includes(killAt)) child.kill('SIGKILL');
  });
  const status = await new Promise<number | null>((done) => child.on('close', done));
  await writeFile(join(folder, to), Buffer.concat(chunks));
  return status;
}

interface Seen {
  types: Record<string, number>;
  records: Record<string, string[]>;
  statuses: Record<string, string[]>;
  states: Record<string, unknown>;
  order: [stream: string, records: number][];
  errors: [type: string, message: string][];
  status?: string;
}

/** Each line parsed strictly, and each record checked against the catalog. A line that was cut off is no line. */
function airbyteReads(name: string, ...more: string[]): Seen {
  const script = resolve('test/integration/airbyte-lines.py');
  const python = installed('python/bin/python3');
  return JSON.parse(execFileSync(python, [script, name, ...more], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })) as Seen;
}

const counts = (records: Record<string, unknown[]>) =>
  Object.fromEntries(Object.entries(records).map(([name, list]) => [name, list.length]));
const keysOf = (keys: readonly Key[]): string[] => keys.map(({ id }) => String(id)).sort();

/** Discovers, and chooses streams in the best mode that they have. */
async function choose(connector: string, names?: readonly string[]): Promise<void> {
  expect(await ferrule(['airbyte', 'discover', connector], 'found.jsonl')).toBe(0);
  expect(airbyteReads('found.jsonl').types).toEqual({ CATALOG: 1 });
  const { streams } = JSON.parse((await texts('found.jsonl'))[0]!).catalog as {
    streams: { name: string; supported_sync_modes: string[] }[];
  };
  const configured = streams.flatMap((stream) => {
    if (names !== undefined && !names.includes(stream.name)) return [];
    return [{ stream, sync_mode: stream.supported_sync_modes.at(-1), destination_sync_mode: 'append' }];
  });
  await file('catalog.json', { streams: configured });
}

/** Reads what was chosen, to its end. */
async function airbyteRead(connector: string, to: string, state?: unknown): Promise<Seen> {
  if (state !== undefined) await file('state.json', state);
  const args = ['--catalog', 'catalog.json', ...(state === undefined ? [] : ['--state', 'state.json'])];
  expect(await ferrule(['airbyte', 'read', connector, ...args], to)).toBe(0);
  return airbyteReads(to, 'catalog.json');
}

/** Changes data, a moment after the last read: what stands at its very edge is another matter. */
async function change(): Promise<Record<string, string[]>> {
  await sleep(1100);
  const cards = sandbox.change({ stream: 'cards', update: 2, insert: 3 });
  const tickets = sandbox.change({ stream: 'tickets', update: 4 });
  const events = sandbox.change({ stream: 'events', insert: 5 });
  await sleep(1100);
  return Object.fromEntries(
    Object.entries({ cards, tickets, events }).map(([name, { updated, inserted }]) => [name, keysOf([...updated, ...inserted])]),
  );
}

describe('Airbyte', () => {
  it('its models read every message of a connector of ours, and the configuration fits the SPEC', async () => {
    await start('connectors/jumpseller.yaml');
    expect(await ferrule(['airbyte', 'spec', 'jumpseller'], 'spec.jsonl')).toBe(0);
    expect(airbyteReads('spec.jsonl', '', 'config.json').types).toEqual({ SPEC: 1 });
    expect(await ferrule(['airbyte', 'check', 'jumpseller'], 'check.jsonl')).toBe(0);
    expect(airbyteReads('check.jsonl').status).toBe('SUCCEEDED');
    await choose('jumpseller');
    const seen = await airbyteRead('jumpseller', 'read.jsonl');
    expect(counts(seen.records)).toEqual(sandbox.expected);
    expect(new Set(Object.values(seen.statuses).map((list) => list.join()))).toEqual(new Set(['STARTED,RUNNING,COMPLETE']));
    expect(seen.errors).toEqual([]);
    await sleep(1100);
    const { updated, inserted } = sandbox.change({ stream: 'products', update: 1, insert: 1 });
    await choose('jumpseller', ['products']);
    const again = await airbyteRead('jumpseller', 'again.jsonl', Object.values(seen.states));
    expect(again.records.products?.sort()).toEqual(keysOf([...updated, ...inserted]));
  });

  it('the state that it keeps brings exactly what has changed', async () => {
    await start();
    await choose(SPEC);
    const first = await airbyteRead(SPEC, 'first.jsonl');
    expect(counts(first.records)).toEqual(sandbox.expected);
    const changed = await change();
    const second = await airbyteRead(SPEC, 'second.jsonl', Object.values(first.states));
    const { prices, ...incremental } = second.records;
    expect(prices).toHaveLength(sandbox.expected.prices!);
    expect(Object.fromEntries(Object.entries(incremental).map(([name, ids]) => [name, [...ids].sort()]))).toEqual(changed);
    // Nothing has changed since.
    const third = await airbyteRead(SPEC, 'third.jsonl', Object.values(second.states));
    expect(counts(third.records)).toEqual({ prices: sandbox.expected.prices });
  });

  it('killed in the middle, nothing is lost: the next read goes on behind the last state', async () => {
    await start(SPEC, { records: { events: 15_000, '*': 5 } });
    await choose(SPEC, ['events']);
    expect(await ferrule(['airbyte', 'read', SPEC, '--catalog', 'catalog.json'], 'killed.jsonl', { killAt: '{"type":"STATE"' })).toBeNull();
    const killed = airbyteReads('killed.jsonl', 'catalog.json');
    const [, safe] = killed.order.at(-1)!;
    expect(killed.types.STATE).toBe(1);
    expect(safe).toBeLessThan(15_000);
    const rest = await airbyteRead(SPEC, 'rest.jsonl', Object.values(killed.states));
    const before = killed.records.events!.slice(0, safe);
    const after = rest.records.events!;
    // Each once; only what came behind the state comes twice.
    expect(before.length + after.length).toBe(15_000);
    expect(new Set([...before, ...after]).size).toBe(15_000);
  });

  it('a stream that fails', async () => {
    await start();
    sandbox.faults.add({ kind: 'server_error', status: 403, times: 99, stream: 'boards' });
    await choose(SPEC, ['boards', 'prices']);
    expect(await ferrule(['airbyte', 'read', SPEC, '--catalog', 'catalog.json'], 'read.jsonl')).toBe(1);
    const seen = airbyteReads('read.jsonl', 'catalog.json');
    expect(seen.statuses).toEqual({ boards: ['STARTED', 'INCOMPLETE'], prices: ['STARTED', 'RUNNING', 'COMPLETE'] });
    expect(seen.errors).toEqual([['config_error', expect.stringContaining('403')]]);
  });
});

const TARGETS = {
  'target-jsonl': { ending: '.jsonl', config: (path: string) => ({ destination_path: path, do_timestamp_file: false }) },
  'target-csv': { ending: '.csv', config: (path: string) => ({ output_path: path }) },
} as const;
type Target = keyof typeof TARGETS;

/** Without the head. Texts may have lines. */
function csvRows(path: string): number {
  const rows = execFileSync(installed('python/bin/python3'), ['test/integration/rows.py', 'csv', path], { encoding: 'utf8' });
  return (JSON.parse(rows) as unknown[]).length - 1;
}

/** Feeds a target; gives the state that it would have kept, and how many rows it has written, by stream. */
async function load(target: Target, from: string, to: string): Promise<{ state: unknown; rows: Record<string, number>; place: string }> {
  const { ending, config } = TARGETS[target];
  const out = await mkdtemp(join(folder, `${to}-`));
  const configured = await file(`${to}.json`, config(out));
  const input = await readFile(join(folder, from));
  const ran = spawnSync(installed(target, 'bin', target), ['--config', configured], {
    cwd: folder,
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect([ran.status, ran.status === 0 ? '' : ran.stderr]).toEqual([0, '']);
  const rows: Record<string, number> = {};
  for (const name of await readdir(out)) {
    const path = join(out, name);
    rows[name.replace(ending, '')] = target === 'target-csv' ? csvRows(path) : (await readFile(path, 'utf8')).trimEnd().split('\n').length;
  }
  return { state: JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? ''), rows, place: out };
}

const singerReads = (how: 'catalog' | 'messages', name: string): Record<string, unknown> =>
  JSON.parse(
    execFileSync(installed('target-jsonl/bin/python3'), [resolve('test/integration/singer-lines.py'), how, name], {
      cwd: folder,
      encoding: 'utf8',
    }),
  ) as Record<string, unknown>;

describe('Singer', () => {
  it('singer-python reads the catalog and every message', async () => {
    await start();
    expect(await ferrule(['singer', SPEC, '--discover'], 'catalog.json')).toBe(0);
    expect(singerReads('catalog', 'catalog.json')).toEqual({
      boards: [['id'], 'INCREMENTAL', ['changed', 'id']],
      cards: [['id'], 'INCREMENTAL', ['changed', 'id']],
      tickets: [['id'], 'INCREMENTAL', ['changed', 'id']],
      events: [['id'], 'INCREMENTAL', ['id', 'seq']],
      prices: [['id'], 'FULL_TABLE', ['id']],
    });
    expect(await ferrule(['singer', SPEC], 'read.jsonl')).toBe(0);
    const records = Object.values(sandbox.expected).reduce((sum, count) => sum + count, 0);
    expect(singerReads('messages', 'read.jsonl')).toMatchObject({ SchemaMessage: 5, RecordMessage: records });
  });

  it.each(Object.keys(TARGETS) as Target[])(
    '%s reads all, and the state that it gives back brings exactly what has changed',
    async (target) => {
      await start('connectors/jumpseller.yaml');
      expect(await ferrule(['singer', 'jumpseller'], 'shop.jsonl')).toBe(0);
      expect((await load(target, 'shop.jsonl', 'shop')).rows).toEqual(sandbox.expected);
      await sandbox.close();
      await start();
      expect(await ferrule(['singer', SPEC], 'first.jsonl')).toBe(0);
      const first = await load(target, 'first.jsonl', 'first');
      expect(first.rows).toEqual(sandbox.expected);
      const changed = await change();
      await file('state.json', first.state);
      expect(await ferrule(['singer', SPEC, '--state', 'state.json'], 'second.jsonl')).toBe(0);
      const { prices, ...rows } = (await load(target, 'second.jsonl', 'second')).rows;
      expect(prices).toBe(sandbox.expected.prices);
      expect(Object.fromEntries(Object.entries(rows).filter(([, count]) => count > 0))).toEqual(counts(changed));
      const ids = (await texts('second.jsonl'))
        .map((text) => JSON.parse(text))
        .filter(({ type, stream }) => type === 'RECORD' && stream !== 'prices');
      for (const [name, wanted] of Object.entries(changed)) {
        expect(
          ids
            .filter(({ stream }) => stream === name)
            .map(({ record }) => String(record.id))
            .sort(),
        ).toEqual(wanted);
      }
    },
  );

  it.each(Object.keys(TARGETS) as Target[])('%s keeps every digit', async (target) => {
    const lines: Uint8Array[] = [];
    const columns = { id: { type: 'integer' }, price: { type: 'number' }, at: { type: 'datetime' }, text: { type: 'text' } } as const;
    const known = [{ name: 'big', title: 'Big', primary_key: ['id'], columns, incremental: false, available: true }];
    const streams = new Map([['big', { incremental: false, without: new Set<string>() }]]);
    const write = async (some: string | Uint8Array): Promise<void> => void lines.push(Buffer.from(some));
    const sink = singerSink({ streams, known, states: new Map(), write, now: Date.now });
    const types = Object.fromEntries(Object.entries(columns).map(([name, { type }]) => [name, type]));
    const stream = await sink.open({ name: 'big', mode: 'overwrite', primary_key: ['id'], columns: types, resumes: false, state: {} });
    const record = { id: '9223372036854775807', price: '0.10', at: '2026-01-02 03:04', text: 'a\u2028b' };
    await stream.commit({ records: [], packed: [stream.pack!([record])], state: {} });
    await sink.close();
    await writeFile(join(folder, 'big.jsonl'), Buffer.concat(lines));
    const { rows, place } = await load(target, 'big.jsonl', 'big');
    expect(rows).toEqual({ big: 1 });
    const written = await readFile(join(place, `big${TARGETS[target].ending}`), 'utf8');
    expect(written).toMatch(/\b9223372036854775807\b/);
    expect(written).toMatch(/2026-01-02[T ]03:04:00/);
  });

  it('killed in the middle, nothing is lost: the next read goes on behind the last state', async () => {
    await start(SPEC, { records: { events: 15_000, '*': 5 } });
    await file('catalog.json', { streams: [{ tap_stream_id: 'events', schema: { selected: true } }] });
    expect(await ferrule(['singer', SPEC, '--catalog', 'catalog.json'], 'killed.jsonl', { killAt: '{"type":"STATE"' })).toBeNull();
    const killed = (await texts('killed.jsonl')).map((text) => JSON.parse(text));
    const at = killed.findLastIndex(({ type }) => type === 'STATE');
    await file('state.json', killed[at].value);
    expect(await ferrule(['singer', SPEC, '--catalog', 'catalog.json', '--state', 'state.json'], 'rest.jsonl')).toBe(0);
    const rest = (await texts('rest.jsonl')).map((text) => JSON.parse(text));
    const ids = [...killed.slice(0, at), ...rest].filter(({ type }) => type === 'RECORD').map(({ record }) => record.id);
    expect(ids).toHaveLength(15_000);
    expect(new Set(ids).size).toBe(15_000);
  });
});
