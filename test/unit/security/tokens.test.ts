import { type ConnectOptions, connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { acme, addresses } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, serve } from '../../server.ts';

let server: LocalServer | undefined;
let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  await server?.close();
  connection = undefined;
  server = undefined;
});

const TOKEN = plainCanary('hostile token answer');
const CLIENT = "type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token'";

/** Connects, and asks the API once; what the token endpoint says is the test's. */
async function used(auth: string, answer: Answer, more: ConnectOptions = {}): Promise<Connection> {
  server = await serve(({ path }) => (path.startsWith('/v1/') ? { json: {} } : answer));
  connection = await connectSpec(
    acme(`auth: { app: { ${auth} } }`),
    { fields: { client_id: 'app', client_secret: canary('hostile token client') } },
    { ...addresses(server.origin), clock: new FakeClock(), retry: { mode: 'None' }, ...more },
  );
  await connection.http.get('/me').text();
  return connection;
}

const asked = () => server?.received.filter(({ path }) => path.startsWith('/v1/')).length;
/** Of anything: it takes its second or two. */
const MILLION = 15_000;
const failing = async (promise: Promise<unknown>, most = 2000) => {
  const started = performance.now();
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(performance.now() - started).toBeLessThan(most);
  expect(asked()).toBe(0);
  return error;
};

describe('a lifetime', () => {
  it.each(['NaN', 'Infinity', '-Infinity', '-1', '1e999', 'soon', -1, true, [], [60], {}])('of %j is none', async (expires_in) => {
    expect(await failing(used(CLIENT, { json: { access_token: TOKEN, expires_in } }))).toMatchObject({
      code: 'token_malformed',
      kind: 'auth',
    });
  });

  it.each(['9'.repeat(400), `1${'0'.repeat(309)}`])('of more than all numbers (%#) is none', async (digits) => {
    const answer = { text: `{"access_token":"${TOKEN}","expires_in":${digits}}`, headers: { 'content-type': 'application/json' } };
    expect(await failing(used(CLIENT, answer))).toMatchObject({ code: 'token_malformed', kind: 'auth' });
  });

  it.each([1e308, '1e308', 9e15, '8640000000000'])('of %j seconds ends when time does', async (expires_in) => {
    const { credential } = await used(CLIENT, { json: { access_token: TOKEN, expires_in } });
    // ECMA-262, 21.4.1.1: the last moment of a Date.
    expect(credential.expires.token).toBe(8.64e15);
    expect(new Date(credential.expires.token ?? Number.NaN).toISOString()).toBe('+275760-09-13T00:00:00.000Z');
    expect(JSON.parse(JSON.stringify(credential.expires))).toEqual(credential.expires);
    expect(JSON.stringify(await connection?.explain({ method: 'GET', path: '/me' }))).toContain('275760');
  });
});

