import { FerruleError } from '../../../framework/core/errors.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import type { CredentialStore } from '../../../framework/credentials/types.ts';
import { connectSpec, connectStored } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { acme, addresses } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

const CLIENT = `auth: { oauth: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token' } }`;
const CODE = `auth: { oauth: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token', refresh: { rotates: true } } }`;
const FIELDS = { client_id: 'app', client_secret: plainCanary('client-secret') };

let server: LocalServer;
let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  connection = undefined;
  await server.close();
});

const tokenRequests = (): Received[] => server.received.filter(({ path }) => path === '/token');
const codeOf = (error: unknown): string => (error instanceof FerruleError ? error.code : String(error));

/** Answers token requests with `token`; the API wants the newest token that was issued. */
async function provider(token: (count: number, request: Received) => Answer | Promise<Answer>): Promise<void> {
  let issued = 0;
  server = await serve(async (request) => {
    if (request.path === '/token') {
      issued += 1;
      return token(issued, request);
    }
    const accepted = request.headers.authorization === `Bearer ${plainCanary(`access-${issued}`)}`;
    return accepted ? { json: { ok: issued } } : { status: 401, json: { message: 'bad token' } };
  });
}

const issue = (count: number, extra: object = {}): Answer => ({
  json: { access_token: plainCanary(`access-${count}`), token_type: 'Bearer', expires_in: 3600, ...extra },
});
const refreshTokenOf = async (store: CredentialStore, name: string): Promise<string | undefined> => {
  const token = (await store.get(name))?.captures.refresh_token;
  return token instanceof Secret ? token.reveal() : undefined;
};
const delayed = async (ms: number, answer: Answer): Promise<Answer> => {
  await soon(ms);
  return answer;
};
const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('one token request for any number of callers', () => {
  it('asks once for 1,000 callers without a token, and once for 1,000 whose token has ended', async () => {
    const clock = new FakeClock();
    await provider((count) => delayed(30, issue(count)));
    connection = await connectSpec(acme(CLIENT), { fields: FIELDS }, { ...addresses(server.origin), clock });
    const { http } = connection;
    const answers = await Promise.all(Array.from({ length: 1000 }, () => http.get('me').json()));
    expect(answers).toEqual(Array.from({ length: 1000 }, () => ({ ok: 1 })));
    expect(tokenRequests()).toHaveLength(1);
    // 3600 s less the margin of 60 s: at 3539 s the token still holds, at 3540 s it is renewed.
    clock.advance(3_539_000);
    await http.get('me');
    expect(tokenRequests()).toHaveLength(1);
    clock.advance(1_000);
    await Promise.all(Array.from({ length: 1000 }, () => http.get('me')));
    expect(tokenRequests()).toHaveLength(2);
  });

  it('asks once when that fails: one error for all', async () => {
    await provider(() => delayed(30, { status: 400, json: { error: 'invalid_client', error_description: 'no such client' } }));
    connection = await connectSpec(acme(CLIENT), { fields: FIELDS }, addresses(server.origin));
    const { http } = connection;
    const results = await Promise.allSettled(Array.from({ length: 1000 }, () => http.get('me')));
    expect(tokenRequests()).toHaveLength(1);
    const errors = new Set(results.map((result) => (result.status === 'rejected' ? result.reason : undefined)));
    expect(errors.size).toBe(1);
    const [error] = [...errors] as [FerruleError];
    expect(error).toMatchObject({
      code: 'token_refused',
      kind: 'auth',
      status: 400,
      provider: 'no such client',
      providerCode: 'invalid_client',
      where: 'fields.client_secret',
    });
  });

  it('goes on for the others when callers abort', async () => {
    await provider((count) => delayed(60, issue(count)));
    connection = await connectSpec(acme(CLIENT), { fields: FIELDS }, addresses(server.origin));
    const { http } = connection;
    const controller = new AbortController();
    const results = Promise.allSettled(
      Array.from({ length: 1000 }, (_, index) => http.get('me', index % 2 === 0 ? { signal: controller.signal } : {})),
    );
    await soon(20);
    controller.abort();
    const settled = await results;
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(500);
    const codes = new Set(settled.flatMap((result) => (result.status === 'rejected' ? [codeOf(result.reason)] : [])));
    expect([...codes]).toEqual(['aborted']);
    expect(tokenRequests()).toHaveLength(1);
  });

  it('renews once on 401, and not for an older token than the current one', async () => {
    let revoked = false;
    let first = true;
    server = await serve(async (request) => {
      if (request.path === '/token') return issue(first ? 1 : 2);
      if (request.path === '/v1/slow') await soon(80);
      if (revoked && request.headers.authorization === `Bearer ${plainCanary('access-1')}`)
        return { status: 401, json: { message: 'revoked' } };
      return { json: { token: request.headers.authorization === `Bearer ${plainCanary('access-2')}` ? 2 : 1 } };
    });
    connection = await connectSpec(acme(CLIENT), { fields: FIELDS }, addresses(server.origin));
    const { http } = connection;
    await http.get('me');
    revoked = true;
    first = false;
    const late = http.get('slow').json();
    const quick = await Promise.all([http.get('me').json(), http.get('me').json()]);
    expect(quick).toEqual([{ token: 2 }, { token: 2 }]);
    expect(await late).toEqual({ token: 2 });
    expect(tokenRequests()).toHaveLength(2);
  });
});

