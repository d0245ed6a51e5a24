import { gunzipSync } from 'node:zlib';
import type { Clock } from '../../../framework/core/clock.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { plainCanary } from '../../canary.ts';
import { at, bearer, type Got, type Sending, send, spec } from './wire.ts';

const START = Date.parse('2026-06-15T10:00:00Z');
let now = START;
const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
const TOKEN = plainCanary('jobs');

const ACME = `
spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.com/v1', headers: { X-Client: acme }, errors: { message: error.text, rules: [{ status: [425], kind: transient }] } }
streams:
  usage:
    primary_key: [day, sku]
    columns: { day: date, sku: text, amount: number }
    cursor: { field: day, format: date, oldest: 60d, window: { max: 31d, end: inclusive } }
    job:
      create: { post: /exports, body: { kind: usage, from: '\${window.start}', to: '\${window.end}' }, capture: { id: { path: exportId, pattern: '^exp_[a-z0-9]{8}$' } } }
      poll: { get: '/exports/\${job.id}', capture: { file: { path: result.file, type: url } } }
      status: state
      message: reason
      states: { done: [COMPLETE], failed: [ERROR], running: [QUEUED, WORKING], none: [EMPTY] }
      at_once: 2
      download: { get: '\${job.file}', decode: [gzip, { type: csv, delimiter: ';' }] }
      cancel: { delete: '/exports/\${job.id}' }
      clean_up: { delete: '/exports/\${job.id}' }
  orders:
    primary_key: [id]
    columns: { id: integer, name: text }
    records: rows
    paginate: { type: offset, offset: query.skip, size: query.limit, page_size: 100, total: total }
    job:
      create: { post: /exports, body: { kind: orders }, capture: { number: { path: exportId, type: number } } }
      poll: { get: '/exports/\${job.number}' }
      status: '\${response.body.state}'
      states: { done: [COMPLETE], running: [QUEUED] }
      download: { get: '/exports/\${job.number}/rows' }
  bulk:
    primary_key: [id]
    columns: { id: text }
    decode: jsonl
    job:
      create:
        post: /graphql
        encode: graphql
        body: { query: 'mutation { start { id } }' }
        capture: { id: data.start.id }
      poll:
        post: /graphql
        encode: graphql
        body: { query: 'query($id: ID!) { job(id: $id) { status url } }', variables: { id: '\${job.id}' } }
        capture: { url: { path: data.job.url, type: url, hosts: ['*.store.example'] } }
      status: data.job.status
      states: { done: [DONE], running: [RUNNING] }
      download: { get: '\${job.url}' }
  followed:
    primary_key: [id]
    columns: { id: integer }
    records: rows
    job:
      create: { post: /followed, capture: { at: { path: '\${response.headers.location}', type: url, hosts: [same] } } }
      poll: { get: '\${job.at}' }
      status: state
      states: { done: [COMPLETE], running: [QUEUED] }
`;

let sandbox: Sandbox;
async function start(options: SandboxOptions = {}): Promise<void> {
  now = START;
  sandbox = await startSandbox(spec(ACME), { clock, fields: { token: TOKEN }, records: 60, ...options });
}
afterEach(() => sandbox.close());

const api = (path: string, sending: Sending = {}): Promise<Got> =>
  send(sandbox, path.startsWith('https:') ? path : `https://api.acme.com/v1${path}`, {
    ...sending,
    headers: { ...bearer(TOKEN), 'x-client': 'acme' },
  });
const JUNE = { kind: 'usage', from: '2026-06-01', to: '2026-06-10' };
const MAY = { kind: 'usage', from: '2026-05-20', to: '2026-05-31' };
const create = async (json: object = JUNE): Promise<string> => {
  const got = await api('/exports', { json });
  expect([got.status, got.status === 202 ? '' : got.text]).toEqual([202, '']);
  return String(at(got.body, 'exportId'));
};
const state = async (id: string): Promise<unknown> => at((await api(`/exports/${id}`)).body, 'state');
async function finish(id: string): Promise<string> {
  for (let poll = 0; poll < 10; poll++) {
    const { body } = await api(`/exports/${id}`);
    const url = at(body, 'result', 'file');
    if (url !== undefined) return url as string;
  }
  throw new Error('never done');
}
const csv = (got: Got): string[][] =>
  gunzipSync(got.bytes)
    .toString('utf8')
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(';'));

