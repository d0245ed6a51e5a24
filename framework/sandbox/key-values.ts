import { day } from './column.ts';
import type { Data } from './data.ts';
import type { Filled } from './pattern.ts';
import type { Shape } from './shape.ts';
import { DAY } from './times.ts';
import type { View } from './view.ts';

/** Keys differ for each index: one counts on, or days of the range and ids count like the digits of a number. */
export function* keyValues({ keys }: Shape, index: number, view: View, filled: readonly Filled[]): Generator<[string[], Data]> {
  const dated = keys.filter(({ make }) => make === undefined);
  const range = dated.length === 0 ? { from: 0, days: 1 } : rangeIn(filled, view);
  const days = dated.length === keys.length ? Number.POSITIVE_INFINITY : range.days;
  for (const { path, type, make } of keys) {
    const date = make === undefined ? day(range.from + (index % days) * DAY) : '';
    yield [path, make?.(Math.floor(index / days)) ?? (type === 'date' ? date : `${date}T00:00:00Z`)];
  }
}

function rangeIn(filled: readonly Filled[], view: View): { from: number; days: number } {
  const times = filled
    .filter(({ hole }) => hole.startsWith('fields.') && /^date/.test(view.field(hole.slice('fields.'.length))?.type ?? ''))
    .map(({ value }) => Date.parse(value))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b);
  const [from = Date.UTC(2026, 0, 1)] = times;
  const days = times.length > 1 ? Math.round((times.at(-1)! - from) / DAY) : 10;
  return { from, days: Math.min(Math.max(days, 1), 31) };
}
