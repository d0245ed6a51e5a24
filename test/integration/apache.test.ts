/** Against Apache's own Basic, Digest and client certificates, with passwords that tell a right encoding from a lucky one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, type Connector, loadConnector, type NetworkOptions } from '../../framework/index.ts';
import { canary } from '../canary.ts';
import { type ApacheServer, apache, NONCE_LIFETIME } from './apache-server.ts';

const PASSWORDS: Record<string, string> = {
  plain: canary('apache plain'),
  // RFC 7617, 2.1: UTF-8; and only the first colon ends the user name.
  unicode: `pä$$:wörd € 日本 ${canary('apache unicode')}`,
  jürgen: canary('apache user'),
};
const LINES = 7;

let server: ApacheServer;
let connector: Connector;
beforeAll(async () => {
  const page = (folder: string, id: number) => ({ lines: [{ id }], ...(id < LINES && { next: `/${folder}/${id + 1}.json` }) });
  server = await apache(PASSWORDS, LINES, page, canary('apache passphrase'));
  connector = await loadConnector('test/integration/specs/apache.yaml');
});
afterAll(() => server?.stop());

const connect = (method: string, fields: Record<string, string>, network: NetworkOptions = {}) =>
  connector.connect({ method, fields: { site: server.site, ...fields } }, { network: { allowLoopbackAddresses: true, ...network } });

async function linesOf(connection: Connection): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const line of connection.read('lines')) ids.push(line.id);
  return ids;
}

const ALL = [1, 2, 3, 4, 5, 6, 7];
const WRONG: [string, string, string][] = [
  ['a wrong password', 'plain', canary('apache wrong')],
  ['the password of another', 'plain', PASSWORDS.unicode as string],
  ['an unknown user', 'nobody', PASSWORDS.plain as string],
];

describe('Basic', () => {
  it.each(Object.entries(PASSWORDS))('user %s is let in and reads every page', async (username, password) => {
    await using connection = await connect('basic', { username, password });
    expect(await connection.check()).toMatchObject({ ok: true });
    expect(await linesOf(connection)).toEqual(ALL);
  });

  it.each(WRONG)('%s: the check names both fields, a read says what to do', async (_what, username, password) => {
    await using connection = await connect('basic', { username, password });
    const report = await connection.check();
    expect(report).toMatchObject({ ok: false, kind: 'auth', code: 'unauthorized' });
    expect(report.steps.at(-1)).toMatchObject({ name: 'authenticate', field: 'username, password' });
    await expect(connection.http.get('1.json')).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
  });
});

describe('Digest', () => {
  it.each(Object.keys(PASSWORDS))('user %s: one challenge for all pages', async (username) => {
    await using connection = await connect('digest', { username, password: PASSWORDS[username] as string });
    await server.answers('/digest');
    expect(await linesOf(connection)).toEqual(ALL);
    expect(await server.answers('/digest')).toEqual(['401 -', ...ALL.map(() => '200 -')]);
  });

  it('a nonce that ends under way costs one round trip, and nobody notices', async () => {
    await using connection = await connect('digest', { username: 'plain', password: PASSWORDS.plain as string });
    await connection.http.get('1.json').json();
    await sleep(NONCE_LIFETIME * 1000 + 500);
    await server.answers('/digest');
    for (const id of [2, 3]) expect(await connection.http.get(`${id}.json`).json()).toMatchObject({ lines: [{ id }] });
    expect(await server.answers('/digest')).toEqual(['401 -', '200 -', '200 -']);
  });

  it('several at once, when the nonce has ended: all are let in', async () => {
    await using connection = await connect('digest', { username: 'plain', password: PASSWORDS.plain as string });
    const all = () => Promise.all(ALL.map((id) => connection.http.get(`${id}.json`).json()));
    await all();
    await sleep(NONCE_LIFETIME * 1000 + 500);
    expect(await all()).toMatchObject(ALL.map((id) => ({ lines: [{ id }] })));
  });

  it.each(WRONG)('%s: one clear error, and the server is not asked again and again', async (_what, username, password) => {
    await using connection = await connect('digest', { username, password });
    await server.answers('/digest');
    await expect(connection.http.get('1.json')).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    expect(await server.answers('/digest')).toEqual(['401 -', '401 -']);
    const report = await connection.check();
    expect(report).toMatchObject({ ok: false, kind: 'auth', code: 'unauthorized' });
    expect(report.steps.at(-1)).toMatchObject({ name: 'authenticate', field: 'username, password' });
  });
});

describe('client certificate', () => {
  const shown = ({ certificate, key, passphrase }: { certificate: string; key: string; passphrase?: string }) => ({
    ...{ site: server.secure, certificate, private_key: key },
    ...(passphrase !== undefined && { passphrase }),
  });

  it.each(['good', 'sealed'] as const)('%s: Apache knows who it is, on every page', async (which) => {
    await using connection = await connect('certificate', shown(server.clients[which]), { ca: server.ca });
    await server.answers('/open');
    expect(await linesOf(connection)).toEqual(ALL);
    expect(await server.answers('/open')).toEqual(ALL.map(() => '200 CN=good'));
  });

  it('one that the server does not accept, or none', async () => {
    await using stranger = await connect('certificate', shown(server.clients.stranger), { ca: server.ca });
    await using none = await connect('open', { site: server.secure }, { ca: server.ca });
    for (const [connection, says] of [
      [stranger, 'does not accept the client certificate'],
      [none, 'asks for a client certificate'],
    ] as const) {
      const message = expect.stringContaining(says);
      await expect(connection.http.get('1.json')).rejects.toMatchObject({ code: 'tls_failed', message });
      expect(await connection.check()).toMatchObject({ ok: false, code: 'tls_failed' });
    }
  });

  it('a wrong passphrase is said before anything is sent', async () => {
    const fields = { ...shown(server.clients.sealed), passphrase: canary('apache wrong passphrase') };
    await using connection = await connect('certificate', fields, { ca: server.ca });
    const message = expect.stringContaining('does not open with this passphrase');
    await expect(connection.http.get('1.json')).rejects.toMatchObject({ code: 'tls_failed', message });
  });

  it('does not switch off the check of the server’s own certificate', async () => {
    const fields = shown(server.clients.good);
    await server.answers('/open');
    for (const [site, network] of [
      [server.elsewhere, { ca: server.ca }],
      [server.secure, {}],
    ] as const) {
      await using connection = await connect('certificate', { ...fields, site }, network);
      await expect(connection.http.get('1.json')).rejects.toMatchObject({ code: 'tls_failed' });
    }
    expect(await server.answers('/open')).toEqual([]);
  });
});

it('without the permission of whoever runs it, nothing is sent to this machine', async () => {
  await using connection = await connector.connect({
    method: 'basic',
    fields: { site: server.site, username: 'plain', password: PASSWORDS.plain as string },
  });
  const report = await connection.check();
  expect(report).toMatchObject({ ok: false, code: 'address_refused' });
});
