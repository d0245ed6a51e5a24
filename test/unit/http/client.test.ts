import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { Secret } from '../../../framework/core/secret.ts';
import type { RequestDraft } from '../../../framework/core/value.ts';
import type { Attempt, Authenticator } from '../../../framework/http/types.ts';
import { canary, plainCanary } from '../../canary.ts';
import { clientFor, closeAll, json, rejection, serve } from './servers.ts';

afterEach(closeAll);

/** Tokens 1, 2, 3 …: a renewal for an older version than the current one does nothing. */
class CountedTokens implements Authenticator {
  readonly renewable: boolean;
  version = 1;
  renewals = 0;
  readonly attempts: Attempt[] = [];
  readonly drafts: RequestDraft[] = [];
  constructor(renewable = true) {
    this.renewable = renewable;
  }
  async apply(draft: RequestDraft, attempt: Attempt) {
    this.attempts.push(attempt);
    this.drafts.push(draft);
    return {
      draft: { ...draft, headers: { ...draft.headers, Authorization: new Secret(`Bearer token-${this.version}`) } },
      version: this.version,
    };
  }
  async renew(version: number | undefined) {
    this.renewals++;
    if (version === this.version) this.version++;
  }
}

describe('a request on the wire', () => {
  it('is http ← send ← call: null removes, a list repeats, the call has the last word', async () => {
    const server = await serve((_, response) => json(response, 200, {}));
    const auth = new CountedTokens();
    const { client } = clientFor(`${server.origin}/v1`, {
      auth,
      headers: { 'X-Scope': 'all', Accept: 'application/vnd.acme+json', 'X-From': 'http' },
      query: { key: new Secret('k 1'), page: '1', v: '2' },
    });
    await client.call({
      method: 'GET',
      url: '/items?page=7&sig=a%2Fb',
      query: { page: '3', tag: ['a', 'b&c'], v: null },
      headers: { 'x-scope': null, 'X-FROM': 'call' },
    });
    await client.call({ method: 'GET', url: 'items', headers: { authorization: 'mine' } });
    const [first, second] = server.seen;
    expect(first?.url).toBe('/v1/items?sig=a%2Fb&key=k%201&page=3&tag=a&tag=b%26c');
    expect(first?.headers).toMatchObject({
      authorization: 'Bearer token-1',
      accept: 'application/vnd.acme+json',
      'x-from': 'call',
      'user-agent': 'ferrule',
    });
    expect(first?.headers).not.toHaveProperty('x-scope');
    expect(second?.headers.authorization).toBe('mine');
    // A signer sees the merged request, with the absolute URL.
    expect(auth.drafts[0]).toMatchObject({
      url: `${server.origin}/v1/items?page=7&sig=a%2Fb`,
      query: { page: '3' },
      headers: { 'x-from': 'call' },
    });
    expect(auth.attempts[0]).toMatchObject({ number: 1 });
  });

  it('inherit: false puts nothing of http under the draft, bare no credential either', async () => {
    const server = await serve((_, response) => json(response, 200, {}));
    const { client } = clientFor(server.origin, {
      auth: new CountedTokens(),
      headers: { 'x-http': '1' },
      network: { headers: { 'x-net': '1' } },
    });
    await client.call({ method: 'GET', url: '/a' }, { inherit: false });
    await client.call({ method: 'GET', url: '/b' }, { bare: true });
    expect(server.seen[0]?.headers).toMatchObject({ 'x-net': '1', authorization: 'Bearer token-1' });
    expect(server.seen[0]?.headers).not.toHaveProperty('x-http');
    for (const name of ['x-http', 'x-net', 'authorization']) expect(server.seen[1]?.headers).not.toHaveProperty(name);
  });

  it('carries each kind of body, cookies, and a body in the query', async () => {
    const server = await serve((_, response) => json(response, 200, {}));
    const { client } = clientFor(server.origin);
    await client.call({ method: 'POST', url: '/j', body: { a: new Secret('s'), n: 1 } });
    await client.call({
      method: 'POST',
      url: '/f',
      body: { a: 'x y', b: ['1', '2'] },
      encode: 'form',
      cookies: { sid: new Secret('abc'), lang: 'en' },
    });
    await client.call({ method: 'GET', url: '/q', body: { a: 'x y', n: 1 }, encode: 'query' });
    await client.call({ method: 'POST', url: '/none' });
    await client.call({ method: 'POST', url: '/own', body: { a: 1 }, headers: { 'Content-Type': 'application/vnd.acme.v3+json' } });
    expect(server.seen.map(({ url, headers, body }) => [url, headers['content-type'], body])).toEqual([
      ['/j', 'application/json', '{"a":"s","n":1}'],
      ['/f', 'application/x-www-form-urlencoded', 'a=x+y&b=1&b=2'],
      ['/q?a=x%20y&n=1', undefined, ''],
      ['/none', undefined, ''],
      ['/own', 'application/vnd.acme.v3+json', '{"a":1}'],
    ]);
    expect(server.seen[1]?.headers.cookie).toBe('sid=abc; lang=en');
  });

  it.each([
    [{ 'X-A': 'a\r\nX-B: b' }, 'headers.x-a'],
    [{ 'X-A': '€' }, 'headers.x-a'],
    [{ Host: 'evil.com' }, 'headers.host'],
    [{ 'Content-Length': '0' }, 'headers.content-length'],
    [{ 'X A': '1' }, 'headers'],
  ])('refuses the headers %j', async (headers, where) => {
    const server = await serve((_, response) => json(response, 200, {}));
    const { client } = clientFor(server.origin);
    expect(await rejection(client.call({ method: 'GET', url: '/', headers }))).toMatchObject({ code: 'input_malformed', where });
    expect(server.seen).toHaveLength(0);
  });

  it('never goes to another host with the credential', async () => {
    const server = await serve((_, response) => json(response, 200, {}));
    const { client } = clientFor(server.origin, { auth: new CountedTokens() });
    expect(await rejection(client.call({ method: 'GET', url: 'https://evil.com/x' }))).toMatchObject({
      code: 'host_refused',
      where: 'https://evil.com',
    });
    expect(await rejection(client.call({ method: 'GET', url: '//evil.com/x' }))).toMatchObject({ code: 'host_refused' });
  });

  it('an authenticator cannot move the host either', async () => {
    const { client } = clientFor('https://api.acme.com', {
      auth: { renewable: false, renew: async () => {}, apply: async (draft) => ({ draft: { ...draft, url: 'https://evil.com/' } }) },
    });
    expect(await rejection(client.call({ method: 'GET', url: '/x' }))).toMatchObject({ code: 'host_refused' });
  });
});

