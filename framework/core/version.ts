import { createRequire } from 'node:module';

/** Ferrule's own version. */
export const VERSION = (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
