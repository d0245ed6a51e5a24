import type { JsonObject } from '../../framework/core/value.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import type { Connection } from '../../framework/engine/connection.ts';
import { loadText } from '../../framework/spec/load.ts';
import { acme, specOf } from '../acme.ts';
import { plainCanary } from '../canary.ts';
import { failureIn } from '../failure.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';

/** How requests are built, row by row as the nearest system builds them (docs: “requests”); literals by hand. */
const KEY = plainCanary('peers-requests');
const opened: { close(): Promise<void> }[] = [];
let server: LocalServer;
/** Targets as they came, before anybody decoded them. */
let targets: string[];

beforeEach(async () => {
  targets = [];
  answer = () => ({ json: [] });
  server = await serve((request, response) => {
    targets.push(response.req.url ?? '');
    return answer(request);
  });
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await server.close();
});

let answer: (request: Received) => Answer;

async function connect(spec: ReturnType<typeof specOf>, fields: Record<string, string> = {}): Promise<Connection> {
  const addresses = Object.fromEntries(['api', 'other'].map((name) => [`https://${name}.acme.test`, server.origin]));
  const connection = await connectSpec(spec, { fields }, { sandbox: { addresses } });
  opened.push(connection);
  return connection;
}

async function records(connection: Connection, stream: string): Promise<JsonObject[]> {
  const read: JsonObject[] = [];
  for await (const record of connection.read(stream)) read.push(record);
  return read;
}

/** What lint says of a spec that must not load. */
function refusals(rest: string): string[] {
  const head = `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\nhttp: { base_url: 'https://api.acme.test/v1' }\ncheck: { get: /me }\nauth: { none: none }\n`;
  const { spec, findings } = loadText(`${head}${rest}`, 'acme.yaml');
  expect(spec).toBeUndefined();
  return findings.filter(({ severity }) => severity === 'error').map(({ rule, message }) => `${rule}: ${message}`);
}

