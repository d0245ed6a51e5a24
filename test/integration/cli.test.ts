/** The program as it ships, in processes of its own, against the independent OAuth server: connect, check, read, reconnect. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { consentAs } from './browser.ts';
import { type OauthServer, oauthServer } from './oauth-server.ts';

const SPEC = resolve('test/integration/specs/oauth-server.yaml');
const COMMAND = resolve('dist/cli.js');

let server: OauthServer;
let folder: string;
beforeAll(async () => {
  server = await oauthServer(3);
  folder = await mkdtemp(join(tmpdir(), 'ferrule-cli-'));
  await writeFile(join(folder, 'secret'), server.secrets.web);
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true });
});

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `ferrule`; `onOutput` sees all of standard error each time more comes. */
async function ferrule(args: string[], onOutput: (stderr: string) => void = () => undefined): Promise<Run> {
  const env = { ...process.env, FERRULE_HOME: join(folder, 'store'), NO_COLOR: '1' };
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const run: Run = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    run.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    run.stderr += chunk;
    onOutput(run.stderr);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { ...run, status };
}

async function connect(): Promise<Run> {
  const fields = [`site=${server.site}`, 'client_id=web', 'client_secret=@secret'].flatMap((field) => ['--field', field]);
  const options = ['--no-browser', '--redirect', server.redirectUri, '--allow-loopback', '--name', 'alice'];
  let visit: Promise<void> | undefined;
  const run = await ferrule(['connect', SPEC, '--method', 'web', ...fields, ...options], (stderr) => {
    const url = new RegExp(`${server.site}/auth\\?\\S+(?=\\s)`).exec(stderr)?.[0];
    if (url !== undefined && stderr.includes('Waiting')) visit ??= consentAs('alice', url);
  });
  await visit;
  return run;
}

const read = () => ferrule(['read', SPEC, 'items', '--credential', 'alice', '--allow-loopback', '--out', '-']);

it('connects with consent, checks, reads with a renewed token, also from two processes at once; no secret shows', async () => {
  const connected = await connect();
  expect(connected).toMatchObject({ status: 0 });
  expect(connected.stderr).toContain(server.redirectUri);

  const checked = await ferrule(['check', SPEC, '--credential', 'alice', '--allow-loopback', '--json']);
  expect(checked).toMatchObject({ status: 0 });
  expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, account: 'web' });

  await sleep(3300);
  const all = await read();
  expect(all).toMatchObject({ status: 0 });
  expect(
    all.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id),
  ).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
  const grants = (await server.grants()).map(({ grant, ok }) => `${grant} ${ok}`);
  expect(grants).toEqual(['authorization_code true', 'refresh_token true']);

  // Two processes at once with an expired token: one of them renews it.
  await sleep(3300);
  expect((await Promise.all([read(), read()])).map(({ status }) => status)).toEqual([0, 0]);
  expect(await server.grants()).toHaveLength(3);

  // The secret is in nothing that was printed.
  const shown = await ferrule(['credentials', 'show', 'alice']);
  expect(shown).toMatchObject({ status: 0 });
  const printed = [connected, checked, all, shown].map(({ stdout, stderr }) => stdout + stderr).join('\n');
  expect(printed).not.toContain(await readFile(join(folder, 'secret'), 'utf8'));
});

it('a wrong secret: exit code 1, the field and the words of the server, nothing stored', async () => {
  await writeFile(join(folder, 'wrong'), 'not-the-secret');
  const fields = [`site=${server.site}`, 'client_id=machine-basic', 'client_secret=@wrong'].flatMap((field) => ['--field', field]);
  const run = await ferrule(['connect', SPEC, '--method', 'basic', ...fields, '--allow-loopback', '--name', 'machine']);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('client_secret');
  expect(run.stderr).toContain('client authentication failed');
  expect((await ferrule(['credentials', 'list'])).stdout).not.toContain('machine');
});