describe('an answer', () => {
  const answers: Record<string, [Record<string, string>, string | Buffer]> = {
    '/json': [{ 'content-type': 'application/json; charset=utf-8' }, '{"a":[1,"ä"]}'],
    '/vendor': [{ 'content-type': 'application/vnd.acme.v3+json' }, '{"a":1}'],
    '/text-json': [{ 'content-type': 'text/plain' }, '[1]'],
    '/bom': [{ 'content-type': 'application/json' }, Buffer.from('\ufeff{"a":1}', 'utf8')],
    '/utf16': [{ 'content-type': 'application/json' }, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"a":"ä"}', 'utf16le')])],
    '/latin1': [{ 'content-type': 'application/json; charset=ISO-8859-1' }, Buffer.from('{"a":"ä"}', 'latin1')],
    '/empty': [{ 'content-type': 'application/json' }, ''],
    '/gzip': [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync('{"a":1}')],
    '/x-gzip-br': [{ 'content-type': 'application/json', 'content-encoding': 'x-gzip, br' }, brotliCompressSync(gzipSync('{"a":1}'))],
    '/deflate': [{ 'content-type': 'application/json', 'content-encoding': 'deflate' }, deflateSync('{"a":1}')],
    '/deflate-raw': [{ 'content-type': 'application/json', 'content-encoding': 'deflate' }, deflateRawSync('{"a":1}')],
    '/html': [{ 'content-type': 'text/html' }, '<html><body>Down\n for  maintenance</body></html>'],
    '/broken': [{ 'content-type': 'application/json' }, '{"a":1,'],
    '/not-utf8': [{ 'content-type': 'application/json' }, Buffer.from([0x22, 0xff, 0x22])],
    '/charset': [{ 'content-type': 'application/json; charset=klingon' }, '{}'],
    '/encoding': [{ 'content-type': 'application/json', 'content-encoding': 'zstd' }, 'x'],
    '/encodings': [{ 'content-type': 'application/json', 'content-encoding': Array(5).fill('gzip').join() }, 'x'],
    '/not-gzip': [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, '{"a":1}'],
    '/big': [{ 'content-type': 'application/json' }, '{"id":9007199254740993}'],
  };
  const start = async (options = {}) => {
    const server = await serve((request, response) => {
      const [headers, body] = answers[request.url] ?? [{}, ''];
      response.writeHead(200, headers);
      response.end(body);
    });
    return clientFor(server.origin, options).client;
  };

  it.each([
    ['/json', { a: [1, 'ä'] }],
    ['/vendor', { a: 1 }],
    ['/text-json', [1]],
    ['/bom', { a: 1 }],
    ['/utf16', { a: 'ä' }],
    ['/latin1', { a: 'ä' }],
    ['/empty', null],
    ['/gzip', { a: 1 }],
    ['/x-gzip-br', { a: 1 }],
    ['/deflate', { a: 1 }],
    ['/deflate-raw', { a: 1 }],
  ])('%s is decoded', async (url, body) => {
    const client = await start();
    expect((await client.call({ method: 'GET', url })).body).toEqual(body);
  });

  it.each([
    ['/html', 'text/html) is not JSON: <html><body>Down for maintenance</body></html>'],
    ['/broken', 'is not JSON'],
    ['/not-utf8', 'it is not utf-8'],
    ['/charset', 'charset klingon is not known'],
    ['/encoding', 'content encoding zstd is not known'],
    ['/encodings', 'names 5 content encodings'],
    ['/not-gzip', 'does not decompress'],
  ])('%s is malformed', async (url, words) => {
    const client = await start();
    const error = await rejection(client.call({ method: 'GET', url }));
    expect(error).toMatchObject({ code: 'response_malformed', kind: 'data', message: expect.stringContaining(words) });
  });

  it.each([
    ['/not-gzip', 'says it is gzip, but it does not decompress'],
    ['/encodings', 'names 5 content encodings'],
  ])('%s is malformed as a stream too', async (url, words) => {
    const client = await start();
    const read = async () => {
      for await (const _ of client.http.stream(url));
    };
    expect(await rejection(read())).toMatchObject({ code: 'response_malformed', message: expect.stringContaining(words) });
  });

  it('keeps big integers digit for digit, or says that it cannot', async () => {
    const kept = await start({ bigIntegers: 'text' });
    expect((await kept.call({ method: 'GET', url: '/big' })).body).toEqual({ id: '9007199254740993' });
    const refused = await start();
    expect(await rejection(refused.call({ method: 'GET', url: '/big' }))).toMatchObject({ code: 'number_too_large' });
  });

  it('auto goes by the content type', async () => {
    const client = await start();
    expect((await client.call({ method: 'GET', url: '/html' }, { decode: 'auto' })).body).toContain('<html>');
    expect((await client.call({ method: 'GET', url: '/json' }, { decode: 'auto' })).body).toEqual({ a: [1, 'ä'] });
  });

  it('has cookies, joined headers and a URL without its secrets', async () => {
    const key = plainCanary('query key');
    const server = await serve((_, response) => {
      response.writeHead(200, [
        ['set-cookie', 'a=1; Path=/; HttpOnly'],
        ['set-cookie', 'b=x=y'],
        ['x-many', '1'],
        ['x-many', '2'],
      ] as unknown as string[]);
      response.end();
    });
    const { client } = clientFor(server.origin, { query: { k: new Secret(key) } });
    const answer = await client.call({ method: 'GET', url: '/x' });
    expect(answer).toMatchObject({
      status: 200,
      cookies: { a: '1', b: 'x=y' },
      empty: false,
      attempts: 1,
      url: `${server.origin}/x?k=[secret]`,
    });
    expect(answer.headers['x-many']).toBe('1, 2');
  });

  it('is bounded, before and after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const server = await serve((request, response) => {
      response.writeHead(200, request.url === '/bomb' ? { 'content-encoding': 'gzip' } : {});
      response.end(request.url === '/bomb' ? bomb : Buffer.alloc(1_000_000));
    });
    const { client } = clientFor(server.origin, { maxResponseBytes: 100_000 });
    for (const url of ['/bomb', '/plain']) {
      expect(await rejection(client.call({ method: 'GET', url }))).toMatchObject({
        code: 'response_malformed',
        message: 'The answer is larger than 100000 bytes.',
      });
    }
  });
});

