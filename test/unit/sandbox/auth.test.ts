import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../../../framework/core/clock.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { canary, plainCanary } from '../../canary.ts';
import { at, basic, bearer, connector, type Got, type Sending, send, spec } from './wire.ts';

const open: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

async function start(document: Parameters<typeof startSandbox>[0], options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(document, options);
  open.push(sandbox);
  return sandbox;
}

const stopped = (): { clock: Clock; pass(seconds: number): void } => {
  let now = Date.UTC(2026, 0, 1);
  const pass = (seconds: number): void => {
    now += seconds * 1000;
  };
  return { clock: { now: () => now, sleep: () => Promise.resolve() }, pass };
};

/** Runs curl and gives the status. */
async function curl(...args: string[]): Promise<number> {
  const { stdout } = await promisify(execFile)('curl', [
    '--silent',
    '--output',
    '/dev/null',
    '--write-out',
    '%{http_code}',
    '--noproxy',
    '*',
    ...args,
  ]);
  return Number(stdout);
}

const acme = (auth: string, more = ''): string => `
spec: 1
name: acme
title: Acme
version: 1.0.0
auth: ${auth}
http: { base_url: https://api.acme.com/v1${more} }
streams:
  things: { get: /things, primary_key: [id], columns: { id: integer } }
`;
const THINGS = 'https://api.acme.com/v1/things';

describe('no credential', () => {
  it('answers everybody', async () => {
    const sandbox = await start(spec(acme('{ open: { type: none } }')));
    expect(await curl(`${sandbox.origin}/v1/things`)).toBe(200);
  });
});

describe('basic (RFC 7617), by curl', () => {
  const user = 'ana';
  const password = canary('basic');
  const url = (sandbox: Sandbox): string => `${sandbox.origin}/rest/v1/users/current`;
  const right = ['--user', `${user}:${password}`];

  it.each<[string, string[], number]>([
    ['right', right, 200],
    ['another password', ['--user', `${user}:other`], 401],
    ['another user', ['--user', `eve:${password}`], 401],
    ['both exchanged', ['--user', `${password}:${user}`], 401],
    ['no password', ['--user', `${user}:`], 401],
    ['nothing', [], 401],
    ['another scheme', ['--header', `Authorization: Bearer ${plainCanary('basic')}`], 401],
    ['no base64', ['--header', `Authorization: Basic ${user}:x`], 401],
  ])('%s', async (_, args, status) => {
    const sandbox = await start(await connector('jama-connect'), { method: 'basic', fields: { username: user, password } });
    expect(await curl(...args, url(sandbox))).toBe(status);
  });

  it('used twice: still good; revoked: refused', async () => {
    const sandbox = await start(await connector('jama-connect'), { fields: { username: user, password } });
    expect([await curl(...right, url(sandbox)), await curl(...right, url(sandbox))]).toEqual([200, 200]);
    expect(sandbox.revoke(password)).toBe(true);
    expect(await curl(...right, url(sandbox))).toBe(401);
    expect(sandbox.revoke('never issued')).toBe(false);
  });

  it('one half may be blank or fixed', async () => {
    const blank = await start(spec(acme('{ key: { type: basic, fields: { password: null } } }')), { fields: { username: user } });
    expect(await curl('--user', `${user}:`, `${blank.origin}/v1/things`)).toBe(200);
    expect(await curl('--user', `${user}:x`, `${blank.origin}/v1/things`)).toBe(401);
    const fixed = await start(spec(acme('{ key: { type: basic, fields: { username: { value: api } } } }')), { fields: { password } });
    expect(await curl('--user', `api:${password}`, `${fixed.origin}/v1/things`)).toBe(200);
    expect(await curl('--user', `${user}:${password}`, `${fixed.origin}/v1/things`)).toBe(401);
  });

  it('says how to authenticate, in the provider’s own shape', async () => {
    const sandbox = await start(await connector('jama-connect'), { method: 'basic' });
    const got = await send(sandbox, 'https://acme.jamacloud.com/rest/v1/users/current');
    expect([got.status, got.headers['www-authenticate'], at(got.body, 'meta', 'message')]).toEqual([
      401,
      'Bearer realm="jama-connect", Basic realm="jama-connect", charset="UTF-8"',
      'No credential was sent',
    ]);
  });
});

