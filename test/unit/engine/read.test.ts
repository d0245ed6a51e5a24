import { inspect } from 'node:util';
import type { JsonObject } from '../../../framework/core/value.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { acme, addresses } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

let server: LocalServer;
let connection: Connection;
afterEach(async () => {
  await connection.close();
  await server.close();
});

const KEY = plainCanary('read-key');
const AUTH = `auth: { key: { type: api_key, send: { headers: { X-Key: '\${fields.api_key}' } } } }`;

async function open(
  streams: string,
  answer: (request: Received) => Answer,
  more: { fields?: Record<string, string>; choices?: Record<string, string> } = {},
): Promise<void> {
  server = await serve((request) => (request.headers['x-key'] === KEY ? answer(request) : { status: 401, json: { message: 'no' } }));
  connection = await connectSpec(
    acme(`${AUTH}\n${streams}`),
    { fields: { api_key: KEY, ...more.fields }, ...(more.choices && { choices: more.choices }) },
    addresses(server.origin),
  );
}

async function all(stream: string, options = {}): Promise<JsonObject[]> {
  const records: JsonObject[] = [];
  for await (const record of connection.read(stream, options)) records.push(record);
  return records;
}

const asked = (): string[] => server.received.map(({ path, query }) => `${path}${query.size > 0 ? `?${query}` : ''}`);

describe('reading streams', () => {
  const TREE = `
streams:
  spaces: { get: /spaces, records: data, primary_key: [id], paginate: { type: offset, offset: query.skip, size: query.take, page_size: 2, total: total } }
  boards: { parent: spaces, get: '/spaces/\${parent.id}/boards', records: $.*.board, add: { space: '\${parent.id}', label: '\${parent.name}/\${record.name}' }, remove: [secret_note] }
  cards: { parent: boards, get: /cards, query: { board: '\${parent.id}', space: '\${parent.space}' }, records: '\${default(response.body.cards, response.body.list)}' }
`;
  const answer = ({ path, query }: Received): Answer => {
    const skip = Number(query.get('skip'));
    if (path === '/v1/spaces') return { json: { total: 3, data: [1, 2, 3].slice(skip, skip + 2).map((id) => ({ id, name: `s${id}` })) } };
    const space = /\/spaces\/(\d)\/boards/.exec(path)?.[1];
    if (space !== undefined) return { json: space === '2' ? [] : [{ board: { id: `${space}a/b`, name: 'x', secret_note: 1 } }] };
    return { json: query.get('space') === '1' ? { cards: [{ id: 1 }, { id: 2 }] } : { list: [{ id: 3 }] } };
  };

  it('reads children of children, with what each adds', async () => {
    await open(TREE, answer);
    expect(await all('boards')).toEqual([
      { id: '1a/b', name: 'x', space: 1, label: 's1/x' },
      { id: '3a/b', name: 'x', space: 3, label: 's3/x' },
    ]);
    server.received.length = 0;
    expect(await all('cards')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(asked()).toEqual([
      '/v1/spaces?skip=0&take=2',
      '/v1/spaces/1/boards',
      '/v1/cards?board=1a%2Fb&space=1',
      '/v1/spaces/2/boards',
      '/v1/spaces?skip=2&take=2',
      '/v1/spaces/3/boards',
      '/v1/cards?board=3a%2Fb&space=3',
    ]);
  });

  it('stops at a limit without another request, and tells of each page', async () => {
    await open(TREE, answer);
    const seen: unknown[] = [];
    expect(await all('spaces', { limit: 2, onProgress: (progress: unknown) => seen.push(progress) })).toHaveLength(2);
    expect(await all('spaces', { limit: 0 })).toEqual([]);
    expect(asked()).toEqual(['/v1/spaces?skip=0&take=2']);
    expect(seen).toEqual([{ stream: 'spaces', records: 2, pages: 1 }]);
    const pages: number[] = [];
    for await (const page of connection.read('spaces').pages()) pages.push(page.length);
    expect(pages).toEqual([2, 1]);
  });

  it('ends when the caller aborts', async () => {
    await open(TREE, answer);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const record of connection.read('cards', { signal: controller.signal })) if (record.id === 1) controller.abort();
    })();
    await expect(reading).rejects.toMatchObject({ name: expect.stringMatching(/AbortError|FerruleError/) });
    expect(asked().length).toBeLessThan(7);
  });

  it('keeps ids beyond 2^53 digit for digit, in records and in the requests of children', async () => {
    const big = '{"data":[{"id":9007199254740993}]}';
    const streams = `streams:
  things: { get: /things, records: data }
  parts: { parent: things, get: '/things/\${parent.id}/parts', records: data }`;
    await open(streams, () => ({ text: big, headers: { 'content-type': 'application/json' } }));
    await expect(all('things')).rejects.toMatchObject({ code: 'number_too_large', kind: 'data', where: expect.stringContaining('id') });
    await connection.close();
    await server.close();
    server = await serve(() => ({ text: big, headers: { 'content-type': 'application/json' } }));
    const spec = acme(`${AUTH}\n${streams}`);
    connection = await connectSpec(
      { ...spec, http: { ...spec.http, big_integers: 'text' } },
      { fields: { api_key: KEY } },
      addresses(server.origin),
    );
    expect(await all('parts')).toEqual([{ id: '9007199254740993' }]);
    expect(asked()).toEqual(['/v1/things', '/v1/things/9007199254740993/parts']);
  });
});

