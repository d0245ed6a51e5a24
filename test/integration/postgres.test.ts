/** The store in a PostgreSQL server that is not ours: the contract of all stores, who may not come in, and what the server gets to see. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import pg from 'pg';
import { systemRandom } from '../../framework/core/clock.ts';
import { Secret } from '../../framework/core/secret.ts';
import { type PostgresStoreOptions, postgresStore } from '../../framework/credentials/postgres.ts';
import { seal } from '../../framework/credentials/sealed.ts';
import { canary } from '../canary.ts';
import { sampleCredential, storeContract } from '../unit/credentials/store-contract.ts';
import { authority } from './certificates.ts';
import { type Postgres, postgres, serverProgram } from './postgres-server.ts';
import { folderFor } from './servers.ts';

const KEY = Buffer.alloc(32, 7);
let server: Postgres;
let ca: string;
const folders: string[] = [];
/** An authority of the test's own. */
async function newAuthority() {
  const folder = await folderFor('postgres-ca');
  folders.push(folder);
  return authority(folder);
}
beforeAll(async () => {
  const own = await newAuthority();
  ca = own.ca;
  const { certificate, key } = own.server('postgres');
  const settings = ['ssl = on', 'max_connections = 40', 'log_statement = all', 'log_min_error_statement = log'];
  server = await postgres({ settings, files: { 'server.crt': certificate, 'server.key': key } });
});
afterAll(async () => {
  await server?.remove();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

let made = 0;
/** Tables that nobody has used. */
const newPrefix = () => {
  made += 1;
  return `t${made}_`;
};
const open: ReturnType<typeof postgresStore>[] = [];
function storeOf(options: Partial<PostgresStoreOptions> = {}) {
  const store = postgresStore({ url: server.url(), keys: [KEY], prefix: newPrefix(), env: {}, ...options });
  open.push(store);
  return store;
}
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});

