import type { ResolvedStream } from '../core/resolved.ts';
import { day } from './column.ts';
import { type CursorPlan, cursorPlan } from './cursor.ts';
import { type Data, type DataMap, pick, plant } from './data.ts';
import { type Overlay, overlay } from './overlay.ts';
import { type Each, eachOf, itemsAt, placeAsked, repeats, sizeOf } from './partitions.ts';
import type { Filled } from './pattern.ts';
import { ABSENT, type Lookup, read, splitText, UNKNOWN } from './reading.ts';
import { type Sequence, sequence } from './sequence.ts';
import { isSingle, type Shape, shapeOf } from './shape.ts';
import { firstNotBelow, lastNotAbove, startsOf } from './shares.ts';
import type { View } from './view.ts';
import { EVERYTHING, type Range } from './window.ts';

export interface DatasetOptions {
  records: number | Record<string, number>;
  parents: number | undefined;
  seed: string;
  /** The clock when the sandbox began: the newest records are of then. */
  now: number;
  /** Milliseconds over which records with a cursor are spread. */
  span: number | undefined;
}

const DEFAULT_RECORDS = 250;
const DEFAULT_PARENTS = 12;
const DAY = 86_400_000;
const MOST_LISTS = 10_000;

/** What of a stream stays as it was when the sandbox began. */
interface Plan {
  stream: ResolvedStream;
  single: boolean;
  each: Each[];
  /** Partitions of one parent. */
  size: number;
  cursor: CursorPlan | undefined;
  shape: Shape;
  /** Records at the beginning. */
  initial: number;
  /** Where each parent's share of them begins, and the end. */
  starts: number[];
  overlay: Overlay;
}

/**
 * The records of one view, made when they are asked for: each is a function of the seed, its stream and its index,
 * so a thousand pages cost no memory and every read sees the same ones. What changed lies over them.
 *
 * A stream's records are in partitions, numbered: for each parent's index the combinations of its `each`.
 */
export class Dataset {
  readonly #view: View;
  readonly #options: DatasetOptions;
  readonly #plans = new Map<string, Plan>();
  /** What follows from the records as they are; forgotten when they change. */
  readonly #totals = new Map<string, number>();
  readonly #found = new Map<string, Map<string, number[]>>();
  readonly #placed = new Map<string, Map<string, number>>();
  readonly #lists = new Map<string, Sequence>();

  constructor(view: View, options: DatasetOptions) {
    this.#view = view;
    this.#options = options;
  }

  /** Counts changes. */
  version = 0;

