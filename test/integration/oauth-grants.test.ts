/** Every grant and client authentication against oidc-provider, whose word counts: introspection, its own log, its API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listenForCallback } from '../../framework/auth/callback-server.ts';
import type { Secret } from '../../framework/core/secret.ts';
import { type Clock, type Connection, type ConnectOptions, type Connector, type Consent, loadConnector } from '../../framework/index.ts';
import { canary, plainCanary } from '../canary.ts';
import { consentAs, enterCode } from './browser.ts';
import { type OauthServer, oauthServer } from './oauth-server.ts';

const TTL = 3;
const AFTER_EXPIRY = TTL * 1000 + 300;
const network = { allowLoopbackAddresses: true };

let server: OauthServer;
let connector: Connector;
beforeAll(async () => {
  server = await oauthServer(TTL);
  connector = await loadConnector('test/integration/specs/oauth-grants.yaml');
});
afterAll(() => server?.stop());

const connect = (method: string, fields: Record<string, string>, options: ConnectOptions = {}) =>
  connector.connect({ method, fields: { site: server.site, ...fields } }, { network, ...options });

const tokenOf = ({ credential }: Connection, name = 'access_token'): string => (credential.captures[name] as Secret).reveal();

async function grantsOf(client: string): Promise<string[]> {
  const grants = (await server.grants()).filter((one) => one.client === client);
  return grants.map((one) => (one.ok ? one.grant : `${one.grant}: ${one.error}`));
}

/** The API lets it in, and the server knows the token by what it should. */
async function letIn(connection: Connection, knows: Record<string, unknown>): Promise<void> {
  await connection.http.get('me').json();
  expect(await server.introspect(tokenOf(connection))).toMatchObject({ active: true, scope: 'api:read', ...knows });
}

const refusal = { code: 'token_refused', kind: 'auth', where: 'fields.client_secret', providerCode: 'invalid_client' };

describe('the client shows who it is', () => {
  it('by a JWT of its own key, a new one for each token', async () => {
    await using connection = await connect('private_key_jwt', { client_id: 'machine-key', private_key: server.privateKey });
    await letIn(connection, { client_id: 'machine-key' });
    await sleep(AFTER_EXPIRY);
    await letIn(connection, { client_id: 'machine-key' });
    expect(await grantsOf('machine-key')).toEqual(['client_credentials', 'client_credentials']);
  });

  it('by a JWT of its secret', async () => {
    await using connection = await connect('client_secret_jwt', { client_id: 'machine-hmac', client_secret: server.secrets.jwt });
    await letIn(connection, { client_id: 'machine-hmac' });
  });

  it.each([
    ['a stranger’s key', 'private_key_jwt', { client_id: 'machine-key' }],
    ['a wrong secret', 'client_secret_jwt', { client_id: 'machine-hmac', client_secret: `${canary('wrong hmac')}${canary('longer')}` }],
  ])('%s is refused', async (_, method, fields) => {
    const key: Record<string, string> = method === 'private_key_jwt' ? { private_key: server.strangerKey } : {};
    await using connection = await connect(method, { ...fields, ...key });
    await expect(connection.http.get('me').json()).rejects.toMatchObject(refusal);
  });
});

