import type { Decode } from '../core/spec-types.gen.ts';
import { type Data, type DataMap, write } from './data.ts';

type Csv = Extract<Decode, { type: 'csv' }>;

/** Rows as RFC 4180 has them, each ended by CRLF: a value with a delimiter, a quote or a line break is quoted, its quotes doubled. */
export function csv(rows: readonly DataMap[], columns: readonly string[], options: Csv): string {
  const delimiter = options.delimiter === 'tab' ? '\t' : (options.delimiter ?? ',');
  const quote = options.quote ?? '"';
  const named = options.columns as readonly string[] | undefined;
  const line = (values: readonly string[]): string => `${values.map((value) => quoted(value, delimiter, quote)).join(delimiter)}\r\n`;
  const names = named ?? columns;
  const above = Array.from({ length: options.skip_lines ?? 0 }, (_, index) => `Report, line ${index + 1}\r\n`);
  const lines = rows.map((row) => line(names.map((name) => text(row[name], options.null_as ?? ''))));
  return [...above, ...(named === undefined ? [line(names)] : []), ...lines].join('');
}

const text = (value: Data | undefined, none: string): string =>
  value === null || value === undefined ? none : typeof value === 'string' ? value : write(value);

function quoted(value: string, delimiter: string, quote: string): string {
  // Nothing could tell such a value from two of them.
  if (quote === '') return value.replaceAll(delimiter, ' ').replace(/[\r\n]+/g, ' ');
  if (!value.includes(delimiter) && !value.includes(quote) && !/[\r\n]/.test(value)) return value;
  return quote + value.replaceAll(quote, quote + quote) + quote;
}
