import { isUtf8 } from 'node:buffer';
import { ABSENT } from '../core/absent.ts';
import type { Scope, Vars } from '../core/expression/index.ts';
import { parseJson } from '../core/json.ts';
import { compilePath, EACH } from '../core/path.ts';
import { compileValue } from '../core/render.ts';
import type { ColumnType, ResolvedStream } from '../core/resolved.ts';
import type { Json, JsonObject } from '../core/value.ts';
import { charsetOf, mediaType } from '../http/decode.ts';
import { KIND, ObjectScanner, type ScannedObjects, type WatchedKey } from './decode/json-objects.ts';
import { startSkeleton, walkSkeleton } from './decode/json-skeleton.ts';

/** A page whose records go on as the provider wrote them. */
export interface VerbatimPage {
  /** Each the bytes of one JSON object, on one line. Views of the answer. */
  records: Uint8Array[];
  /** Of each only what the cursor needs. */
  known: JsonObject[];
  /** The last one whole. */
  last: JsonObject | undefined;
  /** The document; its list of records is empty in it. */
  rest: Json;
}

/**
 * Undefined: this answer has something that only the parser reads right, or tells what is wrong with it. Else the bytes are used up: there is a line
 * break behind each record in them.
 */
export type ReadVerbatim = (bytes: Uint8Array, contentType: string | undefined, vars: Vars) => VerbatimPage | undefined;

/** So many answers after one another that came to nothing: the provider's others will be no better. */
const MOST_MISSES = 3;
/** Bytes. */
const WORTH_TELLING = 64;

/**
 * A stream that changes nothing about its records, or only adds what is the same for a whole page (a parent's key), needs no values of them, but its cursor's: they are checked where they lie, and cut out. To
 * make objects of them and texts of those again is most of what reading costs. Undefined for a stream that looks into its records.
 */
export function compileVerbatim(stream: ResolvedStream, scope: Scope): ReadVerbatim | undefined {
  if (!isUnchanged(stream)) return undefined;
  const path = compilePath(stream.records);
  const steps = path.steps.filter((step) => step !== EACH);
  const watched = watchedKeys(stream);
  if (steps.length < path.steps.length || watched === undefined || looksIntoList(stream, steps)) return undefined;
  const added = compileAdded(stream, scope);
  const scanner = new ObjectScanner(watched);
  let misses = 0;
  return (bytes, contentType, vars) => {
    if (misses >= MOST_MISSES) return undefined;
    const page = isPlainUtf8(bytes, contentType)
      ? readPage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), steps, scanner, () => added(vars))
      : undefined;
    if (page !== undefined) misses = 0;
    else if (bytes.length >= WORTH_TELLING) misses += 1; // an empty answer says nothing about the others
    return page;
  };
}

function isUnchanged({ keep, flatten, rename, types, remove, add, records }: ResolvedStream): boolean {
  const changes = [rename, types, remove].some((one) => Object.keys(one).length > 0) || /\brecord\b/.test(JSON.stringify(add));
  return keep === undefined && flatten === undefined && !changes && !records.includes('${');
}

/** What is put behind each record of a page, as JSON without brackets; undefined where a value does not fit its column. */
function compileAdded({ add, columns }: ResolvedStream, scope: Scope): (vars: Vars) => string | undefined {
  const added = Object.entries(add).map(([column, value]) => [column, compileValue(value, 'data', scope)] as const);
  return (vars) => {
    const members: string[] = [];
    for (const [column, value] of added) {
      const filled = value(vars);
      if (filled === ABSENT) continue;
      const declared = Object.hasOwn(columns, column) ? columns[column] : undefined;
      if (declared !== undefined && (KINDS[declared.type] & kindOfValue(filled as Json)) === 0) return undefined;
      members.push(`${JSON.stringify(column)}:${JSON.stringify(filled)}`);
    }
    return members.join(',');
  };
}

function kindOfValue(value: Json): number {
  if (value === null) return KIND.null;
  if (typeof value === 'string') return KIND.text;
  if (typeof value === 'number') return Number.isInteger(value) ? KIND.whole : KIND.decimal;
  if (typeof value === 'boolean') return KIND.boolean;
  return Array.isArray(value) ? KIND.list : KIND.object;
}

/** What must be seen of each record; undefined where it lies deeper than a key of its own. */
function watchedKeys({ columns, cursor, primary_key, add }: ResolvedStream): WatchedKey[] | undefined {
  const watched = new Map<string, WatchedKey>(
    Object.entries(columns).map(([key, { type }]) => [key, { key, kinds: KINDS[type], wanted: false }]),
  );
  for (const text of cursor === undefined ? [] : [cursor.field, ...primary_key]) {
    const [key, ...deeper] = text === '' ? [] : compilePath(text).steps;
    if (typeof key !== 'string' || deeper.length > 0) return undefined;
    watched.set(key, { key, kinds: watched.get(key)?.kinds ?? ANY, wanted: true });
  }
  for (const key of Object.keys(add)) {
    if (key === '__proto__' || watched.get(key)?.wanted === true) return undefined;
    // A record that has it already would have it twice.
    watched.set(key, { key, kinds: 0, wanted: false });
  }
  return [...watched.values()];
}

const ANY = 127;

