/** Servers of APIs that are not ours, each described by a small spec and read completely: the counts are their own. */
import { type Connection, type Connector, loadConnector } from '../../framework/index.ts';
import { canary } from '../canary.ts';
import { type GithubServer, github, type OdataServer, odata } from './servers.ts';

const network = { allowLoopbackAddresses: true };

async function readAll(connection: Connection, stream: string) {
  const pages: number[] = [];
  const keys = new Set<unknown>();
  const { primary_key: [key = ''] = [] } = connection.streams().find(({ name }) => name === stream) ?? {};
  for await (const page of connection.read(stream).pages()) {
    pages.push(page.length);
    for (const record of page) keys.add(record[key]);
  }
  return { pages, keys };
}

describe('GitHub as emulate has it: a bearer token, the Link header', () => {
  let server: GithubServer;
  let connector: Connector;
  const open = (token: string) => connector.connect({ fields: { site: server.site, token } }, { network });
  beforeAll(async () => {
    server = await github(57);
    connector = await loadConnector('test/integration/specs/github.yaml');
  });
  afterAll(() => server?.stop());

  it('reads every repository, page by page', async () => {
    await using connection = await open(server.token);
    expect(await connection.check()).toMatchObject({ ok: true, account: 'octocat' });
    const found = await connection.http
      .get('search/repositories', { searchParams: { q: 'user:octocat', per_page: 1 } })
      .json<{ total_count: number }>();
    const { pages, keys } = await readAll(connection, 'repositories');
    expect(keys.size).toBe(found.total_count);
    expect(pages).toEqual([20, 20, 17]);
  });

  it('reads the issues of every repository, with the repository they belong to', async () => {
    await using connection = await open(server.token);
    for (const [name, count] of [
      ['repository-2', 7],
      ['repository-40', 3],
      ['repository-57', 1],
    ] as const) {
      for (let number = 1; number <= count; number += 1) {
        await connection.http.post(`repos/octocat/${name}/issues`, { json: { title: `${name} ${number}` } });
      }
    }
    const found = await connection.http
      .get('search/issues', { searchParams: { q: 'user:octocat is:issue', per_page: 1 } })
      .json<{ total_count: number }>();
    const titles: string[] = [];
    for await (const issue of connection.read('issues')) {
      expect(String(issue.title).split(' ')[0]).toBe(issue.repository);
      titles.push(String(issue.title));
    }
    expect(new Set(titles).size).toBe(found.total_count);
    expect(titles).toHaveLength(11);
  });
});

describe('an OData service as CAP has it: Basic, @odata.nextLink', () => {
  let server: OdataServer;
  let connector: Connector;
  const open = (password: string) => connector.connect({ fields: { site: server.site, username: server.username, password } }, { network });
  beforeAll(async () => {
    server = await odata(133);
    connector = await loadConnector('test/integration/specs/odata.yaml');
  });
  afterAll(() => server?.stop());

  it('reads every order, twenty a page as the service decides', async () => {
    await using connection = await open(server.password);
    expect(await connection.check()).toMatchObject({ ok: true });
    const count = await connection.http.get('Orders/$count').text();
    const { pages, keys } = await readAll(connection, 'orders');
    expect(keys.size).toBe(Number(count));
    expect(pages).toEqual([20, 20, 20, 20, 20, 20, 13]);
  });

  it('a wrong password is an error before the first record', async () => {
    await using connection = await open(canary('odata wrong'));
    await expect(readAll(connection, 'orders')).rejects.toMatchObject({ code: 'unauthorized', kind: 'auth', status: 401 });
  });
});
