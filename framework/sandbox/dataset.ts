import type { ResolvedStream } from '../core/resolved.ts';
import type { Column } from '../core/spec-types.gen.ts';
import { columnMaker, day, keyMaker } from './column.ts';
import { type Data, type DataMap, pick, plant, segments } from './data.ts';
import { type Order, orderOf } from './order.ts';
import type { Filled } from './pattern.ts';
import { ABSENT, type Lookup, lookupsIn, read, splitText, UNKNOWN } from './reading.ts';
import type { View } from './view.ts';

export interface DatasetOptions {
  records: number | Record<string, number>;
  parents: number | undefined;
  seed: string;
}

const DEFAULT_RECORDS = 250;
const DEFAULT_PARENTS = 12;
const DAY = 86_400_000;

/**
 * The records of one view, made when they are asked for: each is a function of the seed, its stream and its index,
 * so a thousand pages cost no memory and every read sees the same ones.
 */
export class Dataset {
  readonly #view: View;
  readonly #options: DatasetOptions;
  readonly #shapes = new Map<string, Shape>();
  readonly #starts = new Map<string, number[]>();
  readonly #found = new Map<string, Map<string, number[]>>();
  readonly #placed = new Map<string, Map<string, number>>();

  constructor(view: View, options: DatasetOptions) {
    this.#view = view;
    this.#options = options;
  }

  /** Records of a stream in all, over all parents. */
  total(name: string): number {
    const stream = this.#stream(name);
    if (isSingle(stream)) return stream.parent === undefined ? 1 : this.total(stream.parent);
    const { records, parents } = this.#options;
    const wanted = typeof records === 'number' ? records : (records[name] ?? records['*'] ?? DEFAULT_RECORDS);
    const named = typeof records !== 'number' && records[name] !== undefined;
    const total = this.#isParent(name) && !named ? (parents ?? Math.min(wanted, DEFAULT_PARENTS)) : wanted;
    return stream.parent !== undefined && this.total(stream.parent) === 0 ? 0 : total;
  }

  #isParent(name: string): boolean {
    return Object.values(this.#view.resolved.streams).some((stream) => stream.parent === name);
  }

  /** Where a parent's share of the records begins, and how many it has. */
  share(name: string, parent: number | undefined): { start: number; count: number } {
    if (this.#stream(name).parent === undefined || parent === undefined) return { start: 0, count: this.total(name) };
    const starts = this.#startsOf(name);
    return { start: starts[parent]!, count: starts[parent + 1]! - starts[parent]! };
  }

  /** The first parent has none, the second half of them (so that there are pages), the others the rest. */
  #startsOf(name: string): number[] {
    const known = this.#starts.get(name);
    if (known !== undefined) return known;
    const stream = this.#stream(name);
    const parents = this.total(stream.parent!);
    const total = this.total(name);
    const half = parents <= 2 ? total : Math.ceil(total / 2);
    const starts = [0];
    for (let index = 0; index < parents; index++) {
      if (isSingle(stream)) starts.push(index + 1);
      else if (parents === 1) starts.push(total);
      else if (index === 0) starts.push(0);
      else starts.push(half + Math.floor(((total - half) * (index - 1)) / Math.max(1, parents - 2)));
    }
    this.#starts.set(name, starts);
    return starts;
  }

