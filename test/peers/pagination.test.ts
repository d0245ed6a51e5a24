import type { FerruleError } from '../../framework/core/errors.ts';
import type { JsonObject } from '../../framework/core/value.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import { lintText } from '../../framework/spec/lint.ts';
import { resolve } from '../../framework/spec/resolve.ts';
import { createPaginator } from '../../framework/streams/paginate/index.ts';
import { acme, addresses } from '../acme.ts';
import { FakeClock } from '../clock.ts';
import { failureIn } from '../failure.ts';
import { type Answer, type Received, serve } from '../server.ts';

/** What a stream brought, and what it asked for. */
interface Reading {
  ids: unknown[];
  /** The requests: path and query, without /v1. */
  asked: string[];
  received: Received[];
  error?: FerruleError;
}

/** Reads a stream `things` that these words describe, to its end or its error. */
async function reading(words: string, answer: (request: Received) => Answer): Promise<Reading> {
  const server = await serve(answer);
  const connection = await connectSpec(
    acme(`auth: { none: none }\nstreams: { things: { ${words} } }`),
    { fields: {} },
    { ...addresses(server.origin), clock: new FakeClock() },
  );
  const ids: unknown[] = [];
  const read = async (): Promise<void> => {
    for await (const { id } of connection.read('things')) ids.push(id);
  };
  try {
    const error = await read().then(
      () => undefined,
      (thrown: unknown) => failureIn(() => Promise.reject(thrown)),
    );
    const { received } = server;
    return { ids, asked: received.map(line), received, ...(error && { error }) };
  } finally {
    await connection.close();
    await server.close();
  }
}

const line = ({ path, query }: Received): string => `${path.slice(3)}${query.size > 0 ? `?${query}` : ''}`;
const rows = (from: number, to: number): JsonObject[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => ({ id: from + at }));

/** A list of so many rows, by offset. */
const byOffset =
  (all: number, size = 2) =>
  ({ query }: Received): Answer => {
    const skip = Number(query.get('skip') ?? 0);
    return { json: rows(skip + 1, Math.min(all, skip + size)) };
  };

/** The same by pages, the first of which has this number; it also comes without one. */
const byPage =
  (all: number, first: number) =>
  ({ query }: Received): Answer => {
    const skip = (Number(query.get('page') ?? first) - first) * 2;
    return { json: rows(skip + 1, Math.min(all, skip + 2)) };
  };