describe('an error answer', () => {
  it.each([
    [400, { message: 'bad page' }, { code: 'request_refused', kind: 'request', provider: 'bad page' }],
    [
      404,
      { error: { code: 'not_found', message: 'no such item' } },
      { code: 'request_refused', provider: 'no such item', providerCode: 'not_found' },
    ],
    [
      403,
      { error: 'insufficient_scope', error_description: 'needs read' },
      { code: 'forbidden', kind: 'permission', provider: 'needs read', providerCode: 'insufficient_scope' },
    ],
    [400, { errors: [{ message: 'no name' }, 7, { code: 3 }, { message: 'no date' }] }, { provider: 'no name; no date' }],
    [400, [{ message: 'no name' }, { message: 'no date' }], { provider: 'no name; no date' }],
    [401, { errors: [{ message: 'who are you' }] }, { code: 'unauthorized', kind: 'auth', provider: 'who are you' }],
    [409, { meta: { status: 'Conflict', message: 'twice' } }, { code: 'request_refused', provider: 'twice' }],
    [304, null, { code: 'request_refused', status: 304 }],
  ])('%i fails at once with the provider’s words', async (status, body, expected) => {
    const server = await serve((_, response) => json(response, status, body));
    const { client } = clientFor(server.origin);
    const error = await rejection(client.call({ method: 'GET', url: '/x?a=1' }));
    expect(error).toMatchObject({ status, where: `GET ${server.origin}/x`, ...expected });
    expect(server.seen).toHaveLength(1);
  });

  it('shows an excerpt of at most 300 characters of anything else', async () => {
    const server = await serve((_, response) => {
      response.writeHead(400, { 'content-type': 'text/html' });
      response.end(`<h1>No</h1>\n\n${'x '.repeat(5000)}`);
    });
    const { client } = clientFor(server.origin);
    const error = await rejection(client.call({ method: 'GET', url: '/x' }));
    const message = isFerruleError(error) ? error.message : '';
    expect(message).toMatch(/answered 400: <h1>No<\/h1> x x .*…$/);
    expect(message.length).toBeLessThan(`GET ${server.origin}/x answered 400: `.length + 301);
  });

  it('is judged by the spec’s rules first, the first match wins', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/missing') return json(response, 404, { note: 'gone' });
      if (request.url === '/graphql') return json(response, 200, { errors: [{ message: 'no field' }] });
      json(response, 200, { fine: true });
    });
    const { client } = clientFor(server.origin, {
      errors: {
        code: () => 'E7',
        rules: [
          { status: [404], then: 'empty' },
          {
            when: ({ body }) => body !== null && typeof body === 'object' && 'errors' in body,
            kind: 'request',
            message: ({ body }) => (body as { errors: { message: string }[] }).errors[0]?.message,
            hint: 'Correct the query.',
          },
          { status: [404, 200], kind: 'data' },
        ],
      },
    });
    expect(await client.call({ method: 'GET', url: '/missing' })).toMatchObject({ status: 404, empty: true, body: null });
    expect(await rejection(client.call({ method: 'GET', url: '/graphql' }))).toMatchObject({
      code: 'request_refused',
      status: 200,
      provider: 'no field',
      providerCode: 'E7',
      next: 'Correct the query.',
    });
    expect(await rejection(client.call({ method: 'GET', url: '/fine' }))).toMatchObject({ kind: 'data' });
    expect((await client.call({ method: 'GET', url: '/fine' }, { errors: { rules: [] } })).body).toEqual({ fine: true });
  });
});

