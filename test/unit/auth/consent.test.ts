import { createHash } from 'node:crypto';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { listenForCallback } from '../../../framework/auth/callback-server.ts';
import type { Consent } from '../../../framework/engine/connect.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { acme, addresses } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { fixedRandom } from '../../clock.ts';
import { type LocalServer, serve } from '../../server.ts';

const CODE = (more = '') =>
  acme(`auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize?tenant=7
    token_url: https://auth.acme.test/token
    scopes: [read, 'write:all']
${more}`);
const FIELDS = { client_id: 'app', client_secret: plainCanary('consent-secret') };
const REDIRECT = 'http://localhost:8765/callback';

let server: LocalServer;
beforeEach(async () => {
  server = await serve(({ path }) =>
    path === '/token'
      ? { json: { access_token: plainCanary('granted'), refresh_token: plainCanary('refresh'), expires_in: 60, scope: 'read' } }
      : { json: {} },
  );
});
afterEach(() => server.close());

const open = (consent: Consent, more = '', redirectUri = REDIRECT) =>
  connectSpec(CODE(more), { fields: FIELDS }, { ...addresses(server.origin), consent, redirectUri, random: fixedRandom() });

/** Answers as the browser would: to the redirect URI, with the state that was sent. */
const callback =
  (query: Record<string, string>): Consent =>
  async ({ authorizeUrl, redirectUri }) => {
    const state = new URL(authorizeUrl).searchParams.get('state') ?? '';
    return `${redirectUri}?${new URLSearchParams({ state, ...query })}`;
  };

const seen =
  (urls: string[], consent: Consent): Consent =>
  (request) => {
    urls.push(request.authorizeUrl);
    return consent(request);
  };

