import type { Json, JsonObject } from '../../core/value.ts';
import { recordsAt } from '../records.ts';
import type { DecodeContext } from './types.ts';

/**
 * The records of a format whose rows are documents of their own (lines, rows of a table): `records` is read in each. Left out or `$`, a
 * row is the record.
 * @param line names the row, for errors
 */
export function recordsOf(row: Json, context: DecodeContext, line: number): JsonObject[] {
  if (context.records.steps.length === 0 && typeof row === 'object' && row !== null && !Array.isArray(row)) return [row];
  const { label, where } = context.place;
  return recordsAt(context.records, row, { label: `Line ${line}: ${label}`, where });
}
