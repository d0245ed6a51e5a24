import { memoryStore } from '../../../framework/credentials/memory.ts';
import { type ConnectOptions, connectSpec, connectStored } from '../../../framework/engine/connect.ts';
import { acme, addresses } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

let server: LocalServer;
afterEach(() => server.close());

const REFRESH = plainCanary('revoked refresh token');
const CODE = `auth: { oauth: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token', revoke: { post: 'https://auth.acme.test/revoke' } } }`;
const FIELDS = { client_id: 'app', client_secret: canary('revoking client') };

const form = ({ body }: Received): Record<string, string> => Object.fromEntries(new URLSearchParams(body));

async function start(answer: (request: Received) => Answer): Promise<ConnectOptions> {
  server = await serve(answer);
  return { ...addresses(server.origin), clock: new FakeClock() };
}

describe('revoke', () => {
  it('sends the refresh token with the client (RFC 7009, 2.1); the stored credential then wants a person', async () => {
    const options = await start(() => ({ status: 200, text: '' }));
    const store = memoryStore();
    const tokens = { access_token: plainCanary('revoked access token'), refresh_token: REFRESH };
    const spec = acme(CODE);
    await (await connectSpec(spec, { fields: FIELDS, tokens }, { ...options, store, name: 'work' })).close();
    await using connection = await connectStored(spec, 'work', { ...options, store });
    await connection.revoke();
    expect(server.received.map((request) => [request.method, request.host, request.path, form(request)])).toEqual([
      ['POST', 'auth.acme.test', '/revoke', { token: REFRESH, client_id: 'app', client_secret: FIELDS.client_secret }],
    ]);
    expect(await store.get('work')).toMatchObject({ captures: {}, expires: {}, state: 'reconnect' });
    await expect(connection.http.get('/me')).rejects.toMatchObject({ code: 'reconnect_required' });
  });

  it('keeps everything when the provider refuses', async () => {
    const options = await start(() => ({ status: 400, json: { error: 'unsupported_token_type' } }));
    const tokens = { access_token: plainCanary('kept'), refresh_token: REFRESH };
    await using connection = await connectSpec(acme(CODE), { fields: FIELDS, tokens }, options);
    await expect(connection.revoke()).rejects.toMatchObject({ code: 'token_refused', providerCode: 'unsupported_token_type' });
    expect(connection.credential.captures).toMatchObject({ refresh_token: expect.anything() });
  });

  it('ends a session as its spec writes it, without a client', async () => {
    const options = await start(({ path }) => (path === '/v1/login' ? { json: { key: plainCanary('session key') } } : { status: 204 }));
    const auth = `auth: { login: { type: session, fields: { username: {}, password: { secret: true } }, steps: [{ name: login, post: /login, body: { user: '\${fields.username}' }, capture: { key: key } }], send: { headers: { Authorization: null, X-Key: '\${token.key}' } }, logout: { delete: /login, headers: { X-Key: '\${token.key}' } } } }`;
    const fields = { username: 'ann', password: canary('logged out') };
    await using connection = await connectSpec(acme(auth), { fields }, options);
    await connection.http.get('/me');
    await connection.revoke();
    expect(server.received.map(({ method, path, headers, body }) => [method, path, headers['x-key'], body])).toEqual([
      ['POST', '/v1/login', undefined, '{"user":"ann"}'],
      ['GET', '/v1/me', plainCanary('session key'), ''],
      ['DELETE', '/v1/login', plainCanary('session key'), ''],
    ]);
  });

  it('says so where the spec names no call for it', async () => {
    const options = await start(() => ({}));
    await using connection = await connectSpec(
      acme('auth: { basic: { type: basic } }'),
      { fields: { username: 'a', password: canary('basic') } },
      options,
    );
    await expect(connection.revoke()).rejects.toMatchObject({ code: 'not_supported', where: 'auth.basic' });
  });
});
