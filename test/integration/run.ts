/**
 * `npm run test:integration`: installs the servers that nobody here wrote into a temporary folder, then runs the tests
 * against them on loopback. Needs the npm registry, PyPI, and programs that root gets from apt (PostgreSQL among them). In
 * FERRULE_INTEGRATION a folder can be named that is kept for the next run; with `--servers-only` nothing but that is done. What is missing
 * is said, and fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findServerProgram } from './programs.ts';

const SERVERS = [
  'oidc-provider@9.13.3',
  'azurite@3.35.0',
  'emulate@0.11.2',
  'parse-server@9.10.0',
  '@sap/cds@9.9.3',
  '@cap-js/sqlite@2.4.2',
  'express@4.22.3',
  'yaml-language-server@1.25.0',
];
/** Program → the package of apt that has it; the compiler is for the database under @cap-js/sqlite. */
const PROGRAMS: Record<string, string> = {
  ...{ apache2: 'apache2', htpasswd: 'apache2-utils', 'g++': 'g++', make: 'make' },
  ...{ python3: 'python3', openssl: 'openssl', curl: 'curl' },
  ...{ 'gnome-keyring-daemon': 'gnome-keyring', 'dbus-run-session': 'dbus', 'secret-tool': 'libsecret-tools' },
};

/**
 * From PyPI, with what only Python has: a server that verifies AWS signatures, one that lets in by NTLM, readers of Parquet, Airbyte's own models of
 * its protocol, and what checks its JSON Schemas.
 */
const PYTHON = [
  ...['moto[server]==5.2.5', 'pyspnego==0.12.4', 'pyarrow==26.0.1', 'duckdb==2.0.1'],
  ...['airbyte-protocol-models-pdv2==0.18.0', 'jsonschema==4.26.0', 'rfc3339-validator==0.1.4'],
];
/** Programs that want other versions of the same libraries: an environment each. */
const PYTHON_APART: Record<string, string> = { 'target-jsonl': 'target-jsonl==0.1.4', 'target-csv': 'meltanolabs-target-csv==0.5.0' };

/** Programs of servers, which the path of a person does not have, and Debian's package of each. */
const SERVER_PROGRAMS: Record<string, string> = { initdb: 'postgresql', pgbouncer: 'pgbouncer' };

const has = (program: string) => spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;

function installPrograms(): void {
  const packages = Object.keys(PROGRAMS).flatMap((program) => (has(program) ? [] : [PROGRAMS[program] ?? program]));
  for (const [program, name] of Object.entries(SERVER_PROGRAMS)) if (findServerProgram(program) === undefined) packages.push(name);
  // Debian keeps what `python3 -m venv` needs in a package of its own.
  if (spawnSync('python3', ['-c', 'import ensurepip']).status !== 0) packages.push('python3-venv');
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`missing programs. Install them: apt-get install ${packages.join(' ')}`);
  console.log(`installing ${packages.join(', ')}`);
  // A package that starts a service on installation must not: the tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const { status, stdout, stderr } = spawnSync('apt-get', ['-q', ...args], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}

async function installServers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) await writeFile(manifest, '{ "private": true }\n');
  const begin = Date.now();
  const env: NodeJS.ProcessEnv = { ...process.env, JOBS: 'max' };
  // The headers that came with this Node, so that the compiler needs no download.
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node.h'))) env.npm_config_nodedir = prefix;
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--save-exact', ...SERVERS], {
    cwd: folder,
    env,
    stdio: 'inherit',
  });
  if (!existsSync(join(folder, 'python'))) execFileSync('python3', ['-m', 'venv', join(folder, 'python')], { stdio: 'inherit' });
  execFileSync(join(folder, 'python/bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...PYTHON], { stdio: 'inherit' });
  for (const [name, wanted] of Object.entries(PYTHON_APART)) {
    if (!existsSync(join(folder, name))) execFileSync('python3', ['-m', 'venv', join(folder, name)], { stdio: 'inherit' });
    execFileSync(join(folder, name, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', wanted], { stdio: 'inherit' });
  }
  console.log(`servers installed in ${Math.round((Date.now() - begin) / 1000)} s`);
}

const kept = process.env.FERRULE_INTEGRATION;
const folder = kept ?? (await mkdtemp(join(tmpdir(), 'ferrule-integration-')));
try {
  installPrograms();
  await installServers(folder);
  if (!process.argv.includes('--servers-only')) runTests();
} finally {
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}

function runTests(): void {
  // They use the program as it ships, too.
  execFileSync(process.execPath, ['scripts/run.mjs', 'scripts/build.ts'], { stdio: 'inherit' });
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '-c', 'test/integration/jest.config.mjs'];
  const env = { ...process.env, FERRULE_INTEGRATION: folder };
  process.exitCode = spawnSync(process.execPath, [...jest, ...process.argv.slice(2)], { stdio: 'inherit', env }).status ?? 1;
}
