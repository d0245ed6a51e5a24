import { connectSpec } from '../../framework/engine/connect.ts';
import type { Connection } from '../../framework/engine/connection.ts';
import type { RunEvent, StreamOutcome } from '../../framework/engine/run-events.ts';
import { acme, addresses } from '../acme.ts';
import { FakeClock } from '../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';
import { type MemorySink, memorySink } from '../sink.ts';

/** A provider, a connection to it and a destination; the clock is set to seconds since the epoch. */
interface Setting {
  server: LocalServer;
  connection: Connection;
  sink: MemorySink;
  clock: FakeClock;
  /** Reads streams one page after the other, and says what was asked for. */
  read(stream: string, at?: number): Promise<{ asked: string[]; outcome: StreamOutcome; events: RunEvent[] }>;
}

const open: { connection: Connection; server: LocalServer }[] = [];
afterEach(async () => {
  for (const { connection, server } of open.splice(0)) {
    await connection.close();
    await server.close();
  }
});

async function setting(streams: string, answer: (request: Received) => Answer): Promise<Setting> {
  const server = await serve(answer);
  const clock = new FakeClock();
  const sink = memorySink();
  const connection = await connectSpec(
    acme(`auth: { none: none }\nstreams:\n${streams}`),
    { fields: {} },
    { ...addresses(server.origin), clock },
  );
  open.push({ connection, server });
  return {
    server,
    connection,
    sink,
    clock,
    async read(stream, at) {
      if (at !== undefined) clock.advance(at * 1000 - clock.now());
      server.received.length = 0;
      const events: RunEvent[] = [];
      const [outcome] = await connection.readInto(sink, { streams: [stream], concurrency: 1, onEvent: (event) => events.push(event) });
      return { asked: server.received.map(line), outcome: outcome as StreamOutcome, events };
    },
  };
}

const line = ({ path, query }: Received): string => `${path.slice(3)}${query.size > 0 ? `?${query}` : ''}`;
/** A window of seconds in a request. */
const range = ({ asked }: { asked: string[] }): string[] => asked.map((one) => /from=(\d*)&to=(\d*)/.exec(one)?.slice(1).join('–') ?? one);
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** A stream whose cursor is in seconds since the epoch. */
const items = (cursor: string): string =>
  `  items: { get: /items, query: { from: '\${window.start}', to: '\${window.end}' }, primary_key: [id], cursor: { field: at, format: epoch, ${cursor} } }`;
const nothing = (): Answer => ({ json: [] });

test('C1 one window from the start until now; with a state from its end', async () => {
  const first = await setting(items(`window: { end: exclusive }, start: '10'`), nothing);
  expect(range(await first.read('items', 50))).toEqual(['10–50']);
  const later = await setting(items(`window: { end: exclusive }, start: '0'`), nothing);
  expect(range(await later.read('items', 20))).toEqual(['0–20']);
  expect(later.sink.states.items?.p).toMatchObject({ done: [[iso(0), iso(20)]] });
  expect(range(await later.read('items', 50))).toEqual(['20–50']);
  expect(later.sink.states.items?.p).toMatchObject({ done: [[iso(0), iso(50)]] });
});

test('C2 windows of ten seconds; where an end belongs to its window the next begins a second later, and none is longer', async () => {
  const exclusive = await setting(items(`window: { max: 10s, end: exclusive }, start: '0'`), nothing);
  await exclusive.read('items', 20);
  expect(range(await exclusive.read('items', 50))).toEqual(['20–30', '30–40', '40–50']);
  const inclusive = await setting(items(`window: { max: 10s, end: inclusive }, start: '0'`), nothing);
  expect(range(await inclusive.read('items', 20))).toEqual(['0–9', '10–19', '20–20']);
  // Second 20 had only begun when it was read.
  expect(range(await inclusive.read('items', 50))).toEqual(['20–29', '30–39', '40–49', '50–50']);
});

