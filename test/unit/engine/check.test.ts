import type { CheckReport } from '../../../framework/engine/check.ts';
import { type ConnectOptions, connectSpec, type Inputs } from '../../../framework/engine/connect.ts';
import { acme, addresses, specOf } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type Received, serve } from '../../server.ts';

const BASIC = `auth: { basic: { type: basic } }`;
const FIELDS = { username: 'ann', password: plainCanary('check-password') };

async function report(answer: Answer, more = '', options: ConnectOptions = {}): Promise<CheckReport> {
  const server = await serve(() => answer);
  const spec = acme(`${BASIC}\n${more}`);
  const connection = await connectSpec(spec, { fields: FIELDS }, { ...addresses(server.origin), clock: new FakeClock(), ...options });
  try {
    return await connection.check();
  } finally {
    await connection.close();
    await server.close();
  }
}

const failed = ({ steps }: CheckReport): unknown => steps.at(-1);

describe('check is a ladder', () => {
  it('that holds to the top', async () => {
    const { ok, account, steps } = await report({ json: { user: { name: 'Ann' } } });
    expect([ok, account, steps.map((step) => step.name)]).toEqual([
      true,
      undefined,
      ['resolve', 'tls', 'answer', 'authenticate', 'permission'],
    ]);
  });

  it.each<[string, Answer, object]>([
    [
      '401 names the fields of the method',
      { status: 401, json: { message: 'Wrong password' } },
      { name: 'authenticate', ok: false, field: 'username, password', provider: 'Wrong password' },
    ],
    [
      '403 is about permission',
      { status: 403, json: { error: { message: 'API access is off' } } },
      { name: 'permission', ok: false, provider: 'API access is off' },
    ],
    ['503 is about the server', { status: 503, text: 'down' }, { name: 'answer', ok: false }],
    [
      '404 is about the address',
      { status: 404, json: { message: 'nothing here' } },
      { name: 'permission', ok: false, provider: 'nothing here' },
    ],
    ['HTML is no answer', { text: '<html>proxy', headers: { 'content-type': 'text/html' } }, { name: 'answer', ok: false }],
  ])('%s', async (_, answer, step) => {
    const result = await report(answer);
    expect(result.ok).toBe(false);
    expect(failed(result)).toMatchObject(step);
    expect(result.steps.slice(0, -1).every(({ ok }) => ok)).toBe(true);
  });

  it('shows no account that is the credential itself', async () => {
    const server = await serve(() => ({ json: { me: `key ${FIELDS.password}` } }));
    const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
${BASIC}
http: { base_url: 'https://api.acme.test/v1' }
check: { get: /me, account: me }`);
    const connection = await connectSpec(spec, { fields: FIELDS }, addresses(server.origin));
    expect((await connection.check()).account).toBe('key [secret]');
    await connection.close();
    await server.close();
  });

  it('says what the spec says when the answer is not the expected one, and whom it reached', async () => {
    const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
choices: { region: { default: eu, options: { eu: { api: api.acme.test }, us: { api: api.us.acme.test } } } }
${BASIC}
http: { base_url: 'https://\${region.api}/v1' }
check: { get: /me, expect: '\${size(response.body.profiles) > 0}', otherwise: Is it the right region?, account: user.name }`);
    for (const [profiles, wanted] of [
      [
        [],
        {
          ok: false,
          steps: expect.arrayContaining([
            expect.objectContaining({ name: 'expect', ok: false, message: 'Is it the right region?', field: 'region' }),
          ]),
        },
      ],
      [[1], { ok: true, account: 'Ann' }],
    ] as const) {
      const server = await serve(() => ({ json: { profiles, user: { name: 'Ann' } } }));
      const connection = await connectSpec(spec, { fields: FIELDS }, addresses(server.origin));
      expect(await connection.check()).toMatchObject(wanted);
      await connection.close();
      await server.close();
    }
  });

  it('names the site when its name does not resolve, is private, or nobody listens', async () => {
    const site = (base: string) =>
      specOf(`spec: 1
name: own
title: Own
version: 1.0.0
fields: { site: { type: url } }
${BASIC}
http: { base_url: '\${fields.site}', allow_http: loopback }
check: { get: /me }
${base}`);
    const clock = new FakeClock();
    const check = async (url: string, options: ConnectOptions = {}) => {
      const connection = await connectSpec(site(''), { fields: { ...FIELDS, site: url } }, { environment: {}, clock, ...options });
      const result = await connection.check();
      await connection.close();
      return [failed(result), result.code];
    };
    expect(await check('https://10.1.2.3/jama')).toMatchObject([
      { name: 'resolve', field: 'site', next: expect.stringContaining('allowPrivateAddresses') },
      'address_refused',
    ]);
    expect(await check('https://169.254.169.254', { network: { allowPrivateAddresses: true } })).toMatchObject([
      { name: 'resolve', field: 'site' },
      'address_refused',
    ]);
    const closed = await serve(() => ({}));
    await closed.close();
    expect(await check(closed.origin, { network: { allowLoopbackAddresses: true } })).toMatchObject([
      { name: 'answer', field: 'site' },
      'connection_failed',
    ]);
  });
});

