import type { ResolvedCursor } from '../core/resolved.ts';
import type { CursorPoints } from './cursor.ts';
import { gaps, pieces, type Range } from './ranges.ts';

/** What one read of a cursor asks for. Points as in CursorPoints. */
export interface WindowInput {
  cursor: ResolvedCursor;
  points: CursorPoints;
  /** Ranges that earlier reads have finished, or that units under way have taken. */
  done: readonly Range[];
  /** The first read's beginning; undefined: the provider gives all. */
  start: number | undefined;
  now: number;
  /** A past range that is read again, whatever is done. */
  range?: { since?: number; until?: number };
}

/** One request's range: `[start, end)` as points, whatever the spec says of its end. Without an end it goes on for ever. */
export interface Window {
  start: number | undefined;
  end: number | undefined;
}

/**
 * The windows of a read: gaps that earlier reads left, then from the last finished point less the look-back until now. The look-back is
 * read anew in one piece with what is new.
 */
export function windowsOf(input: WindowInput): Window[] {
  const { cursor, points, done, range, now } = input;
  const since = range?.since ?? beginning(input);
  if (cursor.window === undefined || cursor.filter === 'client') return [{ start: openStart(input, since), end: undefined }];
  const { step, end: kind } = cursor.window;
  // A window that includes its end reaches a step beyond what it names: what is said now of today is read today.
  const until = range?.until ?? (points.isTime ? points.round(points.floor(now) + (kind === 'inclusive' ? step : 0)) : undefined);
  if (until === undefined) return [{ start: openStart(input, since), end: undefined }];
  if (range?.since !== undefined || range?.until !== undefined) return cut(input, [since ?? Number.NEGATIVE_INFINITY, until]);
  const whole: Range = [since ?? Number.NEGATIVE_INFINITY, until];
  const last = done.at(-1)?.[1];
  if (last === undefined) return cut(input, whole);
  const again = points.floor(last - cursor.lookback);
  const head = again > whole[0] ? gaps([whole[0], again], done).flatMap((gap) => cut(input, gap)) : [];
  return [...head, ...cut(input, [Math.max(again, whole[0]), until])];
}

/** No piece is longer than `max`, nor begins beside what the format can write. */
function cut({ cursor, points }: WindowInput, [from, to]: Range): Window[] {
  const { max, step = 1 } = cursor.window ?? {};
  const most = max === undefined || max < step ? max : Math.floor(max / step) * step;
  const begin = Number.isFinite(from) ? points.floor(from) : from;
  return pieces([begin, to], most, points.round).map(([start, end]) => ({ start: Number.isFinite(start) ? start : undefined, end }));
}

function openStart({ cursor, done, range, points }: WindowInput, since: number | undefined): number | undefined {
  const last = done.at(-1)?.[1];
  if (range?.since !== undefined || last === undefined) return since;
  return Math.max(points.floor(last - cursor.lookback), since ?? Number.NEGATIVE_INFINITY);
}

/** The earliest point that is asked for: where the first read begins, but nothing that the provider no longer has. */
function beginning({ cursor, points, start, now }: WindowInput): number | undefined {
  const oldest = cursor.oldest === undefined || !points.isTime ? undefined : points.floor(now) - cursor.oldest;
  if (start === undefined) return oldest;
  return points.floor(oldest === undefined ? start : Math.max(start, oldest));
}
