import { cursorOf, type Plan, partOf, share } from './plan.ts';
import { type Sequence, sequence } from './sequence.ts';
import { firstNotBelow } from './shares.ts';
import { EVERYTHING, type Range } from './window.ts';

/** A partition's records within a range, in the provider's order. */
export function listed(plan: Plan, part: number, range: Range): Sequence {
  const { cursor, shape, overlay, initial } = plan;
  const { start, count } = share(plan, part);
  const at = (place: number): number => cursor?.at(place, count, start + place) ?? 0;
  const open = cursor === undefined || range === EVERYTHING;
  const low = open ? 0 : firstNotBelow(range.from, count, at);
  const high = open ? count : firstNotBelow(range.before, count, at);
  const byCursor = cursor !== undefined && (shape.order === undefined || shape.order.path.join('.') === cursor.path.join('.'));
  const mine = (index: number): boolean => !overlay.gone.has(index) && partOf(plan, index) === part;
  const inRange = (index: number): boolean => {
    const value = cursorOf(plan, index);
    return open || (value >= range.from && value < range.before);
  };
  const added = overlay.added.map((_, place) => initial + place);
  const key = (index: number): number => (byCursor ? cursorOf(plan, index) : index);
  const extra = [...new Set([...overlay.moved.keys(), ...added])]
    .filter((index) => mine(index) && inRange(index))
    .sort((a, b) => key(a) - key(b) || a - b);
  return sequence({
    start: start + low,
    count: Math.max(0, high - low),
    gone: [...new Set([...overlay.gone, ...overlay.moved.keys()])].filter((index) => index < initial).sort((a, b) => a - b),
    extra,
    before: (index) => {
      const first = byCursor ? firstNotBelow(cursorOf(plan, index) + 1, count, at) : Math.min(count, Math.max(0, index - start));
      return Math.min(Math.max(first, low), Math.max(high, low)) - low;
    },
    order: cursor === undefined || shape.order !== undefined ? 'asc' : cursor.sorted === 'none' ? 'mixed' : cursor.sorted,
  });
}
