import { createHash } from 'node:crypto';

/** What PostgreSQL holds, in bytes of UTF-8. DuckDB holds more, but a stream's columns have the same names in both. */
const LONGEST = 63;
/** Columns that each table has by itself: PostgreSQL's, and DuckDB's `rowid`. */
const TAKEN = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid', 'rowid']);

/** Names that are taken, by how they look without case: DuckDB takes `ID` and `id` for one name, and people do. */
export type Names = ReadonlyMap<string, string>;

export const folded = (name: string): string => name.toLowerCase();

export const namesOf = (names: Iterable<string>): Map<string, string> => new Map([...names].map((name) => [folded(name), name]));

/**
 * The name of a key's column: the key itself where it can be one. An empty or over-long one, and one that differs only in case from a column
 * that is there, gets eight digits of its hash. So the same key finds its column again in a later run, from nothing but the table.
 */
export function columnName(key: string, names: Names): string {
  const there = names.get(folded(key));
  if (there === key) return key;
  const free = there === undefined && !TAKEN.has(folded(key));
  return free && isPlain(key) ? key : hashed(key, key);
}

/** A name for a stream's table: the stream's own with `suffix`, shortened in the same way. */
export function tableName(stream: string, suffix = ''): string {
  return isPlain(stream + suffix) && !stream.startsWith('_ferrule_') ? stream + suffix : hashed(stream, stream + suffix);
}

/** Half of a surrogate pair, which UTF-8 has no bytes for. */
const HALF = /\p{Cs}/gu;

const isPlain = (name: string): boolean =>
  name !== '' && !name.includes('\0') && name.search(HALF) === -1 && Buffer.byteLength(name) <= LONGEST;

function hashed(readable: string, whole: string): string {
  const digits = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  let kept = readable.replaceAll('\0', '').replaceAll(HALF, '');
  while (Buffer.byteLength(kept) > LONGEST - 1 - digits.length) kept = [...kept].slice(0, -1).join('');
  return `${kept || 'column'}_${digits}`;
}

/** Quoted for SQL: nothing in a name means anything to either database but the quote, which is doubled. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as a literal; both databases take a backslash for itself. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
