import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { OpenedSink, SinkChange, SinkStream } from '../../../framework/core/sink.ts';
import type { JsonObject } from '../../../framework/core/value.ts';
import { open } from '../../../framework/destinations/duckdb.ts';
import { DUCKDB } from '../../../framework/destinations/duckdb-file.ts';
import { failureIn } from '../../failure.ts';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-duckdb-'));
});
afterAll(() => rm(folder, { recursive: true }));

const newPath = () => join(folder, `${++count}.duckdb`);
const stream = (parts: Partial<SinkStream> = {}): SinkStream => ({
  ...{ name: 'users', mode: 'append', primary_key: [], columns: {}, resumes: false, state: {} },
  ...parts,
});

/** What DuckDB itself says of a file that nobody has open. */
async function sql(path: string, ...texts: string[]): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const text of texts) rows = (await connection.runAndReadAll(text)).getRowObjectsJson();
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const columnsOf = async (path: string, table = 'users') =>
  Object.fromEntries((await sql(path, `DESCRIBE "${table}"`)).map((row) => [row.column_name, row.column_type]));

/** One run: opens, writes each list of records as a commit, and closes. */
async function written(path: string, parts: Partial<SinkStream>, batches: JsonObject[][], finish = true): Promise<SinkChange[]> {
  const changes: SinkChange[] = [];
  const sink = await open(path, { onChange: (change) => changes.push(change) });
  try {
    const users = await sink.open(stream(parts));
    for (const [index, records] of batches.entries()) await users.commit({ records, state: { batch: index } });
    if (finish) await users.finish({ complete: true });
    await users.close();
  } finally {
    await sink.close();
  }
  return changes;
}

/** Runs text as a program of this repo, in a process of its own; what it prints. */
async function child(text: string, { limit, hooks }: { limit?: number; hooks?: string } = {}): Promise<string> {
  const file = join(folder, `child-${++count}.ts`);
  await writeFile(file, text.replaceAll("'framework/", `'${process.cwd()}/framework/`));
  const first = hooks === undefined ? '' : `--import "data:text/javascript,${encodeURIComponent(hooks)}"`;
  const bound = limit === undefined ? '' : `ulimit -f ${limit};`;
  const program = spawn('bash', ['-c', `${bound} exec "${process.execPath}" ${first} scripts/run.mjs "${file}"`]);
  let output = '';
  for (const one of [program.stdout, program.stderr]) one.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => program.on('close', resolve));
  return output;
}

