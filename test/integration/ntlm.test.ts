/** NTLM against pyspnego, which has a user's password and checks the proof, the MIC included. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ClientEvent, type Connector, loadConnector } from '../../framework/index.ts';
import { canary } from '../canary.ts';
import { freePort, installed, start } from './programs.ts';
import { folderFor, type Server, serverOf } from './servers.ts';

const PASSWORDS = { alice: canary('ntlm alice'), jürgen: `pä$$ € 日本 ${canary('ntlm unicode')}` };

let server: Server;
/** How many proofs the server has turned down. */
let refused: () => number;
let connector: Connector;
beforeAll(async () => {
  const folder = await folderFor('ntlm');
  const users = Object.entries(PASSWORDS).map(([user, password]) => `ACME:${user}:${password}\n`);
  await writeFile(join(folder, 'users'), users.join(''));
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  const program = await start(installed('python/bin/python'), [resolve('test/integration/ntlm-acceptor.py'), String(port)], {
    env: { NTLM_USER_FILE: join(folder, 'users'), PYTHONUTF8: '1' },
    address: site,
  });
  refused = () => program.output().split('refused:').length - 1;
  server = serverOf(site, program, folder);
  connector = await loadConnector('test/integration/specs/ntlm.yaml');
});
afterAll(() => server?.stop());

const connect = (fields: Record<string, string>, onEvent?: (event: ClientEvent) => void) =>
  connector.connect(
    { fields: { site: server.site, domain: 'ACME', ...fields } },
    { network: { allowLoopbackAddresses: true }, ...(onEvent && { onEvent }) },
  );

it.each(Object.entries(PASSWORDS))(
  '%s is let in; what the connection has proven holds for its next requests',
  async (username, password) => {
    const events: ClientEvent[] = [];
    await using connection = await connect({ username, password }, (event) => events.push(event));
    expect(await connection.check()).toMatchObject({ ok: true, account: expect.stringContaining(username) });
    for (let count = 0; count < 3; count += 1) expect(await connection.http.get('me').json()).toEqual({ user: `ACME\\${username}` });
    const statuses = events.flatMap((event) => (event.type === 'response' ? [event.status] : []));
    expect(statuses).toEqual([401, 200, 200, 200, 200]);
  },
);

it('a POST carries its body to the end of the handshake', async () => {
  await using connection = await connect({ username: 'alice', password: PASSWORDS.alice });
  expect(await connection.http.post('me', { json: { a: 'x'.repeat(50_000) } }).json()).toEqual({ user: 'ACME\\alice' });
});

it('many at once: each on a connection that is let in', async () => {
  await using connection = await connect({ username: 'alice', password: PASSWORDS.alice });
  const answers = await Promise.all(Array.from({ length: 20 }, () => connection.http.get('me').json()));
  expect(answers).toEqual(answers.map(() => ({ user: 'ACME\\alice' })));
});

it.each([
  ['a wrong password', { username: 'alice', password: canary('ntlm wrong') }],
  ['the password of another', { username: 'alice', password: PASSWORDS.jürgen }],
  ['an unknown user', { username: 'nobody', password: PASSWORDS.alice }],
  ['another domain', { username: 'alice', password: PASSWORDS.alice, domain: 'OTHER' }],
])('%s: one clear error, and one try: three would lock the account', async (_, fields) => {
  await using connection = await connect(fields);
  const before = refused();
  await expect(connection.http.get('me')).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
  expect(refused()).toBe(before + 1);
  const report = await connection.check();
  expect(report).toMatchObject({ ok: false, kind: 'auth', code: 'unauthorized' });
});
