import type { CheckReport } from '../../../framework/engine/check.ts';
import { type ConnectOptions, connectSpec } from '../../../framework/engine/connect.ts';
import { acme, addresses, specOf } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, serve } from '../../server.ts';

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
        { ok: false, steps: expect.arrayContaining([{ name: 'expect', ok: false, message: 'Is it the right region?', field: 'region' }]) },
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
