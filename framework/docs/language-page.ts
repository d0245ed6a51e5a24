import { posix } from 'node:path';
import { languageGuide } from './language-guide.ts';
import { anchor, cell, code, GENERATED, inlineYaml, markdownTable, prose } from './markdown.ts';

/** A JSON Schema as it was parsed. */
export type Schema = { [key: string]: unknown };

interface Section {
  heading: string;
  schema: Schema;
  file: string;
}

/**
 * The language reference from schemas/ (each by its $id, which is its path there): every key with its kind, type,
 * default, meaning and an example.
 */
export function languagePage(schemas: ReadonlyMap<string, Schema>): string {
  const root = schemas.get('connector.schema.json') ?? {};
  const pages = new Collector(schemas).collect({ heading: 'Document', schema: root, file: 'connector.schema.json' });
  const call = schemas.get('call.schema.json') ?? {};
  const stream = pages.find(({ heading }) => heading === 'Stream');
  const callKeys = Object.keys(((call.$defs as Record<string, Schema> | undefined)?.call?.properties ?? {}) as Schema);
  const method = pages.find(({ heading }) => heading === `${METHOD} none`);
  const methodKeys = Object.keys((method?.schema.properties ?? {}) as Schema).filter((key) => key !== 'type');
  const texts = pages
    .sort((a, b) => rank(a) - rank(b))
    .map((section) => {
      const { heading, schema } = section;
      if (heading.startsWith(METHOD) && section !== method)
        return sectionText(section, schemas, { keys: methodKeys, of: `${METHOD} none` });
      const isCall = section !== stream && ['get', 'query', 'headers'].every((key) => (schema.properties as Schema)[key] !== undefined);
      return sectionText(section, schemas, isCall ? { keys: callKeys, of: 'Stream' } : undefined);
    });
  return [GENERATED, INTRODUCTION, languageGuide(), ...texts].join('\n');
}

const METHOD = 'auth type';

/** Sections in the order in which an author meets them; what is not listed comes last. */
const ORDER = [
  'Document',
  'Choice',
  'Choice option',
  'Field',
  'Options',
  'Option',
  METHOD,
  'Authorize',
  'Token call',
  'Refresh call',
  'step type',
  'Capture',
  'Expires',
  'Send',
  'Http',
  'Rate limit',
  'Rate limit reset',
  'Retry',
  'Timeout',
  'Errors',
  'Error rule',
  'Check',
  'Stream',
  'Stream part',
  'Template',
  'Source',
  'Column',
  'paginate type',
];

function rank({ heading }: Section): number {
  const at = ORDER.findIndex((word) => heading === word || (word.includes(' type') && heading.startsWith(word)));
  return at < 0 ? ORDER.length : at;
}

/** Keys that a section shares with another, where they stand in full. */
interface Shared {
  keys: readonly string[];
  of: string;
}

const INTRODUCTION = `# The spec language

One YAML file describes one provider. The key decides what kind of value stands under it:

${markdownTable(
  ['Kind', 'Is'],
  [
    ['word', 'one of the listed words, or a name; never `${…}`'],
    ['literal', 'a number, true or false, a duration (`30s`, `5m`, `1h`, `7d`), a list, a plain string; never `${…}`'],
    ['path', 'where to read: `a.b`, `a.*.b` (each), `a.0`, `a["@odata.next"]`, `$` for the root; a last segment with `?` may be missing'],
    ['target', 'where to write in a request: `query.x`, `headers.X`, `cookies.x`, `body.a.b`, `url`'],
    ['text', 'a string with `${…}` in it; a YAML scalar is taken as it is written'],
    ['value', 'any YAML value whose strings are texts; a string that is exactly one `${…}` keeps its type'],
    ['condition', 'exactly one `${…}` that is true or false'],
    ['number', 'a number, or exactly one `${…}` that is a number'],
  ],
)}
A bare word where a section with a \`type\` is wanted stands for that type; one item may stand where a list is wanted; \`null\` removes what is inherited.
`;

/** Walks from the root along properties and references, and gives each object with named keys a section. */
class Collector {
  readonly #schemas: ReadonlyMap<string, Schema>;
  readonly #known = new Set<Schema>();

  constructor(schemas: ReadonlyMap<string, Schema>) {
    this.#schemas = schemas;
  }

  collect(first: Section): Section[] {
    const sections: Section[] = [];
    const queue = [first];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.#known.has(next.schema)) continue;
      this.#known.add(next.schema);
      sections.push(next);
      queue.push(...this.#below(next));
    }
    return sections;
  }

  #below({ heading, schema, file }: Section): Section[] {
    return children(schema).flatMap(([key, child]) => this.#sections(key === '' ? heading : key, child, file, heading));
  }

