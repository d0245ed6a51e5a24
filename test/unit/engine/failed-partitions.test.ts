import { FerruleError } from '../../../framework/core/errors.ts';
import type { Json, JsonObject } from '../../../framework/core/value.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import type { RunOptions } from '../../../framework/engine/run.ts';
import type { StreamOutcome } from '../../../framework/engine/run-events.ts';
import { acme, addresses } from '../../acme.ts';
import { FakeClock } from '../../clock.ts';
import { seeded } from '../../kill/process.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';
import { type MemorySink, memorySink } from '../../sink.ts';

const DAY = 86_400_000;

let server: LocalServer;
let connection: Connection;
let clock: FakeClock;
let sink: MemorySink;
/** What the provider has: parents, and of each the rows with their moments. */
let parents: JsonObject[];
let rows: Record<string, JsonObject[]>;
/** Requests that are answered with `status`; the parent of those for parents is empty. */
let fails: (request: Received, parent: string) => boolean;
let status: number;
/** In place of all that. */
let answer: (request: Received) => Answer | undefined;

beforeEach(async () => {
  clock = new FakeClock(Date.parse('2026-01-04T00:00:00Z'));
  sink = memorySink();
  parents = [1, 2, 3].map((id) => ({ id, at: '2026-01-01T00:00:00Z' }));
  rows = { 1: [], 2: [], 3: [] };
  fails = () => false;
  status = 403;
  answer = () => undefined;
  server = await serve((request) => {
    const { path, query } = request;
    const [, list, parent, kids] = path.slice(3).split('/');
    if (fails(request, parent ?? '')) return { status, json: { message: 'no' } };
    const other = answer(request);
    if (other !== undefined) return other;
    if (list === 'parents' && kids === undefined) return { json: parents };
    const [since, until, skip] = [query.get('since'), query.get('until'), Number(query.get('skip') ?? 0)];
    const found = (rows[parent ?? ''] ?? []).filter(
      ({ at }) => (since === null || String(at) >= since) && (until === null || String(at) < until),
    );
    return { json: found.slice(skip, skip + 2) };
  });
});

afterEach(async () => {
  await connection.close();
  await server.close();
});

async function open(kids: string, parent = ''): Promise<void> {
  const streams = `
  parents: { get: /parents, primary_key: [id]${parent} }
  kids:
    get: '/parents/\${parent.id}/kids'
    parent: parents
    paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }
    ${kids}`;
  connection = await connectSpec(acme(`auth: { none: none }\nstreams:${streams}`), { fields: {} }, { ...addresses(server.origin), clock });
}

/** One read, and what was asked for in it, without parents. */
async function read(options: Partial<RunOptions> = {}, stream = 'kids'): Promise<StreamOutcome & { asked: string[] }> {
  server.received.length = 0;
  const [outcome] = await connection.readInto(sink, { streams: [stream], concurrency: 1, ...options });
  const asked = server.received.filter(({ path }) => path.includes('/kids')).map(short);
  return { ...(outcome as StreamOutcome), asked };
}

/** `2 since–until +skip`, without hours that are midnight. */
const short = ({ path, query }: Received): string => {
  const [since, until] = ['since', 'until'].map((name) => (query.get(name) ?? '').replace('2026-01-', '').replace('T00:00:00Z', ''));
  const skip = query.get('skip') ?? '0';
  return `${path.split('/')[3]} ${since}–${until}${skip === '0' ? '' : ` +${skip}`}`;
};

const ids = (): string[] => (sink.rows.kids ?? []).map(({ id }) => String(id)).toSorted();
const kid = (id: string, at: string): JsonObject => ({ id, at: `2026-01-${at}:00:00Z` });
const entry = (key: string): Json | undefined => sink.states.kids?.[key];
const P2 = 'p{"parent.id":2}';

const OPEN = `query: { since: '\${window.start}' }
    primary_key: [id]
    cursor: { field: at, format: iso }`;