describe('by a certificate (RFC 8705)', () => {
  const fields = (client_id: string, { certificate, key }: { certificate: string; key: string }) => ({
    ...{ client_id, certificate, private_key: key, secure: server.secure },
    ca: server.ca,
  });

  it.each([
    ['that an authority has signed', 'machine-tls', 'machine'],
    ['that is registered itself', 'machine-alone', 'alone'],
  ] as const)('%s: the token is bound to it', async (_, client, which) => {
    await using connection = await connect('tls', fields(client, server.certificates[which]));
    await letIn(connection, { client_id: client, cnf: { 'x5t#S256': expect.any(String) } });
    const headers = { authorization: `Bearer ${tokenOf(connection)}` };
    expect((await fetch(`${server.site}/api/me`, { headers })).status).toBe(401);
  });

  it.each([
    ['the authority’s, for somebody else', 'machine-tls', 'other'],
    ['one that nobody vouches for', 'machine-tls', 'alone'],
    ['another than is registered', 'machine-alone', 'machine'],
  ] as const)('%s: refused', async (_, client, which) => {
    await using connection = await connect('tls', fields(client, server.certificates[which]));
    await expect(connection.http.get('me').json()).rejects.toMatchObject({ code: 'token_refused', providerCode: 'invalid_client' });
  });

  it('a server that the given authority does not vouch for gets neither certificate nor client', async () => {
    const { ca: _, ...untrusting } = fields('machine-tls', server.certificates.machine);
    await using connection = await connect('tls', untrusting);
    const before = (await server.grants()).length;
    await expect(connection.http.get('me').json()).rejects.toMatchObject({ code: 'tls_failed' });
    expect(await server.grants()).toHaveLength(before);
  });
});

describe('metadata and resources', () => {
  it('an issuer instead of URLs', async () => {
    await using connection = await connect('discovered', { client_id: 'machine-basic', client_secret: server.secrets.basic });
    await letIn(connection, { client_id: 'machine-basic' });
  });

  it('the issuer by another name is not believed', async () => {
    const fields = { site: server.secure, client_id: 'machine-basic', client_secret: server.secrets.basic };
    await using connection = await connect('discovered', fields, { network: { ...network, ca: server.ca } });
    await expect(connection.http.get('me').json()).rejects.toMatchObject({
      code: 'token_malformed',
      message: expect.stringContaining('another issuer'),
    });
  });

  it('a resource is what the token is for (RFC 8707)', async () => {
    const fields = { client_id: 'machine-post', client_secret: server.secrets.post, resource: 'https://orders.acme.test/v1' };
    await using connection = await connect('resource', fields);
    await letIn(connection, { aud: 'https://orders.acme.test/v1' });
    await using other = await connect('resource', { ...fields, resource: 'https://unknown.acme.test/' });
    await expect(other.http.get('me').json()).rejects.toMatchObject({ code: 'token_refused', providerCode: 'invalid_target' });
  });

  it('what introspection says of its end counts: no call is refused for an old token', async () => {
    const before = await server.refused();
    await using connection = await connect('introspected', { client_id: 'machine-post', client_secret: server.secrets.post });
    await letIn(connection, { client_id: 'machine-post' });
    const first = tokenOf(connection);
    await sleep(AFTER_EXPIRY);
    await letIn(connection, { client_id: 'machine-post' });
    expect(tokenOf(connection)).not.toBe(first);
    expect(await server.refused()).toBe(before);
  });
});

