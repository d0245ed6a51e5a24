import { formatTime, parseTime } from '../core/time.ts';

/** How a provider writes a time: a format of the language, or `integer` for a number that only grows; and the zone of texts that name none. */
export interface Written {
  format: string;
  /** An IANA name, or an offset such as `+02:00`. */
  zone: string;
}

const MINUTE = 60_000;
export const DAY = 86_400_000;
/** Noon, so that no shift by a zone brings a day or a month to its end. */
const PROBE = Date.UTC(2026, 4, 15, 12);

/** A text without a zone is read on the wall clock of the provider's own. */
const hasNoZone = (format: string): boolean => format === 'date' || (format.includes('%') && !/%[zZs]/.test(format));

/** @param value epoch milliseconds, or the number itself */
export function writeTime(value: number, { format, zone }: Written): string {
  if (format === 'integer') return String(value);
  return formatTime(hasNoZone(format) ? value + offsetAt(value, zone) : value, format);
}

/**
 * Epoch milliseconds, or the number; undefined when the text is not exactly as the format writes it: a provider that takes
 * whole seconds need not take fractions.
 */
export function readTime(text: string, written: Written): number | undefined {
  const { format, zone } = written;
  if (format === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  const local = parseTime(text, format);
  if (local === undefined) return undefined;
  const value = hasNoZone(format) ? onWallClock(local, zone) : local;
  // A wall clock skips an hour in spring: then the text of that hour is written otherwise.
  const same = writeTime(value, written) === text || (hasNoZone(format) && formatTime(local, format) === text);
  return same ? value : undefined;
}

/** The time at which a wall clock shows this; the earlier one where it shows it twice. */
function onWallClock(local: number, zone: string): number {
  const candidates = [offsetAt(local - DAY, zone), offsetAt(local + DAY, zone)].map((offset) => local - offset);
  const right = candidates.filter((value) => value + offsetAt(value, zone) === local);
  return right.length > 0 ? Math.min(...right) : Math.max(...candidates);
}

/** What a time becomes when it is written and read back: the beginning of the second, day or month it is in. */
export function floorTime(value: number, written: Written): number {
  return written.format === 'integer' ? value : (readTime(writeTime(value, written), written) ?? value);
}

/** The beginning of the day (or longer unit) after the one that this time is in. */
export function nextUnit(value: number, written: Written): number {
  const unit = unitOf(written.format);
  return floorTime(floorTime(value, written) + (unit === DAY ? 1.5 * DAY : unit + DAY), written);
}

/** The smallest unit that a format tells apart, in milliseconds; 1 for integers, 32 days for months, 367 for years. */
export function unitOf(format: string): number {
  if (format === 'integer') return 1;
  const text = formatTime(PROBE, format);
  const units = [1, 1000, MINUTE, 60 * MINUTE, DAY, 32 * DAY];
  return units.find((unit) => formatTime(PROBE + unit, format) !== text) ?? 367 * DAY;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which a zone's clock is before UTC's at a time. */
function offsetAt(time: number, zone: string): number {
  if (zone === 'UTC' || zone === 'Z') return 0;
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * MINUTE;
  const second = Math.floor(time / 1000) * 1000;
  const parts = Object.fromEntries(
    clockOf(zone)
      .formatToParts(second)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second) - second;
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const numeric = 'numeric';
  const known =
    clocks.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric },
      ...{ hour: numeric, minute: numeric, second: numeric },
    });
  clocks.set(zone, known);
  return known;
}
