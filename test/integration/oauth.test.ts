/** Against oidc-provider: what its own authors hold OAuth to be. Access tokens live five seconds. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenForCallback } from '../../framework/auth/callback-server.ts';
import { Secret } from '../../framework/core/secret.ts';
import { encryptedFileStore } from '../../framework/credentials/encrypted-file.ts';
import type { CredentialStore } from '../../framework/credentials/types.ts';
import { type Connection, type Connector, type Consent, loadConnector } from '../../framework/index.ts';
import { plainCanary } from '../canary.ts';
import { consentAs, refuseConsent } from './browser.ts';
import { type OauthServer, oauthServer } from './oauth-server.ts';

const TTL = 5;
const AFTER_EXPIRY = TTL * 1000 + 300;
const network = { allowLoopbackAddresses: true };

let server: OauthServer;
let connector: Connector;
let folder: string;
let store: CredentialStore;
beforeAll(async () => {
  server = await oauthServer(TTL);
  connector = await loadConnector('test/integration/specs/oauth-server.yaml');
  folder = await mkdtemp(join(tmpdir(), 'ferrule-oauth-store-'));
  store = encryptedFileStore({ folder });
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
  await rm(folder, { recursive: true });
});

const machine = (method: 'basic' | 'post', secret: string) => ({
  method,
  fields: { site: server.site, client_id: `machine-${method}`, client_secret: secret },
});
const web = () => ({ method: 'web', fields: { site: server.site, client_id: 'web', client_secret: server.secrets.web } });

/** A person whose browser ends on our own callback server. */
const consent =
  (visit: (url: string) => Promise<unknown>): Consent =>
  async ({ authorizeUrl, redirectUri }) => {
    const callback = await listenForCallback(redirectUri, { timeout: 20_000 });
    try {
      await visit(authorizeUrl);
      return await callback.wait();
    } finally {
      await callback.close();
    }
  };
const agree = consent((url) => consentAs('alice', url));

async function count(connection: Connection): Promise<number> {
  let records = 0;
  for await (const record of connection.read('items')) {
    records += 1;
    expect(record).toEqual({ id: records, name: `Item ${records}` });
  }
  return records;
}

async function grantsOf(client: string): Promise<string[]> {
  const grants = (await server.grants()).filter((one) => one.client === client);
  return grants.map((one) => (one.ok ? one.grant : `${one.grant}: ${one.error}`));
}

describe('client credentials', () => {
  it.each(['basic', 'post'] as const)(
    'by %s: checks, reads everything, asks for a token once, and once more when it has ended',
    async (method) => {
      await using connection = await connector.connect(machine(method, server.secrets[method]), { network });
      const report = await connection.check();
      expect(report).toMatchObject({ ok: true, account: `machine-${method}` });
      expect(await count(connection)).toBe(23);
      expect(await grantsOf(`machine-${method}`)).toEqual(['client_credentials']);

      await sleep(AFTER_EXPIRY);
      const counts = await Promise.all(Array.from({ length: 10 }, () => count(connection)));
      expect(counts).toEqual(Array.from({ length: 10 }, () => 23));
      expect(await grantsOf(`machine-${method}`)).toEqual(['client_credentials', 'client_credentials']);
    },
  );

  it.each(['basic', 'post'] as const)(
    'by %s with a wrong secret: the error names the field, in the words of the server',
    async (method) => {
      await using connection = await connector.connect(machine(method, `${plainCanary(`wrong ${method}`)}+/=&%:<`), { network });
      await expect(count(connection)).rejects.toMatchObject({
        code: 'token_refused',
        kind: 'auth',
        where: 'fields.client_secret',
        providerCode: 'invalid_client',
        provider: 'client authentication failed',
      });
      const report = await connection.check();
      expect(report).toMatchObject({ ok: false, kind: 'auth' });
      expect(report.steps.at(-1)).toMatchObject({ name: 'authenticate', field: 'client_secret', provider: 'client authentication failed' });
    },
  );
});

describe('consent', () => {
  it('with PKCE; renewed with a refresh token that changes each time, by whoever opens the credential', async () => {
    await using connection = await connector.connect(web(), {
      network,
      store,
      name: 'alice',
      redirectUri: server.redirectUri,
      consent: agree,
    });
    expect(await connection.http.get('me').json()).toEqual({ client: 'web', account: 'alice' });
    expect(await count(connection)).toBe(23);
    expect(await grantsOf('web')).toEqual(['authorization_code']);
    const first = (await store.get('alice'))?.captures.refresh_token;
    expect(first).toBeInstanceOf(Secret);

    await sleep(AFTER_EXPIRY);
    await using other = await connector.connect({ credential: 'alice' }, { network, store: encryptedFileStore({ folder }) });
    const counts = await Promise.all([connection, other, connection, other].map(count));
    expect(counts).toEqual([23, 23, 23, 23]);
    expect(await grantsOf('web')).toEqual(['authorization_code', 'refresh_token']);
    const second = (await store.get('alice'))?.captures.refresh_token;
    expect((second as Secret).reveal()).not.toBe((first as Secret).reveal());

    // Whoever sends a spent refresh token is taken for a thief: the server ends the grant for all.
    await using thief = await connector.connect(
      { ...web(), tokens: { refresh_token: first as Secret } },
      { network, store, name: 'thief', redirectUri: server.redirectUri },
    );
    await expect(count(thief)).rejects.toMatchObject({
      code: 'reconnect_required',
      kind: 'auth',
      providerCode: 'invalid_grant',
      where: 'thief',
    });
    expect((await store.get('thief'))?.state).toBe('reconnect');
    await sleep(AFTER_EXPIRY);
    await expect(count(connection)).rejects.toMatchObject({ code: 'reconnect_required', where: 'alice' });
    const asked = (await grantsOf('web')).length;
    await expect(count(connection)).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(await grantsOf('web')).toHaveLength(asked);

    // Connecting again under the same name is what the error tells to do.
    await using again = await connector.connect(web(), { network, store, name: 'alice', redirectUri: server.redirectUri, consent: agree });
    expect(await count(again)).toBe(23);
    expect((await store.get('alice'))?.state).not.toBe('reconnect');
  });

  it('checks well: the scopes that only concern the ID token and the refresh token are not missed in the access token', async () => {
    await using connection = await connector.connect(web(), { network, redirectUri: server.redirectUri, consent: agree });
    expect(await connection.check()).toMatchObject({ ok: true, account: 'web' });
  });

  it('refused by the person: nothing is stored', async () => {
    const refused = connector.connect(web(), {
      network,
      store,
      name: 'bob',
      redirectUri: server.redirectUri,
      consent: consent(refuseConsent),
    });
    await expect(refused).rejects.toMatchObject({ code: 'consent_denied', providerCode: 'access_denied' });
    expect(await store.get('bob')).toBeUndefined();
  });
});
