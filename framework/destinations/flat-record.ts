import { FerruleError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/value.ts';

const SEPARATOR = '_';

/**
 * Each leaf of nested maps as a column of its own: `{ address: { city } }` → `address_city`. Lists and empty maps stay as they are.
 * `at` is the record's place in its batch, for the error.
 * @throws FerruleError record_refused: two values would stand in one column
 */
export function flatRecord(record: JsonObject, at: number): JsonObject {
  const flat: JsonObject = Object.create(null);
  const add = (map: JsonObject, before: string): void => {
    for (const key of Object.keys(map)) {
      const value = map[key]!;
      const column = before + key;
      if (isMap(value) && Object.keys(value).length > 0) add(value, column + SEPARATOR);
      else if (column in flat) throw twice(column, at);
      else flat[column] = value;
    }
  };
  add(record, '');
  return flat;
}

const isMap = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const twice = (column: string, at: number): FerruleError =>
  new FerruleError(
    'record_refused',
    `Record ${at + 1} of the batch has two values for the column ${column}: its own, and one of a nested map.`,
    {
      where: column,
      next: 'Rename one of them in the spec (rename), or keep nested maps as JSON.',
    },
  );

/** A value of a record; null when it has none. A name that all objects have (`constructor`) is no value. */
export const columnValue = (record: JsonObject, column: string): Json => (Object.hasOwn(record, column) ? record[column]! : null);