describe('types and values', () => {
  it('declared ones, as DuckDB reads them', async () => {
    const path = newPath();
    const columns = {
      ...({ id: 'integer', name: 'text', score: 'number', ok: 'boolean' } as const),
      ...({ day: 'date', at: 'datetime', tags: 'list', address: 'object' } as const),
    };
    const changes = await written(path, { columns }, [
      [
        {
          ...{ id: 1, name: 'Zoë "x"\t\n\\ \u{1F600}\0', score: 0.1, ok: true, day: '2024-02-29', at: '2026-01-31T10:00:00.25+02:00' },
          ...{ tags: ['a', null, 1.5], address: { city: "L'Aquila", zip: null } },
        },
        { id: '9223372036854775807', name: null, score: -1e-7, ok: false, at: '2026-01-31' },
        { id: '-9223372036854775808', score: 5, at: '0001-01-01T00:00:00' },
      ],
    ]);
    expect(changes).toEqual([]);
    expect(await columnsOf(path)).toEqual({
      ...{ id: 'BIGINT', name: 'VARCHAR', score: 'DOUBLE', ok: 'BOOLEAN', day: 'DATE', at: 'TIMESTAMP', tags: 'JSON', address: 'JSON' },
    });
    expect(await sql(path, 'SELECT * FROM users')).toEqual([
      {
        ...{ id: '1', name: 'Zoë "x"\t\n\\ \u{1F600}\0', score: 0.1, ok: true, day: '2024-02-29', at: '2026-01-31 08:00:00.25' },
        ...{ tags: '["a",null,1.5]', address: '{"city":"L\'Aquila","zip":null}' },
      },
      { id: '9223372036854775807', name: null, score: -1e-7, ok: false, day: null, at: '2026-01-31 00:00:00', tags: null, address: null },
      { id: '-9223372036854775808', name: null, score: 5, ok: null, day: null, at: '0001-01-01 00:00:00', tags: null, address: null },
    ]);
  });

  it('widen where a value does not fit, are reported, and lose nothing', async () => {
    const path = newPath();
    const columns = { a: 'integer', b: 'integer', c: 'datetime', d: 'date', e: 'number', f: 'boolean', g: 'text', h: 'integer' } as const;
    const changes = await written(path, { columns }, [
      [{ a: '12345678901234567', b: 7, c: '2026-01-31T10:00:00.25+02:00', d: '2026-01-31', e: 7, f: true, g: '{"x":1}', h: 1 }],
      [{ a: 0.5, b: 0.5, c: 'soon', d: '2026-01-31T10:00:00Z', e: 'many', f: 'yes', g: { x: 2 }, h: '9223372036854775808' }],
      [{ new: 5 }],
    ]);
    const one = (column: string, from: string, to: string) => ({ stream: 'users', column, change: 'widened', from, to });
    expect(changes).toEqual([
      // A double would round what stands there already.
      one('a', 'BIGINT', 'VARCHAR'),
      one('b', 'BIGINT', 'DOUBLE'),
      one('c', 'TIMESTAMP', 'VARCHAR'),
      one('d', 'DATE', 'TIMESTAMP'),
      one('e', 'DOUBLE', 'VARCHAR'),
      one('f', 'BOOLEAN', 'VARCHAR'),
      one('g', 'VARCHAR', 'JSON'),
      one('h', 'BIGINT', 'DECIMAL(38,0)'),
      { stream: 'users', column: 'new', change: 'added', to: 'BIGINT' },
    ]);
    const gone = { a: null, b: null, c: null, d: null, e: null, f: null, g: null, h: null };
    expect(await sql(path, 'SELECT * FROM users')).toEqual([
      {
        ...{ a: '12345678901234567', b: 7, c: '2026-01-31T08:00:00.25Z', d: '2026-01-31 00:00:00' },
        ...{ e: '7', f: 'true', g: '"{\\"x\\":1}"', h: '1', new: null },
      },
      { a: '0.5', b: 0.5, c: 'soon', d: '2026-01-31 10:00:00', e: 'many', f: 'yes', g: '{"x":2}', h: '9223372036854775808', new: null },
      { ...gone, new: '5' },
    ]);
    expect(Object.keys(await columnsOf(path))).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'new']);
  });

  it('a column that is null throughout waits for a value; a record without any is a row', async () => {
    const path = newPath();
    await written(path, {}, [[{ id: 1, later: null }], [{ id: null, later: null }, {}], [{ later: 'x' }]]);
    expect(await sql(path, 'SELECT * FROM users')).toEqual([
      ...[
        { id: '1', later: null },
        { id: null, later: null },
        { id: null, later: null },
      ],
      { id: null, later: 'x' },
    ]);
  });

  it('names that DuckDB takes for one are two columns, in a later run too', async () => {
    const path = newPath();
    const record = JSON.parse('{ "ID": 1, "id": 2, "": 3, "a\\"; DROP TABLE users; --": 4, "rowid": 5, "constructor": 6, "__proto__": 7 }');
    await written(path, {}, [[record]]);
    const names = Object.keys(await columnsOf(path));
    expect(names).toEqual([
      ...['ID', 'id_a5614527', 'column_e3b0c442', 'a"; DROP TABLE users; --'],
      ...[expect.stringMatching(/^rowid_[0-9a-f]{8}$/), 'constructor', '__proto__'],
    ]);
    expect(await written(path, {}, [[{ id: 20 }, { ID: 10, other: 'x' }]])).toEqual([
      { stream: 'users', column: 'other', change: 'added', to: 'VARCHAR' },
    ]);
    expect(await sql(path, 'SELECT "ID", "id_a5614527" AS small, "constructor" AS c, "__proto__" AS p FROM users')).toEqual([
      { ID: '1', small: '2', c: '6', p: '7' },
      { ID: null, small: '20', c: null, p: null },
      { ID: '10', small: null, c: null, p: null },
    ]);
  });

  it('nested: flat makes a column of each leaf', async () => {
    const path = newPath();
    const sink = await open(path, { nested: 'flat' });
    const users = await sink.open(stream({ columns: { id: 'integer', address: 'object', tags: 'list' } }));
    await users.commit({ records: [{ id: 1, address: { city: 'Ulm', geo: { lat: 1.5 } }, tags: [1] }], state: {} });
    const failure = await failureIn(() => users.commit({ records: [{ id: 2 }, { a_b: 1, a: { b: 2 } }], state: {} }));
    expect(failure).toMatchObject({ code: 'record_refused', where: 'a_b', message: expect.stringContaining('Record 2 of the batch') });
    await sink.close();
    expect(await sql(path, 'SELECT * FROM users')).toEqual([{ id: '1', tags: '[1]', address_city: 'Ulm', address_geo_lat: 1.5 }]);
  });
});

