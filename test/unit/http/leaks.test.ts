import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Secret } from '../../../framework/core/secret.ts';
import type { Authenticator, ClientOptions } from '../../../framework/http/types.ts';
import { canary, plainCanary } from '../../canary.ts';
import { type Answer, clientFor, closeAll, json, rejection, serve } from './servers.ts';

afterEach(closeAll);

const secrets = {
  header: plainCanary('leak header'),
  query: canary('leak query'),
  body: canary('leak body'),
  path: plainCanary('leak path'),
  cookie: plainCanary('leak cookie'),
};

const auth: Authenticator = {
  renewable: false,
  renew: async () => {},
  apply: async (draft) => ({
    draft: {
      ...draft,
      headers: { ...draft.headers, authorization: new Secret(`Bearer ${secrets.header}`) },
      query: { ...draft.query, k: new Secret(secrets.query) },
      cookies: { sid: new Secret(secrets.cookie) },
    },
  }),
};

/** Everything that could be found in it: hidden fields, causes, the stack, whatever it leads to. */
const all = (value: unknown) =>
  inspect(value, { showHidden: true, depth: 20, maxArrayLength: null, maxStringLength: null }) +
  JSON.stringify(value) +
  String((value as Error).stack);

function forms(secret: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from('x'.repeat(offset) + secret.slice(0, 20)).toString('base64');
    return text.slice(offset === 0 ? 0 : 4, -4);
  });
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret.slice(0, 20), ...base64];
}

const cases: [string, Answer, Partial<ClientOptions>][] = [
  [
    'a refusal that shows the request',
    (request, response) =>
      json(response, 400, {
        message: `you sent ${request.url} ${request.body} ${request.headers.authorization} ${request.headers.cookie}`,
      }),
    {},
  ],
  [
    'an error page',
    (request, response) =>
      response
        .writeHead(500, { 'content-type': 'text/html' })
        .end(`<pre>${request.url} ${JSON.stringify(request.headers)} ${request.body}</pre>`),
    {},
  ],
  [
    'a refusal in base64',
    (request, response) =>
      json(response, 403, {
        message: Buffer.from(`${request.headers.authorization} ${JSON.parse(request.body).password}`).toString('base64'),
      }),
    {},
  ],
  ['HTML for JSON', (request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${request.url}</p>`), {}],
  ['broken JSON', (request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(`{"url": ${request.url}`), {}],
  ['broken gzip', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}').subarray(0, 12)), {}],
  ['a cut connection', (_, response) => response.destroy(), {}],
  [
    'a cut body',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('abc');
      setTimeout(() => response.destroy(), 10);
    },
    {},
  ],
  ['no answer', () => {}, { timeout: { response: 40 } }],
  ['no answer in all', () => {}, { timeout: { total: 40 } }],
  ['not HTTP', (_, response) => response.socket?.end('SSH-2.0\r\n\r\n'), {}],
  ['a redirect to another host', (request, response) => response.writeHead(302, { location: `https://evil.com${request.url}` }).end(), {}],
  ['a redirect for ever', (request, response) => response.writeHead(307, { location: request.url }).end(), {}],
  ['a limit', (_, response) => json(response, 429, {}, { 'retry-after': '9999' }), {}],
];

it.each(cases)('%s', async (_name, answer, options) => {
  const server = await serve(answer);
  const { client, events, redactor } = clientFor(server.origin, { auth, retry: { max_retries: 1, repeat: ['POST'] }, ...options });
  redactor.add(secrets.header);
  const call = { method: 'POST', url: new Secret(`/bot${secrets.path}/x`), body: { password: new Secret(secrets.body) } } as const;
  redactor.add(secrets.path);
  const error = await rejection(client.call(call));
  expect(error).toMatchObject({ name: 'FerruleError' });
  expect(server.seen.length).toBeGreaterThan(0);
  expect(server.seen[0]?.headers.authorization).toContain(secrets.header);
  expect((error as Error).cause).toBeUndefined();
  const shown = all(error) + all(events);
  for (const [name, secret] of Object.entries(secrets)) {
    for (const form of forms(secret)) expect([name, shown.includes(form)]).toEqual([name, false]);
  }
  // Nothing of the transport library is in it either.
  expect(all(error)).not.toMatch(/RequestError|ClientRequest|IncomingMessage/);
});

it('the same through .http, its ways to read, and a stream', async () => {
  const server = await serve((_, response) => response.destroy());
  const { http } = clientFor(server.origin, { auth, retry: { max_retries: 0 } }).client;
  const read = async () => {
    for await (const _ of http.stream('/x'));
  };
  const stop = new AbortController();
  const aborted = rejection(http.get('/x', { signal: stop.signal }).json());
  stop.abort(new Error(secrets.header));
  const errors = await Promise.all([
    rejection(http.get('/x')),
    rejection(http.get('/x').json()),
    rejection(http.get('/x').text()),
    rejection(http.get('/x').buffer()),
    rejection(read()),
    aborted,
  ]);
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'FerruleError' });
    for (const secret of Object.values(secrets)) expect(all(error)).not.toContain(secret.slice(0, 20));
  }
});

it('a long URL does not fill the error', async () => {
  const server = await serve((_, response) => json(response, 414, {}));
  const { client } = clientFor(server.origin);
  const error = await rejection(client.call({ method: 'GET', url: `/${'x'.repeat(8000)}` }));
  expect(error).toMatchObject({ code: 'request_refused', status: 414 });
  expect((error as Error).message.length).toBeLessThan(400);
});
