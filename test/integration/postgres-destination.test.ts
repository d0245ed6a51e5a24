/** A destination in PostgreSQL. What is in the tables is asked of psql. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import type { OpenedSink, SinkChange, SinkStream } from '../../framework/core/sink.ts';
import type { JsonObject } from '../../framework/core/value.ts';
import { open } from '../../framework/destinations/postgres.ts';
import { canary } from '../canary.ts';
import { failureIn } from '../failure.ts';
import { sinkKills } from '../kill/sinks.ts';
import { type Postgres, postgres } from './postgres-server.ts';

const seed = Number(process.env.FERRULE_KILL_SEED ?? Math.floor(Math.random() * 1_000_000));
let server: Postgres;
beforeAll(async () => {
  server = await postgres();
});
afterAll(() => server?.remove());

let made = 0;
let schema: string;
const sinks: OpenedSink[] = [];
const children: ChildProcess[] = [];
beforeEach(() => {
  schema = `t${++made}`;
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const sink of sinks.splice(0)) await sink.close();
});

const stream = (parts: Partial<SinkStream> = {}): SinkStream => ({
  ...{ name: 'users', mode: 'append', primary_key: [], columns: {}, resumes: false, state: {} },
  ...parts,
});

const changes: SinkChange[] = [];
async function openSink(url = server.url({ query: `?schema=${schema}` })): Promise<OpenedSink> {
  changes.length = 0;
  const sink = await open(url, { onChange: (change) => changes.push(change) });
  sinks.push(sink);
  return sink;
}

/** Rows as JSON that the server itself makes, read by its own client, in the test's schema. */
function psql(text: string): Record<string, unknown>[] {
  const env = { ...process.env, PGPASSWORD: server.password, PGOPTIONS: `-c search_path=${schema} -c timezone=UTC` };
  const query = `SELECT coalesce(json_agg(row_to_json(t)), '[]') FROM (${text}) AS t`;
  const args = ['-X', '-q', '-A', '-t', '-h', '127.0.0.1', '-p', String(server.port), '-U', 'admin', '-d', 'postgres', '-c', query];
  return JSON.parse(execFileSync('psql', args, { env, encoding: 'utf8' })) as Record<string, unknown>[];
}
const columnsOf = (table = 'users') =>
  Object.fromEntries(
    psql(`SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '${schema}' AND table_name = '${table}'
      ORDER BY ordinal_position`).map((row) => [row.column_name, row.data_type]),
  );

async function written(parts: Partial<SinkStream>, batches: JsonObject[][], finish = true): Promise<void> {
  const sink = await openSink();
  const users = await sink.open(stream(parts));
  for (const [index, records] of batches.entries()) await users.commit({ records, state: { batch: index } });
  if (finish) await users.finish({ complete: true });
  await sink.close();
}

it('declared types, and each character as it came', async () => {
  const columns = { id: 'integer', name: 'text', score: 'number', ok: 'boolean', day: 'date', at: 'datetime', address: 'object' } as const;
  const odd = 'Zoë "x"\t\r\n\\N \\. \\\\n \b\f\v \u{1F600} \u2028';
  await written({ columns }, [
    [
      {
        id: 1,
        name: odd,
        score: 0.1,
        ok: true,
        day: '2024-02-29',
        at: '2026-01-31T10:00:00.25+02:00',
        address: { [odd]: [odd, null, 1e300] },
      },
      { id: '9223372036854775807', name: '', score: 1e300, ok: false, at: '2026-01-31' },
      { id: '-9223372036854775808', name: '\\N', at: '0001-01-01T00:00:00' },
    ],
  ]);
  expect(columnsOf()).toEqual({
    ...{ id: 'bigint', name: 'text', score: 'double precision', ok: 'boolean', day: 'date', at: 'timestamp with time zone' },
    address: 'jsonb',
  });
  const none = { ok: null, day: null, address: null };
  expect(psql('SELECT *, id::text AS id FROM users')).toEqual([
    {
      ...{ id: '1', name: odd, score: 0.1, ok: true, day: '2024-02-29', at: '2026-01-31T08:00:00.25+00:00' },
      address: { [odd]: [odd, null, 1e300] },
    },
    { ...none, id: '9223372036854775807', name: '', score: 1e300, ok: false, at: '2026-01-31T00:00:00+00:00' },
    { ...none, id: '-9223372036854775808', name: '\\N', score: null, at: '0001-01-01T00:00:00+00:00' },
  ]);
});

