import { plainNumber, stringifyJson } from '../core/json.ts';
import type { Json, JsonObject } from '../core/value.ts';
import type { SqlType } from './column-type.ts';
import { instantText, knownInstant } from './instant.ts';
import { refused } from './table-failure.ts';
import type { TableColumn } from './table-plan.ts';

/** A value as text, the same for all values that are equal in a column of this type, which must hold it. */
export function textFor(value: Json, type: SqlType): string {
  switch (type) {
    case 'json':
      return stringifyJson(value);
    case 'datetime':
      return instantText(knownInstant(value as string));
    case 'number':
      return String(Number(value));
    default:
      if (typeof value === 'string') return value;
      return typeof value === 'number' ? plainNumber(value) : String(value);
  }
}

/** How a column is read from records: one whose key all objects have (`constructor`) must be looked at more closely. */
export function reader({ key }: TableColumn): (record: JsonObject) => Json | undefined {
  return key in Object.prototype ? (record) => (Object.hasOwn(record, key) ? record[key] : undefined) : (record) => record[key];
}

const HALF = /\p{Cs}/u;

/** What a database cannot hold of a text: half of a surrogate pair has no UTF-8. */
export function checkText(text: string, at: number, column: string): void {
  if (HALF.test(text)) throw refused(at, column, 'holds half of a character (a lone surrogate), which a database cannot hold', REMOVE);
}

export const REMOVE = 'Leave the column out with remove, or have the provider send whole text.';

/**
 * The places of those records that are to be written: of several with one key the last.
 * @throws FerruleError record_refused: a key is null, or a map or list
 */
export function lastOfEachKey(records: readonly JsonObject[], keys: readonly TableColumn[]): number[] {
  const last = new Map<string, number>();
  const readers = keys.map(reader);
  records.forEach((record, at) => {
    const texts = keys.map(({ key, type }, index) => {
      const value = readers[index]!(record) ?? null;
      if (value === null) throw refused(at, key, `has no value for ${key}, which is of its primary key`, KEYS);
      if (typeof value === 'object') throw refused(at, key, `has a map or list for ${key}, which is of its primary key`, KEYS);
      return textFor(value, type);
    });
    const whole = texts.length === 1 ? texts[0]! : JSON.stringify(texts);
    // Anew, so that it stands where the last one stood.
    last.delete(whole);
    last.set(whole, at);
  });
  return [...last.values()];
}

const KEYS = 'Correct primary_key in the spec, or write with append.';