describe('api_key and bearer, by curl', () => {
  const key = plainCanary('key');
  const IN_HEADER = "{ key: { type: api_key, send: { headers: { X-Key: 'Key ${fields.api_key}' } } } }";
  const IN_QUERY = "{ key: { type: api_key, send: { query: { key: '${fields.api_key}' } } } }";
  const BEARER = '{ key: { type: bearer } }';

  it.each<[string, string, string, string[], number]>([
    ['header: right', IN_HEADER, '', ['-H', `X-Key: Key ${key}`], 200],
    ['header: without its prefix', IN_HEADER, '', ['-H', `X-Key: ${key}`], 401],
    ['header: another key', IN_HEADER, '', ['-H', 'X-Key: Key other'], 401],
    ['header: in the query', IN_HEADER, `?X-Key=Key%20${key}`, [], 401],
    ['header: missing', IN_HEADER, '', [], 401],
    ['query: right', IN_QUERY, `?key=${key}`, [], 200],
    ['query: another key', IN_QUERY, '?key=other', [], 401],
    ['query: missing', IN_QUERY, '', [], 401],
    ['bearer: right', BEARER, '', ['-H', `Authorization: Bearer ${key}`], 200],
    ['bearer: without the word', BEARER, '', ['-H', `Authorization: ${key}`], 401],
    ['bearer: another token', BEARER, '', ['-H', 'Authorization: Bearer other'], 401],
    ['bearer: missing', BEARER, '', [], 401],
  ])('%s', async (_, auth, query, args, status) => {
    const field: Record<string, string> = auth === BEARER ? { token: key } : { api_key: key };
    const sandbox = await start(spec(acme(auth)), { fields: field });
    const url = `${sandbox.origin}/v1/things${query}`;
    expect(await curl(...args, url)).toBe(status);
    expect(await curl(...args, url)).toBe(status);
    sandbox.revoke(key);
    expect(await curl(...args, url)).toBe(401);
  });
});