test('R1 one slash between base and path, whatever either begins or ends with; the path’s own last slash stays', async () => {
  const cases: [base: string, path: string, target: string][] = [
    ['https://api.acme.test', '/items', '/items'],
    ['https://api.acme.test/', '/items', '/items'],
    ['https://api.acme.test', 'items', '/items'],
    ['https://api.acme.test/v1/', '/items', '/v1/items'],
    ['https://api.acme.test/v1', 'items', '/v1/items'],
    ['https://api.acme.test/v1', '/items/1/parts', '/v1/items/1/parts'],
    ['https://api.acme.test/v1/', 'items/1/parts/', '/v1/items/1/parts/'],
  ];
  for (const [base, path, target] of cases) {
    const connection = await connect(
      specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: '${base}' }
check: { get: /me }
auth: { none: none }
streams: { items: { get: '${path}' } }`),
    );
    await records(connection, 'items');
    // The same path by hand.
    await connection.http.get(path);
    expect([base, path, targets.splice(0)]).toEqual([base, path, [target, target]]);
  }
});

test('R2 a paginator’s path or URL takes the place of the stream’s; another host gets no credential that the spec does not give it', async () => {
  const spec = (hosts: string) =>
    acme(`auth: { key: { type: bearer, http: { ${hosts} } } }
streams: { items: { get: /items, query: { since: x }, records: items, paginate: { type: next_url, from: next } } }`);
  const pages = (next: string) => {
    let page = 0;
    answer = () => {
      page += 1;
      return { json: { items: [{ id: page }], next: page === 1 ? next : null } };
    };
  };
  const sent = () => server.received.splice(0).map(({ host, headers }) => [host, headers.authorization]);
  const api = ['api.acme.test', `Bearer ${KEY}`];

  const connection = await connect(spec(''), { token: KEY });
  const wanted: [next: string, target: string][] = [
    ['/v1/more?page=2', '/v1/more?page=2'],
    ['more/2', '/v1/more/2'],
    ['https://api.acme.test/v2/items?cursor=a%2Fb', '/v2/items?cursor=a%2Fb'],
  ];
  for (const [next, target] of wanted) {
    pages(next);
    expect(await records(connection, 'items')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(targets.splice(0)).toEqual(['/v1/items?since=x', target]);
    expect(sent()).toEqual([api, api]);
  }

  pages('https://other.acme.test/items/2');
  expect(await failureIn(() => records(connection, 'items'))).toMatchObject({
    code: 'host_refused',
    kind: 'input',
    where: 'https://other.acme.test',
    next: expect.stringContaining('http.hosts'),
  });
  expect(sent()).toEqual([api]);

  const allowed = await connect(spec('hosts: [other.acme.test]'), { token: KEY });
  pages('https://other.acme.test/items/2');
  expect(await records(allowed, 'items')).toEqual([{ id: 1 }, { id: 2 }]);
  expect(sent()).toEqual([api, ['other.acme.test', `Bearer ${KEY}`]]);
});

test('R3 a key that stands in the path’s query too is sent once, with the value that query gives it', async () => {
  const connection = await connect(
    acme(`auth: { none: none }
streams:
  same: { get: '/s?p=1&keep=a%2Fb', query: { p: 1 } }
  other: { get: '/s?p=1&keep=a%2Fb', query: { p: 2 } }
  both: { get: /s, query: { p: [1, 2] } }
  away: { get: '/s?p=1', query: { p: null } }`),
  );
  for (const stream of ['same', 'other', 'both', 'away']) await records(connection, stream);
  expect(targets).toEqual(['/v1/s?keep=a%2Fb&p=1', '/v1/s?keep=a%2Fb&p=2', '/v1/s?p=1&p=2', '/v1/s?p=1']);
});

test('R4 one key from several places is sent once: http, then send, then the stream, then its page', async () => {
  const connection = await connect(
    acme(`auth:
  key:
    type: api_key
    send: { headers: { X-Key: '\${fields.api_key}', X-Level: send }, query: { level: send, key: send } }
    http: { headers: { x-level: http, X-Http: http }, query: { level: http, key: http, page: http } }
streams:
  inherits: { get: /inherits }
  query: { get: /query, headers: { x-LEVEL: stream }, query: { level: stream, page: '1' }, paginate: { type: next_token, from: next, into: query.page }, records: items }
  header: { get: /header, headers: { X-Page: '1' }, paginate: { type: next_token, from: next, into: headers.x-page }, records: items }
  form: { post: /form, encode: form, body: { level: stream, page: 1 }, paginate: { type: next_token, from: next, into: body.page }, records: items }
  json: { post: /json, body: { level: stream, page: { at: 1, size: 5 } }, paginate: { type: next_token, from: next, into: body.page.at }, records: items }`),
    { api_key: KEY },
  );
  let asked = 0;
  answer = ({ path }) => {
    asked += 1;
    return { json: path.endsWith('inherits') ? [] : { items: [], ...(asked === 1 && { next: 'two' }) } };
  };
  const pages = async (stream: string): Promise<Received[]> => {
    asked = 0;
    server.received.length = 0;
    targets.length = 0;
    await records(connection, stream);
    return [...server.received];
  };
  const [inherited] = await pages('inherits');
  expect(targets).toEqual(['/v1/inherits?level=send&key=send&page=http']);
  expect(inherited?.headers).toMatchObject({ 'x-level': 'send', 'x-http': 'http', 'x-key': KEY });

  const query = await pages('query');
  expect(query.map(({ headers }) => headers['x-level'])).toEqual(['stream', 'stream']);
  expect(query.map((one) => [...one.query].sort())).toEqual(
    ['1', 'two'].map((page) => [
      ['key', 'send'],
      ['level', 'stream'],
      ['page', page],
    ]),
  );
  expect((await pages('header')).map(({ headers }) => headers['x-page'])).toEqual(['1', 'two']);
  expect((await pages('form')).map(({ body }) => body)).toEqual(['level=stream&page=1', 'level=stream&page=two']);
  expect((await pages('json')).map(({ body }) => JSON.parse(body))).toEqual([
    { level: 'stream', page: { at: 1, size: 5 } },
    { level: 'stream', page: { at: 'two', size: 5 } },
  ]);
});

test('R5 a list repeats its key, a comma is data, an object is an error that names the key', async () => {
  const connection = await connect(
    acme(`auth: { none: none }
streams:
  flat: { get: /s, query: { k: [a, b], c: 'a,b' } }
  owners: { get: /owners }
  deep: { parent: owners, get: /deep, query: { filter: '\${parent.filter}' } }`),
  );
  await records(connection, 'flat');
  expect(targets).toEqual(['/v1/s?k=a&k=b&c=a%2Cb']);

  expect(refusals('streams: { s: { get: /s, query: { filter: { a: 1 } } } }')).toEqual([
    'wrong-kind: `streams.s.query.filter` must be text or a list, not a map.',
  ]);
  // The same of an object that only data bring.
  answer = ({ path }) => ({ json: path.endsWith('owners') ? [{ id: 1, filter: { a: 1 } }] : [] });
  const failure = await failureIn(() => records(connection, 'deep'));
  expect(failure).toMatchObject({ code: 'expression_failed', kind: 'data', where: expect.stringContaining('parent.filter') });
  expect(targets).toEqual(['/v1/s?k=a&k=b&c=a%2Cb', '/v1/owners']);
});

test('R6 a request has one body: a second one does not load', async () => {
  const stream = (rest: string) => `streams:\n  s:\n    post: /s\n${rest}`;
  expect(refusals(stream('    body: { a: 1 }\n    form: { b: 2 }'))).toEqual(['unknown-key: `form` is no key of `streams.s`.']);
  expect(refusals(stream('    body: { a: 1 }\n    body: { b: 2 }\n    encode: form'))).toEqual([
    'duplicate-key: `body` stands here twice.',
  ]);
  expect(refusals(stream('    body: { a: 1 }\n    encode: [json, form]'))).toEqual([
    'wrong-kind: `streams.s.encode` must be a word, not a list.',
  ]);
  // What is said once is sent in one way.
  const connection = await connect(acme(`auth: { none: none }\n${stream('    body: { a: 1 }\n    encode: form')}`));
  await records(connection, 's');
  expect(server.received.map(({ headers, body }) => [headers['content-type'], body])).toEqual([
    ['application/x-www-form-urlencoded', 'a=1'],
  ]);
});

test('R7 one URL with other headers is asked for again, whatever the answer says of caches', async () => {
  const connection = await connect(
    acme(`auth: { none: none }
streams:
  en: { get: /s, headers: { X-Language: en } }
  de: { get: /s, headers: { X-Language: de } }`),
  );
  answer = ({ headers }) => ({
    json: [{ language: String(headers['x-language']), asked: server.received.length }],
    headers: { 'cache-control': 'public, max-age=3600', etag: '"1"' },
  });
  expect(await records(connection, 'en')).toEqual([{ language: 'en', asked: 1 }]);
  expect(await records(connection, 'de')).toEqual([{ language: 'de', asked: 2 }]);
  // The same headers again: nothing is kept between reads either.
  expect(await records(connection, 'en')).toEqual([{ language: 'en', asked: 3 }]);
});