it('columns are widened where a value does not fit, and lose nothing', async () => {
  const columns = { a: 'integer', b: 'integer', c: 'datetime', d: 'date', e: 'number', f: 'boolean', g: 'text', h: 'integer' } as const;
  await written({ columns }, [
    [{ a: '12345678901234567', b: 7, c: '2026-01-31T10:00:00.25+02:00', d: '2026-01-31', e: 7, f: true, g: '{"x":1}', h: 1 }],
    [{ a: 0.5, b: 0.5, c: 'soon', d: '2026-01-31T10:00:00Z', e: 'many', f: 'yes', g: { x: 2 }, h: '9223372036854775808' }],
    [{ new: 5 }],
  ]);
  expect(changes.map(({ column, from, to }) => [column, from, to])).toEqual([
    ...[
      ['a', 'bigint', 'text'],
      ['b', 'bigint', 'double precision'],
      ['c', 'timestamp with time zone', 'text'],
    ],
    ...[
      ['d', 'date', 'timestamp with time zone'],
      ['e', 'double precision', 'text'],
      ['f', 'boolean', 'text'],
      ['g', 'text', 'jsonb'],
    ],
    ...[
      ['h', 'bigint', 'numeric(38,0)'],
      ['new', undefined, 'bigint'],
    ],
  ]);
  expect(psql('SELECT *, h::text AS h FROM users WHERE new IS NULL')).toEqual([
    {
      ...{ a: '12345678901234567', b: 7, c: '2026-01-31T08:00:00.25Z', d: '2026-01-31T00:00:00+00:00' },
      ...{ e: '7', f: 'true', g: '{"x":1}', h: '1', new: null },
    },
    {
      ...{ a: '0.5', b: 0.5, c: 'soon', d: '2026-01-31T10:00:00+00:00', e: 'many', f: 'yes', g: { x: 2 } },
      ...{ h: '9223372036854775808', new: null },
    },
  ]);
});

it('names: without case, too long, of the server itself', async () => {
  const long = 'é'.repeat(40);
  const record = { ID: 1, id: 2, ctid: 3, [long]: 4, 'a"b': 5 };
  for (const _ of [1, 2]) await written({}, [[record]]);
  expect(Object.keys(columnsOf())).toEqual([
    ...['ID', 'id_a5614527', expect.stringMatching(/^ctid_[0-9a-f]{8}$/), expect.stringMatching(/^é{27}_[0-9a-f]{8}$/), 'a"b'],
  ]);
  expect(psql('SELECT "ID", id_a5614527 AS small, "a""b" AS quote FROM users')).toEqual([1, 2].map(() => ({ ID: 1, small: 2, quote: 5 })));
});