test('C3 a gap is read, then the look-back together with what is new', async () => {
  const cursor = (more: string): string => items(`window: { ${more}end: exclusive }, start: '0', lookback: 10s`);
  const known = await setting(cursor(''), nothing);
  known.sink.states.items = {
    stream: { cursor: ['at', 'time', 'partition'] },
    p: {
      done: [
        [iso(0), iso(20)],
        [iso(30), iso(40)],
      ],
    },
  };
  expect(range(await known.read('items', 50))).toEqual(['20–30', '30–50']);
  expect(known.sink.states.items?.p).toMatchObject({ done: [[iso(0), iso(50)]] });
  // How a gap comes about: a window that failed beside others. What failed is made good first, and then comes what is new.
  let fails = true;
  const failing = await setting(cursor('max: 10s, '), ({ query }) =>
    fails && query.get('from') === '20' ? { status: 403, json: {} } : { json: [] },
  );
  expect(range(await failing.read('items', 40))).toEqual(['0–10', '10–20', '20–30', '30–40']);
  expect(failing.sink.states.items?.p).toMatchObject({
    done: [
      [iso(0), iso(20)],
      [iso(30), iso(40)],
    ],
  });
  fails = false;
  expect(range(await failing.read('items', 50))).toEqual(['20–30']);
  expect(range(await failing.read('items'))).toEqual(['30–40', '40–50']);
});

test('C4 a partition that fails half-way has no cursor, the finished ones keep theirs; it goes on at the page that failed', async () => {
  const streams = `  parents: { get: /parents, primary_key: [id] }
  kids:
    parent: parents
    get: /parents/\${parent.id}/kids
    query: { since: '\${window.start}' }
    primary_key: [id]
    cursor: { field: at, format: date }
    paginate: { type: page, page: query.page, page_size: 1, stop: short_page }`;
  let fails = true;
  const { read, sink } = await setting(streams, ({ path, query }) => {
    if (path === '/v1/parents') return { json: [{ id: 1 }, { id: 2 }, { id: 3 }] };
    const [parent, page] = [Number(path.split('/')[3]), Number(query.get('page'))];
    if (fails && parent === 2 && page === 3) return { status: 400, json: { message: 'no' } };
    const all = [1, 2, 3].map((day) => ({ id: `${parent}-${day}`, at: `2025-12-0${day}` }));
    return { json: all.filter(({ at }) => at >= (query.get('since') ?? '')).slice(page - 1, page) };
  });
  const first = await read('kids');
  expect(first.outcome).toMatchObject({
    complete: false,
    records: 8,
    units: { finished: 2, failed: 1 },
    error: { code: 'request_refused' },
  });
  const done = { done: [[null, '2025-12-03T00:00:00.000Z']] };
  expect(sink.states.kids).toMatchObject({ 'p{"parent.id":1}': done, 'p{"parent.id":3}': done });
  expect(sink.states.kids?.['p{"parent.id":2}']).toMatchObject({ done: [] });
  fails = false;
  // The others are asked for what is new meanwhile.
  const second = await read('kids');
  expect(second.asked).toEqual([
    '/parents',
    '/parents/1/kids?since=2025-12-03&page=1',
    '/parents/1/kids?since=2025-12-03&page=2',
    '/parents/2/kids?page=3',
    '/parents/2/kids?page=4',
    '/parents/3/kids?since=2025-12-03&page=1',
    '/parents/3/kids?since=2025-12-03&page=2',
  ]);
  expect(sink.states.kids).toMatchObject({ 'p{"parent.id":1}': done, 'p{"parent.id":2}': done, 'p{"parent.id":3}': done });
  expect(sink.rows.kids?.map(({ id }) => id)).toEqual(['1-1', '1-2', '1-3', '2-1', '2-2', '3-1', '3-2', '3-3', '2-3']);
});