describe('a refusal that is about a scope', () => {
  const auth = `auth: { app: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token', scopes: [read, write] } }`;
  const fields = { client_id: 'app', client_secret: plainCanary('scope-client') };

  /** The API's answer, for a token of the scopes granted. */
  async function refused(granted: string | undefined, answer: Answer): Promise<CheckReport> {
    const token = { access_token: plainCanary('scoped'), expires_in: 60, ...(granted !== undefined && { scope: granted }) };
    const server = await serve(({ path }) => (path === '/token' ? { json: token } : answer));
    const connection = await connectSpec(acme(auth), { fields }, { ...addresses(server.origin), clock: new FakeClock() });
    try {
      return await connection.check();
    } finally {
      await connection.close();
      await server.close();
    }
  }

  const challenge = (more: string): Record<string, string> => ({ 'www-authenticate': `Basic realm="a, b", Bearer realm="acme", ${more}` });

  it.each<[string, string | undefined, Answer, string[], string]>([
    // RFC 6750, 3 and 3.1
    [
      'the provider names it',
      'read write',
      { status: 403, headers: challenge('error="insufficient_scope", scope="read admin"') },
      ['admin'],
      'auth.app.scopes in the spec does not ask for admin.',
    ],
    [
      'it comes with 401',
      'read',
      { status: 401, headers: challenge('error="insufficient_scope",scope="write"') },
      ['write'],
      'Grant it to the client at the provider.',
    ],
    ['only the grant tells', 'read', { status: 403, json: { message: 'no' } }, ['write'], 'Grant it to the client at the provider.'],
    [
      'it names none',
      'read',
      { status: 403, headers: challenge('error=insufficient_scope') },
      ['write'],
      'Grant it to the client at the provider.',
    ],
  ])('is told as such: %s', async (_, granted, answer, scopes, next) => {
    const result = await refused(granted, answer);
    expect(result).toMatchObject({ ok: false, code: 'scope_missing', kind: 'permission' });
    expect(result.steps.map(({ name, ok }) => [name, ok]).slice(-2)).toEqual([
      ['authenticate', true],
      ['permission', false],
    ]);
    expect(failed(result)).toMatchObject({ scopes, next, message: expect.stringContaining(`lacks the scope ${scopes[0]}`) });
  });

  it.each<[string, string | undefined, Answer, string]>([
    ['403 with all that was asked for', 'read write', { status: 403 }, 'forbidden'],
    ['403 where the grant is not told', undefined, { status: 403 }, 'forbidden'],
    ['an invalid token', 'read', { status: 401, headers: challenge('error="invalid_token", error_description="expired"') }, 'unauthorized'],
  ])('is not found in %s', async (_, granted, answer, code) => {
    expect(await refused(granted, answer)).toMatchObject({ code });
  });
});