describe('a job', () => {
  it('is queued, works, is done, and its result holds the window that was asked for', async () => {
    await start();
    const id = await create();
    expect(id).toMatch(/^exp_[a-z0-9]{8}$/);
    expect([await state(id), await state(id)]).toEqual(['QUEUED', 'WORKING']);
    const done = await api(`/exports/${id}`);
    expect(at(done.body, 'state')).toBe('COMPLETE');
    const url = at(done.body, 'result', 'file') as string;
    expect(new URL(url).origin).toBe('https://files.acme.sandbox.invalid');
    expect(sandbox.addresses['https://files.acme.sandbox.invalid']).toBe(sandbox.origin);
    const got = await send(sandbox, url);
    expect([got.status, got.headers['content-type'], got.headers['content-encoding']]).toEqual([200, 'application/gzip', undefined]);
    const [head, ...rows] = csv(got);
    expect(head).toEqual(['day', 'sku', 'amount']);
    // 60 in the 30 days before 15 June: two a day.
    const days = Array.from({ length: 10 }, (_, index) => `2026-06-${String(index + 1).padStart(2, '0')}`);
    expect(rows.map(([day]) => day).toSorted()).toEqual(days.flatMap((day) => [day, day]));
    expect(new Set(rows.map(([, sku]) => sku)).size).toBe(20);
    expect(sandbox.jobs).toEqual([
      { stream: 'usage', captured: { id, file: url }, state: 'done', polls: 3, downloads: 1, cleanedUp: false },
    ]);
  });

  it('takes as many polls, and as long, as the caller says', async () => {
    await start({ jobs: { polls: 0, takes: 60_000 } });
    const id = await create();
    expect([await state(id), await state(id), await state(id), await state(id)]).toEqual(['QUEUED', 'WORKING', 'WORKING', 'WORKING']);
    now += 60_000;
    expect(await state(id)).toBe('COMPLETE');
  });

  it('fails, or has nothing, on request; and has nothing where there is nothing', async () => {
    await start({ jobs: { polls: 0 }, faults: [{ kind: 'job_failed', stream: 'usage' }] });
    const { body } = await api(`/exports/${await create()}`);
    expect(body).toEqual({ state: 'ERROR', reason: 'The report could not be made' });
    sandbox.faults.add({ kind: 'job_none' });
    // The data begin on 16 May.
    expect([
      await state(await create()),
      await state(await create()),
      await state(await create({ ...JUNE, from: '2026-05-01', to: '2026-05-15' })),
    ]).toEqual(['EMPTY', 'COMPLETE', 'EMPTY']);
    sandbox.faults.add({ kind: 'job_failed' });
    // A request that is refused uses none up.
    expect((await api('/exports', { json: { ...JUNE, from: 'today' } })).status).toBe(400);
    expect(await state(await create())).toBe('ERROR');
  });

  it('refuses what cannot be asked for, and an unknown job, in the provider’s own words', async () => {
    await start();
    const words = async (json: object): Promise<unknown[]> => {
      const got = await api('/exports', { json });
      return [got.status, at(got.body, 'error', 'text')];
    };
    expect(await words({ ...JUNE, to: '2026-07-02' })).toEqual([400, 'The range is longer than 31d: 32d']);
    expect(await words({ ...JUNE, from: '2026-04-15' })).toEqual([400, 'The range is longer than 31d: 57d']);
    expect(await words({ ...JUNE, from: '2026-04-15', to: '2026-04-20' })).toEqual([400, 'The range begins before what is kept: 60d']);
    const unknown = await api('/exports/exp_00000000');
    expect([unknown.status, at(unknown.body, 'error', 'text')]).toEqual([404, 'There is no such job']);
    expect((await send(sandbox, 'https://api.acme.com/v1/exports/exp_00000000')).status).toBe(401);
    expect((await api('/exports', { json: { kind: 'other' } })).status).toBe(400);
  });

  it('of two parents is not the same, also where only a header says whose it is', async () => {
    sandbox = await startSandbox(
      spec(`
spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.com/v1', errors: { rules: [{ status: [425], kind: transient }] } }
streams:
  shops: { get: /shops, primary_key: [id], columns: { id: integer } }
  sales:
    parent: shops
    primary_key: [id]
    columns: { id: integer }
    job:
      create: { post: /exports, headers: { X-Shop: '\${parent.id}' }, body: { kind: sales }, capture: { id: exportId } }
      poll: { get: '/exports/\${job.id}' }
      status: state
      states: { done: [COMPLETE], running: [QUEUED] }
      at_once: 5
`),
      { clock, fields: { token: TOKEN }, records: 4, parents: 2 },
    );
    const shops = (await send(sandbox, 'https://api.acme.com/v1/shops', { headers: bearer(TOKEN) })).body as { id: number }[];
    const statuses: number[] = [];
    for (const { id } of [...shops, shops[1]!]) {
      const headers = { ...bearer(TOKEN), 'x-shop': String(id) };
      statuses.push((await send(sandbox, 'https://api.acme.com/v1/exports', { headers, json: { kind: 'sales' } })).status);
    }
    expect(statuses).toEqual([202, 202, 425]);
  });

  it('runs with no more than at_once others, and is not begun twice', async () => {
    await start();
    const first = await create(JUNE);
    const twin = await api('/exports', { json: JUNE });
    expect([twin.status, at(twin.body, 'error', 'text')]).toEqual([425, `The request is a duplicate of: ${first}`]);
    const second = await create(MAY);
    const third = await api('/exports', { json: { ...MAY, to: '2026-05-25' } });
    expect([third.status, third.headers['retry-after']]).toEqual([429, '5']);
    await finish(second);
    const files = [await finish(await create({ ...MAY, to: '2026-05-25' })), await finish(first), await finish(await create(JUNE))];
    expect(await Promise.all(files.map(async (file) => csv(await send(sandbox, file)).length - 1))).toEqual([12, 20, 20]);
  });

  it('of a provider that has no rule for twins is begun once more', async () => {
    await start();
    await sandbox.close();
    const lone = ACME.replace(', rules: [{ status: [425], kind: transient }]', '');
    sandbox = await startSandbox(spec(lone), { clock, fields: { token: TOKEN }, records: 60 });
    expect(await create()).not.toBe(await create());
  });

  it('that nobody asks for any more keeps no place for ever', async () => {
    await start();
    await create(JUNE);
    await create(MAY);
    now += 3_600_000;
    await create(MAY);
  });

  it('ends when it is cancelled, and is gone when it is cleaned up', async () => {
    await start();
    const [first, second] = [await create(JUNE), await create(MAY)];
    expect((await api(`/exports/${first}`, { method: 'DELETE' })).status).toBe(200);
    expect((await api(`/exports/${first}`)).body).toEqual({ state: 'ERROR', reason: 'The job was cancelled' });
    const url = await finish(second);
    expect((await send(sandbox, url)).status).toBe(200);
    expect((await api(`/exports/${second}`, { method: 'DELETE' })).status).toBe(200);
    expect((await api(`/exports/${second}`)).status).toBe(404);
    expect((await send(sandbox, url)).status).toBe(404);
    const shown = (await (await fetch(`${sandbox.origin}/__sandbox/jobs`)).json()) as object[];
    expect(shown.map((job) => [at(job, 'state'), at(job, 'downloads'), at(job, 'cleanedUp')])).toEqual([
      ['cancelled', 0, false],
      ['done', 1, true],
    ]);
  });

  it('holds what its stream has when it is downloaded', async () => {
    await start({ jobs: { polls: 0 } });
    const url = await finish(await create());
    const { updated } = sandbox.change({ stream: 'usage', update: 1, insert: 1, at: '2026-06-05T00:00:00Z' });
    const rows = csv(await send(sandbox, url)).slice(1);
    expect(rows.length).toBe(21);
    expect(updated.length).toBe(1);
  });
});

