import { reveal, type Secret } from '../../framework/core/secret.ts';
import { memoryStore } from '../../framework/credentials/memory.ts';
import type { Inputs } from '../../framework/engine/connect.ts';
import type { Connection } from '../../framework/engine/connection.ts';
import { canary, plainCanary } from '../canary.ts';
import { failureIn } from '../failure.ts';
import type { Answer, Received } from '../server.ts';
import { closeProviders, form, provider, tokenAnswer } from './provider.ts';

afterEach(closeProviders);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** Where the clock stands at first. */
const NOW = Date.parse('2026-01-02T03:04:05Z');

const CLIENT = { client_id: 'app', client_secret: canary('peers client secret') };
/** The n-th access and refresh tokens; the person begins with those of number 0. */
const access = (count: number) => plainCanary(`peers access ${count}`);
const refresh = (count: number) => plainCanary(`peers refresh ${count}`);

/** A grant of a person's, which a refresh token renews. */
const OAUTH = (more = '') => `auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: https://auth.acme.test/token${more === '' ? '' : `\n    ${more}`}`;
/** A token for the client itself. */
const APP = (more = '') => `auth:
  app:
    type: oauth2_client_credentials
    token_url: https://auth.acme.test/token${more === '' ? '' : `\n    ${more}`}`;

/** Tokens of number 0; `ends`: seconds from the beginning. */
const granted = (ends?: number): Inputs => ({
  fields: CLIENT,
  tokens: { access_token: access(0), refresh_token: refresh(0), ...(ends !== undefined && { expires_at: NOW + ends * SECOND }) },
});
const onlyRefresh = (ends?: number): Inputs => ({
  fields: CLIENT,
  tokens: { refresh_token: refresh(0), ...(ends !== undefined && { expires_at: NOW + ends * SECOND }) },
});

/** A provider whose API takes any token but those that `revoked` names, and whose token endpoint answers by number, from 1. */
const issuing = (
  token: (count: number, request: Received) => Answer | Promise<Answer> = (count) => tokenAnswer(access(count)),
  revoked = new Set<number>(),
) =>
  provider((request, count) => {
    if (request.path === '/token') return token(count, request);
    const refused = [...revoked].some((one) => request.headers.authorization === `Bearer ${access(one)}`);
    return refused ? { status: 401, json: { message: 'who?' } } : { json: { sent: request.headers.authorization } };
  });
const bearer = (count: number) => ({ sent: `Bearer ${access(count)}` });

test('A5 refresh request: a form of the four standard keys and what the spec adds', async () => {
  const { connect, at } = await issuing();
  const standard = { grant_type: 'refresh_token', refresh_token: refresh(0), ...CLIENT };
  const { http } = await connect(OAUTH('refresh: { body: { tenant: t1 } }'), onlyRefresh());
  expect(await http.get('/me').json()).toEqual(bearer(1));
  expect(at('/token').map((request) => [request.method, request.headers['content-type'], form(request)])).toEqual([
    ['POST', 'application/x-www-form-urlencoded', { ...standard, tenant: 't1' }],
  ]);
  // The author's own word for a standard key stands, and null takes one away.
  const own = await connect(OAUTH('refresh: { body: { grant_type: renew, client_secret: null } }'), onlyRefresh());
  await own.http.get('/me').json();
  expect(form(at('/token')[1]!)).toEqual({ grant_type: 'renew', refresh_token: refresh(0), client_id: 'app' });
});

test('A6 client in the Authorization header: not in the body', async () => {
  const { connect, at } = await issuing();
  const basic = await connect(OAUTH('client_auth: basic'), onlyRefresh());
  await basic.http.get('/me').json();
  // RFC 6749, 2.3.1: both halves form-encoded.
  const pair = `app:${new URLSearchParams({ '': CLIENT.client_secret }).toString().slice(1)}`;
  const [first] = at('/token');
  expect([first?.headers.authorization, form(first!)]).toEqual([
    `Basic ${Buffer.from(pair).toString('base64')}`,
    { grant_type: 'refresh_token', refresh_token: refresh(0) },
  ]);
  // A header of one's own says nothing about the body: that is client_auth's.
  const HEADER = "headers: { Authorization: 'Key ${base64(fields.client_id)}' }";
  const gateway = await connect(OAUTH(`refresh: { ${HEADER} }`), onlyRefresh());
  await gateway.http.get('/me').json();
  const alone = await connect(OAUTH(`refresh: { ${HEADER}, body: { client_id: null, client_secret: null } }`), onlyRefresh());
  await alone.http.get('/me').json();
  const [, second, third] = at('/token');
  expect([second, third].map((request) => request?.headers.authorization)).toEqual(['Key YXBw', 'Key YXBw']);
  expect(form(second!)).toEqual({ grant_type: 'refresh_token', refresh_token: refresh(0), ...CLIENT });
  expect(form(third!)).toEqual({ grant_type: 'refresh_token', refresh_token: refresh(0) });
});

