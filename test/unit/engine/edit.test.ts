import { memoryStore } from '../../../framework/credentials/memory.ts';
import type { Credential, CredentialStore } from '../../../framework/credentials/types.ts';
import { type ConnectOptions, connectSpec, connectStored } from '../../../framework/engine/connect.ts';
import { type Edit, editCredential } from '../../../framework/engine/edit.ts';
import { acme, addresses } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type LocalServer, type Received, serve } from '../../server.ts';

let server: LocalServer;
let options: ConnectOptions & { store: CredentialStore };
beforeEach(async () => {
  let issued = 0;
  server = await serve(({ path }) => {
    if (path !== '/token') return { json: { id: 1 } };
    issued += 1;
    return { json: { access_token: plainCanary(`edit token ${issued}`), expires_in: 3600 } };
  });
  options = { ...addresses(server.origin), clock: new FakeClock(), store: memoryStore() };
});
afterEach(() => server.close());

const spec = acme(`fields:
  account: { required: true, help: x }
  profile: { after: auth, required: true, help: x }
  mode: { options: [plain, extra], default: plain }
  note: { when: "\${fields.mode == 'extra'}", required: true }
choices: { region: { default: eu, options: { eu: {}, na: {} } } }
auth:
  oauth: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token' }
  app: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token' }
  user: { type: oauth2_password, token_url: 'https://auth.acme.test/token' }
  key: { type: bearer }`);

const CLIENT = { client_id: 'app', client_secret: canary('edit client') };
const NEW = canary('edit new client');
const TOKENS = { access_token: plainCanary('edit access'), refresh_token: plainCanary('edit refresh') };
const form = ({ body }: Received) => Object.fromEntries(new URLSearchParams(body));
const asked = () => server.received.filter(({ path }) => path === '/token').map(form);

async function connected(method: string, more: Record<string, string> = {}, tokens: object | null = TOKENS): Promise<void> {
  const fields = { account: 'one', ...(method === 'key' ? {} : CLIENT), ...more };
  const inputs = { method, fields, ...(tokens !== null && { tokens }) };
  await (await connectSpec(spec, inputs, { ...options, name: 'work' })).close();
  const rest = {
    checked: { at: '2026-01-01T00:00:00Z', ok: true },
    failing: { since: '', count: 1, at: 1, until: 9e15, code: 'timeout', kind: 'transient' as const, message: 'm' },
  };
  await options.store.update('work', async (current) => ({ ...current, ...rest }));
}
const edit = (change: Edit) => editCredential(options.store, spec, 'work', change, options);
const stored = async (): Promise<Credential> => (await options.store.get('work'))!;
async function get(): Promise<void> {
  await using connection = await connectStored(spec, 'work', options);
  await connection.http.get('/me');
}
const bearers = () => server.received.filter(({ path }) => path === '/v1/me').map(({ headers }) => headers.authorization);

describe('a new secret', () => {
  it('keeps the grant; the next use renews with it, and failures of the old one are forgotten', async () => {
    await connected('oauth');
    await get();
    expect([asked(), bearers()]).toEqual([[], [`Bearer ${TOKENS.access_token}`]]);
    expect(await edit({ fields: { client_secret: NEW } })).toEqual({ changed: ['client_secret'], tokens: 'due', reconnect: false });
    const { checked, failing, state } = await stored();
    expect([checked, failing, state]).toEqual([undefined, undefined, undefined]);
    await get();
    expect(asked()).toEqual([
      expect.objectContaining({ grant_type: 'refresh_token', refresh_token: TOKENS.refresh_token, client_secret: NEW }),
    ]);
    expect(bearers()[1]).toBe(`Bearer ${plainCanary('edit token 1')}`);
  });

  it('leaves a token alone that only a person could bring again', async () => {
    await connected('oauth', {}, { access_token: TOKENS.access_token });
    expect(await edit({ fields: { client_secret: NEW } })).toMatchObject({ tokens: 'kept', reconnect: false });
    await get();
    expect([asked(), bearers()]).toEqual([[], [`Bearer ${TOKENS.access_token}`]]);
  });

  it('a new password is tried, whatever became of the old grant', async () => {
    await connected('user', { username: 'ann', password: canary('edit old password') });
    await options.store.update('work', async (current) => ({ ...current, state: 'reconnect' }));
    expect(await edit({ fields: { password: canary('edit new password') } })).toMatchObject({ tokens: 'dropped', reconnect: false });
    await get();
    expect(asked()).toEqual([expect.objectContaining({ grant_type: 'password', password: canary('edit new password') })]);
  });

  it('where there are no tokens, there is nothing to say of them', async () => {
    await connected('key', { token: canary('edit old key') }, null);
    expect(await edit({ fields: { token: canary('edit new key') } })).toEqual({ changed: ['token'], tokens: 'kept', reconnect: false });
    await get();
    expect(Buffer.from(bearers()[0]!, 'latin1').toString('utf8')).toContain(canary('edit new key').slice(0, 20));
  });
});

