import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import type { CredentialStore } from '../../../framework/credentials/types.ts';
import { connectSpec, connectStored } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { acme, addresses } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { FakeClock, fixedRandom } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

const CODE = `auth: { oauth: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token', refresh: { rotates: true } } }`;
const FIELDS = { client_id: 'app', client_secret: plainCanary('client-secret') };
const START = Date.parse('2026-01-02T03:04:05Z');

let server: LocalServer;
let clock: FakeClock;
const open: Connection[] = [];
beforeEach(() => {
  clock = new FakeClock(START);
});
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close();
  await server.close();
});

const asked = (): Received[] => server.received.filter(({ path }) => path === '/token');
const issue = (count: number, extra: object = {}): Answer => ({
  json: { access_token: plainCanary(`access-${count}`), refresh_token: plainCanary(`refresh-${count}`), expires_in: 3600, ...extra },
});

/** Answers token requests by number, from 1; `/v1/…` says which access token came, or refuses those that `revoked` names. */
async function provider(token: (count: number, request: Received) => Answer | Promise<Answer>, revoked = new Set<number>()): Promise<void> {
  let count = 0;
  server = await serve((request) => {
    if (request.path === '/token') return token(++count, request);
    const sent = Array.from({ length: 20 }, (_, one) => one).find(
      (one) => request.headers.authorization === `Bearer ${plainCanary(`access-${one}`)}`,
    );
    return sent === undefined || revoked.has(sent) ? { status: 401, json: { message: 'who?' } } : { json: { token: sent } };
  });
}

const options = (store: CredentialStore) => ({ ...addresses(server.origin), clock, random: fixedRandom(), store });
const start = (ends: number) => ({
  access_token: plainCanary('access-0'),
  refresh_token: plainCanary('refresh-0'),
  expires_at: START + ends * 1000,
});

async function connected(spec: string, ends: number, store: CredentialStore = memoryStore(), name = 'work'): Promise<Connection> {
  const inputs = { fields: FIELDS, tokens: start(ends) };
  const connection = await connectSpec(acme(spec), inputs, { ...options(store), name });
  open.push(connection);
  return connection;
}

async function again(spec: string, store: CredentialStore, name = 'work'): Promise<Connection> {
  const connection = await connectStored(acme(spec), name, options(store));
  open.push(connection);
  return connection;
}

const me = (connection: Connection): Promise<unknown> => connection.http.get('me').json();
const outage: Answer = { status: 503, json: { message: 'down for maintenance' } };