  #sections(key: string, schema: Schema, file: string, parent: string): Section[] {
    const found = target(schema, file, this.#schemas);
    const inner = found.flatMap(({ schema: object, file: where, tag }) => {
      if (object.properties !== undefined) return [{ heading: headingOf(object, key, tag, parent), schema: object, file: where }];
      return children(object).flatMap(([, child]) => this.#sections(key, child, where, parent));
    });
    return inner;
  }
}

/** What stands below a schema: its properties, then entries with free names, then items. */
function children(schema: Schema): [string, Schema][] {
  const result: [string, Schema][] = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  for (const word of ['additionalProperties', 'items', 'then', 'else'] as const) {
    const child = schema[word];
    if (isSchema(child)) result.push(['', child]);
  }
  for (const word of ['anyOf', 'allOf', 'oneOf'] as const) {
    for (const child of (schema[word] ?? []) as Schema[]) result.push(['', child]);
  }
  return result;
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

interface Target {
  schema: Schema;
  file: string;
  /** Family of a branch of a tagged union: `auth`, `paginate`. */
  tag?: string;
}

/** Follows references; a tagged union gives all its branches. */
function target(schema: Schema, file: string, schemas: ReadonlyMap<string, Schema>): Target[] {
  const all = Array.isArray(schema.allOf) && schema.allOf.length === 1 ? (schema.allOf[0] as Schema).$ref : undefined;
  const ref = (schema.$ref ?? all) as string | undefined;
  if (ref === undefined) return [{ schema, file }];
  const [address = '', pointer = ''] = ref.split('#');
  const where = address === '' ? file : schemas.has(address) ? address : posix.normalize(posix.join(posix.dirname(file), address));
  let found: unknown = schemas.get(where);
  for (const step of pointer.split('/').slice(1)) found = (found as Schema | undefined)?.[step];
  if (!isSchema(found)) throw new Error(`${file}: $ref ${ref} leads nowhere`);
  if (found.$ref !== undefined) return target(found, where, schemas);
  if (!Array.isArray(found.oneOf)) return [{ schema: found, file: where }];
  const family = found['x-tagged'] === undefined ? String(found.title).toLowerCase() : (where.split('.')[0] ?? '');
  return (found.oneOf as Schema[]).flatMap((branch) => target(branch, where, schemas).map((one) => ({ ...one, tag: family })));
}

function headingOf(schema: Schema, key: string, tag: string | undefined, parent: string): string {
  const type = ((schema.properties as Record<string, Schema>).type as Schema | undefined)?.const;
  if (tag !== undefined && typeof type === 'string') return `${tag} type ${type}`;
  if (typeof schema.title === 'string')
    return schema.title
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .replace(/^(.)(.*)$/, (_, first: string, rest: string) => first + rest.toLowerCase());
  return parent === 'Document' ? key : `${parent}: ${key}`;
}

function sectionText({ heading, schema, file }: Section, schemas: ReadonlyMap<string, Schema>, shared: Shared | undefined): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const elsewhere = properties.map(([key]) => key).filter((key) => shared?.keys.includes(key) === true && !needed(schema, key));
  const rows = properties
    .filter(([key]) => !elsewhere.includes(key))
    .map(([key, property]) => row(key, property, needed(schema, key), file, schemas));
  const free = isSchema(schema.additionalProperties) ? 'Other keys are free.\n' : '';
  const also =
    shared === undefined || elsewhere.length === 0
      ? ''
      : `It also takes these keys, as under [${shared.of}](#${anchor(shared.of)}): ${elsewhere.map(code).join(', ')}.\n`;
  return [
    `## ${heading}\n`,
    schema.description === undefined ? '' : `${prose(String(schema.description))}\n`,
    markdownTable(['Key', 'Kind', 'Values', 'Default', 'Meaning', 'Example'], rows),
    free,
    also,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const needed = (schema: Schema, key: string): boolean => ((schema.required ?? []) as string[]).includes(key);

function row(key: string, property: Schema, required: boolean, file: string, schemas: ReadonlyMap<string, Schema>): string[] {
  const [first] = target(property, file, schemas);
  const meant = { ...first?.schema, ...property };
  const example = (meant.examples as unknown[] | undefined)?.[0] ?? meant.const;
  return [
    code(key),
    kindOf(meant),
    valuesOf(meant),
    required ? '**required**' : meant.default === undefined ? '' : code(inlineYaml(meant.default)),
    cell(String(meant.description ?? '')),
    example === undefined ? '' : code(`${key}: ${inlineYaml(example)}`),
  ];
}

function kindOf(schema: Schema): string {
  const kind = schema['x-kind'];
  if (typeof kind === 'string') return schema['x-computed'] === true ? `${kind} or one \`\${…}\`` : kind;
  return schema.type === 'array' ? 'list' : 'section';
}

function valuesOf(schema: Schema): string {
  const items = isSchema(schema.items) ? schema.items : {};
  const listed = (schema.enum ?? items.enum) as unknown[] | undefined;
  if (listed !== undefined) return listed.map((value) => code(String(value))).join(', ');
  if (schema.const !== undefined) return code(String(schema.const));
  const types = [schema.type].flat().filter((type) => typeof type === 'string' && type !== 'null') as string[];
  const words = types.map((type) => (type === 'array' ? 'list' : type === 'object' ? 'map' : type === 'string' ? 'text' : type));
  const least = schema.minimum === undefined ? '' : ` ≥ ${String(schema.minimum)}`;
  const most = schema.maximum === undefined ? '' : ` ≤ ${String(schema.maximum)}`;
  return `${[...new Set(words)].join(', ')}${least}${most}`;
}
