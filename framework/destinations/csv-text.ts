import type { Json, JsonObject } from '../core/value.ts';
import { columnValue } from './flat-record.ts';

/** RFC 4180, 2.1: what ends a line. */
export const LINE_END = '\r\n';

/** RFC 4180: quoted where a comma, a quote or a line end stands in it; an empty text is quoted, so that it is not the same as no value. */
export function csvText(text: string): string {
  if (text === '') return '""';
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Null is nothing at all; numbers and booleans as in JSON; lists and maps as JSON text. */
export function csvValue(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvText(value);
  if (typeof value === 'object') return csvText(JSON.stringify(value));
  return JSON.stringify(value);
}

export const csvHead = (columns: readonly string[]): string => columns.map(csvText).join(',') + LINE_END;

export const csvLine = (record: JsonObject, columns: readonly string[]): string =>
  columns.map((column) => csvValue(columnValue(record, column))).join(',') + LINE_END;