test('A7 token request by query: everything in the URL, nothing in the body', async () => {
  const { connect, at } = await issuing();
  const { http } = await connect(OAUTH('refresh: { encode: query, body: { tenant: t1 } }'), onlyRefresh());
  expect(await http.get('/me').json()).toEqual(bearer(1));
  expect(at('/token').map(({ method, query, body }) => [method, Object.fromEntries(query), body])).toEqual([
    ['POST', { grant_type: 'refresh_token', refresh_token: refresh(0), ...CLIENT, tenant: 't1' }, ''],
  ]);
});

test('A8 scopes: one parameter scope, with spaces between', async () => {
  const { connect, at } = await issuing();
  await (await connect(APP('scopes: [a, b]'), { fields: CLIENT })).http.get('/me').json();
  await (await connect(APP("scopes: [a, b]\n    scope_separator: ','"), { fields: CLIENT })).http.get('/me').json();
  // RFC 6749, 3.3
  expect(at('/token').map(form)).toEqual(['a b', 'a,b'].map((scope) => ({ grant_type: 'client_credentials', ...CLIENT, scope })));
  expect(at('/token')[0]?.body).toContain('scope=a+b');
});

test('A9 a token that holds asks for none; one that has ended is renewed once', async () => {
  const { connect, at } = await issuing();
  const valid = await connect(OAUTH(), granted(3600));
  for (let round = 0; round < 2; round += 1) expect(await valid.http.get('/me').json()).toEqual(bearer(0));
  expect(at('/token')).toHaveLength(0);
  const ended = await connect(OAUTH(), granted(-1));
  for (let round = 0; round < 2; round += 1) expect(await ended.http.get('/me').json()).toEqual(bearer(1));
  expect(at('/token')).toHaveLength(1);
});

test('A10 expires_in as a number or a text, whole or not: a day', async () => {
  const given = [86_400, 86_400.1, '86400', '86400.1'];
  const { connect, at, clock } = await issuing((count) => tokenAnswer(access(count), { expires_in: given[(count - 1) % 4] }));
  const connections: Connection[] = [];
  for (const _ of given) connections.push(await connect(APP(), { fields: CLIENT }));
  const rounds = async () => {
    const sent = [];
    for (const { http } of connections) sent.push(await http.get('/me').json());
    return sent;
  };
  expect(await rounds()).toEqual([1, 2, 3, 4].map(bearer));
  // Renewed a minute before their end: not before that, and a tenth of a second counts.
  clock.advance(DAY - MINUTE - 1);
  expect(await rounds()).toEqual([1, 2, 3, 4].map(bearer));
  clock.advance(1);
  expect(await rounds()).toEqual([5, 2, 6, 4].map(bearer));
  expect(at('/token')).toHaveLength(6);
  clock.advance(100);
  expect(await rounds()).toEqual([5, 7, 6, 8].map(bearer));
});

test('A11 expires_in is a date: an error without its format, that instant with it', async () => {
  const { connect, at, clock } = await issuing((count) => tokenAnswer(access(count), { expires_in: '2026-01-02T04:04:05Z' }));
  const undeclared = await connect(APP(), { fields: CLIENT });
  expect(await failureIn(() => undeclared.http.get('/me').json())).toMatchObject({
    code: 'token_malformed',
    kind: 'auth',
    where: 'expires_in?',
  });
  expect(at('/v1/me')).toHaveLength(0);
  const declared = await connect(APP('token: { expires: { at: expires_in, as: iso } }'), { fields: CLIENT });
  expect(await declared.http.get('/me').json()).toEqual(bearer(2));
  clock.advance(59 * MINUTE - 1);
  expect(await declared.http.get('/me').json()).toEqual(bearer(2));
  clock.advance(1);
  expect(await declared.http.get('/me').json()).toEqual(bearer(3));
});

