import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sink } from '../../../framework/core/sink.ts';
import type { JsonObject } from '../../../framework/core/value.ts';
import { openSink } from '../../../framework/destinations/index.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import type { RunOptions } from '../../../framework/engine/run.ts';
import type { StreamOutcome } from '../../../framework/engine/run-events.ts';
import { acme, addresses } from '../../acme.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';
import { type MemorySink, memorySink } from '../../sink.ts';
import { temporaryFolder } from '../destinations/folder-rows.ts';

/** Each read goes twice: into JSON Lines, where records may stand as they came, and into memory, which takes none but parsed ones. */
let server: LocalServer;
let connection: Connection;
let clock: FakeClock;
let memory: MemorySink;
let folder: string;
let file: Sink;

async function open(streams: string, answer: (request: Received) => Answer, bigIntegers: 'number' | 'text' = 'number'): Promise<void> {
  clock = new FakeClock(Date.parse('2026-01-10T00:00:00Z'));
  memory = memorySink();
  folder = await temporaryFolder();
  file = await openSink({ type: 'jsonl', target: folder });
  server = await serve(answer);
  const spec = acme(`auth: { none: none }\nstreams:\n  ${streams}`);
  const http = { ...spec.http, big_integers: bigIntegers };
  connection = await connectSpec({ ...spec, http }, { fields: {} }, { ...addresses(server.origin), clock });
}

afterEach(async () => {
  await connection.close();
  await file.close();
  await server.close();
  await rm(folder, { recursive: true });
});