describe('modes', () => {
  it('append puts rows behind the others, and finish keeps them', async () => {
    const path = newPath();
    await written(path, {}, [[{ id: 1 }], [{ id: 1 }]]);
    await written(path, {}, [[{ id: 2 }]]);
    expect(await sql(path, 'SELECT id FROM users')).toEqual([{ id: '1' }, { id: '1' }, { id: '2' }]);
  });

  it('upsert replaces whole records by key, the last of a batch winning', async () => {
    const path = newPath();
    const upsert = { mode: 'upsert', primary_key: ['account', 'id'] } as const;
    await written(path, {}, [
      [
        { account: 'a', id: 1, name: 'old' },
        { account: 'a', id: 1, name: 'twice' },
        { account: 'b', id: 1, name: 'kept' },
      ],
    ]);
    await written(path, upsert, [
      [
        { account: 'a', id: 1, name: 'first' },
        { account: 'a', id: 2, name: 'new' },
        { account: 'a', id: '1', email: 'x' },
      ],
      [{ account: 'a', id: 2, name: 'newer' }],
    ]);
    expect(await sql(path, 'SELECT * FROM users ORDER BY account, id')).toEqual([
      // A column that the new record lacks is null.
      { account: 'a', id: '1', name: null, email: 'x' },
      { account: 'a', id: '2', name: 'newer', email: null },
      { account: 'b', id: '1', name: 'kept', email: null },
    ]);
    // A key that got another type is still the key.
    await written(path, upsert, [
      [
        { account: 'a', id: 'x' },
        { account: 'a', id: 2, name: 'newest' },
      ],
    ]);
    expect(await sql(path, `SELECT id, name FROM users WHERE account = 'a' ORDER BY id`)).toEqual([
      ...[
        { id: '1', name: null },
        { id: '2', name: 'newest' },
        { id: 'x', name: null },
      ],
    ]);
  });

  it('overwrite shows the old rows until the read is complete, and goes on where it was stopped', async () => {
    const path = newPath();
    const overwrite = { mode: 'overwrite', columns: { id: 'integer' } } as const;
    const rows = () => sql(path, 'SELECT id FROM users');
    await written(path, {}, [[{ id: 'old', more: 1 }]]);
    await sql(path, 'CREATE VIEW ids AS SELECT id FROM users');
    await written(path, overwrite, [[{ id: 1 }]], false);
    expect(await rows()).toEqual([{ id: 'old' }]);
    await written(path, { ...overwrite, resumes: true }, [[{ id: 2 }]], false);
    expect(await rows()).toEqual([{ id: 'old' }]);
    await written(path, { ...overwrite, resumes: true }, [[{ id: 3 }]]);
    expect(await rows()).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);
    expect(await sql(path, 'SELECT id FROM ids ORDER BY id')).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);
    // One that was given up leaves nothing to the next.
    await written(path, overwrite, [[{ id: 4 }]], false);
    await written(path, overwrite, [[{ id: 5 }]]);
    expect(await rows()).toEqual([{ id: '5' }]);
    await written(path, { mode: 'overwrite' }, [[]]);
    expect(await rows()).toEqual([]);
    expect(await sql(path, `SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%ferrule%'`)).toEqual([
      { table_name: '_ferrule_state' },
    ]);
  });
});

