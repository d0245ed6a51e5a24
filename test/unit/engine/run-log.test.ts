import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemRandom } from '../../../framework/core/clock.ts';
import { FerruleError } from '../../../framework/core/errors.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { type RunLogOptions, runLog } from '../../../framework/engine/run-log.ts';
import { type RunRecord, type RunRequest, readRun, runFolder, runNames, withEvents } from '../../../framework/engine/run-record.ts';
import { acme, addresses } from '../../acme.ts';
import { canary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';
import { memorySink } from '../../sink.ts';

let folder: string;
let server: LocalServer | undefined;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'ferrule-run-log-')), 'state', 'runs');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(resolve(folder, '../..'), { recursive: true });
});

const REQUEST: RunRequest = { connector: 'acme', streams: ['items'], options: {}, destination: 'memory' };
const AT = Date.parse('2026-11-27T12:00:00Z');

const lines = (id: string): Record<string, unknown>[] =>
  readFileSync(join(folder, id, 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A run of some streams, logged. The credential is a key in the query, and what the provider says repeats it. */
async function logged(streams: string, answer: (request: Received) => Answer, options: RunLogOptions = {}): Promise<RunRecord> {
  server = await serve(answer);
  const clock = new FakeClock(AT);
  const spec = acme(`auth: { key: { type: api_key, send: { query: { api_key: '\${fields.api_key}' } } } }\n${streams}`);
  const names = Object.keys(spec.streams ?? {});
  const log = await runLog(folder, { ...REQUEST, streams: names }, { clock, ...options });
  await using connection = await connectSpec(
    spec,
    { fields: { api_key: canary('run log') } },
    { ...addresses(server.origin), clock, onEvent: log.onHttp },
  );
  await connection.readInto(memorySink(), { streams: names, onEvent: log.onEvent });
  return await log.end();
}

describe('a run that is logged', () => {
  const STREAMS = `
streams:
  items:
    get: /items
    primary_key: [id]
    paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }
    keep: '\${record.id != 2}'
    columns: { id: integer, size: integer }
  refused: { get: /refused }
`;

  it('says what was asked, answered, sent again, left out and refused, and no secret', async () => {
    let busy = 1;
    const run = await logged(STREAMS, ({ path, query }) => {
      if (path === '/v1/refused') return { status: 400, json: { message: `the key ${query.get('api_key')} may not` } };
      if (busy-- > 0) return { status: 503, json: { message: `busy, ${query.get('api_key')}` } };
      return { json: query.get('skip') === '0' ? [{ id: 1, size: 5 }, { id: 2 }] : [{ id: 3, size: 'large' }] };
    });
    expect(run).toMatchObject({ state: 'failed', connector: 'acme', began: '2026-11-27T12:00:00.000Z' });
    const [items, refused] = run.outcomes;
    expect(items).toMatchObject({
      complete: true,
      mode: 'overwrite',
      place: 'memory items',
      requests: 3,
      answered: { '200': 2, '503': 1 },
      unanswered: {},
      records: 2,
      pages: 2,
      skipped: { keep: 1 },
      misfits: { size: { wanted: 'integer', found: 'text', records: 1 } },
      errors: 0,
    });
    const [[reason, times] = []] = Object.entries(items!.retried);
    expect([times, reason]).toEqual([1, 'GET https://api.acme.test/v1/items answered 503: busy, [secret]']);
    expect(items!.waited.retries).toBeGreaterThan(0);
    expect(refused).toMatchObject({ complete: false, answered: { '400': 1 }, error: { code: 'request_refused' }, failures: 1 });
    expect(refused!.error!.next).not.toBe('');

    const kinds = lines(run.id).map(({ of, type, stream, name }) => `${of} ${type} ${stream ?? name}`);
    expect(kinds.filter((kind) => kind.endsWith(' items') && !kind.includes('unit')).sort()).toEqual(
      [
        ...['start', 'page', 'page', 'misfit', 'commit', 'end'].map((type) => `stream ${type} items`),
        ...['request', 'request', 'request', 'response', 'response', 'response', 'retry'].map((type) => `http ${type} items`),
      ].sort(),
    );
    const text = readdirSync(join(folder, run.id)).map((file) => readFileSync(join(folder, run.id, file), 'utf8'));
    expect(text.join('')).not.toContain('CANARY');
    expect(text.join('')).not.toMatch(/"headers"|"body"|"large"/);
    // Whoever reads the events comes to the same counts.
    const again = await withEvents(folder, { ...run, state: 'killed', outcomes: [] });
    expect(again.outcomes).toEqual(run.outcomes);
  });

  it('is for its owner alone, and its record is what reading it gives', async () => {
    const run = await logged('streams: { items: { get: /items } }', () => ({ json: [{ id: 1 }] }));
    expect(run.state).toBe('done');
    expect(run.id).toMatch(/^2026-11-27T12-00-00Z-acme-[a-z]{4}$/);
    const mode = (path: string): number => statSync(path).mode & 0o777;
    expect([folder, join(folder, '..'), join(folder, run.id)].map(mode)).toEqual([0o700, 0o700, 0o700]);
    expect(readdirSync(join(folder, run.id)).sort()).toEqual(['events.jsonl', 'run.json']);
    expect(['run.json', 'events.jsonl'].map((file) => mode(join(folder, run.id, file)))).toEqual([0o600, 0o600]);
    expect(await readRun(folder, run.id)).toEqual(JSON.parse(JSON.stringify(run)));
  });

  it('stops writing events where they are too many, and goes on counting', async () => {
    const page = ({ query }: Received): Answer => ({ json: Number(query.get('skip')) < 200 ? [{ id: 1 }, { id: 2 }] : [] });
    const run = await logged(
      'streams: { items: { get: /items, paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page } } }',
      page,
      { mostBytes: 4000 },
    );
    expect(run.outcomes).toMatchObject([{ records: 200, requests: 101, answered: { '200': 101 } }]);
    expect(run.events).toMatchObject({ cut: true });
    expect(statSync(join(folder, run.id, 'events.jsonl')).size).toBe(run.events!.bytes);
    expect(run.events!.bytes).toBeLessThan(4600);
    expect(lines(run.id).at(-1)).toMatchObject({ of: 'log', type: 'cut' });
  });

  it('keeps distinct reasons few', async () => {
    const log = await runLog(folder, REQUEST);
    for (let call = 0; call < 60; call += 1)
      log.onHttp({ type: 'retry', call, name: 'items', at: AT, attempt: 1, wait: 1, reason: `no. ${call} ${'x'.repeat(500)}` });
    const [{ retried } = {}] = (await log.end()).outcomes;
    expect(Object.keys(retried!)).toHaveLength(21);
    expect(retried!['other reasons']).toBe(40);
    expect(Math.max(...Object.keys(retried!).map((key) => key.length))).toBe(201);
  });
});

describe('runs that are kept', () => {
  it('removes the oldest, but none that is under way and nothing of others', async () => {
    let at = AT;
    const options = { mostRuns: 3, clock: { now: () => (at += 1000), sleep: async () => {} } };
    const first = await runLog(folder, REQUEST, options); // never ends
    const second = await (await runLog(folder, REQUEST, options)).end();
    const kept = join(folder, second.id, 'notes.txt');
    mkdirSync(join(folder, 'my-notes'));
    mkdirSync(join(folder, '2020-01-01T00-00-00Z-Not-ours'));
    symlinkSync(resolve(folder, '..'), join(folder, '2020-01-01T00-00-00Z-acme-link'));
    const third = await (await runLog(folder, REQUEST, options)).end();
    writeFileSync(kept, 'mine');
    const later = [await runLog(folder, REQUEST, options), await runLog(folder, REQUEST, options), await runLog(folder, REQUEST, options)];
    const names = await runNames(folder);
    // The folder with a stranger's file in it is there, without a record.
    expect(names).toEqual([...later.map(({ id }) => id).reverse(), second.id, first.id]);
    expect(await readRun(folder, second.id)).toBeUndefined();
    expect(existsSync(join(folder, third.id))).toBe(false);
    expect(readFileSync(kept, 'utf8')).toBe('mine');
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(['my-notes', '2020-01-01T00-00-00Z-Not-ours', '2020-01-01T00-00-00Z-acme-link']),
    );
    for (const log of [first, ...later]) await log.end();
  });

  it('shows one whose process was killed as killed, with what it had told until then', async () => {
    const script = join(folder, '../../killed.mjs');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      script,
      `const { runLog } = await import(${JSON.stringify(`file://${resolve('framework/engine/run-log.ts')}`)});
const log = await runLog(${JSON.stringify(folder)}, ${JSON.stringify(REQUEST)});
log.onEvent({ type: 'start', at: 0, stream: 'items', mode: 'append', resumed: false, place: 'there' });
log.onHttp({ type: 'response', call: 1, name: 'items', at: 0, attempt: 1, method: 'GET', url: 'https://a', status: 200, headers: {}, bytes: 7, duration: 1 });
log.onEvent({ type: 'page', at: 0, stream: 'items', partition: { id: 'P-1' }, records: 5, skipped: 2, why: 'known', index: 0 });
setImmediate(() => console.log(log.id)); // what happened in a turn is written at its end
setInterval(() => {}, 1000);`,
    );
    const child = spawn(process.execPath, ['scripts/run.mjs', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const id = printed.toString().trim();
    expect(await readRun(folder, id)).toMatchObject({ state: 'running', process: { pid: child.pid } });
    child.kill('SIGKILL');
    await once(child, 'close');
    const run = await readRun(folder, id);
    expect(run).toMatchObject({ state: 'killed', outcomes: [] });
    expect(run).not.toHaveProperty('ended');
    const { outcomes } = await withEvents(folder, run!);
    expect(outcomes).toMatchObject([
      {
        stream: 'items',
        complete: false,
        mode: 'append',
        place: 'there',
        records: 5,
        skipped: { known: 2 },
        answered: { '200': 1 },
        bytes: 7,
      },
    ]);
    expect(readFileSync(join(folder, id, 'events.jsonl'), 'utf8')).not.toContain('P-1');
  }, 30_000);

  it('come the latest first, also those of one second', async () => {
    let at = AT;
    const letters = ['z', 'a', 'm'];
    const options = {
      clock: { now: () => (at += 100), sleep: async () => {} },
      random: { ...systemRandom, bytes: (size: number) => Buffer.alloc(size, (letters.shift() as string).charCodeAt(0) - 97) },
    };
    for (let count = 0; count < 3; count += 1) await (await runLog(folder, REQUEST, options)).end();
    expect((await runNames(folder)).map((name) => name.slice(-4))).toEqual(['mmmm', 'aaaa', 'zzzz']);
  });

  it('are none where nothing was logged, or what is there is no record', async () => {
    expect(await runNames(folder)).toEqual([]);
    const { id } = await (await runLog(folder, REQUEST)).end();
    for (const text of ['', '[]', 'null', '{"format":2}', `{"format":1,"id":"other","outcomes":[]}`]) {
      writeFileSync(join(folder, id, 'run.json'), text);
      expect(await readRun(folder, id)).toBeUndefined();
    }
  });
});

describe('what goes wrong with the log', () => {
  it('is an error when it begins, and a problem of its own later', async () => {
    mkdirSync(resolve(folder, '..'), { recursive: true });
    writeFileSync(folder, 'a file');
    await expect(runLog(folder, REQUEST)).rejects.toMatchObject({ code: 'output_failed', where: folder });
    rmSync(folder);
    const log = await runLog(folder, REQUEST);
    rmSync(log.path, { recursive: true });
    await expect(log.end({ error: new FerruleError('aborted', 'Stopped') })).rejects.toMatchObject({ code: 'output_failed' });
  });

  it('finds its folder as the base directory specification says', () => {
    expect(runFolder({ FERRULE_HOME: '/h', XDG_STATE_HOME: '/s' })).toBe('/h/runs');
    expect(runFolder({ XDG_STATE_HOME: '/s' })).toBe('/s/ferrule/runs');
    expect(runFolder({ FERRULE_HOME: '', XDG_STATE_HOME: '' })).toMatch(/\/\.local\/state\/ferrule\/runs$/);
  });
});
