import { createRequire } from 'node:module';

/** The one YAML parser. By require: its files are CommonJS, and an import would search each for the names of its exports first. */
export const { Composer, CST, isAlias, isMap, isScalar, isSeq, Parser } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
