import { flow } from '../../framework/spec/flow.ts';
import type { Shape } from '../../framework/spec/shape.ts';
import { makeShapes } from './shapes.ts';

type Schema = { [key: string]: unknown };

/**
 * The schema for editors: a file as people write it, shorthand or long form. Draft 7, which language servers know best.
 * No anyOf and no oneOf: `if` on the kind of value or on `type` picks one branch, so that one typo gives one diagnostic.
 */
export function makeEditorSchema(): Schema {
  const editor = new Editor(makeShapes());
  const root = editor.root();
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Generated from schemas/ by scripts/generate.ts. Do not edit: run npm run generate.',
    title: 'Ferrule connector',
    ...root,
    definitions: editor.definitions,
  };
}

class Editor {
  readonly definitions: Record<string, Schema> = {};
  readonly #table: readonly Shape[];

  constructor(table: readonly Shape[]) {
    this.#table = table;
  }

  root(): Schema {
    const { title: _title, ...root } = this.#object(this.#table[0] as Shape);
    return { ...root, patternProperties: { '^x_': { description: 'Free: yours.' } } };
  }

  /** Parts with a title are written once; what a key says of itself stands beside the reference. */
  #at(index: number): Schema {
    const shape = this.#table[index] as Shape;
    if (shape.title === undefined) return this.#written(shape);
    const name = this.#define(shape);
    const words = this.#words(shape);
    return Object.keys(words).length === 0 ? { $ref: name } : { ...words, allOf: [{ $ref: name }] };
  }

  #define(shape: Shape): string {
    const { about: _about, example: _example, ...bare } = shape;
    const key = JSON.stringify(bare);
    const title = shape.title as string;
    for (let count = 1; ; count++) {
      const name = count === 1 ? title : `${title}${count}`;
      const known = this.#keys.get(name);
      if (known === key) return `#/definitions/${name}`;
      if (known !== undefined) continue;
      this.#keys.set(name, key);
      this.definitions[name] = this.#written(bare);
      return `#/definitions/${name}`;
    }
  }
  readonly #keys = new Map<string, string>();

  /** Editors offer examples as values, and can do so for scalars only: one of a map or list is shown in the description. */
  #words({ about, example }: Shape): Schema {
    if (typeof example !== 'object' || example === null)
      return { ...(about !== undefined && { description: about }), ...(example !== undefined && { examples: [example] }) };
    return { description: [about, `Example: ${flow(example)}`].filter((part) => part !== undefined).join('\n\n') };
  }

  /** With its shorthand. */
  #written(shape: Shape): Schema {
    const long = this.#long(shape);
    if (shape.short === undefined) return long;
    if (shape.short === 'one') {
      const { items, type: _type, description, examples, ...list } = long;
      const words = { ...(description !== undefined && { description }), ...(examples !== undefined && { examples }) };
      const one = nullable(shape) ? this.#orNull(items as Schema) : (items as Schema);
      return { ...words, if: { type: 'array' }, then: { items, ...list }, else: one };
    }
    const { description, examples, ...rest } = long;
    const words = { ...(description !== undefined && { description }), ...(examples !== undefined && { examples }) };
    const snippets = shape.tag === undefined ? {} : { defaultSnippets: this.#snippets(shape.tag.branches) };
    return { ...words, ...snippets, if: { type: 'object' }, then: rest, else: this.#short(shape) };
  }

  #orNull(schema: Schema): Schema {
    return { if: { type: 'null' }, else: schema };
  }

  /** What may stand instead of the map: the value of one of its keys. */
  #short(shape: Shape): Schema {
    if (shape.tag !== undefined) {
      const types = { enum: Object.keys(shape.tag.branches), description: this.#tags(shape.tag.branches) };
      return nullable(shape) ? { enum: [...types.enum, null], description: types.description } : types;
    }
    const index = shape.properties?.[shape.short as string];
    const schema = index === undefined ? {} : this.#at(index);
    return nullable(shape) ? this.#orNull(schema) : schema;
  }

  /** What an editor offers for an empty value: a word alone, or the map with the keys that the word wants. */
  #snippets(branches: Record<string, number>): Schema[] {
    return Object.entries(branches).map(([label, index]) => {
      const branch = this.#table[index];
      const wanted = (branch?.required ?? []).filter((key) => key !== 'type');
      const body = wanted.length === 0 ? label : { type: label, ...Object.fromEntries(wanted.map((key, at) => [key, `$${at + 1}`])) };
      return { label, ...(branch?.about !== undefined && { description: branch.about }), body };
    });
  }

  #tags(branches: Record<string, number>): string {
    return Object.entries(branches)
      .map(([word, index]) => `${word}: ${this.#table[index]?.about ?? ''}`)
      .join('\n\n');
  }

  #long(shape: Shape): Schema {
    if (shape.tag !== undefined) return this.#tagged(shape, shape.tag);
    if (shape.properties !== undefined || shape.others !== undefined) return this.#object(shape);
    if (shape.items !== undefined) return this.#list(shape);
    return this.#scalar(shape);
  }

  #object(shape: Shape): Schema {
    const properties = Object.entries(shape.properties ?? {}).map(([key, index]) => [key, this.#at(index)]);
    return {
      ...this.#words(shape),
      type: nullable(shape) ? ['object', 'null'] : 'object',
      ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
      additionalProperties: shape.others === undefined ? false : this.#at(shape.others),
      ...(shape.names !== undefined && { propertyNames: { pattern: shape.names } }),
      ...this.#required(shape, shape.required ?? []),
    };
  }

  /** Keys are missed only where all that stand there are known: a misspelt key is one mistake, not two. */
  #required(shape: Shape, required: readonly string[]): Schema {
    if (required.length === 0) return {};
    const known = Object.keys(shape.properties ?? {}).join('|');
    return { allOf: [{ if: { propertyNames: { pattern: `^(?:${known}|x_.*)$` } }, then: { required } }] };
  }

  #list(shape: Shape): Schema {
    const items = this.#at(shape.items as number);
    if (shape.types?.includes('string') === true)
      return {
        ...this.#words(shape),
        if: { type: 'array' },
        then: { items },
        else: this.#scalar({ types: shape.types.filter((type) => type !== 'array') }),
      };
    return { ...this.#words(shape), type: nullable(shape) ? ['array', 'null'] : 'array', items };
  }

  /** `type` first; which keys are legal follows from it. A step without one is a call. */
  #tagged(shape: Shape, tag: NonNullable<Shape['tag']>): Schema {
    const words = Object.keys(tag.branches);
    const isCall = tag.branches.call !== undefined;
    const branches = Object.entries(tag.branches).map(([word, index]) => {
      const branch = this.#table[index] as Shape;
      const { description: _description, type: _type, allOf: _required, ...closed } = this.#object(branch);
      const required = (branch.required ?? []).filter((key) => key !== 'type');
      const properties = { type: { const: word } };
      return {
        if: word === 'call' ? { properties } : { properties, required: ['type'] },
        then: { ...closed, ...this.#required(branch, required) },
      };
    });
    const union: Schema = {
      properties: { type: { enum: words, description: this.#tags(tag.branches) } },
      ...(!isCall && { required: ['type'] }),
      allOf: branches,
    };
    const type = nullable(shape) ? ['object', 'null'] : 'object';
    if (tag.otherwise === undefined) return { ...this.#words(shape), type, ...union };
    return { ...this.#words(shape), type, if: { required: ['type'] }, then: union, else: this.#at(tag.otherwise) };
  }

  /** Where text is wanted a number or true/false may stand: it is taken as it is written. */
  #scalar(shape: Shape): Schema {
    const { types, values, pattern } = shape;
    const words = this.#words(shape);
    if (values !== undefined) return { ...words, enum: nullable(shape) ? [...values, null] : values };
    if (types === undefined) return words;
    const text = types.includes('string') && pattern === undefined;
    const type = text ? [...new Set([...types, 'number', 'boolean'])] : types;
    return { ...words, type: type.length === 1 ? type[0] : type, ...(pattern !== undefined && { pattern }) };
  }
}

const nullable = (shape: Shape): boolean => shape.types?.includes('null') === true;
