import { FerruleError } from '../core/errors.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { StateChange, StreamState } from '../core/sink.ts';
import type { Json, JsonObject } from '../core/value.ts';
import { type CursorPoints, cursorPoints } from './cursor.ts';
import { joined, type Range } from './ranges.ts';
import { type Edge, partitionKey, type Unit, type UnitState, unitKey } from './unit.ts';

/** What of one partition's cursor is done. */
interface CursorEntry {
  /** Ranges of points as text, in order; null: from the beginning. */
  done: [from: string | null, to: string][];
  /** Where the last range has no end of its own: the keys of the records that came at its end. There are many entries, so that its point is not said twice. */
  keys?: string[];
  /** The read (its moment) whose windows are all finished. */
  at?: number;
  /** While only some of them are: what was done before them. */
  was?: CursorEntry['done'];
  /** The partition failed half-way in the read of this moment, which is over for the others: it is still in the midst of that one. */
  behind?: number;
}

/** The entry `stream`. */
interface Head {
  cursor?: Json;
  run?: { now?: number; range?: Json };
  read?: number;
}

/** A unit's entry: how far it is, or that it is finished in a read that is not. */
type UnitEntry = UnitState & { done?: 1 };

/**
 * The state of one stream, and how it moves on. Its keys:
 * - `stream`: what cursor it was made by, and the read that is under way
 * - `p<partition>`: what of a partition's cursor is done, and of which earlier read its units still are (`behind`)
 * - `u<unit>`: how far a unit is, while its partition is not finished; without a cursor, while the read is not. With `~` behind it: of a
 *   past range, where the partition's own units must stay as they are
 * - `^<key>`: the same for the parent's cursor, as this stream has used it
 *
 * Each method gives the change that it made, to be committed with the records that it stands for.
 */
export class Progress {
  readonly #entries: Map<string, Json>;
  readonly #stream: ResolvedStream;
  readonly #points: CursorPoints | undefined;
  readonly #prefix: string;
  /** Windows of a partition that are planned and not finished. */
  readonly #open = new Map<string, Set<string>>();
  /** Entries of finished units of such a partition, by its key. */
  readonly #marks = new Map<string, string[]>();
  /** What was done before a sorted cursor moved on with its pages; null: nothing. */
  readonly #sortedFrom = new Map<string, Json>();
  /** No partition was finished by this read before it began. */
  #isNew = false;

  constructor(stream: ResolvedStream, entries: StreamState, prefix = '') {
    this.#stream = stream;
    this.#prefix = prefix;
    this.#points = stream.cursor && cursorPoints(stream.cursor, stream.name);
    this.#entries = new Map([...entries].flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
    this.#refuseOther();
  }

  /** A state whose points mean something else cannot be gone on with. */
  #refuseOther(): void {
    const was = this.#head.cursor;
    const now = cursorIdentity(this.#stream);
    if (was === undefined || JSON.stringify(was) === JSON.stringify(now)) return;
    const text = (of: Json): string => (of === null ? 'no cursor' : `cursor ${(of as string[]).join(', ')}`);
    throw new FerruleError('state_unusable', `${this.#stream.name}: the state was made with ${text(was)}; the spec has ${text(now)}`, {
      where: `streams.${this.#stream.name}${this.#stream.cursor === undefined ? '' : '.cursor'}`,
    });
  }

  get #head(): Head {
    return (this.#entries.get('stream') ?? {}) as Head;
  }

  /** A moment for a new read: no other one has it, since it names what a read has finished. */
  momentOf(now: number): number {
    const { run, read } = this.#head;
    return Math.max(now, Number(run?.now ?? 0) + 1, Number(read ?? 0) + 1);
  }