describe('refresh tokens', () => {
  const start = { access_token: plainCanary('access-0'), refresh_token: plainCanary('refresh-0'), expires_at: 0 };

  it('keeps the rotated token before it uses it; a second holder of the store asks for none', async () => {
    const store = memoryStore();
    let kept: unknown;
    server = await serve(async (request) => {
      if (request.path !== '/token') {
        kept ??= (await store.get('work'))?.captures.refresh_token?.toString();
        return { json: {} };
      }
      expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({
        grant_type: 'refresh_token',
        refresh_token: plainCanary('refresh-0'),
        client_id: 'app',
        client_secret: FIELDS.client_secret,
      });
      return issue(1, { refresh_token: plainCanary('refresh-1') });
    });
    connection = await connectSpec(acme(CODE), { fields: FIELDS, tokens: start }, { ...addresses(server.origin), store, name: 'work' });
    const other = await connectStored(acme(CODE), 'work', { ...addresses(server.origin), store });
    await Promise.all([connection.http.get('me'), other.http.get('me'), other.http.get('me')]);
    await other.close();
    expect(tokenRequests()).toHaveLength(1);
    expect(kept).toBe('[secret]');
    expect(await refreshTokenOf(store, 'work')).toBe(plainCanary('refresh-1'));
  });

  it('ends in one reconnect state when the grant is refused; nothing is asked again', async () => {
    const store = memoryStore();
    await provider(() => ({ status: 400, json: { error: 'invalid_grant', error_description: 'revoked by the user' } }));
    connection = await connectSpec(acme(CODE), { fields: FIELDS, tokens: start }, { ...addresses(server.origin), store, name: 'work' });
    for (let round = 0; round < 2; round += 1) {
      await expect(connection.http.get('me')).rejects.toMatchObject({ code: 'reconnect_required', kind: 'auth' });
    }
    expect(tokenRequests()).toHaveLength(1);
    expect((await store.get('work'))?.state).toBe('reconnect');
    const again = await connectStored(acme(CODE), 'work', { ...addresses(server.origin), store });
    await expect(again.http.get('me')).rejects.toMatchObject({ code: 'reconnect_required' });
    await again.close();
    expect(tokenRequests()).toHaveLength(1);
  });

  it('stays as it is in an outage, and never sends a rotating token twice in one renewal', async () => {
    await provider((count) => (count === 1 ? { status: 503, json: {} } : issue(count)));
    const clock = new FakeClock();
    const store = memoryStore();
    const options = { ...addresses(server.origin), clock, store, name: 'work' };
    connection = await connectSpec(acme(CODE), { fields: FIELDS, tokens: start }, options);
    await expect(connection.http.get('me')).rejects.toMatchObject({ code: 'server_failed', kind: 'transient' });
    expect(tokenRequests()).toHaveLength(1);
    expect((await store.get('work'))?.state).not.toBe('reconnect');
    clock.advance(1000);
    expect(await connection.http.get('me').json()).toEqual({ ok: 2 });
  });
});