const WINDOWS = `query: { since: '\${window.start}', until: '\${window.end}' }
    cursor: { field: at, format: iso, window: { max: 2d, end: exclusive }, start: '2026-01-01' }`;
const CHANGED = ', cursor: { field: at, format: iso, filter: client }';

test('a partition that fails for ever does not keep the others from what is new', async () => {
  await open(OPEN);
  rows = { 1: [kid('a1', '02T01')], 2: [kid('b1', '02T01')], 3: [] };
  fails = (_, parent) => parent === '2';
  expect(await read()).toMatchObject({ complete: false, errors: 1, records: 1, units: { finished: 2, failed: 1, all: 3 } });
  // It was not begun: nothing is to be kept of it.
  expect(Object.keys(sink.states.kids ?? {})).toEqual(['stream', 'p{"parent.id":1}', 'p{"parent.id":3}']);
  for (const day of ['05', '06', '07']) {
    clock.advance(DAY);
    rows[1]?.push(kid(`a${day}`, `${day}T00`));
    rows[2]?.push(kid(`b${day}`, `${day}T00`));
    expect(await read()).toMatchObject({ complete: false, resumed: false, records: 1, units: { finished: 2, failed: 1 } });
    expect(new Set(server.received.map(({ path }) => path.slice(12)))).toEqual(new Set(['', '1/kids', '2/kids', '3/kids']));
  }
  expect(ids()).toEqual(['a05', 'a06', 'a07', 'a1']);
  fails = () => false;
  expect(await read()).toMatchObject({ complete: true, errors: 0 });
  expect(ids()).toEqual(['a05', 'a06', 'a07', 'a1', 'b05', 'b06', 'b07', 'b1']);
});

test('one that fails on its third page goes on there with the windows of then, once; the others move on (append)', async () => {
  await open(WINDOWS);
  // Five rows in the first window of parent 2, one in its second.
  const early = ['01T01', '01T02', '01T03', '01T04', '02T01'].map((at, index) => kid(`b${index + 1}`, at));
  rows = { 1: [kid('a1', '01T05')], 2: [...early, kid('b6', '03T05')], 3: [kid('c1', '03T05')] };
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '4';
  const first = await read();
  expect(first).toMatchObject({ mode: 'append', complete: false, errors: 1, records: 7 });
  expect(first.asked).toEqual(['1 01–03', '1 03–04', '2 01–03', '2 01–03 +2', '2 01–03 +4', '2 03–04', '3 01–03', '3 03–04']);
  const moment = Date.parse('2026-01-04T00:00:00Z');
  expect(sink.states.kids?.stream).toEqual({ cursor: ['at', 'time', 'partition'], read: moment });
  expect(entry(P2)).toMatchObject({ was: [], behind: moment });
  expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('u'))).toHaveLength(2);

  clock.advance(DAY);
  rows[1]?.push(kid('a2', '04T07'));
  rows[2]?.push(kid('b7', '04T07'));
  const second = await read();
  expect(second).toMatchObject({ complete: false, errors: 1, records: 1 });
  expect(second.asked).toEqual(['1 04–05', '2 01–03 +4', '3 04–05']);
  expect(entry(P2)).toMatchObject({ behind: moment });

  clock.advance(DAY);
  rows[3]?.push(kid('c2', '05T07'));
  fails = () => false;
  const third = await read();
  expect(third).toMatchObject({ complete: true, resumed: false, records: 2 });
  expect(third.asked).toEqual(['1 05–06', '2 01–03 +4', '3 05–06']);
  expect(entry(P2)).toEqual({ done: [['2026-01-01T00:00:00.000Z', '2026-01-04T00:00:00.000Z']], at: moment });
  expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('u'))).toEqual([]);

  expect((await read()).asked).toEqual(['2 04–06']);
  expect(ids()).toEqual(['a1', 'a2', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'c1', 'c2']);
});