describe('a key of another region', () => {
  const spec = (more = '') =>
    specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
choices:
  region: { default: eu, options: { eu: { api: api.acme.test }, us: { api: us.acme.test }, jp: { api: jp.acme.test } } }
  format: { default: short, options: { short: { as: s }, long: { as: l } } }
auth: { basic: { type: basic }, app: { type: oauth2_client_credentials, token_url: 'https://\${region.api}/token' }, oauth: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/a', token_url: 'https://auth.acme.test/token' } }
http: { base_url: 'https://\${region.api}/v1' }
check: { get: /me, query: { as: '\${format.as}' } }
${more}`);
  const hosts = ['api', 'us', 'jp', 'auth'].map((name) => `https://${name}.acme.test`);

  async function asked(answer: (request: Received) => Answer, inputs: Inputs, allChoices: boolean): Promise<[CheckReport, Received[]]> {
    const server = await serve(answer);
    const sandbox = { addresses: Object.fromEntries(hosts.map((origin) => [origin, server.origin])) };
    const connection = await connectSpec(spec(), inputs, { sandbox, clock: new FakeClock(), retry: { countMax: 0 } });
    try {
      return [await connection.check({ allChoices }), server.received];
    } finally {
      await connection.close();
      await server.close();
    }
  }
  const onlyIn =
    (home: string) =>
    ({ host }: Received): Answer =>
      host === home ? { json: {} } : { status: 401, json: { message: 'Unknown key' } };

  it('may be one: the choice is named, and nothing goes to another host', async () => {
    const [result, received] = await asked(onlyIn('us.acme.test'), { fields: FIELDS }, false);
    expect(failed(result)).toMatchObject({ field: 'username, password', choice: { name: 'region', option: 'eu', others: ['us', 'jp'] } });
    expect(result.tried).toBeUndefined();
    expect(new Set(received.map(({ host }) => host))).toEqual(new Set(['api.acme.test']));
  });

  it.each([401, 403, 404])('is found on %s where that is asked for', async (status) => {
    const [result, received] = await asked(({ host }) => (host === 'us.acme.test' ? { json: {} } : { status }), { fields: FIELDS }, true);
    expect([result.ok, result.tried?.map(({ choice, option, ok }) => [choice, option, ok])]).toEqual([
      false,
      [
        ['region', 'us', true],
        ['region', 'jp', false],
      ],
    ]);
    expect(failed(result)).toMatchObject({ field: 'region', next: 'The credential works with region=us: connect again with that.' });
    expect([...new Set(received.map(({ host }) => host))]).toEqual(['api.acme.test', 'us.acme.test', 'jp.acme.test']);
  });

  it('asks for a token in each region where that needs no person', async () => {
    const answer = ({ host, path, headers }: Received): Answer => {
      if (path === '/token')
        return host === 'jp.acme.test' ? { json: { access_token: plainCanary('jp') } } : { status: 401, json: { error: 'invalid_client' } };
      return headers.authorization === `Bearer ${plainCanary('jp')}` ? { json: {} } : { status: 401 };
    };
    const fields = { client_id: 'app', client_secret: plainCanary('regional') };
    const [result] = await asked(answer, { method: 'app', fields }, true);
    expect(result.tried).toMatchObject([
      { option: 'us', code: 'token_refused' },
      { option: 'jp', ok: true },
    ]);
  });

  it("uses a person's token as it is, and renews nothing elsewhere", async () => {
    const fields = { client_id: 'app', client_secret: plainCanary('regional') };
    const tokens = { access_token: plainCanary('personal'), refresh_token: plainCanary('refresh') };
    const [result, received] = await asked(
      ({ path }) => (path === '/token' ? { json: { access_token: plainCanary('renewed') } } : { status: 401 }),
      { method: 'oauth', fields, tokens },
      true,
    );
    expect(result.tried?.map(({ ok }) => ok)).toEqual([false, false]);
    expect(received.filter(({ path }) => path === '/token')).toHaveLength(1);
  });

  it('does not go to a host that only the person knows', async () => {
    const own = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
fields: { site: { type: url, default: 'https://evil.acme.test' } }
choices: { plan: { default: cloud, options: { cloud: {}, own: { http: { base_url: '\${fields.site}' } } } } }
auth: { basic: { type: basic } }
http: { base_url: 'https://api.acme.test' }
check: { get: /me }`);
    const server = await serve(() => ({ status: 401 }));
    const sandbox = { addresses: { 'https://api.acme.test': server.origin, 'https://evil.acme.test': server.origin } };
    const connection = await connectSpec(own, { fields: FIELDS }, { sandbox, clock: new FakeClock() });
    const { tried } = await connection.check({ allChoices: true });
    await connection.close();
    await server.close();
    expect(tried).toEqual([expect.objectContaining({ choice: 'plan', option: 'own', ok: false, code: 'host_refused' })]);
    expect(server.received.map(({ host }) => host)).toEqual(['api.acme.test']);
  });

  it('goes nowhere when the key works, or the server is down', async () => {
    for (const status of [200, 500]) {
      const [result, received] = await asked(() => ({ status, json: {} }), { fields: FIELDS }, true);
      expect([result.ok, result.tried]).toEqual([status === 200, undefined]);
      expect(received.every(({ host }) => host === 'api.acme.test')).toBe(true);
    }
  });
});
