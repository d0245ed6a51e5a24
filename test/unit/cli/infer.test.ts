import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../framework/cli/main.ts';
import { canary } from '../../canary.ts';
import { fakeIo } from '../../cli-io.ts';
import { misfits } from '../../scenarios/json-schemas.ts';
import { type LocalServer, serve } from '../../server.ts';

let folder: string;
let server: LocalServer;
let path: string;

const ORDERS = [
  { id: 1, placed: '2026-01-01T10:00:00Z', total: 5, note: null, code: 'x', lines: [{}], team: 'a' },
  { id: 2, placed: '2026-01-02T10:00:00Z', total: 5.5, note: null, code: 7, lines: [], team: 'a' },
  { id: 3, placed: '2026-01-03T10:00:00Z', total: 6, note: 'late, and beyond the sample', code: 'y', lines: [], team: 'a' },
];

const spec = (origin: string): string => `# Acme's shop.
spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: '${origin}', allow_http: loopback }
auth:
  key: { type: api_key, send: { headers: { X-Key: '\${fields.api_key}' } } }
check: { get: /me }
templates:
  entity: { source: 'https://docs.acme.test/api', primary_key: [id], columns: { id: { type: integer, help: Its number } }, add: { team: '\${"a"}' } }
streams:
  orders:   # what customers buy
    use: entity
    get: /orders
    columns:
      total: { type: integer, help: 'With tax' }   # in euro
  refused: { use: entity, get: /refused }
  empty: { use: entity, get: /empty } # nothing yet
`;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ferrule-infer-'));
  server = await serve(({ path: asked }) => {
    if (asked === '/refused') return { status: 403, json: { message: 'not for you' } };
    return { json: asked === '/orders' ? ORDERS.map(({ team: _team, ...order }) => order) : [] };
  });
  path = join(folder, 'acme.yaml');
  writeFileSync(path, spec(server.origin));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Ended {
  code: number;
  out: string;
  err: string;
}

async function infer(...args: string[]): Promise<Ended> {
  const io = fakeIo({ cwd: folder, env: { FERRULE_HOME: join(folder, 'home'), FERRULE_CONNECTORS: folder } });
  const inputs = ['--field', `api_key=${canary('infer')}`, '--allow-loopback'];
  const code = await main(['streams', ...args, '--infer', ...inputs], io);
  expect(io.out() + io.err()).not.toContain('CANARY');
  return { code, out: io.out(), err: io.err() };
}

const lint = async (): Promise<string> => {
  const io = fakeIo({ cwd: folder });
  await main(['lint', path], io);
  return io.out();
};

describe('ferrule streams --infer', () => {
  it('writes what a sample says into the stream, not into its template, and changes declared types only when told to', async () => {
    const before = spec(server.origin);
    const clean = await lint();
    chmodSync(path, 0o640);
    const first = await infer('./acme.yaml', 'orders', '--records', '2');
    expect(first.code).toBe(0);
    const added = `      total: { type: integer, help: 'With tax' }   # in euro
      placed: datetime
      code: text
      lines: list
      team: text
`;
    expect(readFileSync(path, 'utf8')).toBe(before.replace("      total: { type: integer, help: 'With tax' }   # in euro\n", added));
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['acme.yaml']);
    expect(first.err).toContain('orders: 2 records, 4 new columns, 1 as declared');
    expect(first.err).toContain('total: integer is declared, number came; --replace changes it');
    expect(first.err).toContain('code: text and integer came, so that it is text; `types` can make it so');
    expect(first.err).toContain('note: only null came; not written');
    expect(first.err).not.toContain('in the sample');
    expect(await lint()).toBe(clean);
    expect(clean).toBe('');

    const second = await infer('acme.yaml', 'orders', '--replace');
    expect(second.code).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(
      before.replace(
        "      total: { type: integer, help: 'With tax' }   # in euro\n",
        `${added.replace('type: integer', 'type: number')}      note: text\n`,
      ),
    );
    // What is written stays.
    const now = readFileSync(path, 'utf8');
    expect((await infer('acme.yaml', 'orders', '--replace')).err).toContain('Nothing was written.');
    expect(readFileSync(path, 'utf8')).toBe(now);
  });

  it('goes on with the other streams when one cannot be read, and tells programs what it found', async () => {
    const { code, out } = await infer('acme.yaml', '--json', '--dry-run');
    expect(code).toBe(1);
    expect(misfits('streams-infer', out)).toEqual([]);
    expect(JSON.parse(out)).toMatchObject({
      connector: 'acme',
      written: false,
      findings: [],
      streams: [
        { stream: 'orders', records: 3, columns: expect.arrayContaining([{ name: 'placed', state: 'new', type: 'datetime' }]) },
        { stream: 'refused', records: 0, columns: [], error: { code: 'forbidden' } },
        { stream: 'empty', records: 0, columns: [] },
      ],
    });
    expect(readFileSync(path, 'utf8')).toBe(spec(server.origin));
  });

  it('prints what would change as a diff with --dry-run', async () => {
    const { code, out } = await infer('acme.yaml', 'orders', '--dry-run');
    expect(code).toBe(0);
    expect(out).toBe(`--- acme.yaml
+++ acme.yaml
@@ -15,5 +15,10 @@
     get: /orders
     columns:
       total: { type: integer, help: 'With tax' }   # in euro
+      placed: datetime
+      note: text
+      code: text
+      lines: list
+      team: text
   refused: { use: entity, get: /refused }
   empty: { use: entity, get: /empty } # nothing yet
`);
    expect(readFileSync(path, 'utf8')).toBe(spec(server.origin));
  });

  it('writes through a link, and not where the file was changed meanwhile', async () => {
    const real = join(folder, 'real.txt');
    writeFileSync(real, spec(server.origin));
    rmSync(path);
    symlinkSync(real, path);
    expect((await infer('./acme.yaml', 'orders')).code).toBe(0);
    expect(readFileSync(real, 'utf8')).toContain('placed: datetime');
    await server.close();
    server = await serve(() => {
      writeFileSync(real, `${spec(server.origin)}# mine\n`);
      return { json: ORDERS };
    });
    writeFileSync(real, spec(server.origin));
    const { code, err } = await infer('./acme.yaml', 'orders');
    expect(code).toBe(2);
    expect(err).toContain('was changed while its streams were read');
    expect(readFileSync(real, 'utf8')).toContain('# mine');
  });

  it('wants the path of a file that is ones own, and its options with it', async () => {
    expect((await infer('jumpseller')).err).toMatch(/jumpseller comes with Ferrule[\s\S]*ferrule show jumpseller --source/);
    expect((await infer('acme')).err).toContain('Columns are written into a file that is named');
    expect((await infer('acme', 'orders', '--dry-run')).code).toBe(0);
    expect((await infer('acme.yaml', 'order')).err).toContain('Did you mean "orders"?');
    const io = fakeIo({ cwd: folder });
    expect(await main(['streams', 'acme.yaml', '--replace'], io)).toBe(2);
    expect(io.err()).toContain('--replace goes with --infer');
    expect(await main(['streams', 'acme.yaml', 'orders', 'empty'], io)).toBe(2);
  });
});