test('of its windows those that failed are tried until all are through', async () => {
  await open(WINDOWS);
  rows[2] = ['01T01', '01T02', '01T03', '03T01', '03T02', '03T03'].map((at, index) => kid(`b${index + 1}`, at));
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '2';
  const of2 = async (): Promise<string[]> => (await read()).asked.filter((line) => line.startsWith('2'));
  expect(await of2()).toEqual(['2 01–03', '2 01–03 +2', '2 03–04', '2 03–04 +2']);
  clock.advance(DAY);
  fails = ({ query }, parent) => parent === '2' && query.get('since')?.startsWith('2026-01-03') === true;
  expect(await of2()).toEqual(['2 01–03 +2', '2 03–04 +2']);
  clock.advance(DAY);
  expect(await of2()).toEqual(['2 03–04 +2']);
  clock.advance(DAY);
  fails = () => false;
  expect(await of2()).toEqual(['2 03–04 +2']);
  expect(await of2()).toEqual(['2 04–06', '2 06–07']);
  expect(ids()).toEqual(['b1', 'b2', 'b3', 'b4', 'b5', 'b6']);
});

test('without windows as well, and what is said of now is of then', async () => {
  await open(
    `query: { since: '\${window.start}', until: '\${now}' }\n    cursor: { field: at, format: iso, start: '\${now - duration("48h")}' }`,
  );
  rows[2] = ['02T01', '02T02', '03T03', '03T04', '03T05'].map((at, index) => kid(`b${index + 1}`, at));
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '4';
  expect((await read()).asked).toEqual(['1 02–04', '2 02–04', '2 02–04 +2', '2 02–04 +4', '3 02–04']);
  clock.advance(DAY);
  rows[2].unshift(kid('b6', '04T01'));
  fails = () => false;
  // Two days ago is another day now, but not for it.
  expect((await read()).asked).toEqual(['1 03–05', '2 02–04 +4', '3 03–05']);
  clock.advance(DAY);
  expect((await read()).asked).toEqual(['1 04–06', '2 04–06', '3 04–06']);
  expect(ids()).toEqual(['b1', 'b2', 'b3', 'b4', 'b5', 'b6']);
});

test('a look-back that failed is read, although later windows are done', async () => {
  await open(
    `primary_key: [id]\n    ${WINDOWS.replace("start: '2026-01-01'", "start: '2026-01-01', lookback: 2d").replace('2d, end', '1d, end')}`,
  );
  rows[2] = [kid('b1', '02T12')];
  await read();
  clock.advance(DAY);
  rows[2] = [{ ...kid('b1', '02T12'), version: 2 }, kid('b2', '04T01')];
  fails = ({ query }, parent) => parent === '2' && query.get('since')?.startsWith('2026-01-02') === true;
  expect((await read()).asked.filter((line) => line.startsWith('2'))).toEqual(['2 02–03', '2 03–04', '2 04–05']);
  clock.advance(5 * DAY);
  fails = () => false;
  // The look-back of the next read would begin on the 3rd or later.
  expect((await read()).asked.filter((line) => line.startsWith('2'))).toEqual(['2 02–03']);
  expect(sink.rows.kids?.find(({ id }) => id === 'b1')).toMatchObject({ version: 2 });
  expect((await read()).asked.filter((line) => line.startsWith('2'))[0]).toBe('2 03–04');
  expect(ids()).toEqual(['b1', 'b2']);
});

