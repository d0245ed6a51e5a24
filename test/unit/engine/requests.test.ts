import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import type { StreamOutcome } from '../../../framework/engine/run-events.ts';
import { acme, addresses } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';
import { type MemorySink, memorySink } from '../../sink.ts';

/** What a stream's requests are on the wire, read through the engine; literals by hand from the language's reference. */
let server: LocalServer;
let connection: Connection;
let sink: MemorySink;

afterEach(async () => {
  await connection.close();
  await server.close();
});

const KEY = plainCanary('requests-key');

async function open(
  text: string,
  answer: (request: Received) => Answer = () => ({ json: [] }),
  fields: Record<string, string> = {},
  at = '2026-01-10T00:00:00Z',
): Promise<void> {
  sink = memorySink();
  server = await serve(answer);
  const clock = new FakeClock(Date.parse(at));
  connection = await connectSpec(acme(text), { fields }, { ...addresses(server.origin), clock });
}

async function run(stream: string): Promise<StreamOutcome> {
  const [outcome] = await connection.readInto(sink, { streams: [stream], concurrency: 1 });
  return outcome as StreamOutcome;
}

/** Reads a stream that must come to its end. */
async function read(stream: string): Promise<void> {
  expect((await run(stream)).error).toBeUndefined();
  expect(sink.finished.at(-1)).toBe(stream);
}

const wire = ({ method, path, query, body }: Received): string =>
  `${method} ${path.slice(3)}${query.size > 0 ? `?${decodeURIComponent(query.toString())}` : ''}${body && ` ${body}`}`;
const asked = (): string[] => server.received.splice(0).map(wire);

describe('methods and bodies', () => {
  it('any method, with a body or without', async () => {
    const methods = ['get', 'post', 'put', 'patch', 'delete'];
    await open(
      `auth: { none: none }\nstreams:\n${methods.map((method) => `  ${method}_bare: { ${method}: /s }\n  ${method}_full: { ${method}: /s, body: { a: 1 } }`).join('\n')}`,
    );
    for (const method of methods) {
      await read(`${method}_bare`);
      await read(`${method}_full`);
      expect(server.received.map(({ headers }) => headers['content-type'])).toEqual([undefined, 'application/json']);
      expect(asked()).toEqual([`${method.toUpperCase()} /s`, `${method.toUpperCase()} /s {"a":1}`]);
    }
  });

  it('XML with what is inserted escaped, multipart part by part, an empty text', async () => {
    await open(
      `auth: { none: none }
fields: { q: { title: Query } }
streams:
  xml: { post: /s, encode: xml, body: '<find since="\${window.start}"><q>\${fields.q}</q></find>', primary_key: [id], cursor: { field: at, format: date, start: '2026-01-01' } }
  soap: { post: /s, encode: xml, media_type: application/soap+xml, body: '<find/>' }
  parts: { post: /s, encode: multipart, body: { q: '\${fields.q}', list: [1, two], 'odd "name"': x } }
  text: { post: /s, encode: text, body: '' }`,
      () => ({ json: [] }),
      { q: `a<b> & "c"` },
    );
    await read('xml');
    expect(server.received[0]?.body).toBe('<find since="2026-01-01"><q>a&lt;b&gt; &amp; &quot;c&quot;</q></find>');
    expect(server.received[0]?.headers['content-type']).toBe('application/xml; charset=utf-8');
    await read('soap');
    expect(server.received[1]?.headers).toMatchObject({ 'content-type': 'application/soap+xml', accept: 'application/soap+xml' });
    await read('parts');
    const { headers, body } = server.received[2] as Received;
    const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1];
    const part = (name: string, value: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    expect(body).toBe(
      `${part('q', `a<b> & "c"`)}${part('list', '1')}${part('list', 'two')}${part('odd %22name%22', 'x')}--${boundary}--\r\n`,
    );
    await read('text');
    expect(server.received[3]).toMatchObject({ body: '', headers: { 'content-length': '0' } });
  });

  it('GraphQL: variables with the window and the page in them; errors on 200 fail', async () => {
    let fails = false;
    await open(
      `auth: { none: none }
streams:
  things:
    post: /graphql
    encode: graphql
    body:
      query: 'query Things($since: Date!, $after: String, $deep: Deep) { things { id } }'
      operation: Things
      variables: { since: '\${window.start}', deep: { first: 2 } }
    records: data.things.nodes
    primary_key: [id]
    cursor: { field: at, format: date, start: '2026-01-01' }
    paginate: { type: next_token, from: data.things.page.end, more: data.things.page.more, into: body.variables.deep.after }`,
      ({ body }) => {
        if (fails) return { json: { data: { things: null }, errors: [{ message: 'no such field', path: ['things'] }] } };
        const { variables } = JSON.parse(body) as { variables: { deep: { after?: string } } };
        const isLast = variables.deep.after !== undefined;
        const nodes = [{ id: isLast ? 2 : 1, at: '2026-01-02' }];
        return { json: { data: { things: { nodes, page: { end: 'p"2', more: !isLast } } } } };
      },
    );
    await read('things');
    const query = 'query Things($since: Date!, $after: String, $deep: Deep) { things { id } }';
    expect(server.received.map(({ body }) => JSON.parse(body))).toEqual([
      { query, operationName: 'Things', variables: { since: '2026-01-01', deep: { first: 2 } } },
      { query, operationName: 'Things', variables: { since: '2026-01-01', deep: { first: 2, after: 'p"2' } } },
    ]);
    expect(sink.rows.things?.map(({ id }) => id)).toEqual([1, 2]);
    fails = true;
    expect(await run('things')).toMatchObject({ complete: false, error: { code: 'request_refused', provider: 'no such field' } });
  });
});

