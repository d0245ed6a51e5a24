import { inspect } from 'node:util';
import type { JsonObject } from '../../../framework/core/value.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { acme, addresses } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

/** What the words of the language put on the wire: literals worked out by hand from the language's reference. */
let server: LocalServer;
let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  connection = undefined;
  await server.close();
});

const KEY = plainCanary('language-key');

async function open(
  spec: string,
  inputs: { fields?: Record<string, string> } = {},
  answer: (request: Received) => Answer = () => ({ json: { id: 1 } }),
): Promise<Connection> {
  server = await serve(answer);
  connection = await connectSpec(acme(spec), inputs, addresses(server.origin));
  return connection;
}

async function records(stream: string): Promise<JsonObject[]> {
  const read: JsonObject[] = [];
  for await (const record of (connection as Connection).read(stream)) read.push(record);
  return read;
}

const wire = ({ method, path, query, body }: Received): string =>
  `${method} ${path}${query.size > 0 ? `?${query}` : ''}${body && ` ${body}`}`;

describe('values on the wire', () => {
  it('a text takes the scalar as it is written; null is never sent', async () => {
    await open(`auth: { n: none }
fields: { v: { default: 1.10 }, w: { default: 007 }, n: { type: number, default: 1.50 } }
streams:
  s:
    get: /s
    query: { a: 1.10, b: 007, c: true, d: 1e3, e: ~, f: 0x1F, g: 12345678901234567890, l: [1.10, 007], v: '\${fields.v}', w: '\${fields.w}', n: '\${fields.n}' }
    headers: { X-A: 1.10, X-B: False, X-C: null }`);
    await records('s');
    expect(server.received.map(wire)).toEqual([
      'GET /v1/s?a=1.10&b=007&c=true&d=1e3&f=0x1F&g=12345678901234567890&l=1.10&l=007&v=1.10&w=007&n=1.5',
    ]);
    expect(server.received[0]?.headers).toMatchObject({ 'x-a': '1.10', 'x-b': 'False' });
    expect(server.received[0]?.headers).not.toHaveProperty('x-c');
  });

  it('leaves out an entry that is exactly one absent expression, and sends what is empty', async () => {
    await open(`auth: { n: none }
fields: { o: { required: false } }
streams:
  s:
    post: /s
    query: { o: '\${fields.o}', l: ['\${fields.o}', z], e: '', d: '\${default(fields.o, "none")}' }
    headers: { X-O: '\${fields.o}' }
    cookies: { o: '\${fields.o}', c: yes }
    body: { o: '\${fields.o}', g: '\${given(has(fields.o), 1)}', n: '\${null}', y: null, t: 1.50, deep: { get: 1, post: [null, '\${null}', 2] } }`);
    await records('s');
    expect(server.received.map(wire)).toEqual(['POST /v1/s?l=z&e=&d=none {"n":null,"t":1.5,"deep":{"get":1,"post":[null,2]}}']);
    expect(server.received[0]?.headers.cookie).toBe('c=yes');
  });

  it('encodes the body as the call says', async () => {
    const call = (rest: string) => `{ post: /s, ${rest} }`;
    await open(`auth: { n: none }
streams:
  json: ${call('body: { a: 1, b: [true, x] }')}
  form: ${call("encode: form, body: { a: 1, b: [true, 'x y&'] }")}
  query: ${call("encode: query, body: { a: 1, b: [true, 'x y'] }")}
  text: ${call("encode: text, media_type: text/csv, body: 'a;b'")}
  graphql: ${call("encode: graphql, body: { query: '{ me }', operation: Me, variables: { a: 1 } }")}
  media: { get: /s, media_type: application/vnd.acme+json }`);
    for (const name of ['json', 'form', 'query', 'text', 'graphql', 'media']) await records(name);
    expect(server.received.map(wire)).toEqual([
      'POST /v1/s {"a":1,"b":[true,"x"]}',
      'POST /v1/s a=1&b=true&b=x+y%26',
      'POST /v1/s?a=1&b=true&b=x+y',
      'POST /v1/s a;b',
      'POST /v1/s {"query":"{ me }","variables":{"a":1},"operationName":"Me"}',
      'GET /v1/s',
    ]);
    expect(server.received.map(({ headers }) => headers['content-type'])).toEqual([
      'application/json',
      'application/x-www-form-urlencoded',
      undefined,
      'text/csv',
      'application/json',
      undefined,
    ]);
    expect(server.received[3]?.headers.accept).toBe('text/csv');
    expect(server.received[5]?.headers.accept).toBe('application/vnd.acme+json');
  });

  it('lays http, send and the call over one another', async () => {
    await open(
      `auth: { k: { type: api_key, send: { headers: { X-A: send, X-B: send, X-K: '\${fields.api_key}' }, query: { q: send, r: send, h: null }, cookies: { c: send, e: send } },
  http: { headers: { x-a: http, X-H: http }, query: { q: http, h: http, z: http } } } }
streams: { s: { get: /s, headers: { x-b: stream, x-k: null }, query: { r: stream, z: null }, cookies: { c: stream, d: stream } } }`,
      { fields: { api_key: KEY } },
    );
    await records('s');
    expect(server.received.map(wire)).toEqual(['GET /v1/s?q=send&r=stream']);
    expect(server.received[0]?.headers).toMatchObject({
      'x-a': 'send',
      'x-b': 'stream',
      'x-h': 'http',
      cookie: 'c=stream; e=send; d=stream',
    });
    expect(server.received[0]?.headers).not.toHaveProperty('x-k');
  });

  it('limits that are counted by address hold for all connections together', async () => {
    const spec = acme(`auth: { n: { type: none, http: { rate_limit: { requests: 1, per: 10m, scope: ip }, retry: { longest: 1s } } } }`);
    server = await serve(() => ({ json: {} }));
    await using one = await connectSpec(spec, {}, addresses(server.origin));
    await using two = await connectSpec(spec, {}, addresses(server.origin));
    await one.http.get('x');
    await expect(two.http.get('x')).rejects.toMatchObject({ code: 'rate_limited' });
    expect(server.received).toHaveLength(1);
  });

  it('a call takes away what http says of errors', async () => {
    await open(`auth: { n: { type: none, http: { errors: { message: why, rules: [{ status: 200, kind: request }] } } } }
streams: { refused: { get: /s }, taken: { get: /s, errors: { rules: null } } }`);
    await expect(records('refused')).rejects.toMatchObject({ kind: 'request' });
    expect(await records('taken')).toEqual([{ id: 1 }]);
  });
});

