import { FerruleError } from '../../../framework/core/errors.ts';
import type { JsonObject } from '../../../framework/core/value.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import type { RunOptions } from '../../../framework/engine/run.ts';
import type { StreamOutcome } from '../../../framework/engine/run-events.ts';
import { acme, addresses } from '../../acme.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';
import { type MemorySink, memorySink } from '../../sink.ts';

let server: LocalServer;
let connection: Connection;
let clock: FakeClock;
let sink: MemorySink;

afterEach(async () => {
  await connection.close();
  await server.close();
});

async function open(streams: string, answer: Parameters<typeof serve>[0], at = '2026-01-10T00:00:00Z'): Promise<void> {
  clock = new FakeClock(Date.parse(at));
  sink = memorySink();
  server = await serve(answer);
  connection = await connectSpec(acme(`auth: { none: none }\n${streams}`), { fields: {} }, { ...addresses(server.origin), clock });
}

const run = (streams: string[], options: Partial<RunOptions> = {}): Promise<StreamOutcome[]> =>
  connection.readInto(sink, { streams, concurrency: 2, ...options });

const asked = (): string[] => {
  const lines = server.received.map(({ path, query }) => `${path.slice(3)}${query.size > 0 ? `?${query}` : ''}`);
  server.received.length = 0;
  return lines;
};
const ids = (stream: string): unknown[] => (sink.rows[stream] ?? []).map(({ id }) => id).sort((a, b) => Number(a) - Number(b));

/** A table that the provider filters itself: `since` and, where it is there, `until` (not in it). */
const filtering =
  (rows: JsonObject[], page = 2) =>
  ({ query }: Received): Answer => {
    const [since, until, skip] = [query.get('since'), query.get('until'), Number(query.get('skip') ?? 0)];
    const found = rows.filter(({ at }) => (since === null || String(at) >= since) && (until === null || String(at) < until));
    return { json: found.slice(skip, skip + page) };
  };