describe('InitiateOAuth', () => {
  const token = { access_token: plainCanary('access-1') };
  it.each([
    ['OFF without a token', { obtain: false, refresh: false }, undefined, 0],
    ['OFF with a token that ended', { obtain: false, refresh: false }, { ...token, expires_at: 0 }, 0],
    ['REFRESH without a token', { obtain: false, refresh: true }, undefined, 0],
  ])('%s is refused before anything is sent', async (_, oauth, tokens, requests) => {
    await provider(issue);
    connection = await connectSpec(acme(CLIENT), { fields: FIELDS, ...(tokens && { tokens }) }, { ...addresses(server.origin), oauth });
    await expect(connection.http.get('me')).rejects.toMatchObject({ code: 'reconnect_required', where: 'InitiateOAuth' });
    expect(server.received).toHaveLength(requests);
  });

  it('OFF uses the token as long as it holds, REFRESH renews it', async () => {
    const clock = new FakeClock();
    server = await serve(({ path, headers }) => (path === '/token' ? issue(2) : { json: { sent: headers.authorization } }));
    const off = await connectSpec(
      acme(CLIENT),
      { fields: FIELDS, tokens: token },
      { ...addresses(server.origin), clock, oauth: { obtain: false, refresh: false } },
    );
    expect(await off.http.get('me').json()).toEqual({ sent: `Bearer ${plainCanary('access-1')}` });
    await off.close();
    const ended = { ...token, expires_at: clock.now() - 1 };
    connection = await connectSpec(
      acme(CLIENT),
      { fields: FIELDS, tokens: ended },
      { ...addresses(server.origin), clock, oauth: { obtain: false, refresh: true } },
    );
    expect(await connection.http.get('me').json()).toEqual({ sent: `Bearer ${plainCanary('access-2')}` });
  });
});

describe('what a token endpoint may answer', () => {
  const cases: [string, Answer, object | 'ok'][] = [
    ['201', { status: 201, ...issue(1) }, 'ok'],
    ['JSON as text/plain', { text: JSON.stringify((issue(1) as { json: unknown }).json) }, 'ok'],
    ['no expires_in', { json: { access_token: plainCanary('access-1') } }, 'ok'],
    ['expires_in as text', issue(1, { expires_in: '3600' }), 'ok'],
    ['expires_in that is no number', issue(1, { expires_in: 'soon' }), { code: 'token_malformed', kind: 'auth' }],
    ['HTML', { text: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } }, { code: 'token_malformed', kind: 'auth' }],
    ['nothing', {}, { code: 'token_malformed', kind: 'auth' }],
    ['a list', { json: [] }, { code: 'token_malformed' }],
    [
      '200 with an error',
      { json: { error: 'invalid_client', error_description: 'who?' } },
      { code: 'token_refused', providerCode: 'invalid_client', provider: 'who?' },
    ],
    ['200 without a token', { json: { token_type: 'Bearer' } }, { code: 'token_malformed' }],
    ['tokens nested elsewhere', { json: { data: { access_token: plainCanary('nested') } } }, { code: 'token_malformed' }],
    ['403', { status: 403, json: { message: 'blocked' } }, { code: 'token_refused', status: 403, provider: 'blocked' }],
    ['500', { status: 500, text: 'oops' }, { code: 'server_failed', kind: 'transient' }],
  ];

  it.each(cases)('%s', async (_, answer, outcome) => {
    const clock = new FakeClock();
    await provider(() => answer);
    connection = await connectSpec(acme(CLIENT), { fields: FIELDS }, { ...addresses(server.origin), clock });
    if (outcome === 'ok') expect(await connection.http.get('me').json()).toEqual({ ok: 1 });
    else await expect(connection.http.get('me')).rejects.toMatchObject(outcome);
    if (_ === '500') expect(tokenRequests()).toHaveLength(6); // client credentials may be asked for again: once and five retries
  });

  it('takes nested tokens, a lifetime in ms and a default lifetime where the spec says so', async () => {
    const clock = new FakeClock();
    await provider((count) => ({ json: { data: { access_token: plainCanary(`access-${count}`), ttl: 60_000 } } }));
    const spec = acme(`auth:
  oauth:
    type: oauth2_client_credentials
    token_url: https://auth.acme.test/token
    token: { capture: { access_token: data.access_token }, expires: { in: data.ttl, as: ms } }`);
    connection = await connectSpec(spec, { fields: FIELDS }, { ...addresses(server.origin), clock });
    await connection.http.get('me');
    clock.advance(29_000); // half of a life that is shorter than twice the margin
    await connection.http.get('me');
    expect(tokenRequests()).toHaveLength(1);
    clock.advance(1_000);
    await connection.http.get('me');
    expect(tokenRequests()).toHaveLength(2);
  });

  it('keeps every digit of a number beyond 2^53', async () => {
    const text = `{"access_token":"${plainCanary('access-1')}","user_id":17841400008460056}`;
    await provider(() => ({ text, headers: { 'content-type': 'application/json' } }));
    const spec = acme(CLIENT.replace("token' }", "token', token: { capture: { user_id: { path: user_id, secret: false } } } }"));
    connection = await connectSpec(spec, { fields: FIELDS }, addresses(server.origin));
    await connection.http.get('me');
    expect(connection.credential.captures.user_id).toBe('17841400008460056');
  });

  it.each([
    ['null', 'null', undefined],
    ['text', "'Key 1'", 'Key 1'],
  ])('an Authorization of the author’s own (%s) stands in the place of Basic, and needs no client', async (_, own, sent) => {
    await provider(issue);
    const token = `client_auth: basic, token: { headers: { authorization: ${own} }, body: { client_id: null } } }`;
    connection = await connectSpec(acme(CLIENT.replace("token' }", `token', ${token}`)), { fields: FIELDS }, addresses(server.origin));
    await connection.http.get('me');
    expect(tokenRequests().map(({ headers }) => headers.authorization)).toEqual([sent]);
  });

  it.each(['post', 'basic', 'query', 'none'])('shows the client by %s', async (how) => {
    await provider(issue);
    const odd = { client_id: 'app:1', client_secret: canary('odd-client-secret') };
    const spec = acme(CLIENT.replace("token' }", `token', client_auth: ${how}, scopes: [read, write] }`));
    const fields = how === 'none' ? { client_id: odd.client_id } : odd;
    connection = await connectSpec(spec, { fields }, addresses(server.origin));
    await connection.http.get('me');
    const [request] = tokenRequests() as [Received];
    const form = Object.fromEntries(new URLSearchParams(request.body));
    const both = { client_id: odd.client_id, client_secret: odd.client_secret };
    const grant = { grant_type: 'client_credentials', scope: 'read write' };
    expect(form).toEqual({ ...grant, ...(how === 'post' && both), ...(how === 'none' && { client_id: odd.client_id }) });
    expect(Object.fromEntries(request.query)).toEqual(how === 'query' ? both : {});
    // RFC 6749, 2.3.1: each half is form-encoded before they are joined.
    const pair = `app%3A1:${encodeURIComponent(odd.client_secret).replaceAll('%20', '+')}`;
    expect(request.headers.authorization).toBe(how === 'basic' ? `Basic ${Buffer.from(pair).toString('base64')}` : undefined);
  });
});