describe('modes', () => {
  it('upsert replaces whole records by key, also where a key stood twice, and has an index', async () => {
    await written({}, [
      [
        { id: 1, name: 'old' },
        { id: 1, name: 'twice' },
        { id: 2, name: 'kept' },
      ],
    ]);
    await written({ mode: 'upsert', primary_key: ['id'] }, [
      [
        { id: 1, name: 'first' },
        { id: 3, name: 'new' },
        { id: '1', email: 'x' },
      ],
      [{ id: 3, name: 'newer' }],
      [{ id: 'text', name: 'other' }],
    ]);
    expect(psql('SELECT * FROM users ORDER BY id')).toEqual([
      ...[
        { id: '1', name: null, email: 'x' },
        { id: '2', name: 'kept', email: null },
        { id: '3', name: 'newer', email: null },
      ],
      { id: 'text', name: 'other', email: null },
    ]);
    expect(psql(`SELECT indexdef FROM pg_indexes WHERE schemaname = '${schema}' AND tablename = 'users'`)).toEqual([
      { indexdef: `CREATE INDEX users__ferrule_key ON ${schema}.users USING btree (id)` },
    ]);
  });

  it('overwrite moves a whole read into the old table, whose views, grants and indexes live on', async () => {
    await written({}, [[{ id: 1, name: 5 }]]);
    await server.sql(`CREATE VIEW ${schema}.names AS SELECT id FROM ${schema}.users; CREATE INDEX by_id ON ${schema}.users (id);
      DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN END $$; GRANT SELECT ON ${schema}.users TO reader`);
    const overwrite = { mode: 'overwrite', columns: { id: 'integer' } } as const;
    await written(overwrite, [[{ id: 2 }]], false);
    await written({ ...overwrite, resumes: true }, [[{ id: 3, name: 'Ann', more: true }]], false);
    expect(psql('SELECT * FROM users')).toEqual([{ id: 1, name: 5 }]);
    await written({ ...overwrite, resumes: true }, [[{ id: 4, name: 'Bob' }]]);
    expect(changes).toEqual([
      { stream: 'users', column: 'more', change: 'added', to: 'boolean' },
      { stream: 'users', column: 'name', change: 'widened', from: 'bigint', to: 'text' },
    ]);
    expect(psql('SELECT * FROM users')).toEqual([
      ...[
        { id: 2, name: null, more: null },
        { id: 3, name: 'Ann', more: true },
        { id: 4, name: 'Bob', more: null },
      ],
    ]);
    expect(psql('SELECT * FROM names')).toHaveLength(3);
    expect(psql(`SELECT has_table_privilege('reader', '${schema}.users', 'SELECT') AS may, to_regclass('by_id')::text AS index`)).toEqual([
      { may: true, index: 'by_id' },
    ]);
    // Given up; the next one begins anew, and is empty.
    await written(overwrite, [[{ id: 5 }]], false);
    await written({ mode: 'overwrite' }, []);
    expect(psql('SELECT * FROM users')).toEqual([]);
    expect(psql(`SELECT to_regclass('users__ferrule_new')::text AS rest`)).toEqual([{ rest: null }]);
  });

  it('a view of a column that must be widened stops the commit, and when it is gone that goes on', async () => {
    const sink = await openSink();
    const users = await sink.open(stream({ columns: { id: 'integer' } }));
    await server.sql(`CREATE VIEW ${schema}.ids AS SELECT id FROM ${schema}.users`);
    const batch = { records: [{ id: 'x' }], state: { seen: 1 } };
    await expect(users.commit(batch)).rejects.toMatchObject({ code: 'output_failed', next: expect.stringContaining('Drop the view') });
    expect([psql('SELECT * FROM users'), await sink.state('users')]).toEqual([[], new Map()]);
    await server.sql(`DROP VIEW ${schema}.ids`);
    await users.commit(batch);
    expect([psql('SELECT * FROM users'), await sink.state('users')]).toEqual([[{ id: 'x' }], new Map([['seen', 1]])]);
    expect(users.totals).toEqual({ records: 1, bytes: 2, place: `127.0.0.1:${server.port}/postgres, table ${schema}.users` });
  });
});

it('a state of 100,000 keys is written, changed and read', async () => {
  const sink = await openSink();
  const state = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`{"account":"acct_${at}","x":"\\"'é"}`, { cursor: at }]));
  const users = await sink.open(stream({ state }));
  const [first = '', second = ''] = Object.keys(state);
  await users.commit({ records: [], state: { [first]: null, [second]: ['new', { a: null }] } });
  const found = await sink.state('users');
  expect([found.size, found.get(second), found.get(`{"account":"acct_99999","x":"\\"'é"}`)]).toEqual([
    99_999,
    ['new', { a: null }],
    { cursor: 99_999 },
  ]);
  expect(psql('SELECT count(*) FROM _ferrule_state')).toEqual([{ count: 99_999 }]);
});

it.each<[string, JsonObject, string]>([
  ['a NUL in a text', { id: 2, name: 'Ann\0' }, 'name'],
  ['a NUL deep in a map', { id: 2, more: [{ a: 'Ann\\\0' }] }, 'more'],
  ['a NUL in a key', { id: 2, more: { 'Ann\0': 1 } }, 'more'],
  ['half a character', { id: 2, name: 'Ann\ud83d' }, 'name'],
  ['half a character in a list', { id: 2, more: ['Ann\udc00'] }, 'more'],
])('%s is refused, with its place; the next batch is written', async (_, record, where) => {
  const sink = await openSink();
  const users = await sink.open(stream());
  const fine = { id: 1, name: 'a\\u0000 \\ud83d', more: ['\\u0000', '\\\\ud83d'] };
  const failure = await failureIn(() => users.commit({ records: [fine, record], state: { seen: 1 } }));
  expect(failure).toMatchObject({ code: 'record_refused', where, message: expect.stringContaining('Record 2 of the batch') });
  expect(inspect(failure)).not.toContain('Ann');
  await users.commit({ records: [fine], state: { seen: 2 } });
  expect(psql('SELECT * FROM users')).toEqual([fine]);
  expect(await sink.state('users')).toEqual(new Map([['seen', 2]]));
});