describe('renewals that fail', () => {
  it('pause for all who share the store, longer each time, with one error; a person can try at once', async () => {
    let down = true;
    await provider((count) => (down ? outage : issue(count)));
    const store = memoryStore();
    const mine = await connected(CODE, 0, store);
    const theirs = await again(CODE, store);
    await expect(me(mine)).rejects.toMatchObject({ code: 'server_failed', status: 503 });
    expect((await store.get('work'))?.failing).toMatchObject({ since: '2026-01-02T03:04:05.000Z', count: 1, code: 'server_failed' });
    // Half of a second and half of that again: the jitter of the fixed random source is 0.5.
    for (const pause of [750, 1500, 3000]) {
      for (const connection of [mine, theirs]) {
        await expect(me(connection)).rejects.toMatchObject({
          code: 'server_failed',
          kind: 'transient',
          status: 503,
          retryAfter: pause,
          message: expect.stringMatching(/down for maintenance \(It failed .*; it is not tried again for \d s\.\)$/),
          next: expect.stringContaining("`ferrule credentials renew 'work'`"),
        });
      }
      const before = asked().length;
      clock.advance(pause - 1);
      await expect(me(theirs)).rejects.toMatchObject({ retryAfter: 1 });
      expect(asked()).toHaveLength(before);
      clock.advance(1);
      await expect(me(theirs)).rejects.toMatchObject({ code: 'server_failed' });
      expect(asked()).toHaveLength(before + 1);
    }
    expect((await store.get('work'))?.failing).toMatchObject({ count: 4, since: '2026-01-02T03:04:05.000Z' });
    down = false;
    await expect(me(theirs)).rejects.toMatchObject({ code: 'server_failed' });
    await theirs.renew();
    expect(await me(theirs)).toEqual({ token: 5 });
    expect(await me(mine)).toEqual({ token: 5 });
    expect((await store.get('work'))?.failing).toBeUndefined();
    expect(asked()).toHaveLength(5);
  });

  it('pause nobody once the clock that said so was set back', async () => {
    await provider((count) => (count === 1 ? outage : issue(count)));
    const connection = await connected(CODE, 0);
    clock.advance(3_600_000);
    await expect(me(connection)).rejects.toMatchObject({ code: 'server_failed' });
    clock.advance(-3_599_000);
    expect(await me(connection)).toEqual({ token: 2 });
  });

  it('wait as long as a token endpoint that limits rates asks for', async () => {
    await provider((count) => (count === 1 ? { status: 429, headers: { 'retry-after': '900' }, json: {} } : issue(count)));
    const store = memoryStore();
    const connection = await connected(CODE, 0, store);
    // Longer than a call waits by itself.
    await expect(me(connection)).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 900_000 });
    clock.advance(899_000);
    await expect(me(await again(CODE, store))).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 1000 });
    expect(asked()).toHaveLength(1);
    clock.advance(1000);
    expect(await me(connection)).toEqual({ token: 2 });
    // A short wait is waited for, though the token rotates: the server said so.
    expect(clock.slept).toEqual([]);
  });

  it('are no failure of a caller as long as the token holds', async () => {
    await provider((count) => (count < 3 ? outage : issue(count)));
    const connection = await connected(CODE, 3600);
    clock.advance(3_540_000); // in the margin of 60 s
    for (let round = 0; round < 5; round += 1) expect(await me(connection)).toEqual({ token: 0 });
    expect(asked()).toHaveLength(1);
    clock.advance(59_000);
    expect(await me(connection)).toEqual({ token: 0 });
    expect(asked()).toHaveLength(2);
    clock.advance(1000); // it has ended, and the pause of 1.5 s has not
    await expect(me(connection)).rejects.toMatchObject({ code: 'server_failed', retryAfter: 500 });
    clock.advance(500);
    expect(await me(connection)).toEqual({ token: 3 });
  });

  it('are told by a check, pause or not, and seen in the list', async () => {
    await provider((count) => (count < 3 ? { status: 401, json: { error: 'invalid_client' } } : issue(count)));
    const store = memoryStore();
    const connection = await connected(CODE, 3600, store);
    clock.advance(3_550_000); // in the margin: the token still holds
    await expect(me(connection)).rejects.toMatchObject({ code: 'token_refused' });
    await expect(me(connection)).rejects.toMatchObject({
      code: 'token_refused',
      where: 'fields.client_secret',
      providerCode: 'invalid_client',
      retryAfter: 750,
    });
    expect(asked()).toHaveLength(1);
    expect((await store.list())[0]).toMatchObject({ failing: { since: expect.any(String), count: 1, code: 'token_refused' } });
    expect(await connection.check()).toMatchObject({ ok: false, code: 'token_refused' });
    expect(asked()).toHaveLength(2);
    expect(await connection.check()).toMatchObject({ ok: true });
    expect(asked()).toHaveLength(3);
    expect((await store.list())[0]).not.toHaveProperty('failing');
  });

  it('a wrong secret pauses too, and is mended by storing the right one', async () => {
    await provider((count, { body }) =>
      body.includes(FIELDS.client_secret) ? { status: 401, json: { error: 'invalid_client' } } : issue(count),
    );
    const store = memoryStore();
    const connection = await connected(CODE, 0, store);
    for (let round = 0; round < 3; round += 1) await expect(me(connection)).rejects.toMatchObject({ code: 'token_refused', kind: 'auth' });
    expect(asked()).toHaveLength(1);
    expect((await store.get('work'))?.state).not.toBe('reconnect');
    await store.update('work', async ({ failing: _, ...rest }) => ({
      ...rest,
      fields: { ...FIELDS, client_secret: plainCanary('new secret') },
    }));
    expect(await me(await again(CODE, store))).toEqual({ token: 2 });
  });
});