describe('the address of a result', () => {
  it('is refused with a credential, as object stores do', async () => {
    await start({ jobs: { polls: 0 } });
    const url = await finish(await create());
    for (const headers of [bearer(TOKEN), { cookie: 'session=1' }]) {
      const got = await send(sandbox, url, { headers });
      expect([got.status, /<Code>(\w+)</.exec(got.text)?.[1]]).toEqual([400, 'InvalidArgument']);
    }
    expect((await send(sandbox, url)).status).toBe(200);
  });

  it('ends, and holds for nothing else', async () => {
    await start({ jobs: { polls: 0, urlLifetime: 60 } });
    const id = await create();
    const url = await finish(id);
    const other = await finish(await create(MAY));
    const status = async (address: string): Promise<number> => (await send(sandbox, address)).status;
    expect(await status(url.replace(/Signature=(.)/, (_, first) => `Signature=${first === '0' ? 1 : 0}`))).toBe(403);
    expect(await status(url.replace(/Expires=(\d+)/, (_, time) => `Expires=${Number(time) + 1}`))).toBe(403);
    expect(await status(`${url}&more=1`)).toBe(403);
    expect(await status(url.split('?')[0]!)).toBe(403);
    expect(await status(url.replace(/results\/\w+/, /results\/\w+/.exec(other)![0]))).toBe(403);
    expect(await status(`https://files.acme.sandbox.invalid/sandbox-results/other/result`)).toBe(404);
    now += 59_999;
    expect(await status(url)).toBe(200);
    now += 1;
    const late = await send(sandbox, url);
    expect([late.status, /<Message>([^<]*)/.exec(late.text)?.[1]]).toEqual([403, 'Request has expired']);
    // Whoever asks again gets a new one.
    expect(await status(await finish(id))).toBe(200);
  });

  it('knows the faults of other answers', async () => {
    await start({ jobs: { polls: 0 } });
    const url = await finish(await create());
    sandbox.faults.add({ kind: 'server_error', stream: 'usage' }, { kind: 'cut_in_body', path: '/sandbox-results/' });
    expect((await send(sandbox, url)).status).toBe(503);
    await expect(send(sandbox, url)).rejects.toThrow('aborted');
    expect((await send(sandbox, url)).status).toBe(200);
  });
});

