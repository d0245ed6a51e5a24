import type { ColumnType } from '../core/resolved.ts';
import { timeText } from '../core/time.ts';
import type { Json, JsonObject } from '../core/value.ts';

/** Before digits that must leave their quotes. Whatever a provider writes there, only what is a number of JSON leaves them. */
const MARK = '\u0001ferrule\u0002';
const MARKED = /"\\u0001ferrule\\u0002(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)"/g;

const WHOLE = /^[+-]?\d+$/;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** Readers have limits for the digits of a number; what is longer is a text. */
const LONGEST = 100;
const TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;
/** Those end a line for some readers, and JSON leaves them as they are. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

/**
 * A record as JSON on one line, its values as `streamSchema` says: a whole number or a decimal that came as text (beyond 2^53, or with more digits than
 * a double holds) becomes a JSON number with just these digits; a time becomes RFC 3339. What cannot be brought there stays as it is.
 */
export function recordText(
  columns: Readonly<Record<string, ColumnType>>,
  without: ReadonlySet<string> = new Set(),
): (record: JsonObject) => string {
  const fitted = Object.entries(columns).flatMap(([name, type]) => {
    const fitting = FITTING[type];
    return fitting === undefined || without.has(name) ? [] : [{ name, fitting }];
  });
  return (record) => {
    let own = record;
    let marked = false;
    for (const { name, fitting } of fitted) {
      const value = own[name];
      if (value === undefined || value === null) continue;
      const made = fitting(value);
      if (made === value) continue;
      if (own === record) own = { ...record };
      own[name] = made;
      marked ||= typeof made === 'string' && made.startsWith(MARK);
    }
    if (without.size > 0) own = Object.fromEntries(Object.entries(own).filter(([name]) => !without.has(name)));
    const text = JSON.stringify(own);
    return marked ? text.replace(MARKED, '$1') : text;
  };
}

/** Whole lines without what some readers take for the end of one. */
export const safeLines = (text: string): string =>
  text.search(LINE_ENDS) === -1 ? text : text.replace(LINE_ENDS, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`);

type Present = Exclude<Json, null>;

const FITTING: Partial<Record<ColumnType, (value: Present) => Json>> = {
  integer: (value) =>
    typeof value === 'string' && value.length <= LONGEST && WHOLE.test(value) ? digits(String(BigInt(value.replace(/^\+/, '')))) : value,
  number: (value) => {
    if (typeof value !== 'string' || value.length > LONGEST || !DECIMAL.test(value) || !Number.isFinite(Number(value))) return value;
    return JSON_NUMBER.test(value) ? digits(value) : Number(value);
  },
  datetime: (value) => {
    if (typeof value === 'number') return momentText(value);
    return typeof value === 'string' ? rfc3339(value) : value;
  },
};

/** As a number where a double holds it, which is nearly always; else marked. */
function digits(text: string): Json {
  const number = Number(text);
  return String(number) === text ? number : MARK + text;
}

/** Seconds since the epoch, or milliseconds where seconds would lie beyond the year 5138. */
function momentText(value: number): Json {
  const at = Math.abs(value) < 1e11 ? value * 1000 : value;
  return Number.isNaN(new Date(at).getTime()) ? value : timeText(at);
}

/** RFC 3339 with all its parts; without a zone it is UTC, as in every destination. */
function rfc3339(text: string): string {
  const [, date, minutes = '00:00', seconds = ':00', fraction, zone = 'Z'] = TIME.exec(text) ?? [];
  if (date === undefined) return text;
  const offset = zone.length === 1 ? 'Z' : `${zone.slice(0, 3)}:${zone.length === 3 ? '00' : zone.slice(-2)}`;
  return `${date}T${minutes}${seconds}${fraction === undefined ? '' : `.${fraction}`}${offset}`;
}
