/** What `ferrule airbyte` and `ferrule singer` print, read by Airbyte's own models and by Singer targets that nobody here wrote. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Discovers, chooses all streams, and reads them. */
async function airbyteRead(connector: string, to: string, state?: unknown): Promise<Seen> {
  if (state === undefined) {
    expect(await ferrule(['airbyte', 'discover', connector], 'found.jsonl')).toBe(0);
    airbyteReads('found.jsonl');
    const { streams } = JSON.parse((await texts('found.jsonl')).at(-1)!).catalog as { streams: { supported_sync_modes: string[] }[] };
    const configured = streams.map((stream) => ({
      stream,
      sync_mode: stream.supported_sync_modes.at(-1),
      destination_sync_mode: 'append',
    }));
    await file('catalog.json', { streams: configured });
  } else await file('state.json', state);
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
    const seen = await airbyteRead('jumpseller', 'read.jsonl');
    expect(counts(seen.records)).toEqual(sandbox.expected);
    expect(new Set(Object.values(seen.statuses).map((list) => list.join()))).toEqual(new Set(['STARTED,RUNNING,COMPLETE']));
    expect(seen.errors).toEqual([]);
  });

  it('the state that it keeps brings exactly what has changed', async () => {
    await start();
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
    await start(SPEC, { records: { events: 25_000, '*': 5 } });
    await airbyteRead(SPEC, 'whole.jsonl');
    const catalog = JSON.parse(await readFile(join(folder, 'catalog.json'), 'utf8')) as { streams: { stream: { name: string } }[] };
    await file('catalog.json', { streams: catalog.streams.filter(({ stream }) => stream.name === 'events') });
    expect(await ferrule(['airbyte', 'read', SPEC, '--catalog', 'catalog.json'], 'killed.jsonl', { killAt: '{"type":"STATE"' })).toBeNull();
    const killed = airbyteReads('killed.jsonl', 'catalog.json');
    const [, safe] = killed.order.at(-1)!;
    expect(killed.types.STATE).toBe(1);
    expect(safe).toBeLessThan(25_000);
    const rest = await airbyteRead(SPEC, 'rest.jsonl', Object.values(killed.states));
    const before = killed.records.events!.slice(0, safe);
    const after = rest.records.events!;
    // Each once; only what came behind the state comes twice.
    expect(before.length + after.length).toBe(25_000);
    expect(new Set([...before, ...after]).size).toBe(25_000);
  });

  it('a stream that fails', async () => {
    await start();
    sandbox.faults.add({ kind: 'server_error', status: 403, times: 99, stream: 'boards' });
    expect(await ferrule(['airbyte', 'discover', SPEC], 'found.jsonl')).toBe(0);
    const { streams } = JSON.parse((await texts('found.jsonl'))[0]!).catalog as { streams: { name: string }[] };
    const wanted = streams.filter(({ name }) => name === 'boards' || name === 'prices');
    await file('catalog.json', {
      streams: wanted.map((stream) => ({ stream, sync_mode: 'full_refresh', destination_sync_mode: 'overwrite' })),
    });
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
async function load(target: Target, from: string, to: string): Promise<{ state: unknown; rows: Record<string, number> }> {
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
  return { state: JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? ''), rows };
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

  it('killed in the middle, nothing is lost: the next read goes on behind the last state', async () => {
    await start(SPEC, { records: { events: 25_000, '*': 5 } });
    await file('catalog.json', { streams: [{ tap_stream_id: 'events', schema: { selected: true } }] });
    expect(await ferrule(['singer', SPEC, '--catalog', 'catalog.json'], 'killed.jsonl', { killAt: '{"type":"STATE"' })).toBeNull();
    const killed = (await texts('killed.jsonl')).map((text) => JSON.parse(text));
    const at = killed.findLastIndex(({ type }) => type === 'STATE');
    await file('state.json', killed[at].value);
    expect(await ferrule(['singer', SPEC, '--catalog', 'catalog.json', '--state', 'state.json'], 'rest.jsonl')).toBe(0);
    const rest = (await texts('rest.jsonl')).map((text) => JSON.parse(text));
    const ids = [...killed.slice(0, at), ...rest].filter(({ type }) => type === 'RECORD').map(({ record }) => record.id);
    expect(ids).toHaveLength(25_000);
    expect(new Set(ids).size).toBe(25_000);
  });
});