  /** The parent's index that the request's `parent.…` holes name; undefined when there is none such. */
  find(parent: string, filled: readonly Filled[]): number | undefined {
    const wanted = filled.filter(({ hole }) => hole.startsWith('parent.'));
    const lists = wanted.map(({ hole, value }) => this.#indexesBy(parent, hole.slice('parent.'.length)).get(value) ?? []);
    const [first = [], ...others] = lists;
    return wanted.length === 0 ? undefined : first.find((index) => others.every((list) => list.includes(index)));
  }

  #indexesBy(name: string, path: string): Map<string, number[]> {
    const key = `${name} ${path}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = new Map<string, number[]>();
    for (let index = 0; index < this.total(name); index++) {
      const value = String(pick(this.seen(name, index), path.split('.')) ?? '');
      const list = found.get(value);
      if (list === undefined) found.set(value, [index]);
      else list.push(index);
    }
    this.#found.set(key, found);
    return found;
  }

  /** The index of the record that a request names which asks for what comes after it; undefined when there is none such. */
  placed(name: string, said: string): number | undefined {
    const { order } = this.#shapeOf(this.#stream(name));
    if (order === undefined) return undefined;
    const known = this.#placed.get(name);
    if (known !== undefined) return known.get(said);
    const placed = new Map(Array.from({ length: this.total(name) }, (_, index) => [order.said(index), index]));
    this.#placed.set(name, placed);
    return placed.get(said);
  }

  /** A record as the provider sends it. `filled`: what the request said, for the dates it asks for. */
  record(name: string, index: number, filled: readonly Filled[] = []): DataMap {
    const stream = this.#stream(name);
    const shape = this.#shapeOf(stream);
    const record: DataMap = {};
    for (const [column, make] of shape.columns) record[column] = make(index);
    for (const [path, value] of this.#keys(shape, index, filled)) plant(record, path, value);
    if (shape.order !== undefined) plant(record, shape.order.path, shape.order.make(index));
    for (const path of shape.paths) if (pick(record, path) === undefined) plant(record, path, `${path.at(-1)} ${index + 1}`);
    if (stream.parent !== undefined) this.#refer(record, stream, shape, this.#parentOf(name, index));
    return record;
  }

  /** Keys differ for each index: one counts on, or days of the range and ids count like the digits of a number. */
  *#keys({ keys }: Shape, index: number, filled: readonly Filled[]): Generator<[string[], Data]> {
    const dated = keys.filter(({ make }) => make === undefined);
    const range = dated.length === 0 ? { from: 0, days: 1 } : this.#range(filled);
    const days = dated.length === keys.length ? Number.POSITIVE_INFINITY : range.days;
    for (const { path, type, make } of keys) {
      const date = make === undefined ? day(range.from + (index % days) * DAY) : '';
      yield [path, make?.(Math.floor(index / days)) ?? (type === 'date' ? date : `${date}T00:00:00Z`)];
    }
  }

  #range(filled: readonly Filled[]): { from: number; days: number } {
    const times = filled
      .filter(({ hole }) => hole.startsWith('fields.') && /^date/.test(this.#view.field(hole.slice('fields.'.length))?.type ?? ''))
      .map(({ value }) => Date.parse(value))
      .filter((time) => !Number.isNaN(time))
      .sort((a, b) => a - b);
    const [from = Date.UTC(2026, 0, 1)] = times;
    const days = times.length > 1 ? Math.round((times.at(-1)! - from) / DAY) : 10;
    return { from, days: Math.min(Math.max(days, 1), 31) };
  }

  /** A child's column of the name under which its request hands over the parent's value has that value. */
  #refer(record: DataMap, stream: ResolvedStream, shape: Shape, parent: number): void {
    for (const [column, path] of shape.references) {
      const value = pick(this.seen(stream.parent!, parent), path);
      if (value !== undefined && Object.hasOwn(record, column)) record[column] = value;
    }
  }

  #parentOf(name: string, index: number): number {
    const starts = this.#startsOf(name);
    let low = 0;
    let high = starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** A record as the spec's `add` and `remove` leave it: what stands in `parent` for its children. */
  seen(name: string, index: number): DataMap {
    const stream = this.#stream(name);
    const record = this.record(name, index);
    const lookup = this.#lookup(stream, index);
    for (const [column, text] of Object.entries(stream.add)) {
      const value = typeof text === 'string' ? textValueOf(text, lookup) : (text as Data);
      if (value !== undefined) record[column] = value;
    }
    for (const path of stream.remove) delete record[path];
    return record;
  }

  #lookup(stream: ResolvedStream, index: number): Lookup {
    return (keys) => {
      const [root, ...rest] = keys;
      if (root === 'parent' && stream.parent !== undefined) {
        return pick(this.seen(stream.parent, this.#parentOf(stream.name, index)), rest) ?? UNKNOWN;
      }
      if (root === 'fields') return this.#view.fields[rest[0] ?? ''] ?? UNKNOWN;
      return this.#view.lookup(keys);
    };
  }

  #stream(name: string): ResolvedStream {
    const stream = this.#view.resolved.streams[name];
    if (stream === undefined) throw new RangeError(`no stream ${name}`);
    return stream;
  }

  #shapeOf(stream: ResolvedStream): Shape {
    const known = this.#shapes.get(stream.name);
    if (known !== undefined) return known;
    const shape = shapeOf(stream, this.#view, `${this.#options.seed}.${stream.name}`);
    this.#shapes.set(stream.name, shape);
    return shape;
  }
}

function textValueOf(text: string, lookup: Lookup): Data | undefined {
  const parts = splitText(text);
  const values = parts.map((part) => ('text' in part ? part.text : read(part.expr, lookup)));
  if (values.some((value) => value === UNKNOWN || value === ABSENT)) return undefined;
  return values.length === 1 ? (values[0] as Data) : values.join('');
}

/** What a stream's records consist of. */
interface Shape {
  columns: [string, (index: number) => Data][];
  /** Without `make`: a date. */
  keys: { path: string[]; type: Column['type']; make: ((index: number) => Data) | undefined }[];
  /** What they are sorted by, where paging needs it. */
  order: Order | undefined;
  /** Paths that children, labels or options read and no column gives. */
  paths: string[][];
  /** Column → path in the parent. */
  references: [string, string[]][];
}

function shapeOf(stream: ResolvedStream, { resolved }: View, seed: string): Shape {
  // What `add` takes from the record itself is the provider's all the same.
  const added = new Set(Object.keys(stream.add).filter((name) => lookupsIn(stream.add[name], 'record').length === 0));
  const columns = Object.entries(stream.columns)
    .filter(([name]) => !added.has(name))
    .map(([name, column]): Shape['columns'][number] => [name, columnMaker(name, column, seed)]);
  const big = resolved.http.big_integers === 'text';
  const keys = stream.primary_key
    .filter((path) => !added.has(path))
    .map((path): Shape['keys'][number] => {
      const type = stream.columns[path]?.type ?? typeByName(path);
      const dated = type === 'date' || type === 'datetime';
      return { path: segments(path), type, make: dated ? undefined : keyMaker(path, type, { big, seed }) };
    });
  const children = Object.values(resolved.streams).filter((child) => child.parent === stream.name);
  const wanted = children.flatMap(({ url, query, headers, body, add }) => lookupsIn([url, query, headers, body, add], 'parent'));
  const labels = resolved.fields.flatMap(({ options }) =>
    options?.call !== undefined && options.call.url === stream.url ? [...lookupsIn(options.label, 'item'), segments(options.value)] : [],
  );
  const references = Object.entries(stream.query).flatMap(([name, text]): [string, string[]][] => {
    const [path] = typeof text === 'string' && splitText(text).length === 1 ? lookupsIn(text, 'parent') : [];
    return path === undefined || added.has(name) ? [] : [[name, path]];
  });
  const order = orderOf(stream, resolved, seed);
  return { columns, keys, order, paths: [...wanted, ...labels].filter(([first]) => first !== undefined && !added.has(first)), references };
}

const typeByName = (path: string): Column['type'] => (/date$|day$/i.test(path) ? 'date' : /id$/i.test(path) ? 'integer' : 'text');

/**
 * Whether the answer is one object. A spec does not say it; what is read in one request, from the root, under an
 * address whose last word is no plural (`/store/info.json`), is taken to be one.
 */
export function isSingle(stream: ResolvedStream): boolean {
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
