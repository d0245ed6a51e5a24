import { durationText } from '../core/duration.ts';
import type { ResolvedCursor } from '../core/resolved.ts';
import type { Filled } from './pattern.ts';
import { DAY, floorTime, nextUnit, readTime, unitOf, type Written } from './times.ts';

/** Cursor values that a request asks for; a bound that it does not name is open. */
export interface Range {
  /** This one and later ones. */
  from: number;
  /** Only earlier ones. */
  before: number;
}

export const EVERYTHING: Range = { from: Number.NEGATIVE_INFINITY, before: Number.POSITIVE_INFINITY };

/** The client's read may have begun a little earlier than the request comes. */
const GRACE = 60_000;

/** The same of a request that was found right, or was when its job was begun. */
export function rangeSaid(filled: readonly Filled[], cursor: ResolvedCursor | undefined): Range {
  const range = rangeAsked(filled, cursor && { ...cursor, oldest: undefined }, 0);
  return 'problem' in range ? EVERYTHING : range;
}

/** What the holes `window.start` and `window.end` say, or why a provider would refuse it. */
export function rangeAsked(filled: readonly Filled[], cursor: ResolvedCursor | undefined, now: number): Range | { problem: string } {
  if (cursor === undefined || !filled.some(({ hole }) => hole.startsWith('window.'))) return EVERYTHING;
  const range = { ...EVERYTHING };
  let end = Number.POSITIVE_INFINITY;
  for (const { hole, value, format } of filled) {
    if (!hole.startsWith('window.')) continue;
    const written = writtenIn(hole, format, value, cursor);
    const time = readTime(value, written);
    if (time === undefined) return { problem: `${value} is no ${hole} of the format ${written.format}` };
    if (hole.startsWith('window.start')) range.from = Math.max(range.from, time);
    else {
      end = Math.min(end, time);
      range.before = Math.min(range.before, endOf(time, written, cursor));
    }
  }
  if (end < range.from) return { problem: 'The range ends before it begins' };
  const problem = tooLong(range, end, cursor) ?? tooOld(range, cursor, now);
  return problem === undefined ? range : { problem };
}

function writtenIn(hole: string, format: string | undefined, value: string, cursor: ResolvedCursor): Written {
  if (!hole.endsWith('_time')) return { format: cursor.format, zone: cursor.time_zone };
  // A time that no format is named for is RFC 3339, with a fraction only when there is one.
  return { format: format ?? (value.includes('.') ? 'iso_ms' : 'iso'), zone: 'UTC' };
}

function endOf(time: number, written: Written, { window }: ResolvedCursor): number {
  if (window?.end !== 'inclusive') return time;
  return written.format !== 'integer' && unitOf(written.format) >= DAY ? nextUnit(time, written) : time + 1;
}

function tooLong({ from, before }: Range, end: number, { window, format, time_zone: zone }: ResolvedCursor): string | undefined {
  if (window?.max === undefined || from === Number.NEGATIVE_INFINITY || before === Number.POSITIVE_INFINITY) return undefined;
  const whole = format === 'integer' || unitOf(format) >= DAY;
  const length = (whole ? before : end) - from;
  // A day in which a clock is set back has an hour more.
  const most = window.max + (whole && zone !== 'UTC' ? 3_600_000 : 0);
  if (length <= most) return undefined;
  const said = (value: number): string => (format === 'integer' ? String(value) : durationText(value));
  return `The range is longer than ${said(window.max)}: ${said(length)}`;
}

function tooOld({ from }: Range, { oldest, format, time_zone: zone }: ResolvedCursor, now: number): string | undefined {
  if (oldest === undefined || from === Number.NEGATIVE_INFINITY) return undefined;
  if (from >= floorTime(now - oldest - GRACE, { format, zone })) return undefined;
  return `The range begins before what is kept: ${durationText(oldest)}`;
}
