import { generateKeyPairSync } from 'node:crypto';
import { type ConnectOptions, connectSpec, type Inputs } from '../../../framework/engine/connect.ts';
import type { ExplainRequest, Explanation } from '../../../framework/engine/explain.ts';
import { acme, addresses, specOf } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { FakeClock, fixedRandom } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

let server: LocalServer;
afterEach(() => server.close());

const SECRET = canary('explained');
const CLIENT = { client_id: 'app', client_secret: SECRET };

/** What is said of a request; `before` runs first with the connection. Whatever is said, no secret is in it. */
async function explained(
  rest: string,
  inputs: Inputs,
  request: ExplainRequest,
  { answer = () => ({ json: {} }), before, ...options }: ConnectOptions & { answer?: (request: Received) => Answer; before?: string } = {},
): Promise<Explanation> {
  server = await serve(answer);
  const spec = acme(rest);
  const settings = { ...addresses(server.origin), clock: new FakeClock(), random: fixedRandom(), ...options };
  await using connection = await connectSpec(spec, inputs, settings);
  if (before !== undefined) await connection.http.get(before);
  const sent = server.received.length;
  const said = await connection.explain(request);
  expect(server.received).toHaveLength(sent);
  expect(JSON.stringify(said)).not.toContain('CANARY');
  return said;
}

/** `header x-key` → where it is written, and what it is made from. */
const part = ({ parts }: Explanation, kind: string, name?: string) => {
  const { value, at, from } = parts.find((one) => one.part === kind && one.name === name) ?? {};
  return [value, at, from];
};

describe('parts of a request', () => {
  const LAYERS = `auth: { key: { type: api_key, send: { headers: { X-Key: 'k \${fields.api_key}', X-From: send }, query: { sig: '\${fields.api_key}' }, cookies: { sid: '\${fields.api_key}' } } } }
fields: { site: { default: north }, extra: { required: false } }
streams:
  orders:
    post: /shops/\${fields.site}/orders
    query: { all: 'yes', maybe: '\${fields.extra}' }
    headers: { X-From: stream }
    body: { filter: { site: '\${fields.site}' }, limit: 5 }
    paginate: { type: page, page: query.page, size: body.limit, page_size: 50 }`;
  const spec = LAYERS.replace('auth:', "http: { base_url: 'https://api.acme.test/v1', headers: { X-Team: data, X-From: http } }\nauth:");

  it('each have the key that put them there, and what it is made from', async () => {
    server = await serve(() => ({ json: [] }));
    const own = specOf(`spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\ncheck: { get: /me }\n${spec}`);
    await using connection = await connectSpec(own, { fields: { api_key: plainCanary('explained key') } }, addresses(server.origin));
    const said = await connection.explain({ stream: 'orders' });
    expect([said.request.method, said.request.url]).toEqual([
      'POST',
      'https://api.acme.test/v1/shops/north/orders?all=yes&page=1&sig=••••',
    ]);
    expect(part(said, 'host')).toEqual(['https://api.acme.test', 'http.base_url', []]);
    expect(said.parts.filter((one) => one.part === 'path').map(({ value, at, from }) => [value, at, from])).toEqual([
      ['/v1', 'http.base_url', []],
      ['/shops/north/orders', 'streams.orders.url', ['field site (default)']],
    ]);
    expect(part(said, 'header', 'x-key')).toEqual(['k ••••', 'auth.key.send.headers.X-Key', ['field api_key (entered)']]);
    expect(part(said, 'header', 'x-from')).toEqual(['stream', 'streams.orders.headers.X-From', []]);
    expect(part(said, 'header', 'x-team')).toEqual(['data', 'http.headers.X-Team', []]);
    expect(part(said, 'query', 'sig')).toEqual(['••••', 'auth.key.send.query.sig', ['field api_key (entered)']]);
    expect(part(said, 'query', 'page')).toEqual(['1', 'streams.orders.paginate', ['the first page']]);
    expect(part(said, 'cookie', 'sid')).toEqual(['••••', 'auth.key.send.cookies.sid', ['field api_key (entered)']]);
    expect(part(said, 'body', 'filter.site')).toEqual(['north', 'streams.orders.body.filter.site', ['field site (default)']]);
    expect(part(said, 'body', 'limit')).toEqual(['50', 'streams.orders.paginate', ['the first page']]);
    expect(JSON.stringify(said)).not.toContain('CANARY');
    expect(server.received).toEqual([]);
    for await (const _page of connection.read('orders').pages()) break;
    const { query, headers } = server.received[0] as Received;
    const named = (kind: string) => said.parts.flatMap((one) => (one.part === kind && one.name !== undefined ? [one.name] : []));
    expect(named('query')).toEqual([...query.keys()]);
    const ofTransport = ['host', 'connection', 'content-length', 'cookie'];
    expect(named('header').sort()).toEqual(
      Object.keys(headers)
        .filter((name) => !ofTransport.includes(name))
        .sort(),
    );
  });

  it("are the caller's own where the caller gave them, and an option's where the connection has it", async () => {
    const options = { headers: { 'X-Mine': '1' }, searchParams: { a: 'b c' }, json: { deep: { leaf: true } } };
    const said = await explained(
      'auth: { basic: { type: basic } }',
      { fields: { username: 'ann', password: SECRET } },
      { method: 'POST', path: '/orders', options },
      { network: { headers: { 'X-Every': 'call' } } },
    );
    expect(said.request.url).toBe('https://api.acme.test/v1/orders?a=b%20c');
    expect(part(said, 'header', 'x-mine')).toEqual(['1', 'caller', []]);
    expect(part(said, 'header', 'x-every')).toEqual(['call', 'option', []]);
    expect(part(said, 'query', 'a')).toEqual(['b c', 'caller', []]);
    expect(part(said, 'body', 'deep.leaf')).toEqual(['true', 'caller', []]);
    expect(part(said, 'header', 'authorization')).toEqual([
      'Basic ••••',
      'auth.basic.send.headers.Authorization',
      ['field username (entered)', 'field password (entered)'],
    ]);
    expect(said.retry.repeats).toBe(false);
  });

  it('of a stream with a parent name what a record would bring', async () => {
    const said = await explained(
      "auth: { basic: { type: basic } }\nstreams: { shops: { get: /shops, primary_key: [id] }, orders: { parent: shops, get: '/shops/${parent.id}/orders' } }",
      { fields: { username: 'ann', password: SECRET } },
      { stream: 'orders' },
    );
    expect(part({ ...said, parts: said.parts.slice(3) }, 'path')).toEqual([
      '/shops/~parent.id~/orders',
      'streams.orders.url',
      ["the parent's record"],
    ]);
  });
});