const asked = (): string[] => server.received.splice(0).map(({ query }) => `?${query}`);
const linesNow = async (): Promise<string[]> => (await readFile(join(folder, 's.jsonl'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
const idsNow = async (): Promise<unknown[]> => (await linesNow()).map((line) => (JSON.parse(line) as JsonObject).id);

type Read = StreamOutcome & { lines: string[]; asked: string[] };

/** Reads into both, with options made anew for each; what is not the same in both fails. */
async function read(how: () => Partial<RunOptions> = () => ({})): Promise<Read> {
  const one = async (into: Sink) => {
    const [outcome] = await connection.readInto(into, { streams: ['s'], concurrency: 1, ...how() });
    const { place: _, changes: __, error, ...rest } = outcome as StreamOutcome;
    return { rest, error, asked: asked(), state: Object.fromEntries(await into.state('s')) };
  };
  const parsed = await one(memory);
  const written = await one(file);
  expect(written.rest).toEqual(parsed.rest);
  expect(written.asked).toEqual(parsed.asked);
  expect(written.state).toEqual(parsed.state);
  expect([written.error?.code, written.error?.message]).toEqual([parsed.error?.code, parsed.error?.message]);
  const lines = await linesNow();
  const rows = lines.map((line) => JSON.parse(line) as JsonObject);
  const last = parsed.rest.mode === 'upsert' ? [...new Map(rows.map((row) => [row.id, row])).values()] : rows;
  const sorted = (all: JsonObject[]) => all.map((row) => JSON.stringify(row)).sort();
  expect(sorted(last)).toEqual(sorted(memory.rows.s ?? []));
  return { ...(parsed.rest as StreamOutcome), ...(parsed.error && { error: parsed.error }), lines, asked: written.asked };
}

const json = (text: string, type = 'application/json'): Answer => ({ text, headers: { 'content-type': type } });
/** Pages by their offset. The blanks and zeros would be gone if they had been parsed. */
const pagesOf =
  (pages: string[][]) =>
  ({ query }: Received): Answer => {
    const skip = Number(query.get('skip') ?? 0);
    let before = 0;
    const page = pages.find((records) => {
      before += records.length;
      return before > skip;
    });
    return json(`{"rows":[${(page ?? []).join(',\n')}],"total":${pages.flat().length}}`);
  };
const OFFSET = 'paginate: { type: offset, offset: query.skip, page_size: 2, total: total }';
const COLUMNS = 'columns: { id: integer, name: text }';
const as = (id: number, more = ''): string => `{"id": ${id}, "price":1.50${more}}`;

describe('records that nothing is changed about', () => {
  it('stand in JSON Lines as the provider wrote them, and are what the parser reads', async () => {
    const pages = [[as(1, ',"name":"\\u00e9"'), '{ }'], [as(3, ',"deep" : {"a":[1, {"b":null}]}'), as(4)], ['{"name":null,"id":5}']];
    await open(`s: { get: /s, records: rows, ${COLUMNS}, ${OFFSET} }`, pagesOf(pages));
    const { lines, ...outcome } = await read();
    expect(outcome).toMatchObject({
      ...{ complete: true, mode: 'overwrite', records: 5, skipped: 0, misfits: 0, pages: 3 },
      asked: ['?skip=0', '?skip=2', '?skip=4'],
    });
    expect(lines).toEqual(pages.flat());
    expect(memory.rows.s?.[0]).toEqual({ id: 1, price: 1.5, name: 'é' });
    expect(outcome.bytes).toBe(pages.reduce((sum, one) => sum + one.join(',\n').length + '{"rows":[],"total":5}'.length, 0));
  });

  it('are made flat all the same where that is asked for', async () => {
    await open(`s: { get: /s, records: rows }`, pagesOf([['{"a": {"b":1.50}}']]));
    await file.close();
    file = await openSink({ type: 'jsonl', target: folder }, { nested: 'flat' });
    await connection.readInto(file, { streams: ['s'] });
    expect(await linesNow()).toEqual(['{"a_b":1.5}']);
  });

  it('count in what a destination says that it has written', async () => {
    await open('s: { get: /s }', () => json('[]'));
    const opened = await file.open({ name: 's', mode: 'append', primary_key: [], columns: {}, resumes: false, state: {} });
    const packed = opened.packVerbatim?.([Buffer.from('{"é": 1}'), Buffer.from('{}')]);
    await opened.commit({ records: [], packed: packed ? [packed] : [], state: { n: 2 } });
    // Nine bytes and two, and the ends of both lines.
    expect(opened.totals).toMatchObject({ records: 2, bytes: 13 });
    expect(await linesNow()).toEqual(['{"é": 1}', '{}']);
    await opened.close();
  });

  it('of a job’s result', async () => {
    const job = `create: { post: /jobs, capture: { id: id } }, poll: { get: '/jobs/\${job.id}', every: 10s, timeout: 2m }, status: state, states: { done: [ready], running: [queued], failed: [error] }, download: { get: '/results/\${job.id}' }, clean_up: { delete: '/jobs/\${job.id}' }`;
    await open(`s: { records: rows, paginate: none, primary_key: [id], job: { ${job} } }`, ({ method, path }) => {
      if (path === '/v1/results/7') return json(`{"rows":[${as(1)},${as(2)}]}`);
      return { json: method === 'POST' ? { id: 7 } : { state: 'ready' } };
    });
    expect(await read()).toMatchObject({ complete: true, records: 2, lines: [as(1), as(2)] });
  });

  it('each partition’s, and a parent’s that is only read for them', async () => {
    await open(
      `s: { get: '/s/\${parent.id}', parent: p, primary_key: [id], paginate: none }\n  p: { get: /p, records: rows, primary_key: [id], paginate: none }`,
      ({ path }) => json(path.endsWith('/p') ? '{"rows":[{"id": 1},{"id": 2}]}' : `[{"id": ${path.at(-1)}0},{"id": ${path.at(-1)}1}]`),
    );
    expect((await read()).lines).toEqual(['{"id": 10}', '{"id": 11}', '{"id": 20}', '{"id": 21}']);
  });

  it('with what is added to all of a page behind each', async () => {
    await open(
      `s: { get: '/s/\${parent.id}', parent: p, primary_key: [id], paginate: none, add: { of: '\${parent.id}' }, columns: { of: integer } }\n  p: { get: /p, records: rows, primary_key: [id], paginate: none }`,
      ({ path }) => json(path.endsWith('/p') ? '{"rows":[{"id": 1},{"id": 2}]}' : `[{"id": ${path.at(-1)}0}, {"id": ${path.at(-1)}1}]`),
    );
    expect((await read()).lines).toEqual(['{"id": 10,"of":1}', '{"id": 11,"of":1}', '{"id": 20,"of":2}', '{"id": 21,"of":2}']);
  });
});

describe('a page that only the parser reads right', () => {
  it('comes between the others as it always did', async () => {
    const pages = [
      [as(1), as(2)],
      ['{"id": 3,\n"price":1.50}', as(4)],
      [as(5), as(6)],
      ['{"id": 12345678901234567890}', as(8)],
      ['{"id": 9, "n": 1e5}'],
      [as(10)],
    ];
    await open(`s: { get: /s, records: rows, ${COLUMNS}, ${OFFSET} }`, pagesOf(pages), 'text');
    expect((await read()).lines).toEqual(
      [as(1), as(2), '{"id":3,"price":1.5}', '{"id":4,"price":1.5}', as(5), as(6)].concat(
        ['{"id":"12345678901234567890"}', '{"id":8,"price":1.5}', '{"id":9,"n":100000}'],
        [as(10)],
      ),
    );
  });

  it.each([
    ['a number that would be rounded', `{"rows":[${as(1)},{"id":9007199254740993}]}`, 'application/json', 'number_too_large'],
    ['no JSON', `{"rows":[${as(1)},{"id":01}]}`, 'application/json', 'response_malformed'],
    ['no JSON behind the list', `{"rows":[${as(1)}],}`, 'application/json', 'response_malformed'],
    ['a control character', '{"rows":[{"id":1,"name":"\t"}]}', 'application/json', 'response_malformed'],
    ['something else than records', `{"rows":[${as(1)},2]}`, 'application/json', 'records_missing'],
    ['no records', `{"data":[${as(1)}]}`, 'application/json', 'records_missing'],
    ['what is called HTML', `{"rows":[${as(1)}]}`, 'text/html', 'response_malformed'],
    ['another charset', `{"rows":[${as(1)}]}`, 'application/json; charset=none', 'response_malformed'],
  ])('fails as it always did: %s', async (_, text, type, code) => {
    await open(`s: { get: /s, records: rows, ${COLUMNS} }`, () => json(text, type));
    const { error, lines } = await read();
    expect([error?.code, lines]).toEqual([code, []]);
  });

  describe('for a record that does not fit', () => {
    const pages = [[as(1), as(2)], ['{"id": "x", "name":"a"}', as(4)], ['{"id": 5, "name":7}', '{"id": 6, "name":[]}'], [as(7)]];
    const MISFITS = `s: { get: /s, records: rows, ${COLUMNS}, ${OFFSET} }`;

    it('it is counted', async () => {
      await open(MISFITS, pagesOf(pages));
      expect(await read()).toMatchObject({ records: 7, misfits: 3, complete: true });
      expect(await linesNow()).toEqual([
        as(1),
        as(2),
        '{"id":"x","name":"a"}',
        '{"id":4,"price":1.5}',
        '{"id":5,"name":7}',
        '{"id":6,"name":[]}',
        as(7),
      ]);
    });

    it('it is set aside', async () => {
      await open(MISFITS, pagesOf(pages));
      const set: JsonObject[] = [];
      const aside: RunOptions['aside'] = async (_, record) => void set.push(record);
      expect(await read(() => ({ badRecords: 'aside', aside }))).toMatchObject({ records: 4, misfits: 3 });
      expect(await idsNow()).toEqual([1, 2, 4, 7]);
      expect(set.map(({ id }) => id)).toEqual(['x', 5, 6, 'x', 5, 6]);
    });

    it('the read fails, with what came before it', async () => {
      await open(MISFITS.replace('get:', 'primary_key: [id], get:'), pagesOf(pages));
      const { error, complete } = await read(() => ({ badRecords: 'fail', mode: 'append' }));
      expect([complete, error?.code, error?.message]).toEqual([
        false,
        'record_malformed',
        's: id is text where integer is declared (page 2; 1 such record there)',
      ]);
      expect(await idsNow()).toEqual([1, 2]);
    });
  });
});

describe('a cursor', () => {
  const SINCE = `s: { get: /s, query: { since: '\${window.start}' }, primary_key: [id], columns: { n: integer }, cursor: { field: at, format: date } }`;
  const row = (id: number | string, day: number, more = ''): string => `{"at": "2026-01-0${day}", "id": ${id}, "n":1${more}}`;
  const from =
    (rows: string[]) =>
    ({ query }: Received): Answer =>
      json(`[${rows.filter((one) => (JSON.parse(one) as { at: string }).at >= (query.get('since') ?? '')).join(', ')}]`);

  it('moves on, and leaves out what came at its point with the last read', async () => {
    const rows = [row(1, 1), row(2, 3), row('"b"', 3)];
    await open(SINCE, from(rows));
    expect(await read()).toMatchObject({ mode: 'upsert', records: 3, lines: rows, asked: ['?'] });
    expect(memory.states.s?.p).toMatchObject({ done: [[null, '2026-01-03T00:00:00.000Z']], keys: ['2', 'b'] });
    const fresh = [row(4, 3), row(5, 4, ',"x":"\\u0041"')];
    rows.push(...fresh);
    expect(await read()).toMatchObject({ records: 2, skipped: 2, asked: ['?since=2026-01-03'] });
    expect(await linesNow()).toEqual(rows);
    // A page of which nothing is new: two of the same, and nothing.
    expect(await read()).toMatchObject({ records: 0, skipped: 1, complete: true });
    rows.length = 0;
    expect(await read()).toMatchObject({ records: 0, skipped: 0, complete: true, asked: ['?since=2026-01-04'] });
    expect(await linesNow()).toHaveLength(5);
  });

  it('a later version of a record is put behind the first', async () => {
    const rows = [row(1, 1), row(2, 2)];
    await open(SINCE, from(rows));
    await read();
    rows[0] = row(1, 5, ', "v":2.0');
    expect((await read()).lines).toEqual([row(1, 1), row(2, 2), row(1, 5, ', "v":2.0')]);
    expect(memory.rows.s?.find(({ id }) => id === 1)).toEqual({ at: '2026-01-05', id: 1, n: 1, v: 2 });
  });

  it('filters itself, by integers', async () => {
    const rows = ['{"id": "r3", "n":3}', '{"id": "r1", "n":1}', '{"n":2, "id": "r2"}'];
    await open(`s: { get: /s, primary_key: [id], cursor: { field: n, format: integer, filter: client } }`, () => json(`[${rows}]`));
    expect(await read()).toMatchObject({ records: 3, skipped: 0, lines: rows });
    rows.push('{"id": "late", "n":2}', '{"id": "r4", "n":4}', '{"id": "same", "n":3}');
    expect(await read()).toMatchObject({ records: 2, skipped: 4 });
    expect(await idsNow()).toEqual(['r3', 'r1', 'r2', 'r4', 'same']);
    rows.push('{"id": "broken"}');
    expect(await read()).toMatchObject({ error: { code: 'cursor_missing', message: expect.stringContaining('n of a record is missing') } });
    rows[rows.length - 1] = '{"id": "broken", "n":1.5}';
    expect(await read()).toMatchObject({
      error: { code: 'cursor_missing', message: expect.stringContaining('not in the format integer') },
    });
  });

  it('in windows with an end', async () => {
    const windowed = `query: { since: '\${window.start}', until: '\${window.end}' }, cursor: { field: at, format: date, window: { max: 3d, end: exclusive }, start: '2026-01-04' }`;
    await open(`s: { get: /s, primary_key: [id], ${windowed} }`, ({ query }) => json(`[${row(Number(query.get('since')?.slice(8)), 9)}]`));
    expect((await read()).lines).toEqual([row(4, 9), row(7, 9)]);
  });

  it('in order: it moves on with each page', async () => {
    const rows = [1, 2, 2, 3].map((day, at) => row(at, day));
    let fails = true;
    await open(
      `s: { get: /s, query: { since: '\${window.start}' }, primary_key: [id], paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }, cursor: { field: at, format: date, order: asc } }`,
      (request) => {
        const { query } = request;
        if (fails && query.get('skip') === '2') return { status: 400, json: {} };
        const skip = Number(query.get('skip'));
        const found = rows.filter((one) => (JSON.parse(one) as { at: string }).at >= (query.get('since') ?? ''));
        return json(`[${found.slice(skip, skip + 2)}]`);
      },
    );
    expect(await read()).toMatchObject({ complete: false, records: 2 });
    expect(memory.states.s).toMatchObject({ p: { done: [[null, '2026-01-02T00:00:00.000Z']], keys: ['1'] } });
    fails = false;
    expect(await read()).toMatchObject({ complete: true, records: 2, skipped: 1, lines: rows });
  });
});

describe('where a read ends, and where it goes on', () => {
  it('a limit cuts within a page', async () => {
    await open(`s: { get: /s, records: rows, ${OFFSET} }`, pagesOf([[as(1), as(2)], [as(3), as(4)], [as(5)]]));
    expect(await read(() => ({ limit: 3 }))).toMatchObject({
      records: 3,
      pages: 2,
      lines: [as(1), as(2), as(3)],
      asked: ['?skip=0', '?skip=2'],
    });
    expect(await read(() => ({ limit: 2 }))).toMatchObject({ records: 2, pages: 1 });
    expect(await read()).toMatchObject({ records: 5, complete: true });
  });

  it('goes on behind the pages that are written', async () => {
    let fails = true;
    const pages = pagesOf([[as(1), as(2)], [as(3), as(4)], [as(5)]]);
    await open(`s: { get: /s, records: rows, primary_key: [id], ${OFFSET} }`, (request) =>
      fails && request.query.get('skip') === '4' ? { status: 400, json: {} } : pages(request),
    );
    expect(await read()).toMatchObject({ complete: false, records: 4 });
    fails = false;
    expect(await read()).toMatchObject({ complete: true, resumed: true, records: 1, asked: ['?skip=4'] });
    expect(await linesNow()).toEqual([1, 2, 3, 4, 5].map((id) => as(id)));
  });

  it('goes on within a page that was a large one, and has become small', async () => {
    const ids = Array.from({ length: 25 }, (_, at) => at);
    let filler = 'x'.repeat(200_000);
    await open(
      `s: { get: /s, records: rows, primary_key: [id], cursor: { field: id, format: integer }, paginate: { type: next_token, from: next, into: query.after } }`,
      ({ query }) =>
        json(query.has('after') ? '{"rows":[{"id": 100}]}' : `{"rows":[${ids.map((id) => `{"id": ${id},"t":"${filler}"}`)}],"next":"n"}`),
    );
    const stopping = (): Partial<RunOptions> => {
      const stop = new AbortController();
      return { commitEvery: 1, signal: stop.signal, onEvent: ({ type }) => type === 'page' && stop.abort() };
    };
    const first = await read(stopping);
    expect(first).toMatchObject({ complete: false, error: { code: 'aborted' } });
    // 25 records of 200,000 bytes come in batches of about 256 KiB.
    expect(first.records).toBeGreaterThan(0);
    expect(first.records).toBeLessThan(25);
    const [unit] = Object.entries(memory.states.s ?? {}).flatMap(([key, value]) => (key.startsWith('u') ? [value] : []));
    expect(unit).toMatchObject({ skip: first.records, index: 0 });
    filler = 'y';
    const second = await read();
    expect(second).toMatchObject({ complete: true, resumed: true, records: 26 - first.records, asked: ['?', '?after=n'] });
    expect(await idsNow()).toEqual([...ids, 100]);
    expect(second.lines[first.records]).toBe(`{"id": ${first.records},"t":"y"}`);
  });
});

describe('paging', () => {
  const PAGE = [
    ['by the last record', 'paginate: { type: keyset, from: k.id, into: query.after }', ['?', '?after=2', '?after=4', '?after=5']],
    [
      'by an expression over it',
      `paginate: { type: keyset, from: '\${last_record.k.id}', into: query.after }`,
      ['?', '?after=2', '?after=4', '?after=5'],
    ],
    ['by a token', 'paginate: { type: next_token, from: next, into: query.after }', ['?', '?after=2', '?after=4']],
    [
      'by a token, as long as there are more',
      'paginate: { type: next_token, from: next, into: query.after, more: more }',
      ['?', '?after=2', '?after=4'],
    ],
    ['by a URL', 'paginate: { type: next_url, from: url }', ['?', '?after=2', '?after=4']],
    [
      'by a header',
      `paginate: { type: next_token, from: '\${default(response.headers["x-next"], "")}', into: query.after }`,
      ['?', '?after=2', '?after=4'],
    ],
    [
      'up to a short page',
      'paginate: { type: offset, offset: query.after, page_size: 2, stop: short_page }',
      ['?after=0', '?after=2', '?after=4'],
    ],
    ['up to a total', 'paginate: { type: offset, offset: query.after, total: total }', ['?after=0', '?after=2', '?after=4']],
    ['up to an empty page', 'paginate: { type: offset, offset: query.after }', ['?after=0', '?after=2', '?after=4', '?after=5']],
  ] as const;
  const answer = ({ query }: Received): Answer => {
    const after = Number(query.get('after') ?? 0);
    const ids = [1, 2, 3, 4, 5].filter((id) => id > after).slice(0, 2);
    const next = after + 2 < 5 ? after + 2 : undefined;
    const rows = ids.map((id) => `{"k" : {"id":${id}}}`);
    const text = `{"rows":[${rows}],"next":${next ?? null},"more":${next !== undefined},"url":${next === undefined ? null : `"/v1/s?after=${next}"`},"total":5}`;
    return { text, headers: { 'content-type': 'application/json', ...(next !== undefined && { 'x-next': String(next) }) } };
  };

  it.each(PAGE)('%s', async (_, words, requests) => {
    await open(`s: { get: /s, records: rows, ${words} }`, answer);
    expect(await read()).toMatchObject({ complete: true, lines: [1, 2, 3, 4, 5].map((id) => `{"k" : {"id":${id}}}`), asked: requests });
  });

  it.each([
    [
      'a token that is in the list',
      `records: rows, paginate: { type: next_token, from: rows.1.k.id, into: query.after }`,
      ['?', '?after=2', '?after=4'],
    ],
    [
      'a restart behind a key that is in the list',
      `records: rows, paginate: { type: offset, offset: query.skip, page_size: 2, restart: { at: 3, from: '\${response.body.rows[1].k.id}', into: query.after } }`,
      ['?skip=0', '?skip=0&after=2', '?skip=0&after=4', '?skip=1&after=4'],
    ],
  ])('%s is the parser’s', async (_, words, requests) => {
    await open(`s: { get: /s, ${words} }`, (request) => {
      if (request.query.get('skip') === '1') return json('{"rows":[]}');
      return answer(request);
    });
    expect(await read()).toMatchObject({ complete: true, lines: [1, 2, 3, 4, 5].map((id) => `{"k":{"id":${id}}}`), asked: requests });
  });
});