describe('a grant that the provider ended', () => {
  it('in the middle of a read: one request, one clear state for all; a person may try again, and then it is over or not', async () => {
    const revoked = new Set<number>();
    let ended = false;
    await provider((count) => (ended ? { status: 400, json: { error: 'invalid_grant' } } : issue(count)), revoked);
    const store = memoryStore();
    const mine = await connected(CODE, 3600, store);
    const theirs = await again(CODE, store);
    expect(await me(mine)).toEqual({ token: 0 });
    revoked.add(0);
    expect(await Promise.all([me(mine), me(mine), me(theirs)])).toEqual([{ token: 1 }, { token: 1 }, { token: 1 }]);
    expect(asked()).toHaveLength(1);
    revoked.add(1);
    ended = true;
    const results = await Promise.allSettled([me(mine), me(theirs), me(mine)]);
    expect(results).toMatchObject(Array(3).fill({ status: 'rejected', reason: { code: 'reconnect_required', kind: 'auth' } }));
    expect(asked()).toHaveLength(2);
    expect(await store.get('work')).toMatchObject({ state: 'reconnect' });
    await expect(theirs.renew()).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(asked()).toHaveLength(3);
    ended = false; // the provider was wrong
    await theirs.renew();
    expect(await me(mine).catch((error: unknown) => error)).toEqual({ token: 4 });
    expect(await store.get('work')).toMatchObject({ state: 'ready' });
  });

  it('is not what an outage, a limit, a wrong client or a broken answer says', async () => {
    const answers: Answer[] = [
      outage,
      { status: 429, json: { error: 'slow_down' } },
      { status: 401, json: { error: 'invalid_client' } },
      { status: 400, json: { error: 'temporarily_unavailable' } },
      { text: '<html>', headers: { 'content-type': 'text/html' } },
      { status: 404, text: 'no such page' },
    ];
    let round = 0;
    await provider((count) => answers[round] ?? issue(count));
    const store = memoryStore();
    const connection = await connected(CODE, 0, store);
    for (; round < answers.length; round += 1) {
      await expect(me(connection)).rejects.toBeInstanceOf(Error);
      expect(await store.get('work')).not.toMatchObject({ state: 'reconnect' });
      clock.advance(600_000);
    }
    expect(await me(connection)).toMatchObject({ token: expect.any(Number) });
  });
});

it('a code is never asked for again without a person, though a step that leads up to it is due', async () => {
  server = await serve(({ path }) => (path === '/where' ? { json: { at: 'x' } } : { json: { path } }));
  const spec = `auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: https://auth.acme.test/token
    steps:
      - { name: where, get: 'https://auth.acme.test/where', capture: { at: at }, expires: { default: 10m } }
      - token`;
  const tokens = { access_token: plainCanary('access-0'), expires_at: START + 3_600_000 };
  const connection = await connectSpec(acme(spec), { fields: FIELDS, tokens }, { ...addresses(server.origin), clock });
  open.push(connection);
  for (let round = 0; round < 2; round += 1) expect(await me(connection)).toEqual({ path: '/v1/me' });
  clock.advance(3_600_000);
  await expect(me(connection)).rejects.toMatchObject({ code: 'reconnect_required' });
  expect(asked()).toHaveLength(0);
});

it('the steps behind a renewed token are made anew, also when the first try of one fails', async () => {
  const paths: string[] = [];
  let down = false;
  server = await serve(({ path, headers }) => {
    if (path === '/token') return issue(paths.push('token'));
    if (path === '/login') {
      paths.push('login');
      return down ? outage : { json: { session: plainCanary(`session-${paths.length}`) } };
    }
    paths.push('me');
    return headers['x-session'] === plainCanary('session-2') && paths.length > 3 ? { status: 401, json: {} } : { json: { ok: true } };
  });
  const spec = CODE.replace(
    'refresh: {',
    `steps: [token, { name: login, post: 'https://auth.acme.test/login', capture: { session: session } }], send: { headers: { Authorization: null, X-Session: '\${token.session}' } }, refresh: {`,
  );
  const connection = await connected(spec, 0);
  await me(connection);
  down = true;
  // The session is refused, a new token comes, and the login is away.
  await expect(me(connection)).rejects.toMatchObject({ code: 'server_failed' });
  down = false;
  clock.advance(10_000);
  expect(await me(connection)).toEqual({ ok: true });
  expect(paths).toEqual(['token', 'login', 'me', 'me', 'token', 'login', 'login', 'me']);
});

