import { createHmac, generateKeyPairSync } from 'node:crypto';
import { canary, plainCanary } from '../canary.ts';
import { failureIn } from '../failure.ts';
import { memorySink } from '../sink.ts';
import { closeProviders, provider, refusals } from './provider.ts';

afterEach(closeProviders);

const MINUTE = 60_000;

test('A1 bearer: the token from the inputs in Authorization, the same on every call', async () => {
  const { connect, at } = await provider(() => ({ json: {} }));
  const byType = await connect('auth: { key: bearer }', { fields: { token: 'abc' } });
  const written = await connect(
    `auth: { key: { type: custom, fields: { t: { secret: true } }, send: { headers: { Authorization: 'Bearer \${fields.t}' } } } }`,
    { fields: { t: 'abc' } },
  );
  for (const { http } of [byType, byType, written, written]) await http.get('/me').json();
  expect(at('/v1/me').map(({ headers }) => headers.authorization)).toEqual(['Bearer abc', 'Bearer abc', 'Bearer abc', 'Bearer abc']);
});

test('A2 basic: user and password, and a user without one', async () => {
  const { connect, at } = await provider(() => ({ json: {} }));
  const both = await connect('auth: { login: basic }', { fields: { username: 'user', password: 'password' } });
  const dropped = await connect('auth: { login: { type: basic, fields: { password: null } } }', { fields: { username: 'user' } });
  const empty = await connect("auth: { login: { type: basic, fields: { password: { default: '' } } } }", { fields: { username: 'user' } });
  for (const { http } of [both, dropped, empty]) await http.get('/me').json();
  // RFC 7617, 2: base64 of user:password, and of user: alone.
  const sent = at('/v1/me').map(({ headers }) => headers.authorization);
  expect(sent).toEqual(['Basic dXNlcjpwYXNzd29yZA==', 'Basic dXNlcjo=', 'Basic dXNlcjo=']);
});

test('A3 API key: in header, query, form or nested JSON, exactly there; the name of its place by a choice', async () => {
  const { connect, server } = await provider(() => ({ json: { items: [] } }));
  const api_key = canary('peers api key');
  const stem = api_key.slice(0, 30);
  const sent = async (part: string, encode: string, body: string, choices: Record<string, string> = {}) => {
    const stream = `streams: { things: { post: /things, encode: ${encode}, body: ${body}, records: items, primary_key: [id] } }`;
    const connection = await connect(`${part}\n${stream}`, { fields: { api_key }, choices });
    const [outcome] = await connection.readInto(memorySink());
    expect(outcome).toMatchObject({ complete: true });
    const { headers, query, body: text } = server.received.at(-1)!;
    // As it stands in the raw request: once, whatever the place.
    expect(JSON.stringify([headers, [...query], text]).split(stem)).toHaveLength(2);
    return { headers, query: Object.fromEntries(query), text };
  };
  const key = (send: string) => `auth: { key: { type: api_key, send: ${send} } }`;
  const JSON_BODY = '{ q: x, a: { own: 1, b: { d: 2 } } }';
  const own = { q: 'x', a: { own: 1, b: { d: 2 } } };

  const inHeader = await sent(key("{ headers: { X-Key: 'Key ${fields.api_key}' } }"), 'json', JSON_BODY);
  // Node reads a header's bytes as Latin-1.
  expect(Buffer.from(String(inHeader.headers['x-key']), 'latin1').toString()).toBe(`Key ${api_key}`);
  expect([inHeader.query, JSON.parse(inHeader.text)]).toEqual([{}, own]);

  const inQuery = await sent(key("{ query: { key: '${fields.api_key}' } }"), 'json', JSON_BODY);
  expect([inQuery.query, JSON.parse(inQuery.text)]).toEqual([{ key: api_key }, own]);

  const inForm = await sent(key("{ body: { key: '${fields.api_key}' } }"), 'form', '{ q: x }');
  expect([...new URLSearchParams(inForm.text)]).toEqual([
    ['q', 'x'],
    ['key', api_key],
  ]);

  // Beside what the call itself has there, at each depth.
  const inJson = await sent(key("{ body: { a: { b: { c: '${fields.api_key}' } } } }"), 'json', JSON_BODY);
  expect(JSON.parse(inJson.text)).toEqual({ q: 'x', a: { own: 1, b: { d: 2, c: api_key } } });
  // A body without a place for it is refused: a request without its key would only be told that it is not authorized.
  const text = await connect(key("{ body: { key: '${fields.api_key}' } }"), { fields: { api_key } });
  const failure = await failureIn(() => text.http.post('/things', { body: 'plain' }).text());
  expect(failure).toMatchObject({ code: 'input_malformed', where: 'auth.key.send.body' });
  expect(server.received).toHaveLength(4);

  // A name is never a template.
  expect(refusals(key("{ headers: { 'X-${fields.api_key}': '${fields.api_key}' } }"))).toEqual(['bad-header']);
  const NAMED = `choices: { generation: { options: { old: { title: Old }, new: { title: New } } } }
auth:
  key:
    type: api_key
    send: { headers: { X-Old: '\${given(generation.id == "old", fields.api_key)}', X-New: '\${given(generation.id == "new", fields.api_key)}' } }`;
  for (const [generation, name, other] of [
    ['old', 'x-old', 'x-new'],
    ['new', 'x-new', 'x-old'],
  ] as const) {
    const { headers } = await sent(NAMED, 'json', '{}', { generation });
    expect([Buffer.from(String(headers[name]), 'latin1').toString(), headers[other]]).toEqual([api_key, undefined]);
  }
});

