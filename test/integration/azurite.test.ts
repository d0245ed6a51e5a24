/** Shared Key of Azure Storage, written in the language alone, against an emulator that checks every signature. Its answers are XML. */
import { createHash } from 'node:crypto';
import { type Connector, loadConnector } from '../../framework/index.ts';
import { canary } from '../canary.ts';
import { freePort, installed, start } from './programs.ts';
import { folderFor, type Server, serverOf } from './servers.ts';

const ACCOUNT = 'acmestore';
const accountKey = (label: string): string => createHash('sha512').update(canary(label)).digest('base64');
const KEY = accountKey('azurite');

let server: Server;
let connector: Connector;
beforeAll(async () => {
  const folder = await folderFor('azurite');
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  const options = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder, '--disableTelemetry', '--silent'];
  const program = await start(process.execPath, [installed('node_modules/azurite/dist/src/blob/main.js'), ...options], {
    env: { AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY}` },
    address: site,
  });
  server = serverOf(site, program, folder);
  connector = await loadConnector('test/integration/specs/azurite.yaml');
});
afterAll(() => server?.stop());

const connect = (key = KEY) =>
  connector.connect({ fields: { site: server.site, account: ACCOUNT, key } }, { network: { allowLoopbackAddresses: true } });

const texts = (xml: string, element: string): string[] =>
  [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(([, text]) => text ?? '');

it('creates containers and lists them page by page', async () => {
  await using connection = await connect();
  const { http } = connection;
  expect(await connection.check()).toMatchObject({ ok: true });
  for (const name of ['one', 'three', 'two']) expect((await http.put(name, { searchParams: { restype: 'container' } })).status).toBe(201);
  const names: string[] = [];
  let marker: string | undefined;
  const sizes: number[] = [];
  do {
    const searchParams = { maxresults: 2, comp: 'list', ...(marker !== undefined && { marker }) };
    const xml = await http.get('', { searchParams }).text();
    const page = texts(xml, 'Name');
    names.push(...page);
    sizes.push(page.length);
    marker = texts(xml, 'NextMarker').find((text) => text !== '');
  } while (marker !== undefined);
  expect(names).toEqual(['one', 'three', 'two']);
  expect(sizes).toEqual([2, 1]);
});

it('signs a body with its type and length, and a path and a query with odd characters', async () => {
  await using connection = await connect();
  const { http } = connection;
  await http.put('odd', { searchParams: { restype: 'container' } });
  const body = Buffer.from('grüße\u0000 & more');
  const path = 'odd/a%20b/%C3%A9+%26.txt';
  await http.put(path, { body, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-ms-blob-type': 'BlockBlob' } });
  expect(await http.get(path).buffer()).toEqual(body);
  const xml = await http.get('odd', { searchParams: { restype: 'container', comp: 'list', prefix: 'a b/' } }).text();
  expect(texts(xml, 'Name')).toEqual(['a b/é+&amp;.txt']);
});

it('a wrong key is refused', async () => {
  await using connection = await connect(accountKey('azurite wrong'));
  await expect(connection.http.get('', { searchParams: { comp: 'list' } })).rejects.toMatchObject({ status: 403, kind: 'auth' });
  expect(await connection.check()).toMatchObject({ ok: false, kind: 'auth' });
});
