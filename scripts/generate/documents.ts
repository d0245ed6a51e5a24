import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage } from '../../framework/cli/reference.ts';
import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { pages } from '../../framework/docs/pages.ts';
import { connectorTypes } from '../../framework/docs/types.ts';
import { loadFile } from '../../framework/spec/load.ts';
import { RULES } from '../../framework/spec/rules/index.ts';
import { readSchemas } from './schemas.ts';

/** What is made from the bundled specs, the rules and the tables: docs/ and framework/connectors.gen.ts. */
export async function makeDocuments(): Promise<[string, string][]> {
  const specs: SpecDocument[] = [];
  for (const file of readdirSync('connectors').sort()) {
    const { spec, findings } = await loadFile(join('connectors', file));
    if (spec === undefined) throw new Error(`connectors/${file} does not load: ${findings[0]?.message}`);
    specs.push(spec);
  }
  const made = pages({ specs, schemas: readSchemas(), rules: RULES }).set('cli.md', cliPage());
  return [
    ...[...made].map(([path, text]): [string, string] => [`docs/${path}`, text]),
    ['framework/connectors.gen.ts', connectorTypes(specs, 'bundled')],
  ];
}

/** Pages whose rule, connector or auth type is gone. */
export function leftovers(made: readonly [string, string][]): string[] {
  const known = new Set(made.map(([file]) => file));
  return ['docs/auth', 'docs/connectors', 'docs/rules'].flatMap((folder) =>
    readdirSync(folder)
      .map((file) => `${folder}/${file}`)
      .filter((file) => !known.has(file)),
  );
}