describe('the next page', () => {
  const three = (request: Received): [page: number, json: object[]] => {
    const page = Number(request.query.get('after') ?? request.headers['x-after'] ?? request.query.get('p') ?? 1);
    return [page, page < 3 ? [{ id: page * 10 }, { id: page + 1 }] : [{ id: 30 }]];
  };

  it.each<[string, string, (page: number) => Record<string, string>, string[]]>([
    [
      'a token in a header, into a header',
      `type: next_token, from: '\${default(response.headers["x-next"], null)}', into: headers.X-After`,
      (page): Record<string, string> => (page < 3 ? { 'X-Next': String(page + 1) } : {}),
      ['/v1/things', '/v1/things', '/v1/things'],
    ],
    [
      'a header that says it is the last',
      `type: next_token, from: '\${response.headers["x-next"]}', into: query.after`,
      (page) => ({ 'X-Next': page < 3 ? String(page + 1) : '' }),
      ['/v1/things', '/v1/things?after=2', '/v1/things?after=3'],
    ],
    [
      'the last record',
      `type: next_token, from: '\${last_record.id}', into: query.after, page_size: 2, stop: short_page`,
      () => ({}),
      ['/v1/things', '/v1/things?after=2', '/v1/things?after=3'],
    ],
    [
      'a Link header, relative to the URL that answered',
      'type: link_header',
      (page): Record<string, string> =>
        page < 3 ? { Link: `<things?p=${page - 1}>; rel="prev", <${page === 1 ? '?p=2' : '/v1/things?p=3'}>; rel="next"` } : {},
      ['/v1/things', '/v1/things?p=2', '/v1/things?p=3'],
    ],
  ])('comes from %s', async (_, paginate, headers, paths) => {
    await open(`streams: { things: { get: /things, paginate: { ${paginate} } } }`, (request) => {
      const [page, json] = three(request);
      return { json, headers: headers(page) };
    });
    expect(await all('things')).toEqual([{ id: 10 }, { id: 2 }, { id: 20 }, { id: 3 }, { id: 30 }]);
    expect(asked()).toEqual(paths);
  });

  it('beyond max_pages is an error, behind the pages that came; as many pages as that are none', async () => {
    const streams = (cap: number): string =>
      `streams: { things: { get: /things, paginate: { type: page, page: query.p, page_size: 2, stop: short_page, max_pages: ${cap} } } }`;
    await open(streams(2), (request) => ({ json: three(request)[1] }));
    const ids: unknown[] = [];
    const reading = (async () => {
      for await (const { id } of connection.read('things')) ids.push(id);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'page_cap', kind: 'data', where: 'streams.things.paginate.max_pages' });
    expect(ids).toEqual([10, 2, 20, 3]);
    expect(asked()).toEqual(['/v1/things?p=1', '/v1/things?p=2']);
    await connection.close();
    await server.close();
    await open(streams(3), (request) => ({ json: three(request)[1] }));
    expect(await all('things')).toHaveLength(5);
  });
});