it('what the table of somebody else does not take, with the record’s place and without its values', async () => {
  await server.sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.users (id bigint, name text CHECK (length(name) < 5), mood point)`);
  const sink = await openSink();
  const users = await sink.open(stream());
  const failure = await failureIn(() => users.commit({ records: [{ id: 1 }, { id: 2, name: 'Annabelle' }], state: {} }));
  expect(failure).toMatchObject({ code: 'record_refused', message: expect.stringMatching(/Record 2 of the batch .*23514/) });
  expect(inspect(failure)).not.toContain('Annabelle');
  await expect(users.commit({ records: [{ mood: 1 }], state: {} })).rejects.toMatchObject({
    code: 'output_unreadable',
    where: 'users.mood',
  });
  await server.sql(`CREATE VIEW ${schema}.orders AS SELECT 1 AS id`);
  await expect(sink.open(stream({ name: 'orders' }))).rejects.toMatchObject({ code: 'output_unreadable', where: `${schema}.orders` });
  const other = server.url({ query: `?schema=${schema}b` });
  await server.sql(`CREATE SCHEMA ${schema}b; CREATE TABLE ${schema}b._ferrule_state (x bigint)`);
  await expect(open(other)).rejects.toMatchObject({ code: 'output_unreadable' });
});

describe('other processes and lost connections', () => {
  it('a second writer of a stream is told at once who the first is; others write beside it', async () => {
    const [one, other] = [await openSink(), await openSink()];
    const users = await one.open(stream());
    const begun = Date.now();
    const failure = await failureIn(() => other.open(stream()));
    expect(Date.now() - begun).toBeLessThan(2000);
    expect(failure).toMatchObject({
      code: 'output_locked',
      message: expect.stringMatching(/users is being written by the server's process \d+, of a client at 127/),
    });
    const beside = await other.open(stream({ name: 'orders' }));
    await Promise.all([users.commit({ records: [{ id: 1 }], state: {} }), beside.commit({ records: [{ id: 1 }], state: {} })]);
    await users.close();
    await (await other.open(stream())).commit({ records: [{ id: 2 }], state: {} });
    expect(psql('SELECT * FROM users ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    await one.close();
    for (const late of [one.state('users'), one.open(stream())]) await expect(late).rejects.toMatchObject({ code: 'closed' });
    await expect(users.commit({ records: [], state: {} })).rejects.toMatchObject({ code: 'closed' });
  });

  it('sinks that are opened at the same time make one schema', async () => {
    const opened = await Promise.all(Array.from({ length: 5 }, () => openSink()));
    expect(await Promise.all(opened.map((sink) => sink.state('users')))).toEqual(opened.map(() => new Map()));
  });

  it('a connection that is lost is transient, and leaves nothing half-written', async () => {
    const sink = await openSink();
    const users = await sink.open(stream({ columns: { id: 'integer' } }));
    await users.commit({ records: [{ id: 1 }], state: { seen: 1 } });
    // Half of its rows are through when it comes to a standstill.
    await server.sql(`CREATE FUNCTION ${schema}.wait() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id = 30000 THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON ${schema}.users FOR EACH ROW EXECUTE FUNCTION ${schema}.wait()`);
    const records = Array.from({ length: 60_000 }, (_, id) => ({ id, text: 'x' }));
    const commit = failureIn(() => users.commit({ records, state: { seen: 2 } }));
    const ours = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ferrule' AND wait_event = 'PgSleep'`;
    while ((await server.sql(ours)).length === 0) await new Promise((done) => setTimeout(done, 20));
    expect(await commit).toMatchObject({ code: 'connection_failed', kind: 'transient' });
    await expect(users.commit({ records: [], state: {} })).rejects.toMatchObject({ code: 'connection_failed' });
    await users.close();
    expect([psql('SELECT * FROM users'), await sink.state('users')]).toEqual([[{ id: 1 }], new Map([['seen', 1]])]);
    await server.sql(`DROP TRIGGER wait ON ${schema}.users`);
    await server.stop('SIGQUIT');
    expect(await failureIn(() => sink.state('users'))).toMatchObject({ code: 'connection_failed', kind: 'transient' });
    await server.start();
    const again = await sink.open(stream({ resumes: true }));
    await again.commit({ records: [{ id: 2 }], state: { seen: 2 } });
    expect([psql('SELECT * FROM users'), await sink.state('users')]).toEqual([[{ id: 1 }, { id: 2 }], new Map([['seen', 2]])]);
  });

  it(`rows and state agree after 6 kills at any instant (FERRULE_KILL_SEED=${seed})`, async () => {
    const target = server.url({ query: `?schema=${schema}` });
    const { commits, wrong } = await sinkKills({ place: { module: 'postgres', target, sql: async (text) => psql(text) }, times: 6, seed });
    expect(wrong).toEqual([]);
    expect(commits).toBeGreaterThan(6);
  });
});

