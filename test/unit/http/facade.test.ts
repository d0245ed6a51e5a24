import { gzipSync } from 'node:zlib';
import { Secret } from '../../../framework/core/secret.ts';
import type { HttpOptions } from '../../../framework/http/types.ts';
import { clientFor, closeAll, json, rejection, serve } from './servers.ts';

afterEach(closeAll);

const echo = () =>
  serve((request, response) =>
    json(response, 200, { method: request.method, url: request.url, body: request.body, type: request.headers['content-type'] ?? null }),
  );

describe('.http', () => {
  it('has the methods of got; a leading slash makes no difference', async () => {
    const server = await echo();
    const { http } = clientFor(`${server.origin}/v1`).client;
    expect(await http.get('items').json()).toMatchObject({ method: 'GET', url: '/v1/items' });
    expect(await http.get('/items').json()).toMatchObject({ url: '/v1/items' });
    for (const method of ['post', 'put', 'patch', 'delete'] as const) {
      expect(await http[method]('/x', { json: { a: 1 } }).json()).toEqual({
        method: method.toUpperCase(),
        url: '/v1/x',
        body: '{"a":1}',
        type: 'application/json',
      });
    }
    expect(await http.head('/x')).toMatchObject({ status: 200, statusCode: 200, ok: true, body: null });
  });

  it('takes searchParams in each form, form and body', async () => {
    const server = await echo();
    const { http } = clientFor(server.origin, { query: { v: '2' } }).client;
    const url = async (searchParams: HttpOptions['searchParams']) => (await http.get('/x', { searchParams }).json<{ url: string }>()).url;
    expect(await url({ a: 1, b: [true, 'x y'], c: undefined, d: null, big: 1e21 })).toBe(
      '/x?v=2&a=1&b=true&b=x%20y&big=1000000000000000000000',
    );
    expect(await url('a=1&a=2')).toBe('/x?v=2&a=1&a=2');
    expect(await url(new URLSearchParams({ v: '3' }))).toBe('/x?v=3');
    expect(await http.post('/x', { form: { a: 'x y', s: new Secret('s') } }).json()).toMatchObject({
      body: 'a=x+y&s=s',
      type: 'application/x-www-form-urlencoded',
    });
    expect(await http.post('/x', { body: '<a/>', headers: { 'content-type': 'text/xml' } }).json()).toMatchObject({
      body: '<a/>',
      type: 'text/xml',
    });
    expect(await http.post('/x', { body: Buffer.from('bytes') }).json()).toMatchObject({ body: 'bytes', type: null });
  });

  it('gives the answer whole, as JSON, text or bytes', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-a': '1' });
      response.end(gzipSync('{"a":1}'));
    });
    const { http } = clientFor(server.origin).client;
    expect(await http.get('/x')).toMatchObject({ status: 200, body: { a: 1 }, headers: { 'x-a': '1' }, url: `${server.origin}/x` });
    expect(await http.get('/x', { responseType: 'text' })).toMatchObject({ body: '{"a":1}' });
    expect((await http.get('/x', { responseType: 'buffer' })).body).toEqual(Buffer.from('{"a":1}'));
    expect(await http.get('/x').text()).toBe('{"a":1}');
    expect(await http.get('/x').buffer()).toEqual(Buffer.from('{"a":1}'));
    let streamed = '';
    for await (const chunk of http.stream('/x')) streamed += String(chunk);
    expect(streamed).toBe('{"a":1}');
  });

  it('HTML is fine as text and an error as JSON', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<p>');
    });
    const { http } = clientFor(server.origin).client;
    expect(await http.get('/x').text()).toBe('<p>');
    expect(await rejection(http.get('/x').json())).toMatchObject({ code: 'response_malformed', status: 200 });
  });

  it('throws for a bad status, from each way to read', async () => {
    const server = await serve((_, response) => json(response, 404, { message: 'no such item' }));
    const { http } = clientFor(server.origin).client;
    const expected = { code: 'request_refused', status: 404, provider: 'no such item' };
    expect(await rejection(http.get('/x'))).toMatchObject(expected);
    expect(await rejection(http.get('/x').json())).toMatchObject(expected);
    expect(await rejection(http.get('/x').text())).toMatchObject(expected);
    expect(await http.get('/x').catch((error: unknown) => error)).toMatchObject(expected);
    let ended = false;
    await rejection(
      http.get('/x').finally(() => {
        ended = true;
      }),
    );
    expect(ended).toBe(true);
    const read = async () => {
      for await (const _ of http.stream('/x'));
    };
    expect(await rejection(read())).toMatchObject(expected);
  });

  it('an option that it does not have is an input error that names it', async () => {
    const { http } = clientFor('https://api.acme.com').client;
    const options = { searchParam: {} } as HttpOptions;
    const expected = { code: 'option_unknown', kind: 'input', where: 'searchParam', next: 'Did you mean searchParams?' };
    expect(await rejection(http.get('/x', options))).toMatchObject(expected);
    expect(await rejection(http.get('/x', options).json())).toMatchObject(expected);
    expect(await rejection(http.get('/x', { retry: 1 } as HttpOptions))).toMatchObject({ code: 'option_unknown', where: 'retry' });
    expect(await rejection((async () => http.extend(options))())).toMatchObject(expected);
    expect(await rejection(http.post('/x', { json: {}, form: {} }))).toMatchObject({ code: 'input_malformed', where: 'json, form' });
  });

  it('extend merges headers and searchParams; undefined removes what the spec puts there', async () => {
    const server = await serve((request, response) =>
      json(response, 200, { url: request.url, a: request.headers['x-a'] ?? null, b: request.headers['x-b'] ?? null }),
    );
    const { http } = clientFor(server.origin, { headers: { 'X-A': 'spec', 'X-B': 'spec' } }).client;
    const mine = http.extend({ headers: { 'x-a': 'mine' }, searchParams: { p: '1', q: '1' }, responseType: 'text' });
    expect(await mine.get('/x', { searchParams: { q: '2' }, headers: { 'X-B': undefined } }).json()).toEqual({
      url: '/x?p=1&q=2',
      a: 'mine',
      b: null,
    });
    expect((await mine.get('/x')).body).toBe('{"url":"/x?p=1&q=1","a":"mine","b":"spec"}');
    expect(await http.get('/x').json()).toEqual({ url: '/x', a: 'spec', b: 'spec' });
  });

  it('timeout and signal', async () => {
    const server = await serve(() => {});
    const { http } = clientFor(server.origin).client;
    expect(await rejection(http.get('/x', { timeout: 50 }))).toMatchObject({ code: 'timeout' });
    expect(await rejection(http.get('/x', { timeout: { request: 50 } }))).toMatchObject({ code: 'timeout' });
    expect(await rejection(http.get('/x', { signal: AbortSignal.timeout(50) }).json())).toMatchObject({ code: 'aborted' });
  });

  it('an absolute URL passes the host policy', async () => {
    const server = await echo();
    const { http } = clientFor(server.origin).client;
    expect(await http.get(`${server.origin}/y`).json()).toMatchObject({ url: '/y' });
    expect(await rejection(http.get('https://evil.com/'))).toMatchObject({ code: 'host_refused' });
  });
});
