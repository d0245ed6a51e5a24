import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, importSPKI, jwtVerify } from 'jose';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import type { ConnectOptions } from '../../../framework/engine/connect.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { acme, addresses, specOf } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { FakeClock, fixedRandom } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const PUBLIC = publicKey.export({ type: 'spki', format: 'pem' }).toString();

const servers: LocalServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function provider(answer: (request: Received, count: number) => Answer): Promise<LocalServer> {
  const server = await serve((request) => answer(request, server.received.filter(({ path }) => path === request.path).length));
  servers.push(server);
  return server;
}

/** Connects, calls the API so often, and closes; the clock is the test's. */
async function used(auth: string, origin: string, fields: Record<string, string>, use: Partial<ConnectOptions> & { clock: FakeClock }) {
  return await connectSpec(acme(auth), { fields }, { ...addresses(origin), random: fixedRandom(), ...use });
}

const form = ({ body }: Received): Record<string, string> => Object.fromEntries(new URLSearchParams(body));
const bearers = (server: LocalServer): (string | undefined)[] =>
  server.received.filter(({ path }) => path === '/v1/me').map(({ headers }) => headers.authorization);

const CODE =
  "type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token'";

/** A person who consents: the callback carries what the provider adds. */
const consenting =
  (more: Record<string, string> = {}) =>
  async ({ authorizeUrl, redirectUri }: { authorizeUrl: string; redirectUri: string }) => {
    const asked = new URL(authorizeUrl).searchParams;
    const given = { ...(asked.get('state') !== null && { state: asked.get('state') as string }), ...more };
    return `${redirectUri}?${new URLSearchParams(given)}`;
  };