describe('a 401', () => {
  it('renews once and sends again with the new token', async () => {
    const server = await serve((request, response) => json(response, request.headers.authorization === 'Bearer token-2' ? 200 : 401, {}));
    const auth = new CountedTokens();
    const { client, events } = clientFor(server.origin, { auth });
    expect(await client.call({ method: 'POST', url: '/x', body: { a: 1 } })).toMatchObject({ status: 200, attempts: 2 });
    expect(server.seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}']);
    expect(auth.renewals).toBe(1);
    expect(events.map(({ type }) => type)).toEqual(['request', 'response', 'renew', 'request', 'response']);
  });

  it('fails when the new token is refused too', async () => {
    const server = await serve((_, response) => json(response, 401, {}));
    const { client } = clientFor(server.origin, { auth: new CountedTokens() });
    expect(await rejection(client.call({ method: 'GET', url: '/x' }))).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(server.seen).toHaveLength(2);
  });

  it('fails at once when nothing could be renewed, and in a bare call', async () => {
    const server = await serve((_, response) => json(response, 401, {}));
    const fixed = new CountedTokens(false);
    expect(await rejection(clientFor(server.origin, { auth: fixed }).client.call({ method: 'GET', url: '/x' }))).toMatchObject({
      code: 'unauthorized',
    });
    const auth = new CountedTokens();
    expect(await rejection(clientFor(server.origin, { auth }).client.call({ method: 'GET', url: '/x' }, { bare: true }))).toMatchObject({
      code: 'unauthorized',
    });
    expect([server.seen.length, fixed.renewals, auth.renewals]).toEqual([2, 0, 0]);
  });
});