  begin(run: JsonObject): StateChange {
    this.#isNew = true;
    const aside = [...this.#entries.keys()].filter((key) => key.startsWith('u') && key.endsWith(ASIDE));
    return this.#set({ ...removed(aside), stream: { cursor: cursorIdentity(this.#stream), run } });
  }

  /** The moment of the earlier read that a partition is still in the midst of. A past range has nothing to do with it. */
  behind(partition: JsonObject): number | undefined {
    return this.#isRange ? undefined : this.#entry(this.#cursorKey(partition))?.behind;
  }

  /** What of a partition was done before the read of the moment `now` began, and whether that read has finished it. */
  before(partition: JsonObject, now: number): { done: Range[]; finished: boolean } {
    const entry = this.#entry(this.#cursorKey(partition));
    return { done: this.#ranges(entry?.was ?? entry?.done), finished: !this.#isNew && entry?.at === now && this.#isLone(partition) };
  }

  edge(partition: JsonObject): Edge | undefined {
    return edgeOf(this.#entry(this.#cursorKey(partition)));
  }

  /** Says which units a partition has, before the first of them is finished. */
  planned(partition: JsonObject, units: readonly Unit[]): void {
    if (this.#stream.cursor === undefined || !this.#isLone(partition) || this.#isAside(partition)) return;
    const finished = units.filter((unit) => this.isFinished(unit));
    this.#open.set(partitionKey(partition), new Set(units.filter((unit) => !finished.includes(unit)).map(unitKey)));
    if (finished.length > 0)
      this.#marks.set(
        this.#cursorKey(partition),
        finished.map((unit) => this.#name(unit)),
      );
  }

  isFinished(unit: Unit): boolean {
    return this.#unit(unit)?.done === 1;
  }

  stateOf(unit: Unit): UnitState {
    return this.#unit(unit) ?? {};
  }

  /** A page of a unit is read, and more come. */
  page(unit: Unit, state: UnitState): StateChange {
    if (this.#isSorted(unit, state)) {
      const key = this.#cursorKey(unit.partition);
      if (!this.#sortedFrom.has(key)) this.#sortedFrom.set(key, this.#entries.get(key) ?? null);
      const advanced = this.#advanced(this.#entry(key), unit.window as NonNullable<Unit['window']>, state, 0);
      return this.#set({ [key]: advanced as unknown as Json });
    }
    return this.#set({ ...this.#backFrom(unit), [this.#name(unit)]: state as Json });
  }

  /** What a sorted cursor had moved on is taken back when it turns out not to be sorted: the unit's own window must be found again. */
  #backFrom({ partition }: Unit): StateChange {
    const key = this.#cursorKey(partition);
    const before = this.#sortedFrom.get(key);
    this.#sortedFrom.delete(key);
    return before === undefined ? {} : { [key]: before };
  }

  /** With a sorted cursor what lies behind a page is done for good: a later read need not find the page again. */
  #isSorted({ partition, window }: Unit, { last, keys, unsorted }: UnitState): boolean {
    const { cursor } = this.#stream;
    const counts =
      cursor?.order === 'asc' && cursor.lookback === 0 && window?.end === null && this.#isLone(partition) && !this.#isAside(partition);
    return counts && !unsorted && last !== undefined && keys !== undefined;
  }

  /** A unit is finished. `read`: the moment of the read; nothing after it, or after the unit's own, is done. */
  finished(unit: Unit, state: UnitState, read: number): StateChange {
    const name = this.#name(unit);
    const { now = read } = unit;
    const { cursor } = this.#stream;
    if (cursor === undefined || unit.window === undefined || this.#isAside(unit.partition)) return this.#set({ [name]: { done: 1 } });
    // One cursor for all partitions moves on when all of them are read.
    if (!this.#isLone(unit.partition)) return this.#set({ [name]: { done: 1, ...(state.last !== undefined && { last: state.last }) } });
    const key = this.#cursorKey(unit.partition);
    const old = this.#entry(key);
    // In no order a record may have come to a page that was read already, before one that came later and was seen.
    const advanced = this.#advanced(old, unit.window, cursor.order === 'asc' ? state : this.#until(state, now), now);
    const open = this.#open.get(partitionKey(unit.partition));
    open?.delete(unitKey(unit));
    if (open !== undefined && open.size > 0) {
      const was = old?.was ?? old?.done ?? [];
      this.#marks.set(key, [...(this.#marks.get(key) ?? []), name]);
      const behind = old?.behind !== undefined && { behind: old.behind };
      return this.#set({ [key]: { ...advanced, was, ...behind } as unknown as Json, [name]: { done: 1 } });
    }
    this.#open.delete(partitionKey(unit.partition));
    const marks = this.#marks.get(key) ?? [];
    this.#marks.delete(key);
    return this.#set({
      ...removed(marks),
      [name]: null,
      [key]: { ...advanced, at: now } as unknown as Json,
    });
  }

  /** All units are finished: what was kept for the case that they would not be is dropped. */
  complete(now: number): StateChange {
    const shared = this.#stream.cursor?.per === 'stream' ? this.#sharedChange(now) : {};
    return { ...this.#set(shared), ...this.#over(now) };
  }

  /**
   * All partitions were tried, and some failed: the read is over for the others. What is half done goes on with the windows of this read,
   * or what was written would be read again. Where nothing is, nothing is kept: the next read asks as if this one had not been.
   */
  leave(now: number): StateChange {
    // A place without anything in it is that of a job which is gone.
    const isBegun = ([name, value]: [string, Json]): boolean => name.startsWith('u') && Object.keys(value as JsonObject).length > 0;
    const begun = new Set([...this.#entries].filter(isBegun).map(([name]) => keyOf(name)));
    const behind: Record<string, Json> = {};
    for (const [partition, open] of this.#open) {
      const key = `p${partition}`;
      if (open.size === 0 || !begun.has(key)) continue;
      behind[key] = { behind: now, ...(this.#entry(key) ?? { done: [] }) } as unknown as Json;
    }
    return { ...this.#set(behind), ...this.#over(now) };
  }

  /** No read is under way; units are kept of partitions that are still in the midst of one. */
  #over(now: number): StateChange {
    const isKept = (name: string): boolean => !name.endsWith(ASIDE) && this.#entry(keyOf(name))?.behind !== undefined;
    const dropped = [...this.#entries.keys()].filter((name) => name.startsWith('u') && !isKept(name));
    return this.#set({ ...removed(dropped), stream: { cursor: cursorIdentity(this.#stream), read: now } });
  }

  #sharedChange(now: number): StateChange {
    let entry = this.#entry('p');
    for (const [name, value] of this.#entries) {
      const at = name.lastIndexOf('|');
      if (!name.startsWith('u') || at === -1) continue;
      const [start = '', end = ''] = name.slice(at + 1).split('/');
      entry = this.#advanced(entry, { start: start || null, end: end || null }, this.#until(value as UnitState, now), now);
    }
    return entry === undefined ? {} : { p: { ...entry, at: now } as unknown as Json };
  }

  /** Something may have been read before the last record was there: what lies after the read's moment is the next read's. */
  #until({ last, ...rest }: UnitState, now: number): UnitState {
    const points = this.#points as CursorPoints;
    const point = last === undefined || !points.isTime ? undefined : points.parse(last);
    if (last === undefined || point === undefined || point <= now) return { ...rest, ...(last !== undefined && { last }) };
    return { last: points.text(now) };
  }

  /** The entry with a window done. */
  #advanced(old: CursorEntry | undefined, window: NonNullable<Unit['window']>, { last, keys }: UnitState, now: number): CursorEntry {
    const points = this.#points as CursorPoints;
    const point = (text: string | null): number => (text === null ? Number.NEGATIVE_INFINITY : (points.parse(text) as number));
    const before = this.#ranges(old?.done);
    const text = (ranges: readonly Range[]): CursorEntry['done'] =>
      ranges.map(([from, to]) => [Number.isFinite(from) ? points.text(from) : null, points.text(to)]);
    if (window.end !== null) {
      const end = point(window.end);
      return { done: text(joined([...before, [point(window.start), points.isTime ? Math.min(end, now) : end]])) };
    }
    // Nothing came: the next read begins where this one did.
    if (last === undefined) return { done: old?.done ?? [], ...(old?.keys && { keys: old.keys }) };
    const from = Math.min(point(window.start), before[0]?.[0] ?? Number.POSITIVE_INFINITY);
    const to = Math.max(point(last), before.at(-1)?.[1] ?? Number.NEGATIVE_INFINITY);
    // The range leaves out its end; what came at it is the edge.
    const at = points.text(to) === last ? keysAt(last, keys, edgeOf(old)) : old?.keys;
    return { done: text([[from, to]]), ...(at && { keys: at }) };
  }

  #ranges(done: CursorEntry['done'] | undefined): Range[] {
    const point = (text: string): number => (this.#points as CursorPoints).parse(text) as number;
    return (done ?? []).map(([from, to]) => [from === null ? Number.NEGATIVE_INFINITY : point(from), point(to)]);
  }

  #entry(key: string): CursorEntry | undefined {
    return this.#entries.get(key) as unknown as CursorEntry | undefined;
  }

  #unit(unit: Unit): UnitEntry | undefined {
    return this.#entries.get(this.#name(unit)) as UnitEntry | undefined;
  }

  #name(unit: Unit): string {
    return `u${unitKey(unit)}${this.#isAside(unit.partition) ? ASIDE : ''}`;
  }

  /** A past range of a partition that is in the midst of another read is read beside it: neither its windows nor what is done may move. */
  #isAside(partition: JsonObject): boolean {
    return this.#isRange && this.#entry(this.#cursorKey(partition))?.behind !== undefined;
  }

  get #isRange(): boolean {
    return this.#head.run?.range !== undefined;
  }

  /** Whether a partition has a cursor of its own. */
  #isLone(partition: JsonObject): boolean {
    return this.#stream.cursor?.per !== 'stream' || Object.keys(partition).length === 0;
  }

