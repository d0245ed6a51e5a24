import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { main } from '../../../framework/cli/main.ts';
import { type PostgresServer, parsePostgresAddress, placeOf, tlsOf } from '../../../framework/core/postgres-address.ts';
import { reveal, Secret } from '../../../framework/core/secret.ts';
import { postgresStore } from '../../../framework/credentials/postgres.ts';
import { storeOf } from '../../../framework/credentials/store-address.ts';
import { canary } from '../../canary.ts';
import { fakeIo } from '../../cli-io.ts';
import { failureOf } from '../../failure.ts';

const password = canary('postgres address');

describe('addresses', () => {
  // By hand from the manual of libpq, 34.1.1.2.
  it.each<[string, PostgresServer, string]>([
    ['postgresql://', {}, 'localhost:5432'],
    ['postgres://db.acme.example', { host: 'db.acme.example' }, 'db.acme.example:5432'],
    ['postgresql://db:5433/app', { host: 'db', port: 5433, dbname: 'app' }, 'db:5433/app'],
    ['POSTGRES://ann@db/a%20b', { user: 'ann', host: 'db', dbname: 'a b' }, 'db:5432/a b'],
    ['postgres://[2001:db8::1]:6/x', { host: '2001:db8::1', port: 6, dbname: 'x' }, '[2001:db8::1]:6/x'],
    ['postgres://%2Fvar%2Frun/x', { host: '/var/run', dbname: 'x' }, '/var/run:5432/x'],
    ['postgres:///x?host=/var/run&port=6', { host: '/var/run', port: 6, dbname: 'x' }, '/var/run:6/x'],
    ['postgres://ann@/x?host=db', { user: 'ann', host: 'db', dbname: 'x' }, 'db:5432/x'],
    [
      'postgres://db/x?sslmode=verify-full&sslrootcert=ca.pem&connect_timeout=3',
      { host: 'db', dbname: 'x', sslmode: 'verify-full', sslrootcert: 'ca.pem', connect_timeout: 3 },
      'db:5432/x',
    ],
  ])('%s', (url, wanted, place) => {
    expect(parsePostgresAddress(url)).toEqual(wanted);
    expect(placeOf(parsePostgresAddress(url))).toBe(place);
  });

  it('the password is a secret, whatever is in it', () => {
    const forms = [
      [`postgres://ann:${encodeURIComponent(password)}@db/x`, password],
      // An @ that nobody escaped; a colon.
      ['postgres://ann:p@ss:word@db/x', 'p@ss:word'],
      ['postgres://db/x?user=ann&password=a%26b', 'a&b'],
    ];
    for (const [url, wanted] of forms) {
      const server = parsePostgresAddress(new Secret(url!));
      expect([server.user, server.host, reveal(server.password as Secret)]).toEqual(['ann', 'db', wanted]);
      expect(server.password).toBeInstanceOf(Secret);
      expect(placeOf(server)).toBe('db:5432/x');
    }
  });

  it.each([
    ['a bare %', '%'],
    ['an unescaped /', `a/${password}@db/x`],
    ['an unescaped ?', `a?${password}@db/x`],
    ['an unescaped #', `a#${password}@db/x`],
    ['a port that is none', `${encodeURIComponent(password)}@db:0/x`],
    ['a port beyond', `${encodeURIComponent(password)}@db:65536/x`],
    ['two hosts', `${encodeURIComponent(password)}@db1,db2/x`],
    ['an sslmode that is none', `${encodeURIComponent(password)}@db/x?sslmode=${encodeURIComponent(password)}`],
    ['a parameter that would do nothing', `${encodeURIComponent(password)}@db/x?target_session_attrs=any`],
    ['a parameter without a value', `${encodeURIComponent(password)}@db/x?${encodeURIComponent(password)}`],
    ['half a client certificate', `${encodeURIComponent(password)}@db/x?sslcert=a`],
    ['TLS off, and an authority for it', `${encodeURIComponent(password)}@db/x?sslmode=disable&sslrootcert=a`],
  ])('%s is an error that shows nothing of it', (_, rest) => {
    const error = failureOf(() => storeOf(`postgres://ann:${rest}`, { env: {} }));
    expect(error).toMatchObject({ code: expect.stringMatching(/^input_malformed$|^not_supported$/), where: 'url' });
    expect(inspect(error, { showHidden: true })).not.toContain(password.slice(6, 30));
  });

  it('tables have plain names, since these stand in statements', () => {
    for (const options of [{ prefix: 'a"; --' }, { prefix: '' }, { schema: 'A' }, { schema: '1' }, { prefix: 'x'.repeat(41) }])
      expect(failureOf(() => postgresStore({ url: 'postgres://db', env: {}, ...options })).code).toBe('input_malformed');
  });
});

