import { createHash } from 'node:crypto';
import { stringifyJson } from '../core/json.ts';
import { compilePath, readPath } from '../core/path.ts';
import type { Json, JsonObject } from '../core/value.ts';

const LONGEST = 40;

/** A record's primary key as one text; undefined where a part of it is missing. A long one is its digest: it is for comparing. */
export function recordKey(record: JsonObject, paths: readonly string[]): string | undefined {
  const values: Json[] = [];
  for (const path of paths) {
    const value = readPath(compilePath(path), record);
    if (value === undefined) return undefined;
    values.push(value);
  }
  const text = values.length === 1 && typeof values[0] !== 'object' ? String(values[0]) : stringifyJson(values, { sorted: true });
  return text.length <= LONGEST ? text : createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
