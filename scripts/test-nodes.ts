/**
 * The unit suite on other releases of Node: `test-nodes [VERSION...]`, by default the two long-term ones besides our own.
 * Each comes as a package of the registry, so that no toolchain has to be on the machine.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const DEFAULT = ['22.23.3', '24.21.0'];

/** Installs one release into an empty folder; gives the path of its program. */
function installNode(version: string, folder: string): string {
  const name = `node-${process.platform}-${process.arch}`;
  execFileSync('npm', ['install', '--no-save', '--no-package-lock', '--loglevel=error', `${name}@${version}`], {
    cwd: folder,
    stdio: 'inherit',
  });
  const program = join(folder, 'node_modules', name, 'bin', 'node');
  const found = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
  if (found !== `v${version}`) throw new Error(`${name}@${version} is ${found}`);
  return program;
}

/** Programs that tests start by the name `node` are of the same release. */
function runSuite(program: string): boolean {
  const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH ?? ''}` };
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  return spawnSync(program, jest, { stdio: 'inherit', env }).status === 0;
}

const versions = process.argv.slice(2);
let failed = 0;
for (const version of versions.length > 0 ? versions : DEFAULT) {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-node-'));
  try {
    console.error(`Node ${version}`);
    if (!runSuite(installNode(version, folder))) failed += 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}
process.exitCode = failed > 0 ? 1 : 0;
