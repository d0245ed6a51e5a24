/** `ferrule airbyte` and `ferrule singer` as a platform runs them: files in, lines out, exit codes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stop } from '../../../framework/cli/io.ts';
import { main } from '../../../framework/cli/main.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { loadFile } from '../../../framework/spec/load.ts';
import { canary } from '../../canary.ts';
import { type FakeIo, fakeIo } from '../../cli-io.ts';
import { type LocalServer, serve } from '../../server.ts';

let folder: string;
let sandbox: Sandbox | undefined;
let server: LocalServer | undefined;
const PASSWORD = canary('protocols password');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferrule-protocols-'));
});
afterEach(async () => {
  await sandbox?.close();
  await server?.close();
  [sandbox, server] = [undefined, undefined];
  rmSync(folder, { recursive: true });
});

const file = (name: string, value: unknown): string => {
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  return name;
};
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));

interface Ran {
  code: number;
  lines: Record<string, Record<string, unknown>>[];
  io: FakeIo;
}

async function ferrule(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const io = fakeIo({ cwd: folder, env });
  const code = await main(args, io);
  const lines = io.out().split('\n').slice(0, -1);
  return {
    code,
    io,
    lines: args.includes('--discover') ? [JSON.parse(io.out())] : lines.map((text) => JSON.parse(text) as Ran['lines'][number]),
  };
}

async function shop(): Promise<string[]> {
  const { spec } = await loadFile('connectors/jumpseller.yaml');
  sandbox = await startSandbox(spec!, { records: 6, parents: 2, fields: { password: PASSWORD } });
  const { method, fields } = sandbox.inputs;
  return ['--config', file('config.json', { credentials: { method, ...fields } }), '--sandbox', sandbox.origin];
}

describe('airbyte', () => {
  it('goes from spec to read, and no line has the password', async () => {
    const options = await shop();
    const env = { FERRULE_CONNECTOR: 'jumpseller' };
    const spec = await ferrule(['airbyte', 'spec'], env);
    expect(spec).toMatchObject({ code: 0, lines: [{ type: 'SPEC' }] });
    expect(await ferrule(['airbyte', 'check', ...options], env)).toMatchObject({
      code: 0,
      lines: [{ type: 'CONNECTION_STATUS', connectionStatus: { status: 'SUCCEEDED' } }],
    });
    const found = await ferrule(['airbyte', 'discover', 'jumpseller', ...options]);
    const streams = (found.lines[0]!.catalog!.streams as { name: string }[]).filter(({ name }) => name === 'taxes' || name === 'store');
    file('catalog.json', { streams: streams.map((stream) => ({ stream, sync_mode: 'full_refresh', destination_sync_mode: 'append' })) });
    const read = await ferrule([
      'airbyte',
      'read',
      'jumpseller',
      ...options,
      '--catalog',
      'catalog.json',
      '--state',
      file('state.json', ''),
    ]);
    expect(read.code).toBe(0);
    expect(read.lines.filter(({ type }) => (type as unknown) === 'RECORD')).toHaveLength(7);
    const everything = [spec, found, read].map(({ io }) => io.out() + io.err()).join('');
    expect(everything).not.toContain(PASSWORD.slice(6, 30));
  });

  it('a check that fails ends with 0 and says why; all else with 1, a TRACE and the same for people', async () => {
    const options = await shop();
    const wrong = [
      '--config',
      file('wrong.json', { credentials: { method: 'basic', username: 'x', password: canary('protocols wrong') } }),
    ];
    const refused = await ferrule(['airbyte', 'check', 'jumpseller', ...wrong, ...options.slice(2)]);
    expect(refused).toMatchObject({
      code: 0,
      lines: [{ connectionStatus: { status: 'FAILED', message: expect.stringContaining('Look at: username, password.') } }],
    });
    expect(refused.io.out()).not.toContain('CANARY');
    const missing = await ferrule(['airbyte', 'check', 'jumpseller', '--config', file('empty.json', {}), ...options.slice(2)]);
    expect(missing).toMatchObject({
      code: 0,
      lines: [{ connectionStatus: { status: 'FAILED', message: expect.stringContaining('username') } }],
    });
    const misspelt = ['--config', file('misspelt.json', { credentials: { method: 'basic', username: 'x', pasword: PASSWORD } })];
    const unread = await ferrule(['airbyte', 'read', 'jumpseller', ...misspelt]);
    expect(unread).toMatchObject({
      code: 1,
      lines: [{ type: 'TRACE', trace: { type: 'ERROR', error: { failure_type: 'config_error' } } }],
    });
    expect(unread.io.err()).toContain('pasword');
    expect(unread.io.out() + unread.io.err()).not.toContain(PASSWORD.slice(6, 30));
    const broken = await ferrule(['airbyte', 'discover', 'jumpseller', '--config', file('broken.json', `{"token": "${PASSWORD}"`)]);
    expect(broken).toMatchObject({
      code: 1,
      lines: [{ trace: { error: { message: expect.stringContaining('broken.json is not JSON') } } }],
    });
    expect(broken.io.out() + broken.io.err()).not.toContain(PASSWORD.slice(6, 30));
    expect(await ferrule(['airbyte', 'chek', 'jumpseller'])).toMatchObject({
      code: 1,
      lines: [{ trace: { error: { message: expect.stringContaining('"check"') } } }],
    });
    expect(await ferrule(['airbyte', 'spec'])).toMatchObject({
      code: 1,
      lines: [{ trace: { error: { message: expect.stringContaining('FERRULE_CONNECTOR') } } }],
    });
  });

  it('ends quietly when nobody reads on', async () => {
    const options = await shop();
    file('catalog.json', { streams: [{ stream: { name: 'taxes' }, sync_mode: 'full_refresh', destination_sync_mode: 'append' }] });
    const io = fakeIo({ cwd: folder });
    sandbox!.faults.add({ kind: 'slow', path: '/taxes.json', wait: 1500 });
    const ending = main(['airbyte', 'read', 'jumpseller', ...options, '--catalog', 'catalog.json'], io);
    while (!io.out().includes('STARTED')) await new Promise((resolve) => setTimeout(resolve, 10));
    io.abort(new Stop('the reader of the output has gone', 0));
    expect(await ending).toBe(0);
    expect(io.err()).toBe('');
    expect(io.out()).not.toContain('"ERROR"');
  });
});

describe('a refresh token that rotates', () => {
  async function rotating(): Promise<string[]> {
    let current = 'r1';
    server = await serve(({ path, body, headers }) => {
      if (path !== '/token')
        return headers.authorization === `Bearer access-${current}` ? { json: [{ id: 1 }] } : { status: 401, json: {} };
      const given = new URLSearchParams(body).get('refresh_token');
      if (given !== current) return { status: 400, json: { error: 'invalid_grant' } };
      current = `r${Number(current.slice(1)) + 1}`;
      return { json: { access_token: `access-${current}`, refresh_token: current, token_type: 'Bearer', expires_in: 3600 } };
    });
    file(
      'acme.yaml',
      `spec: 1
name: acme
title: Acme
version: 1.0.0
auth:
  web:
    type: oauth2_authorization_code
    authorize_url: ${server.origin}/authorize
    token_url: ${server.origin}/token
    refresh: { rotates: true }
http: { base_url: '${server.origin}', allow_http: loopback }
check: { get: /me }
streams: { items: { get: /items, primary_key: [id], columns: { id: integer } } }
`,
    );
    const credentials = { method: 'web', client_id: 'c', client_secret: 's', refresh_token: 'r1' };
    return ['./acme.yaml', '--config', file('config.json', { credentials }), '--allow-loopback'];
  }

  it('reaches Airbyte before the first record, as a CONTROL', async () => {
    const options = await rotating();
    file('catalog.json', { streams: [{ stream: { name: 'items' }, sync_mode: 'full_refresh', destination_sync_mode: 'append' }] });
    const { code, lines } = await ferrule(['airbyte', 'read', ...options, '--catalog', 'catalog.json']);
    expect(code).toBe(0);
    const types = lines.map(({ type }) => type as unknown);
    expect(types.filter((type) => type === 'CONTROL')).toHaveLength(1);
    expect(types.indexOf('CONTROL')).toBeLessThan(types.indexOf('RECORD'));
    const control = lines[types.indexOf('CONTROL')]!.control!;
    expect(control).toMatchObject({
      type: 'CONNECTOR_CONFIG',
      connectorConfig: { config: { credentials: { method: 'web', client_id: 'c', client_secret: 's', refresh_token: 'r2' } } },
    });
    // With what it was given the platform gets on.
    file('config.json', (control.connectorConfig as { config: unknown }).config);
    expect((await ferrule(['airbyte', 'check', ...options])).lines.map(({ type }) => type as unknown)).toEqual([
      'CONTROL',
      'CONNECTION_STATUS',
    ]);
  });

  it('is put into the file of a tap, whole', async () => {
    const options = await rotating();
    for (const token of ['r2', 'r3']) {
      expect((await ferrule(['singer', ...options])).code).toBe(0);
      expect(json('config.json')).toEqual({ credentials: { method: 'web', client_id: 'c', client_secret: 's', refresh_token: token } });
    }
    expect(readdirSync(folder).sort()).toEqual(['acme.yaml', 'config.json']);
  });
});

describe('singer', () => {
  it('discovers, reads what is selected, and takes a stored credential', async () => {
    const options = await shop();
    const { lines } = await ferrule(['singer', 'jumpseller', ...options, '--discover']);
    const catalog = lines[0] as unknown as { streams: { stream: string; metadata: { metadata: Record<string, unknown> }[] }[] };
    for (const { stream, metadata } of catalog.streams) metadata[0]!.metadata.selected = stream === 'taxes';
    file('catalog.json', catalog);
    for (const option of ['--catalog', '--properties']) {
      const read = await ferrule(['singer', 'jumpseller', ...options, option, 'catalog.json']);
      expect(read.code).toBe(0);
      expect(read.lines.map(({ type }) => type as unknown)).toEqual(['SCHEMA', ...Array(6).fill('RECORD'), 'STATE']);
      expect(read.io.err()).toBe('taxes: 6 records, complete\n');
    }
    const env = { FERRULE_HOME: join(folder, 'home') };
    await ferrule(['connect', 'jumpseller', '--sandbox', sandbox!.origin, '--name', 'work'], env).catch(() => undefined);
    const stored = await ferrule(['singer', 'jumpseller', '--credential', 'work', '--catalog', 'catalog.json'], env);
    expect(stored.lines).toHaveLength(8);
    expect((await ferrule(['singer', 'jumpseller', '--credential', 'work', ...options], env)).code).toBe(2);
  });

  it('a stream that cannot be read makes the exit code 1; wrong options 2', async () => {
    const options = await shop();
    sandbox!.faults.add({ kind: 'server_error', path: '/taxes.json', status: 404, times: 9 });
    file('catalog.json', { streams: [{ stream: 'taxes', schema: { selected: true } }] });
    const failed = await ferrule(['singer', 'jumpseller', ...options, '--catalog', 'catalog.json']);
    expect([failed.code, failed.lines.map(({ type }) => type as unknown)]).toEqual([1, ['SCHEMA', 'STATE']]);
    expect(failed.io.err()).toContain('taxes: ');
    expect((await ferrule(['singer', 'jumpseller'])).code).toBe(2);
    expect((await ferrule(['singer', 'jumpseller', ...options, '--catalog', 'nowhere.json'])).code).toBe(2);
  });
});