test('a job that was not done is gone on with; one that failed is made for the window of now', async () => {
  await open(`primary_key: [id]
    cursor: { field: at, format: date, window: { end: exclusive }, start: '2026-01-01' }
    job:
      create: { post: '/parents/\${parent.id}/kids', body: { to: '\${window.end}' }, capture: { id: id } }
      poll: { get: '/parents/\${parent.id}/kids/\${job.id}', every: 10s, timeout: 1m }
      status: state
      states: { done: [ready], failed: [error], running: [queued], none: [empty] }
      download: { get: '/parents/\${parent.id}/kids/\${job.id}/rows' }`);
  const states: Record<string, string> = { 1: 'empty', 2: 'queued', 3: 'error' };
  answer = ({ method, path }) =>
    path.includes('/kids')
      ? { json: method === 'POST' ? { id: path.split('/')[3] } : { state: states[String(path.split('/')[3])] } }
      : undefined;
  const made = (): string[] =>
    server.received.flatMap(({ method, path, body }) => (method === 'POST' ? [`${path.split('/')[3]} ${body}`] : []));
  expect(await read()).toMatchObject({ complete: false, errors: 2 });
  expect(made()).toEqual(['1', '2', '3', '3', '3'].map((parent) => `${parent} {"to":"2026-01-04"}`));
  expect(Object.keys(sink.states.kids ?? {}).toSorted()).toEqual([P2.replace('2', '1'), P2, 'stream', expect.stringMatching(/^u.*:2\}/)]);
  clock.advance(DAY);
  Object.assign(states, { 2: 'empty', 3: 'empty' });
  expect(await read()).toMatchObject({ complete: true });
  expect(made()).toEqual(['1 {"to":"2026-01-05"}', '3 {"to":"2026-01-05"}']);
});

test('sorted: each partition is as far as its pages', async () => {
  await open(`query: { since: '\${window.start}' }\n    primary_key: [id]\n    cursor: { field: at, format: iso, order: asc }`);
  rows[2] = ['01T01', '01T02', '01T03'].map((at, index) => kid(`b${index + 1}`, at));
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '2';
  await read({ mode: 'append' });
  expect(entry(P2)).toEqual({ done: [[null, '2026-01-01T02:00:00.000Z']], keys: ['b2'] });
  rows[1] = [kid('a1', '03T01')];
  fails = () => false;
  expect((await read({ mode: 'append' })).asked).toEqual(['1 –', '2 01T02:00:00Z–', '2 01T02:00:00Z– +2', '3 –']);
  expect(ids()).toEqual(['a1', 'b1', 'b2', 'b3']);
});

test('of changed parents: none is passed by while its children are behind', async () => {
  await open(`parents: changed\n    ${WINDOWS}`, CHANGED);
  rows = { 1: [kid('a1', '01T01')], 2: ['01T01', '01T02', '01T03'].map((at, index) => kid(`b${index + 1}`, at)), 3: [] };
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '2';
  expect((await read()).records).toBe(3);
  const later = (parent: number, id: string, at: string): void => {
    rows[parent]?.push(kid(id, at));
    Object.assign(parents[parent - 1] as JsonObject, { at: kid('', at).at });
  };
  clock.advance(DAY);
  later(1, 'a2', '04T01');
  expect((await read()).asked).toEqual(['1 04–05', '2 01–03 +2', '3 04–05']);
  clock.advance(DAY);
  // It changes before it is through, and not again.
  later(2, 'b4', '05T01');
  fails = () => false;
  expect(await read()).toMatchObject({
    complete: true,
    asked: ['1 05–06', '2 01–03 +2', '3 05–06'],
  });
  expect((await read()).asked).toEqual(['2 04–06']);
  expect(ids()).toEqual(['a1', 'a2', 'b1', 'b2', 'b3', 'b4']);
  // All are through: only what changes is asked for.
  clock.advance(DAY);
  later(3, 'c1', '06T01');
  expect((await read()).asked).toEqual(['3 06–07']);
});