describe('keyset', () => {
  it('asks for what comes after the last record, digit for digit, until an empty page', async () => {
    const first = '{"data":[{"id":9007199254740991},{"id":9007199254740993}]}';
    const pages: Record<string, string> = { '0': first, '9007199254740993': '{"data":[{"id":9007199254740995}]}' };
    server = await serve(({ query }) => ({
      text: pages[query.get('since') ?? ''] ?? '{"data":[]}',
      headers: { 'content-type': 'application/json' },
    }));
    const spec = acme(`${AUTH}
streams:
  things: { get: /things, query: { since: '0' }, records: data, remove: [id], add: { n: '\${record.id}' }, paginate: { type: keyset, from: id, into: query.since } }`);
    connection = await connectSpec(
      { ...spec, http: { ...spec.http, big_integers: 'text' } },
      { fields: { api_key: KEY } },
      addresses(server.origin),
    );
    expect(await all('things')).toEqual([{ n: 9007199254740991 }, { n: '9007199254740993' }, { n: '9007199254740995' }]);
    expect(asked()).toEqual(['/v1/things?since=0', '/v1/things?since=9007199254740993', '/v1/things?since=9007199254740995']);
  });
});

describe('http headers and query', () => {
  it('lie under send and the call, null takes them away, and what changes does so at each attempt', async () => {
    await open(
      `streams: { a: { get: /a }, b: { get: /b, headers: { X-Own: stream, X-Gone: null, X-Call: null }, query: { lang: null } } }`,
      () => ({ json: [] }),
    );
    await connection.close();
    const spec = acme(
      `${AUTH}\nstreams: { a: { get: /a }, b: { get: /b, headers: { x-own: stream, X-Gone: null, X-Call: null }, query: { lang: null } } }`,
    );
    const http = {
      ...spec.http,
      headers: { 'X-Own': 'http', 'X-Gone': 'http', 'X-Call': '${uuid}', 'x-key': 'send wins' },
      query: { lang: 'en' },
    };
    connection = await connectSpec({ ...spec, http }, { fields: { api_key: KEY } }, addresses(server.origin));
    await all('a');
    await all('a');
    await all('b');
    const headers = server.received.map(({ headers: sent, query }) => [
      sent['x-own'],
      sent['x-gone'],
      typeof sent['x-call'],
      query.get('lang'),
    ]);
    expect(headers).toEqual([
      ['http', 'http', 'string', 'en'],
      ['http', 'http', 'string', 'en'],
      ['stream', undefined, 'undefined', null],
    ]);
    expect(server.received[0]?.headers['x-call']).not.toBe(server.received[1]?.headers['x-call']);
  });
});