describe('addresses', () => {
  it('a role that may only write into its schema can', async () => {
    const password = canary('destination role');
    await server.sql(
      `CREATE ROLE writer LOGIN PASSWORD '${password}'; CREATE SCHEMA ${schema}; GRANT USAGE, CREATE ON SCHEMA ${schema} TO writer`,
    );
    const url = (query: string) => server.url({ user: 'writer', password, query });
    const sink = await openSink(url(`?schema=${schema}`));
    await (await sink.open(stream())).commit({ records: [{ id: 1 }], state: {} });
    await expect(open(url('?schema=of_another'))).rejects.toMatchObject({
      code: 'output_failed',
      message: expect.stringContaining('(42501)'),
    });
  });

  it('passwords of the environment and of a file are found, and none is in an error', async () => {
    const address = `postgres://admin@127.0.0.1:${server.port}/postgres?schema=${schema}`;
    const folder = await mkdtemp(join(tmpdir(), 'ferrule-pgpass-'));
    const file = join(folder, 'pgpass');
    await writeFile(file, `127.0.0.1:${server.port}:*:admin:${server.password.replaceAll(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 });
    const script = `import { open } from ${JSON.stringify(resolve('framework/destinations/postgres.ts'))};
      import { inspect } from 'node:util';
      await open(${JSON.stringify(address)}).then(() => console.log('open'), (error) => console.log(inspect(error, { depth: 9, showHidden: true })));`;
    const program = join(folder, 'open.ts');
    await writeFile(program, script);
    const run = (env: Record<string, string>) =>
      execFileSync(process.execPath, ['scripts/run.mjs', program], { env: { ...process.env, ...env }, encoding: 'utf8' });
    expect(run({ PGPASSWORD: server.password })).toBe('open\n');
    expect(run({ PGPASSFILE: file })).toBe('open\n');
    const wrong = canary('wrong destination password');
    const refused = [run({ PGPASSWORD: wrong }), inspect(await failureIn(() => open(server.url({ password: wrong }))), { depth: 9 })];
    for (const text of refused) {
      expect(text).toContain('28P01');
      expect(text).not.toContain(wrong.slice(0, 30));
    }
    await rm(folder, { recursive: true });
  });

  it('what is asked of TLS holds, and what cannot be reached is transient', async () => {
    await expect(open(server.url({ query: '?sslmode=require' }))).rejects.toMatchObject({
      code: 'output_failed',
      message: expect.stringContaining('has no TLS'),
    });
    await expect(open(server.url({ port: 1 }))).rejects.toMatchObject({ code: 'connection_failed', kind: 'transient' });
    await expect(open(server.url({ query: '?schema=x&shcema=y' }))).rejects.toMatchObject({ code: 'not_supported' });
    await expect(open(server.url({ dbname: 'none' }))).rejects.toMatchObject({
      code: 'output_failed',
      next: expect.stringContaining('createdb'),
    });
  });
});

it('a writer that was killed leaves no lock', async () => {
  const script = `import { open } from ${JSON.stringify(resolve('framework/destinations/postgres.ts'))};
    const sink = await open(process.argv[2]);
    await sink.open(${JSON.stringify(stream())});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-holder-'));
  await writeFile(join(folder, 'hold.ts'), script);
  const child = spawn(process.execPath, ['scripts/run.mjs', join(folder, 'hold.ts'), server.url({ query: `?schema=${schema}` })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  const sink = await openSink();
  await expect(sink.open(stream())).rejects.toMatchObject({ code: 'output_locked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await sink.open(stream())).close();
  await rm(folder, { recursive: true });
});
