import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { readSchemas, type Schema } from './schemas.ts';

/** Words for people and for other generators: they would only make the code larger. */
const NOT_CHECKED = new Set(['title', 'description', 'examples', 'default', 'tsType', '$schema']);

/** One function that validates a whole spec in its long form, as CommonJS (with `esm` ajv's code still calls require). */
export function makeValidators(): string {
  const schemas = readSchemas();
  const ajv = new Ajv2020({
    strict: true,
    allErrors: true,
    allowUnionTypes: true,
    strictRequired: false,
    strictTypes: false,
    discriminator: true,
    // One function per part instead of a copy at each use: a tenth of the code to load.
    inlineRefs: false,
    code: { source: true, lines: false, optimize: true },
  });
  for (const schema of schemas.values()) ajv.addSchema(bare(schema) as Schema);
  const code = (standalone as unknown as { default: (ajv: Ajv2020, names: Record<string, string>) => string }).default(ajv, {
    connector: 'connector.schema.json',
  });
  return `// Generated from schemas/ by scripts/generate.ts. Do not edit: run npm run generate.\n${code}\n`;
}

/** A schema without annotations. Under `properties` and `$defs` the keys are names, not keywords. */
function bare(schema: unknown, names = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => bare(item));
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key]) => names || !(NOT_CHECKED.has(key) || key.startsWith('x-')));
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value, !names && (key === 'properties' || key === '$defs'))]));
}
