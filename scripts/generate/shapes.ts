import type { Shape } from '../../framework/spec/shape.ts';
import { type Located, readSchemas, resolveRef, type Schema } from './schemas.ts';

const asSchema = (value: unknown): Schema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
const asList = (value: unknown): Schema[] => (Array.isArray(value) ? (value as Schema[]) : []);

/** schemas/ as a table of shapes, the whole spec first. Equal shapes stand in it once. */
export function makeShapes(): Shape[] {
  const builder = new Builder();
  builder.reserve();
  const root = builder.add({ file: 'connector.schema.json', schema: builder.schemas.get('connector.schema.json') as Schema });
  builder.table[0] = builder.table[root] as Shape;
  return builder.table;
}

class Builder {
  readonly schemas = readSchemas();
  readonly table: Shape[] = [];
  readonly #byName = new Map<string, number>();
  readonly #byText = new Map<string, number>();

  reserve(): number {
    return this.table.push({}) - 1;
  }

  add(located: Located): number {
    const { $ref } = located.schema;
    if (typeof $ref === 'string' && Object.keys(located.schema).length === 1) {
      const target = resolveRef(this.schemas, located.file, $ref);
      const known = this.#byName.get(target.name);
      if (known !== undefined) return known;
      const index = this.reserve();
      this.#byName.set(target.name, index);
      this.table[index] = this.#shape(target);
      return index;
    }
    const made = this.#shape(located);
    const text = JSON.stringify(made);
    const same = this.#byText.get(text);
    if (same !== undefined) return same;
    const index = this.table.push(made) - 1;
    this.#byText.set(text, index);
    return index;
  }

  #shape({ file, schema }: Located): Shape {
    const parts = this.#inherited(file, schema);
    return { ...parts, ...this.#own(file, schema) };
  }

  /** What `$ref`, a single `allOf`, "this or null" and the tagged-or-amended `if` bring. */
  #inherited(file: string, schema: Schema): Shape {
    if (typeof schema.$ref === 'string') return this.#shape(resolveRef(this.schemas, file, schema.$ref));
    const all = asList(schema.allOf);
    if (all.length > 0) return Object.assign({}, ...all.map((part) => this.#shape({ file, schema: part })));
    const any = asList(schema.anyOf);
    const some = any.find((part) => part.type !== 'null');
    if (some !== undefined) {
      if (any.length !== 2) throw new Error(`${file}: anyOf of more than one thing or null`);
      const made = this.#shape({ file, schema: some });
      return { ...made, types: [...(made.types ?? []), 'null'] };
    }
    const [then, otherwise] = [asSchema(schema.then), asSchema(schema.else)];
    if (asSchema(schema.if) === undefined || then === undefined || otherwise === undefined) return {};
    const made = this.#shape({ file, schema: then });
    const amend = asSchema(otherwise.else) ?? otherwise;
    return {
      ...made,
      types: ['object', 'null'],
      tag: { branches: made.tag?.branches ?? {}, otherwise: this.add({ file, schema: amend }) },
    };
  }

  #own(file: string, schema: Schema): Shape {
    const made: Shape = {};
    if (typeof schema.title === 'string') made.title = schema.title;
    if (typeof schema.description === 'string') made.about = schema.description;
    if (Array.isArray(schema.examples)) made.example = schema.examples[0];
    if (schema['x-kind'] !== undefined) made.kind = schema['x-kind'] as NonNullable<Shape['kind']>;
    if (schema['x-place'] !== undefined) made.place = String(schema['x-place']);
    if (schema['x-scope'] !== undefined) made.scope = String(schema['x-scope']);
    if (schema['x-computed'] === true) made.computed = true;
    if (schema['x-short'] !== undefined) made.short = String(schema['x-short']);
    if (schema['x-merge'] !== undefined) made.merge = String(schema['x-merge']);
    if (schema['x-since'] !== undefined) made.since = String(schema['x-since']);
    if (schema.type !== undefined) made.types = [schema.type].flat() as NonNullable<Shape['types']>;
    if (Array.isArray(schema.enum)) made.values = schema.enum as (string | number | boolean)[];
    if (schema.const !== undefined) made.values = [schema.const as string | number | boolean];
    if (typeof schema.pattern === 'string') made.pattern = schema.pattern;
    if (Array.isArray(schema.required)) made.required = schema.required as string[];
    this.#children(file, schema, made);
    return made;
  }

  #children(file: string, schema: Schema, made: Shape): void {
    const properties = asSchema(schema.properties);
    if (properties !== undefined) {
      made.properties = Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, this.add({ file, schema: value as Schema })]),
      );
    }
    const others = asSchema(schema.additionalProperties);
    if (others !== undefined) made.others = this.add({ file, schema: others });
    const names = asSchema(schema.propertyNames)?.pattern;
    if (typeof names === 'string') made.names = names;
    const items = asSchema(schema.items);
    if (items !== undefined) made.items = this.add({ file, schema: items });
    if (schema.discriminator !== undefined) made.tag = { branches: this.#branches(file, asList(schema.oneOf)) };
  }

  #branches(file: string, options: Schema[]): Record<string, number> {
    const branches: Record<string, number> = {};
    for (const option of options) {
      const index = this.add({ file, schema: option });
      const type = this.table[index]?.properties?.type;
      const word = type === undefined ? undefined : this.table[type]?.values?.[0];
      if (word === undefined) throw new Error(`${file}: a branch without a constant type`);
      branches[String(word)] = index;
    }
    return branches;
  }
}
