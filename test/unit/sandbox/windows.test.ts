import type { Clock } from '../../../framework/core/clock.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { at, bearer, type Got, send, spec } from './wire.ts';

/** 2026-06-15 is a Monday; nothing changes its clock near it. */
const NOW = Date.parse('2026-06-15T10:00:00Z');
const DAY = 86_400_000;
const clockAt = (now: number): Clock => ({ now: () => now, sleep: () => Promise.resolve() });

const open: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

interface Api {
  sandbox: Sandbox;
  get(path: string): Promise<Got>;
  post(path: string, json: unknown): Promise<Got>;
}

async function start(streams: string, options: SandboxOptions = {}): Promise<Api> {
  const text = `
spec: 1
name: acme
title: Acme
version: 1.0.0
fields: { since: { title: Since, type: date, required: false } }
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.com/v1', errors: { message: error.text, code: error.code } }
streams:
${streams}`;
  const sandbox = await startSandbox(spec(text), { clock: clockAt(NOW), ...options, fields: { token: 'right', ...options.fields } });
  open.push(sandbox);
  const headers = bearer('right');
  return {
    sandbox,
    get: (path) => send(sandbox, `https://api.acme.com/v1${path}`, { headers }),
    post: (path, json) => send(sandbox, `https://api.acme.com/v1${path}`, { headers, json }),
  };
}

type Row = Record<string, string | number>;
const rows = (got: Got, key = 'data'): Row[] => {
  expect([got.status, got.status === 200 ? '' : got.text]).toEqual([200, '']);
  return at(got.body, key) as Row[];
};
const values = (got: Got, column: string): (string | number)[] => rows(got).map((row) => row[column]!);

const CHARGES = `
  charges:
    get: /charges
    query: { from: '\${window.start}', to: '\${window.end}' }
    records: data
    primary_key: [id]
    columns: { id: integer, created: integer }
    paginate: { type: offset, offset: query.skip, size: query.limit, page_size: 100, total: total }
    cursor: { field: created, format: epoch, order: asc, window: { max: 40d, end: exclusive } }
`;

describe('where records lie in time', () => {
  it('spreads them evenly over the 30 days before the clock, the same from the same seed', async () => {
    const [one, other] = [await start(CHARGES, { records: 60 }), await start(CHARGES, { records: 60 })];
    const path = `/charges?to=${NOW / 1000}&skip=0&limit=100`;
    const created = values(await one.get(path), 'created') as number[];
    // 60 in 30 days: one in each half day, in its middle.
    expect(created).toEqual(Array.from({ length: 60 }, (_, index) => NOW / 1000 - 30 * 86_400 + index * 43_200 + 21_600));
    expect((await other.get(path)).text).toBe((await one.get(path)).text);
  });

  it.each([
    ['a duration', 'start: 6d, window: { max: 9d, end: exclusive }', {}, '2026-06-09T10:00:00Z'],
    ['a field', "start: '${fields.since}', window: { max: 90d, end: exclusive }", { since: '2026-06-05' }, '2026-06-05T00:00:00Z'],
    ['what is kept', 'oldest: 3d, window: { max: 9d, end: exclusive }', {}, '2026-06-12T10:00:00Z'],
  ])('lets none be before %s', async (_, cursor, fields, first) => {
    const { sandbox, get } = await start(CHARGES.replace('window: { max: 40d, end: exclusive }', cursor), { records: 99, fields });
    const begin = Date.parse(first) / 1000;
    const created = values(await get(`/charges?from=${begin}&to=${NOW / 1000}&skip=0&limit=100`), 'created') as number[];
    expect(created.length).toBe(sandbox.expected.charges);
    expect(created[0]! - begin).toBeLessThan((NOW / 1000 - begin) / 90);
  });

  it('takes another span that the caller says', async () => {
    const { get } = await start(CHARGES, { records: 10, span: 10 * DAY });
    expect(values(await get(`/charges?to=${NOW / 1000}&skip=0&limit=1`), 'created')).toEqual([NOW / 1000 - 9.5 * 86_400]);
  });

  it('writes them as the record has them: by column type, by record_format, under the raw name', async () => {
    const { get } = await start(`
  texts:
    get: /texts
    query: { from: '\${window.start}' }
    records: data
    primary_key: [id]
    rename: { Id: id, changedOn: changed_at }
    columns: { id: integer, changed_at: text }
    cursor: { field: changedOn, format: epoch_ms }
  dotted:
    get: /dotted
    query: { from: '\${window.start}' }
    records: data
    cursor: { field: meta.at, format: iso, record_format: '%d/%m/%Y %H:%M', time_zone: '+02:00' }
`);
    const [text] = rows(await get('/texts'));
    expect(Object.keys(text!).sort()).toEqual(['Id', 'changedOn']);
    expect(text!.changedOn).toMatch(/^17\d{11}$/);
    for (const row of rows(await get('/dotted'))) expect(at(row, 'meta', 'at')).toMatch(/^\d\d\/0[56]\/2026 \d\d:\d\d$/);
  });

  it('counts integers from 1', async () => {
    const { get } = await start(
      `
  events:
    get: /events
    query: { since_id: '\${window.start}' }
    records: data
    primary_key: [id]
    columns: { id: integer, name: text }
    paginate: { type: page, page: query.page, size: query.size, page_size: 5 }
    cursor: { field: id, format: integer, order: asc }
`,
      { records: 12 },
    );
    expect(values(await get('/events?page=1&size=5'), 'id')).toEqual([1, 2, 3, 4, 5]);
    expect(values(await get('/events?since_id=9&page=1&size=5'), 'id')).toEqual([9, 10, 11, 12]);
    expect((await get('/events?since_id=9.5&page=1&size=5')).status).toBe(400);
  });

  it('gives days that are the whole key once each, as many as are kept', async () => {
    const { sandbox, get } = await start(
      `
  days:
    get: /days
    query: { from: '\${window.start}', to: '\${window.end}' }
    records: data
    primary_key: [day]
    columns: { day: date, clicks: integer }
    cursor: { field: day, format: date, order: asc, oldest: 90d, window: { end: inclusive } }
`,
      { records: 250 },
    );
    const days = values(await get('/days?from=2026-03-17&to=2026-06-15'), 'day');
    // 90 days before today: 17 March to 14 June.
    expect([days.length, days[0], days.at(-1), new Set(days).size]).toEqual([90, '2026-03-17', '2026-06-14', 90]);
    expect(sandbox.expected.days).toBe(90);
  });
});