describe('the authorization request and its exchange', () => {
  it('is RFC 6749, 4.1 with state and PKCE S256', async () => {
    const opened: string[] = [];
    const code = plainCanary('code');
    const connection = await open(seen(opened, callback({ code })));
    await connection.close();
    const url = new URL(opened[0] ?? '');
    expect(url.origin + url.pathname).toBe('https://auth.acme.test/authorize');
    const query = Object.fromEntries(url.searchParams);
    expect(query).toEqual({
      tenant: '7',
      response_type: 'code',
      client_id: 'app',
      redirect_uri: REDIRECT,
      scope: 'read write:all',
      state: Buffer.alloc(24, 1).toString('base64url'),
      code_challenge: createHash('sha256').update(Buffer.alloc(48, 2).toString('base64url')).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(Object.fromEntries(new URLSearchParams(server.received[0]?.body))).toEqual({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      code_verifier: Buffer.alloc(48, 2).toString('base64url'),
      client_id: 'app',
      client_secret: FIELDS.client_secret,
    });
  });

  it('state, challenge and verifier are drawn for one consent alone; the callback of another one is refused', async () => {
    const opened: string[] = [];
    const own = { ...addresses(server.origin), redirectUri: REDIRECT };
    const once = (consent: Consent) => connectSpec(CODE(), { fields: FIELDS }, { ...own, consent: seen(opened, consent) });
    await (await once(callback({ code: plainCanary('first') }))).close();
    const [first] = opened.map((url) => new URL(url).searchParams.get('state') ?? '');
    await expect(once(callback({ code: plainCanary('first'), state: String(first) }))).rejects.toMatchObject({ code: 'state_mismatch' });
    for (const name of ['state', 'code_challenge']) {
      const drawn = opened.map((url) => new URL(url).searchParams.get(name) ?? '');
      expect(drawn[0]).not.toBe(drawn[1]);
      // 24 bytes, or the 32 of SHA-256.
      for (const one of drawn) expect(Buffer.from(one, 'base64url').length).toBe(name === 'state' ? 24 : 32);
    }
    expect(server.received.filter(({ path }) => path === '/token')).toHaveLength(1);
  });

  it('takes extra parameters, another code parameter, no PKCE', async () => {
    const opened: string[] = [];
    const more = `    pkce: false\n    authorize: { query: { prompt: consent, scope: null }, code: auth_code }`;
    const connection = await open(seen(opened, callback({ auth_code: plainCanary('other-code') })), more);
    await connection.close();
    const { searchParams } = new URL(opened[0] ?? '');
    expect([searchParams.get('prompt'), searchParams.get('code_challenge'), searchParams.get('scope')]).toEqual(['consent', null, null]);
    expect(new URLSearchParams(server.received[0]?.body).get('code')).toBe(plainCanary('other-code'));
  });

  it('takes another name for the state, in the page and in the callback', async () => {
    const opened: string[] = [];
    const more = '    authorize: { state: customField }';
    const sent = Buffer.alloc(24, 1).toString('base64url');
    const back = (name: string) => async () => `${REDIRECT}?code=${plainCanary('renamed')}&${name}=${sent}`;
    const connection = await open(seen(opened, back('customField')), more);
    await connection.close();
    const { searchParams } = new URL(opened[0] ?? '');
    expect([searchParams.get('customField'), searchParams.get('state')]).toEqual([sent, null]);
    await expect(open(back('state'), more)).rejects.toMatchObject({ code: 'state_mismatch', where: 'customField' });
    const bare = await open(async () => `customField=${sent}&code=${plainCanary('bare')}`, more);
    await bare.close();
    expect(server.received.map(({ body }) => new URLSearchParams(body).get('code'))).toEqual([plainCanary('renamed'), plainCanary('bare')]);
  });

  it("takes a code that was pasted alone, a bare query, and the person's own redirect URL", async () => {
    for (const [answer, redirect] of [
      [async () => ` ${plainCanary('pasted')}\n`, 'urn:ietf:wg:oauth:2.0:oob'],
      [
        async ({ authorizeUrl }: { authorizeUrl: string }) =>
          `?code=${plainCanary('pasted')}&state=${new URL(authorizeUrl).searchParams.get('state')}`,
        'https://acme.example.com/done',
      ],
    ] as const) {
      server.received.length = 0;
      const connection = await open(answer, '', redirect);
      await connection.close();
      const form = new URLSearchParams(server.received[0]?.body);
      expect([form.get('code'), form.get('redirect_uri')]).toEqual([plainCanary('pasted'), redirect]);
    }
  });

  it.each([
    ['a wrong state', callback({ state: 'other', code: 'x' }), REDIRECT, { code: 'state_mismatch', kind: 'auth' }],
    ['no state', async () => `${REDIRECT}?code=x`, REDIRECT, { code: 'state_mismatch' }],
    [
      'consent denied',
      callback({ error: 'access_denied', error_description: 'The user said no' }),
      REDIRECT,
      { code: 'consent_denied', providerCode: 'access_denied', provider: 'The user said no' },
    ],
    ['no code', callback({}), REDIRECT, { code: 'consent_denied', where: 'code' }],
    ['something else pasted', async () => 'not a code at all', REDIRECT, { code: 'input_malformed' }],
    [
      'a redirect without TLS elsewhere',
      callback({ code: 'x' }),
      'http://example.com/cb',
      { code: 'input_malformed', where: 'redirect_uri' },
    ],
    ['a redirect with a fragment', callback({ code: 'x' }), 'https://example.com/cb#x', { code: 'input_malformed', where: 'redirect_uri' }],
  ] as const)('refuses %s', async (_, consent, redirect, error) => {
    await expect(open(consent, '', redirect)).rejects.toMatchObject(error);
    expect(server.received).toHaveLength(0);
  });

  it('says what to do when there is neither token nor person, and which scopes were not granted', async () => {
    await expect(connectSpec(CODE(), { fields: FIELDS }, addresses(server.origin))).rejects.toMatchObject({
      code: 'reconnect_required',
      next: expect.stringContaining('ferrule connect'),
    });
    const connection = await open(callback({ code: 'x' }));
    const report = await connection.check();
    await connection.close();
    expect(report).toMatchObject({ ok: false, code: 'scope_missing' });
    expect(report.steps.at(-1)).toMatchObject({ name: 'scopes', ok: false, message: 'The provider did not grant: write:all' });
  });

  it.each([
    ['read write:all', ['read', 'write:all'], true],
    ['READ', ['read'], false],
    // OpenID Connect Core, 3.1.2.1 and 11: they ask for tokens beside the access token, and a refresh token came.
    ['read', ['read', 'openid', 'offline_access'], true],
    ['read', ['read', 'profile'], false],
  ])('granted "%s" for %p', async (granted, asked, ok) => {
    await server.close();
    server = await serve(({ path }) => ({
      json: path === '/token' ? { access_token: plainCanary('granted'), refresh_token: plainCanary('refresh'), scope: granted } : {},
    }));
    const spec = { ...CODE() };
    const oauth = { ...(spec.auth.oauth as object), scopes: asked };
    const changed = { ...spec, auth: { oauth: oauth as (typeof spec.auth)[string] } };
    const connection = await connectSpec(
      changed,
      { fields: FIELDS },
      { ...addresses(server.origin), consent: callback({ code: 'x' }), redirectUri: REDIRECT },
    );
    expect((await connection.check()).ok).toBe(ok);
    await connection.close();
  });
});

describe('who sent the callback (RFC 9207)', () => {
  /** Issuers with a slash at the end are common: Auth0's have one. */
  const ISSUER = 'https://auth.acme.test/';
  const DISCOVERED = acme(`auth: { oauth: { type: oauth2_authorization_code, issuer: 'https://auth.acme.test' } }`);
  const WRITTEN = CODE("    authorize: { iss: 'https://auth.acme.test/${fields.client_id}' }");

  const metadata = (more: object = {}) => ({
    issuer: ISSUER,
    authorization_endpoint: 'https://auth.acme.test/authorize',
    token_endpoint: 'https://auth.acme.test/token',
    ...more,
  });
  const asked = async (spec: typeof DISCOVERED, query: Record<string, string>, more: object = {}) => {
    await server.close();
    server = await serve(({ path }) => ({
      json: path.startsWith('/.well-known/') ? metadata(more) : { access_token: plainCanary('sender'), expires_in: 60 },
    }));
    return await connectSpec(spec, { fields: FIELDS }, { ...addresses(server.origin), consent: callback(query), redirectUri: REDIRECT });
  };
  const paths = () => server.received.map(({ path }) => path);
  const PROMISED = { authorization_response_iss_parameter_supported: true };

  it.each([
    ['named as the metadata write it', { iss: ISSUER }, PROMISED],
    ['not named, and not promised', {}, {}],
    ['named without a promise', { iss: ISSUER }, { authorization_response_iss_parameter_supported: false }],
  ])('the issuer %s: the code is exchanged', async (_, query, more) => {
    await (await asked(DISCOVERED, { code: plainCanary('sent'), ...query }, more)).close();
    expect(paths()).toEqual(['/.well-known/openid-configuration', '/token']);
  });

  it.each([
    ['another', { iss: 'https://honest.test' }, {}],
    ['the same but for the slash', { iss: 'https://auth.acme.test' }, {}],
    ['another, in a refusal', { error: 'access_denied', iss: 'https://honest.test' }, {}],
    ['none where one is promised', {}, PROMISED],
    ['an empty one', { iss: '' }, {}],
  ])('%s: the code is sent nowhere', async (_, query, more) => {
    await expect(asked(DISCOVERED, { code: plainCanary('mixed up'), ...query }, more)).rejects.toMatchObject({
      ...{ code: 'issuer_mismatch', kind: 'auth', where: 'iss' },
      message: expect.stringContaining(ISSUER),
    });
    expect(paths()).toEqual(['/.well-known/openid-configuration']);
  });

  it('without metadata the spec may say who it is, and then it must be named', async () => {
    await (await asked(WRITTEN, { code: plainCanary('written'), iss: 'https://auth.acme.test/app' })).close();
    expect(paths()).toEqual(['/token']);
    for (const query of [{}, { iss: 'https://auth.acme.test/other' }] as Record<string, string>[]) {
      await expect(asked(WRITTEN, { code: plainCanary('written'), ...query })).rejects.toMatchObject({ code: 'issuer_mismatch' });
      expect(paths()).toEqual([]);
    }
  });

  it.each(['http://auth.acme.test/authorize', 'javascript://auth.acme.test/%0aalert(1)'])(
    'a page that metadata put at %s is never opened',
    async (authorization_endpoint) => {
      await expect(asked(DISCOVERED, { code: plainCanary('plain') }, { authorization_endpoint })).rejects.toMatchObject({
        code: 'host_refused',
        message: expect.stringMatching(/capture authorization_endpoint .*the spec does not allow/),
      });
      expect(paths()).toEqual(['/.well-known/openid-configuration']);
    },
  );

  it('a token endpoint without TLS gets no code', async () => {
    const more = { token_endpoint: 'http://auth.acme.test/token' };
    await expect(asked(DISCOVERED, { code: plainCanary('plain') }, more)).rejects.toMatchObject({ kind: 'input' });
    expect(paths()).toEqual(['/.well-known/openid-configuration']);
  });
});

describe('the token that a code brings', () => {
  it.each(['DPoP', 'dpop', 'MAC'])('of type %s is refused: sent alone it would be refused, and seen', async (token_type) => {
    await server.close();
    server = await serve(() => ({ json: { access_token: plainCanary('bound'), token_type } }));
    await expect(open(callback({ code: plainCanary('bound code') }))).rejects.toMatchObject({
      code: 'token_bound',
      kind: 'auth',
      where: 'token',
    });
  });

  it.each(['bearer', 'BEARER', 'bot'])('of type %s goes into the header', async (token_type) => {
    await server.close();
    server = await serve(() => ({ json: { access_token: plainCanary('free'), token_type } }));
    await using connection = await open(callback({ code: plainCanary('free code') }));
    await connection.http.get('/me').json();
    expect(server.received.at(-1)?.headers.authorization).toBe(`Bearer ${plainCanary('free')}`);
    expect(server.received.at(-1)?.query.size).toBe(0);
  });
});

describe('the callback server', () => {
  const onTestEnd: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of onTestEnd.splice(0)) await end();
  });
  const freePort = async (): Promise<number> => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', () => resolve()));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  };

  it('takes one GET on its path and Host, and shows nothing of it', async () => {
    const redirect = `http://127.0.0.1:${await freePort()}/callback`;
    const listener = await listenForCallback(redirect, { timeout: 5000 });
    expect((await fetch(redirect.replace('callback', 'other'))).status).toBe(404);
    expect((await fetch(redirect, { method: 'POST' })).status).toBe(404);
    const page = await fetch(`${redirect}?code=abc&state=s`);
    expect([page.status, (await page.text()).includes('abc')]).toEqual([200, false]);
    expect(await listener.wait()).toBe(`${redirect}?code=abc&state=s`);
    await listener.close();
    await expect(fetch(redirect)).rejects.toThrow();
  });

  it('its page leads nowhere, takes nothing in, stands in no frame, and keeps its address to itself', async () => {
    const redirect = `http://127.0.0.1:${await freePort()}/callback`;
    const listener = await listenForCallback(redirect, { timeout: 5000 });
    onTestEnd.push(() => listener.close());
    for (const target of [`${redirect}?code=abc&state=s&next=https://evil.test`, redirect.replace('callback', 'other')]) {
      const page = await fetch(target, { redirect: 'manual' });
      expect(Object.fromEntries(page.headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-frame-options': 'DENY',
      });
      expect(page.headers.get('location')).toBeNull();
      expect(await page.text()).not.toMatch(/href|src=|<script|evil/);
    }
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
  (hasIpv6 ? it : it.skip)('localhost: both of its addresses are ours, or none', async () => {
    const port = await freePort();
    const redirect = `http://localhost:${port}/callback`;
    const listener = await listenForCallback(redirect, { timeout: 5000 });
    const asks = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        get({ host, port, path: '/callback?code=a', headers: { host: `localhost:${port}` } }, ({ statusCode }) => resolve(statusCode)).once(
          'error',
          reject,
        );
      });
    expect([await asks('::1'), await asks('127.0.0.1')]).toEqual([200, 200]);
    await listener.close();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '::1', () => resolve()));
    onTestEnd.push(() => new Promise((resolve) => other.close(() => resolve())));
    await expect(listenForCallback(redirect, { timeout: 5000 })).rejects.toMatchObject({ code: 'callback_port_taken' });
    await expect(asks('127.0.0.1')).rejects.toThrow('ECONNREFUSED');
  });

  it('waits on, whatever else is asked', async () => {
    const port = await freePort();
    const redirect = `http://127.0.0.1:${port}/callback`;
    const listener = await listenForCallback(redirect, { timeout: 5000 });
    const ask = (target: string, host = `127.0.0.1:${port}`) =>
      new Promise<number>((resolve, reject) => {
        const request = get({ port, host: '127.0.0.1', path: target, headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.once('error', reject);
      });
    onTestEnd.push(() => listener.close());
    const wrong = ['//', '//[', '///evil.test/callback?code=a', 'http://evil.test/callback?code=a', '*'];
    for (const target of wrong) expect([target, await ask(target)]).toEqual([target, 404]);
    // A page that has bound its own name to 127.0.0.1.
    expect(await ask('/callback?code=a', 'evil.test')).toBe(404);
    expect(await ask('/callback?code=b&state=s')).toBe(200);
    expect(await ask('/callback?code=c&state=s')).toBe(200);
    expect(await listener.wait()).toBe(`${redirect}?code=b&state=s`);
  });

  it('says so when its port is taken, when nobody comes, and when the caller gives up', async () => {
    const port = await freePort();
    const redirect = `http://localhost:${port}/callback`;
    const first = await listenForCallback(redirect, { timeout: 40 });
    await expect(listenForCallback(redirect, { timeout: 40 })).rejects.toMatchObject({
      code: 'callback_port_taken',
      message: expect.stringContaining(String(port)),
    });
    await expect(first.wait()).rejects.toMatchObject({ code: 'consent_timeout' });
    await first.close();
    const controller = new AbortController();
    const second = await listenForCallback(redirect, { timeout: 5000, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(second.wait()).rejects.toThrow('enough');
    await second.close();
  });
});