describe('TLS', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ferrule-tls-'));
    await writeFile(join(folder, 'ca.pem'), 'an authority');
  });
  afterAll(() => rm(folder, { recursive: true }));
  const tls = (url: string, ca?: string) => tlsOf(parsePostgresAddress(url), ca);

  it('none within this machine, proved beyond it, and never less than what was asked for', async () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]', '%2Fvar%2Frun'])
      expect(await tls(`postgres://${host}/x`)).toBe(false);
    for (const mode of ['allow', 'prefer']) expect(await tls(`postgres://localhost/x?sslmode=${mode}`)).toBe(false);
    for (const query of ['', '?sslmode=prefer', '?sslmode=allow', '?sslmode=require', '?sslmode=verify-full'])
      expect(await tls(`postgres://db.acme.example/x${query}`)).toEqual({ host: 'db.acme.example', rejectUnauthorized: true });
    expect(await tls('postgres://localhost/x?sslmode=require')).toEqual({ host: 'localhost', rejectUnauthorized: true });
    expect(await tls('postgres://localhost.acme.example/x')).toMatchObject({ rejectUnauthorized: true });
    expect(await tls('postgres://db/x?sslmode=disable')).toBe(false);
    expect(await tls('postgres://db/x?sslmode=no-verify')).toEqual({ host: 'db', rejectUnauthorized: false });
    expect(await tls('postgres://db/x?sslmode=verify-ca')).toMatchObject({
      rejectUnauthorized: true,
      checkServerIdentity: expect.any(Function),
    });
  });

  it('an authority from a file, from the system or given', async () => {
    const path = join(folder, 'ca.pem');
    expect(await tls(`postgres://localhost/x?sslrootcert=${path}`)).toEqual({
      host: 'localhost',
      rejectUnauthorized: true,
      ca: 'an authority',
    });
    expect(await tls('postgres://localhost/x?sslrootcert=system')).toEqual({ host: 'localhost', rejectUnauthorized: true });
    expect(await tls('postgres://db/x', 'given')).toEqual({ host: 'db', rejectUnauthorized: true, ca: 'given' });
    await expect(tls(`postgres://db/x?sslrootcert=${path}.none`)).rejects.toMatchObject({
      code: 'store_unreadable',
      where: `${path}.none`,
    });
    await expect(tls('postgres://db/x?sslmode=disable', 'given')).rejects.toMatchObject({ code: 'input_malformed' });
  });
});

describe('a store by its address', () => {
  // It speaks another language, and ends what it does not understand.
  let http: Server;
  beforeAll(async () => {
    http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
  });
  afterAll(() => http.close());

  it('another scheme is no folder', () => {
    expect(failureOf(() => storeOf('mysql://db/x'))).toMatchObject({ code: 'not_supported', message: expect.stringContaining('mysql') });
  });

  it.each([
    ['--store', (address: string) => fakeIoWith(['--store', address], {})],
    ['FERRULE_STORE', (address: string) => fakeIoWith([], { FERRULE_STORE: address })],
  ])('%s of the command line leads to the database, and its password is not shown', async (_, started) => {
    const { port } = http.address() as AddressInfo;
    const io = started(`postgres://ann:${encodeURIComponent(password)}@127.0.0.1:${port}/x`);
    expect(await main(io.args, io)).not.toBe(0);
    expect(io.out() + io.err()).toContain(`127.0.0.1:${port}/x`);
    expect(io.out() + io.err()).toContain('store_unreadable');
    expect(io.out() + io.err()).not.toContain(password.slice(6, 30));
  });

  it('a folder of FERRULE_STORE counts from where the person is, and --store goes before it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ferrule-address-'));
    await storeOf(join(folder, 'one'), { env: {} }).put({ ...credential, name: 'in one' });
    await storeOf(join(folder, 'two'), { env: {} }).put({ ...credential, name: 'in two' });
    const listed = async (args: string[]) => {
      const io = fakeIo({ env: { FERRULE_STORE: 'one' }, cwd: folder });
      await main(['credentials', 'list', ...args], io);
      return io.out();
    };
    expect(await listed([])).toContain('in one');
    expect(await listed(['--store', 'two'])).toContain('in two');
    await rm(folder, { recursive: true });
  });
});

function fakeIoWith(args: string[], env: Record<string, string>) {
  return Object.assign(fakeIo({ env }), { args: ['credentials', 'list', ...args] });
}

const time = '2026-01-02T03:04:05.000Z';
const credential = {
  connector: 'acme',
  method: 'basic',
  choices: {},
  fields: {},
  captures: {},
  expires: {},
  version: 0,
  created: time,
  updated: time,
};