describe('an answer that was received', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ferrule-renewal-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const ROTATING = CODE.replace('rotates: true', 'rotates: true, capture: { tenant: tenant }');

  it.each([
    ['memory', true],
    ['file', true],
    ['no', false],
  ])('and cannot be read whole leaves its refresh token all the same (%s store)', async (kind, stored) => {
    const store = kind === 'file' ? encryptedFileStore({ folder, env: {}, clock }) : memoryStore();
    await provider((count) => issue(count, { company: 'acme' }));
    const inputs = { fields: FIELDS, tokens: start(0) };
    const first = await connectSpec(acme(ROTATING), inputs, { ...options(store), ...(stored && { name: 'work' }) });
    open.push(first);
    for (let round = 0; round < 3; round += 1) {
      await expect(me(first)).rejects.toMatchObject({ code: 'token_malformed', message: expect.stringContaining('tenant') });
      clock.advance(600_000);
    }
    // Each with what the one before had brought: none was spent twice.
    const sent = asked().map(({ body }) => new URLSearchParams(body).get('refresh_token'));
    expect(sent).toEqual([0, 1, 2].map((one) => plainCanary(`refresh-${one}`)));
    if (!stored) return;
    const mended = await again(ROTATING.replace('tenant: tenant', 'tenant: company'), store);
    expect(await me(mended)).toEqual({ token: 4 });
    expect(await store.get('work')).toMatchObject({ state: 'ready' });
  });

  it('is stored late when the store failed, and not asked for again', async () => {
    const store = encryptedFileStore({ folder, env: {}, clock });
    await provider(async (count) => {
      // As a full disk would, from the answer on.
      if (count === 1) await rm(join(folder, 'credentials'), { recursive: true });
      return issue(count);
    });
    const connection = await connected(CODE, 0, store);
    const record = await store.get('work');
    await expect(me(connection)).rejects.toMatchObject({ code: expect.stringMatching(/^store_/) });
    await store.put(record!);
    expect(await me(connection)).toEqual({ token: 1 });
    expect(asked()).toHaveLength(1);
    const other = encryptedFileStore({ folder, env: {}, clock });
    expect(await me(await again(CODE, other))).toEqual({ token: 1 });
  });

  it('and lost on the wire: no second try in the same renewal, then one more; the provider decides', async () => {
    await provider(async (count) => {
      if (count > 1) return { status: 400, json: { error: 'invalid_grant' } };
      await new Promise((resolve) => setTimeout(resolve, 10));
      return {
        text: '{"access_token": "cut',
        headers: { 'content-length': '500', 'content-type': 'application/json', connection: 'close' },
      };
    });
    const store = memoryStore();
    const connection = await connectSpec(
      acme(CODE),
      { fields: FIELDS, tokens: start(0) },
      { ...options(store), name: 'work', timeout: { response: 100 } },
    );
    open.push(connection);
    await expect(me(connection)).rejects.toMatchObject({ kind: 'transient' });
    expect(asked()).toHaveLength(1);
    expect(await store.get('work')).not.toMatchObject({ state: 'reconnect' });
    clock.advance(1000);
    await expect(me(connection)).rejects.toMatchObject({ code: 'reconnect_required' });
    await expect(me(connection)).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(asked()).toHaveLength(2);
  });

  it('counts for a caller whose own credential was only written to meanwhile', async () => {
    const revoked = new Set<number>([0]);
    await provider((count) => issue(count), revoked);
    const store = memoryStore();
    const connection = await connected(CODE, 3600, store);
    // Somebody notes how a check ended: another version, the same token.
    await store.update('work', async (current) => ({ ...current, checked: { at: '2026-01-02T00:00:00Z', ok: true } }));
    expect(await me(connection)).toEqual({ token: 1 });
    expect((await store.get('work'))?.checked).toMatchObject({ ok: true });
  });
});