describe('what goes wrong', () => {
  it.each([
    ['where a number is too large', `{"${KEY}": 9007199254740993}`, 'where', '[secret]'],
    ['among the keys that are there', `{"${KEY}": 1}`, 'message', 'It has: [secret].'],
  ])('a credential that comes back as a key is not shown %s', async (_, text, part, shown) => {
    await open("streams: { things: { get: /things, records: 'data.items' } }", () => ({
      text,
      headers: { 'content-type': 'application/json' },
    }));
    const error = await all('things').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'FerruleError', kind: 'data', [part]: expect.stringContaining(shown) });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(KEY);
  });

  const one = (records: string, more = '') => `streams: { things: { get: /things, records: '${records}'${more} } }`;
  it.each<[string, string, Answer, object]>([
    [
      'a records path that finds nothing',
      one('data.items'),
      { json: { data: { rows: [] } } },
      { code: 'records_missing', message: expect.stringContaining('rows'), where: 'streams.things.records' },
    ],
    ['null', one('data'), { json: { data: null } }, { code: 'records_missing', message: expect.stringContaining('null') }],
    [
      'a list of texts',
      one('data'),
      { json: { data: [{}, 'x'] } },
      { code: 'records_missing', message: expect.stringContaining('index 1') },
    ],
    ['text', one('data'), { json: { data: 'x' } }, { code: 'records_missing' }],
    [
      'HTML in place of JSON',
      one('data'),
      { text: '<!doctype html><title>Sign in</title>', headers: { 'content-type': 'text/html' } },
      { code: 'response_malformed', kind: 'data', message: expect.stringContaining('Sign in') },
    ],
    [
      'a page token that repeats',
      one('data', `, paginate: { type: next_token, from: next, into: query.after }`),
      { json: { data: [{ id: 1 }], next: 'same' } },
      { code: 'page_repeated', kind: 'data', message: expect.stringContaining('query.after') },
    ],
    [
      'a next URL that repeats',
      one('data', `, paginate: { type: next_url, from: next }`),
      { json: { data: [{ id: 1 }], next: 'https://api.acme.test/v1/things' } },
      { code: 'page_repeated' },
    ],
    [
      'a next URL to another host',
      one('data', `, paginate: { type: next_url, from: next }`),
      { json: { data: [], next: 'https://auth.acme.test/x' } },
      { code: 'host_refused', kind: 'input' },
    ],
    [
      'a last record with the same key as the one before',
      one('data', `, paginate: { type: keyset, from: id, into: query.after }`),
      { json: { data: [{ id: 1 }] } },
      { code: 'page_repeated', message: expect.stringContaining('query.after') },
    ],
    [
      'more pages than the cap',
      one('data', `, paginate: { type: page, page: query.page, max_pages: 3 }`),
      { json: { data: [{ id: 1 }] } },
      { code: 'page_cap', message: expect.stringContaining('3') },
    ],
    [
      'errors of GraphQL on 200',
      `streams: { things: { post: /graphql, encode: graphql, body: { query: '{ x }' }, records: data.x } }`,
      { json: { data: null, errors: [{ message: 'no field x' }, { message: 'nor y' }] } },
      { code: 'request_refused', provider: 'no field x; nor y', status: 200 },
    ],
    [
      'a key that a request needs and the parent lacks',
      `streams: { up: { get: /up }, things: { parent: up, get: '/things/\${parent.idd}' } }`,
      { json: [{ id: 1 }] },
      { code: 'path_missing', message: expect.stringContaining('idd') },
    ],
  ])('%s is an error', async (_, streams, answer, error) => {
    await open(streams, () => answer);
    await expect(all('things')).rejects.toMatchObject(error);
  });

  it('refuses parents that go round in a circle', async () => {
    await open(`streams: { a: { parent: b, get: /a }, b: { parent: a, get: /b }, things: { parent: a, get: /c } }`, () => ({ json: [] }));
    await expect(all('things')).rejects.toMatchObject({ code: 'spec_invalid', message: expect.stringContaining('things → a → b → a') });
  });

  it('takes an optional path, a rule that says empty, and an empty list as no records', async () => {
    await open(
      `streams: { a: { get: /a, records: data? }, b: { get: /b, errors: { rules: [{ status: [404], then: empty }] } }, c: { get: /c } }`,
      ({ path }) => (path === '/v1/b' ? { status: 404, json: { message: 'none' } } : { json: path === '/v1/a' ? {} : [] }),
    );
    expect([await all('a'), await all('b'), await all('c')]).toEqual([[], [], []]);
  });

  it('names streams that are unknown or not offered, and fields that are still to choose', async () => {
    await open(
      `fields: { profile: { after: auth, options: { get: /profiles, value: id, label: '\${item.name}' } } }
choices: { api: { default: v2, options: { v1: {}, v2: {} } } }
streams: { orders: { get: '/orders/\${fields.profile}' }, old: { get: /old, when: '\${api.id == "v1"}' }, older: { parent: old, get: /older } }`,
      () => ({ json: [{ id: 12, name: 'Twelve' }] }),
    );
    await expect(all('ordres')).rejects.toMatchObject({ code: 'stream_unknown', next: expect.stringContaining('"orders"') });
    await expect(all('constructor')).rejects.toMatchObject({ code: 'stream_unknown' });
    await expect(all('older')).rejects.toMatchObject({ code: 'stream_unknown', message: expect.stringContaining('does not offer') });
    await expect(all('orders')).rejects.toMatchObject({ code: 'input_missing', where: 'fields.profile' });
    expect(connection.streams().map(({ name, available }) => [name, available])).toEqual([
      ['orders', true],
      ['old', false],
      ['older', false],
    ]);
    expect(await connection.options('profile')).toEqual([{ value: '12', label: 'Twelve' }]);
    await expect(connection.options('profil')).rejects.toMatchObject({ code: 'input_unknown', next: 'Did you mean "profile"?' });
  });
});