describe('another account, option or host', () => {
  it.each<[string, Edit]>([
    ['account', { fields: { account: 'two' } }],
    ['region', { choices: { region: 'na' } }],
  ])('drops tokens, and a consent must be given again: %s', async (name, change) => {
    await connected('oauth');
    expect(await edit(change)).toEqual({ changed: [name], tokens: 'dropped', reconnect: true });
    expect(await stored()).toMatchObject({ captures: {}, expires: {}, state: 'reconnect', sandbox: { addresses: expect.anything() } });
    await expect(get()).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(server.received).toEqual([]);
  });

  it('asks for new ones where no person is needed', async () => {
    await connected('app', {}, null);
    await options.store.update('work', async ({ failing: _, ...rest }) => rest);
    await get();
    expect(await edit({ choices: { region: 'na' }, fields: { client_secret: NEW } })).toMatchObject({
      tokens: 'dropped',
      reconnect: false,
    });
    await get();
    expect(asked().map(({ client_secret }) => client_secret)).toEqual([CLIENT.client_secret, NEW]);
  });

  it('what is asked for once a token is there says nothing of the token', async () => {
    await connected('oauth');
    expect(await edit({ fields: { profile: '7' } })).toEqual({ changed: ['profile'], tokens: 'kept', reconnect: false });
    expect(await stored()).toMatchObject({ fields: { profile: '7' }, captures: { access_token: expect.anything() } });
  });
});

describe('what is given', () => {
  it('is checked as at connect, all mistakes at once, and then nothing is written', async () => {
    await connected('oauth');
    const before = await stored();
    const wrong: Edit = {
      fields: { acount: 'x', mode: 'other' },
      unset: ['account', 'nothing', 'mode'],
      choices: { region: 'mars' },
    };
    const error = await edit(wrong).catch((one: unknown) => one);
    const findings = (error as { findings: { path: string[]; rule: string }[] }).findings.map(({ path, rule }) => `${path[0]} ${rule}`);
    expect(findings.sort()).toEqual([
      'account input_missing',
      'acount input_unknown',
      'mode input_malformed',
      'mode input_malformed',
      'nothing input_unknown',
      'region input_unknown',
    ]);
    expect(await stored()).toEqual(before);
    expect((await options.store.uses({ name: 'work' })).at(-1)).toMatchObject({ action: 'changed', outcome: 'input_unknown' });
  });

  it('may bring fields with it, or take them away', async () => {
    await connected('key', { token: canary('edit key') }, null);
    await expect(edit({ fields: { mode: 'extra' } })).rejects.toMatchObject({ code: 'input_missing', where: 'note' });
    await expect(edit({ fields: { note: 'x' } })).rejects.toMatchObject({ code: 'input_unknown', where: 'note' });
    expect((await edit({ fields: { mode: 'extra', note: 'x' } })).changed).toEqual(['mode', 'note']);
    expect((await edit({ unset: ['mode'] })).changed).toEqual(['mode', 'note']);
    expect(Object.keys((await stored()).fields).sort()).toEqual(['account', 'token']);
  });

  it('may be the description alone, or nothing new', async () => {
    await connected('oauth');
    const { version } = await stored();
    expect(
      await edit({ fields: { account: 'one', client_secret: CLIENT.client_secret }, choices: { region: 'eu' }, unset: ['mode'] }),
    ).toEqual({
      ...{ changed: [], tokens: 'kept', reconnect: false },
    });
    expect((await stored()).version).toBe(version);
    expect((await edit({ description: 'new' })).changed).toEqual(['description']);
    const { checked, failing, description } = await stored();
    expect([checked?.ok, failing?.count, description]).toEqual([true, 1, 'new']);
    expect((await edit({ description: null })).changed).toEqual(['description']);
    expect(await stored()).not.toHaveProperty('description');
  });

  it('a credential of tokens alone need not be made whole', async () => {
    const { name: _none, ...inputs } = {
      name: '',
      connector: 'acme',
      method: 'oauth',
      choices: {},
      fields: { account: 'one' },
      captures: {},
    };
    await options.store.put({ name: 'work', ...inputs, expires: {}, version: 0, created: '', updated: '' });
    expect((await edit({ fields: { account: 'two' } })).changed).toEqual(['account']);
    await expect(edit({ unset: ['account'] })).rejects.toMatchObject({ code: 'input_missing' });
    await expect(editCredential(options.store, spec, 'nobody', {})).rejects.toMatchObject({ code: 'credential_unknown' });
    await options.store.put({ name: 'other', ...inputs, connector: 'b', expires: {}, version: 0, created: '', updated: '' });
    await expect(editCredential(options.store, spec, 'other', {})).rejects.toMatchObject({ code: 'input_unknown' });
  });
});