test('of parents of parents neither cursor moves on while a child is behind', async () => {
  const changed = CHANGED.slice(2);
  const above = `, parent: groups, parents: changed, ${changed} }
  groups: { get: /groups, primary_key: [id], ${changed}`;
  await open(`parents: changed\n    ${WINDOWS}`, above);
  let groups = [1, 2].map((id) => ({ id, at: '2026-01-02T00:00:00Z' }));
  answer = ({ path }) => (path === '/v1/groups' ? { json: groups } : undefined);
  rows[3] = ['01T01', '01T02', '01T03'].map((at, index) => kid(`c${index + 1}`, at));
  fails = ({ query }, parent) => parent === '3' && query.get('skip') === '2';
  await read();
  clock.advance(DAY);
  // Both groups have all parents: each is read once.
  groups = groups.map((group) => ({ ...group, at: '2026-01-04T12:00:00Z' }));
  await read();
  expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('^'))).toEqual([]);
  fails = () => false;
  await read();
  expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('^'))).toEqual([]);
  expect((await read()).asked).toEqual(['3 04–05']);
  expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('^')).length).toBeGreaterThan(2);
  expect((await read()).asked).toEqual([]);
  expect(ids()).toEqual(['c1', 'c2', 'c3']);
});

test('a read that is stopped goes on as one; a partition behind it goes on by itself', async () => {
  await open(WINDOWS);
  rows[2] = ['01T01', '01T02', '01T03'].map((at, index) => kid(`b${index + 1}`, at));
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '2';
  await read();
  clock.advance(DAY);
  for (const parent of [1, 2, 3]) rows[parent]?.push(kid(`${parent}x`, '04T01'));
  // The destination is full before the third.
  sink.fail = (_, { records }) => (records.some(({ id }) => id === '3x') ? new FerruleError('output_failed', 'full') : undefined);
  expect(await read({ commitEvery: 1 })).toMatchObject({
    complete: false,
    error: { code: expect.stringMatching(/forbidden|output_failed/) },
  });
  expect(sink.states.kids?.stream).toMatchObject({ run: { now: Date.parse('2026-01-05T00:00:00Z') } });
  delete sink.fail;
  clock.advance(DAY);
  fails = () => false;
  expect(await read()).toMatchObject({ complete: true, resumed: true, asked: ['2 01–03 +2', '3 04–05'] });
  expect((await read()).asked).toEqual(['1 05–06', '2 04–06', '3 05–06']);
  expect(ids()).toEqual(['1x', '2x', '3x', 'b1', 'b2', 'b3']);
});

test('a past range in between leaves a partition where it is, and may itself be stopped and go on', async () => {
  await open(WINDOWS);
  rows = { 1: [], 2: ['01T01', '01T02', '01T03'].map((at, index) => kid(`b${index + 1}`, at)), 3: [] };
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '2';
  await read();
  const state = entry(P2);
  const range = { since: '2026-01-01', until: '2026-01-03' };
  sink.rows.kids = [];
  // The same window as the one in whose midst it is: from its beginning.
  expect((await read({ range })).asked).toEqual(['1 01–03', '2 01–03', '2 01–03 +2', '3 01–03']);
  fails = () => false;
  expect(await read({ range })).toMatchObject({ complete: true, resumed: true, asked: ['2 01–03 +2'] });
  expect(ids()).toEqual(['b1', 'b2', 'b3']);
  expect(await read({ range })).toMatchObject({ resumed: false, asked: ['1 01–03', '2 01–03', '2 01–03 +2', '3 01–03'] });
  // Another one is stopped behind a window of it, which a third reads from its beginning.
  fails = ({ query }, parent) => parent === '2' && query.get('since')?.startsWith('2026-01-03') === true;
  expect(await read({ range: { since: '2026-01-01', until: '2026-01-04' } })).toMatchObject({ complete: false });
  fails = () => false;
  expect((await read({ range })).asked).toEqual(['1 01–03', '2 01–03', '2 01–03 +2', '3 01–03']);
  expect(entry(P2)).toEqual(state);
  sink.rows.kids = [];
  clock.advance(DAY);
  expect((await read()).asked).toEqual(['1 04–05', '2 01–03 +2', '3 04–05']);
  expect(ids()).toEqual(['b3']);
  expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('u'))).toEqual([]);
});

