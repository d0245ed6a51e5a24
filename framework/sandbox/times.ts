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
  const { format, zone } = written;
  if (format === 'integer') return value;
  const unit = unitOf(format);
  if (unit > DAY) return readTime(writeTime(value, written), written) ?? value;
  if (!hasNoZone(format)) return Math.floor(value / unit) * unit;
  return onWallClock(Math.floor((value + offsetAt(value, zone)) / unit) * unit, zone);
}

/** The beginning of the day (or longer unit) after the one that this time is in. */
export function nextUnit(value: number, written: Written): number {
  const unit = unitOf(written.format);
  return floorTime(floorTime(value, written) + (unit === DAY ? 1.5 * DAY : unit + DAY), written);
}

const known = new Map<string, number>();

/** The smallest unit that a format tells apart, in milliseconds; 1 for integers, 32 days for months, 367 for years. */
export function unitOf(format: string): number {
  const unit = known.get(format) ?? unitNow(format);
  known.set(format, unit);
  return unit;
}

function unitNow(format: string): number {
  if (format === 'integer') return 1;
  const text = formatTime(PROBE, format);
  const units = [1, 1000, MINUTE, 60 * MINUTE, DAY, 32 * DAY];
  return units.find((unit) => formatTime(PROBE + unit, format) !== text) ?? 367 * DAY;
}

/** Of one zone: its clock, and what was found with it. */
interface Zone {
  clock: Intl.DateTimeFormat;
  /** Quarter of an hour since the epoch → offset: clocks are changed at none but these. */
  offsets: Map<number, number>;
}

const QUARTER = 15 * MINUTE;
const zones = new Map<string, Zone>();

/** Milliseconds by which a zone's clock is before UTC's at a time. */
function offsetAt(time: number, name: string): number {
  if (name === 'UTC' || name === 'Z') return 0;
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(name);
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * MINUTE;
  const zone = zoneOf(name);
  const quarter = Math.floor(time / QUARTER);
  const offset = zone.offsets.get(quarter) ?? offsetNow(quarter * QUARTER, zone);
  if (zone.offsets.size > 100_000) zone.offsets.clear();
  zone.offsets.set(quarter, offset);
  return offset;
}

function offsetNow(time: number, { clock }: Zone): number {
  const parts = Object.fromEntries(clock.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second) - time;
}

function zoneOf(name: string): Zone {
  const numeric = 'numeric';
  const zone = zones.get(name) ?? {
    clock: new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: name, hourCycle: 'h23', year: numeric, month: numeric, day: numeric },
      ...{ hour: numeric, minute: numeric, second: numeric },
    }),
    offsets: new Map<number, number>(),
  };
  zones.set(name, zone);
  return zone;
}
