import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stop } from '../../../framework/cli/io.ts';
import { main } from '../../../framework/cli/main.ts';
import { openSink, parseSinkAddress } from '../../../framework/destinations/index.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { loadFile } from '../../../framework/spec/load.ts';
import { canary } from '../../canary.ts';
import { type FakeIo, fakeIo } from '../../cli-io.ts';
import { misfits } from '../../scenarios/json-schemas.ts';
import { serve } from '../../server.ts';

let folder: string;
let sandbox: Sandbox | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferrule-run-'));
});
afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
  rmSync(folder, { recursive: true });
});

async function connected(records: number): Promise<Record<string, string>> {
  const { spec } = await loadFile('connectors/jumpseller.yaml');
  sandbox = await startSandbox(spec!, { records, parents: 2 });
  const env = { FERRULE_HOME: join(folder, 'home') };
  expect(await main(['connect', 'jumpseller', '--sandbox', sandbox.origin], fakeIo({ env }))).toBe(0);
  return env;
}

async function until(io: FakeIo, text: string): Promise<void> {
  for (let tries = 0; tries < 500 && !(io.out() + io.err()).includes(text); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The real command in a process of its own. `until`: kill with SIGINT once this text is printed. */
function ferrule(args: readonly string[], options: { env?: Record<string, string>; until?: string; shell?: string } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH ?? '', HOME: folder, ...options.env };
    const command = [process.execPath, 'scripts/run.mjs', 'framework/cli.ts', ...args];
    const child =
      options.shell === undefined
        ? spawn(command[0]!, command.slice(1), { env })
        : spawn('bash', ['-c', `${command.map((word) => `'${word}'`).join(' ')} ${options.shell}`], { env });
    const ended: Ended = { code: null, out: '', err: '' };
    let interrupted = false;
    const look = (): void => {
      // Once: a second one would end the process on the spot.
      if (interrupted || options.until === undefined || !(ended.out + ended.err).includes(options.until)) return;
      interrupted = true;
      child.kill('SIGINT');
    };
    child.stdout.on('data', (chunk: Buffer) => {
      ended.out += chunk.toString();
      look();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      ended.err += chunk.toString();
      look();
    });
    child.on('close', (code) => resolve({ ...ended, code }));
  });
}