test('a parent without its key, and a list of items, keep nobody waiting either', async () => {
  await open(
    `query: { since: '\${window.start}' }\n    each: { kind: [x, y] }\n    primary_key: [id]\n    cursor: { field: at, format: iso }`,
  );
  parents.push({ name: 'none' });
  rows[1] = [kid('a1', '01T01')];
  expect(await read()).toMatchObject({ complete: false, errors: 1, error: { code: 'path_missing' } });
  rows[1].push(kid('a2', '04T01'));
  expect(await read()).toMatchObject({ complete: false, resumed: false, records: 2 });
  expect(ids()).toContain('a2');
});

test('what every partition shares is read as one', async () => {
  await open(OPEN.replace('format: iso', 'format: iso, per: stream'));
  fails = (_, parent) => parent === '2';
  await read();
  expect(await read()).toMatchObject({ resumed: true, asked: ['2 –'] });
});

describe('a read that did not try all of its partitions goes on as one', () => {
  beforeEach(async () => await open(OPEN));

  it('when too many failed', async () => {
    // Twenty, and one that was not tried.
    parents = Array.from({ length: 21 }, (_, id) => ({ id }));
    fails = (_, parent) => parent !== '';
    expect(await read()).toMatchObject({ errors: 20, units: { failed: 20 } });
    fails = () => false;
    expect(await read()).toMatchObject({ resumed: true, complete: true });
  });

  it('when the parents could not be read', async () => {
    fails = (_, parent) => parent === '';
    expect(await read()).toMatchObject({ errors: 1, units: { failed: 0 } });
    fails = () => false;
    expect(await read()).toMatchObject({ resumed: true, complete: true });
  });

  it('when what failed is not about one partition', async () => {
    fails = (_, parent) => parent === '3';
    status = 401;
    expect(await read()).toMatchObject({ errors: 1, units: { finished: 2, failed: 1 } });
    fails = () => false;
    expect(await read()).toMatchObject({ resumed: true, complete: true, asked: ['3 –'] });
  });

  it('when it was stopped in the last of them', async () => {
    fails = (_, parent) => parent === '2';
    const stop = new AbortController();
    const onEvent: RunOptions['onEvent'] = (event) => {
      if (event.type === 'unit' && event.partition['parent.id'] === 3) stop.abort();
    };
    expect(await read({ signal: stop.signal, onEvent })).toMatchObject({ complete: false, units: { finished: 1, failed: 2 } });
    fails = () => false;
    expect(await read()).toMatchObject({ resumed: true, complete: true, asked: ['2 –', '3 –'] });
  });

  it('when it takes the place of all', async () => {
    fails = (_, parent) => parent === '2';
    await read({ mode: 'overwrite' });
    fails = () => false;
    expect(await read({ mode: 'overwrite' })).toMatchObject({ resumed: true, complete: true, asked: ['2 –'] });
  });
});

test('a state from before: a read under way is ended first, and left by the next failure', async () => {
  await open(WINDOWS);
  const moment = Date.parse('2026-01-04T00:00:00Z');
  sink.states.kids = {
    stream: { cursor: ['at', 'time', 'partition'], run: { now: moment, mode: 'append' } },
    'p{"parent.id":1}': { done: [['2026-01-01T00:00:00.000Z', '2026-01-04T00:00:00.000Z']], at: moment },
    // Of a past range that nobody went on with.
    'u{"parent.id":1}|2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z': { index: 1, count: 2 },
    'u{"parent.id":2}|2026-01-01T00:00:00.000Z/2026-01-03T00:00:00.000Z': { patch: { 'query.skip': 2 }, index: 1, count: 2 },
  };
  rows[2] = ['01T01', '01T02', '01T03'].map((at, index) => kid(`b${index + 1}`, at));
  clock.advance(DAY);
  fails = ({ query }, parent) => parent === '2' && query.get('skip') === '2';
  expect(await read()).toMatchObject({ resumed: true, asked: ['2 01–03 +2', '2 03–04', '3 01–03', '3 03–04'] });
  expect(Object.keys(sink.states.kids).filter((key) => key.startsWith('u') && key.includes(':1}'))).toEqual([]);
  fails = () => false;
  expect(await read()).toMatchObject({ resumed: false, complete: true, asked: ['1 04–05', '2 01–03 +2', '3 04–05'] });
  expect(ids()).toEqual(['b3']);
});