test('A4 one of several methods: the chosen one; unknown and missing are errors that name the options', async () => {
  const { connect, server } = await provider(() => ({ json: {} }));
  const METHODS = `auth:
  key: { type: api_key, send: { headers: { X-Key: '\${fields.api_key}' } } }
  login: basic
  signed: { type: jwt, fields: { pem: { type: pem } }, jwt: { alg: ES256, key: '\${fields.pem}' } }`;
  const login = { username: 'user', password: 'password' };
  const chosen = await connect(METHODS, { method: 'login', fields: login });
  await chosen.http.get('/me').json();
  expect(server.received[0]?.headers).toMatchObject({ authorization: 'Basic dXNlcjpwYXNzd29yZA==' });
  expect(server.received[0]?.headers).not.toHaveProperty('x-key');

  const unknown = await failureIn(() => connect(METHODS, { method: 'oauth', fields: login }));
  expect(unknown).toMatchObject({ code: 'input_unknown', kind: 'input', where: 'oauth' });
  expect(unknown.next).toContain('key, login, signed');

  // Nothing said is the first one, which every page shows as the default; a choice without a default must be made.
  expect(await failureIn(() => connect(METHODS))).toMatchObject({ code: 'input_missing', where: 'api_key' });
  const CHOICE =
    "choices: { region: { options: { eu: { title: EU, host: eu }, us: { title: US, host: us } } } }\nhttp: { base_url: 'https://${region.host}.acme.test' }";
  const missing = await failureIn(() => connect(CHOICE));
  expect(missing).toMatchObject({ code: 'input_missing', kind: 'input', where: 'choices.region' });
  expect(missing.message).toContain('eu, us');

  // What is not chosen is never evaluated, and yet looked at before anything runs.
  const broken = METHODS.replace(
    'key: { type: api_key',
    "old: { type: bearer, send: { headers: { Authorization: 'Bearer ${fields.tokn}' } } }\n  key: { type: api_key",
  );
  expect([refusals(METHODS), refusals(broken)]).toEqual([[], ['expression-name']]);
  await (await connect(broken, { method: 'login', fields: login })).http.get('/me').json();
  expect(server.received).toHaveLength(2);
});

