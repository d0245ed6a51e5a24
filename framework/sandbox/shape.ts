import type { Resolved, ResolvedStream } from '../core/resolved.ts';
import type { Column } from '../core/spec-types.gen.ts';
import { columnMaker, keyMaker } from './column.ts';
import type { CursorPlan } from './cursor.ts';
import { type Data, segments, write } from './data.ts';
import { type Order, orderOf } from './order.ts';
import { lookupsIn, splitText } from './reading.ts';
import { rawPath } from './renamed.ts';
import type { View } from './view.ts';

/** What a stream's records consist of, under the names that the provider sends. */
export interface Shape {
  columns: [string, (index: number) => Data][];
  /** Without `make`: a date. */
  keys: { path: string[]; type: Column['type']; make: ((index: number) => Data) | undefined }[];
  /** What they are sorted by, where paging needs it. */
  order: Order | undefined;
  /** Paths that children, labels or options read and no column gives. */
  paths: string[][];
  /** Column → path in the parent. */
  references: [string, string[]][];
  /** What a change of a record changes besides its cursor: the column's value in that version. */
  changing: [string, (index: number, version: number) => Data];
}

export interface ShapeOptions {
  seed: string;
  cursor: CursorPlan | undefined;
  /** What stands at the cursor's place in a record. */
  cursorOf(index: number): Data;
}

export function shapeOf(stream: ResolvedStream, { resolved }: View, { seed, cursor, cursorOf }: ShapeOptions): Shape {
  // What `add` takes from the record itself is the provider's all the same.
  const added = new Set(Object.keys(stream.add).filter((name) => lookupsIn(stream.add[name], 'record').length === 0));
  const timed = cursor?.path.join('.');
  const own = Object.entries(stream.columns)
    .map(([name, column]): [string, Column] => [rawPath(stream, name), column])
    .filter(([name]) => !added.has(name));
  const big = resolved.http.big_integers === 'text';
  const keys = stream.primary_key
    .map((path) => ({ path: rawPath(stream, path), type: stream.columns[path]?.type ?? typeByName(path) }))
    .filter(({ path }) => !added.has(path) && segments(path).join('.') !== timed)
    .map(({ path, type }): Shape['keys'][number] => {
      const dated = type === 'date' || type === 'datetime';
      return { path: segments(path), type, make: dated ? undefined : keyMaker(path, type, { big, seed }) };
    });
  const references = Object.entries(stream.query).flatMap(([name, text]): [string, string[]][] => {
    const [path] = typeof text === 'string' && splitText(text).length === 1 ? lookupsIn(text, 'parent') : [];
    return path === undefined || added.has(name) ? [] : [[name, path]];
  });
  const order = orderOf(stream, resolved, seed, { at: timed, make: cursorOf });
  const fixed = new Set([...keys.map(({ path }) => path[0]), ...references.map(([name]) => name), timed, order?.path.join('.')]);
  return {
    columns: own.map(([name, column]) => [name, columnMaker(name, column, seed)]),
    keys,
    order,
    paths: pathsRead(stream, resolved).filter(([first]) => first !== undefined && !added.has(first)),
    references,
    changing: changing(
      own.find(([name]) => !fixed.has(name)),
      seed,
    ),
  };
}

/** What children, labels and options look for in a record. */
function pathsRead(stream: ResolvedStream, { streams, fields }: Resolved): string[][] {
  const children = Object.values(streams).filter((child) => child.parent === stream.name);
  const wanted = children.flatMap(({ url, query, headers, body, add, job, each }) =>
    lookupsIn([url, query, headers, body, add, job, each], 'parent'),
  );
  const labels = fields.flatMap(({ options }) =>
    options?.call !== undefined && options.call.url === stream.url ? [...lookupsIn(options.label, 'item'), segments(options.value)] : [],
  );
  return [...wanted, ...labels].map(([first, ...rest]) => (first === undefined ? [] : [rawPath(stream, first), ...rest]));
}

/** Another value of the column for each version; a record without a column to change counts its versions. */
function changing(found: [string, Column] | undefined, seed: string): Shape['changing'] {
  if (found === undefined) return ['revision', (_, version) => version + 1];
  const [name, column] = found;
  const first = columnMaker(name, column, seed);
  const value = (index: number, version: number): Data => {
    if (version === 0) return first(index);
    const before = value(index, version - 1);
    if (typeof before === 'boolean') return !before;
    for (let attempt = 0; attempt < 50; attempt++) {
      const other = columnMaker(name, column, `${seed}.${version}.${attempt}`)(index);
      if (write(other) !== write(before)) return other;
    }
    return `${String(before)} (${version})`;
  };
  return [name, value];
}

const typeByName = (path: string): Column['type'] => (/date$|day$/i.test(path) ? 'date' : /id$/i.test(path) ? 'integer' : 'text');

/** Formats in which an answer is a list of rows, whatever its address says. */
const ROWS = new Set(['jsonl', 'csv', 'text']);

/**
 * Whether the answer is one object. A spec does not say it; what is read in one request, from the root, under an
 * address whose last word is no plural (`/store/info.json`), is taken to be one.
 */
export function isSingle(stream: ResolvedStream): boolean {
  if (stream.cursor !== undefined || stream.job !== undefined || stream.chain.some(({ type }) => ROWS.has(type))) return false;
  if (stream.paginate.type !== 'none' || stream.records.includes('*')) return false;
  const computed = stream.records.startsWith('${');
  if (!computed && segments(stream.records).length > 0) return false;
  const last = stream.url
    .split(/[?#]/)[0]!
    .split('/')
    .at(-1)!
    .replace(/\.[a-z]+$/, '');
  return !last.endsWith('s') && !last.startsWith('${');
}

/** Where in the body the records of a computed path are: the first place under `response.body` that it names. */
export function recordsAt(records: string): string[] {
  if (!records.startsWith('${')) return segments(records);
  const found = lookupsIn(records, 'response').filter(([first]) => first === 'body');
  // `default(response.body.store, response.body)`: the flat form is the plainer one.
  return (found.find((keys) => keys.length === 1) ?? found[0] ?? ['body']).slice(1);
}
