import type { Vars } from '../core/expression/index.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { JsonObject } from '../core/value.ts';
import type { CursorPoints } from './cursor.ts';
import { recordKey } from './primary-key.ts';
import type { UnitPage } from './read-unit.ts';
import type { Misfit, Shape } from './shape.ts';
import type { Edge, Unit, UnitState } from './unit.ts';

/** How a stream looks at its records. */
export interface Looks {
  stream: ResolvedStream;
  shape: Shape;
  points: CursorPoints | undefined;
}

/** Keys of records at one point; more of them are not remembered, and come twice. */
const MOST_KEYS = 1000;

/** Goes through a unit's records: shapes them, leaves out what is known, and keeps the greatest point. */
export class Tally {
  readonly #compiled: Looks;
  readonly #edge: Edge | undefined;
  /** Below it records are known already: only where this reader filters. */
  readonly #least: number | undefined;
  /** Whether the greatest point matters: what has an end does not need it. */
  readonly #counts: boolean;
  #last: number | undefined;
  #keys: string[] | undefined;
  #unsorted: boolean;

  constructor(compiled: Looks, { window, edge }: Unit, { last, keys, unsorted }: UnitState) {
    const { points, stream } = compiled;
    this.#compiled = compiled;
    this.#edge = edge;
    this.#counts = points !== undefined && (window?.end == null || stream.cursor?.filter === 'client');
    this.#least = stream.cursor?.filter === 'client' && window?.start != null ? points?.parse(window.start) : undefined;
    this.#last = last === undefined ? undefined : points?.parse(last);
    this.#keys = keys;
    this.#unsorted = unsorted === true;
  }

  page(raw: readonly JsonObject[], vars: Vars): Pick<UnitPage, 'records' | 'skipped' | 'misfits'> {
    const { shape, points } = this.#compiled;
    const records: JsonObject[] = [];
    const misfits: UnitPage['misfits'] = [];
    for (const one of raw) {
      const point = this.#counts ? (points as CursorPoints).of(one) : undefined;
      if (point !== undefined && this.#least !== undefined && point < this.#least) continue;
      const found: Misfit[] = [];
      const record = shape(one, vars, found);
      const isKnown = point !== undefined && this.#note(point, record);
      if (record === undefined || isKnown) continue;
      if (found.length > 0) misfits.push({ record, of: found });
      records.push(record);
    }
    return { records, skipped: raw.length - records.length, misfits };
  }

  /** The same for records of which only the cursor's keys are known. */
  verbatim(known: readonly JsonObject[], records: Uint8Array[]): Pick<UnitPage, 'records' | 'verbatim' | 'skipped' | 'misfits'> {
    const fresh = this.#counts ? records.filter((_, at) => this.#isNew(known[at] as JsonObject)) : records;
    return { records: [], verbatim: fresh, skipped: records.length - fresh.length, misfits: [] };
  }

  #isNew(record: JsonObject): boolean {
    const point = (this.#compiled.points as CursorPoints).of(record);
    if (this.#least !== undefined && point < this.#least) return false;
    return !this.#note(point, record);
  }

  /** Keeps the greatest point and who is at it. True: the record came with the last read. */
  #note(point: number, record: JsonObject | undefined): boolean {
    const { stream, points } = this.#compiled;
    const key = record === undefined || stream.primary_key.length === 0 ? undefined : recordKey(record, stream.primary_key);
    if (this.#last === undefined || point > this.#last) {
      this.#last = point;
      this.#keys = key === undefined ? undefined : [key];
    } else if (point < this.#last) {
      this.#unsorted = true;
    } else if (key !== undefined && this.#keys !== undefined) {
      if (this.#keys.length >= MOST_KEYS) this.#keys = undefined;
      else this.#keys.push(key);
    }
    return key !== undefined && this.#edge !== undefined && this.#edge.at === points?.text(point) && this.#edge.keys.includes(key);
  }

  state(more: UnitState): UnitState {
    const { points } = this.#compiled;
    return {
      ...more,
      ...(this.#last !== undefined && { last: (points as CursorPoints).text(this.#last) }),
      // Its own: the next page is gone through before this state is written, and its keys would be taken for written ones.
      ...(this.#keys !== undefined && { keys: [...this.#keys] }),
      ...(this.#unsorted && { unsorted: true as const }),
    };
  }
}