describe('runs that end early', () => {
  it('keeps whole lines and the exit code 130 when a read is stopped in the middle', async () => {
    const env = await connected(300);
    const io = fakeIo({ env, cwd: folder });
    // The third page never comes: the read is stopped while it waits.
    sandbox!.faults.add({ kind: 'slow', path: '/customers.json', after: 2, wait: 1500 });
    const running = main(['read', 'jumpseller', 'customers', '--out', 'data', '--json'], io);
    await until(io, '"pages":2');
    io.abort(new Stop('stopped by SIGINT', 130));
    expect(await running).toBe(130);
    // A whole read takes the place of the old file when it is complete; until then it stands beside it, and the next one goes on with it.
    const lines = readFileSync(join(folder, 'data', 'customers.jsonl.new'), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(200);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
    const again = fakeIo({ env, cwd: folder });
    expect(await main(['read', 'jumpseller', 'customers', '--out', 'data'], again)).toBe(0);
    expect(again.err()).toContain('customers: went on with the read that was stopped');
    expect(readFileSync(join(folder, 'data', 'customers.jsonl'), 'utf8').split('\n')).toHaveLength(301);
    expect(readdirSync(join(folder, 'data'))).toEqual(['.ferrule', 'customers.jsonl']);
  });

  it('goes on with the next stream when one fails, and exits with 1', async () => {
    const env = await connected(5);
    sandbox!.faults.add({ kind: 'html', path: '/categories.json', times: Number.POSITIVE_INFINITY });
    const io = fakeIo({ env, cwd: folder });
    expect(await main(['read', 'jumpseller', 'categories', 'promotions'], io)).toBe(1);
    expect(io.err()).toMatch(/^categories: error\[response_malformed\]/m);
    expect(io.err()).toContain('5 records of 2 streams, 1 not read in full');
    expect(readdirSync(join(folder, 'out', 'jumpseller'))).toEqual(['.ferrule', 'categories.jsonl.new', 'promotions.jsonl']);
  });

  it("stops with 2 when the destination fails, or is another process's", async () => {
    const env = await connected(5);
    const io = fakeIo({ env, cwd: folder });
    writeFileSync(join(folder, 'file'), '');
    expect(await main(['read', 'jumpseller', 'categories', 'promotions', '--out', 'file/data'], io)).toBe(2);
    expect(io.err()).toContain('error[output_failed]');
    const held = await openSink(parseSinkAddress(join(folder, 'held')));
    expect(await main(['read', 'jumpseller', 'categories', '--out', 'held'], io)).toBe(2);
    expect(io.err()).toContain('error[output_locked]');
    await held.close();
  });

  it('says that its own output could not be written (real processes)', async () => {
    const env = await connected(5);
    const full = (...args: string[]) => ferrule(args, { env, shell: '> /dev/full; echo "code $?" >&2' });
    const ended = await Promise.all([
      full('credentials', 'list', '--json'),
      full('read', 'jumpseller', 'products', '--out', '-'),
      full('request', 'jumpseller', 'GET', '/products.json'),
    ]);
    for (const { err } of ended) {
      expect(err).toContain('output_failed');
      expect(err).toContain('no space is left on the device (ENOSPC)');
      expect(err).toContain('code 2');
      expect(err).not.toContain('node:');
    }
  }, 30_000);

  it('ends quietly when the reader of its output goes away, and with 130 on Ctrl-C (real processes)', async () => {
    const env = await connected(20_000);
    const [piped, stopped] = await Promise.all([
      ferrule(['read', 'jumpseller', 'customers', '--out', '-'], { env, shell: '| head -n 1; echo "codes ${PIPESTATUS[0]}" >&2' }),
      ferrule(['sandbox', 'jampp', '--json'], { until: 'until Ctrl-C' }),
    ]);
    expect(piped.out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(piped.out)).toHaveProperty('id');
    expect(piped.err).toContain('codes 0');
    expect(piped.err).not.toContain('error[');
    expect(stopped.code).toBe(130);
    expect(misfits('sandbox', stopped.out)).toEqual([]);
    expect(stopped.err).toContain('stopped by SIGINT');
  });

  it('starts fast: --version of the real command, and prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await ferrule(['--version'])).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
    const imports = /^import (?!type).*$/gm;
    expect(readFileSync('framework/cli.ts', 'utf8').match(imports)).toEqual(["import { readFileSync } from 'node:fs';"]);
  });
});

/** Of all tables, counted by DuckDB itself. */
async function rowsIn(file: string): Promise<number> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const tables = await connection.runAndReadAll("select table_name from duckdb_tables() where table_name not like '\\_%' escape '\\'");
  let rows = 0;
  for (const [table] of tables.getRows())
    rows += Number((await connection.runAndReadAll(`select count(*) from "${table}"`)).getRows()[0]?.[0]);
  connection.closeSync();
  instance.closeSync();
  return rows;
}