describe('a clock that is five minutes off', () => {
  const at = (ms: number) => new Date(ms).toUTCString();
  const AT = CODE.replace('refresh: {', 'token: { expires: { at: ends, as: iso } }, refresh: {');

  it.each([
    ['behind', 300_000],
    ['ahead', -300_000],
  ])('%s: a token that ends at a time ends then by the provider’s clock', async (_, skew) => {
    const there = () => clock.now() + skew;
    await provider((count) => ({
      ...issue(count, { expires_in: undefined, ends: new Date(there() + 240_000).toISOString() }),
      headers: { date: at(there()) },
    }));
    const connection = await connected(AT, 0);
    for (let round = 0; round < 3; round += 1) expect(await me(connection)).toEqual({ token: 1 });
    // Four minutes, renewed one before: not five minutes late, and not with every request.
    clock.advance(179_000);
    expect(await me(connection)).toEqual({ token: 1 });
    clock.advance(1_000);
    expect(await me(connection)).toEqual({ token: 2 });
    expect(asked()).toHaveLength(2);
  });

  const JWT = `auth:
  key:
    type: oauth2_jwt_bearer
    token_url: https://auth.acme.test/token
    fields: { key: { secret: true } }
    jwt: { alg: HS256, key: '\${fields.key}', claims: { iss: '\${fields.client_id}', aud: 'https://auth.acme.test' } }`;

  it.each([
    ['behind', 300_000],
    ['ahead', -300_000],
  ])('%s: an assertion that is refused is signed once more by the provider’s clock, and from then on', async (_, skew) => {
    const there = () => clock.now() + skew;
    const issued: number[] = [];
    await provider((count, { body }) => {
      const { iat = 0, exp = 0 } = decodeJwt(new URLSearchParams(body).get('assertion') ?? '');
      issued.push(iat * 1000 - there());
      const good = iat * 1000 <= there() + 60_000 && exp * 1000 > there();
      const headers = { date: at(there()) };
      return good ? { ...issue(count), headers } : { status: 400, headers, json: { error: 'invalid_grant', error_description: 'iat' } };
    });
    const inputs = { fields: { client_id: 'app', key: plainCanary('signing key, long enough for HS256') } };
    const connection = await connectSpec(acme(JWT), inputs, { ...addresses(server.origin), clock });
    open.push(connection);
    expect(await me(connection)).toEqual({ token: 2 });
    clock.advance(3_600_000);
    expect(await me(connection)).toEqual({ token: 3 });
    expect(issued.map((ms) => Math.round(ms / 1000))).toEqual([skew / -1000, 0, 0]);
  });

  it('a token that is signed here and refused by the API is signed once more, too', async () => {
    const skew = -300_000;
    server = await serve(({ headers }) => {
      const { iat = 0 } = decodeJwt((headers.authorization ?? '').slice(7));
      const there = clock.now() + skew;
      return iat * 1000 > there + 60_000
        ? { status: 401, headers: { date: at(there) }, json: { message: 'issued in the future' } }
        : { json: { ok: true } };
    });
    const spec = acme(`auth: { key: { type: jwt, fields: { key: { secret: true } }, jwt: { alg: HS256, key: '\${fields.key}' } } }`);
    const inputs = { fields: { key: plainCanary('signing key, long enough for HS256') } };
    const connection = await connectSpec(spec, inputs, { ...addresses(server.origin), clock });
    open.push(connection);
    expect(await me(connection)).toEqual({ ok: true });
    expect(server.received).toHaveLength(2);
    clock.advance(3_600_000);
    await me(connection);
    expect(server.received).toHaveLength(3);
  });

  it('a refusal that is not about the time is not repeated', async () => {
    await provider(() => ({ status: 400, headers: { date: at(clock.now() + 5000) }, json: { error: 'invalid_grant' } }));
    const inputs = { fields: { client_id: 'app', key: plainCanary('signing key, long enough for HS256') } };
    const connection = await connectSpec(acme(JWT), inputs, { ...addresses(server.origin), clock });
    open.push(connection);
    await expect(me(connection)).rejects.toMatchObject({ code: 'token_refused' });
    expect(asked()).toHaveLength(1);
  });
});