describe('the token', () => {
  const auth =
    "auth: { app: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token', scopes: [read, write], token: { capture: { shop: { path: shop, secret: false } } } } }";
  const token = (lifetime: number): Answer => {
    // Issued at 2026-01-02T03:00:00Z, as its own claim says; nobody verifies it here.
    const claims = Buffer.from(JSON.stringify({ iat: 1767322800 })).toString('base64url');
    return {
      json: { access_token: `e30.${claims}.${plainCanary('explained').slice(0, 20)}`, expires_in: lifetime, scope: 'read', shop: 'north' },
    };
  };

  it('is not asked for: what is missing is named, with what would be sent first', async () => {
    const said = await explained(auth, { fields: CLIENT }, { path: '/me' });
    expect(said.token).toEqual({
      captures: [
        { name: 'access_token', from: 'captured by token', there: false },
        { name: 'shop', from: 'captured by token', there: false },
      ],
      steps: [{ name: 'token' }],
      due: ['token'],
      scopes: { asked: ['read', 'write'], missing: [] },
    });
    expect(part(said, 'header', 'authorization')).toEqual([
      'Bearer ••••',
      'auth.app.send.headers.Authorization',
      ['token.access_token (captured by token)'],
    ]);
  });

  it('has an age, an end, a time of renewal, and scopes', async () => {
    const said = await explained(
      auth,
      { fields: CLIENT },
      { path: '/me' },
      {
        answer: ({ path }) => (path === '/token' ? token(3600) : { json: {} }),
        before: '/me',
      },
    );
    expect(said.token).toMatchObject({
      steps: [
        {
          name: 'token',
          obtained: '2026-01-02T03:04:05.000Z',
          age: 0,
          ends: '2026-01-02T04:04:05.000Z',
          in: 3600,
          renews: '2026-01-02T04:03:05.000Z',
        },
      ],
      due: [],
      issued: '2026-01-02T03:00:00.000Z',
      scopes: { asked: ['read', 'write'], granted: ['read'], missing: ['write'] },
    });
    expect(said.retry.renews).toBe(true);
  });

  it('that has ended is not renewed for it', async () => {
    const clock = new FakeClock();
    const said = await explained(
      auth,
      { fields: CLIENT, tokens: { access_token: plainCanary('ended'), expires_at: clock.now() - 1000 } },
      { path: '/me' },
      { clock },
    );
    expect(said.token).toMatchObject({ due: ['token'], steps: [{ in: -1 }] });
  });
});