describe('events', () => {
  it('show request and response, redacted', async () => {
    const secrets = {
      header: canary('event header'),
      query: plainCanary('event query'),
      body: canary('event body'),
      named: plainCanary('event named'),
    };
    const server = await serve((request, response) =>
      json(response, 200, { echo: request.body, access_token: secrets.named, code: 'OK' }, { 'set-cookie': `sid=${secrets.named}` }),
    );
    const { client, events } = clientFor(server.origin, { headers: { 'X-Scope': new Secret(secrets.header) } });
    await client.call(
      {
        method: 'POST',
        url: '/x',
        query: { k: new Secret(secrets.query), api_key: secrets.named, page: '1' },
        body: { p: new Secret(secrets.body), n: 1 },
      },
      { name: 'items' },
    );
    expect(events).toMatchObject([
      {
        type: 'request',
        name: 'items',
        method: 'POST',
        url: `${server.origin}/x?k=[secret]&api_key=[secret]&page=1`,
        headers: { 'x-scope': '[secret]', 'content-type': 'application/json' },
        body: '{"p":"[secret]","n":1}',
      },
      { type: 'response', status: 200, headers: { 'set-cookie': '[secret]' } },
    ]);
    const all = JSON.stringify(events);
    for (const secret of Object.values(secrets)) expect(all).not.toContain(secret.slice(0, 20));
    expect(all).toContain('\\"code\\":\\"OK\\"');
  });

  it('show a column called code, but not the code that a token is asked for with', async () => {
    const issued = plainCanary('issued code');
    const server = await serve((request, response) =>
      json(response, 400, { coupons: [{ code: 'SUMMER-2026' }], ...(request.url.startsWith('/token') && { code: issued }) }),
    );
    const bodyOf = async (secretAnswers: boolean): Promise<string> => {
      const url = secretAnswers ? '/token' : '/x';
      const { client, events } = clientFor(server.origin, { secretAnswers });
      const thrown = await rejection(client.call({ method: 'GET', url }));
      return JSON.stringify([events, thrown]);
    };
    const plain = await bodyOf(false);
    expect(plain).toContain('SUMMER-2026');
    expect(await bodyOf(true)).not.toContain('SUMMER-2026');
    expect(await bodyOf(true)).not.toContain(issued.slice(0, 20));
  });

  it('cut a long body without letting half a secret through', async () => {
    const secret = plainCanary('event cut');
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end('x'.repeat(3990) + secret + 'y'.repeat(100_000));
    });
    const { client, events, redactor } = clientFor(server.origin);
    redactor.add(secret);
    await client.call({ method: 'GET', url: '/x' }, { decode: 'text' });
    const body = events.find(({ type }) => type === 'response');
    expect(JSON.stringify(body)).not.toContain(secret.slice(0, 8));
    expect(JSON.stringify(body)).toContain('xxx…');
  });
});
