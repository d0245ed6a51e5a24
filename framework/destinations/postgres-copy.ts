import { refused } from './table-failure.ts';
import { checkText, REMOVE, reader, textFor } from './table-rows.ts';
import type { Rows } from './table-sink.ts';

/** So much at a time goes to the connection. Characters. */
const CHUNK = 65_536;
const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escaped = (text: string): string => (SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (one) => ESCAPES[one]!) : text);

/**
 * Records in COPY's text format (PostgreSQL manual, COPY, "Text Format"), many rows a text. `counted` gets the bytes.
 * @throws FerruleError record_refused: a text that PostgreSQL cannot hold
 */
export function* copyRows({ records, places, columns }: Rows, counted: { bytes: number }): Generator<string> {
  const readers = columns.map(reader);
  let chunk = '';
  for (const at of places) {
    const record = records[at]!;
    for (let index = 0; index < columns.length; index++) {
      const { key, type } = columns[index]!;
      const value = readers[index]!(record);
      if (index > 0) chunk += '\t';
      if (value === undefined || value === null) chunk += '\\N';
      else if (type === 'text' || type === 'json') chunk += escaped(checked(textFor(value, type), type, at, key));
      else chunk += textFor(value, type);
    }
    chunk += '\n';
    if (chunk.length < CHUNK) continue;
    counted.bytes += Buffer.byteLength(chunk);
    yield chunk;
    chunk = '';
  }
  counted.bytes += Buffer.byteLength(chunk);
  if (chunk !== '') yield chunk;
}

/** JSON text writes these two as escapes, behind an even number of backslashes. */
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;
const HALF_ESCAPE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

function checked(text: string, type: 'text' | 'json', at: number, column: string): string {
  checkText(text, at, column);
  if (type === 'text' ? text.includes('\0') : text.includes('\\u0000') && NUL_ESCAPE.test(text)) {
    throw refused(at, column, 'holds a NUL character, which PostgreSQL cannot hold', REMOVE);
  }
  if (type === 'json' && text.includes('\\ud') && HALF_ESCAPE.test(text)) {
    throw refused(at, column, 'holds half of a character (a lone surrogate), which PostgreSQL cannot hold', REMOVE);
  }
  return text;
}
