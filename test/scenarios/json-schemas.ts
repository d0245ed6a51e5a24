import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const FOLDER = 'schemas/cli';
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, strictRequired: false });
const validators = new Map<string, ValidateFunction>(
  readdirSync(FOLDER).map((file) => [
    file.replace('.schema.json', ''),
    ajv.compile(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object),
  ]),
);

/** Which committed schema a command line's JSON output has; undefined when it prints none. */
export function schemaFor([command = '', ...rest]: readonly string[]): string | undefined {
  if (command === 'lint') return rest.includes('json') ? 'lint' : undefined;
  if (command === 'request' || !rest.includes('--json')) return undefined;
  if (command === 'show') return rest.includes('--hosts') ? 'show-hosts' : rest.includes('--resolved') ? 'show-resolved' : 'show';
  if (command === 'credentials') return rest[0] === 'show' ? 'credential' : rest[0] === 'uses' ? 'uses' : 'credentials';
  if (command === 'streams' && rest.includes('--infer')) return 'streams-infer';
  return command;
}

export const SCHEMA_NAMES: readonly string[] = [...validators.keys()];

/** What of the text does not fit the schema: each line is one document for `read` and `error`, else the whole text. */
export function misfits(name: string, text: string): string[] {
  const validate = validators.get(name);
  if (validate === undefined) return [`schemas/cli has no ${name}.schema.json`];
  const documents = name === 'read' ? text.trimEnd().split('\n') : [text];
  return documents.flatMap((document) => {
    if (validate(JSON.parse(document))) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `schemas/cli/${name}.schema.json: ${instancePath} ${message}`);
  });
}
