/**
 * framework/ → dist/: compiled by tsc, with the generated files that tsc does not copy, the bundled specs in their long
 * form, the library in few files (dist/lib), and a command line that can be started by itself. Does nothing when no source has changed since the last build; `--force` builds all the same.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { loadConnector } from '../framework/spec/load.ts';
import { readyName } from '../framework/spec/ready-spec.ts';

const SOURCE = 'framework';
const TARGET = 'dist';
const STAMP = 'node_modules/.cache/ferrule-build';
const COMMAND = join(TARGET, 'cli.js');
const SHEBANG = '#!/usr/bin/env node\n';

/** What tsc reads but does not write: generated CommonJS, its types, JSON. */
const isCopied = (file: string) => /\.(cjs|d\.cts|json)$/.test(file);

const connectorFiles = async (): Promise<string[]> =>
  (await readdir('connectors')).filter((file) => file.endsWith('.yaml')).map((file) => join('connectors', file));

async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(SOURCE, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Names, sizes and times of everything the output is made from: equal means that nothing has to be done. */
async function fingerprint(files: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...files, ...(await connectorFiles()), 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'scripts/build.ts']) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

async function makeCommand(): Promise<void> {
  const text = await readFile(COMMAND, 'utf8');
  if (!text.startsWith('#!')) await writeFile(COMMAND, SHEBANG + text);
  await chmod(COMMAND, 0o755);
}

/** The long form of each bundled spec, under the hash of its text (see framework/spec/ready-spec.ts). */
async function makeReadySpecs(): Promise<void> {
  const folder = join(TARGET, 'specs');
  await mkdir(folder, { recursive: true });
  for (const path of await connectorFiles()) {
    await writeFile(join(folder, readyName(await readFile(path))), JSON.stringify(await loadConnector(path)));
  }
}

/**
 * dist/lib, and in it our own hundreds of modules in a few files: what `import 'ferrule'` loads, and what the command line does. Node
 * spends half a millisecond on each module, which would be a third of the time to a first record. Dependencies stay outside; the files
 * lie as deep as the modules they are made of, so that paths relative to them hold.
 */
async function makeBundles(): Promise<void> {
  await build({
    entryPoints: {
      index: join(TARGET, 'index.js'),
      sandbox: join(TARGET, 'sandbox/index.js'),
      'lint-worker': join(TARGET, 'spec/lint-worker.js'),
      command: join(TARGET, 'cli/main.js'),
    },
    outdir: join(TARGET, 'lib'),
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    chunkNames: '[name]-[hash]',
    logLevel: 'warning',
  });
  await copyFile(join(SOURCE, 'spec/validators.gen.cjs'), join(TARGET, 'lib/validators.gen.cjs'));
  // Both are the same program; this one is in few files.
  const text = await readFile(COMMAND, 'utf8');
  const bundled = text.replace("'./cli/main.js'", "'./lib/command.js'");
  if (bundled === text) throw new Error(`${COMMAND} does not import ./cli/main.js any more: makeBundles must know what it imports`);
  await writeFile(COMMAND, bundled);
}

const files = await sourceFiles();
const wanted = await fingerprint(files);
const built = await readFile(STAMP, 'utf8').catch(() => '');
const complete = await stat(COMMAND).then(
  () => true,
  () => false,
);
if (wanted === built && complete && !process.argv.includes('--force')) {
  console.error('dist/ is up to date');
} else {
  await rm(STAMP, { force: true });
  await rm(TARGET, { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  for (const file of files.filter(isCopied)) {
    const copy = join(TARGET, file.slice(SOURCE.length + 1));
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(file, copy);
  }
  await makeReadySpecs();
  await makeBundles();
  await makeCommand();
  await mkdir(dirname(STAMP), { recursive: true });
  await writeFile(STAMP, wanted);
  console.error('dist/ built');
}