describe('state', () => {
  it('is written with the rows, key by key, and read back as it was', async () => {
    const path = newPath();
    const sink = await open(path);
    expect(await sink.state('users')).toEqual(new Map());
    const big = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`{"account":"acct_${at}"}`, { cursor: at }]));
    const users = await sink.open(stream({ state: { begun: true, 'ü\n"\'': [1, { a: null }] } }));
    await sink.open(stream({ name: 'other', state: { begun: 1 } }));
    await users.commit({ records: [{ id: 1 }], state: big });
    await users.commit({ records: [], state: { begun: null, '{"account":"acct_7"}': { cursor: 'new' }, '{"account":"acct_8"}': null } });
    const state = await sink.state('users');
    expect(state.size).toBe(5000);
    expect([state.get('ü\n"\''), state.get('{"account":"acct_7"}'), state.get('{"account":"acct_9"}')]).toEqual([
      ...[[1, { a: null }], { cursor: 'new' }, { cursor: 9 }],
    ]);
    expect(state.has('begun')).toBe(false);
    expect(await sink.state('other')).toEqual(new Map([['begun', 1]]));
    expect(users.totals).toEqual({ records: 1, bytes: 8, place: `${sink.type === 'duckdb' ? path : ''}, table users` });
    await sink.close();
    expect(await sql(path, `SELECT value FROM _ferrule_state WHERE stream = 'other'`)).toEqual([{ value: '1' }]);
  });
});

describe('what is refused', () => {
  it('a record that a table cannot hold: nothing of the batch is written, and the next one is', async () => {
    const path = newPath();
    const sink = await open(path);
    const cases: [string, Partial<SinkStream>, JsonObject[], string, string][] = [
      ['empty', { mode: 'upsert', primary_key: ['id'] }, [{ id: 1 }, { id: null, name: 'Ann' }], 'id', 'Record 2'],
      ['none', { mode: 'upsert', primary_key: ['key'] }, [{ id: 1 }], 'key', 'Record 1'],
      ['nested', { mode: 'upsert', primary_key: ['id'] }, [{ id: [1] }], 'id', 'map or list'],
      ['half', {}, [{ id: 1 }, { id: 2 }, { name: 'Ann \ud83d' }], 'name', 'Record 3'],
    ];
    for (const [name, parts, records, where, words] of cases) {
      const one = await sink.open(stream({ ...parts, name }));
      const failure = await failureIn(() => one.commit({ records, state: { seen: 1 } }));
      expect(failure).toMatchObject({ code: 'record_refused', where, message: expect.stringContaining(words) });
      expect(failure.message + failure.next).not.toContain('Ann');
      expect(await sink.state(name)).toEqual(new Map());
      await one.commit({ records: [{ id: 5, key: 5 }], state: { seen: 2 } });
      expect(await sink.state(name)).toEqual(new Map([['seen', 2]]));
    }
    await sink.close();
    const counts = cases.map(([name]) => `SELECT count(*) AS rows FROM "${name}" WHERE id = 5`).join(' UNION ALL ');
    expect(await sql(path, counts)).toEqual(cases.map(() => ({ rows: '1' })));
  });

  it('what a constraint of somebody else does not take, without a word of the record', async () => {
    const path = newPath();
    await sql(path, 'CREATE TABLE users (id BIGINT, name VARCHAR CHECK (length(name) < 5))');
    const failure = await failureIn(() => written(path, {}, [[{ id: 1, name: 'Annabelle' }]]));
    expect(failure).toMatchObject({ code: 'record_refused', message: expect.stringContaining('Constraint Error') });
    expect(JSON.stringify(failure)).not.toContain('Annabelle');
  });

  it('a column, a view or a state of others', async () => {
    const path = newPath();
    await sql(path, "CREATE TABLE users (id BIGINT, mood ENUM ('good'))", 'CREATE VIEW orders AS SELECT 1 AS id');
    expect(await written(path, {}, [[{ id: 1 }]])).toEqual([]);
    await expect(written(path, {}, [[{ mood: 'good' }]])).rejects.toMatchObject({ code: 'output_unreadable', where: 'users.mood' });
    await expect(written(path, { name: 'orders' }, [[{ id: 1 }]])).rejects.toMatchObject({ code: 'output_unreadable', where: 'orders' });
    const other = newPath();
    await sql(other, 'CREATE TABLE _ferrule_state (x BIGINT)');
    await expect(open(other)).rejects.toMatchObject({ code: 'output_unreadable', where: other });
    // It is let go of.
    await expect(open(other)).rejects.toMatchObject({ code: 'output_unreadable' });
  });
});

