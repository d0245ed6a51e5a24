import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUTH_TYPES } from '../../../framework/spec/auth-types.ts';

type Schema = { [key: string]: unknown };
interface Found {
  where: string;
  schema: Schema;
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const files = readdirSync('schemas', { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.schema.json') && !file.startsWith('cli') && !file.includes('.gen.'),
);
const schemas = new Map(files.map((file) => [file, JSON.parse(readFileSync(join('schemas', file), 'utf8')) as Schema]));

/** Every named property in all schemas. */
function properties(schema: unknown, where: string): Found[] {
  if (Array.isArray(schema)) return schema.flatMap((item, index) => properties(item, `${where}/${index}`));
  if (!isSchema(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === 'examples' || key === 'default') return [];
    const own =
      key === 'properties' && isSchema(value)
        ? Object.entries(value).map(([name, one]) => ({ where: `${where}.${name}`, schema: one as Schema }))
        : [];
    return [...own, ...properties(value, key === 'properties' || key === '$defs' ? where : `${where}.${key}`)];
  });
}

const all = [...schemas].flatMap(([file, schema]) => properties(schema, file));
const KINDS = ['word', 'literal', 'path', 'target', 'text', 'value', 'condition', 'number'];
const SCOPES = ['connection', 'auth', 'authorize', 'callback', 'send', 'api', 'response', 'stream', 'job', 'page', 'record', 'item'];
/** Leaves hold no further keys of the language. */
const isLeaf = ({ schema }: Found): boolean =>
  !(
    'properties' in schema ||
    '$ref' in schema ||
    'allOf' in schema ||
    'oneOf' in schema ||
    'anyOf' in schema ||
    'additionalProperties' in schema ||
    'items' in schema ||
    'if' in schema ||
    'not' in schema
  );

describe('the schemas of the language', () => {
  it('describe every property, with an example', () => {
    expect(all.length).toBeGreaterThan(150);
    // A tag needs no example: its one value is in the schema. A $ref alone takes its words from there.
    const wordless = all.filter(
      ({ schema }) =>
        !('const' in schema && !('examples' in schema)) &&
        !('$ref' in schema) &&
        !('not' in schema) &&
        (typeof schema.description !== 'string' || !Array.isArray(schema.examples)),
    );
    expect(wordless.map(({ where }) => where)).toEqual([]);
  });

  it('say of every leaf what kind of value it is, and of every expression where it lands and what it sees', () => {
    const leaves = all.filter(isLeaf);
    expect(leaves.filter(({ schema }) => !KINDS.includes(String(schema['x-kind']))).map(({ where }) => where)).toEqual([]);
    const expressions = leaves.filter(({ schema }) => ['text', 'value', 'condition', 'number'].includes(String(schema['x-kind'])));
    expect(expressions.filter(({ schema }) => !SCOPES.includes(String(schema['x-scope']))).map(({ where }) => where)).toEqual([]);
    const landing = expressions.filter(({ schema }) => schema['x-kind'] === 'text' || schema['x-kind'] === 'value');
    expect(landing.filter(({ schema }) => typeof schema['x-place'] !== 'string').map(({ where }) => where)).toEqual([]);
  });

  it('close every object', () => {
    const open = [...schemas]
      .flatMap(([file, schema]) => objects(schema, file))
      .filter(({ schema }) => schema.additionalProperties === undefined && schema.unevaluatedProperties === undefined);
    expect(open.map(({ where }) => where)).toEqual([]);
  });

  it('tag unions by type, one file a branch, and the tables of the code know each', () => {
    const branches = (file: string): string[] => ((schemas.get(file) as Schema).oneOf as { $ref: string }[]).map(({ $ref }) => $ref);
    for (const [folder, file] of [
      ['auth', 'auth.schema.json'],
      ['paginate', 'paginate.schema.json'],
    ] as const) {
      expect(branches(file).toSorted()).toEqual(files.filter((name) => name.startsWith(`${folder}/`)).toSorted());
      for (const branch of branches(file)) {
        const type = ((schemas.get(branch) as Schema).properties as { type: Schema }).type.const;
        expect(branch).toBe(`${folder}/${String(type)}.schema.json`);
      }
    }
    expect(Object.keys(AUTH_TYPES).toSorted()).toEqual(
      branches('auth.schema.json')
        .map((name) => name.replace(/^auth\/|\.schema\.json$/g, ''))
        .toSorted(),
    );
  });
});

function objects(schema: unknown, where: string): Found[] {
  if (Array.isArray(schema)) return schema.flatMap((item, index) => objects(item, `${where}/${index}`));
  if (!isSchema(schema)) return [];
  const own = isSchema(schema.properties) && schema.type === 'object' && !('oneOf' in schema) ? [{ where, schema }] : [];
  return [
    ...own,
    ...Object.entries(schema).flatMap(([key, value]) => (key === 'examples' || key === 'default' ? [] : objects(value, `${where}.${key}`))),
  ];
}
