/** Generated files from schemas/. `--check` writes nothing and fails when a committed file differs. */
import { readFile, writeFile } from 'node:fs/promises';
import { compileFromFile } from 'json-schema-to-typescript';

const BANNER = '// Generated from schemas/ by scripts/generate.ts. Do not edit: run npm run generate.\n';

const outputs: [string, () => Promise<string>][] = [
  [
    'framework/core/spec-types.gen.ts',
    async () =>
      compileFromFile('schemas/connector.schema.json', {
        additionalProperties: false,
        bannerComment: BANNER,
        cwd: 'schemas',
        style: { singleQuote: true, printWidth: 140 },
        unreachableDefinitions: true,
      }),
  ],
];

const check = process.argv.includes('--check');
let stale = 0;
for (const [file, make] of outputs) {
  const text = await make();
  if (!check) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    stale += 1;
    console.error(`${file} is stale: run npm run generate`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;