  #cursorKey(partition: JsonObject): string {
    return this.#stream.cursor?.per === 'stream' ? 'p' : `p${partitionKey(partition)}`;
  }

  #set(given: StateChange): StateChange {
    const change: Record<string, Json> = {};
    for (const [key, value] of Object.entries(given)) {
      // What was never there need not be removed: most units are finished before they are written for the first time.
      if (value === null && !this.#entries.delete(key)) continue;
      if (value !== null) this.#entries.set(key, value);
      change[this.#prefix + key] = value;
    }
    return change;
  }
}

/** Behind the name of a unit. */
const ASIDE = '~';

/** The entry of the cursor that a unit's entry belongs to. */
const keyOf = (unit: string): string => `p${unit.slice(1, unit.lastIndexOf('|'))}`;

const removed = (names: readonly string[]): StateChange => Object.fromEntries(names.map((name) => [name, null]));

function edgeOf(entry: CursorEntry | undefined): Edge | undefined {
  const last = entry?.done.at(-1);
  return entry?.keys === undefined || last === undefined ? undefined : { at: last[1], keys: entry.keys };
}

/** Keys at the same point as before are kept: they do not come again. */
function keysAt(last: string, keys: string[] | undefined, old: Edge | undefined): string[] | undefined {
  if (keys === undefined || old?.at !== last) return old?.at === last ? old.keys : keys;
  return [...new Set([...old.keys, ...keys])];
}

/** What the points of a state mean. */
const cursorIdentity = ({ cursor }: ResolvedStream): Json =>
  cursor === undefined ? null : [cursor.field, cursor.format === 'integer' ? 'integer' : 'time', cursor.per];
