import type { Dataset } from './dataset.ts';
import { placeAsked } from './partitions.ts';
import type { Filled } from './pattern.ts';
import type { Route } from './route.ts';
import { rangeAsked } from './window.ts';

/** What is wrong with the range or the item that a request for records names. */
export function wrongAsked(filled: readonly Filled[], { stream, part }: Route, dataset: Dataset, now: number): string | undefined {
  // The other calls of a job say nothing of what it is to hold.
  if (stream === undefined || (part !== undefined && part !== 'create')) return undefined;
  const place = placeAsked(dataset.plan(stream.name).each, filled);
  if (typeof place === 'string') return place;
  const range = rangeAsked(filled, stream.cursor, now);
  return 'problem' in range ? range.problem : undefined;
}