describe('oauth2_client_credentials (RFC 6749, 4.4)', () => {
  const id = 'client 1:a';
  const secret = canary('client');
  const TOKEN = 'https://auth.acme.com/token';
  const auth = (place: string): string =>
    `{ app: { type: oauth2_client_credentials, token_url: ${TOKEN}, client_auth: ${place}, scopes: [read, write] } }`;
  const form = { grant_type: 'client_credentials', scope: 'read write' };
  const body = { ...form, client_id: id, client_secret: secret };
  // RFC 6749, 2.3.1: both halves are form-encoded first.
  const encoded = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);
  const header = basic(encoded(id), encoded(secret));

  it.each<[string, string, Sending, number, string | undefined]>([
    ['post: right', 'post', { form: body }, 200, undefined],
    ['post: in the header', 'post', { form, headers: header }, 401, 'invalid_client'],
    ['post: another secret', 'post', { form: { ...body, client_secret: 'x' } }, 401, 'invalid_client'],
    ['post: another id', 'post', { form: { ...body, client_id: 'x' } }, 401, 'invalid_client'],
    ['post: no secret', 'post', { form: { ...form, client_id: id } }, 401, 'invalid_client'],
    ['post: as JSON', 'post', { json: body }, 400, 'invalid_request'],
    ['post: a parameter twice', 'post', { form: [...Object.entries(body), ['scope', 'read']] }, 400, 'invalid_request'],
    ['post: a stray parameter', 'post', { form: { ...body, redirect_uri: 'x' } }, 400, 'invalid_request'],
    ['post: no grant type', 'post', { form: { client_id: id, client_secret: secret } }, 400, 'invalid_request'],
    ['post: another grant type', 'post', { form: { ...body, grant_type: 'password' } }, 400, 'unsupported_grant_type'],
    ['post: another scope', 'post', { form: { ...body, scope: 'read admin' } }, 400, 'invalid_scope'],
    ['post: no scope', 'post', { form: { grant_type: 'client_credentials', client_id: id, client_secret: secret } }, 400, 'invalid_scope'],
    ['post: by GET', 'post', { method: 'GET' }, 405, 'invalid_request'],
    ['basic: right', 'basic', { form, headers: header }, 200, undefined],
    ['basic: not form-encoded', 'basic', { form, headers: basic(id, secret) }, 401, 'invalid_client'],
    ['basic: in the body', 'basic', { form: body }, 401, 'invalid_client'],
    ['basic: in both', 'basic', { form: body, headers: header }, 401, 'invalid_client'],
    ['basic: another secret', 'basic', { form, headers: basic(encoded(id), 'x') }, 401, 'invalid_client'],
    ['basic: nothing', 'basic', { form }, 401, 'invalid_client'],
    ['none: right', 'none', { form: { ...form, client_id: id } }, 200, undefined],
    ['none: with a secret', 'none', { form: body }, 401, 'invalid_client'],
  ])('%s', async (_, place, sending, status, error) => {
    const sandbox = await start(spec(acme(auth(place))), { fields: { client_id: id, client_secret: secret } });
    const got = await send(sandbox, TOKEN, sending);
    expect([got.status, at(got.body, 'error')]).toEqual([status, error]);
    expect(got.headers['cache-control']).toBe('no-store');
  });

  it('query: right there, refused in the body', async () => {
    const sandbox = await start(spec(acme(auth('query'))), { fields: { client_id: id, client_secret: secret } });
    const query = new URLSearchParams({ client_id: id, client_secret: secret });
    expect((await send(sandbox, `${TOKEN}?${query}`, { form })).status).toBe(200);
    expect((await send(sandbox, TOKEN, { form: body })).status).toBe(401);
  });

  it('a token: good, again good, wrong, expired, revoked; the secret revoked', async () => {
    const { clock, pass } = stopped();
    const sandbox = await start(spec(acme(auth('post'))), { clock, tokenLifetime: 100, fields: { client_id: id, client_secret: secret } });
    const issue = async (): Promise<string> => at((await send(sandbox, TOKEN, { form: body })).body, 'access_token') as string;
    const use = async (token: string): Promise<[number, string | undefined]> => {
      const { status, headers } = await send(sandbox, THINGS, { headers: bearer(token) });
      return [status, headers['www-authenticate']];
    };
    const refused = [401, 'Bearer realm="acme", error="invalid_token"'];
    const answer = await send(sandbox, TOKEN, { form: body });
    expect(answer.body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 100, scope: 'read write' });
    const token = at(answer.body, 'access_token') as string;
    expect([(await use(token))[0], (await use(token))[0]]).toEqual([200, 200]);
    expect(await use('other')).toEqual(refused);
    expect((await send(sandbox, THINGS)).headers['www-authenticate']).toBe('Bearer realm="acme"');
    pass(99);
    expect((await use(token))[0]).toBe(200);
    pass(1);
    expect(await use(token)).toEqual(refused);
    const revoked = await issue();
    sandbox.revoke(revoked);
    expect(await use(revoked)).toEqual(refused);
    const ended = await issue();
    sandbox.expire();
    expect(await use(ended)).toEqual(refused);
    sandbox.revoke(secret);
    expect(at((await send(sandbox, TOKEN, { form: body })).body, 'error')).toBe('invalid_client');
  });

  it('takes curl by path alone, and puts the provider’s words where its token errors have them', async () => {
    const sandbox = await start(await connector('jampp'), { fields: { client_id: id, client_secret: secret } });
    const form = ['grant_type=client_credentials', `client_id=${id}`].flatMap((pair) => ['--data-urlencode', pair]);
    const url = `${sandbox.origin}/v1/oauth/token`;
    expect(await curl(...form, '--data-urlencode', `client_secret=${secret}`, url)).toBe(200);
    const wrong = await send(sandbox, 'https://auth.jampp.com/v1/oauth/token', {
      form: { grant_type: 'client_credentials', client_id: id, client_secret: 'x' },
    });
    expect([wrong.status, at(wrong.body, 'error', 'message')]).toEqual([401, 'wrong client secret']);
  });
});