describe('incremental reads', () => {
  const WINDOWED = `
streams:
  items:
    get: /items
    query: { since: '\${window.start}', until: '\${window.end}' }
    primary_key: [id]
    paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }
    cursor: { field: at, format: iso, window: { max: 3d, end: exclusive }, start: '2026-01-01', lookback: 1d }
`;
  let rows: JsonObject[];
  beforeEach(() => {
    rows = [1, 2, 3, 5, 8, 9].map((day) => ({ id: day, at: `2026-01-0${day}T06:00:00Z` }));
  });

  it('cuts the first read into windows, and the next begins a look-back before its end', async () => {
    await open(WINDOWED, filtering(rows));
    const [first] = await run(['items'], { concurrency: 1 });
    expect(first).toMatchObject({ stream: 'items', mode: 'upsert', resumed: false, complete: true, records: 6, errors: 0 });
    expect(asked()).toEqual([
      '/items?since=2026-01-01T00%3A00%3A00Z&until=2026-01-04T00%3A00%3A00Z&skip=0',
      '/items?since=2026-01-01T00%3A00%3A00Z&until=2026-01-04T00%3A00%3A00Z&skip=2',
      '/items?since=2026-01-04T00%3A00%3A00Z&until=2026-01-07T00%3A00%3A00Z&skip=0',
      '/items?since=2026-01-07T00%3A00%3A00Z&until=2026-01-10T00%3A00%3A00Z&skip=0',
      '/items?since=2026-01-07T00%3A00%3A00Z&until=2026-01-10T00%3A00%3A00Z&skip=2',
    ]);
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
    expect(sink.states.items).toEqual({
      stream: { cursor: ['at', 'time', 'partition'], read: Date.parse('2026-01-10T00:00:00Z') },
      p: { done: [['2026-01-01T00:00:00.000Z', '2026-01-10T00:00:00.000Z']], at: Date.parse('2026-01-10T00:00:00Z') },
    });
    // Late data of yesterday, and new data of today.
    clock.advance(12 * 3_600_000);
    rows.push({ id: 91, at: '2026-01-09T07:00:00Z' }, { id: 10, at: '2026-01-10T09:00:00Z' });
    const [second] = await run(['items']);
    expect(asked()[0]).toBe('/items?since=2026-01-09T00%3A00%3A00Z&until=2026-01-10T12%3A00%3A00Z&skip=0');
    expect(second).toMatchObject({ records: 3, complete: true });
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9, 10, 91]);
  });

  it('goes on where it was stopped: finished windows are not asked for again, a half one at its next page', async () => {
    let fails = true;
    await open(WINDOWED, (request) => {
      if (fails && request.query.get('since')?.startsWith('2026-01-07') && request.query.get('skip') === '2')
        return { status: 400, json: { message: 'no' } };
      return filtering(rows)(request);
    });
    const [stopped] = await run(['items'], { concurrency: 1 });
    expect(stopped).toMatchObject({
      complete: false,
      records: 6,
      error: { code: 'request_refused' },
      units: { finished: 2, failed: 1, all: 3 },
    });
    asked();
    fails = false;
    // A day later: what is new since then is the next read's.
    clock.advance(86_400_000);
    const [resumed] = await run(['items']);
    expect(asked()).toEqual(['/items?since=2026-01-07T00%3A00%3A00Z&until=2026-01-10T00%3A00%3A00Z&skip=2']);
    expect(resumed).toMatchObject({ complete: true, resumed: true });
    expect(Object.keys(sink.states.items ?? {}).sort()).toEqual(['p', 'stream']);
    await run(['items']);
    expect(asked()[0]).toContain('since=2026-01-09T00%3A00%3A00Z&until=2026-01-11T00%3A00%3A00Z');
  });

  it('stopped between two units it is not complete', async () => {
    await open(
      "streams:\n  items: { get: '/items/${each.n}', each: { n: [1, 2, 3] }, primary_key: [id], columns: { id: integer }, paginate: none }",
      ({ path }) => ({ json: [{ id: Number(path.at(-1)) }] }),
    );
    const stop = new AbortController();
    const onEvent: RunOptions['onEvent'] = (event) => event.type === 'unit' && event.state === 'finished' && stop.abort();
    const [outcome] = await run(['items'], { concurrency: 1, signal: stop.signal, onEvent });
    expect(outcome).toMatchObject({ complete: false, records: 1, error: { code: 'aborted' } });
    // An overwrite would have taken the place of the whole table with a third of it.
    expect([sink.finished, sink.rows.items]).toEqual([[], undefined]);
  });

  it('fills the gaps of windows that failed beside others', async () => {
    let fails = true;
    await open(WINDOWED.replace('3d', '1d'), (request) =>
      fails && /^2026-01-0[25]/.test(request.query.get('since') ?? '') ? { status: 403, json: {} } : filtering(rows)(request),
    );
    const [first] = await run(['items']);
    expect(first).toMatchObject({
      complete: false,
      errors: 2,
      records: 4,
      error: { code: 'forbidden' },
      units: { finished: 7, failed: 2 },
    });
    fails = false;
    asked();
    expect((await run(['items']))[0]).toMatchObject({ complete: true, records: 2 });
    expect(asked().map((line) => line.slice(13, 23))).toEqual(['2026-01-02', '2026-01-05']);
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
  });

  it('an overwrite reads all of it, and goes on with no other mode nor another with it', async () => {
    let fails = true;
    await open(WINDOWED, (request) =>
      fails && request.query.get('since')?.startsWith('2026-01-07') ? { status: 400, json: {} } : filtering(rows)(request),
    );
    // Appended, and stopped before the last window: what is there is no part of an overwrite.
    await run(['items'], { concurrency: 1, mode: 'append' });
    expect(ids('items')).toEqual([1, 2, 3, 5]);
    const [given] = await run(['items'], { concurrency: 1, mode: 'overwrite' });
    expect(given).toMatchObject({ resumed: false, complete: false, records: 4 });
    fails = false;
    const [whole] = await run(['items'], { concurrency: 1, mode: 'overwrite' });
    expect(whole).toMatchObject({ resumed: true, complete: true, records: 2 });
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
    // What earlier reads have done says nothing to one that takes the place of all.
    const [again] = await run(['items'], { mode: 'overwrite' });
    expect(again).toMatchObject({ resumed: false, complete: true, records: 6 });
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
    fails = true;
    await run(['items'], { concurrency: 1, mode: 'overwrite' });
    fails = false;
    // Its waiting rows are gone: they are read again.
    expect((await run(['items']))[0]).toMatchObject({ mode: 'upsert', resumed: false, complete: true, records: 6 });
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
  });

  it('reads a past range without moving what is new', async () => {
    await open(WINDOWED, filtering(rows));
    await run(['items']);
    const state = sink.states.items;
    asked();
    sink.rows.items = [];
    await run(['items'], { range: { since: '2026-01-02', until: '2026-01-04' } });
    expect(asked()[0]).toBe('/items?since=2026-01-02T00%3A00%3A00Z&until=2026-01-04T00%3A00%3A00Z&skip=0');
    expect(ids('items')).toEqual([2, 3]);
    expect(sink.states.items?.p).toMatchObject({ done: ((state as JsonObject).p as JsonObject).done });
    await expect(run(['items'], { range: { since: 'yesterday' } })).resolves.toMatchObject([
      { error: { code: 'input_malformed', where: 'since' } },
    ]);
  });

  it('without an end: from the greatest value on; what stands at it does not come twice', async () => {
    const rows: JsonObject[] = [
      { id: 1, at: '2026-01-01' },
      { id: 2, at: '2026-01-03' },
      { id: 3, at: '2026-01-03' },
    ];
    await open(
      `
streams:
  items: { get: /items, query: { since: '\${window.start}' }, primary_key: [id], cursor: { field: at, format: date } }
`,
      filtering(rows, 100),
    );
    expect((await run(['items']))[0]).toMatchObject({ records: 3, complete: true });
    rows.push({ id: 4, at: '2026-01-03' }, { id: 5, at: '2026-01-04' });
    expect((await run(['items']))[0]).toMatchObject({ records: 2, skipped: 2 });
    expect(asked()).toEqual(['/items', '/items?since=2026-01-03']);
    expect((await run(['items']))[0]).toMatchObject({ records: 0, skipped: 1 });
    expect(asked()).toEqual(['/items?since=2026-01-04']);
    expect(ids('items')).toEqual([1, 2, 3, 4, 5]);
  });

  it('sorted: the state moves on with each page, and a later read begins there', async () => {
    const rows: JsonObject[] = [1, 2, 3, 4, 5].map((day) => ({ id: day, at: `2026-01-0${day}` }));
    let fails = true;
    const spec = `
streams:
  items: { get: /items, query: { since: '\${window.start}' }, primary_key: [id], paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }, cursor: { field: at, format: date, order: asc } }
`;
    await open(spec, (request) => (fails && request.query.get('skip') === '4' ? { status: 400, json: {} } : filtering(rows)(request)));
    expect((await run(['items']))[0]).toMatchObject({ complete: false, records: 4 });
    expect(sink.states.items).toMatchObject({
      p: { done: [[null, '2026-01-04T00:00:00.000Z']], keys: ['4'] },
    });
    fails = false;
    asked();
    expect((await run(['items']))[0]).toMatchObject({ complete: true, records: 1, skipped: 1 });
    expect(asked()[0]).toBe('/items?since=2026-01-04&skip=0');
    expect(ids('items')).toEqual([1, 2, 3, 4, 5]);
    // What is said to be sorted and is not: the page is gone back to, as without the word.
    rows.push({ id: 6, at: '2026-01-08' }, { id: 7, at: '2026-01-06' }, { id: 8, at: '2026-01-07' });
    rows.push({ id: 9, at: '2026-01-06' });
    fails = true;
    expect((await run(['items']))[0]).toMatchObject({ complete: false, records: 3 });
    fails = false;
    asked();
    expect((await run(['items']))[0]).toMatchObject({ complete: true, records: 1 });
    expect(asked()).toEqual(['/items?since=2026-01-05&skip=4']);
    expect(ids('items')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('sorted: a page that was gone through before the one before it is written is not taken for written', async () => {
    const rows: JsonObject[] = [1, 2, 3, 4].map((id) => ({ id, at: '2026-01-01', name: id === 1 ? 7 : 'x' }));
    const spec = `
streams:
  items: { get: /items, query: { since: '\${window.start}' }, primary_key: [id], columns: { name: text }, paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }, cursor: { field: at, format: date, order: asc } }
`;
    await open(spec, filtering(rows));
    // The first page waits for its record to be set aside; the second comes meanwhile.
    const aside = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
    await run(['items'], { badRecords: 'aside', aside, commitEvery: 1 });
    expect(sink.batches[0]).toMatchObject({ records: 1, state: { p: { keys: ['1', '2'] } } });
  });

  it('overwrite reads all of it, and what waits to take the place of the rows is not gone on with in another mode', async () => {
    await open(WINDOWED, filtering(rows));
    await run(['items']);
    expect((await run(['items'], { mode: 'overwrite' }))[0]).toMatchObject({ records: 6, complete: true });
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
    const controller = new AbortController();
    await run(['items'], { mode: 'overwrite', signal: controller.signal, onEvent: (event) => event.type === 'page' && controller.abort() });
    expect((await run(['items'], { mode: 'upsert' }))[0]).toMatchObject({ records: 6, complete: true, resumed: false });
    expect(ids('items')).toEqual([1, 2, 3, 5, 8, 9]);
  });

  it.each([
    { order: 'none', done: '2026-01-10T00:00:00.000Z', next: '/items?since=2026-01-10&skip=0', lost: [] },
    // The author says that no record can come before one that was seen.
    { order: 'asc', done: '2026-01-12T00:00:00.000Z', next: '/items?since=2026-01-12&skip=0', lost: [1] },
  ])(
    'without an end: what changed on a page that was read before comes next, unless records come in order ($order)',
    async ({ order, ...wanted }) => {
      const rows: JsonObject[] = [1, 2, 3].map((id) => ({ id, at: `2026-01-0${id}`, version: 1 }));
      let isFirst = true;
      await open(
        `
streams:
  items:
    get: /items
    query: { since: '\${window.start}' }
    primary_key: [id]
    paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }
    cursor: { field: at, format: date, order: ${order} }
`,
        (request) => {
          const answer = structuredClone(filtering(rows)(request));
          // Behind the first page one of its records changes, and then one of the next.
          if (isFirst) Object.assign(rows[0] as JsonObject, { at: '2026-01-11', version: 2 });
          if (isFirst) Object.assign(rows[2] as JsonObject, { at: '2026-01-12' });
          isFirst = false;
          return answer;
        },
      );
      await run(['items']);
      expect(sink.states.items?.p).toMatchObject({ done: [[null, wanted.done]] });
      clock.advance(3 * 86_400_000);
      asked();
      await run(['items']);
      expect(asked()[0]).toBe(wanted.next);
      expect((sink.rows.items ?? []).flatMap(({ id, version }) => (id === 1 && version === 1 ? [id] : []))).toEqual(wanted.lost);
    },
  );

  it('filters itself where the provider cannot, by integers as well', async () => {
    const rows: JsonObject[] = [3, 1, 2].map((n) => ({ id: `r${n}`, n }));
    await open(
      `
streams:
  items: { get: /items, primary_key: [id], cursor: { field: n, format: integer, filter: client } }
`,
      () => ({ json: rows }),
    );
    expect((await run(['items']))[0]).toMatchObject({ records: 3, skipped: 0 });
    rows.push({ id: 'r4', n: 4 }, { id: 'late', n: 2 });
    expect((await run(['items']))[0]).toMatchObject({ records: 1, skipped: 4 });
    expect(asked()).toEqual(['/items', '/items']);
    rows.push({ id: 'broken' });
    expect((await run(['items']))[0]).toMatchObject({
      error: { code: 'cursor_missing', message: expect.stringContaining('n of a record is missing') },
    });
  });

  it('will not go on with the state of another cursor, unless told to begin anew', async () => {
    await open(WINDOWED, filtering(rows));
    sink.states.items = { stream: { cursor: ['changed', 'time', 'partition'] } };
    expect((await run(['items']))[0]).toMatchObject({ error: { code: 'state_unusable' }, records: 0 });
    expect((await run(['items'], { fromStart: true }))[0]).toMatchObject({ complete: true, records: 6 });
  });
});

describe('partitions', () => {
  const TREE = `
fields: { accounts: { title: Accounts, type: list, default: a } }
streams:
  spaces: { get: /spaces, primary_key: [id], cursor: { field: at, format: date, filter: client } }
  boards: { parent: spaces, get: '/spaces/\${parent.id}/boards', primary_key: [id], cursor: { field: at, format: date }, query: { since: '\${window.start}' } }
  notes: { parent: spaces, parents: changed, get: '/spaces/\${parent.id}/notes', primary_key: [id] }
  logs: { parent: spaces, parents: changed, get: '/spaces/\${parent.id}/boards', primary_key: [id], cursor: { field: at, format: date, filter: client } }
  insights: { each: { level: [campaign, ad], kind: [x, y] }, get: '/insights/\${each.level}', query: { kind: '\${each.kind}' }, primary_key: [id], add: { level: '\${each.level}' } }
`;
  const spaces: JsonObject[] = [1, 2, 3].map((id) => ({ id, at: `2026-01-0${id}` }));
  const boards: Record<string, JsonObject[]> = { 1: [{ id: 11, at: '2026-01-02' }], 2: [{ id: 21, at: '2026-01-05' }], 3: [] };
  let broken = '';
  const answer = ({ path, query }: Received): Answer => {
    if (path === broken) return { status: 404, json: { message: 'gone' } };
    if (path === '/v1/spaces') return { json: spaces };
    const [, space = '', of] = /spaces\/(\d)\/(\w+)/.exec(path) ?? [];
    if (of === 'boards') return { json: (boards[space] ?? []).filter(({ at }) => String(at) >= (query.get('since') ?? '')) };
    if (of === 'notes') return { json: [{ id: Number(space) * 100 }] };
    return { json: [{ id: `${path.slice(13)}-${query.get('kind')}` }] };
  };

  it('have a cursor each; one that fails leaves the others', async () => {
    await open(TREE, answer);
    broken = '/v1/spaces/2/boards';
    const [first] = await run(['boards']);
    expect(first).toMatchObject({
      complete: false,
      records: 1,
      units: { finished: 2, failed: 1, all: 3 },
      error: { code: 'request_refused' },
    });
    // What was read in one page was never under way: there is nothing to take away.
    expect(sink.batches.flatMap(({ state }) => Object.keys(state)).filter((key) => key.startsWith('u'))).toEqual([]);
    asked();
    broken = '';
    expect((await run(['boards']))[0]).toMatchObject({ complete: true, records: 1, skipped: 1, resumed: false });
    expect(asked().sort()).toEqual(['/spaces', '/spaces/1/boards?since=2026-01-02', '/spaces/2/boards', '/spaces/3/boards']);
    expect(sink.states.boards).toMatchObject({
      'p{"parent.id":1}': { done: [[null, '2026-01-02T00:00:00.000Z']] },
      'p{"parent.id":2}': { done: [[null, '2026-01-05T00:00:00.000Z']] },
    });
    boards[3]?.push({ id: 31, at: '2026-01-07' });
    expect((await run(['boards']))[0]).toMatchObject({ complete: true, records: 1, skipped: 2 });
    expect(asked().sort()).toEqual([
      '/spaces',
      '/spaces/1/boards?since=2026-01-02',
      '/spaces/2/boards?since=2026-01-05',
      '/spaces/3/boards',
    ]);
  });

  it('of changed parents only, when a read of them came to its end', async () => {
    await open(TREE, answer);
    broken = '/v1/spaces/2/notes';
    expect((await run(['notes']))[0]).toMatchObject({ mode: 'upsert', complete: false, records: 2 });
    broken = '';
    asked();
    expect((await run(['notes']))[0]).toMatchObject({ complete: true, records: 1 });
    expect(asked()).toEqual(['/spaces', '/spaces/2/notes']);
    spaces[0] = { id: 1, at: '2026-01-09' };
    expect((await run(['notes']))[0]).toMatchObject({ complete: true, records: 1 });
    expect(asked()).toEqual(['/spaces', '/spaces/1/notes']);
    expect(ids('notes')).toEqual([100, 200, 300]);
  });

  it('of a parent that changed while the read was stopped are read again with the next', async () => {
    await open(TREE, answer);
    broken = '/v1/spaces/2/notes';
    await run(['notes']);
    // Its notes are read already, and are others now.
    spaces[2] = { id: 3, at: '2026-01-11' };
    clock.advance(3 * 86_400_000);
    broken = '';
    asked();
    expect((await run(['notes']))[0]).toMatchObject({ complete: true, resumed: true });
    expect(asked()).toEqual(['/spaces', '/spaces/2/notes']);
    expect((await run(['notes']))[0]).toMatchObject({ complete: true, resumed: false });
    expect(asked()).toEqual(['/spaces', '/spaces/3/notes']);
    spaces[2] = { id: 3, at: '2026-01-03' };
  });

  it('with one cursor for all lose nothing of those that were read before a read was stopped', async () => {
    const own: Record<string, JsonObject[]> = { 1: [{ id: 11, at: '2026-01-02' }], 2: [{ id: 21, at: '2026-01-05' }], 3: [] };
    let fails = true;
    await open(
      TREE.replace(
        "boards', primary_key: [id], cursor: { field: at, format: date }",
        "boards', primary_key: [id], cursor: { field: at, format: date, per: stream }",
      ),
      ({ path, query }) => {
        if (path === '/v1/spaces') return { json: spaces };
        const space = /\d/.exec(path.slice(3))?.[0] ?? '';
        if (space === '3' && fails) return { status: 404, json: {} };
        return { json: (own[space] ?? []).filter(({ at }) => String(at) >= (query.get('since') ?? '')) };
      },
    );
    expect((await run(['boards']))[0]).toMatchObject({ complete: false, records: 2 });
    fails = false;
    own[1]?.push({ id: 12, at: '2026-01-11' });
    own[3]?.push({ id: 31, at: '2026-01-12' });
    clock.advance(3 * 86_400_000);
    expect((await run(['boards']))[0]).toMatchObject({ complete: true, resumed: true });
    expect(sink.states.boards?.p).toMatchObject({ done: [[null, '2026-01-10T00:00:00.000Z']] });
    expect((await run(['boards']))[0]).toMatchObject({ complete: true });
    expect(ids('boards')).toEqual([11, 12, 21, 31]);
  });

  it('of all parents for a past range, which says nothing of what is new', async () => {
    await open(TREE, answer);
    await run(['logs']);
    asked();
    expect((await run(['logs'], { range: { since: '2026-01-01' } }))[0]).toMatchObject({ complete: true, resumed: false });
    expect(asked().sort()).toEqual(['/spaces', '/spaces/1/boards', '/spaces/2/boards', '/spaces/3/boards']);
    expect((await run(['logs']))[0]).toMatchObject({ complete: true });
    expect(asked()).toEqual(['/spaces']);
  });

  it('of lists multiply', async () => {
    await open(TREE, answer);
    expect((await run(['insights'], { concurrency: 1 }))[0]).toMatchObject({ mode: 'overwrite', complete: true, records: 4 });
    expect(asked()).toEqual(['/insights/campaign?kind=x', '/insights/campaign?kind=y', '/insights/ad?kind=x', '/insights/ad?kind=y']);
    expect(sink.rows.insights?.map(({ id, level }) => [id, level])).toEqual([
      ['campaign-x', 'campaign'],
      ['campaign-y', 'campaign'],
      ['ad-x', 'ad'],
      ['ad-y', 'ad'],
    ]);
  });
});

describe('runs', () => {
  const PAGES = `
streams:
  a: { get: /a, records: data, primary_key: [id], paginate: { type: page, page: query.page, page_size: 2, stop: short_page } }
  b: { get: /b, records: data, primary_key: [id], columns: { id: integer, name: text }, paginate: { type: page, page: query.page, page_size: 2, stop: short_page } }
`;
  const answer = ({ path, query }: Received): Answer => {
    const page = Number(query.get('page'));
    return {
      json: {
        data: Array.from({ length: page < 4 ? 2 : 1 }, (_, at) => ({
          id: page * 10 + at,
          name: path === '/v1/b' && page === 2 && at === 1 ? 7 : 'x',
        })),
      },
    };
  };

  it('read streams in turn, within the concurrency', async () => {
    let now = 0;
    let most = 0;
    await open(PAGES, async (request) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return answer(request);
    });
    const outcomes = await run(['a', 'b'], { concurrency: 1 });
    expect(outcomes.map(({ stream, records, complete }) => [stream, records, complete])).toEqual([
      ['a', 7, true],
      ['b', 7, true],
    ]);
    expect(most).toBe(1);
    expect(asked().slice(0, 4)).toEqual(['/a?page=1', '/b?page=1', '/a?page=2', '/b?page=2']);
  });

  it('keep, set aside or refuse what does not fit, and say which column', async () => {
    await open(PAGES, answer);
    expect((await run(['b']))[0]).toMatchObject({ complete: true, records: 7, misfits: 1 });
    const aside: unknown[] = [];
    const put = async (stream: string, record: JsonObject, of: unknown): Promise<void> => void aside.push([stream, record, of]);
    expect((await run(['b'], { badRecords: 'aside', aside: put }))[0]).toMatchObject({ complete: true, records: 6, misfits: 1 });
    expect(aside).toEqual([['b', { id: 21, name: 7 }, [{ column: 'name', wanted: 'text', found: 'number' }]]]);
    expect(ids('b')).toEqual([10, 11, 20, 30, 31, 40]);
    await expect(run(['b'], { badRecords: 'aside' })).rejects.toMatchObject({ code: 'option_unknown', where: 'badRecords' });
    const [outcome] = await run(['b'], { badRecords: 'fail' });
    expect(outcome).toMatchObject({ complete: false, error: { code: 'record_malformed', where: 'streams.b.columns.name' } });
    expect(outcome?.error?.message).toBe('b: name is number where text is declared (page 2; 1 such record there)');
    // What was complete before stands as it was.
    expect(ids('b')).toEqual([10, 11, 20, 30, 31, 40]);
  });

  it('stop all streams when the destination fails, and lose nothing of what it took', async () => {
    await open(PAGES, answer);
    sink.fail = (stream) => (stream === 'a' ? new FerruleError('output_failed', 'full') : undefined);
    const outcomes = await run(['a', 'b']);
    expect(outcomes[0]).toMatchObject({ complete: false, error: { code: 'output_failed' } });
    delete sink.fail;
    const again = await run(['a', 'b']);
    expect(again.map(({ complete }) => complete)).toEqual([true, true]);
    expect(ids('a')).toEqual([10, 11, 20, 21, 30, 31, 40]);
    expect(ids('b')).toEqual([10, 11, 20, 21, 30, 31, 40]);
  });

  it('take a large answer as it comes, and go on behind what is out when it is cut off', async () => {
    const spec = `
streams:
  big: { get: /big, records: data.rows, primary_key: [id], paginate: { type: next_token, from: next, into: query.after } }
`;
    // 6 MiB: more than is read at once. The token stands behind the list.
    const rows = (from: number, count: number): string =>
      Array.from({ length: count }, (_, at) => JSON.stringify({ id: from + at, text: 'x'.repeat(1000) })).join(',');
    const first = `{"data":{"rows":[${rows(0, 6000)}]},"next":"b"}`;
    let cuts = 2;
    await open(spec, ({ query }, response) => {
      if (query.get('after') === 'b') return { json: { data: { rows: [{ id: 6000, text: '' }] } } };
      response?.writeHead(200, { 'content-type': 'application/json' });
      if (cuts-- > 0) response?.write(first.slice(0, 5_500_000), () => response.destroy());
      else response?.end(first);
      return undefined;
    });
    expect((await run(['big']))[0]).toMatchObject({ complete: true, records: 6001, errors: 0 });
    expect(ids('big')).toEqual(Array.from({ length: 6001 }, (_, at) => at));
    expect(asked()).toEqual(['/big', '/big', '/big', '/big?after=b']);
  });

  it('are stopped by the caller, with what was read committed, and go on', async () => {
    await open(PAGES, answer);
    const controller = new AbortController();
    const [outcome] = await run(['a'], {
      signal: controller.signal,
      onEvent: (event) => event.type === 'page' && event.index === 1 && controller.abort(),
    });
    expect(outcome).toMatchObject({ complete: false, error: { code: 'aborted' } });
    const before = outcome?.records ?? 0;
    expect(before).toBeGreaterThanOrEqual(4);
    asked();
    expect((await run(['a']))[0]).toMatchObject({ complete: true, resumed: true, records: 7 - before });
    expect(asked()[0]).toBe(`/a?page=${before / 2 + 1}`);
    expect(ids('a')).toEqual([10, 11, 20, 21, 30, 31, 40]);
  });
});