/** What surely fits a column. Text may hold a number: that is looked at by `fitting` in shape.ts, which has the last word on all of it. */
const KINDS: Record<ColumnType, number> = {
  text: KIND.text | KIND.null,
  integer: KIND.whole | KIND.null,
  number: KIND.whole | KIND.decimal | KIND.null,
  boolean: KIND.boolean | KIND.null,
  date: KIND.text | KIND.null,
  datetime: KIND.text | KIND.whole | KIND.decimal | KIND.null,
  object: KIND.object | KIND.null,
  list: KIND.list | KIND.null,
};

/** What a paginator may read of an answer. */
interface Reads {
  type: string;
  from?: string;
  more?: string;
  total?: string;
  total_pages?: string;
  restart?: { from: string };
}

/** Whether paging may look at what is in the list, beyond its last record: of an expression over the answer nobody can tell. */
function looksIntoList({ paginate }: ResolvedStream, list: readonly string[]): boolean {
  const { type, from, more, total, total_pages, restart } = paginate as Reads;
  // Plain keys, a keyset's and a restart's, are read from the last record.
  const computed = (key: string | undefined): string | undefined => (key?.includes('${') ? key : undefined);
  const texts = [type === 'keyset' ? computed(from) : from, more, total, total_pages, computed(restart?.from)];
  return texts.some((text) => {
    if (text === undefined) return false;
    if (text.includes('${')) return /\bresponse\b(?!\.(headers|status|cookies|url)\b)/.test(text);
    const { steps } = compilePath(text);
    // `*` over an object is the object itself: where such a path leads is known from the answer alone.
    return steps.includes(EACH) || list.every((step, at) => steps[at] === step);
  });
}

const NEWLINE = 10;

function readPage(
  bytes: Buffer,
  steps: readonly string[],
  scanner: ObjectScanner,
  added: () => string | undefined,
): VerbatimPage | undefined {
  const skeleton = startSkeleton(steps);
  const begin = walkSkeleton(skeleton, bytes, 0);
  if (!skeleton.found) return undefined;
  const found = scanner.scan(bytes, begin);
  if (found === undefined) return undefined;
  // The same key once more would take the list's place.
  skeleton.found = false;
  skeleton.replaced = false;
  walkSkeleton(skeleton, bytes, found.end + 1);
  if (skeleton.found || skeleton.replaced) return undefined;
  const rest = restOf(bytes, begin, found.end);
  if (rest === undefined) return undefined;
  const tail = found.starts.length === 0 ? '' : added();
  if (tail === undefined) return undefined;
  return { ...(tail === '' ? cut(bytes, found) : lengthened(bytes, found, Buffer.from(tail))), rest };
}

function restOf(bytes: Buffer, begin: number, end: number): Json | undefined {
  try {
    return parseJson(bytes.toString('utf8', 0, begin) + bytes.toString('utf8', end), 'number');
  } catch {
    return undefined; // the parser of whole answers says what is wrong with it
  }
}

/** The byte behind each record becomes a line break, in the answer itself: records that lie one behind the other are lines then, and need not be copied. */
function cut(bytes: Buffer, { starts, ends, values }: ScannedObjects): Omit<VerbatimPage, 'rest'> {
  for (const end of ends) bytes[end] = NEWLINE;
  const records = starts.map((start, at) => bytes.subarray(start, ends[at]));
  const last = records.at(-1);
  return { records, known: values, last: last && (JSON.parse(last.toString('utf8')) as JsonObject) };
}

/** The same with a tail in each record, which makes a copy. */
function lengthened(bytes: Buffer, { starts, ends, values }: ScannedObjects, tail: Buffer): Omit<VerbatimPage, 'rest'> {
  const lines = Buffer.allocUnsafe(starts.reduce((sum, start, at) => sum + (ends[at] as number) - start + tail.length + 2, 0));
  const records: Uint8Array[] = [];
  let to = 0;
  for (const [at, start] of starts.entries()) {
    const from = to;
    const last = (ends[at] as number) - 1;
    to += bytes.copy(lines, to, start, last);
    if (!isEmptyObject(bytes, start, last)) lines[to++] = COMMA;
    to += tail.copy(lines, to);
    lines[to++] = CLOSE;
    records.push(lines.subarray(from, to));
    lines[to++] = NEWLINE;
  }
  const end = starts.length - 1;
  const last = end < 0 ? undefined : (JSON.parse(bytes.toString('utf8', starts[end], ends[end])) as JsonObject);
  return { records, known: values, last };
}

const COMMA = 44;
const CLOSE = 125;

/** Between its brackets is nothing but blanks. */
function isEmptyObject(bytes: Buffer, start: number, last: number): boolean {
  let at = start + 1;
  while (at < last && (bytes[at] === 32 || bytes[at] === 9)) at++;
  return at === last;
}

/** Without a byte order mark, which JSON must not have. What is called HTML is refused, whatever is in it. */
function isPlainUtf8(bytes: Uint8Array, contentType: string | undefined): boolean {
  if (mediaType(contentType).includes('html')) return false;
  const charset = charsetOf(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(3, bytes.length)), contentType);
  return (charset === 'utf-8' || charset === 'utf8') && bytes[0] !== 0xef && isUtf8(bytes);
}