describe('a token', () => {
  it.each([
    ['with a line break and a header behind it', `${TOKEN}\r\nX-Evil: 1`],
    ['with a line feed', `${TOKEN}\n`],
    ['with a NUL', `${TOKEN}\0`],
    ['of ten megabytes', TOKEN + 'x'.repeat(10_000_000)],
  ])('%s is none, and is sent nowhere', async (_, access_token) => {
    const error = await failing(used(CLIENT, { json: { access_token } }));
    expect(error).toMatchObject({ code: 'token_malformed', kind: 'auth' });
    expect(JSON.stringify(error)).not.toContain(TOKEN);
  });

  it.each([
    ['a number', 12345678901, '12345678901'],
    ['a number beyond 2^53', undefined, '12345678901234567890'],
  ])('that is %s is its digits', async (_, access_token, digits) => {
    const text = `{"access_token":${access_token ?? digits}}`;
    await used(CLIENT, { text, headers: { 'content-type': 'application/json' } });
    expect(server?.received.at(-1)?.headers.authorization).toBe(`Bearer ${digits}`);
  });

  it.each([{}, { access_token: null }, { access_token: {} }, { access_token: [TOKEN] }, [], 'text', 7, null])(
    '%j has none',
    async (json) => {
      expect(await failing(used(CLIENT, { json }))).toMatchObject({ code: 'token_malformed', kind: 'auth' });
    },
  );

  it('is found in a million keys, also under the names of objects', async () => {
    const keys = Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join();
    const text = `{"__proto__":{"access_token":"evil"},"constructor":1,${keys},"access_token":"${TOKEN}"}`;
    await used(CLIENT, { text, headers: { 'content-type': 'application/json' } });
    expect(server?.received.at(-1)?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('is never taken from a prototype', async () => {
    const text = `{"__proto__":{"access_token":"${TOKEN}"}}`;
    const error = await failing(used(CLIENT, { text, headers: { 'content-type': 'application/json' } }));
    expect(error).toMatchObject({ code: 'token_malformed' });
  });
});

describe('XML', () => {
  const XML = `${CLIENT}, token: { decode: xml, capture: { access_token: r.t } }`;
  const size = 1_500_000;
  const LAUGHS = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  it.each([
    ['a document type', `<!DOCTYPE r><r><t>${TOKEN}</t></r>`],
    ['a billion laughs', `<!DOCTYPE r [<!ENTITY l0 "ha">${LAUGHS}]><r><t>&l10;</t></r>`],
    ['an entity of a file', '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r><t>&f;</t></r>'],
    ['an entity of a parameter', '<!DOCTYPE r [<!ENTITY % p SYSTEM "https://evil.test/x"> %p;]><r><t>x</t></r>'],
    ['an entity that nobody names', '<r><t>&evil;</t></r>'],
    ['a hundred levels', '<r>'.repeat(101) + '</r>'.repeat(101)],
    ['levels without end', '<r>'.repeat(size / 3)],
    ['more than a million elements', `<r>${'<a/>'.repeat(1_000_001)}</r>`],
    ['a million attributes', `<r ${Array.from({ length: 1_000_001 }, (_, i) => `a${i}=""`).join(' ')}/>`],
    ['one attribute twice', `<r><t a="1" a="2">${TOKEN}</t></r>`],
    ['a name without end', `<${'r'.repeat(size)}`],
    ['an entity without end', `<r>&${'a'.repeat(size)}`],
    ['an instruction without end', `<r><?x ${'a'.repeat(size)}`],
    ['a comment without end', `<r><!-- ${'a'.repeat(size)}`],
    ['a prefix of nobody', `<x:r><t>${TOKEN}</t></x:r>`],
    ['a character that XML has not', '<r><t>&#0;</t></r>'],
    ['two roots', `<r><t>${TOKEN}</t></r><r/>`],
  ])('%s is no token', async (_, text) => {
    const error = await failing(used(XML, { text, headers: { 'content-type': 'application/xml' } }), MILLION);
    expect(error).toMatchObject({ code: 'token_malformed', kind: 'auth' });
    expect(JSON.stringify(error)).not.toMatch(/root:|CANARY|aaaa/);
  });
});

describe('a device that is to be confirmed', () => {
  const DEVICE =
    "type: oauth2_device, device_authorization_url: 'https://auth.acme.test/device', token_url: 'https://auth.acme.test/token', client_auth: none";
  const device = { device_code: plainCanary('hostile device'), user_code: 'A', verification_uri: 'https://auth.acme.test/go' };

  async function polled(more: object) {
    const clock = new FakeClock();
    server = await serve(({ path }) =>
      path === '/device' ? { json: { ...device, ...more } } : { status: 400, json: { error: 'authorization_pending' } },
    );
    const error = await connectSpec(
      acme(`auth: { tv: { ${DEVICE} } }`),
      { fields: { client_id: 'app' } },
      { ...addresses(server.origin), clock, retry: { mode: 'None' }, showCode: () => {} },
    ).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { error, clock, polls: server.received.filter(({ path }) => path === '/token').length };
  }

  it.each([
    { interval: 'x' },
    { interval: -5 },
    { expires_in: 'never' },
    { expires_in: {} },
    { expires_in: -1 },
    { interval: [], expires_in: 'NaN' },
  ])('%j is refused: it would be asked for without end', async (more) => {
    const { error, polls } = await polled(more);
    expect([error, polls]).toEqual([expect.objectContaining({ code: 'token_malformed', kind: 'auth' }), 0]);
  });

  it.each([
    [{ interval: 0, expires_in: 20 }, 19],
    [{ interval: 1e308, expires_in: 20 }, 0],
    [{ interval: 3600, expires_in: 1e308 }, 23],
    [{ interval: null, expires_in: 20 }, 3],
  ])('%j asks %i times', async (more, times) => {
    const { error, polls, clock } = await polled(more);
    expect([error, polls]).toEqual([expect.objectContaining({ code: 'consent_denied' }), times]);
    expect(Math.max(...clock.slept)).toBeLessThanOrEqual(24 * 3600 * 1000);
  });

  it.each(['http://evil.test/', 'javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'auth.acme.test', ''])(
    '%s is no page',
    async (verification_uri) => {
      const { error, polls } = await polled({ verification_uri });
      expect([error, polls]).toEqual([expect.objectContaining({ code: 'token_malformed' }), 0]);
    },
  );
});