describe('long commands', () => {
  it('demo reads every provider of the catalogue as its sandbox has it', async () => {
    const io = fakeIo({ cwd: folder });
    expect(await main(['demo', '--records', '3', '--json'], io)).toBe(0);
    expect(misfits('demo', io.out())).toEqual([]);
    const { ok, connectors } = JSON.parse(io.out()) as { ok: boolean; connectors: { connector: string; read: boolean; records: number }[] };
    expect(ok).toBe(true);
    expect(connectors.filter(({ read }) => read).map(({ connector }) => connector)).toEqual(
      readdirSync('connectors').map((file) => file.replace('.yaml', '')),
    );
    for (const { connector, read, records } of connectors) {
      if (!read) continue;
      expect(await rowsIn(join(folder, 'out', 'demo', `${connector}.duckdb`))).toBe(records);
    }
  }, 60_000);

  it('demo exits with 1 and names the stream when a count is wrong', async () => {
    // A spec whose page size the provider does not keep: the sandbox gives 100 a page, the spec stops after a short one of 7.
    mkdirSync(join(folder, 'specs'));
    const text = readFileSync('test/scenarios/fixtures/specs/acme.yaml', 'utf8');
    writeFileSync(
      join(folder, 'specs', 'acme.yaml'),
      text.replace(
        'get: /customers\n',
        'get: /customers\n    paginate: { type: page, page: query.page, max_pages: 1, page_size: 2, size: query.size }\n',
      ),
    );
    const io = fakeIo({ cwd: folder });
    expect(await main(['demo', '--records', '3', '--catalogue', 'specs'], io)).toBe(1);
    expect(io.err()).toMatch(/^acme customers: \d records, the sandbox has 3/m);
    expect(io.out()).toMatch(/✗ {2}acme/);
  }, 60_000);

  it('lint --watch lints again when a file changes', async () => {
    const file = join(folder, 'acme.yaml');
    const text = readFileSync('test/scenarios/fixtures/specs/acme.yaml', 'utf8');
    writeFileSync(file, text);
    const io = fakeIo({ cwd: folder });
    const running = main(['lint', 'acme.yaml', '--watch'], io);
    await until(io, 'Waiting for changes');
    expect(io.out()).toBe('');
    writeFileSync(file, text.replace('type: basic', 'type: basci'));
    await until(io, 'bad-tag');
    expect(io.out()).toContain('acme.yaml:22:11 error bad-tag');
    io.abort(new Stop('stopped by SIGINT', 130));
    expect(await running).toBe(130);
  });
});

describe('secrets', () => {
  it('never shows one: trace, events, errors, masked credential', async () => {
    const { spec } = await loadFile('connectors/jumpseller.yaml');
    const password = canary('cli-password');
    sandbox = await startSandbox(spec!, { records: 2, parents: 1, fields: { password, username: 'ann' } });
    const env = { FERRULE_HOME: join(folder, 'home'), FERRULE_JUMPSELLER_PASSWORD: password };
    const texts: string[] = [];
    for (const argv of [
      ['connect', 'jumpseller', '--sandbox', sandbox.origin],
      ['read', 'jumpseller', 'products', '--trace', '--out', '-'],
      ['credentials', 'show', 'jumpseller'],
      ['credentials', 'show', 'jumpseller', '--json'],
      ['request', 'jumpseller', 'GET', '/nothing.json', '--debug'],
      ['request', 'jumpseller', 'GET', `/products.json?key=${encodeURIComponent(password)}`],
    ]) {
      const io = fakeIo({ env, cwd: folder });
      await main(argv, io);
      texts.push(io.out(), io.err());
    }
    const all = texts.join('\n');
    expect(all).toContain('authorization: [secret]');
    for (const form of [
      password,
      encodeURIComponent(password),
      Buffer.from(`ann:${password}`).toString('base64'),
      JSON.stringify(password).slice(1, -1),
    ]) {
      expect(all).not.toContain(form);
    }
  });

  it('never shows one that a server sends back in a header', async () => {
    const token = canary('cli-token').slice(0, 30);
    const server = await serve(({ headers }) => ({ json: {}, headers: { 'x-echo': headers.authorization ?? '', 'x-id': '7' } }));
    writeFileSync(
      join(folder, 'echo.yaml'),
      `spec: 1\nname: echo\ntitle: Echo\nversion: 1.0.0\nauth: { t: { type: bearer } }\nhttp: { base_url: '${server.origin}', allow_http: loopback }\ncheck: { get: /me }\n`,
    );
    const io = fakeIo({ env: { FERRULE_HOME: join(folder, 'home'), FERRULE_ECHO_TOKEN: token }, cwd: folder });
    const code = await main(['request', 'echo.yaml', 'GET', '/x', '--include', '--allow-loopback'], io);
    await server.close();
    expect([code, server.received[0]?.headers.authorization]).toEqual([0, `Bearer ${token}`]);
    expect(io.err()).toContain('x-echo: [secret]');
    expect(io.err()).toContain('x-id: 7');
    expect(io.err()).not.toContain(token);
  });
});