test('A12 no expires_in: what the spec says by default, whatever was known before', async () => {
  const revoked = new Set<number>();
  const { connect, at, clock } = await issuing((count) => tokenAnswer(access(count), { expires_in: undefined }), revoked);
  const store = memoryStore();
  const before: [string, Inputs][] = [
    ['in future', onlyRefresh(7200)],
    ['in past', granted(-3600)],
    ['none', onlyRefresh()],
  ];
  for (const [name, inputs] of before) {
    const { http } = await connect(OAUTH('token: { expires: { default: 30m } }'), inputs, { store, name });
    await http.get('/me').json();
    expect([name, (await store.get(name))?.expires.token]).toEqual([name, NOW + 30 * MINUTE]);
  }
  expect(at('/token')).toHaveLength(3);
  // Without a default nothing is guessed: it holds until it is refused.
  const { http } = await connect(OAUTH(), granted(-3600), { store, name: 'unsaid' });
  expect(await http.get('/me').json()).toEqual(bearer(4));
  expect((await store.get('unsaid'))?.expires).not.toHaveProperty('token');
  clock.advance(30 * DAY);
  expect(await http.get('/me').json()).toEqual(bearer(4));
  revoked.add(4);
  expect(await http.get('/me').json()).toEqual(bearer(5));
  expect(at('/token')).toHaveLength(5);
});

test('A13 an end in the future without an access token: renewed at once', async () => {
  const { connect, at } = await issuing();
  const { http } = await connect(OAUTH(), onlyRefresh(3600));
  expect(await http.get('/me').json()).toEqual(bearer(1));
  expect(at('/token')).toHaveLength(1);
});

test('A14 an answer without an access token is an error; one three levels down is read by its path', async () => {
  const nested: Answer = { json: { data: { auth: { token: access(3) } } } };
  const answers: Answer[] = [{ json: { expires_in: 60 } }, { json: { access_token: null } }, nested, nested];
  const { connect, at } = await issuing((count) => answers[count - 1]!);
  for (const count of [1, 2, 3]) {
    const { http } = await connect(APP(), { fields: CLIENT });
    expect(await failureIn(() => http.get('/me').json())).toMatchObject({ code: 'token_malformed', kind: 'auth' });
    expect(at('/token')).toHaveLength(count);
  }
  expect(at('/v1/me')).toHaveLength(0);
  const declared = await connect(APP('token: { capture: { access_token: data.auth.token } }'), { fields: CLIENT });
  expect(await declared.http.get('/me').json()).toEqual(bearer(3));
});

test('A15 token endpoint: a 500 is sent again, a reset for ever ends as transient', async () => {
  const { connect, at, clock } = await issuing((count) => (count === 1 ? { status: 500, json: {} } : tokenAnswer(access(count))));
  const { http } = await connect(APP(), { fields: CLIENT });
  expect(await http.get('/me').json()).toEqual(bearer(2));
  expect([at('/token').length, clock.slept.length]).toEqual([2, 1]);

  const resetting = await provider(({ path }, _, response) => {
    if (path !== '/token') return { json: {} };
    response.destroy();
    return undefined;
  });
  const cut = await resetting.connect(APP(), { fields: CLIENT });
  expect(await failureIn(() => cut.http.get('/me').json())).toMatchObject({ code: 'connection_failed', kind: 'transient' });
  // The first and five more.
  expect([resetting.at('/token').length, resetting.clock.slept.length, resetting.at('/v1/me').length]).toEqual([6, 5, 0]);

  // A refresh token that is good once may be spent by a request that failed: the next call decides.
  const rotating = await issuing((count) => (count === 1 ? { status: 500, json: {} } : tokenAnswer(access(count))));
  const once = await rotating.connect(OAUTH('refresh: { rotates: true }'), granted(-1));
  expect(await failureIn(() => once.http.get('/me').json())).toMatchObject({ code: 'server_failed', kind: 'transient', status: 500 });
  expect(rotating.at('/token')).toHaveLength(1);
  rotating.clock.advance(SECOND);
  expect(await once.http.get('/me').json()).toEqual(bearer(2));
});

test('A16 400 invalid_grant: connect again, and nothing is sent any more', async () => {
  const { connect, at, clock } = await issuing(() => ({
    status: 400,
    json: { error: 'invalid_grant', error_description: 'Token was revoked' },
  }));
  const { http } = await connect(OAUTH(), granted(-1));
  for (let round = 0; round < 2; round += 1) {
    const failure = await failureIn(() => http.get('/me').json());
    expect(failure).toMatchObject({ code: 'reconnect_required', kind: 'auth', next: 'Run `ferrule connect` again for this credential.' });
    if (round === 0) expect(failure).toMatchObject({ status: 400, providerCode: 'invalid_grant', provider: 'Token was revoked' });
    clock.advance(DAY);
  }
  expect([at('/token').length, at('/v1/me').length, clock.slept]).toEqual([1, 0, []]);
});

