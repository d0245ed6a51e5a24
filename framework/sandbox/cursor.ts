import { parseDuration } from '../core/duration.ts';
import type { ResolvedCursor, ResolvedStream } from '../core/resolved.ts';
import { parseTime } from '../core/time.ts';
import { type Data, segments } from './data.ts';
import { knownText, splitText } from './reading.ts';
import { rawPath } from './renamed.ts';
import { DAY, floorTime, readTime, unitOf, type Written, writeTime } from './times.ts';
import type { View } from './view.ts';

/** Where the records of a stream with a cursor lie in time (or, for integers, in number), and how that is written. */
export interface CursorPlan {
  /** In the raw record. */
  path: string[];
  /** Part of the primary key: such a record is restated under the same key, never moved. */
  inKey: boolean;
  /** And nothing else in it tells a partition's records apart: no two have the same. */
  alone: boolean;
  /** A partition's records in this order: the spec says so, or the request sorts by it. */
  sorted: 'asc' | 'desc' | 'none';
  integer: boolean;
  /** The most records that a partition can have. */
  most: number;
  /** Smallest difference between two records. */
  step: number;
  /** Of the record with this place among `count` of its partition. `index`: its place among all. */
  at(place: number, count: number, index: number): number;
  /** A value as it can stand in a record: a time without what the format drops. */
  fitted(value: number): number;
  write(value: number): Data;
}

export interface Span {
  /** The sandbox's clock when it began. */
  now: number;
  /** Milliseconds, when the caller has said it. */
  length: number | undefined;
}

const USUAL_SPAN = 30 * DAY;

/** Undefined for a stream without a cursor. */
export function cursorPlan(stream: ResolvedStream, view: View, span: Span): CursorPlan | undefined {
  const { cursor } = stream;
  if (cursor === undefined) return undefined;
  const written: Written = { format: cursor.record_format ?? cursor.format, zone: cursor.time_zone };
  const keys = stream.primary_key.map((path) => rawPath(stream, path));
  const inKey = keys.includes(cursor.field);
  const own = keys.filter((path) => path !== cursor.field && !Object.hasOwn(stream.add, path));
  const integer = cursor.format === 'integer';
  const number = columnType(stream, cursor.field) !== 'text' && (integer || written.format === 'epoch' || written.format === 'epoch_ms');
  const fitted = (value: number): number => (integer ? value : told(value, cursor, written));
  const alone = inKey && own.length === 0;
  const places = spread(cursor, view, span, { written, alone });
  return {
    path: segments(cursor.field),
    inKey,
    alone,
    sorted: cursor.order === 'asc' ? 'asc' : sortedBy(stream, cursor.field),
    integer,
    most: places.most,
    step: integer ? 1 : Math.max(unitOf(written.format), unitOf(cursor.format) < DAY ? unitOf(cursor.format) : 1),
    at: (place, count, index) => (integer ? index + 1 : fitted(places.at(place, count))),
    fitted,
    write: (value) => (number ? Number(writeTime(value, written)) : writeTime(value, written)),
  };
}

function columnType({ columns, rename }: ResolvedStream, field: string): string | undefined {
  return (columns[rename[field] ?? field] ?? columns[field])?.type;
}

/** Nothing lies between two values that requests can tell apart, or a spec that is right would lose it. */
function told(value: number, { format, time_zone, window }: ResolvedCursor, written: Written): number {
  const fitted = floorTime(value, written);
  if (unitOf(format) >= DAY) return fitted;
  const asked = floorTime(fitted, { format, zone: time_zone });
  const step = window?.step ?? 1;
  return step < DAY ? Math.floor(asked / step) * step : asked;
}

/**
 * Evenly over the last 30 days, or less where the spec reads or the provider keeps less. A whole day ends with yesterday: of today
 * there is nothing yet. Where the time alone is the key, no two records have the same, so that the span grows as far as it may.
 */
function spread(cursor: ResolvedCursor, view: View, { now, length }: Span, { written, alone }: { written: Written; alone: boolean }) {
  const asked: Written = { format: cursor.format, zone: cursor.time_zone };
  const unit = unitOf(written.format);
  const byDay = [asked, written].find(({ format }) => format !== 'integer' && unitOf(format) >= DAY);
  const end = byDay === undefined ? now : floorTime(now, byDay);
  const begins = [
    length === undefined ? undefined : end - length,
    cursor.oldest === undefined ? undefined : floorTime(now - cursor.oldest, asked),
    length === undefined ? startOf(cursor, view, now) : undefined,
  ].flatMap((begin) => (begin === undefined || begin >= end ? [] : [end - begin]));
  const reach = Math.min(...begins);
  const step = Math.max(unit, unitOf(cursor.format) < DAY ? unitOf(cursor.format) : 1);
  const usual = Math.min(reach, length ?? USUAL_SPAN);
  return {
    most: alone && cursor.format !== 'integer' ? Math.floor(reach / step) : Number.POSITIVE_INFINITY,
    at: (place: number, count: number): number => {
      const span = alone ? Math.min(Math.max(usual, count * step), reach) : usual;
      return end - span + ((place + 0.5) * span) / count;
    },
  };
}

/** Where the spec's first read begins, as far as it is known without a request. */
function startOf({ start, format, time_zone: zone }: ResolvedCursor, view: View, now: number): number | undefined {
  if (start === undefined || format === 'integer') return undefined;
  const text = knownText(start, (keys) => {
    const field = keys[0] === 'fields' && keys.length === 2 ? view.value(keys[1]!) : undefined;
    return field ?? view.lookup(keys);
  });
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return floorTime(now - ago, { format, zone });
  return readTime(text, { format: 'date', zone }) ?? parseTime(text, 'iso') ?? readTime(text, { format, zone });
}

/** What the request itself says of the order: `sort: updated_at`, `orderBy: "modified desc"`, `sort=-created`. */
function sortedBy(stream: ResolvedStream, field: string): CursorPlan['sorted'] {
  const words = sorting({ ...stream.query, ...(typeof stream.body === 'object' ? stream.body : {}) });
  const name = segments(field).at(-1)!.toLowerCase();
  const found = words.find((text) =>
    text
      .toLowerCase()
      .split(/[^a-z0-9_]+/)
      .includes(name),
  );
  if (found === undefined) return 'none';
  return words.some((text) => /\bdesc/i.test(text)) || found.startsWith('-') ? 'desc' : 'asc';
}

function sorting(entries: object): string[] {
  return Object.entries(entries).flatMap(([name, value]): string[] => {
    if (typeof value === 'object' && value !== null && !/sort|order/i.test(name)) return sorting(value);
    if (!/sort|order|direction/i.test(name)) return [];
    return (typeof value === 'object' && value !== null ? Object.values(value) : [value]).flatMap((one) =>
      typeof one === 'string' && splitText(one).every((part) => 'text' in part) ? [one] : [],
    );
  });
}