test('A20 JWT HS256: claims of 1200 s by the clock; the wrong passphrase of a key', async () => {
  const { connect, server } = await provider(() => ({ json: {} }));
  const key = canary('peers shared key');
  const signed = (settings: string, type = 'text') => `auth:
  key:
    type: jwt
    fields: { key: { type: ${type}, secret: true }, passphrase: { secret: true, required: false } }
    jwt: { ${settings}, key: '\${fields.key}', lifetime: 20m }`;
  const sent = async (settings: string) => {
    const connection = await connect(signed(settings), { fields: { key } });
    await connection.http.get('/me').json();
    const [, token = ''] = /^Bearer (.+)$/.exec(server.received.at(-1)?.headers.authorization ?? '') ?? [];
    const [header = '', payload = '', signature] = token.split('.');
    // RFC 7515, 5.1; RFC 7518, 3.2.
    expect(signature).toBe(createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url'));
    return [header, payload].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  };
  const CLAIMS = "iss: me, sub: you, aud: 'https://api.acme.test', nbf: '${epoch(now)}', jti: null";
  // The clock stands at 2026-01-02T03:04:05Z.
  expect(await sent(`alg: HS256, claims: { ${CLAIMS} }`)).toEqual([
    { alg: 'HS256', typ: 'JWT' },
    { iss: 'me', sub: 'you', aud: 'https://api.acme.test', iat: 1_767_323_045, nbf: 1_767_323_045, exp: 1_767_324_245 },
  ]);
  // What the author writes stands, but for the algorithm.
  expect(await sent(`alg: HS256, header: { alg: none, kid: k1 }, claims: { exp: 1767323046, iat: null, jti: null }`)).toEqual([
    { alg: 'HS256', typ: 'JWT', kid: 'k1' },
    { exp: 1_767_323_046 },
  ]);

  const passphrase = plainCanary('peers passphrase');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  const LOCKED = signed("alg: ES256, passphrase: '${fields.passphrase}'", 'pem');
  const wrong = await connect(LOCKED, { fields: { key: pem, passphrase: plainCanary('peers other passphrase') } });
  expect(await failureIn(() => wrong.http.get('/me').json())).toMatchObject({ code: 'input_malformed', kind: 'input', where: 'jwt.key' });
  const without = await connect(LOCKED, { fields: { key: pem } });
  expect((await failureIn(() => without.http.get('/me').json())).message).toContain('there is no passphrase');
  expect(server.received).toHaveLength(2);
  const right = await connect(LOCKED, { fields: { key: pem, passphrase } });
  await right.http.get('/me').json();
  expect(server.received).toHaveLength(3);
});

/** A login whose n-th session token is `session(n)`. */
const session = (count: number) => plainCanary(`peers session ${count}`);
const LOGIN = (expires: string) => `auth:
  login:
    type: session
    steps:
      - name: login
        post: https://auth.acme.test/login
        body: { user: '\${fields.username}', password: '\${fields.password}' }
        capture: { session_token: data.token }${expires}
    send: { headers: { Authorization: 'Token \${token.session_token}' } }`;

test('A21 session token of an hour: one login, and a second one when it has ended', async () => {
  const { connect, at, clock } = await provider(({ path }, count) => ({
    json: path === '/login' ? { data: { token: session(count) } } : {},
  }));
  const fields = { username: 'user', password: canary('peers password') };
  const { http } = await connect(LOGIN('\n        expires: { default: 1h }'), { fields });
  await http.get('/me').json();
  await http.get('/me').json();
  expect(at('/login')).toHaveLength(1);
  clock.advance(61 * MINUTE);
  await http.get('/me').json();
  expect(at('/login').map(({ body }) => JSON.parse(body))).toEqual(Array(2).fill({ user: 'user', password: fields.password }));
  expect(at('/v1/me').map(({ headers }) => headers.authorization)).toEqual([1, 1, 2].map((count) => `Token ${session(count)}`));
});

test('A22 session token without an end: one login, and another after a 401', async () => {
  const { connect, at, clock } = await provider(({ path, headers }, count) => {
    if (path === '/login') return { json: { data: { token: session(count) } } };
    return path === '/v1/gone' && headers.authorization === `Token ${session(1)}` ? { status: 401, json: {} } : { json: { path } };
  });
  const { http } = await connect(LOGIN(''), { fields: { username: 'user', password: canary('peers password') } });
  await http.get('/me').json();
  clock.advance(30 * 24 * 60 * MINUTE);
  await http.get('/me').json();
  expect(at('/login')).toHaveLength(1);
  expect(await http.get('/gone').json()).toEqual({ path: '/v1/gone' });
  expect(at('/login')).toHaveLength(2);
  expect(at('/v1/gone').map(({ headers }) => headers.authorization)).toEqual([1, 2].map((count) => `Token ${session(count)}`));
});