describe("a stream's own headers and way of auth", () => {
  const AUTH = `auth:
  app:
    type: custom
    fields: { key: { title: Key, secret: true } }
    steps: [{ name: login, post: /login, body: { key: '\${fields.key}' }, capture: { app: app, user: user, session: session } }]
    send: { headers: { Authorization: 'Bearer \${token.app}', X-Client: ferrule }, query: { app_id: one }, cookies: { sid: '\${token.session}' } }
streams:
  as_app: { get: /as-app, headers: { X-Own: '1' } }
  as_user: { get: /as-user, headers: { authorization: 'Bearer \${token.user}' }, paginate: { type: page, page: query.page } }
  as_basic: { get: /as-basic, headers: { Authorization: 'Basic \${base64(fields.key + ":")}' } }
  in_query: { get: /in-query, headers: { Authorization: null }, query: { access_token: '\${token.user}', app_id: null } }
  in_cookie: { get: /in-cookie, headers: { Authorization: null, X-Client: null }, cookies: { sid: '\${token.user}' } }
  in_body: { post: /in-body, headers: { Authorization: null }, body: { auth: { token: '\${token.user}' } } }
`;
  const tokens = (round: number) => ({ app: plainCanary(`app-${round}`), user: plainCanary(`user-${round}`), session: `s${round}` });
  let rounds = 0;
  let good = 1;
  const answer = ({ path, headers, query, body }: Received): Answer => {
    if (path === '/v1/login') {
      rounds += 1;
      return { json: tokens(rounds) };
    }
    const { app, user } = tokens(good);
    const expected = { '/v1/as-app': `Bearer ${app}`, '/v1/as-user': `Bearer ${user}` }[path];
    if (expected !== undefined && headers.authorization !== expected) return { status: 401, json: { message: 'expired' } };
    if (path === '/v1/in-body' && !body.includes(user)) return { status: 401, json: { message: 'expired' } };
    return { json: path === '/v1/as-user' && Number(query.get('page')) < 3 ? [{ id: Number(query.get('page')) }] : [] };
  };
  beforeEach(async () => {
    rounds = 0;
    good = 1;
    await open(AUTH, answer, { key: KEY });
  });

  it('stand in place of what the method sends, header by header; null sends none', async () => {
    const seen: Record<string, unknown> = {};
    for (const stream of ['as_app', 'as_user', 'as_basic', 'in_query', 'in_cookie', 'in_body']) {
      await read(stream);
      const { headers, query } = server.received.at(-1) as Received;
      seen[stream] = [headers.authorization, headers['x-client'], headers.cookie, query.get('app_id'), query.get('access_token')];
    }
    const { app, user } = tokens(1);
    expect(seen).toEqual({
      as_app: [`Bearer ${app}`, 'ferrule', 'sid=s1', 'one', null],
      as_user: [`Bearer ${user}`, 'ferrule', 'sid=s1', 'one', null],
      as_basic: [`Basic ${Buffer.from(`${KEY}:`).toString('base64')}`, 'ferrule', 'sid=s1', 'one', null],
      in_query: [undefined, 'ferrule', 'sid=s1', null, user],
      in_cookie: [undefined, undefined, `sid=${user}`, 'one', null],
      in_body: [undefined, 'ferrule', 'sid=s1', 'one', null],
    });
    expect(server.received[1]?.headers['x-own']).toBe('1');
    // One login for all of them.
    expect(rounds).toBe(1);
  });

  it("a stream's own token is the new one after a renewal, also on the page that was refused and in the body", async () => {
    await read('as_user');
    good = 2;
    server.received.length = 0;
    await read('as_user');
    expect(asked()).toEqual(
      [
        'GET /as-user?app_id=one&page=1',
        `POST /login {"key":"${KEY}"}`,
        'GET /as-user?app_id=one&page=1',
        'GET /as-user?app_id=one&page=2',
        'GET /as-user?app_id=one&page=3',
      ].map((line) => expect.stringContaining(line.split('?')[0] as string)),
    );
    good = 3;
    await read('in_body');
    expect(server.received.map(({ path }) => path)).toEqual(['/v1/in-body', '/v1/login', '/v1/in-body']);
    expect(JSON.parse(server.received.at(-1)?.body ?? '')).toEqual({ auth: { token: tokens(3).user } });
  });
});