test('C5 each format is read and asked for as it is written; a time without a zone is UTC', async () => {
  // 1646006400 is 2022-02-28T00:00:00Z.
  const cases: [cursor: string, value: string | number, since: string, state: string][] = [
    ['format: epoch', 1646006400, '1646006400', '2022-02-28T00:00:00.000Z'],
    ["format: '%s'", '1646006400', '1646006400', '2022-02-28T00:00:00.000Z'],
    ['format: epoch_ms', 1646006400123, '1646006400123', '2022-02-28T00:00:00.123Z'],
    // Asked for from the whole second on, so that nothing of it is left out.
    ['format: epoch', 1646006400.5, '1646006400', '2022-02-28T00:00:00.500Z'],
    ['format: integer', 1646006400123456, '1646006400123456', '1646006400123456'],
    ['format: integer', '1646006400123456', '1646006400123456', '1646006400123456'],
    ["format: '%Y-%m-%dT%H:%M:%S.%L'", '2022-02-28T01:02:03.004', '2022-02-28T01:02:03.004', '2022-02-28T01:02:03.004Z'],
    ["format: '%Y-%m-%d %H:%M:%S'", '2022-02-28 01:02:03', '2022-02-28 01:02:03', '2022-02-28T01:02:03.000Z'],
    ['format: date', '2022-02-28', '2022-02-28', '2022-02-28T00:00:00.000Z'],
    ['format: iso', '2022-02-28T01:02:03', '2022-02-28T01:02:03Z', '2022-02-28T01:02:03.000Z'],
    ['format: iso', '2022-02-28T01:02:03+05:30', '2022-02-27T19:32:03Z', '2022-02-27T19:32:03.000Z'],
  ];
  const streams = cases.map(
    ([cursor], at) =>
      `  s${at}: { get: /s${at}, query: { since: '\${window.start}' }, primary_key: [id], cursor: { field: at, ${cursor} } }`,
  );
  const { read, sink, server } = await setting(streams.join('\n'), ({ path }) => ({
    json: [{ id: 1, at: cases[Number(path.slice(5))]?.[1] }],
  }));
  for (const [index, [, , since, state]] of cases.entries()) {
    expect((await read(`s${index}`)).asked).toEqual([`/s${index}`]);
    expect(sink.states[`s${index}`]?.p).toMatchObject({ done: [[null, state]], keys: ['1'] });
    // It comes again with the next read, and is known.
    const { outcome } = await read(`s${index}`);
    expect(server.received.map(({ query }) => query.get('since'))).toEqual([since]);
    expect(outcome).toMatchObject({ records: 0, skipped: 1, complete: true });
  }
});

test('S1 a parent without its key is told of, and the others are read; 0 is a key, and a slash in one stays in its place', async () => {
  const streams = `  parents: { get: /parents, primary_key: [id] }
  kids: { parent: parents, get: '/parents/\${parent.id}/kids', query: { parent: '\${parent.id}' }, primary_key: [id] }`;
  const { read, sink } = await setting(streams, ({ path, query }) =>
    path === '/v1/parents'
      ? { json: [{ id: 0 }, { id: 1 }, { name: 'none' }, { id: 3 }, { name: 'neither' }, { id: 'a/b' }] }
      : { json: [{ id: query.get('parent') }] },
  );
  const { asked, outcome, events } = await read('kids');
  expect(asked).toEqual([
    '/parents',
    '/parents/0/kids?parent=0',
    '/parents/1/kids?parent=1',
    '/parents/3/kids?parent=3',
    '/parents/a%2Fb/kids?parent=a%2Fb',
  ]);
  expect(outcome).toMatchObject({
    complete: false,
    records: 4,
    errors: 1,
    error: {
      code: 'path_missing',
      kind: 'data',
      where: 'streams.parents.primary_key',
      message: expect.stringContaining('2 records of parents'),
    },
  });
  expect(events.filter(({ type }) => type === 'failure')).toHaveLength(1);
  // It is no whole read: what was there stays as it was.
  expect(sink.rows.kids).toBeUndefined();
});

test('S2 each parent has a request of its own; one that comes twice is read once, and parents are read as they are needed', async () => {
  const streams = `  parents: { get: /parents, records: data, primary_key: [id], paginate: { type: next_token, from: next, into: query.after } }
  kids: { parent: parents, get: /kids, query: { of: '\${parent.id}' }, primary_key: [id] }`;
  const { read, sink, connection } = await setting(streams, ({ path, query }) => {
    if (path === '/v1/kids') return { json: [{ id: `kid of ${query.get('of')}` }] };
    if (query.has('after')) return { json: { data: [{ id: 'b' }, { id: 'c' }] } };
    return { json: { data: [{ id: 'a' }, { id: 'b' }], next: '2' } };
  });
  const { asked, outcome } = await read('kids');
  expect(asked).toEqual(['/parents', '/kids?of=a', '/kids?of=b', '/parents?after=2', '/kids?of=c']);
  expect(outcome).toMatchObject({ complete: true, records: 3, units: { finished: 3 } });
  const kids = [{ id: 'kid of a' }, { id: 'kid of b' }, { id: 'kid of c' }];
  expect(sink.rows.kids).toEqual(kids);
  // The same where nothing is kept of what is read.
  const plain: unknown[] = [];
  for await (const kid of connection.read('kids')) plain.push(kid);
  expect(plain).toEqual(kids);
});
