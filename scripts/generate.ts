/** Generated files: from schemas/ the types and validators, from specs, rules and tables the docs. `--check` writes nothing and fails when a committed file differs. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { makeEditorSchema } from './generate/editor.ts';
import { makeShapes } from './generate/shapes.ts';
import { makeValidators } from './generate/validators.ts';

const BANNER = '// Generated from schemas/ by scripts/generate.ts. Do not edit: run npm run generate.\n';

const outputs: [string, () => Promise<string> | string][] = [
  ['framework/core/spec-types.gen.ts', specTypes],
  ['framework/spec/shape.gen.ts', shapes],
  ['framework/spec/validators.gen.cjs', makeValidators],
  ['schemas/connector.gen.schema.json', () => `${JSON.stringify(makeEditorSchema(), null, 2)}\n`],
];

/** `x_…` keys are free at the top level; as a plain index signature they would let every misspelt key compile. */
async function specTypes(): Promise<string> {
  const { patternProperties: _free, ...schema } = JSON.parse(await readFile('schemas/connector.schema.json', 'utf8'));
  const options = { singleQuote: true, printWidth: 140 };
  const types = await compile(schema, 'SpecDocument', {
    additionalProperties: false,
    bannerComment: BANNER,
    cwd: 'schemas',
    style: options,
    unreachableDefinitions: true,
  });
  return types.replace(
    'export interface SpecDocument {\n',
    'export interface SpecDocument {\n  /** Yours. */\n  [custom: `x_${string}`]: unknown;\n',
  );
}

/** The table as text that is parsed at start: faster than a literal, and the type checker need not read it. */
function shapes(): string {
  const rows = makeShapes().map((row) => `  ${JSON.stringify(JSON.stringify(row))},\n`);
  return `${BANNER}import type { Shape } from './shape.ts';\n\nexport const SHAPES: Shape[] = [\n${rows.join('')}].map((row) => JSON.parse(row) as Shape);\n`;
}

const check = process.argv.includes('--check');
let stale = 0;
for (const [file, make] of outputs) await emit(file, await make());
// Only now: it loads specs with the validators that were just made.
const { leftovers, makeDocuments } = await import('./generate/documents.ts');
const documents = await makeDocuments();
for (const [file, text] of documents) await emit(file, text);
for (const file of leftovers(documents)) {
  if (!check) await rm(file);
  else {
    stale += 1;
    console.error(`${file} is left over: run npm run generate`);
  }
}

async function emit(file: string, text: string): Promise<void> {
  if (!check) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    stale += 1;
    console.error(`${file} is stale: run npm run generate`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;
