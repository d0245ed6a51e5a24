import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

export type Schema = { [key: string]: unknown };

/** Every file of the language in schemas/ by its $id, which is its path there. schemas/cli is about the command line's output. */
export function readSchemas(folder = 'schemas'): Map<string, Schema> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.schema.json') && !name.endsWith('.gen.schema.json') && !name.startsWith('cli/'),
  );
  const schemas = new Map<string, Schema>();
  for (const file of files.sort()) {
    const schema = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Schema;
    schemas.set(String(schema.$id ?? file), schema);
  }
  return schemas;
}

/** A schema with the file it stands in, against which its $refs are resolved. */
export interface Located {
  file: string;
  schema: Schema;
}

/** What a $ref of a file points to, with a name that is the same from wherever it is referred to. */
export function resolveRef(schemas: Map<string, Schema>, from: string, ref: string): Located & { name: string } {
  const [address = '', pointer = ''] = ref.split('#');
  const file = address === '' ? from : schemas.has(address) ? address : posix.normalize(posix.join(dirname(from), address));
  let schema: unknown = schemas.get(file);
  for (const step of pointer.split('/').slice(1)) schema = (schema as Schema | undefined)?.[step];
  if (typeof schema !== 'object' || schema === null) throw new Error(`${from}: $ref ${ref} leads nowhere`);
  return { file, schema: schema as Schema, name: `${file}#${pointer}` };
}