describe('oauth2_authorization_code (RFC 6749, 4.1; RFC 7636)', () => {
  const AUTHORIZE = 'https://accounts.acme.com/authorize';
  const TOKEN = 'https://accounts.acme.com/token';
  const id = 'acme-client';
  const secret = canary('code-client');
  const redirect = 'http://127.0.0.1:8765/callback';
  const verifier = plainCanary('verifier').padEnd(64, '~');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const auth = (more = ''): string =>
    `{ web: { type: oauth2_authorization_code, authorize_url: '${AUTHORIZE}', token_url: '${TOKEN}', scopes: [read]${more} } }`;
  const asked = {
    client_id: id,
    redirect_uri: redirect,
    response_type: 'code',
    scope: 'read',
    state: 'st/ate 1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };

  async function web(more = '', options: SandboxOptions = {}): Promise<Sandbox> {
    return start(spec(acme(auth(more))), { fields: { client_id: id, client_secret: secret }, ...options });
  }
  const authorize = (sandbox: Sandbox, changes: Record<string, string | undefined> = {}): Promise<Got> => {
    const query = Object.entries({ ...asked, auto: 'accept', ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return send(sandbox, `${AUTHORIZE}?${new URLSearchParams(query)}`);
  };
  const callback = (got: Got): Record<string, string> => Object.fromEntries(new URL(got.headers.location!).searchParams);
  const redeem = (sandbox: Sandbox, code: string, changes: Record<string, string | undefined> = {}): Promise<Got> => {
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      client_id: id,
      client_secret: secret,
      code_verifier: verifier,
    };
    return send(sandbox, TOKEN, {
      form: Object.entries({ ...form, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    });
  };
  const refresh = (sandbox: Sandbox, token: string, changes: Record<string, string> = {}): Promise<Got> =>
    send(sandbox, TOKEN, { form: { grant_type: 'refresh_token', refresh_token: token, client_id: id, client_secret: secret, ...changes } });
  const use = async (sandbox: Sandbox, token: unknown): Promise<number> =>
    (await send(sandbox, THINGS, { headers: bearer(String(token)) })).status;
  const connected = async (sandbox: Sandbox): Promise<{ code: string; access_token: string; refresh_token: string }> => {
    const { code = '' } = callback(await authorize(sandbox));
    return { code, ...((await redeem(sandbox, code)).body as { access_token: string; refresh_token: string }) };
  };

  it.each<[string, Record<string, string | undefined>, number, string | undefined]>([
    ['right', {}, 302, undefined],
    ['denied', { auto: 'deny' }, 302, 'access_denied'],
    ['another client: no redirect', { client_id: 'x' }, 400, undefined],
    ['no client: no redirect', { client_id: undefined }, 400, undefined],
    ['no redirect_uri: no redirect', { redirect_uri: undefined }, 400, undefined],
    ['plain http elsewhere: no redirect', { redirect_uri: 'http://evil.example.com/cb' }, 400, undefined],
    ['another response type', { response_type: 'token' }, 302, 'unsupported_response_type'],
    ['another scope', { scope: 'read admin' }, 302, 'invalid_scope'],
    ['no challenge', { code_challenge: undefined }, 302, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 302, 'invalid_request'],
    ['a stray parameter', { audience: 'x' }, 302, 'invalid_request'],
  ])('consent: %s', async (_, changes, status, error) => {
    const got = await authorize(await web(), changes);
    expect(got.status).toBe(status);
    if (status !== 302) return expect(got.headers.location).toBeUndefined();
    expect(callback(got)).toMatchObject({ state: 'st/ate 1', ...(error === undefined ? { code: expect.any(String) } : { error }) });
  });

  it('shows a page that curl can answer, once', async () => {
    const sandbox = await web();
    const page = await authorize(sandbox, { auto: undefined });
    const consent = /name="id" value="([^"]+)"/.exec(page.text)![1]!;
    expect([page.status, page.headers['content-type'], page.text.includes('Acme')]).toEqual([200, 'text/html; charset=utf-8', true]);
    const answer = (decision: string): Promise<Got> =>
      send(sandbox, `${sandbox.origin}/__sandbox/consent`, { form: { id: consent, decision } });
    const accepted = await answer('accept');
    expect([accepted.status, accepted.headers.location?.startsWith(`${redirect}?code=`)]).toEqual([302, true]);
    expect((await answer('accept')).status).toBe(400);
    const oob = await authorize(sandbox, { redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' });
    expect(oob.text).toContain('code: <code>');
  });

  it('knows only registered redirect URIs when there are some', async () => {
    const sandbox = await web('', { redirectUris: [redirect] });
    expect((await authorize(sandbox)).status).toBe(302);
    expect((await authorize(sandbox, { redirect_uri: `${redirect}/` })).status).toBe(400);
  });

  it.each<[string, Record<string, string | undefined>, number, string]>([
    ['another code', { code: 'x' }, 400, 'invalid_grant'],
    ['another redirect_uri', { redirect_uri: 'http://127.0.0.1:8766/callback' }, 400, 'invalid_grant'],
    ['another verifier', { code_verifier: plainCanary('other').padEnd(64, '~') }, 400, 'invalid_grant'],
    ['no verifier', { code_verifier: undefined }, 400, 'invalid_grant'],
    ['another secret', { client_secret: 'x' }, 401, 'invalid_client'],
    ['no secret', { client_secret: undefined }, 401, 'invalid_client'],
  ])('code: %s', async (_, changes, status, error) => {
    const sandbox = await web();
    const { code = '' } = callback(await authorize(sandbox));
    const got = await redeem(sandbox, code, changes);
    expect([got.status, at(got.body, 'error')]).toEqual([status, error]);
  });

  it('a code lives five minutes', async () => {
    const { clock, pass } = stopped();
    const sandbox = await web('', { clock });
    const [young, old] = [callback(await authorize(sandbox)).code!, callback(await authorize(sandbox)).code!];
    pass(299);
    expect((await redeem(sandbox, young)).status).toBe(200);
    pass(1);
    expect(at((await redeem(sandbox, old)).body, 'error')).toBe('invalid_grant');
  });

  it('a code used twice ends all that came from it', async () => {
    const sandbox = await web();
    const { code, access_token, refresh_token } = await connected(sandbox);
    expect(await use(sandbox, access_token)).toBe(200);
    expect(at((await redeem(sandbox, code)).body, 'error')).toBe('invalid_grant');
    expect(await use(sandbox, access_token)).toBe(401);
    expect(at((await refresh(sandbox, refresh_token)).body, 'error')).toBe('invalid_grant');
  });

  it('rotates: the old refresh token dies, and used again it ends the grant', async () => {
    const sandbox = await web(', refresh: { rotates: true }');
    const first = await connected(sandbox);
    const second = (await refresh(sandbox, first.refresh_token)).body as { access_token: string; refresh_token: string };
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await use(sandbox, second.access_token)).toBe(200);
    const again = await refresh(sandbox, first.refresh_token);
    expect([again.status, at(again.body, 'error')]).toEqual([400, 'invalid_grant']);
    expect(await use(sandbox, second.access_token)).toBe(401);
    expect(at((await refresh(sandbox, second.refresh_token)).body, 'error')).toBe('invalid_grant');
    expect(sandbox.tokens).toEqual({ access: [], refresh: [] });
  });

  it('does not rotate: the same refresh token comes again and works again', async () => {
    const sandbox = await web();
    const { refresh_token } = await connected(sandbox);
    expect(at((await refresh(sandbox, refresh_token)).body, 'refresh_token')).toBe(refresh_token);
    expect((await refresh(sandbox, refresh_token)).status).toBe(200);
    expect(at((await refresh(sandbox, refresh_token, { client_secret: 'x' })).body, 'error')).toBe('invalid_client');
    expect(at((await refresh(sandbox, 'x')).body, 'error')).toBe('invalid_grant');
    expect(sandbox.revoke(refresh_token)).toBe(true);
    expect(at((await refresh(sandbox, refresh_token)).body, 'error')).toBe('invalid_grant');
  });

  it('says who it is where the spec wants that (RFC 9207), also when it refuses', async () => {
    const sandbox = await web(", authorize: { iss: 'https://auth.acme.com/${fields.client_id}' }");
    const iss = `https://auth.acme.com/${id}`;
    expect(callback(await authorize(sandbox))).toMatchObject({ code: expect.any(String), iss });
    expect(callback(await authorize(sandbox, { auto: 'deny' }))).toMatchObject({ error: 'access_denied', iss });
    expect(callback(await authorize(sandbox, { scope: 'never heard of' }))).toMatchObject({ error: 'invalid_scope', iss });
    expect(callback(await authorize(await web()))).not.toHaveProperty('iss');
  });

  it('without PKCE refuses a challenge, and a public client has no secret', async () => {
    const sandbox = await web(', pkce: false, client_auth: none, fields: { client_secret: null }', { fields: { client_id: id } });
    expect(callback(await authorize(sandbox)).error).toBe('invalid_request');
    const { code = '' } = callback(await authorize(sandbox, { code_challenge: undefined, code_challenge_method: undefined }));
    expect((await redeem(sandbox, code, { code_verifier: undefined, client_secret: undefined })).status).toBe(200);
  });
});
