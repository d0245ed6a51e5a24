import type { ResolvedStream } from '../core/resolved.ts';
import { type Data, type DataMap, pick, plant } from './data.ts';
import { keyValues } from './key-values.ts';
import { listed } from './listing.ts';
import { itemsAt, placeAsked, repeats } from './partitions.ts';
import type { Filled } from './pattern.ts';
import { cursorOf, type DatasetOptions, type Plan, partOf, planOf } from './plan.ts';
import { ABSENT, type Lookup, read, splitText, UNKNOWN } from './reading.ts';
import type { Sequence } from './sequence.ts';
import type { Shape } from './shape.ts';
import type { View } from './view.ts';
import { EVERYTHING, type Range } from './window.ts';

/** Lists remembered: a page needs the one of the page before. */
const MOST_LISTS = 10_000;

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
    const parents = stream.parent === undefined ? 1 : this.plan(stream.parent).initial;
    const plan = planOf(stream, parents, this.#view, this.#options);
    this.#plans.set(name, plan);
    return plan;
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

  /** A record's place in time, or number. */
  cursorOf(name: string, index: number): number {
    return cursorOf(this.plan(name), index);
  }

  /** A partition's records within a range, in the provider's order. */
  list(name: string, part: number, range: Range = EVERYTHING): Sequence {
    const asked = `${name} ${part} ${range.from} ${range.before}`;
    const list = this.#lists.get(asked) ?? listed(this.plan(name), part, range);
    if (this.#lists.size > MOST_LISTS) this.#lists.clear();
    this.#lists.set(asked, list);
    return list;
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
    for (const [path, value] of keyValues(shape, index, this.#view, filled)) plant(record, path, value);
    if (shape.order !== undefined) plant(record, shape.order.path, shape.order.make(index));
    if (cursor !== undefined) plant(record, cursor.path, cursor.write(this.cursorOf(name, index)));
    for (const path of shape.paths) if (pick(record, path) === undefined) plant(record, path, `${path.at(-1)} ${index + 1}`);
    if (stream.parent !== undefined) this.#refer(record, stream, shape, this.#parentOf(name, index));
    return record;
  }

  /** A child's column of the name under which its request hands over the parent's value has that value. */
  #refer(record: DataMap, stream: ResolvedStream, shape: Shape, parent: number): void {
    for (const [column, path] of shape.references) {
      const value = pick(this.seen(stream.parent!, parent), path);
      if (value !== undefined && Object.hasOwn(record, column)) record[column] = value;
    }
  }

  #parentOf(name: string, index: number): number {
    return Math.floor(partOf(this.plan(name), index) / this.plan(name).size);
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
      if (root === 'each') return pick(itemsAt(each, partOf(this.plan(stream.name), index) % size), rest) ?? UNKNOWN;
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
