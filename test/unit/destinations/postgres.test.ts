/** What needs no server; the rest is in test/integration/postgres-destination.test.ts. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import type { JsonObject } from '../../../framework/core/value.ts';
import { open } from '../../../framework/destinations/postgres.ts';
import { copyRows } from '../../../framework/destinations/postgres-copy.ts';
import { copyLineOf, databaseFailure } from '../../../framework/destinations/postgres-failure.ts';
import { PACKAGES } from '../../../framework/destinations/postgres-session.ts';
import type { TableColumn } from '../../../framework/destinations/table-plan.ts';
import { canary } from '../../canary.ts';
import { failureIn, failureOf } from '../../failure.ts';

const column = (key: string, type: TableColumn['type']): TableColumn => ({ key, name: key, type });

describe('COPY text', () => {
  it('escapes what the format needs, and nothing else', () => {
    const columns = [column('a', 'text'), column('b', 'json'), column('c', 'datetime'), column('d', 'number'), column('e', 'boolean')];
    const records: JsonObject[] = [
      { a: 'x\ty\r\n\\N "q" é', b: { k: 'l\n' }, c: '2026-01-31', d: '1.50', e: true },
      { a: 1e21, b: 'text', c: null },
      { a: '', b: 0, c: '2026-01-31T10:00:00+02:00', d: 1e-7, e: false },
    ];
    const counted = { bytes: 0 };
    const text = [...copyRows({ records, places: [0, 2, 1], columns }, counted)].join('');
    // By hand from the manual of PostgreSQL, COPY, "Text Format".
    const lines = [
      'x\\ty\\r\\n\\\\N "q" é\t{"k":"l\\\\n"}\t2026-01-31T00:00:00.000000Z\t1.5\ttrue',
      '\t0\t2026-01-31T08:00:00.000000Z\t1e-7\tfalse',
      '1000000000000000000000\t"text"\t\\N\t\\N\t\\N',
    ];
    expect(text).toBe(`${lines.join('\n')}\n`);
    expect(counted.bytes).toBe(Buffer.byteLength(text));
  });

  it('comes in pieces, each of whole rows, and refuses what PostgreSQL cannot hold', () => {
    const records = Array.from({ length: 5000 }, (_, id) => ({ id, text: 'é'.repeat(20) }));
    const rows = { records, places: records.map((_, at) => at), columns: [column('id', 'integer'), column('text', 'text')] };
    const pieces = [...copyRows(rows, { bytes: 0 })];
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) expect(piece.endsWith('\n')).toBe(true);
    const bad = { records: [{ text: 'a' }, { text: 'b\0' }], places: [1], columns: [column('text', 'text')] };
    expect(failureOf(() => [...copyRows(bad, { bytes: 0 })])).toMatchObject({ code: 'record_refused', where: 'text' });
  });
});

describe('what the server says', () => {
  it.each<[unknown, string, string]>([
    [{ code: '22P02', message: 'invalid input syntax for type bigint: "Annabelle"' }, 'record_refused', 'data'],
    [{ code: '23505', detail: 'Key (id)=(Annabelle) already exists.' }, 'record_refused', 'data'],
    [{ code: '54000' }, 'record_refused', 'data'],
    [{ code: '53100' }, 'output_failed', 'input'],
    [{ code: '55P03' }, 'output_locked', 'input'],
    [{ code: '57P01' }, 'connection_failed', 'transient'],
    [{ code: '40P01' }, 'connection_failed', 'transient'],
    [{ code: 'ECONNRESET' }, 'connection_failed', 'transient'],
    [new Error('Connection terminated unexpectedly'), 'connection_failed', 'transient'],
    [{ code: 'XX000', where: 'COPY users, line 3, column id: "Annabelle"' }, 'output_failed', 'input'],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'output_failed', 'input'],
  ])('%j is %s', (error, code, kind) => {
    const failure = databaseFailure(error, 'db:5432/app');
    expect(failure).toMatchObject({ code, kind, where: 'db:5432/app' });
    expect(inspect(failure)).not.toContain('Annabelle');
  });

  it('of a line of COPY only the number is taken', () => {
    expect(copyLineOf({ where: 'COPY users, line 3, column id: "x, line 9"' })).toBe(2);
    expect(copyLineOf({ where: 'COPY a, line 7, line 3' })).toBe(6);
    expect(copyLineOf({ where: 'SQL statement' })).toBeUndefined();
  });
});

describe('opening', () => {
  it('says what is wrong with an address, without its password', async () => {
    const password = canary('unit destination');
    const [coded, long] = [encodeURIComponent(password), 's'.repeat(64)];
    const urls = [`u:${coded}@db/x?shcema=y`, `u:${password}@db:99999/x`, `u:${coded}@db/x?schema=${long}`, `u:${coded}@db/x?schema=`];
    for (const url of urls.map((rest) => `postgres://${rest}`)) {
      const failure = await failureIn(() => open(url));
      expect(['not_supported', 'input_malformed']).toContain(failure.code);
      expect(inspect(failure)).not.toContain(password.slice(0, 30));
    }
  });

  it('a server that hangs up at once is transient', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address() as { port: number };
    await expect(open(`postgres://u@127.0.0.1:${port}/x`)).rejects.toMatchObject({
      ...{ code: 'connection_failed', kind: 'transient', where: `127.0.0.1:${port}/x` },
    });
    server.close();
  });

  it('needs two packages, of versions that were tested', async () => {
    const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { devDependencies: Record<string, string> };
    expect(PACKAGES).toEqual(['pg', 'pg-copy-streams'].map((name) => `${name}@${devDependencies[name]}`));
    const missing = `export async function resolve(name, context, next) {
      if (name === 'pg-copy-streams') throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`;
    const asUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text).replaceAll("'", '%27')}`;
    const hooks = asUrl(`import { register } from 'node:module'; register(${JSON.stringify(asUrl(missing))});`);
    const folder = await mkdtemp(join(tmpdir(), 'ferrule-peer-'));
    const program = join(folder, 'open.ts');
    await writeFile(
      program,
      `import { open } from ${JSON.stringify(resolve('framework/destinations/postgres.ts'))};
       await open('postgres://db/x').catch((error) => console.log(error.code, error.next));`,
    );
    const output = execFileSync(process.execPath, ['--import', hooks, 'scripts/run.mjs', program], { encoding: 'utf8' });
    await rm(folder, { recursive: true });
    expect(output).toBe(`peer_missing Run: npm install ${PACKAGES.join(' ')}\n`);
  });
});