describe('jobs', () => {
  const JOB = `
streams:
  report:
    primary_key: [day]
    records: rows
    cursor: { field: day, format: date, window: { max: 2d, end: inclusive }, start: '2026-01-06', lookback: 1d }
    job:
      create: { post: /reports, body: { from: '\${window.start}', to: '\${window.end}' }, capture: { id: id } }
      poll: { get: '/reports/\${job.id}', capture: { url: url }, every: 10s, timeout: 2m }
      status: '\${auth.method == "none" ? response.body.state : "odd"}'
      states: { done: [ready], failed: [error], running: [queued], none: [empty] }
      message: why
      download: { get: '\${job.url}' }
      clean_up: { delete: '/reports/\${job.id}' }
      cancel: { post: '/reports/\${job.id}/cancel' }
      at_once: 2
`;
  let states: Record<string, string[]>;
  let created: JsonObject[];
  const answer = ({ method, path, body, headers }: Received): Answer => {
    if (method === 'POST' && path === '/v1/reports') {
      created.push(JSON.parse(body) as JsonObject);
      return { json: { id: created.length } };
    }
    const id = Number(/\/(\d+)(\/|$)/.exec(path)?.[1]);
    if (path.startsWith('/files')) {
      if (headers.authorization !== undefined) return { status: 400 };
      const { from } = created[id - 1] as { from: string };
      return { json: { rows: [{ day: from, id }] } };
    }
    if (method !== 'GET') return { json: {} };
    const word = states[id]?.shift() ?? 'ready';
    return {
      json: {
        state: word,
        ...(word === 'ready' && { url: `https://auth.acme.test/files/${id}?sig=1` }),
        ...(word === 'error' && { why: 'too large' }),
      },
    };
  };
  const start = async (more: Record<string, string[]> = {}): Promise<void> => {
    states = more;
    created = [];
    await open(JOB, answer, '2026-01-09T10:00:00Z');
  };

  it('are created, polled with growing waits, downloaded from another host and cleaned up', async () => {
    await start({ 1: ['queued', 'queued', 'queued'] });
    expect((await run(['report']))[0]).toMatchObject({ complete: true, records: 2, units: { finished: 2 } });
    expect(created).toEqual([
      { from: '2026-01-06', to: '2026-01-07' },
      { from: '2026-01-08', to: '2026-01-09' },
    ]);
    expect(clock.slept).toEqual([10_000, 15_000, 22_500]);
    const lines = server.received.map(({ method, path, query }) => `${method} ${path}${query.size > 0 ? `?${query}` : ''}`);
    // A job of each of two windows at once; of one job:
    expect(lines.filter((line) => /\/1\b/.test(line))).toEqual([
      ...Array.from({ length: 4 }, () => 'GET /v1/reports/1'),
      'GET /files/1?sig=1',
      'DELETE /v1/reports/1',
    ]);
    expect(lines.slice(0, 2)).toEqual(['POST /v1/reports', 'POST /v1/reports']);
    expect(Object.keys(sink.states.report ?? {}).sort()).toEqual(['p', 'stream']);
  });

  it('that are there when a read is stopped are gone on with', async () => {
    await start();
    let stops = true;
    const controller = new AbortController();
    const realSleep = clock.sleep.bind(clock);
    states = { 1: ['queued', 'queued'] };
    clock.sleep = async (ms, signal) => {
      if (stops) controller.abort();
      await realSleep(ms, signal);
    };
    expect((await run(['report'], { signal: controller.signal }))[0]).toMatchObject({ complete: false, error: { code: 'aborted' } });
    stops = false;
    const ids = created.length;
    expect(JSON.stringify(sink.states.report)).toContain('"job":{"captures":{"id":1}');
    expect((await run(['report']))[0]).toMatchObject({ complete: true, resumed: true });
    expect(created.length).toBe(2);
    expect(ids).toBeGreaterThanOrEqual(1);
  });

  it('that fail are made anew, three in all; what is unknown, empty or late is said', async () => {
    await start({ 1: ['error'], 2: ['empty'] });
    expect((await run(['report'], { concurrency: 1 }))[0]).toMatchObject({ complete: true, records: 1 });
    await connection.close();
    await server.close();
    await start({ 1: ['error'], 2: ['error'], 3: ['error'], 4: ['error'], 5: ['error'], 6: ['error'] });
    const [failed] = await run(['report']);
    expect(failed).toMatchObject({ error: { code: 'job_failed', message: "report: the job's status is error: too large" } });
    expect(created.length).toBe(6);
    await connection.close();
    await server.close();
    await start({ 1: ['odd'] });
    expect((await run(['report']))[0]?.error).toMatchObject({ code: 'job_failed', where: 'streams.report.job.states' });
    await connection.close();
    await server.close();
    await start({ 1: Array.from({ length: 99 }, () => 'queued') });
    expect((await run(['report']))[0]?.error).toMatchObject({ code: 'job_timeout' });
    expect(server.received.some(({ path }) => path === '/v1/reports/1/cancel')).toBe(true);
  });
});