describe('a signature', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each<[string, string, Inputs['fields'] & object, object]>([
    [
      'aws_sigv4',
      '{ type: aws_sigv4, service: s, region: r }',
      { access_key_id: 'AKID', secret_access_key: SECRET },
      {
        algorithm: 'AWS4-HMAC-SHA256',
        covers: ['method', 'path', 'query', 'body', 'accept', 'host', 'x-amz-date'],
        base: expect.stringMatching(/^AWS4-HMAC-SHA256\n20260102T030405Z\n20260102\/r\/s\/aws4_request\n[0-9a-f]{64}$/),
      },
    ],
    [
      'http_signature',
      "{ type: http_signature, alg: ed25519, components: ['@method', '@authority', accept] }",
      { key_id: 'k1', private_key: pem },
      {
        algorithm: 'ed25519',
        covers: ['"@method"', '"@authority"', '"accept"'],
        base: expect.stringMatching(/^"@method": GET\n"@authority": api.acme.test\n"accept": application\/json\n"@signature-params": /),
      },
    ],
    [
      'oauth1',
      '{ type: oauth1 }',
      { consumer_key: 'ck', consumer_secret: SECRET, token: 'tk', token_secret: SECRET },
      {
        algorithm: 'HMAC-SHA1',
        // RFC 5849, 3.4.1
        base: expect.stringMatching(/^GET&https%3A%2F%2Fapi.acme.test%2Fv1%2Fme&a%3D1%26oauth_consumer_key%3Dck%26oauth_nonce%3D/),
        covers: expect.arrayContaining(['method', 'URL', 'query', 'oauth_timestamp']),
      },
    ],
    ['digest', '{ type: digest }', { username: 'ann', password: SECRET }, { note: 'unsigned until the server has sent its challenge' }],
    ['ntlm', '{ type: ntlm }', { username: 'ann', password: SECRET }, { algorithm: 'NTLMv2', covers: ['the connection'] }],
  ])('of %s says what it covers', async (_, method, fields, about) => {
    const said = await explained(`auth: { sig: ${method} }`, { fields }, { path: '/me?a=1' });
    expect(said.signature).toEqual(about);
  });

  it('of digest is there once the server has asked', async () => {
    const said = await explained(
      'auth: { sig: { type: digest } }',
      { fields: { username: 'ann', password: SECRET } },
      { path: '/me' },
      {
        before: '/me',
        answer: ({ headers }) =>
          headers.authorization === undefined
            ? { status: 401, headers: { 'www-authenticate': 'Digest realm="a", nonce="n", qop="auth", algorithm=SHA-256' } }
            : { json: {} },
      },
    );
    expect(said.signature).toEqual({ algorithm: 'Digest SHA-256', covers: ['method', 'path and query'] });
    expect(part(said, 'header', 'authorization')).toEqual(['••••', 'auth.sig.type', ['signed: Digest SHA-256']]);
  });
});

describe('what decides about it', () => {
  it('limits as they stand, those of its path alone', async () => {
    server = await serve(() => ({ json: {} }));
    const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { basic: { type: basic } }
http:
  base_url: https://api.acme.test/v1
  rate_limit: [{ requests: 3, per: 10s }, { requests: 1, per: 1m, match: /orders* }, { requests: 9, per: 1m, match: /shops* }]
  retry: { max_retries: 2, repeat: [post] }
  errors: { rules: [{ status: [409], then: retry }] }
check: { get: /me }
streams: { orders: { post: /orders, errors: { rules: [{ status: [404], then: empty }] } } }`);
    const fields = { username: 'ann', password: SECRET };
    await using connection = await connectSpec(
      spec,
      { fields },
      { ...addresses(server.origin), clock: new FakeClock(), throttle: { requests: 5, per: 1000 } },
    );
    await connection.http.get('/orders');
    const { limits, retry, hosts } = await connection.explain({ stream: 'orders' });
    expect(limits).toEqual([
      { requests: 3, per: 10_000, scope: 'credential', left: 2, wait: 0, at: 'http.rate_limit.0' },
      { requests: 1, per: 60_000, scope: 'credential', match: '/orders*', left: 0, wait: 60_000, at: 'http.rate_limit.1' },
      { requests: 5, per: 1000, scope: 'credential', left: 4, wait: 0, at: 'option' },
    ]);
    expect(retry).toMatchObject({ times: 2, repeats: true, renews: false, longest: 300_000 });
    expect(retry.rules).toEqual([
      { at: 'streams.orders.errors.rules.0', status: [404], then: 'empty' },
      { at: 'http.errors.rules.0', status: [409], then: 'retry' },
    ]);
    expect(hosts).toEqual([{ use: 'api', hosts: ['api.acme.test'] }]);
  });

  it('a rule that classed an answer is named by its error', async () => {
    server = await serve(() => ({ status: 404, json: {} }));
    const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { basic: { type: basic } }
http: { base_url: 'https://api.acme.test', errors: { rules: [{ status: [500], kind: data }, { status: [404], kind: permission }] } }
check: { get: /me }`);
    await using connection = await connectSpec(spec, { fields: { username: 'ann', password: SECRET } }, addresses(server.origin));
    await expect(connection.http.get('/me')).rejects.toMatchObject({ code: 'forbidden', rule: 'http.errors.rules.1' });
  });

  it('a host that the spec does not name is refused as in a request', async () => {
    const said = explained(
      'auth: { basic: { type: basic } }',
      { fields: { username: 'a', password: SECRET } },
      { path: 'https://evil.example/x' },
    );
    await expect(said).rejects.toMatchObject({ code: 'credential_sandbox' });
  });
});
