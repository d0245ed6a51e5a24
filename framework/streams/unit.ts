import { stringifyJson } from '../core/json.ts';
import type { Json, JsonObject, Patch } from '../core/value.ts';

/**
 * One piece of a read, as plain JSON: a partition, and of it a window. It can be read by itself, in another process as well: what it needs
 * is in it, and what it has done is in its UnitState.
 */
export interface Unit {
  stream: string;
  /** What names the partition: `parent.id`, `each.account`. Empty for a stream without partitions. */
  partition: JsonObject;
  /** The parent's record. */
  parent?: JsonObject;
  each?: JsonObject;
  /** Points as the cursor's own text; see CursorPoints. Neither: no cursor. */
  window?: { start: string | null; end: string | null };
  /** Records at this very point with one of these keys came with the last read. */
  edge?: Edge;
  /** The moment of the read that it belongs to, ms, where that is an earlier one: it failed half-way then. */
  now?: number;
}

/** Records at the last point of a read that had no end: they come again with the next, which begins there. */
export interface Edge {
  at: string;
  keys: string[];
}

/** How far a unit is, as plain JSON. A unit goes on from it as if it had not been stopped. */
export interface UnitState {
  /** Asks for the page that comes next. */
  patch?: Patch;
  /** Pages before it. */
  index?: number;
  /** Records before it. */
  count?: number;
  /** Records of that page that are done: it was a large one. */
  skip?: number;
  /** The greatest point so far. */
  last?: string;
  /** Keys of the records at it, while they are few. */
  keys?: string[];
  /** Records came out of order, although the cursor is said to be sorted. */
  unsorted?: true;
  /** What the job's calls captured, and when it was created (ms since the epoch). */
  job?: { captures: { [name: string]: Json }; created: number };
}

export const partitionKey = (partition: JsonObject): string =>
  Object.keys(partition).length === 0 ? '' : stringifyJson(partition, { sorted: true });

export const unitKey = ({ partition, window }: Pick<Unit, 'partition' | 'window'>): string =>
  window === undefined ? partitionKey(partition) : `${partitionKey(partition)}|${window.start ?? ''}/${window.end ?? ''}`;