describe('the page', () => {
  /** Three pages; which one is asked for, wherever that is said. */
  const paged =
    (number: (request: Received) => unknown) =>
    (request: Received): Answer => {
      const page = Number(number(request) ?? 1);
      return { json: { items: [{ id: page }], ...(page < 3 && { next: String(page + 1) }) } };
    };
  const stream = (rest: string) => `auth: { none: none }\nstreams: { things: { records: items, ${rest} } }`;
  const cookie = ({ headers }: Received) => /page=(\d)/.exec(headers.cookie ?? '')?.[1];
  const into = (target: string) => `paginate: { type: next_token, from: next, into: ${target} }`;

  it.each<[string, string, (request: Received) => unknown, string[]]>([
    [
      'the query',
      `get: /things, query: { a: '1' }, ${into('query.page')}`,
      ({ query }) => query.get('page'),
      ['GET /things?a=1', 'GET /things?a=1&page=2', 'GET /things?a=1&page=3'],
    ],
    [
      'the query, in place of what the stream puts there',
      `get: /things, query: { page: '1', a: x }, ${into('query.page')}`,
      ({ query }) => query.get('page'),
      ['GET /things?page=1&a=x', 'GET /things?a=x&page=2', 'GET /things?a=x&page=3'],
    ],
    [
      'a form',
      `post: /things, encode: form, body: { a: 1 }, ${into('body.page')}`,
      ({ body }) => new URLSearchParams(body).get('page'),
      ['POST /things a=1', 'POST /things a=1&page=2', 'POST /things a=1&page=3'],
    ],
    [
      'a body that goes into the query',
      `get: /things, encode: query, body: { a: 1 }, ${into('body.page')}`,
      ({ query }) => query.get('page'),
      ['GET /things?a=1', 'GET /things?a=1&page=2', 'GET /things?a=1&page=3'],
    ],
    [
      'a body, deep, in a list, beside what is there',
      `post: /things, body: { jobs: [{ name: x }, { opts: { size: 5 } }] }, ${into('body.jobs.1.opts.page.at')}`,
      ({ body }) => (JSON.parse(body) as { jobs: { opts: { page?: { at: string } } }[] }).jobs[1]?.opts.page?.at,
      ['', ',"page":{"at":"2"}', ',"page":{"at":"3"}'].map((more) => `POST /things {"jobs":[{"name":"x"},{"opts":{"size":5${more}}}]}`),
    ],
    [
      'a body that was none',
      `post: /things, ${into('body.page')}`,
      ({ body }) => (body === '' ? 1 : (JSON.parse(body) as { page: string }).page),
      ['POST /things', 'POST /things {"page":"2"}', 'POST /things {"page":"3"}'],
    ],
  ])('goes into %s', async (_, rest, number, expected) => {
    await open(stream(rest), paged(number));
    await read('things');
    expect(asked()).toEqual(expected);
    expect(sink.rows.things).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it('goes into a header in whatever case, and into a cookie beside others', async () => {
    await open(
      `auth: { none: none }\nstreams:
  in_header: { get: /a, records: items, headers: { x-PAGE: '1' }, ${into('headers.X-Page')} }
  in_cookie: { get: /b, records: items, cookies: { lang: en }, ${into('cookies.page')} }`,
      (request) => paged(request.path.endsWith('a') ? ({ headers }) => headers['x-page'] : cookie)(request),
    );
    await read('in_header');
    expect(server.received.map(({ headers }) => headers['x-page'])).toEqual(['1', '2', '3']);
    server.received.length = 0;
    await read('in_cookie');
    expect(server.received.map(({ headers }) => headers.cookie)).toEqual(['lang=en', 'lang=en; page=2', 'lang=en; page=3']);
  });

  it.each<[string, (page: number) => string]>([
    ['an absolute URL', (page) => `https://api.acme.test/v1/things?page=${page}&sig=a%2Fb`],
    ['a path', (page) => `/v1/things?page=${page}&sig=a%2Fb`],
    ['a path relative to the URL that answered', (page) => `things?page=${page}&sig=a%2Fb`],
    ['a query alone', (page) => `?page=${page}&sig=a%2Fb`],
  ])('is %s, with a query of its own in place of the stream’s', async (_, next) => {
    await open(
      stream(`get: /things, query: { since: x }, headers: { X-A: '1' }, paginate: { type: next_url, from: next }`),
      ({ query }) => {
        const page = Number(query.get('page') ?? 1);
        return { json: { items: [{ id: page }], next: page < 3 ? next(page + 1) : null } };
      },
    );
    await read('things');
    expect(server.received.every(({ headers }) => headers['x-a'] === '1')).toBe(true);
    expect(asked()).toEqual(['GET /things?since=x', 'GET /things?page=2&sig=a/b', 'GET /things?page=3&sig=a/b']);
  });

  it('is a number in the path: a URL that is worked out, relative to the one that answered', async () => {
    await open(
      stream(
        `get: /things/page/1, query: { since: x }, paginate: { type: next_url, from: '\${string(page.index + 2) + "?since=x"}', stop: [empty_page] }`,
      ),
      ({ path }) => ({ json: { items: path.endsWith('3') ? [] : [{ id: Number(path.at(-1)) }] } }),
    );
    await read('things');
    expect(asked()).toEqual(['GET /things/page/1?since=x', 'GET /things/page/2?since=x', 'GET /things/page/3?since=x']);
    expect(sink.rows.things).toEqual([{ id: 1 }, { id: 2 }]);
  });
});

describe('the window', () => {
  const CURSOR = `primary_key: [id], cursor: { field: at, format: date, start: '2026-01-09', window: { max: 1d, end: exclusive } }`;

  it.each<[string, string, string[]]>([
    [
      'the query',
      `get: /s, query: { from: '\${window.start}', to: 'before \${window.end}' }`,
      ['GET /s?from=2026-01-09&to=before+2026-01-10'],
    ],
    ['the path', `get: '/s/\${window.start}/\${window.end}'`, ['GET /s/2026-01-09/2026-01-10']],
    ['a form', `post: /s, encode: form, body: { range: '\${window.start},\${window.end}' }`, ['POST /s range=2026-01-09%2C2026-01-10']],
    [
      'JSON, deep, as a time',
      `post: /s, body: { filter: [{ gte: '\${window.start_time}' }, { lt: '\${window.end}' }] }`,
      ['POST /s {"filter":[{"gte":"2026-01-09T00:00:00Z"},{"lt":"2026-01-10"}]}'],
    ],
    [
      'a text',
      `post: /s, encode: text, body: 'SELECT * FROM t WHERE at >= {\${window.start}}'`,
      ['POST /s SELECT * FROM t WHERE at >= {2026-01-09}'],
    ],
    ['a part', `post: /s, encode: query, body: { day: '\${format(window.start_time, "%d/%m/%Y")}' }`, ['POST /s?day=09/01/2026']],
  ])('stands in %s', async (_, request, expected) => {
    await open(`auth: { none: none }\nstreams: { s: { ${request}, ${CURSOR} } }`);
    await read('s');
    expect(asked()).toEqual(expected);
  });

  it('stands in headers and cookies, and the page beside it', async () => {
    await open(
      `auth: { none: none }\nstreams: { s: { get: /s, headers: { X-Since: '\${window.start}' }, cookies: { until: '\${window.end}' }, paginate: { type: next_token, from: '\${default(response.headers["x-next"], null)}', into: headers.X-Since }, ${CURSOR} } }`,
      ({ headers }) => ({ json: [], ...(headers['x-since'] === '2026-01-09' && { headers: { 'X-Next': 'p2' } }) }),
    );
    await read('s');
    expect(server.received.map(({ headers }) => [headers['x-since'], headers.cookie])).toEqual([
      ['2026-01-09', 'until=2026-01-10'],
      ['p2', 'until=2026-01-10'],
    ]);
  });

  it('leaves out an entry that is exactly its absent start', async () => {
    await open(
      `auth: { none: none }\nstreams: { s: { post: /s, query: { since: '\${window.start}' }, headers: { X-Since: '\${window.start}' }, body: { a: 1, since: '\${window.start}' }, primary_key: [id], cursor: { field: at, format: date } } }`,
      () => ({ json: [{ id: 1, at: '2026-01-05' }] }),
    );
    await read('s');
    await read('s');
    expect(server.received.map(({ headers }) => headers['x-since'])).toEqual([undefined, '2026-01-05']);
    expect(asked()).toEqual(['POST /s {"a":1}', 'POST /s?since=2026-01-05 {"a":1,"since":"2026-01-05"}']);
  });
});