test('A17 five callers at once with an ended token: one request, the new token for all', async () => {
  for (const rotates of [false, true]) {
    const spent = new Set<string | undefined>();
    const { connect, connectStored, at } = await issuing(async (count, request) => {
      const { refresh_token } = form(request);
      if (spent.has(refresh_token)) return { status: 400, json: { error: 'invalid_grant' } };
      if (rotates) spent.add(refresh_token);
      // All five are there before it answers.
      await new Promise((resolve) => setImmediate(resolve));
      return tokenAnswer(access(count), rotates ? { refresh_token: refresh(count) } : {});
    });
    const store = memoryStore();
    const part = OAUTH(rotates ? 'refresh: { rotates: true }' : '');
    const mine = await connect(part, granted(-1), { store, name: 'work' });
    // As another process would.
    const theirs = await connectStored(part, 'work', { store });
    const sent = await Promise.all([mine, mine, theirs, mine, theirs].map(({ http }) => http.get('/me').json()));
    expect([rotates, sent]).toEqual([rotates, Array(5).fill(bearer(1))]);
    expect(at('/token')).toHaveLength(1);
    // Without a store, and so without its lock.
    const { http } = await connect(part, { fields: CLIENT, tokens: { refresh_token: rotates ? refresh(1) : refresh(0) } });
    expect(await Promise.all(Array.from({ length: 5 }, () => http.get('/me').json()))).toEqual(Array(5).fill(bearer(2)));
    expect(at('/token')).toHaveLength(2);
  }
});

test('A18 a new refresh token is stored and written in the log of uses; without one the old one stays', async () => {
  const { connect, at, clock } = await issuing((count) => tokenAnswer(access(count), count === 1 ? { refresh_token: refresh(1) } : {}));
  const store = memoryStore();
  const { http } = await connect(OAUTH(), granted(-1), { store, name: 'work' });
  const stored = async () => reveal((await store.get('work'))?.captures.refresh_token as Secret);
  const renewals = async () => (await store.uses()).filter(({ action }) => action === 'renewed');
  expect(await http.get('/me').json()).toEqual(bearer(1));
  expect(await stored()).toBe(refresh(1));
  expect(await renewals()).toMatchObject([{ credential: 'work', connector: 'acme', outcome: 'ok', at: '2026-01-02T03:04:05.000Z' }]);
  clock.advance(3600 * SECOND);
  expect(await http.get('/me').json()).toEqual(bearer(2));
  clock.advance(3600 * SECOND);
  expect(await http.get('/me').json()).toEqual(bearer(3));
  expect(at('/token').map((request) => form(request).refresh_token)).toEqual([0, 1, 1].map(refresh));
  expect(await stored()).toBe(refresh(1));
  expect(await renewals()).toHaveLength(3);
});

test('A19 401: renewed once and sent again; five at once, one renewal', async () => {
  const revoked = new Set([0]);
  const { connect, at } = await issuing(undefined, revoked);
  const { http } = await connect(OAUTH(), granted(3600));
  expect(await http.get('/me').json()).toEqual(bearer(1));
  expect(at('/v1/me').map(({ headers }) => headers.authorization)).toEqual([0, 1].map((count) => `Bearer ${access(count)}`));
  expect(at('/token')).toHaveLength(1);

  // Refused again with the new one: no third time.
  revoked.add(1).add(2);
  expect(await failureIn(() => http.get('/me').json())).toMatchObject({ code: 'unauthorized', status: 401 });
  expect([at('/token').length, at('/v1/me').length]).toEqual([2, 4]);

  // One of the five hears that its token is refused when the other four have gone on with the new one.
  let goOn = () => {};
  const four = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const five = await provider(async ({ path, headers: { authorization } }, count) => {
    if (path === '/token') return tokenAnswer(access(count));
    if (authorization !== `Bearer ${access(0)}`) return { json: { sent: authorization } };
    if (path === '/v1/late') await four;
    return { status: 401, json: {} };
  });
  const shared = await five.connect(OAUTH(), granted(3600));
  const late = shared.http.get('/late').json();
  expect(await Promise.all(Array.from({ length: 4 }, () => shared.http.get('/me').json()))).toEqual(Array(4).fill(bearer(1)));
  goOn();
  expect(await late).toEqual(bearer(1));
  expect(five.at('/token')).toHaveLength(1);

  // A renewal that fails is what the caller is told, and the refused token is not sent again.
  const failing = await issuing(() => ({ status: 401, json: { error: 'invalid_client' } }), new Set([0]));
  const refused = await failing.connect(OAUTH(), granted(3600));
  const failure = await failureIn(() => refused.http.get('/me').json());
  expect(failure).toMatchObject({ code: 'token_refused', kind: 'auth', where: 'fields.client_secret' });
  expect([failing.at('/token').length, failing.at('/v1/me').length]).toEqual([1, 1]);
});