describe('other forms of jobs', () => {
  it('have their result under the API, in pages, with the credential', async () => {
    await start({ jobs: { polls: 1 }, records: 150 });
    const id = await create({ kind: 'orders' });
    expect(id).toMatch(/^\d+$/);
    const page = (skip: number): Promise<Got> => api(`/exports/${id}/rows?skip=${skip}&limit=100`);
    expect((await page(0)).status).toBe(404);
    expect([await state(id), await state(id)]).toEqual(['QUEUED', 'COMPLETE']);
    const pages = [await page(0), await page(100)];
    expect(pages.map(({ body }) => [(at(body, 'rows') as unknown[]).length, at(body, 'total')])).toEqual([
      [100, 150],
      [50, 150],
    ]);
    expect(
      (await send(sandbox, `https://api.acme.com/v1/exports/${id}/rows?skip=0&limit=100`, { headers: { 'x-client': 'acme' } })).status,
    ).toBe(401);
  });

  it('go by GraphQL, with a result on a host that the capture names', async () => {
    await start({ jobs: { polls: 1 } });
    const started = await api('/graphql', { json: { query: 'mutation { start { id } }' } });
    const id = at(started.body, 'data', 'start', 'id');
    const poll = (variables: object): Promise<Got> =>
      api('/graphql', { json: { query: 'query($id: ID!) { job(id: $id) { status url } }', variables } });
    expect(at((await poll({ id })).body, 'data', 'job')).toEqual({ status: 'RUNNING' });
    const done = at((await poll({ id })).body, 'data', 'job') as { status: string; url: string };
    expect([done.status, new URL(done.url).origin]).toEqual(['DONE', 'https://sandbox.store.example']);
    const got = await send(sandbox, done.url);
    const ids = got.text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect([new Set(ids).size, got.headers['content-type']]).toEqual([60, 'application/x-ndjson; charset=utf-8']);
    const unknown = await poll({ id: 'none' });
    expect([unknown.status, at(unknown.body, 'errors', 0, 'message')]).toEqual([200, 'There is no such job']);
  });

  it('say where they are asked for, and hold the records in the last answer', async () => {
    await start({ jobs: { polls: 1 } });
    const { headers } = await api('/followed', { method: 'POST' });
    expect(new URL(headers.location!).origin).toBe('https://api.acme.com');
    expect((await api(headers.location!)).body).toEqual({ state: 'QUEUED' });
    const done = await api(headers.location!);
    expect([at(done.body, 'state'), (at(done.body, 'rows') as unknown[]).length]).toEqual(['COMPLETE', 60]);
    expect((await api(`${headers.location!}0`)).status).toBe(404);
  });
});
