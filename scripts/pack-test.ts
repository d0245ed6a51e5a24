/**
 * Is what `npm pack` makes a package that works elsewhere? Installs it into an empty folder and uses it there as others
 * would: from ESM, from CommonJS, with types in both, from the command line; counts what it brings along.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Megabytes that `npm install ferrule` may put on a disk. */
const BUDGET = 30;
const TYPESCRIPT = resolve('node_modules/typescript/bin/tsc');

const folder = await mkdtemp(join(tmpdir(), 'ferrule-pack-'));
let failed = 0;

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], cwd = folder): Run {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', input: '' });
  return { status, stdout, stderr: stderr + (error?.message ?? '') };
}

/** One line a trial; `expected` is what has to be on stdout. */
function trial(name: string, result: Run, expected: RegExp | string = ''): void {
  const found = typeof expected === 'string' ? result.stdout.includes(expected) : expected.test(result.stdout);
  const ok = result.status === 0 && found;
  console.log(`${ok ? 'ok    ' : 'not ok'}  ${name}`);
  if (ok) return;
  failed += 1;
  console.log(`status ${result.status}${found ? '' : `, expected ${expected}`}\n${result.stdout}${result.stderr}`);
}

async function files(of: string): Promise<string[]> {
  const entries = await readdir(of, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function install(): Promise<void> {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], process.cwd());
  trial('npm pack', packed, '.tgz');
  await writeFile(join(folder, 'package.json'), '{ "name": "elsewhere", "version": "1.0.0", "private": true }\n');
  trial('npm install', run('npm', ['install', '--loglevel=error', `./${packed.stdout.trim().split('\n').at(-1)}`]));
}

async function contents(): Promise<void> {
  const own = (await files(join(folder, 'node_modules/ferrule'))).map((file) => file.slice(join(folder, 'node_modules/ferrule/').length));
  const strange = own.filter((file) => !/^(dist|connectors|schemas)\/|^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/.test(file));
  trial('only what users need is in it', { status: strange.length, stdout: '', stderr: strange.join('\n') });
  let bytes = 0;
  for (const file of await files(join(folder, 'node_modules'))) bytes += (await stat(file)).size;
  const megabytes = bytes / 1e6;
  trial(`${megabytes.toFixed(1)} MB of at most ${BUDGET}`, { status: megabytes < BUDGET ? 0 : 1, stdout: '', stderr: '' });
}

/** Names of the connectors that come with it. */
const bundled = async () =>
  (await readdir('connectors')).filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length));

async function modules(): Promise<void> {
  const names = await bundled();
  const use = `
async function main() {
  const names = ${JSON.stringify(names)};
  for (const name of names) {
    try {
      await ferrule.connect(name, { fields: { no_such_field: 'x' } });
      throw new Error(name + ' took a field that it does not have');
    } catch (error) {
      if (!(error instanceof ferrule.FerruleError)) throw error;
      if (error.kind !== 'input') throw error;
    }
  }
  console.log('refused by ' + names.length + ' connectors');
}
main();
`;
  await writeFile(join(folder, 'esm.mjs'), `import * as ferrule from 'ferrule';\n${use}`);
  trial('import', run(process.execPath, ['esm.mjs']), `refused by ${names.length} connectors`);
  await writeFile(join(folder, 'cjs.cjs'), `const ferrule = require('ferrule');\n${use}`);
  trial('require', run(process.execPath, ['--no-warnings', 'cjs.cjs']), `refused by ${names.length} connectors`);
  const resources = `
const { readFileSync } = require('node:fs');
const schema = JSON.parse(readFileSync(require.resolve('ferrule/schemas/connector.schema.json'), 'utf8'));
const spec = readFileSync(require.resolve('ferrule/connectors/jampp.yaml'), 'utf8');
console.log(schema.$schema, spec.includes('name: jampp'), require('ferrule/package.json').name);
`;
  await writeFile(join(folder, 'resources.cjs'), resources);
  trial('schemas and connectors by path', run(process.execPath, ['resources.cjs']), '2020-12/schema true ferrule');
}

/** What only a few need is not installed with it, and says so. */
async function peers(): Promise<void> {
  const use = `import { postgresStore } from 'ferrule';
try { await postgresStore({ url: 'postgres://127.0.0.1:1/x', env: {} }).list(); } catch (error) { console.log(error.code, error.next); }`;
  await writeFile(join(folder, 'peers.mjs'), use);
  trial('a store in PostgreSQL asks for its driver', run(process.execPath, ['peers.mjs']), 'not_supported Run: npm install pg');
}

async function types(): Promise<void> {
  const source = `import { connect, FerruleError } from 'ferrule';
export async function read(): Promise<number> {
  await using connection = await connect('jampp', { method: 'oauth', fields: { start_date: '2026-01-01', end_date: '2026-02-01', client_id: 'a', client_secret: 'b' } });
  const answer: { id: number } = await connection.http.get('x', { searchParams: { a: 1 } }).json();
  let count = answer.id;
  for await (const record of connection.read('campaign_daily', { limit: 1 })) count += Object.keys(record).length;
  if (count < 0) throw new FerruleError('internal', 'never');
  return count;
}
`;
  const wrong = source.replace('client_secret:', 'client_secrets:');
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--module', 'nodenext'];
  const nodeTypes = ['--typeRoots', resolve('node_modules/@types'), '--types', 'node'];
  const tsc = (file: string) => run(process.execPath, [TYPESCRIPT, ...options, ...nodeTypes, file]);
  for (const ending of ['mts', 'cts']) {
    await writeFile(join(folder, `types.${ending}`), source);
    trial(`types, .${ending}`, tsc(`types.${ending}`));
    await writeFile(join(folder, `wrong.${ending}`), wrong);
    const found = tsc(`wrong.${ending}`);
    trial(`a misspelt field does not compile, .${ending}`, { ...found, status: found.status === 0 ? 1 : 0 }, 'client_secrets');
  }
}

async function commandLine(): Promise<void> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  trial('npx ferrule --version', run('npx', ['--no-install', 'ferrule', '--version']), version);
  trial('npx ferrule list', run('npx', ['--no-install', 'ferrule', 'list']), 'jama-connect');
  await writeFile(join(folder, 'broken.yaml'), 'spec: 1\nname: broken\n');
  const lint = run('npx', ['--no-install', 'ferrule', 'lint', 'broken.yaml']);
  trial(
    'npx ferrule lint finds a mistake',
    { ...lint, status: lint.status === 1 ? 0 : 2, stdout: lint.stdout + lint.stderr },
    'broken.yaml',
  );
}

/** Optional packages are not there: what wants one says which. */
async function optional(): Promise<void> {
  const env = { ...process.env, FERRULE_HOME: join(folder, 'home'), FERRULE_KEY: 'keyring', FERRULE_JUMPSELLER_PASSWORD: 'none' };
  const args = ['--no-install', 'ferrule', 'connect', 'jumpseller', '--method', 'basic', '--field', 'username=none', '--no-check'];
  const { status, stdout, stderr } = spawnSync('npx', args, { cwd: folder, encoding: 'utf8', input: '', env });
  trial(
    'a keyring without its package says what to install',
    { status: status === 2 ? 0 : 1, stdout: stdout + stderr, stderr: '' },
    'npm install @napi-rs/keyring',
  );
}

try {
  await install();
  await contents();
  await modules();
  await peers();
  await types();
  await commandLine();
  await optional();
} finally {
  await rm(folder, { recursive: true });
}
console.log(failed === 0 ? 'the package works' : `${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