test('P1 offset: behind a full page, until a short or an empty one; the first may go without', async () => {
  const words = (more: string): string => `get: /things, paginate: { type: offset, offset: query.skip, page_size: 2${more} }`;
  // The page at 4 is full, so that the next is at 6, which is short.
  const short = await reading(words(', stop: short_page'), byOffset(7));
  expect(short.asked).toEqual(['/things?skip=0', '/things?skip=2', '/things?skip=4', '/things?skip=6']);
  expect(short.ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const empty = await reading(words(''), byOffset(4));
  expect(empty.asked).toEqual(['/things?skip=0', '/things?skip=2', '/things?skip=4']);
  expect(empty.ids).toEqual([1, 2, 3, 4]);
  // A provider that does not take a 0: what was read so far is the offset of the page behind it.
  const bare = `get: /things, paginate: { type: next_token, from: '\${page.count}', into: query.skip, page_size: 2, stop: short_page }`;
  expect((await reading(bare, byOffset(5))).asked).toEqual(['/things', '/things?skip=2', '/things?skip=4']);
});

test('P2 offset: the size that the answer names decides what a short page is', async () => {
  const words = `get: /things, records: data, paginate: { type: offset, offset: query.skip, size: query.take, page_size: 100, more: '\${page.size >= response.body.limit}' }`;
  // Asked for 100, the provider gives 5.
  const { asked, ids } = await reading(words, (request) => ({ json: { limit: 5, data: byOffset(7, 5)(request).json } }));
  expect(asked).toEqual(['/things?skip=0&take=100', '/things?skip=5&take=100']);
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const first = await reading(words, () => ({ json: { limit: 5, data: rows(1, 2) } }));
  expect(first.asked).toEqual(['/things?skip=0&take=100']);
});

test('P3 page: counts on from its first number, until a short page; the first may go without', async () => {
  const words = 'get: /things, paginate: { type: page, page: query.page, page_size: 2, stop: short_page }';
  const { asked, ids } = await reading(words, byPage(7, 1));
  expect(asked).toEqual(['/things?page=1', '/things?page=2', '/things?page=3', '/things?page=4']);
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const bare = (first: number): string =>
    `get: /things, paginate: { type: next_token, from: '\${page.index + ${first + 1}}', into: query.page, page_size: 2, stop: short_page }`;
  expect((await reading(bare(1), byPage(3, 1))).asked).toEqual(['/things', '/things?page=2']);
  expect((await reading(bare(10), byPage(5, 10))).asked).toEqual(['/things', '/things?page=11', '/things?page=12']);
});

test('P4 a full page whose records are all left out is a full page', async () => {
  const words = `get: /things, keep: '\${record.id > 4}', paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }`;
  const { asked, ids } = await reading(words, byOffset(5));
  expect(asked).toEqual(['/things?skip=0', '/things?skip=2', '/things?skip=4']);
  expect(ids).toEqual([5]);
});

test('P5 a token: from the body, the last record, a header, the Link header; missing, or a condition, ends it', async () => {
  const words = (paginate: string): string => `get: /things, records: data, paginate: { ${paginate} }`;
  const page = ({ query }: Received): number => Number(query.get('after') ?? 1);
  /** Three pages of one record each; the token of the page behind them is not there. */
  const pages =
    (more: (page: number) => Partial<Answer> & { body?: JsonObject }) =>
    (request: Received): Answer => {
      const { body, ...rest } = more(page(request));
      return { json: { data: [{ id: page(request) }], ...body }, ...rest };
    };
  const three = ['/things', '/things?after=2', '/things?after=3'];

  const body = await reading(
    words('type: next_token, from: meta.next, into: query.after'),
    pages((at) => ({ body: { meta: (at < 3 ? { next: at + 1 } : {}) as JsonObject } })),
  );
  expect(body).toMatchObject({ asked: three, ids: [1, 2, 3] });

  const record = await reading(words(`type: next_token, from: '\${last_record.id + 1}', into: query.after, more: more`), (request) => ({
    json: { data: [{ id: 0 }, { id: page(request) }], more: page(request) < 3 },
  }));
  expect(record).toMatchObject({ asked: three, ids: [0, 1, 0, 2, 0, 3] });

  const header = await reading(
    words(`type: next_token, from: '\${default(response.headers["x-next"], null)}', into: query.after`),
    pages((at): Partial<Answer> => (at < 3 ? { headers: { 'X-Next': String(at + 1) } } : {})),
  );
  expect(header).toMatchObject({ asked: three, ids: [1, 2, 3] });

  // RFC 8288: a whole URL, and one relative to what answered.
  const link = (at: number): string => (at === 1 ? 'https://api.acme.test/v1/things?after=2' : '?after=3');
  const links = await reading(
    words('type: link_header'),
    pages((at): Partial<Answer> => (at < 3 ? { headers: { Link: `<${link(at)}>; rel="next", <?after=1>; rel="first"` } } : {})),
  );
  expect(links).toMatchObject({ asked: three, ids: [1, 2, 3] });

  const missing = await reading(
    words('type: next_token, from: meta.next, into: query.after'),
    pages(() => ({})),
  );
  expect(missing).toMatchObject({ asked: ['/things'], ids: [1] });
  expect(missing.error).toBeUndefined();

  // A token is there, and the condition says that there is no more.
  const stopped = await reading(
    words(`type: next_token, from: next, into: query.after, more: '\${response.body.left > 0}'`),
    pages((at) => ({ body: { next: at + 1, left: 2 - at } })),
  );
  expect(stopped).toMatchObject({ asked: ['/things', '/things?after=2'], ids: [1, 2] });
});

test('P6 a token goes to the query, a header, a form, a JSON body or the path, and nowhere else; the size goes with each page', async () => {
  /** Where a page's token and size stand, in all of a request but what Node sends by itself. */
  const found = ({ method, path, query, headers, body }: Received): string =>
    JSON.stringify([method, path, `${query}`, headers['x-after'] ?? null, headers['x-size'] ?? null, body]);
  const read = async (call: string, into: string, size: string, token = 'T2'): Promise<string[]> => {
    let page = 0;
    const { received, ids } = await reading(
      `${call}, records: data, paginate: { type: next_token, from: next, into: ${into}, size: ${size}, page_size: 1 }`,
      () => {
        page += 1;
        return { json: { data: [{ id: page }], ...(page === 1 && { next: token }) } };
      },
    );
    expect(ids).toEqual([1, 2]);
    return received.map(found);
  };
  const on = (...parts: unknown[]): string => JSON.stringify(parts);

  expect(await read('get: /things', 'query.after', 'query.size')).toEqual([
    on('GET', '/v1/things', 'size=1', null, null, ''),
    on('GET', '/v1/things', 'size=1&after=T2', null, null, ''),
  ]);
  expect(await read('get: /things', 'headers.X-After', 'headers.X-Size')).toEqual([
    on('GET', '/v1/things', '', null, '1', ''),
    on('GET', '/v1/things', '', 'T2', '1', ''),
  ]);
  expect(await read('post: /things, encode: form, body: { a: b }', 'body.after', 'body.size')).toEqual([
    on('POST', '/v1/things', '', null, null, 'a=b&size=1'),
    on('POST', '/v1/things', '', null, null, 'a=b&size=1&after=T2'),
  ]);
  expect(await read('post: /things, body: { a: b }', 'body.page.after', 'body.page.size')).toEqual([
    on('POST', '/v1/things', '', null, null, '{"a":"b","page":{"size":1}}'),
    on('POST', '/v1/things', '', null, null, '{"a":"b","page":{"size":1,"after":"T2"}}'),
  ]);
  expect(await read('get: /things', 'url', 'query.size', '/things/T2')).toEqual([
    on('GET', '/v1/things', 'size=1', null, null, ''),
    on('GET', '/v1/things/T2', 'size=1', null, null, ''),
  ]);
  // A whole next URL is the provider's own, with its own query: nothing is added to it.
  const url = await reading(
    'get: /things, records: data, paginate: { type: next_url, from: next, size: query.size, page_size: 1 }',
    (request) => ({
      json: { data: [], next: request.query.has('p') ? null : '/v1/things?size=1&p=T2' },
    }),
  );
  expect(url.asked).toEqual(['/things?size=1', '/things?size=1&p=T2']);
});

test('P7 a place for the page size without a size is an error before anything is sent', async () => {
  /** What lint says of it. */
  const found = (paginate: string): string[] =>
    lintText(
      `spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { none: none }
http: { base_url: 'https://api.acme.test/v1' }
check: { get: /me }
streams: { things: { source: https://docs.acme.test, primary_key: [id], get: /things, paginate: { ${paginate} } } }`,
      'acme.yaml',
    ).map(({ rule, severity }) => `${severity} ${rule}`);
  for (const paginate of [
    'type: page, page: query.page, size: query.limit',
    'type: offset, offset: query.skip, size: query.limit',
    'type: next_token, from: next, into: query.after, size: query.limit',
    'type: next_url, from: next, size: query.limit',
    'type: link_header, size: query.limit',
    'type: keyset, from: id, into: query.after, size: query.limit',
  ]) {
    expect(found(paginate)).toEqual(['error page-size']);
    expect(found(`${paginate}, page_size: 10`)).toEqual([]);
    // Who runs it all the same is told before a request.
    const { asked, error } = await reading(`get: /things, paginate: { ${paginate} }`, () => ({ json: [] }));
    expect([asked, error?.code]).toEqual([[], 'spec_invalid']);
  }
  // One choice gives the size, another does not: known when the choice is made.
  const spec = acme(`auth: { none: none }
choices: { plan: { default: big, options: { big: { defaults: { paginate: { page_size: 100 } } }, small: {} } } }
defaults: { paginate: { type: page, page: query.page, size: query.limit } }
streams: { things: { get: /things } }`);
  const server = await serve(byPage(1, 1));
  const open = (plan: string) => connectSpec(spec, { choices: { plan }, fields: {} }, addresses(server.origin));
  const [big, small] = [await open('big'), await open('small')];
  try {
    for await (const { id } of big.read('things')) expect(id).toBe(1);
    expect(server.received.map(line)).toEqual(['/things?page=1&limit=100', '/things?page=2&limit=100']);
    const error = await failureIn(async () => void (await small.read('things')[Symbol.asyncIterator]().next()));
    expect(error).toMatchObject({ code: 'spec_invalid', where: 'paginate.page_size' });
    expect(server.received).toHaveLength(2);
  } finally {
    await Promise.all([big.close(), small.close()]);
    await server.close();
  }
});

test('P8 the first request has 0 or the first number: 0 is a value', async () => {
  const first = async (call: string, paginate: string): Promise<Received | undefined> =>
    (await reading(`${call}, paginate: { ${paginate} }`, () => ({ json: [] }))).received[0];
  expect(`${(await first('get: /things', 'type: offset, offset: query.skip'))?.query}`).toBe('skip=0');
  expect(`${(await first('get: /things', 'type: page, page: query.page, start: 0'))?.query}`).toBe('page=0');
  expect(`${(await first('get: /things', 'type: page, page: query.page, start: 10'))?.query}`).toBe('page=10');
  expect((await first('post: /things', 'type: offset, offset: body.page.from'))?.body).toBe('{"page":{"from":0}}');
  expect((await first('post: /things, encode: form', 'type: page, page: body.page, start: 0'))?.body).toBe('page=0');
  expect((await first('get: /things', 'type: offset, offset: headers.X-From'))?.headers['x-from']).toBe('0');
});

test('P9 the same page gives the same next one: nothing is kept between two', async () => {
  const spec = acme(`auth: { none: none }
streams:
  things: { get: /things, records: data, paginate: { type: next_token, from: next, into: query.after } }
  pages: { get: /pages, paginate: { type: page, page: query.page, page_size: 2, stop: short_page } }`);
  const server = await serve((request) =>
    request.path === '/v1/pages'
      ? byPage(3, 1)(request)
      : { json: { data: [{ id: 1 }], ...(!request.query.has('after') && { next: 'b' }) } },
  );
  const connection = await connectSpec(spec, { fields: {} }, addresses(server.origin));
  try {
    // Two readers of one connection, in turn: neither moves the other on.
    for (const [stream, expected] of [
      ['things', ['/things', '/things', '/things?after=b', '/things?after=b']],
      ['pages', ['/pages?page=1', '/pages?page=1', '/pages?page=2', '/pages?page=2']],
    ] as const) {
      server.received.length = 0;
      const [one, other] = [connection.read(stream).pages(), connection.read(stream).pages()].map((pages) => pages[Symbol.asyncIterator]());
      for (let turn = 0; turn < 3; turn += 1) {
        await one?.next();
        await other?.next();
      }
      expect(server.received.map(line)).toEqual(expected);
    }
  } finally {
    await connection.close();
    await server.close();
  }
  const { streams } = resolve(spec, { method: 'none', choices: {} });
  const page = { response: {} as never, size: 2, last: { id: 2 }, patch: { 'query.page': 7 }, index: 6, count: 14, vars: {} };
  const paginator = createPaginator(streams.pages?.paginate ?? { type: 'none' }, {});
  expect([paginator.next(page), paginator.next(page)]).toEqual([{ 'query.page': 8 }, { 'query.page': 8 }]);
});

test('P10 a ceiling of rows: paging begins again behind the last key; without a key it is an error', async () => {
  // The provider gives 4 rows of a list; what lies beyond is refused.
  const capped = ({ query }: Received): Answer => {
    const [skip, since] = [Number(query.get('skip')), Number(query.get('since') ?? 0)];
    if (skip + 2 > 4) return { status: 400, json: { message: 'Result window is too large' } };
    return { json: rows(since + 1, 7).slice(skip, skip + 2) };
  };
  const words = (more: string): string => `get: /things, paginate: { type: offset, offset: query.skip, page_size: 2${more} }`;
  const restarted = await reading(words(', restart: { at: 4, from: id, into: query.since }'), capped);
  expect(restarted.asked).toEqual([
    '/things?skip=0',
    '/things?skip=2',
    '/things?skip=0&since=4',
    '/things?skip=2&since=4',
    '/things?skip=0&since=7',
  ]);
  expect(restarted.ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
  // Nothing to begin again from: the same list would only meet the ceiling again. What came stays.
  const without = await reading(words(''), capped);
  expect(without.asked).toEqual(['/things?skip=0', '/things?skip=2', '/things?skip=4']);
  expect(without).toMatchObject({
    ids: [1, 2, 3, 4],
    error: { code: 'request_refused', status: 400, provider: 'Result window is too large' },
  });
  expect(() => acme(`auth: { none: none }\nstreams: { things: { ${words(', restart: { at: 4 }')} } }`)).toThrow(/from/);
  // A key that all rows below the ceiling share would begin again at the same rows for ever.
  const same = await reading(words(', restart: { at: 4, from: id, into: query.since }'), () => ({ json: [{ id: 5 }, { id: 5 }] }));
  expect(same.error).toMatchObject({ code: 'page_cap', kind: 'data' });
  expect(same.asked).toHaveLength(4);
});

test('P11 a token, URL or key that comes back is an error that names what repeats', async () => {
  const words = (paginate: string): string => `get: /things, records: data, paginate: { ${paginate}, max_pages: 9 }`;
  const token = await reading(words('type: next_token, from: next, into: query.after'), () => ({
    json: { data: [{ id: 1 }], next: 'same' },
  }));
  expect(token.asked).toEqual(['/things', '/things?after=same']);
  expect(token.ids).toEqual([1, 1]);
  expect(token.error).toMatchObject({
    code: 'page_repeated',
    kind: 'data',
    where: 'streams.things.paginate',
    message: expect.stringContaining('query.after'),
  });
  // Not only the one before: a circle of two.
  const circle = await reading(words('type: next_token, from: next, into: query.after'), ({ query }) => ({
    json: { data: [], next: query.get('after') === 'a' ? 'b' : 'a' },
  }));
  expect(circle.asked).toEqual(['/things', '/things?after=a', '/things?after=b']);
  expect(circle.error).toMatchObject({ code: 'page_repeated' });
  const url = await reading(words('type: next_url, from: next'), () => ({ json: { data: [], next: '/v1/things' } }));
  expect(url.asked).toEqual(['/things']);
  expect(url.error).toMatchObject({ code: 'page_repeated' });
  const key = await reading(words('type: keyset, from: id, into: query.after'), () => ({ json: { data: [{ id: 3 }] } }));
  expect(key.asked).toEqual(['/things', '/things?after=3']);
  expect(key.error).toMatchObject({ code: 'page_repeated' });
});
