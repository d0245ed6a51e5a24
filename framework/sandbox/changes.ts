import { FerruleError } from '../core/errors.ts';
import type { CursorPlan } from './cursor.ts';
import { type Data, pick, segments } from './data.ts';
import type { Dataset } from './dataset.ts';
import { scatter } from './seeded.ts';
import type { Change, Changed, Key } from './types.ts';

/**
 * Changes a stream's records as a provider's users would between two reads. Which ones is a function of the seed and of how often
 * something was changed before.
 * @param at epoch milliseconds
 * @throws FerruleError usage when there are not so many records
 */
export function change(dataset: Dataset, wanted: Change, at: number): Changed {
  const { stream: name, update = 0, insert = 0, delete: remove = 0 } = wanted;
  for (const [word, count] of Object.entries({ update, insert, delete: remove }))
    if (!Number.isInteger(count) || count < 0) throw wrong(`${word} is no whole number`, word);
  const { cursor, overlay } = dataset.plan(name);
  const there = [...dataset.indexes(name)];
  if (update + remove > there.length) throw wrong(`${name} has ${there.length} records, and ${update + remove} are to change`, name);
  const random = scatter(`${name}.${dataset.version}`);
  const drawn = there.map((index): [number, number] => [random(index), index]);
  const mixed = drawn.sort(([a, one], [b, other]) => a - b || one - other).map(([, index]) => index);
  // What is restated is recent: that is what a reader looks back for.
  const newest = (a: number, b: number): number => dataset.cursorOf(name, b) - dataset.cursorOf(name, a) || a - b;
  const updated = (cursor?.inKey === true ? mixed.toSorted(newest) : mixed).slice(0, update);
  const taken = new Set(updated);
  const deleted = mixed.filter((index) => !taken.has(index)).slice(0, remove);
  const deletedKeys = deleted.map((index) => keyOf(dataset, name, index));
  for (const index of updated) {
    overlay.versions.set(index, (overlay.versions.get(index) ?? 0) + 1);
    if (cursor !== undefined && !cursor.inKey) overlay.moved.set(index, next(dataset, name, cursor, at));
  }
  for (const index of deleted) overlay.gone.add(index);
  dataset.changed();
  const inserted = add(dataset, name, insert, at);
  dataset.changed();
  const keys = (indexes: readonly number[]): Key[] => indexes.map((index) => keyOf(dataset, name, index));
  return { updated: keys(updated), inserted: keys(inserted), deleted: deletedKeys };
}

/** Over the partitions in turn. */
function add(dataset: Dataset, name: string, count: number, at: number): number[] {
  const { single, cursor, overlay, initial } = dataset.plan(name);
  const parts = count === 0 ? [] : [...dataset.parts(name)];
  if (count > 0 && (single || parts.length === 0)) throw wrong(`${name} has no list that records could be added to`, name);
  return Array.from({ length: count }, () => {
    const part = parts[overlay.added.length % parts.length]!;
    const value = cursor?.alone === true ? free(dataset, name, part, cursor, at) : cursor && next(dataset, name, cursor, at);
    overlay.added.push({ part, cursor: value });
    return initial + overlay.added.length - 1;
  });
}

/** A number that only grows is one more than all there were; a time is when it happens. */
function next(dataset: Dataset, name: string, cursor: CursorPlan, at: number): number {
  if (!cursor.integer) return cursor.fitted(at);
  const { initial, overlay } = dataset.plan(name);
  return Math.max(initial, ...overlay.moved.values(), ...overlay.added.map(({ cursor: value }) => value ?? 0)) + 1;
}

/** The newest time up to now that no record of the partition has, where the time alone is the key. */
function free(dataset: Dataset, name: string, part: number, cursor: CursorPlan, at: number): number {
  if (cursor.integer) return next(dataset, name, cursor, at);
  const list = dataset.list(name, part);
  const taken = new Set(Array.from({ length: list.count }, (_, position) => dataset.cursorOf(name, list.at(position))));
  const last = Math.max(...taken);
  let value = cursor.fitted(at);
  // Half a step more, since some days have an hour less.
  while (taken.has(value) && value > last) value = cursor.fitted(value - cursor.step / 2);
  if (taken.has(value)) throw wrong(`${name} has one record for each time, and that of now is there`, name);
  return value;
}

/** What names a record, as a reader of the stream sees it. */
function keyOf(dataset: Dataset, name: string, index: number): Key {
  const record = dataset.seen(name, index);
  return Object.fromEntries(dataset.plan(name).stream.primary_key.map((path) => [path, plain(pick(record, segments(path)))]));
}

const plain = (value: Data | undefined): Key[string] =>
  typeof value === 'bigint' ? String(value) : typeof value === 'object' || value === undefined ? null : value;

const wrong = (message: string, where: string): FerruleError =>
  new FerruleError('usage', message, { where, next: 'For example {"stream": "…", "update": 3, "insert": 2}.' });