describe('tokens that are signed here', () => {
  it('jwt: signed anew before each ends, without a request', async () => {
    const clock = new FakeClock();
    const server = await provider(() => ({ json: {} }));
    const auth = `auth: { key: { type: jwt, fields: { private_key: { type: pem } }, jwt: { alg: RS256, key: '\${fields.private_key}', header: { kid: k1 }, claims: { iss: acme, jti: null }, lifetime: 10m } } }`;
    await using connection = await used(auth, server.origin, { private_key: PEM }, { clock });
    for (const wait of [0, 8 * 60_000, 2 * 60_000]) {
      clock.advance(wait);
      await connection.http.get('/me').json();
    }
    const [first, second, third] = bearers(server).map((header) => (header ?? '').replace('Bearer ', ''));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    const key = await importSPKI(PUBLIC, 'RS256');
    const { payload, protectedHeader } = await jwtVerify(first ?? '', key, { currentDate: new Date('2026-01-02T03:04:05Z') });
    expect(payload).toEqual({ iss: 'acme', iat: 1767323045, exp: 1767323645 });
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' });
    expect(server.received.map(({ path }) => path)).toEqual(['/v1/me', '/v1/me', '/v1/me']);
  });

  it('a key made of bytes', async () => {
    const secret = createHash('sha256').update(canary('hex key')).digest('hex');
    const server = await provider(() => ({ json: {} }));
    const auth = `auth: { key: { type: jwt, fields: { api_key: { secret: true } }, jwt: { alg: HS256, key: '\${unhex(fields.api_key.split(":")[1])}', header: { kid: '\${fields.api_key.split(":")[0]}' }, claims: { aud: /admin/ } }, send: { headers: { Authorization: 'Ghost \${token.jwt}' } } } }`;
    await using connection = await used(auth, server.origin, { api_key: `5f1:${secret}` }, { clock: new FakeClock() });
    await connection.http.get('/me').json();
    const token = (bearers(server)[0] ?? '').replace('Ghost ', '');
    const { payload } = await jwtVerify(token, Buffer.from(secret, 'hex'), { currentDate: new Date('2026-01-02T03:04:05Z') });
    expect(payload).toMatchObject({ aud: '/admin/', exp: 1767323045 + 300 });
    expect(decodeProtectedHeader(token).kid).toBe('5f1');
  });

  it('oauth2_jwt_bearer: each token request has an assertion of its own (RFC 7523, 2.1 and 3)', async () => {
    const clock = new FakeClock();
    const server = await provider(({ path }, count) =>
      path === '/token' ? { json: { access_token: plainCanary(`bearer ${count}`), expires_in: 3600 } } : { json: {} },
    );
    const auth = `auth: { key: { type: oauth2_jwt_bearer, token_url: 'https://auth.acme.test/token', fields: { private_key: { type: pem } }, jwt: { alg: RS256, key: '\${fields.private_key}', claims: { sub: me } } } }`;
    await using connection = await used(auth, server.origin, { client_id: 'app', private_key: PEM }, { clock });
    await connection.http.get('/me').json();
    clock.advance(3600_000);
    await connection.http.get('/me').json();
    const asked = server.received.filter(({ path }) => path === '/token').map(form);
    const jtis = new Set<unknown>();
    for (const { grant_type, assertion = '', client_id } of asked) {
      expect([grant_type, client_id]).toEqual(['urn:ietf:params:oauth:grant-type:jwt-bearer', 'app']);
      const { payload } = await jwtVerify(assertion, await importSPKI(PUBLIC, 'RS256'), { currentDate: new Date('2026-01-02T03:04:06Z') });
      expect(payload).toMatchObject({ iss: 'app', sub: 'me', aud: 'https://auth.acme.test/token' });
      jtis.add(payload.jti);
    }
    expect([asked.length, jtis.size]).toEqual([2, 2]);
  });

  it.each([
    [
      'private_key_jwt',
      `client_assertion: { alg: RS256, key: '\${fields.private_key}' }, fields: { client_secret: null, private_key: { type: pem } }`,
    ],
    ['client_secret_jwt', ''],
  ])('client_auth %s (RFC 7523, 2.2)', async (how, rest) => {
    const server = await provider(({ path }) =>
      path === '/token' ? { json: { access_token: plainCanary(how), expires_in: 60 } } : { json: {} },
    );
    const auth = `auth: { app: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token', client_auth: ${how}${rest && `, ${rest}`} } }`;
    const secret = canary('client secret of a jwt');
    const fields: Record<string, string> = how === 'private_key_jwt' ? { private_key: PEM } : { client_secret: secret };
    await using connection = await used(
      auth,
      server.origin,
      { client_id: 'app', ...fields },
      {
        clock: new FakeClock(),
      },
    );
    await connection.http.get('/me').json();
    const { client_assertion = '', ...sent } = form(server.received[0] as Received);
    expect(sent).toEqual({
      grant_type: 'client_credentials',
      client_id: 'app',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const key = how === 'private_key_jwt' ? await importSPKI(PUBLIC, 'RS256') : Buffer.from(secret);
    const { payload } = await jwtVerify(client_assertion, key as never, { currentDate: new Date('2026-01-02T03:04:05Z') });
    expect(payload).toMatchObject({ iss: 'app', sub: 'app', aud: 'https://auth.acme.test/token', exp: 1767323345 });
  });

  it('a step that signs, and one that asks with it: the app’s own JWT is never older than its request', async () => {
    const clock = new FakeClock();
    const server = await provider(({ path }, count) =>
      path === '/inst/7/tokens'
        ? { json: { token: plainCanary(`installation ${count}`), expires_at: new Date(clock.now() + 3600_000).toISOString() } }
        : { json: {} },
    );
    const auth = `auth:
  app:
    type: custom
    install: { url: 'https://auth.acme.test/apps/\${fields.app}/new', capture: { installation: { path: '\${callback.installation_id}', pattern: '^[0-9]+$', secret: false } } }
    fields: { app: {}, private_key: { type: pem } }
    steps:
      - name: app_jwt
        jwt: { alg: RS256, key: '\${fields.private_key}', claims: { iss: '\${fields.app}' }, lifetime: 9m }
      - name: installation
        post: https://auth.acme.test/inst/\${token.installation}/tokens
        headers: { Authorization: 'Bearer \${token.app_jwt}' }
        capture: { access_token: token }
        expires: { at: expires_at, as: iso }
    send: { headers: { Authorization: 'Bearer \${token.access_token}' } }`;
    const opened: string[] = [];
    const consent: ConnectOptions['consent'] = (request) => {
      opened.push(request.authorizeUrl);
      return consenting({ installation_id: '7' })(request);
    };
    await using connection = await used(auth, server.origin, { app: 'sync', private_key: PEM }, { clock, consent });
    for (let minutes = 0; minutes < 70; minutes += 10) {
      await connection.http.get('/me').json();
      clock.advance(600_000);
    }
    expect(opened[0]).toMatch(/^https:\/\/auth\.acme\.test\/apps\/sync\/new\?state=/);
    const asked = server.received.filter(({ path }) => path === '/inst/7/tokens');
    expect(asked).toHaveLength(2);
    const issued = await Promise.all(
      asked.map(async ({ headers }) => {
        const { payload } = await jwtVerify((headers.authorization ?? '').slice(7), await importSPKI(PUBLIC, 'RS256'), {
          currentDate: new Date(0),
        });
        return payload.iat;
      }),
    );
    expect(issued).toEqual([1767323045, 1767323045 + 3600]);
  });

  it.each([
    ['nothing', {}, 'installation is not in the callback'],
    ['what does not match', { installation_id: '7/../8' }, 'is not of the form'],
  ])('an installation that brings %s is refused', async (_, brought, says) => {
    const auth = `auth: { app: { type: custom, install: { url: 'https://auth.acme.test/new', capture: { installation: { path: '\${callback.installation_id}', pattern: '^[0-9]+$' } } }, send: { headers: { X-I: '\${token.installation}' } } } }`;
    const server = await provider(() => ({ json: {} }));
    const connecting = used(auth, server.origin, {}, { clock: new FakeClock(), consent: consenting(brought as Record<string, string>) });
    await expect(connecting).rejects.toThrow(says === 'installation is not in the callback' ? /callback/ : says);
  });
});

describe('renewal', () => {
  it('with the access token itself, where there is no refresh token', async () => {
    const clock = new FakeClock();
    const server = await provider(({ path }, count) =>
      path === '/v1/me'
        ? { json: {} }
        : { json: { access_token: plainCanary(`${path} ${count}`), expires_in: path === '/token' ? 600 : 6000 } },
    );
    const auth = `auth:
  oauth:
    ${CODE.replaceAll(', ', '\n    ')}
    pkce: false
    refresh: { get: 'https://auth.acme.test/extend', from: access_token, body: { grant_type: extend, refresh_token: null, old: '\${token.access_token}' } }`;
    await using connection = await used(
      auth,
      server.origin,
      { client_id: 'app', client_secret: canary('extend') },
      { clock, consent: consenting({ code: 'c1' }) },
    );
    await connection.http.get('/me').json();
    clock.advance(560_000);
    await connection.http.get('/me').json();
    const renewal = server.received.find(({ path }) => path === '/extend');
    expect(renewal?.method).toBe('GET');
    expect(Object.fromEntries(renewal?.query ?? [])).toMatchObject({ grant_type: 'extend', old: plainCanary('/token 1') });
    expect(bearers(server)).toEqual([`Bearer ${plainCanary('/token 1')}`, `Bearer ${plainCanary('/extend 1')}`]);
  });

  it('two tokens in one answer, each with a refresh token and an end of its own', async () => {
    const clock = new FakeClock();
    const tokens = (which: string, count: number, life: number) => ({
      access_token: plainCanary(`${which} ${count}`),
      refresh_token: plainCanary(`${which} refresh ${count}`),
      expires_in: life,
    });
    const server = await provider((request, count) => {
      if (request.path !== '/token') return { json: {} };
      const { refresh_token } = form(request);
      if (refresh_token === undefined) return { json: { ...tokens('bot', count, 600), user: tokens('user', count, 600) } };
      return {
        json:
          refresh_token.startsWith(plainCanary('bot refresh 1').slice(0, 30)) || count % 2 === 0
            ? tokens('bot', count, 6000)
            : tokens('user', count, 900),
      };
    });
    const auth = `auth:
  oauth:
    ${CODE.replaceAll(', ', '\n    ')}
    token: { capture: { user_token: user.access_token, user_refresh: user.refresh_token } }
    refresh:
      - { rotates: true, capture: { user_token: null, user_refresh: null } }
      - { rotates: true, body: { refresh_token: '\${token.user_refresh}' }, capture: { user_token: access_token, user_refresh: refresh_token, access_token: null, refresh_token: null } }
    send: { headers: { X-User: '\${token.user_token}' } }`;
    await using connection = await used(
      auth,
      server.origin,
      { client_id: 'app', client_secret: canary('two') },
      { clock, consent: consenting({ code: 'c1' }) },
    );
    await connection.http.get('/me').json();
    clock.advance(560_000);
    await connection.http.get('/me').json();
    // The bot's token holds for 6000 s, the user's for 900: the earlier end counts.
    clock.advance(850_000);
    await connection.http.get('/me').json();
    expect(server.received.filter(({ path }) => path === '/token').map((one) => form(one).refresh_token)).toEqual([
      undefined,
      ...[plainCanary('bot refresh 1'), plainCanary('user refresh 1')],
      ...[plainCanary('bot refresh 2'), plainCanary('user refresh 3')],
    ]);
    expect(server.received.filter(({ path }) => path === '/v1/me').map(({ headers }) => headers['x-user'])).toEqual([
      plainCanary('user 1'),
      plainCanary('user 3'),
      plainCanary('user 5'),
    ]);
  });

  it('ends when an introspection says so (RFC 7662), or the JWT itself (RFC 7519, 4.1.4)', async () => {
    const clock = new FakeClock();
    const claims = (at: number) => Buffer.from(JSON.stringify({ exp: at / 1000 })).toString('base64url');
    const server = await provider(({ path }, count) => {
      if (path === '/token') return { json: { access_token: `e30.${claims(clock.now() + 500_000)}.${plainCanary(`jwt ${count}`)}` } };
      return { json: path === '/introspect' ? { active: true, exp: (clock.now() + 200_000) / 1000 } : {} };
    });
    const token = "type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token'";
    const introspected = `auth:
  app:
    ${token.replaceAll(', ', '\n    ')}
    steps:
      - token
      - name: introspect
        post: https://auth.acme.test/introspect
        encode: form
        body: { token: '\${token.access_token}' }
        expect: \${response.body.active == true}
        expires: { at: exp, as: epoch, of: token }`;
    const byItself = `auth: { app: { ${token}, token: { expires: { jwt: access_token } } } }`;
    const fields = { client_id: 'app', client_secret: canary('introspected') };
    for (const [auth, life] of [[introspected, 200] as const, [byItself, 500] as const]) {
      server.received.length = 0;
      await using connection = await used(auth, server.origin, fields, { clock });
      const ask = async (): Promise<number> => {
        await connection.http.get('/me').json();
        return server.received.filter(({ path }) => path === '/token').length;
      };
      expect(await ask()).toBe(1);
      clock.advance((life - 70) * 1000);
      expect(await ask()).toBe(1);
      clock.advance(11_000);
      expect(await ask()).toBe(2);
    }
  });
});

it('a call that names a token itself is sent again with the new one: a check, and each page of a stream', async () => {
  let good = 1;
  const server = await provider(({ path, body, headers }, count) => {
    if (path === '/token') {
      good = count;
      return { json: { access_token: plainCanary(`named ${count}`), expires_in: 6000 } };
    }
    const given = path === '/v1/me' ? JSON.parse(body).session : headers['x-user'];
    if (given !== plainCanary(`named ${good}`)) return { status: 401 };
    return { json: path === '/v1/me' ? { name: 'Jo' } : { data: [{ id: count }] } };
  });
  const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: 'https://api.acme.test/v1' }
auth: { app: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token', send: { headers: { Authorization: null } } } }
check: { post: /me, body: { session: '\${token.access_token}' }, account: name }
streams: { things: { get: /things, records: data, primary_key: [id], source: https://docs.acme.test, headers: { X-User: '\${token.access_token}' } } }`);
  const fields = { client_id: 'app', client_secret: canary('named') };
  await using connection = await connectSpec(spec, { fields }, addresses(server.origin));
  expect(await connection.check()).toMatchObject({ ok: true, account: 'Jo' });
  // The provider has ended the token: the next answer is 401, and the one after it good.
  good = 0;
  expect(await connection.check()).toMatchObject({ ok: true });
  good = 0;
  const read = [];
  for await (const record of connection.read('things')) read.push(record);
  expect(read).toEqual([{ id: 2 }]);
  expect(server.received.filter(({ path }) => path === '/token')).toHaveLength(3);
});

describe('answers', () => {
  const session = (step: string, send = "X-Session: '${token.session}'") =>
    `auth: { login: { type: session, steps: [{ name: login, post: 'https://auth.acme.test/login', ${step} }], send: { headers: { Authorization: null, ${send} } } } }`;
  const fields = { username: 'jo', password: canary('session') };

  it.each([
    [
      'a token that is the whole text',
      "body: { u: '${fields.username}' }, decode: text, capture: { session: $ }",
      { text: ` ${plainCanary('whole')}\n` },
      plainCanary('whole'),
    ],
    [
      'JSON text under another type',
      'body: {}, capture: { session: $ }, decode: json',
      { text: JSON.stringify(plainCanary('quoted')) },
      plainCanary('quoted'),
    ],
    [
      'XML',
      "encode: xml, body: '<login><u>${fields.username}</u><p>${fields.password}</p></login>', capture: { session: response.api.sessionid }",
      { text: `<response><api><sessionid>${plainCanary('xml')}</sessionid></api></response>`, headers: { 'content-type': 'text/xml' } },
      plainCanary('xml'),
    ],
    [
      'cookies',
      "body: {}, capture: { session: '${response.cookies.SID}' }",
      { json: {}, headers: { 'set-cookie': `SID=${plainCanary('cookie')}; Path=/; HttpOnly` } },
      plainCanary('cookie'),
    ],
    [
      'a header',
      'body: {}, capture: { session: \'${response.headers["x-token"]}\' }',
      { json: {}, headers: { 'x-token': plainCanary('header') } },
      plainCanary('header'),
    ],
  ])('%s', async (_, step, answer, expected) => {
    const server = await provider(({ path }) => (path === '/login' ? answer : { json: {} }));
    await using connection = await used(session(step), server.origin, fields, { clock: new FakeClock() });
    await connection.http.get('/me').json();
    expect(server.received[1]?.headers['x-session']).toBe(expected);
    expect(server.received[1]?.headers.authorization).toBeUndefined();
    if (step.includes('xml')) expect(server.received[0]?.body).toContain('<u>jo</u><p>CANARY');
    if (step.includes('xml')) expect(server.received[0]?.body).toContain('&quot;&amp;&lt;é</p>');
  });

  it.each([
    [
      'a 200 that means no',
      'body: {}, capture: { session: s }, expect: \'${response.body.result == "0000"}\'',
      { json: { result: '5001', s: 'x', message: 'locked out' } },
      'token_refused',
      'locked out',
    ],
    ['no XML where the spec says so', 'body: {}, decode: xml, capture: { session: a.b }', { text: 'oops' }, 'token_malformed', 'no xml'],
    [
      'XML with a document type',
      'body: {}, decode: xml, capture: { session: a.b }',
      { text: '<!DOCTYPE a [<!ENTITY b "c">]><a><b>&b;</b></a>' },
      'token_malformed',
      'no xml',
    ],
    ['a text where an object is wanted', 'body: {}, capture: { session: s }', { text: 'hello' }, 'token_malformed', 'no JSON object'],
  ])('%s is refused', async (_, step, answer, code, says) => {
    const server = await provider(({ path }) => (path === '/login' ? answer : { json: {} }));
    const connection = await used(session(step), server.origin, fields, { clock: new FakeClock() });
    await expect(connection.http.get('/me').json()).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
    await connection.close();
  });
});

describe('discovery', () => {
  const metadata = (more: object = {}) => ({
    issuer: 'https://auth.acme.test',
    authorization_endpoint: 'https://auth.acme.test/a',
    token_endpoint: 'https://auth.acme.test/t',
    registration_endpoint: 'https://auth.acme.test/r',
    ...more,
  });

  it('openid: the issuer names the token endpoint, once', async () => {
    const clock = new FakeClock();
    const server = await provider(({ path }, count) => ({
      json: path === '/.well-known/openid-configuration' ? metadata() : { access_token: plainCanary(`found ${count}`), expires_in: 600 },
    }));
    const auth = "auth: { app: { type: oauth2_client_credentials, issuer: 'https://auth.acme.test' } }";
    await using connection = await used(auth, server.origin, { client_id: 'app', client_secret: canary('found') }, { clock });
    await connection.http.get('/me').json();
    clock.advance(600_000);
    await connection.http.get('/me').json();
    expect(server.received.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration', '/t', '/v1/me', '/t', '/v1/me']);
  });

  it('resource: resource → issuer → endpoints → a client of its own → consent, with the resource named throughout', async () => {
    const clock = new FakeClock();
    const server = await provider((request) => {
      const { path } = request;
      if (path === '/.well-known/oauth-protected-resource/v1/mcp')
        return { json: { resource: 'https://api.acme.test/v1/mcp', authorization_servers: ['https://auth.acme.test/tenant'] } };
      if (path === '/.well-known/oauth-authorization-server/tenant') return { json: metadata({ issuer: 'https://auth.acme.test/tenant' }) };
      if (path === '/r') return { status: 201, json: { client_id: 'made-for-you', ...JSON.parse(request.body) } };
      return { json: path === '/t' ? { access_token: plainCanary('mcp'), refresh_token: plainCanary('mcp r'), expires_in: 600 } : {} };
    });
    const auth = `auth: { mcp: { type: oauth2_authorization_code, discovery: resource, resource: 'https://api.acme.test/v1/mcp', issuer_hosts: [auth.acme.test], registration: { client_name: Acme }, client_auth: none } }`;
    let opened = '';
    const consent: ConnectOptions['consent'] = (request) => {
      opened = request.authorizeUrl;
      return consenting({ code: 'c9' })(request);
    };
    await using connection = await used(auth, server.origin, {}, { clock, consent, redirectUri: 'http://127.0.0.1:1/cb' });
    await connection.http.get('/me').json();
    clock.advance(600_000);
    await connection.http.get('/me').json();
    const page = new URL(opened);
    expect(page.origin + page.pathname).toBe('https://auth.acme.test/a');
    expect(Object.fromEntries(page.searchParams)).toMatchObject({
      ...{ client_id: 'made-for-you', resource: 'https://api.acme.test/v1/mcp', redirect_uri: 'http://127.0.0.1:1/cb' },
      code_challenge_method: 'S256',
    });
    const registered = server.received.filter(({ path }) => path === '/r').map(({ body }) => JSON.parse(body));
    expect(registered).toEqual([
      {
        redirect_uris: ['http://127.0.0.1:1/cb'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        client_name: 'Acme',
      },
    ]);
    const asked = server.received.filter(({ path }) => path === '/t').map(form);
    expect(asked.map(({ grant_type }) => grant_type)).toEqual(['authorization_code', 'refresh_token']);
    for (const one of asked) expect(one).toMatchObject({ client_id: 'made-for-you', resource: 'https://api.acme.test/v1/mcp' });
    const verifier = asked[0]?.code_verifier ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(page.searchParams.get('code_challenge'));
  });

  it.each([
    ['another issuer', { issuer: 'https://evil.test' }, 'name another issuer'],
    ['an endpoint elsewhere', { token_endpoint: 'https://evil.test/t' }, 'evil.test, which the spec does not allow'],
    ['no endpoint', { token_endpoint: undefined }, 'token_endpoint'],
  ])('metadata with %s are refused before anything is sent there', async (_, more, says) => {
    const server = await provider(() => ({ json: metadata(more) }));
    const auth = "auth: { app: { type: oauth2_client_credentials, issuer: 'https://auth.acme.test', discovery: oauth } }";
    const connection = await used(
      auth,
      server.origin,
      { client_id: 'app', client_secret: canary('elsewhere') },
      { clock: new FakeClock() },
    );
    await expect(connection.http.get('/me').json()).rejects.toThrow(says);
    expect(server.received.map(({ path }) => path)).toEqual(['/.well-known/oauth-authorization-server']);
    await connection.close();
  });
});

describe('a person at another device (RFC 8628)', () => {
  const auth =
    "auth: { tv: { type: oauth2_device, device_authorization_url: 'https://auth.acme.test/device', token_url: 'https://auth.acme.test/token', scopes: [read], client_auth: none } }";
  const device = {
    device_code: plainCanary('device'),
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://auth.acme.test/go',
    expires_in: 60,
    interval: 5,
  };

  it('pending, slow_down, granted: waits as the server says', async () => {
    const clock = new FakeClock();
    const server = await provider(({ path }, count) => {
      if (path === '/device') return { json: device };
      if (path === '/token' && count <= 2) return { status: 400, json: { error: ['authorization_pending', 'slow_down'][count - 1] } };
      return { json: path === '/token' ? { access_token: plainCanary('tv'), expires_in: 600 } : {} };
    });
    const shown: unknown[] = [];
    await using connection = await used(auth, server.origin, { client_id: 'app' }, { clock, showCode: (request) => shown.push(request) });
    await connection.http.get('/me').json();
    expect(shown).toMatchObject([
      { userCode: 'WDJB-MJHT', verificationUri: 'https://auth.acme.test/go', expires: new Date('2026-01-02T03:05:05Z') },
    ]);
    expect(clock.slept).toEqual([5000, 5000, 10_000]);
    expect(form(server.received[0] as Received)).toEqual({ client_id: 'app', scope: 'read' });
    expect(form(server.received[1] as Received)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: plainCanary('device'),
      client_id: 'app',
    });
    expect(bearers(server)).toEqual([`Bearer ${plainCanary('tv')}`]);
  });

  it.each([
    ['access_denied', device, 'consent_denied'],
    ['expired_token', device, 'consent_denied'],
    ['authorization_pending', device, 'consent_denied'],
    ['invalid_client', device, 'token_refused'],
    ['nothing', { ...device, device_code: undefined }, 'token_malformed'],
    ['an end that is no number', { ...device, expires_in: 'soon' }, 'token_malformed'],
    ['a pace that is no number', { ...device, interval: 'often' }, 'token_malformed'],
    ['a page that is none', { ...device, verification_uri: 'javascript:alert(1)' }, 'token_malformed'],
  ])('%s ends it', async (error, answer, code) => {
    const server = await provider(({ path }) => (path === '/device' ? { json: answer } : { status: 400, json: { error } }));
    const connecting = used(auth, server.origin, { client_id: 'app' }, { clock: new FakeClock(), showCode: () => undefined });
    await expect(connecting).rejects.toMatchObject({ code });
  });
});

describe('an outage while the person is at another device (RFC 8628, 3.5)', () => {
  const auth =
    "auth: { tv: { type: oauth2_device, device_authorization_url: 'https://auth.acme.test/device', token_url: 'https://auth.acme.test/token', client_auth: none } }";
  const waiting = async (failures: number) => {
    const clock = new FakeClock();
    const server = await provider(({ path }, count) => {
      if (path === '/device')
        return { json: { device_code: plainCanary('out'), user_code: 'A', verification_uri: 'https://auth.acme.test/go', expires_in: 60 } };
      return count <= failures
        ? { status: 503 }
        : { json: path === '/token' ? { access_token: plainCanary('back'), expires_in: 600 } : {} };
    });
    const connecting = used(auth, server.origin, { client_id: 'app' }, { clock, showCode: () => undefined, retry: { countMax: 0 } });
    return { connecting, clock };
  };

  it('is asked again at half the pace each time', async () => {
    const { connecting, clock } = await waiting(2);
    await (await connecting).close();
    expect(clock.slept).toEqual([5000, 10_000, 20_000]);
  });

  it('is what is told in the end', async () => {
    const { connecting, clock } = await waiting(99);
    await expect(connecting).rejects.toMatchObject({ kind: 'transient', status: 503 });
    expect(clock.slept).toEqual([5000, 10_000, 20_000, 40_000]);
  });
});

describe('values that the callback brings', () => {
  const auth = `auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: \${token.accounts}/token
    authorize: { code: spapi_code, capture: { accounts: { path: '\${callback["accounts-server"]}', type: url, hosts: [auth.acme.test] } } }`;

  it('name the data centre of the token request', async () => {
    const server = await provider(({ path }) =>
      path === '/token' ? { json: { access_token: plainCanary('dc'), expires_in: 600 } } : { json: {} },
    );
    const consent = consenting({ spapi_code: 'c1', 'accounts-server': 'https://auth.acme.test' });
    await using connection = await used(
      auth,
      server.origin,
      { client_id: 'app', client_secret: canary('dc') },
      { clock: new FakeClock(), consent },
    );
    await connection.http.get('/me').json();
    expect(form(server.received[0] as Received)).toMatchObject({ code: 'c1', grant_type: 'authorization_code' });
  });

  it('never another host than the spec names', async () => {
    const server = await provider(() => ({ json: {} }));
    const consent = consenting({ spapi_code: 'c1', 'accounts-server': 'https://auth.acme.test.evil.test' });
    const connecting = used(auth, server.origin, { client_id: 'app', client_secret: canary('dc') }, { clock: new FakeClock(), consent });
    await expect(connecting).rejects.toMatchObject({ code: 'host_refused' });
    expect(server.received).toEqual([]);
  });
});

describe('requests that are signed one by one', () => {
  it('oauth1 in three legs (RFC 5849, 2)', async () => {
    const server = await provider(({ path }) => {
      const bodies: Record<string, string> = {
        '/request': `oauth_token=tmp&oauth_token_secret=${plainCanary('tmp')}&oauth_callback_confirmed=true`,
        '/access': `oauth_token=final&oauth_token_secret=${plainCanary('final')}`,
      };
      if (path === '/v1/gone') return { status: 401 };
      return bodies[path] === undefined ? { json: {} } : { text: bodies[path] as string };
    });
    const auth = `auth: { one: { type: oauth1, signature_method: PLAINTEXT, request_url: 'https://auth.acme.test/request', authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/access' } }`;
    let opened = '';
    const consent: ConnectOptions['consent'] = async (request) => {
      opened = request.authorizeUrl;
      return `${request.redirectUri}?oauth_token=tmp&oauth_verifier=v1`;
    };
    const secret = plainCanary('consumer');
    await using connection = await used(
      auth,
      server.origin,
      { consumer_key: 'ck', consumer_secret: secret },
      { clock: new FakeClock(), consent },
    );
    await connection.http.get('/me').json();
    expect(opened).toBe('https://auth.acme.test/authorize?oauth_token=tmp');
    const [first, second, third] = server.received.map(({ headers }) => headers.authorization ?? '');
    expect(first).toContain('oauth_callback="http%3A%2F%2Flocalhost%3A8765%2Fcallback"');
    expect(first).toContain(`oauth_signature="${secret}%26"`);
    expect(first).not.toContain('oauth_token=');
    expect(second).toContain('oauth_verifier="v1"');
    expect(second).toContain(`oauth_signature="${secret}%26${plainCanary('tmp')}"`);
    expect(third).toContain('oauth_token="final"');
    expect(third).toContain(`oauth_signature="${secret}%26${plainCanary('final')}"`);
    // Its end is the end of the grant: no new temporary token is asked for, since nobody is there to consent.
    await expect(connection.http.get('/gone').json()).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(server.received.map(({ path }) => path)).toEqual(['/request', '/access', '/v1/me', '/v1/gone']);
  });

  it('oauth1: a callback for another request is refused', async () => {
    const server = await provider(() => ({ text: 'oauth_token=tmp&oauth_token_secret=x' }));
    const auth = `auth: { one: { type: oauth1, request_url: 'https://auth.acme.test/request', authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/access' } }`;
    const consent: ConnectOptions['consent'] = async ({ redirectUri }) => `${redirectUri}?oauth_token=other&oauth_verifier=v1`;
    const connecting = used(
      auth,
      server.origin,
      { consumer_key: 'ck', consumer_secret: canary('other') },
      { clock: new FakeClock(), consent },
    );
    await expect(connecting).rejects.toMatchObject({ code: 'state_mismatch' });
  });

  it('digest: one challenge, then no more of them', async () => {
    const server = await provider(({ headers }) =>
      headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Digest realm="r", nonce="n1", qop="auth", algorithm=MD5' } }
        : { json: { ok: true } },
    );
    const password = canary('digest');
    await using connection = await used(
      'auth: { d: { type: digest } }',
      server.origin,
      { username: 'jo', password },
      { clock: new FakeClock() },
    );
    expect(await connection.http.get('/me', { searchParams: { a: 'b c' } }).json()).toEqual({ ok: true });
    expect(await connection.http.get('/me').json()).toEqual({ ok: true });
    const sent = server.received.map(({ headers }) => headers.authorization);
    expect(sent).toHaveLength(3);
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    for (const [at, uri, nc] of [
      [1, '/v1/me?a=b%20c', '00000001'],
      [2, '/v1/me', '00000002'],
    ] as const) {
      const { cnonce = '', response } = Object.fromEntries(
        [...(sent[at] ?? '').matchAll(/(\w+)="?([^",]*)"?/g)].map(([, name, value]) => [name, value]),
      );
      expect(sent[at]).toContain(`uri="${uri}"`);
      expect(response).toBe(md5(`${md5(`jo:r:${password}`)}:n1:${nc}:${cnonce}:auth:${md5(`GET:${uri}`)}`));
    }
  });

  it('digest: a wrong password is one clear error', async () => {
    const server = await provider(() => ({ status: 401, headers: { 'www-authenticate': 'Digest realm="r", nonce="n1", qop="auth"' } }));
    const connection = await used(
      'auth: { d: { type: digest } }',
      server.origin,
      { username: 'jo', password: canary('wrong') },
      { clock: new FakeClock() },
    );
    await expect(connection.http.get('/me').json()).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    expect(server.received.length).toBeLessThanOrEqual(3);
    await connection.close();
  });

  it('aws_sigv4: a role is assumed by a call that the keys sign, and signs all others', async () => {
    const clock = new FakeClock();
    const sts = (count: number) =>
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA${count}</AccessKeyId><SecretAccessKey>${plainCanary('role')}</SecretAccessKey><SessionToken>${plainCanary('session token')}</SessionToken><Expiration>${new Date(clock.now() + 900_000).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
    const server = await provider(({ path }, count) =>
      path === '/sts' ? { text: sts(count), headers: { 'content-type': 'text/xml' } } : { json: {} },
    );
    const credentials = 'AssumeRoleResponse.AssumeRoleResult.Credentials';
    const auth = `auth:
  role:
    type: aws_sigv4
    service: execute-api
    region: eu-west-1
    fields: { role: {} }
    steps:
      - name: assume
        post: https://auth.acme.test/sts
        encode: form
        body: { Action: AssumeRole, Version: '2011-06-15', RoleArn: '\${fields.role}', RoleSessionName: ferrule }
        sign: { service: sts, region: us-east-1 }
        capture: { access_key_id: { path: ${credentials}.AccessKeyId, secret: false }, secret_access_key: ${credentials}.SecretAccessKey, session_token: ${credentials}.SessionToken }
        expires: { at: ${credentials}.Expiration, as: iso }`;
    const fields = { access_key_id: 'AKIA1', secret_access_key: canary('long-lived'), role: 'arn:x' };
    await using connection = await used(auth, server.origin, fields, { clock });
    await connection.http.get('/me').json();
    clock.advance(880_000);
    await connection.http.get('/me').json();
    const signed = server.received.map(({ path, headers }) => [
      path,
      /Credential=([^,]+)/.exec(headers.authorization ?? '')?.[1],
      headers['x-amz-security-token'],
    ]);
    expect(signed).toEqual([
      ['/sts', 'AKIA1/20260102/us-east-1/sts/aws4_request', undefined],
      ['/v1/me', 'ASIA1/20260102/eu-west-1/execute-api/aws4_request', plainCanary('session token')],
      ['/sts', 'AKIA1/20260102/us-east-1/sts/aws4_request', undefined],
      ['/v1/me', 'ASIA2/20260102/eu-west-1/execute-api/aws4_request', plainCanary('session token')],
    ]);
  });

  it('custom: send signs the request as it leaves: query sorted, body bytes, other headers', async () => {
    const server = await provider(() => ({ json: {} }));
    const secret = canary('hmac');
    const auth = `auth:
  keys:
    type: custom
    fields: { secret: { secret: true } }
    vars:
      date: \${http_date(now)}
      signed: '\${[vars.date, request.method, request.host, request.path, request.params, request.headers["content-type"], request.body_sha256, string(request.body_length)].join("\\n")}'
    send: { headers: { Date: '\${vars.date}', X-Signature: '\${hex(hmac("sha256", fields.secret, vars.signed))}' } }`;
    await using connection = await used(auth, server.origin, { secret }, { clock: new FakeClock() });
    const text = 'grüße\u0000';
    await connection.http
      .post('/me', { searchParams: { b: '2', a: '1 x' }, body: Buffer.from(text), headers: { 'content-type': 'text/plain' } })
      .text();
    const bytes = Buffer.from(text);
    const signed = [
      'Fri, 02 Jan 2026 03:04:05 GMT',
      'POST',
      'api.acme.test',
      '/v1/me',
      'a=1%20x&b=2',
      'text/plain',
      createHash('sha256').update(bytes).digest('hex'),
      bytes.length,
    ].join('\n');
    expect(server.received[0]?.headers['x-signature']).toBe(createHmac('sha256', secret).update(signed).digest('hex'));
  });

  it('wsse: a digest of nonce, time and password', async () => {
    const server = await provider(() => ({ json: {} }));
    const password = canary('wsse');
    await using connection = await used(
      'auth: { w: { type: wsse } }',
      server.origin,
      { username: 'jo', password },
      { clock: new FakeClock() },
    );
    await connection.http.get('/me').json();
    const header = String(server.received[0]?.headers['x-wsse']);
    const {
      Username,
      PasswordDigest,
      Nonce = '',
      Created,
    } = Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    expect([Username, Created]).toEqual(['jo', '2026-01-02T03:04:05Z']);
    const nonce = Buffer.from(Nonce, 'base64');
    expect(PasswordDigest).toBe(
      createHash('sha1')
        .update(Buffer.concat([nonce, Buffer.from(`${Created}${password}`)]))
        .digest('base64'),
    );
  });
});

describe('token requests of other grants', () => {
  it.each([
    ['oauth2_password', {}, { grant_type: 'password', username: 'jo', password: canary('password grant') }],
    [
      'oauth2_token_exchange',
      { subject_token_type: "'urn:ietf:params:oauth:token-type:jwt'" },
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: canary('subject'),
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      },
    ],
  ])('%s', async (type, more, expected) => {
    const server = await provider(({ path }) =>
      path === '/token' ? { json: { access_token: plainCanary(type), expires_in: 60 } } : { json: {} },
    );
    const extra = Object.entries(more).map(([key, value]) => `, ${key}: ${value}`);
    const auth = `auth: { g: { type: ${type}, token_url: 'https://auth.acme.test/token', client_auth: basic, scopes: [a, b]${extra.join('')} } }`;
    const { grant_type: _, subject_token_type: __, ...own } = expected as Record<string, string>;
    await using connection = await used(
      auth,
      server.origin,
      { client_id: 'app', client_secret: plainCanary('basic half'), ...own },
      { clock: new FakeClock() },
    );
    await connection.http.get('/me').json();
    expect(form(server.received[0] as Received)).toEqual({ ...expected, scope: 'a b' });
    expect(server.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`app:${plainCanary('basic half')}`).toString('base64')}`);
  });
});

it('a provider’s own names for the client, and an answer in its own shape', async () => {
  const server = await provider(({ path }) =>
    path === '/token' ? { json: { data: { accessToken: plainCanary('renamed'), expiresInMs: 60_000 } } } : { json: {} },
  );
  const auth = `auth:
  app:
    type: oauth2_client_credentials
    token_url: https://auth.acme.test/token
    token:
      encode: json
      body: { grant_type: null, client_id: null, client_secret: null, app_id: '\${fields.client_id}', secret: '\${fields.client_secret}' }
      capture: { access_token: data.accessToken }
      expires: { in: data.expiresInMs, as: ms }`;
  const secret = canary('renamed secret');
  await using connection = await used(auth, server.origin, { client_id: 'a1', client_secret: secret }, { clock: new FakeClock() });
  await connection.http.get('/me').json();
  expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({ app_id: 'a1', secret });
  expect(bearers(server)).toEqual([`Bearer ${plainCanary('renamed')}`]);
});

describe('what the app has, for all accounts', () => {
  const auth = `auth: { oauth: { ${CODE}, client_auth: basic } }`;
  const answering = () =>
    provider(({ path }) => (path === '/token' ? { json: { access_token: plainCanary('app token'), expires_in: 600 } } : { json: {} }));

  it('is used and never stored', async () => {
    const server = await answering();
    const store = memoryStore();
    const app = { client_id: 'ours', client_secret: plainCanary('app secret') };
    await using connection = await used(
      auth,
      server.origin,
      {},
      { clock: new FakeClock(), consent: consenting({ code: 'c1' }), app, store, name: 'jo' },
    );
    await connection.http.get('/me').json();
    expect(server.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`ours:${plainCanary('app secret')}`).toString('base64')}`);
    expect((await store.get('jo'))?.fields).toEqual({});
  });

  it('may come from the environment', async () => {
    const server = await answering();
    const environment = { FERRULE_APP_ACME_CLIENT_ID: 'ours', FERRULE_APP_ACME_CLIENT_SECRET: plainCanary('app secret') };
    await using connection = await used(
      auth,
      server.origin,
      {},
      { clock: new FakeClock(), consent: consenting({ code: 'c1' }), environment },
    );
    await connection.http.get('/me').json();
    expect(server.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`ours:${plainCanary('app secret')}`).toString('base64')}`);
  });

  it.each([
    [{ client_idd: 'x' }, 'Did you mean "client_id"?'],
    [{ username: 'x' }, 'They are: client_id, client_secret.'],
  ])('%j is no field of it', async (app, next) => {
    const server = await answering();
    const connecting = used(
      auth,
      server.origin,
      {},
      { clock: new FakeClock(), consent: consenting({ code: 'c1' }), app: app as Record<string, string> },
    );
    await expect(connecting).rejects.toMatchObject({ code: 'input_unknown', next: expect.stringContaining(next) });
  });
});

it('a published key set verifies what a JWK signs', async () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(pair.privateKey)), kid: 'e1' };
  const server = await provider(() => ({ json: {} }));
  const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: 'https://api.acme.test/v1' }
auth: { key: { type: jwt, fields: { jwk: { secret: true } }, jwt: { alg: ES256, key: '\${fields.jwk}', claims: { sub: me } } } }
check: { get: /me }`);
  await using connection = await connectSpec(spec, { fields: { jwk: JSON.stringify(jwk) } }, addresses(server.origin));
  await connection.http.get('/me').json();
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'e1', alg: 'ES256' }] });
  const { payload } = await jwtVerify((bearers(server)[0] ?? '').slice(7), keys);
  expect(payload.sub).toBe('me');
});
