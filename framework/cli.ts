#!/usr/bin/env node
// The entry of the `ferrule` command. It imports nothing before it knows what is wanted: `--version` starts as fast as an empty program.
import { readFileSync } from 'node:fs';

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V' || argv[0] === 'version')) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  process.stdout.write(`${version}\n`);
} else {
  // What was compiled is kept for the next start where this Node can (22.1 and later); NODE_DISABLE_COMPILE_CACHE=1 turns it off.
  const modules = (await import('node:module')) as { enableCompileCache?: () => unknown };
  modules.enableCompileCache?.();
  const { main, processIo } = await import('./cli/main.ts');
  process.exitCode = await main(argv, processIo());
}