  /** What an overlay now says counts from here. */
  changed(): void {
    this.version++;
    for (const map of [this.#totals, this.#found, this.#placed, this.#lists]) map.clear();
  }

  plan(name: string): Plan {
    const known = this.#plans.get(name);
    if (known !== undefined) return known;
    const stream = this.#view.resolved.streams[name];
    if (stream === undefined) throw new RangeError(`no stream ${name}`);
    const seed = `${this.#options.seed}.${name}`;
    const each = eachOf(stream, this.#view);
    const cursor = cursorPlan(stream, this.#view, { now: this.#options.now, length: this.#options.span });
    const cursorOf = (index: number): Data => cursor?.write(this.cursorOf(name, index)) ?? null;
    const [single, size] = [isSingle(stream), sizeOf(each)];
    const parents = stream.parent === undefined ? 1 : this.plan(stream.parent).initial;
    const initial = single ? parents * size : this.#wanted(stream, parents);
    const shape = shapeOf(stream, this.#view, { seed, cursor, cursorOf });
    const starts = stream.parent === undefined ? [0, initial] : startsOf(parents, initial);
    const plan: Plan = { stream, single, each, size, cursor, shape, initial, starts, overlay: overlay() };
    this.#plans.set(name, plan);
    return plan;
  }

  #wanted({ name, parent }: ResolvedStream, parentCount: number): number {
    const { records, parents } = this.#options;
    const wanted = typeof records === 'number' ? records : (records[name] ?? records['*'] ?? DEFAULT_RECORDS);
    const named = typeof records !== 'number' && records[name] !== undefined;
    const isParent = Object.values(this.#view.resolved.streams).some((stream) => stream.parent === name);
    const total = isParent && !named ? (parents ?? Math.min(wanted, DEFAULT_PARENTS)) : wanted;
    return parent !== undefined && parentCount === 0 ? 0 : total;
  }

  /** Records of a stream now, over all partitions. */
  total(name: string): number {
    const known = this.#totals.get(name);
    if (known !== undefined) return known;
    let total = 0;
    for (const part of this.parts(name)) total += this.list(name, part).count;
    this.#totals.set(name, total);
    return total;
  }

  /**
   * Records that a full read gives: those that the spec keeps, of parents that it keeps. A partition comes again for each item of an
   * `each` that the request does not name.
   */
  expected(name: string): number {
    const chain: ResolvedStream[] = [];
    for (let at: string | undefined = name; at !== undefined; at = chain.at(-1)?.parent) chain.push(this.plan(at).stream);
    const times = chain.reduce((product, one) => product * repeats(this.plan(one.name).each), 1);
    const all = chain.every(({ keep }) => keep === undefined);
    return times * (all ? this.total(name) : [...this.#kept(name)].length);
  }

  *#kept(name: string): Generator<number> {
    const { stream } = this.plan(name);
    const [part] = splitText(stream.keep ?? '');
    const parents = stream.parent === undefined ? undefined : this.#kept(stream.parent);
    for (const index of this.indexes(name, parents)) {
      const lookup: Lookup = ([root, ...path]) => {
        if (root === 'record') return pick(this.record(name, index), path) ?? ABSENT;
        return root === 'fields' ? (this.#view.value(path[0] ?? '') ?? UNKNOWN) : UNKNOWN;
      };
      if (part === undefined || 'text' in part || read(part.expr, lookup) !== false) yield index;
    }
  }

  /** The partitions that there are now; of these parents. */
  *parts(name: string, parents?: Iterable<number>): Generator<number> {
    const { stream, size } = this.plan(name);
    for (const parent of stream.parent === undefined ? [0] : (parents ?? this.indexes(stream.parent)))
      for (let place = 0; place < size; place++) yield parent * size + place;
  }

  /** The records that there are now; of these parents. */
  *indexes(name: string, parents?: Iterable<number>): Generator<number> {
    for (const part of this.parts(name, parents)) {
      const list = this.list(name, part);
      for (let position = 0; position < list.count; position++) yield list.at(position);
    }
  }

  /** A partition's first records: the first index, and how many. */
  #share(plan: Plan, part: number): { start: number; count: number } {
    const { single, size, starts, initial, cursor } = plan;
    if (single) return { start: part, count: 1 };
    const parent = Math.floor(part / size);
    if (parent >= starts.length - 1) return { start: initial, count: 0 };
    const [from, to] = [starts[parent]!, starts[parent + 1]!];
    const begin = (place: number): number => from + Math.floor(((to - from) * place) / size);
    const place = part % size;
    const start = begin(place);
    return { start, count: Math.min(begin(place + 1) - start, cursor?.most ?? Number.POSITIVE_INFINITY) };
  }

  partOf(name: string, index: number): number {
    const { single, initial, overlay, starts, size } = this.plan(name);
    if (single) return index;
    if (index >= initial) return overlay.added[index - initial]!.part;
    const parent = lastNotAbove(starts, index, starts.length - 2);
    const [from, to] = [starts[parent]!, starts[parent + 1]!];
    return parent * size + Math.floor(((index - from + 1) * size - 1) / (to - from));
  }

  /** A record's place in time, or number. */
  cursorOf(name: string, index: number): number {
    const plan = this.plan(name);
    const known = plan.overlay.moved.get(index) ?? plan.overlay.added[index - plan.initial]?.cursor;
    if (known !== undefined || plan.cursor === undefined) return known ?? 0;
    const { start, count } = this.#share(plan, this.partOf(name, index));
    return plan.cursor.at(index - start, count, index);
  }

  /** A partition's records within a range, in the provider's order. */
  list(name: string, part: number, range: Range = EVERYTHING): Sequence {
    const asked = `${name} ${part} ${range.from} ${range.before}`;
    const list = this.#lists.get(asked) ?? this.#listed(name, part, range);
    if (this.#lists.size > MOST_LISTS) this.#lists.clear();
    this.#lists.set(asked, list);
    return list;
  }

  #listed(name: string, part: number, range: Range): Sequence {
    const plan = this.plan(name);
    const { cursor, shape, overlay, initial } = plan;
    const { start, count } = this.#share(plan, part);
    const at = (place: number): number => cursor?.at(place, count, start + place) ?? 0;
    const open = cursor === undefined || range === EVERYTHING;
    const low = open ? 0 : firstNotBelow(range.from, count, at);
    const high = open ? count : firstNotBelow(range.before, count, at);
    const byCursor = cursor !== undefined && (shape.order === undefined || shape.order.path.join('.') === cursor.path.join('.'));
    const mine = (index: number): boolean => !overlay.gone.has(index) && this.partOf(name, index) === part;
    const inRange = (index: number): boolean => {
      const value = this.cursorOf(name, index);
      return open || (value >= range.from && value < range.before);
    };
    const added = overlay.added.map((_, place) => initial + place);
    const key = (index: number): number => (byCursor ? this.cursorOf(name, index) : index);
    const extra = [...new Set([...overlay.moved.keys(), ...added])]
      .filter((index) => mine(index) && inRange(index))
      .sort((a, b) => key(a) - key(b) || a - b);
    return sequence({
      start: start + low,
      count: Math.max(0, high - low),
      gone: [...new Set([...overlay.gone, ...overlay.moved.keys()])].filter((index) => index < initial).sort((a, b) => a - b),
      extra,
      before: (index) => {
        const first = byCursor ? firstNotBelow(this.cursorOf(name, index) + 1, count, at) : Math.min(count, Math.max(0, index - start));
        return Math.min(Math.max(first, low), Math.max(high, low)) - low;
      },
      order: cursor === undefined || shape.order !== undefined ? 'asc' : cursor.sorted === 'none' ? 'mixed' : cursor.sorted,
    });
  }

  /** The partition that a request's `parent.…` and `each.…` holes name; a text says which of them there is not. */
  part(name: string, filled: readonly Filled[]): number | string {
    const { stream, each, size } = this.plan(name);
    const parent = stream.parent === undefined ? 0 : this.find(stream.parent, filled);
    const named = filled.filter(({ hole }) => hole.startsWith('parent.')).map(({ value }) => value);
    if (parent === undefined) return `${stream.parent} has no ${named.join(', ')}`;
    const place = placeAsked(each, filled);
    return typeof place === 'string' ? place : parent * size + place;
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
    for (const index of this.indexes(name)) {
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
    const { order } = this.plan(name).shape;
    if (order === undefined) return undefined;
    const known = this.#placed.get(name);
    if (known !== undefined) return known.get(said);
    const placed = new Map([...this.indexes(name)].map((index) => [order.said(index), index]));
    this.#placed.set(name, placed);
    return placed.get(said);
  }

  /** A record as the provider sends it. `filled`: what the request said, for the dates it asks for. */
  record(name: string, index: number, filled: readonly Filled[] = []): DataMap {
    const { stream, shape, cursor, overlay } = this.plan(name);
    const record: DataMap = {};
    for (const [column, make] of shape.columns) record[column] = make(index);
    const version = overlay.versions.get(index) ?? 0;
    if (version > 0) record[shape.changing[0]] = shape.changing[1](index, version);
    for (const [path, value] of this.#keys(shape, index, filled)) plant(record, path, value);
    if (shape.order !== undefined) plant(record, shape.order.path, shape.order.make(index));
    if (cursor !== undefined) plant(record, cursor.path, cursor.write(this.cursorOf(name, index)));
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
    return Math.floor(this.partOf(name, index) / this.plan(name).size);
  }

  /** A record as the spec's `add`, `remove` and `rename` leave it: what stands in `parent` for its children. */
  seen(name: string, index: number): DataMap {
    const { stream } = this.plan(name);
    const record = this.record(name, index);
    const lookup = this.#lookup(stream, index);
    for (const [column, text] of Object.entries(stream.add)) {
      const value = typeof text === 'string' ? textValueOf(text, lookup) : (text as Data);
      if (value !== undefined) record[column] = value;
    }
    for (const path of stream.remove) delete record[path];
    return Object.fromEntries(Object.entries(record).map(([column, value]) => [stream.rename[column] ?? column, value]));
  }

  #lookup(stream: ResolvedStream, index: number): Lookup {
    return (keys) => {
      const [root, ...rest] = keys;
      if (root === 'parent' && stream.parent !== undefined) {
        return pick(this.seen(stream.parent, this.#parentOf(stream.name, index)), rest) ?? UNKNOWN;
      }
      const { each, size } = this.plan(stream.name);
      if (root === 'each') return pick(itemsAt(each, this.partOf(stream.name, index) % size), rest) ?? UNKNOWN;
      if (root === 'fields') return this.#view.fields[rest[0] ?? ''] ?? UNKNOWN;
      return this.#view.lookup(keys);
    };
  }
}

function textValueOf(text: string, lookup: Lookup): Data | undefined {
  const parts = splitText(text);
  const values = parts.map((part) => ('text' in part ? part.text : read(part.expr, lookup)));
  if (values.some((value) => value === UNKNOWN || value === ABSENT)) return undefined;
  return values.length === 1 ? (values[0] as Data) : values.join('');
}