describe('steps', () => {
  const CHAIN = `auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: https://auth.acme.test/token
    refresh: { rotates: true }
    steps:
      - token
      - name: login
        post: https://auth.acme.test/login
        query: { access_token: '\${token.access_token}' }
        capture: { session: session }
        expires: { default: 10m }
    send: { headers: { Authorization: null, X-Session: '\${token.session}' } }`;
  const tokens = { access_token: plainCanary('a0'), refresh_token: plainCanary('r0'), expires_at: 0 };

  it('runs them in order, renews from the first that is due, and keeps a rotated token when a later step fails', async () => {
    const clock = new FakeClock();
    const store = memoryStore();
    let logins = 0;
    server = await serve((request) => {
      if (request.path === '/token') return issue(1, { refresh_token: plainCanary('r1') });
      if (request.path === '/login') {
        logins += 1;
        return logins === 1 ? { status: 503, json: {} } : { json: { session: plainCanary(`s${logins}`) } };
      }
      return { json: { session: request.headers['x-session'], authorization: request.headers.authorization ?? null } };
    });
    connection = await connectSpec(acme(CHAIN), { fields: FIELDS, tokens }, { ...addresses(server.origin), clock, store, name: 'chain' });
    await expect(connection.http.get('me')).rejects.toMatchObject({ kind: 'transient' });
    expect(await refreshTokenOf(store, 'chain')).toBe(plainCanary('r1'));
    clock.advance(1000);
    expect(await connection.http.get('me').json()).toEqual({ session: plainCanary('s2'), authorization: null });
    expect(tokenRequests()).toHaveLength(1);
    clock.advance(10 * 60_000); // the session ends, the token holds
    expect(await connection.http.get('me').json()).toMatchObject({ session: plainCanary('s3') });
    expect(tokenRequests()).toHaveLength(1);
  });
});
