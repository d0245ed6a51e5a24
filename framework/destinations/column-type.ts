import type { ColumnType } from '../core/resolved.ts';
import type { Json } from '../core/value.ts';
import { dayOf, instantOf } from './instant.ts';

/** What a column of a table can be, in our words; each database has its own for them. `decimal`: whole numbers of up to 38 digits. */
export type SqlType = 'boolean' | 'integer' | 'decimal' | 'number' | 'date' | 'datetime' | 'text' | 'json';

/**
 * What a value is, as one bit, so that all values of a column in a batch are one number, whatever their order. Whole numbers beyond 2^53
 * come as text, so digits alone are looked at for how much room they need.
 */
const KIND = {
  boolean: 1,
  /** A number that is whole and exact. */
  integer: 2,
  fraction: 4,
  /** Digits of a number that a double holds exactly. */
  wholeText: 8,
  /** … that 64 bits hold. */
  longText: 16,
  /** … that 38 digits hold. */
  hugeText: 32,
  /** At most 15 digits with a point: a double gives them back. */
  decimalText: 64,
  dateText: 128,
  zonedText: 256,
  /** A date and a time of no zone. */
  localText: 512,
  otherText: 1024,
  nested: 2048,
} as const;

const { boolean, integer, fraction, wholeText, longText, hugeText, decimalText, dateText, zonedText, localText, nested } = KIND;
const ALL = 2 * nested - 1;

/** Which kinds a type holds without loss. */
const HOLDS: Readonly<Record<SqlType, number>> = {
  boolean,
  integer: integer | wholeText | longText,
  decimal: integer | wholeText | longText | hugeText,
  number: integer | fraction | wholeText | decimalText,
  date: dateText,
  // A date is its midnight; a time without a zone is UTC.
  datetime: dateText | zonedText | localText,
  text: ALL - nested,
  json: ALL,
};

/** What a type may become, nearest first. Nothing ever becomes narrower. */
const WIDER: Readonly<Record<SqlType, readonly SqlType[]>> = {
  boolean: ['boolean', 'text', 'json'],
  integer: ['integer', 'decimal', 'number', 'text', 'json'],
  decimal: ['decimal', 'text', 'json'],
  number: ['number', 'text', 'json'],
  date: ['date', 'datetime', 'text', 'json'],
  datetime: ['datetime', 'text', 'json'],
  text: ['text', 'json'],
  json: ['json'],
};

export const declaredType = (type: ColumnType): SqlType => (type === 'object' || type === 'list' ? 'json' : type);

/** The nearest type that holds what the column has and these kinds. `current` undefined: it has nothing, and values alone decide. */
export function typeFor(current: SqlType | undefined, kinds: number): SqlType {
  return WIDER[current ?? narrowest(kinds)].find((type) => (kinds & ~HOLDS[type]) === 0)!;
}

/** The nearest type that either can become. */
export const joinTypes = (one: SqlType, other: SqlType): SqlType => WIDER[one].find((type) => WIDER[other].includes(type))!;

/**
 * Where nothing is declared. Digits in quotes stay text unless plain numbers stand beside them: they are as likely a code as a number. A
 * time without a zone stays text too: nobody has said that it is UTC.
 */
function narrowest(kinds: number): SqlType {
  if (kinds & (integer | fraction)) return 'integer';
  if (kinds & boolean) return 'boolean';
  return (kinds & ~(dateText | zonedText)) === 0 ? 'date' : 'text';
}

/** The bit of a value; 0 for null, which says nothing about a type. */
export function kindOf(value: Json | undefined): number {
  switch (typeof value) {
    case 'string':
      return kindOfText(value);
    case 'number':
      return Number.isSafeInteger(value) ? integer : fraction;
    case 'boolean':
      return boolean;
    case 'undefined':
      return 0;
    default:
      return value === null ? 0 : nested;
  }
}

/** Whether the kinds so far leave only text or JSON, so that texts need not be looked at. */
export const isTextAlready = (kinds: number): boolean => (kinds & KIND.otherText) !== 0;

const LONGEST = 40;
const WHOLE = /^(?:0|-?[1-9]\d*)$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)\.\d+$/;

function kindOfText(text: string): number {
  const first = text.charCodeAt(0);
  if (text.length > LONGEST || !((first >= 48 && first <= 57) || first === 45)) return KIND.otherText;
  // With a dash behind the year it is no number.
  if (text.charCodeAt(4) !== 45) {
    if (WHOLE.test(text)) return kindOfDigits(text);
    if (DECIMAL.test(text)) return text.replace(/^-?0?\.?0*|\./g, '').length <= 15 ? decimalText : KIND.otherText;
  }
  if (dayOf(text) !== undefined) return dateText;
  const instant = instantOf(text);
  if (instant === undefined) return KIND.otherText;
  return instant.zoned ? zonedText : localText;
}

const LONG_MOST = 2n ** 63n - 1n;
const EXACT_MOST = 2n ** 53n;

function kindOfDigits(text: string): number {
  const digits = text.length - (text.startsWith('-') ? 1 : 0);
  if (digits <= 15) return wholeText;
  if (digits > 38) return KIND.otherText;
  const value = BigInt(text);
  if (value >= -EXACT_MOST && value <= EXACT_MOST) return wholeText;
  return value >= -LONG_MOST - 1n && value <= LONG_MOST ? longText : hugeText;
}
