import type { ResolvedStream } from '../core/resolved.ts';
import { type CursorPlan, cursorPlan } from './cursor.ts';
import { type Overlay, overlay } from './overlay.ts';
import { type Each, eachOf, sizeOf } from './partitions.ts';
import { isSingle, type Shape, shapeOf } from './shape.ts';
import { lastNotAbove, startsOf } from './shares.ts';
import type { View } from './view.ts';

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

/** What a stream's records are made from: how it was when the sandbox began, and what has changed. */
export interface Plan {
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

/** @param parents how many records the parent had at the beginning; 1 without a parent */
export function planOf(stream: ResolvedStream, parents: number, view: View, options: DatasetOptions): Plan {
  const each = eachOf(stream, view);
  const cursor = cursorPlan(stream, view, { now: options.now, length: options.span });
  const [single, size] = [isSingle(stream), sizeOf(each)];
  const initial = single ? parents * size : wantedOf(stream, parents, view, options);
  const shape = shapeOf(stream, view, {
    seed: `${options.seed}.${stream.name}`,
    cursor,
    cursorOf: (index) => cursor?.write(cursorOf(plan, index)) ?? null,
  });
  const starts = stream.parent === undefined ? [0, initial] : startsOf(parents, initial);
  const plan: Plan = { stream, single, each, size, cursor, shape, initial, starts, overlay: overlay() };
  return plan;
}

function wantedOf({ name, parent }: ResolvedStream, parentCount: number, view: View, options: DatasetOptions): number {
  const { records, parents } = options;
  const wanted = typeof records === 'number' ? records : (records[name] ?? records['*'] ?? DEFAULT_RECORDS);
  const named = typeof records !== 'number' && records[name] !== undefined;
  const isParent = Object.values(view.resolved.streams).some((stream) => stream.parent === name);
  const total = isParent && !named ? (parents ?? Math.min(wanted, DEFAULT_PARENTS)) : wanted;
  return parent !== undefined && parentCount === 0 ? 0 : total;
}

/** A partition's first records: the first index, and how many. */
export function share(plan: Plan, part: number): { start: number; count: number } {
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

/** The partition that a record is in. */
export function partOf({ single, initial, overlay, starts, size }: Plan, index: number): number {
  if (single) return index;
  if (index >= initial) return overlay.added[index - initial]!.part;
  const parent = lastNotAbove(starts, index, starts.length - 2);
  const [from, to] = [starts[parent]!, starts[parent + 1]!];
  return parent * size + Math.floor(((index - from + 1) * size - 1) / (to - from));
}

/** A record's place in time, or number. */
export function cursorOf(plan: Plan, index: number): number {
  const known = plan.overlay.moved.get(index) ?? plan.overlay.added[index - plan.initial]?.cursor;
  if (known !== undefined || plan.cursor === undefined) return known ?? 0;
  const { start, count } = share(plan, partOf(plan, index));
  return plan.cursor.at(index - start, count, index);
}