function worker(prefix: string, ...args: string[]) {
  const env = { ...process.env, STORE_URL: server.url(), STORE_PREFIX: prefix, FERRULE_KEY: KEY.toString('base64') };
  return spawn(process.execPath, ['scripts/run.mjs', 'test/integration/postgres-worker.ts', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('the contract of all stores', () => storeContract(async () => storeOf()));
describe('the same in a schema, over a socket', () => {
  beforeAll(() => server.sql('CREATE SCHEMA elsewhere'));
  storeContract(async () =>
    storeOf({
      url: { host: server.folder, port: server.port, user: 'admin', password: new Secret(server.password), dbname: 'postgres' },
      schema: 'elsewhere',
    }),
  );
});

it('processes that come first make the tables together', async () => {
  const prefix = newPrefix();
  const workers = [1, 2, 3, 4].map(() => worker(prefix, 'once'));
  // Each ends by itself although its store is open: an idle one holds no process.
  const ends = await Promise.all(workers.map((child) => once(child, 'exit')));
  expect(ends).toEqual(workers.map(() => [0, null]));
  expect((await storeOf({ prefix }).list()).length).toBe(4);
  expect(await server.sql(`SELECT migration FROM ${prefix}store`)).toEqual([{ migration: 1 }]);
});

it('what the server has and logs shows no secret, only names', async () => {
  const prefix = newPrefix();
  const store = storeOf({ prefix });
  await store.put({ ...sampleCredential('Acme EU'), description: canary('postgres description') });
  const answer = { step: 'token', spent: 'h', at: 5, answer: new Secret(canary('postgres answer')) };
  await store.update('Acme EU', async (current, held) => {
    await held.note(answer);
    await held.keep(current);
    return current;
  });
  const dump = (...args: string[]) =>
    execFileSync(serverProgram('pg_dump'), ['-h', server.folder, '-p', String(server.port), '-U', 'admin', ...args, 'postgres'], {
      env: { ...process.env, PGPASSWORD: server.password },
      encoding: 'utf8',
    });
  const text = dump('--inserts', '-t', `${prefix}*`);
  expect(text).toContain('Acme EU');
  const bytes = [...text.matchAll(/'\\x([0-9a-f]+)'/g)].map(([, hex]) => Buffer.from(hex!, 'hex'));
  // The credential, the noted answer, the key check.
  expect(bytes.length).toBe(3);
  const everything = [text, server.log(), ...bytes.map((one) => one.toString('latin1'))].join('\n');
  const secrets = ['store-secret', 'store-access', 'postgres description', 'postgres answer', 'postgres superuser'].map(canary);
  for (const secret of [...secrets, KEY.toString('latin1')]) {
    const stem = secret.slice(0, 30);
    // Base64 of the middle, whatever stood before it.
    const encoded = [0, 1, 2].map((shift) => Buffer.from(stem.slice(shift)).toString('base64').slice(4, 24));
    for (const form of [stem, Buffer.from(stem).toString('hex'), ...encoded]) expect(everything.includes(form)).toBe(false);
  }
  // The same search finds what is there.
  expect(everything.includes(Buffer.from('Acme EU').toString('latin1'))).toBe(true);
});

describe('keys', () => {
  it('another key opens nothing, changes nothing, and is told before anything is written', async () => {
    const prefix = newPrefix();
    await storeOf({ prefix }).put(sampleCredential('a'));
    const before = await server.sql(`SELECT * FROM ${prefix}credentials`);
    const other = storeOf({ prefix, keys: [Buffer.alloc(32, 8)] });
    for (const call of [other.get('a'), other.list(), other.put(sampleCredential('b')), other.update('a', async (c) => c)]) {
      await expect(call).rejects.toMatchObject({ code: 'store_key_wrong' });
    }
    expect(await server.sql(`SELECT * FROM ${prefix}credentials`)).toEqual(before);
    await expect(storeOf({ prefix, keys: undefined as never }).put(sampleCredential('a'))).rejects.toMatchObject({
      code: 'store_key_wrong',
      next: expect.stringContaining('FERRULE_KEY'),
    });
    const found = await storeOf({ prefix, keys: undefined as never, env: { FERRULE_KEY: KEY.toString('hex') } }).get('a');
    expect(found?.version).toBe(1);
  });

  it('two that come first with different keys: one of them is refused', async () => {
    const prefix = newPrefix();
    const puts = [7, 8].map((fill) => storeOf({ prefix, keys: [Buffer.alloc(32, fill)] }).put(sampleCredential(`k${fill}`)));
    const ends = await Promise.allSettled(puts);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await server.sql(`SELECT name FROM ${prefix}credentials`)).toHaveLength(1);
  });

  it('a record copied to another name, or damaged, is an error and never "not there"', async () => {
    const prefix = newPrefix();
    const store = storeOf({ prefix });
    await store.put(sampleCredential('a'));
    await server.sql(
      `INSERT INTO ${prefix}credentials (name, sealed, version, fence) SELECT 'copy', sealed, 1, 0 FROM ${prefix}credentials`,
    );
    await expect(store.get('copy')).rejects.toMatchObject({ code: 'store_unreadable', where: expect.stringContaining('"copy"') });
    await server.sql(`UPDATE ${prefix}credentials SET sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 1) WHERE name = 'a'`);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'store_unreadable', where: expect.stringContaining('"a"') });
  });

  it('rekey seals credentials, noted answers and the check anew; ended in between it goes on; afterwards the new key is enough', async () => {
    const prefix = newPrefix();
    const old = storeOf({ prefix });
    for (const name of ['a', 'b', 'c']) await old.put(sampleCredential(name));
    const answer = { step: 'token', spent: 'h', at: 5, answer: new Secret(canary('rekey answer')) };
    await old.update('b', async (_, held) => void (await held.note(answer)));
    const [next, ring] = [Buffer.alloc(32, 9), [Buffer.alloc(32, 9), KEY] as const];
    // As if it had ended after the first: that one is sealed with the new key already.
    const a = seal('a', (await old.get('a'))!, next, systemRandom);
    await server.sql(`UPDATE ${prefix}credentials SET sealed = '\\x${a.toString('hex')}' WHERE name = 'a'`);
    const both = storeOf({ prefix, keys: ring });
    expect(await both.rekey()).toEqual({ sealed: 2, total: 3 });
    await expect(both.rekey()).rejects.toMatchObject({ code: 'not_supported', next: 'Pass { key }, and keep it.' });
    await expect(both.rekey({ to: 'keyring' })).rejects.toMatchObject({ code: 'not_supported' });
    const now = storeOf({ prefix, keys: [next] });
    expect((await now.list()).map(({ name, version }) => `${name} ${version}`)).toEqual(['a 1', 'b 1', 'c 1']);
    let noted: unknown;
    await now.update('b', async (_, held) => {
      noted = (await held.noted())!.answer.reveal();
      return undefined;
    });
    expect(noted).toBe(canary('rekey answer'));
    await expect(storeOf({ prefix }).list()).rejects.toMatchObject({ code: 'store_key_wrong' });
  });
});

