/** A moment that both databases hold exactly: the years 1 to 9999 in UTC, to the microsecond. */
export interface Instant {
  /** Epoch milliseconds of the whole second. */
  second: number;
  /** Six digits behind the second. */
  micros: string;
  /** The text named its zone. */
  zoned: boolean;
}

const DAY = 86_400_000;
/** The calendar repeats itself after 400 years. */
const ERA = 146_097 * DAY;
const FIRST = Date.UTC(401, 0, 1) - ERA;
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * ISO 8601 with date and time; without a zone it is UTC. Undefined for all that a column could not hold exactly: digits beyond
 * microseconds, leap seconds, other years. (core/time.ts reads milliseconds, and is too slow for each value of each record.)
 */
export function instantOf(text: string): Instant | undefined {
  return usualInstant(text) ?? anyInstant(text);
}

/** `2026-01-31T10:00:00Z`, with milliseconds or without: nearly all are written so, and a pattern takes three times as long. */
function usualInstant(text: string): Instant | undefined {
  const withMillis = text.length === 24 && text[19] === '.';
  if ((text.length !== 20 && !withMillis) || !text.endsWith('Z') || text[10] !== 'T') return undefined;
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined;
  const [century, year, month, date] = [digits(text, 0), digits(text, 2), digits(text, 5), digits(text, 8)];
  const [hour, minute, seconds] = [digits(text, 11), digits(text, 14), digits(text, 17)];
  const [tenths, thousandth] = withMillis ? [digits(text, 20), text.charCodeAt(22) - 48] : [0, 0];
  const sum = century + year + month + date + hour + minute + seconds + tenths;
  if (Number.isNaN(sum) || thousandth < 0 || thousandth > 9 || hour > 23 || minute > 59 || seconds > 59) return undefined;
  const day = dayNumber(century * 100 + year, month, date);
  if (day === undefined) return undefined;
  const second = day * DAY + ((hour * 60 + minute) * 60 + seconds) * 1000;
  return { second, micros: withMillis ? `${text.slice(20, 23)}000` : '000000', zoned: true };
}

/** Of two places; NaN where no digits stand there. */
function digits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function anyInstant(text: string): Instant | undefined {
  const parts = INSTANT.exec(text);
  if (!parts) return undefined;
  const [, year, month, date, hour, minute, seconds = '0', fraction = '', zone] = parts;
  const day = dayNumber(Number(year), Number(month), Number(date));
  if (day === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(seconds) > 59) return undefined;
  const east = zone === undefined ? 0 : minutesEast(zone);
  if (east === undefined || /[1-9]/.test(fraction.slice(6))) return undefined;
  const second = day * DAY + ((Number(hour) * 60 + Number(minute) - east) * 60 + Number(seconds)) * 1000;
  if (second < FIRST || second > LAST) return undefined;
  return { second, micros: fraction.slice(0, 6).padEnd(6, '0'), zoned: zone !== undefined };
}

/** Days since the epoch; undefined unless the text is a date of the calendar from the year 1 on, and nothing else. */
export function dayOf(text: string): number | undefined {
  const parts = DATE.exec(text);
  return parts ? dayNumber(Number(parts[1]), Number(parts[2]), Number(parts[3])) : undefined;
}

/** Of a text that is known to be a date or an instant: the instant, at midnight for a date. */
export const knownInstant = (text: string): Instant => instantOf(text.length === 10 ? `${text}T00:00Z` : text)!;

/** `2026-01-31T10:00:00.250000Z` */
export const instantText = ({ second, micros }: Instant): string => `${new Date(second).toISOString().slice(0, 19)}.${micros}Z`;

/** Microseconds since the epoch. */
export function instantMicros({ second, micros }: Instant): bigint {
  const sum = second * 1000 + Number(micros);
  // Until the year 2255 a double has it, which is several times as fast.
  return Number.isSafeInteger(sum) ? BigInt(sum) : BigInt(second) * 1000n + BigInt(micros);
}

function dayNumber(year: number, month: number, day: number): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  // In another era, since Date.UTC takes the year 1 for 1901.
  return (Date.UTC(year + 400, month - 1, day) - ERA) / DAY;
}

const daysIn = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31;

function minutesEast(zone: string): number | undefined {
  if (zone.length === 1) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + (zone.length === 3 ? 0 : minutes));
}