describe('choices', () => {
  it('an attribute is text in a path, a host behind https://, or a whole URL', async () => {
    await open(`auth: { n: { type: none, http: { base_url: '\${region.api}/v2' } } }
choices: { region: { default: na, options: { na: { api: 'https://api.acme.test', auth: auth.acme.test, path: a/b }, eu: { api: 'https://api.acme.test/eu/', auth: auth.acme.test, path: c } } } }
streams: { s: { get: '/\${region.path}/\${region.id}' } }`);
    await records('s');
    const { origin } = server;
    const eu = await connectSpec(acme(EU), { choices: { region: 'eu' } }, addresses(origin));
    await eu.http.get('x');
    await eu.close();
    expect(server.received.map(wire)).toEqual(['GET /v2/a/b/na', 'GET /eu/v2/x']);
  });
  const EU = `auth: { n: { type: none, http: { base_url: '\${region.api}/v2' } } }
choices: { region: { options: { na: { api: 'https://api.acme.test' }, eu: { api: 'https://api.acme.test/eu/' } } } }`;
});

describe('steps of an auth method', () => {
  const LOGIN = (rest: string) => `auth:
  login:
    type: api_key
    vars: { who: 'user-\${fields.api_key}', later: '\${vars.who}+\${request.method}' }
    steps: [{ name: login, post: /login, body: { who: '\${vars.who}' }, ${rest} }]
    send: { headers: { X-Token: '\${token.t}', X-Later: '\${vars.later}', X-More: '\${token.more}' } }`;

  it('may use vars, and a path under the base URL; a var that signs is worked out with the request', async () => {
    const { http } = await open(
      LOGIN(`capture: { t: t, more: '\${given(has(response.body.more), response.body.more)}' }`),
      { fields: { api_key: KEY } },
      () => ({ json: { t: 'x1' } }),
    );
    await http.get('me');
    await http.get('me');
    expect(server.received.map(wire)).toEqual([`POST /v1/login {"who":"user-${KEY}"}`, 'GET /v1/me', 'GET /v1/me']);
    expect(server.received[2]?.headers).toMatchObject({ 'x-token': 'x1', 'x-later': `user-${KEY}+GET` });
    expect(server.received[2]?.headers).not.toHaveProperty('x-more');
  });

  it('a captured map holds secrets: sent, never shown', async () => {
    const session = plainCanary('session-cookie');
    server = await serve(({ path }) => ({
      json: { ok: 1 },
      ...(path.endsWith('login') && { headers: { 'set-cookie': `sid=${session}; Path=/; HttpOnly` } }),
    }));
    const spec = acme(`auth:
  login:
    type: api_key
    steps: [{ name: login, post: /login, body: { key: '\${fields.api_key}' }, capture: { cookies: { path: '\${response.cookies}', type: map } } }]
    send: { cookies: { sid: '\${token.cookies.sid}' } }`);
    connection = await connectSpec(spec, { fields: { api_key: KEY } }, addresses(server.origin));
    await connection.http.get('me');
    expect(server.received[1]?.headers.cookie).toBe(`sid=${session}`);
    expect(inspect(connection.credential, { depth: 9, showHidden: true })).not.toContain(session);
    expect(JSON.stringify(connection.credential)).not.toContain(session);
  });

  it.each([
    ['null where a value is due', `capture: { t: t, more: more? }`, { t: null }, /login: capture t is null/],
    ['a text for a number', `capture: { t: { path: t, type: number }, more: more? }`, { t: 'soon' }, /login: capture t is no number/],
  ])('%s is an error that names the capture', async (_, rest, json, message) => {
    const { http } = await open(LOGIN(rest), { fields: { api_key: KEY } }, () => ({ json }));
    await expect(http.get('me')).rejects.toMatchObject({ code: 'token_malformed', message: expect.stringMatching(message) });
  });
});