it('the command line lists what is there', async () => {
  const prefix = 'ferrule_';
  await storeOf({ prefix }).put(sampleCredential('from elsewhere'));
  const env = { ...process.env, FERRULE_STORE: server.url(), FERRULE_KEY: KEY.toString('base64'), NO_COLOR: '1' };
  const command = ['scripts/run.mjs', 'framework/cli.ts', 'credentials', 'list', '--json'];
  expect(execFileSync(process.execPath, command, { env, encoding: 'utf8' })).toContain('from elsewhere');
});

it('keeps a record of uses, in their order', async () => {
  const store = storeOf();
  const use = { at: '2026-01-02T03:04:05.678Z', action: 'opened' as const, credential: 'a', by: 'me', outcome: 'ok' };
  await store.logUse({ ...use, connector: 'acme' });
  await store.logUse(use);
  await store.logUse({ ...use, credential: 'b' });
  expect(await store.uses()).toEqual([{ ...use, connector: 'acme' }, use, { ...use, credential: 'b' }]);
  expect(await store.uses({ name: 'a', limit: 1 })).toEqual([use]);
  await storeOf({ env: { FERRULE_AUDIT: 'off' } }).logUse(use);
  expect(await store.uses()).toHaveLength(3);
});

describe('who is not let in, and why', () => {
  beforeAll(async () => {
    await server.sql(`CREATE ROLE app LOGIN PASSWORD '${canary('postgres app')}'`);
    await server.sql("CREATE DATABASE old ENCODING 'LATIN1' TEMPLATE template0");
  });
  const app = (part = {}) => server.url({ user: 'app', password: canary('postgres app'), ...part });

  it.each<[string, () => Partial<PostgresStoreOptions>, object]>([
    ['a wrong password', () => ({ url: app({ password: canary('postgres wrong') }) }), { message: expect.stringContaining('(28P01)') }],
    [
      'no password',
      () => ({ url: { host: '127.0.0.1', port: server.port, user: 'app' } }),
      { next: expect.stringContaining('PGPASSWORD') },
    ],
    ['an unknown user', () => ({ url: app({ user: 'nobody' }) }), { message: expect.stringContaining('(28P01)') }],
    ['no such database', () => ({ url: app({ dbname: 'nowhere' }) }), { message: expect.stringContaining('no such database (3D000)') }],
    ['no such schema', () => ({ schema: 'nowhere' }), { message: expect.stringContaining('(3F000)') }],
    ['nobody there', () => ({ url: app({ port: 1 }) }), { kind: 'transient', message: expect.stringContaining('(ECONNREFUSED)') }],
    ['no socket there', () => ({ url: { host: '/nowhere' } }), { kind: 'transient', message: expect.stringContaining('(ENOENT)') }],
    ['no such host', () => ({ url: app({ host: 'nowhere.invalid' }) }), { message: expect.stringMatching(/resolve|answer/) }],
    ['another encoding', () => ({ url: server.url({ dbname: 'old' }) }), { code: 'not_supported', next: expect.stringContaining('UTF8') }],
    [
      'no right to make tables',
      () => ({ url: app() }),
      { message: expect.stringContaining('(42501)'), next: expect.stringContaining('docs/') },
    ],
  ])('%s', async (_, options, wanted) => {
    const error: unknown = await storeOf(options())
      .put(sampleCredential('a'))
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: expect.stringMatching(/^store_un|^not_supported/), ...wanted });
    const shown = inspect(error, { showHidden: true, depth: 9 });
    for (const secret of ['postgres app', 'postgres wrong', 'postgres superuser', 'store-secret'])
      expect(shown).not.toContain(canary(secret).slice(6, 30));
  });

  it('a password that a function gives, for each connection; one that fails is its own cause', async () => {
    let asked = 0;
    const there = { host: '127.0.0.1', port: server.port, user: 'admin', dbname: 'postgres' };
    const password = async () => {
      asked += 1;
      return new Secret(server.password);
    };
    await storeOf({ url: { ...there, password } }).put(sampleCredential('a'));
    // One for statements, one for the lease.
    expect(asked).toBe(2);
    const cause = new Error('no token today');
    const failing = storeOf({ url: { ...there, password: () => Promise.reject(cause) } });
    await expect(failing.list()).rejects.toMatchObject({ code: 'store_unreadable', cause, message: expect.stringContaining('function') });
    const fromEnvironment = storeOf({
      url: `postgres://127.0.0.1:${server.port}`,
      env: { PGUSER: 'admin', PGPASSWORD: server.password, PGDATABASE: 'postgres' },
    });
    expect(await fromEnvironment.uses()).toEqual([]);
  });

  it('one that takes the connection and says nothing', async () => {
    const silent = createServer((socket) => socket.unref())
      .listen(0, '127.0.0.1')
      .unref();
    await once(silent, 'listening');
    const store = storeOf({ url: app({ port: (silent.address() as AddressInfo).port, query: '?connect_timeout=1' }) });
    await expect(store.list()).rejects.toMatchObject({ kind: 'transient', message: expect.stringContaining('in time') });
    silent.close();
  });

  it('the rights that the documents list are enough, and what lacks is said', async () => {
    const prefix = newPrefix();
    await storeOf({ prefix }).put(sampleCredential('a'));
    const store = storeOf({ prefix, url: app() });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'store_unreadable', message: expect.stringContaining('(42501)') });
    await server.sql(`GRANT SELECT ON ${prefix}store, ${prefix}credentials TO app`);
    expect((await store.get('a'))?.version).toBe(1);
    await expect(store.put(sampleCredential('a'))).rejects.toMatchObject({ message: expect.stringContaining('(42501)') });
    await server.sql(`GRANT UPDATE ON ${prefix}store TO app; GRANT INSERT, UPDATE, DELETE ON ${prefix}credentials TO app;
      GRANT USAGE ON SEQUENCE ${prefix}fences TO app; GRANT SELECT, INSERT ON ${prefix}uses TO app`);
    await store.put(sampleCredential('b'));
    expect(await store.remove('b')).toBe(true);
    await store.update('a', async (current) => current);
    await store.logUse({ at: '2026-01-02T03:04:05.678Z', action: 'opened' as const, credential: 'a', by: 'me', outcome: 'ok' });
    expect(await store.uses()).toHaveLength(1);
    await expect(server.sql(`SET ROLE app; DELETE FROM ${prefix}uses`)).rejects.toMatchObject({ code: '42501' });
  });

  it('a replica, or a role that may only read', async () => {
    const prefix = newPrefix();
    await storeOf({ prefix }).put(sampleCredential('a'));
    // Its tables, as they are, in a database that takes no writes.
    for (const store of open.splice(0)) await store.close();
    await server.sql('CREATE DATABASE frozen TEMPLATE postgres', 'template1');
    await server.sql('ALTER DATABASE frozen SET default_transaction_read_only = on');
    const store = storeOf({ prefix, url: server.url({ dbname: 'frozen' }) });
    expect((await store.get('a'))?.version).toBe(1);
    await expect(store.put(sampleCredential('a'))).rejects.toMatchObject({
      message: expect.stringContaining('(25006)'),
      next: expect.stringContaining('primary'),
    });
  });

  it('too many connections', async () => {
    const prefix = newPrefix();
    const store = storeOf({ prefix, url: app() });
    await storeOf({ prefix }).put(sampleCredential('a'));
    await server.sql(`GRANT ALL ON ALL TABLES IN SCHEMA public TO app`);
    const clients: pg.Client[] = [];
    /** Takes all places; those of tests before this one may be given back late. */
    const fill = async (): Promise<void> => {
      for (;;) {
        const more = Array.from({ length: 10 }, () => new pg.Client({ connectionString: app() }).on('error', () => {}));
        clients.push(...more);
        const ends = await Promise.allSettled(more.map((client) => client.connect()));
        if (ends.every(({ status }) => status === 'rejected')) return;
      }
    };
    try {
      await fill();
      await expect(store.get('a')).rejects.toMatchObject({ kind: 'transient', message: expect.stringContaining('(53300)') });
    } finally {
      await Promise.all(clients.map((client) => client.end().catch(() => {})));
    }
  });

  it('tables of a later Ferrule, and tables that are gone', async () => {
    const prefix = newPrefix();
    const store = storeOf({ prefix });
    await store.put(sampleCredential('a'));
    await server.sql(`UPDATE ${prefix}store SET migration = 2`);
    await expect(storeOf({ prefix }).get('a')).rejects.toMatchObject({ code: 'not_supported' });
    await server.sql(`DROP TABLE ${prefix}credentials`);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'store_unreadable', message: expect.stringContaining('(42P01)') });
  });
});