describe('the file', () => {
  it('is one process’s alone, under whatever name', async () => {
    const path = newPath();
    const sink = await open(path);
    const link = join(folder, 'link.duckdb');
    await symlink(path, link);
    for (const name of [path, link]) await expect(open(name)).rejects.toMatchObject({ code: 'output_locked', where: path });
    const output = await child(`
      import { open } from 'framework/destinations/duckdb.ts';
      await open(${JSON.stringify(path)}).catch((error) => console.log(error.code, error.message));
    `);
    expect(output).toContain(`output_locked The DuckDB file ${path} is open in process ${process.pid}.`);
    const users = await sink.open(stream());
    await expect(sink.open(stream())).rejects.toMatchObject({ code: 'output_locked', where: 'users' });
    await users.close();
    await (await sink.open(stream())).close();
    await sink.close();
    await (await open(link)).close();
  });

  it('must be one of DuckDB, and in a folder that can be made', async () => {
    const [text, damaged] = [newPath(), newPath()];
    await writeFile(text, 'id,name\n'.repeat(10_000));
    await written(damaged, {}, [[{ id: 1 }]]);
    await writeFile(damaged, (await readFile(damaged)).fill(7, 4096, 12_288));
    for (const path of [text, damaged]) await expect(open(path)).rejects.toMatchObject({ code: 'output_unreadable', where: path });
    await expect(open(join(text, 'x.duckdb'))).rejects.toMatchObject({
      code: 'output_failed',
      message: expect.stringContaining('cannot be made'),
    });
    await (await open(join(folder, 'none', 'x.duckdb'))).close();
    await mkdir(join(folder, 'folder'));
    await expect(open(join(folder, 'folder'))).rejects.toMatchObject({
      code: 'output_failed',
      message: expect.stringContaining('a folder'),
    });
  });

  it.each(['main', 'temp', 'a b"c'])('may be called %s.duckdb', async (name) => {
    const path = join(folder, `${name}.duckdb`);
    await written(path, { mode: 'upsert', primary_key: ['id'] }, [[{ id: 1 }], [{ id: 1.5 }]]);
    expect(await sql(path, 'SELECT id FROM users')).toEqual([{ id: 1 }, { id: 1.5 }]);
  });

  it('needs a package, of a version that was tested', async () => {
    const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { devDependencies: Record<string, string> };
    expect(DUCKDB).toBe(`@duckdb/node-api@${devDependencies['@duckdb/node-api']}`);
    const missing = `export async function resolve(name, context, next) {
      if (name === '@duckdb/node-api') throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`;
    const hooks = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(missing).replaceAll("'", '%27')}');`;
    const text = `
      import { open } from 'framework/destinations/duckdb.ts';
      await open('x.duckdb').catch((error) => console.log(error.code, error.next));
    `;
    expect(await child(text, { hooks })).toContain(`peer_missing Run: npm install ${DUCKDB}`);
  });
});

