import type { Column } from '../core/spec-types.gen.ts';
import type { JsonObject } from '../core/value.ts';

type ColumnType = Column['type'];

/** What a column's values are as JSON. None is promised to be there. */
const TYPES: Record<ColumnType, JsonObject> = {
  text: { type: ['null', 'string'] },
  integer: { type: ['null', 'integer'] },
  number: { type: ['null', 'number'] },
  boolean: { type: ['null', 'boolean'] },
  date: { type: ['null', 'string'], format: 'date' },
  datetime: { type: ['null', 'string'], format: 'date-time' },
  object: { type: ['null', 'object'], additionalProperties: true },
  list: { type: ['null', 'array'], items: {} },
};

/** A key or a cursor that the spec does not declare: a consumer must find it in the schema all the same. */
const UNDECLARED: JsonObject = { type: ['null', 'string', 'integer', 'number'] };

/** What a schema says of a stream; connection.streams() gives it. */
export interface SchemaStream {
  columns: Readonly<Record<string, Column>>;
  primary_key: readonly string[];
  cursor?: string;
}

/**
 * A record as JSON Schema (draft 7), as `recordLine` writes it. A provider may send more than the spec declares, so that more is always
 * allowed. `without`: columns that were deselected.
 */
export function streamSchema({ columns, primary_key, cursor }: SchemaStream, without: ReadonlySet<string> = new Set()): JsonObject {
  const declared = Object.entries(columns).filter(([name]) => !without.has(name));
  const missing = [...primary_key, ...(topLevel(cursor) ?? [])].filter((name) => !Object.hasOwn(columns, name));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: true,
    properties: Object.fromEntries([
      ...declared.map(([name, { type, help }]) => [name, { ...TYPES[type], ...(help !== undefined && { description: help }) }] as const),
      ...missing.map((name) => [name, UNDECLARED] as const),
    ]),
  };
}

/** A cursor that is a column of its own, as a list of one; undefined where it lies deeper or there is none. */
export const topLevel = (cursor: string | undefined): [string] | undefined =>
  cursor === undefined || /[^\w-]/.test(cursor) ? undefined : [cursor];