describe('what a request says of the range', () => {
  it('takes the start in, and the end as the spec says', async () => {
    const exclusive = await start(CHARGES, { records: 60 });
    const all = values(await exclusive.get(`/charges?to=${NOW / 1000}&skip=0&limit=100`), 'created') as number[];
    const path = `/charges?from=${all[10]}&to=${all[20]}&skip=0&limit=100`;
    expect(values(await exclusive.get(path), 'created')).toEqual(all.slice(10, 20));
    const inclusive = await start(CHARGES.replace('exclusive', 'inclusive'), { records: 60 });
    expect(values(await inclusive.get(path), 'created')).toEqual(all.slice(10, 21));
  });

  it('counts and pages what is in it', async () => {
    const { get } = await start(CHARGES, { records: 600 });
    const from = NOW / 1000 - 15 * 86_400;
    const [first, second] = [0, 250].map((skip) => `/charges?from=${from}&to=${NOW / 1000}&skip=${skip}&limit=100`);
    expect(at((await get(first!)).body, 'total')).toBe(300);
    expect(rows(await get(second!)).length).toBe(50);
  });

  it('takes a whole day in where an inclusive end is a date, in the zone of the spec', async () => {
    const { sandbox, get } = await start(
      `
  visits:
    get: /visits
    query: { from: '\${window.start}', to: '\${window.end}' }
    records: data
    columns: { at: datetime }
    cursor: { field: at, format: date, record_format: iso, time_zone: America/New_York, window: { max: 31d, end: inclusive } }
`,
      { records: 3000, clock: clockAt(Date.parse('2026-03-20T12:00:00Z')) },
    );
    const all = values(await get('/visits?from=2026-02-17&to=2026-03-19'), 'at')
      .map(String)
      .sort();
    expect(all.length).toBe(sandbox.expected.visits);
    // Clocks go forward on 8 March 2026 at 2 o'clock: that day has 23 hours.
    const [begin, end] = ['2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z'];
    const wanted = all.filter((time) => time >= begin && time < end);
    expect(
      values(await get('/visits?from=2026-03-08&to=2026-03-08'), 'at')
        .map(String)
        .sort(),
    ).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(90);
  });

  it.each([
    ['no time of the format', 'from=2026-06-01&to=1781517600', /2026-06-01 is no window.start of the format epoch/],
    ['a fraction', 'from=1781517600.5&to=1781517601', /is no window.start/],
    ['more than the longest', `from=${NOW / 1000 - 41 * 86_400}&to=${NOW / 1000}`, /longer than 40d: 41d/],
    ['an end before the start', 'from=1781517600&to=1781517000', /ends before it begins/],
    ['no end', 'from=1781517600', /missing query parameter to/],
  ])('refuses %s in the provider’s own words', async (_, query, words) => {
    const { get } = await start(CHARGES);
    const got = await get(`/charges?${query}&skip=0&limit=100`);
    expect([got.status, at(got.body, 'error', 'code')]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(at(got.body, 'error', 'text')).toMatch(words);
  });

  it('refuses a beginning before what is kept, and 32 days where 31 are allowed', async () => {
    const { get } = await start(`
  days:
    get: /days
    query: { from: '\${window.start}', to: '\${window.end}' }
    records: data
    columns: { day: date }
    cursor: { field: day, format: date, oldest: 95d, window: { max: 31d, end: inclusive } }
`);
    // 95 days before 15 June are 12 March.
    expect((await get('/days?from=2026-03-12&to=2026-04-11')).status).toBe(200);
    expect(at((await get('/days?from=2026-03-11&to=2026-03-12')).body, 'error', 'text')).toMatch(/before what is kept: 95d/);
    expect(at((await get('/days?from=2026-03-12&to=2026-04-12')).body, 'error', 'text')).toMatch(/longer than 31d: 32d/);
  });

  it('finds it in a path, in lists, in one text, in GraphQL variables, and as a time of another format', async () => {
    const cursor = 'cursor: { field: at, format: iso, order: asc, window: { end: exclusive } }';
    const { get, post } = await start(
      `
  in_path: { get: '/days/\${window.start}/\${window.end}', records: data, columns: { at: datetime }, ${cursor} }
  in_list:
    get: /list
    query: { modified: ['\${window.start}', '\${window.end}'] }
    records: data
    columns: { at: datetime }
    ${cursor}
  in_text: { get: /text, query: { q: 'at>=\${window.start} at<\${window.end}' }, records: data, columns: { at: datetime }, ${cursor} }
  in_body:
    post: /body
    body: { filter: { between: ['\${window.start}', '\${window.end}'] } }
    records: data
    columns: { at: datetime }
    ${cursor}
  in_seconds:
    get: /seconds
    query: { from: '\${format(window.start_time, "%s")}', to: '\${epoch(window.end_time)}', at: '\${default(window.start, "1970-01-01T00:00:00Z")}' }
    records: data
    columns: { at: datetime }
    ${cursor}
  in_graphql:
    post: /graphql
    encode: graphql
    body:
      query: 'query($since: DateTime, $until: DateTime) { issues(since: $since, until: $until) { nodes { at } } }'
      variables: { since: '\${window.start}', until: '\${window.end}' }
    records: data.issues.nodes
    columns: { at: datetime }
    ${cursor}
  in_input:
    post: /graphql
    encode: graphql
    body:
      query: 'query($filter: Filter!) { issues(filter: $filter) { nodes { at } } }'
      variables: { filter: { between: ['\${window.start}', '\${window.end}'] } }
    records: data.issues.nodes
    columns: { at: datetime }
    ${cursor}
`,
      { records: 300 },
    );
    const [from, to] = ['2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z'];
    const [a, b] = [encodeURIComponent(from), encodeURIComponent(to)];
    // 300 in 30 days: one each 2.4 hours, the first at 11:12 on 16 May; the first of 1 June at 1:36.
    const wanted = Array.from({ length: 10 }, (_, index) => new Date(Date.parse('2026-06-01T01:36:00Z') + index * 0.1 * DAY));
    const expected = wanted.map((time) => time.toISOString().replace('.000Z', 'Z'));
    expect(values(await get(`/days/${a}/${b}`), 'at')).toEqual(expected);
    expect(values(await get(`/list?modified=${a}&modified=${b}`), 'at')).toEqual(expected);
    expect(values(await get(`/text?q=${encodeURIComponent(`at>=${from} at<${to}`)}`), 'at')).toEqual(expected);
    expect(values(await post('/body', { filter: { between: [from, to] } }), 'at')).toEqual(expected);
    expect(values(await get(`/seconds?from=1780272000&to=1780358400&at=${a}`), 'at')).toEqual(expected);
    const query = 'query($since: DateTime, $until: DateTime) { issues(since: $since, until: $until) { nodes { at } } }';
    const graph = async (since: string) => post('/graphql', { query, variables: { since, until: to } });
    expect((at((await graph(from)).body, 'data', 'issues', 'nodes') as Row[]).map((row) => row.at)).toEqual(expected);
    const input = 'query($filter: Filter!) { issues(filter: $filter) { nodes { at } } }';
    const nested = await post('/graphql', { query: input, variables: { filter: { between: [from, to] } } });
    expect((at(nested.body, 'data', 'issues', 'nodes') as Row[]).map((row) => row.at)).toEqual(expected);
    const wrong = await graph('1 June');
    expect([wrong.status, at(wrong.body, 'errors', 0, 'message')]).toEqual([200, '1 June is no window.start of the format iso']);
  });

  it('reads days by a fixed offset from UTC', async () => {
    const { get } = await start(
      `
  visits:
    get: /visit
    query: { from: '\${window.start}', to: '\${window.end}' }
    columns: { at: datetime }
    cursor: { field: at, format: '%Y%m%d', record_format: iso, time_zone: '-03:30', order: asc, window: { end: exclusive } }
`,
      { records: 720 },
    );
    // A day at 3:30 behind UTC begins at 3:30 UTC. 720 in 30 days: one an hour, in the middle of hours that begin at half past.
    const got = await get('/visit?from=20260601&to=20260602');
    const times = (got.body as Row[]).map((row) => row.at);
    expect([times.length, times[0], times.at(-1)]).toEqual([24, '2026-06-01T04:00:00Z', '2026-06-02T03:00:00Z']);
  });

  it('gives all where the client filters', async () => {
    const { get } = await start('  all: { get: /all, records: data, columns: { at: date }, cursor: { field: at, filter: client } }', {
      records: 30,
    });
    expect(rows(await get('/all')).length).toBe(30);
    expect((await get('/all?since=2026-06-01')).status).toBe(400);
  });
});

describe('the order of records', () => {
  const list = (more: string): string => `
  things:
    get: /things
    query: { from: '\${window.start}'${more.startsWith(',') ? more.split('|')[0] : ''} }
    records: data
    primary_key: [id]
    columns: { id: integer, updated_at: datetime }
    paginate: { type: next_token, from: next, into: query.after, size: query.size, page_size: 7 }
    cursor: { field: updated_at${more.split('|')[1] ?? ''} }
`;
  async function read(text: string, query = ''): Promise<string[]> {
    const { get } = await start(text, { records: 50 });
    const found: string[] = [];
    let after = '';
    do {
      const got = await get(`/things?size=7${query}${after}`);
      found.push(...(values(got, 'updated_at') as string[]));
      const next = at(got.body, 'next') as string | undefined;
      after = next === undefined ? '' : `&after=${encodeURIComponent(next)}`;
    } while (after !== '');
    expect(new Set(found).size).toBe(50);
    return found;
  }

  it('is that of the cursor where the spec says so or the request asks for it, else another', async () => {
    const sorted = await read(list('|, order: asc'));
    expect(sorted).toEqual(sorted.toSorted());
    expect(await read(list(', sort: updated_at|'), '&sort=updated_at')).toEqual(sorted);
    expect(await read(list(', order_by: updated_at desc|'), '&order_by=updated_at+desc')).toEqual(sorted.toReversed());
    const mixed = await read(list('|'));
    expect(mixed.toSorted()).toEqual(sorted);
    expect(mixed.filter((time, index) => index > 0 && time < mixed[index - 1]!).length).toBeGreaterThan(10);
  });

  it('goes on behind a key that is the cursor', async () => {
    const { get } = await start(
      `
  things:
    get: /things
    query: { from: '\${window.start}' }
    records: data
    primary_key: [id]
    columns: { id: integer, updated_at: datetime }
    paginate: { type: keyset, from: updated_at, into: query.behind, size: query.size, page_size: 8 }
    cursor: { field: updated_at }
`,
      { records: 20 },
    );
    const from = encodeURIComponent(new Date(NOW - 15 * DAY).toISOString().replace('.000Z', 'Z'));
    const first = values(await get(`/things?from=${from}&size=8`), 'updated_at') as string[];
    const second = values(await get(`/things?from=${from}&size=8&behind=${encodeURIComponent(first.at(-1)!)}`), 'updated_at') as string[];
    expect([first.length, second.length, new Set([...first, ...second]).size]).toEqual([8, 2, 10]);
  });
});