describe('what goes wrong on the way', () => {
  const agree = async (path: string) => {
    const sink: OpenedSink = await open(path);
    const state = await sink.state('users');
    await sink.close();
    const [row] = await sql(path, 'SELECT count(*) AS rows, coalesce(max("batch"), 0) AS last FROM users');
    return { ...row, state: state.get('batch') };
  };

  it('a full disk: the commit fails, what was committed before is there, and the next run goes on', async () => {
    const path = newPath();
    // Files of 3 MiB at most.
    const output = await child(
      `
      import { open } from 'framework/destinations/duckdb.ts';
      process.on('SIGXFSZ', () => {});
      const sink = await open(${JSON.stringify(path)});
      const users = await sink.open(${JSON.stringify(stream())});
      for (let batch = 1; batch < 100; batch++) {
        const records = Array.from({ length: 1000 }, (_, id) => ({ batch, id, text: Math.random().toString(36).repeat(20) }));
        try {
          await users.commit({ records, state: { batch } });
        } catch (error) {
          console.log('failed', error.code, error.message, 'after', batch - 1);
          break;
        }
      }
      await sink.close();
    `,
      { limit: 3072 },
    );
    expect(output).toMatch(/failed output_failed Writing to the DuckDB file .* failed: .*after [1-9]/);
    const committed = Number(/after (\d+)/.exec(output)![1]);
    expect(await agree(path)).toEqual({ rows: String(committed * 1000), last: String(committed), state: committed });
    await written(path, {}, [[{ batch: committed + 1 }]]);
  });

  it('a kill behind a column that was widened, before the log is in the file', async () => {
    const path = newPath();
    const output = await child(`
      import { open } from 'framework/destinations/duckdb.ts';
      const sink = await open(${JSON.stringify(path)});
      const users = await sink.open(${JSON.stringify(stream({ mode: 'upsert', primary_key: ['batch'], columns: { at: 'datetime' } }))});
      await users.commit({ records: [{ batch: 1, at: '2026-01-31T10:00:00Z', n: 1, j: 'x' }], state: { batch: 1 } });
      await users.commit({ records: [{ batch: 2, at: 'soon', n: 1.5, j: {} }, { batch: 3, b: true }], state: { batch: 3 } });
      process.kill(process.pid, 'SIGKILL');
    `);
    expect(output).toBe('');
    expect(existsSync(`${path}.wal`)).toBe(true);
    expect(await agree(path)).toEqual({ rows: '3', last: '3', state: 3 });
    expect(await sql(path, 'SELECT "at", n, j FROM users ORDER BY batch')).toEqual([
      ...[
        { at: '2026-01-31T10:00:00Z', n: 1, j: '"x"' },
        { at: 'soon', n: 1.5, j: '{}' },
        { at: null, n: null, j: null },
      ],
    ]);
  });

  it('a stream that is complete or closed, and a file that is, take no more', async () => {
    const sink = await open(newPath());
    const users = await sink.open(stream());
    await users.finish({});
    await expect(users.commit({ records: [], state: {} })).rejects.toMatchObject({ code: 'closed' });
    const other = await sink.open(stream({ name: 'other' }));
    await Promise.all([other.commit({ records: [{ id: 1 }], state: {} }), sink.close()]);
    await expect(sink.state('users')).rejects.toMatchObject({ code: 'closed' });
    await sink.close();
  });
});
