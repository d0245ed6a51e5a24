// Runs a TypeScript file of this repo directly: node scripts/run.mjs FILE [ARGS]. Node 20 cannot strip types by itself.
import * as modules from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { load } from './typescript-hooks.mjs';

// Newer releases warn of `register`, older ones have nothing else.
if (modules.registerHooks) modules.registerHooks({ load });
else modules.register('./typescript-hooks.mjs', import.meta.url);
process.argv.splice(1, 1);
process.argv[1] = resolve(process.argv[1]);
await import(pathToFileURL(process.argv[1]).href);