const KINDS = [
  { kids: WINDOWS, isAppend: true },
  { kids: `primary_key: [id]\n    ${WINDOWS.replace("'2026-01-01' }", "'2026-01-01', lookback: 1d }")}`, hasRanges: true },
  { kids: OPEN.replace('format: iso', 'format: iso, order: asc'), isAppend: true },
  { kids: `parents: changed\n    ${OPEN}`, parent: CHANGED },
  { kids: `parents: changed\n    primary_key: [id]\n    ${WINDOWS}`, parent: CHANGED, hasRanges: true },
];

test.each(Array.from({ length: 5 }, (_, seed) => seed))(
  'whatever fails, and wherever a read is stopped, nothing is lost, and in append nothing doubles (%i)',
  async (seed) => {
    const random = seeded(seed);
    const { kids, parent: cursor = '', isAppend = false, hasRanges = false } = KINDS[seed % KINDS.length] as (typeof KINDS)[number];
    await open(kids, cursor);
    const began = Date.parse('2026-01-01T00:00:00Z');
    const some = (most: number): number => Math.floor(random() * most);
    const written = (moment: number): string => new Date(moment).toISOString().replace('.000', '');
    for (let step = 0, from = began; step < 16; step += 1) {
      for (const [index, parent] of parents.entries()) {
        const moments = Array.from({ length: some(6) }, () => from + some((clock.now() - from) / 1000) * 1000);
        for (const at of moments.toSorted((a, b) => a - b))
          rows[index + 1]?.push({ id: `${index}/${step}/${rows[index + 1]?.length}`, at: written(at) });
        if (moments.length > 0) parents[index] = { ...parent, at: written(clock.now()) };
      }
      from = clock.now();
      // From its first page on, or from a later one.
      const broken = new Map(parents.flatMap(({ id }) => (random() < 0.35 ? [[String(id), some(4) * 2] as const] : [])));
      fails = ({ query }, parent) => Number(query.get('skip')) >= (broken.get(parent) ?? Number.POSITIVE_INFINITY);
      const stop = new AbortController();
      let left = random() < 0.3 ? some(8) : Number.POSITIVE_INFINITY;
      // What was not committed is gone, as when the process is killed.
      let commits = random() < 0.3 ? some(5) : Number.POSITIVE_INFINITY;
      sink.fail = () => {
        commits -= 1;
        return commits < 0 ? new FerruleError('output_failed', 'full') : undefined;
      };
      const [since = '', until = ''] = [random(), random()].toSorted().map((part) => written(began + Math.floor(part * (from - began))));
      await read({
        mode: isAppend ? 'append' : 'upsert',
        concurrency: 1 + some(3),
        commitEvery: 1 + some(5),
        signal: stop.signal,
        onEvent: ({ type }) => {
          if (type === 'page') left -= 1;
          if (left < 0) stop.abort();
        },
        ...(hasRanges && random() < 0.25 && { range: { since, until } }),
      });
      clock.advance(1000 + some(130_000) * 1000);
    }
    fails = () => false;
    delete sink.fail;
    for (let more = 0; more < 3; more += 1) expect(await read({ mode: isAppend ? 'append' : 'upsert' })).toMatchObject({ complete: true });
    const wanted = Object.values(rows).flatMap((list) => list.map(({ id }) => String(id)));
    expect(ids()).toEqual(wanted.toSorted());
    // Of all that was begun nothing is left but the cursors.
    expect(Object.keys(sink.states.kids ?? {}).filter((key) => key.startsWith('u'))).toEqual([]);
  },
);