describe('TLS', () => {
  const encrypted = async (options: Partial<PostgresStoreOptions>) => {
    const prefix = newPrefix();
    await storeOf({ prefix, ...options }).put(sampleCredential('a'));
    const text = `SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'ferrule'`;
    return (await server.sql(text))[0]!.ssl;
  };
  const url = (query: string, host = '127.0.0.1') => server.url({ host, query });

  it('none to this machine unless it is asked for; then with the right authority and the right host only', async () => {
    expect(await encrypted({})).toBe(false);
    for (const store of open.splice(0)) await store.close();
    expect(await encrypted({ ca })).toBe(true);
    expect(await encrypted({ ca, url: url('?sslmode=require', 'localhost') })).toBe(true);
    expect(await encrypted({ ca, url: url('?sslmode=verify-ca', '127.0.0.2') })).toBe(true);
    expect(await encrypted({ url: url('?sslmode=no-verify') })).toBe(true);
  });

  it('a wrong authority, a self-signed one and a wrong host are refused; require is no less than proof', async () => {
    const other = (await newAuthority()).ca;
    const refused: Partial<PostgresStoreOptions>[] = [
      { ca: other },
      { ca: other, url: url('?sslmode=verify-ca') },
      { url: url('?sslmode=require') },
      // The certificate is for 127.0.0.1 and localhost.
      { ca, url: url('?sslmode=verify-full', '127.0.0.2') },
    ];
    for (const options of refused) {
      const wanted = { code: 'store_unreadable', message: expect.stringContaining('TLS'), next: expect.stringContaining('sslrootcert') };
      await expect(storeOf(options).get('a')).rejects.toMatchObject(wanted);
    }
  });

  it('a server without it', async () => {
    const plain = await postgres();
    try {
      const store = storeOf({ url: plain.url({ query: '?sslmode=require' }) });
      await expect(store.get('a')).rejects.toMatchObject({ code: 'store_unreadable', message: expect.stringContaining('has no TLS') });
    } finally {
      await plain.remove();
    }
  });
});
