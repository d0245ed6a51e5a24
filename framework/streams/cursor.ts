import { FerruleError } from '../core/errors.ts';
import { compilePath, readPath } from '../core/path.ts';
import type { ResolvedCursor } from '../core/resolved.ts';
import { formatTime, parseTime } from '../core/time.ts';
import type { Json, JsonObject } from '../core/value.ts';
import { wallClockTime, zoneOffset } from '../core/zone.ts';

/**
 * Points of a cursor as numbers that can be compared: milliseconds since the epoch, or the integer itself. State holds them as text
 * (`text`), requests as the provider wants them (`write`).
 */
export interface CursorPoints {
  /** A record's own. @throws FerruleError cursor_missing */
  of(record: JsonObject): number;
  write(at: number): string;
  text(at: number): string;
  /** Undefined when it is no point. */
  parse(text: string): number | undefined;
  /** Down to what the format can write, in the cursor's zone. */
  floor(at: number): number;
  /** To the nearest that the format can write: a day of a wall clock may have 23 or 25 hours, so that a sum of days lands beside it. */
  round(at: number): number;
  readonly isTime: boolean;
}

export function cursorPoints(cursor: ResolvedCursor, stream: string): CursorPoints {
  const path = compilePath(cursor.field);
  const read = cursor.format === 'integer' ? integer : timeReader(cursor);
  const of = (record: JsonObject): number => {
    const value = readPath(path, record);
    const point = value === undefined || value === null ? undefined : read(value);
    if (point === undefined) throw missing(cursor, stream, value);
    return point;
  };
  if (cursor.format === 'integer') {
    const text = (at: number): string => String(at);
    return { of, write: text, text, parse: integer, floor: Math.floor, round: Math.round, isTime: false };
  }
  const step = cursor.window?.step ?? 1;
  const zoned = (at: number): number => zoneOffset(cursor.time_zone, at) * 60_000;
  // Formats that name their zone are written in UTC; the others say the time of day in the zone.
  const shifts = !/^(iso|iso_ms|epoch|epoch_ms|http_date)$/.test(cursor.format) && !/%[zZs]/.test(cursor.format);
  const floor = (at: number): number => {
    const shift = zoned(at);
    const local = Math.floor((at + shift) / step) * step;
    // What is written with its zone is no other moment in the hour that a wall clock shows twice.
    const isOne = !shifts && zoned(local - shift) === shift;
    return isOne ? local - shift : wallClockTime(cursor.time_zone, local);
  };
  return {
    of,
    write: (at) => formatTime(shifts ? at + zoned(at) : at, cursor.format),
    text: (at) => formatTime(at, 'iso_ms'),
    parse: (text) => parseTime(text, 'iso_ms'),
    floor,
    round: (at) => floor(at + step / 2),
    isTime: true,
  };
}

function integer(value: Json): number | undefined {
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

const NAMES_ZONE = /(?:z|utc|gmt|[+-]\d{2}:?\d{2})\s*$/i;

/** Where the record's format is not said, RFC 3339 is read as well as the request's: most answers have it whatever they are asked in. */
function timeReader({ format: asked, record_format, time_zone: zone }: ResolvedCursor): (value: Json) => number | undefined {
  const format = record_format ?? asked;
  return (value) => {
    if (typeof value !== 'string' && typeof value !== 'number') return undefined;
    const text = String(value);
    const at = parseTime(text, format) ?? (record_format === undefined ? parseTime(text, 'iso') : undefined);
    if (at === undefined || zone === 'UTC' || typeof value === 'number' || /^(epoch|epoch_ms)$/.test(format)) return at;
    // A bare date has no clock time whose end could be taken for an offset.
    if (/^\d{4}-\d{2}-\d{2}$/.test(text) || !NAMES_ZONE.test(text)) return wallClockTime(zone, at);
    return at;
  };
}

function missing({ field, format, record_format }: ResolvedCursor, stream: string, value: Json | undefined): FerruleError {
  const what =
    value === undefined ? 'is missing' : value === null ? 'is null' : `(a ${typeof value}) is not in the format ${record_format ?? format}`;
  return new FerruleError('cursor_missing', `${stream}: the cursor ${field} of a record ${what}`, {
    where: `streams.${stream}.cursor.field`,
  });
}