describe('a person', () => {
  const consent: Consent = async ({ authorizeUrl, redirectUri }) => {
    const callback = await listenForCallback(redirectUri, { timeout: 20_000 });
    try {
      await consentAs('alice', authorizeUrl);
      return await callback.wait();
    } finally {
      await callback.close();
    }
  };
  const withPerson = () => ({ consent, redirectUri: server.redirectUri });

  it('consents on the page that the metadata name, and a renewal finds the token endpoint again', async () => {
    await using connection = await connect('web', { client_id: 'web', client_secret: server.secrets.web }, withPerson());
    await letIn(connection, { client_id: 'web', sub: 'alice' });
    await sleep(AFTER_EXPIRY);
    await letIn(connection, { client_id: 'web', sub: 'alice' });
    expect(await grantsOf('web')).toEqual(['authorization_code', 'refresh_token']);
  });

  it('ends the grant (RFC 7009): at the server all its tokens are over, here it must be connected again', async () => {
    await using connection = await connect('web', { client_id: 'web', client_secret: server.secrets.web }, withPerson());
    await letIn(connection, { client_id: 'web', sub: 'alice' });
    const tokens = [tokenOf(connection), tokenOf(connection, 'refresh_token')];
    await connection.revoke();
    for (const token of tokens) expect(await server.introspect(token)).toEqual({ active: false });
    await expect(connection.http.get('me').json()).rejects.toMatchObject({ code: 'reconnect_required' });
  });

  it('consents to a client that has just registered itself (RFC 7591)', async () => {
    await using connection = await connect('registered', {}, withPerson());
    const client = connection.credential.captures.client_id as string;
    // It promises to say who it is in the callback (RFC 9207), so that a callback without that would have been refused.
    expect(connection.credential.captures).toMatchObject({ metadata_issuer: server.site, metadata_iss_parameter: 'true' });
    await letIn(connection, { client_id: client, sub: 'alice' });
    await sleep(AFTER_EXPIRY);
    await letIn(connection, { client_id: client, sub: 'alice' });
    expect(await grantsOf(client)).toEqual(['authorization_code', 'refresh_token']);
  });

  /** The server names no interval, so the RFC's five seconds hold; here a fifth of them. */
  const hurried: Clock = { now: () => Date.now(), sleep: (ms, signal) => sleep(ms / 5, undefined, signal && { signal }) };

  it('enters a code on another device (RFC 8628), and late', async () => {
    let entered: Promise<void> | undefined;
    const showCode = ({ complete }: { complete: string | undefined }) => {
      entered = sleep(1500).then(() => enterCode('alice', complete ?? ''));
    };
    await using connection = await connect('device', { client_id: 'tv' }, { showCode, clock: hurried });
    await entered;
    await letIn(connection, { client_id: 'tv', sub: 'alice' });
    const grant = 'urn:ietf:params:oauth:grant-type:device_code';
    const asked = await grantsOf('tv');
    expect(asked[0]).toBe(`${grant}: authorization_pending`);
    expect(asked.at(-1)).toBe(grant);
    await sleep(AFTER_EXPIRY);
    await letIn(connection, { client_id: 'tv', sub: 'alice' });
    expect((await grantsOf('tv')).at(-1)).toBe('refresh_token');
  });

  it('says no on the other device', async () => {
    const showCode = ({ complete }: { complete: string | undefined }) => enterCode('alice', complete ?? '', 'abort');
    await expect(connect('device', { client_id: 'tv' }, { showCode, clock: hurried })).rejects.toMatchObject({ code: 'consent_denied' });
  });
});

describe('grants without a page', () => {
  const trusted = () => ({ client_id: 'trusted', client_secret: server.secrets.basic });

  it('password', async () => {
    await using connection = await connect('password', { ...trusted(), username: 'alice', password: server.secrets.alice });
    await letIn(connection, { client_id: 'trusted', sub: 'alice' });
    await using wrong = await connect('password', { ...trusted(), username: 'alice', password: canary('wrong alice') });
    await expect(wrong.http.get('me').json()).rejects.toMatchObject({ providerCode: 'invalid_grant' });
  });

  it('an assertion, which is good once (RFC 7523)', async () => {
    const fields = { client_id: 'asserter', subject: 'bob', private_key: server.privateKey };
    await using connection = await connect('assertion', fields);
    await letIn(connection, { client_id: 'asserter', sub: 'bob' });
    await sleep(AFTER_EXPIRY);
    await letIn(connection, { client_id: 'asserter', sub: 'bob' });
    await using wrong = await connect('assertion', { ...fields, private_key: server.strangerKey });
    await expect(wrong.http.get('me').json()).rejects.toMatchObject({ providerCode: 'invalid_grant' });
  });

  it('a token for another (RFC 8693)', async () => {
    await using first = await connect('password', { ...trusted(), username: 'alice', password: server.secrets.alice });
    await first.http.get('me').json();
    await using connection = await connect('exchange', { ...trusted(), subject_token: tokenOf(first) });
    await letIn(connection, { client_id: 'trusted', sub: 'alice' });
    expect(tokenOf(connection)).not.toBe(tokenOf(first));
    await using wrong = await connect('exchange', { ...trusted(), subject_token: plainCanary('no such token') });
    await expect(wrong.http.get('me').json()).rejects.toMatchObject({ providerCode: 'invalid_grant' });
  });
});
