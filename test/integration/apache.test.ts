/** Against Apache's own Basic authentication, with passwords that tell a right encoding from a lucky one. */
import { type Connector, loadConnector } from '../../framework/index.ts';
import { canary } from '../canary.ts';
import { apache, type Server } from './servers.ts';

const PASSWORDS: Record<string, string> = {
  plain: canary('apache plain'),
  // RFC 7617, 2.1: UTF-8; and only the first colon ends the user name.
  unicode: `pä$$:wörd € 日本 ${canary('apache unicode')}`,
  jürgen: canary('apache user'),
};
const LINES = 7;

let server: Server;
let connector: Connector;
beforeAll(async () => {
  const page = (id: number) => ({ lines: [{ id }], ...(id < LINES && { next: `/basic/${id + 1}.json` }) });
  server = await apache(
    PASSWORDS,
    Array.from({ length: LINES }, (_, index) => page(index + 1)),
  );
  connector = await loadConnector('test/integration/specs/apache.yaml');
});
afterAll(() => server?.stop());

const connect = (username: string, password: string) =>
  connector.connect({ fields: { site: server.site, username, password } }, { network: { allowLoopbackAddresses: true } });

describe('Basic', () => {
  it.each(Object.entries(PASSWORDS))('user %s is let in and reads every page', async (username, password) => {
    await using connection = await connect(username, password);
    expect(await connection.check()).toMatchObject({ ok: true });
    const ids: unknown[] = [];
    for await (const line of connection.read('lines')) ids.push(line.id);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    ['a wrong password', 'plain', canary('apache wrong')],
    ['the password of another', 'plain', PASSWORDS.unicode as string],
    ['an unknown user', 'nobody', PASSWORDS.plain as string],
  ])('%s: the check names both fields, a read says what to do', async (_what, username, password) => {
    await using connection = await connect(username, password);
    const report = await connection.check();
    expect(report).toMatchObject({ ok: false, kind: 'auth', code: 'unauthorized' });
    expect(report.steps.at(-1)).toMatchObject({ name: 'authenticate', field: 'username, password' });
    await expect(connection.http.get('1.json')).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
  });
});

it('without the permission of whoever runs it, nothing is sent to this machine', async () => {
  await using connection = await connector.connect({
    fields: { site: server.site, username: 'plain', password: PASSWORDS.plain as string },
  });
  const report = await connection.check();
  expect(report).toMatchObject({ ok: false, code: 'address_refused' });
});
