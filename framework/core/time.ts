/** `iso`, `iso_ms`, `date`, `epoch`, `epoch_ms`, `http_date`, or a strftime pattern. All times are UTC, as epoch milliseconds. */
export type TimeFormat = string;

const NAMED = ['iso', 'iso_ms', 'date', 'epoch', 'epoch_ms', 'http_date'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const DAY_MS = 86_400_000;

const two = (value: number): string => String(value).padStart(2, '0');
const short = (name: string): string => name.slice(0, 3);
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;

/** What a strftime conversion writes and how it is read back; `set` puts what was read into the parts. */
interface Conversion {
  write(date: Date): string;
  pattern: string;
  set?(parts: Parts, text: string): void;
}

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  /** Minutes east of UTC. */
  zone: number;
  pm?: boolean;
  epoch?: number;
  dayOfYear?: number;
}

const number = (key: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second') => (parts: Parts, text: string) => {
  parts[key] = Number(text);
};
const monthByName = (parts: Parts, text: string) => {
  parts.month = MONTHS.findIndex((name) => name.slice(0, 3).toLowerCase() === text.slice(0, 3).toLowerCase()) + 1;
};
const names = (list: string[], shorten = false): string => `(?:${list.map((name) => (shorten ? short(name) : name)).join('|')})`;

const CONVERSIONS: Record<string, Conversion> = {
  Y: { write: (d) => String(d.getUTCFullYear()).padStart(4, '0'), pattern: '\\d{4}', set: number('year') },
  y: {
    write: (d) => two(d.getUTCFullYear() % 100),
    pattern: '\\d{2}',
    set: (p, t) => {
      p.year = Number(t) + (Number(t) < 69 ? 2000 : 1900);
    },
  },
  m: { write: (d) => two(d.getUTCMonth() + 1), pattern: '\\d{1,2}', set: number('month') },
  B: { write: (d) => MONTHS[d.getUTCMonth()]!, pattern: names(MONTHS), set: monthByName },
  b: { write: (d) => short(MONTHS[d.getUTCMonth()]!), pattern: names(MONTHS, true), set: monthByName },
  d: { write: (d) => two(d.getUTCDate()), pattern: '\\d{1,2}', set: number('day') },
  e: { write: (d) => String(d.getUTCDate()).padStart(2), pattern: ' ?\\d{1,2}', set: number('day') },
  j: {
    write: (d) => String(dayOfYear(d)).padStart(3, '0'),
    pattern: '\\d{1,3}',
    set: (p, t) => {
      p.dayOfYear = Number(t);
    },
  },
  A: { write: (d) => DAYS[d.getUTCDay()]!, pattern: names(DAYS) },
  a: { write: (d) => short(DAYS[d.getUTCDay()]!), pattern: names(DAYS, true) },
  H: { write: (d) => two(d.getUTCHours()), pattern: '\\d{1,2}', set: number('hour') },
  I: { write: (d) => two(d.getUTCHours() % 12 || 12), pattern: '\\d{1,2}', set: number('hour') },
  p: {
    write: (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM'),
    pattern: '[AaPp][Mm]',
    set: (p, t) => {
      p.pm = t.toLowerCase() === 'pm';
    },
  },
  M: { write: (d) => two(d.getUTCMinutes()), pattern: '\\d{1,2}', set: number('minute') },
  S: { write: (d) => two(d.getUTCSeconds()), pattern: '\\d{1,2}', set: number('second') },
  L: {
    write: (d) => String(d.getUTCMilliseconds()).padStart(3, '0'),
    pattern: '\\d{3}',
    set: (p, t) => {
      p.ms = Number(t);
    },
  },
  f: {
    write: (d) => `${String(d.getUTCMilliseconds()).padStart(3, '0')}000`,
    pattern: '\\d{1,9}',
    set: (p, t) => {
      p.ms = Math.trunc(Number(`0.${t}`) * 1000 + 1e-9);
    },
  },
  s: {
    write: (d) => String(Math.floor(d.getTime() / 1000)),
    pattern: '-?\\d{1,12}',
    set: (p, t) => {
      p.epoch = Number(t) * 1000;
    },
  },
  z: {
    write: () => '+0000',
    pattern: '(?:Z|[+-]\\d{2}:?\\d{2})',
    set: (p, t) => {
      p.zone = zoneMinutes(t);
    },
  },
  Z: { write: () => 'UTC', pattern: '(?:UTC|GMT|Z)' },
  '%': { write: () => '%', pattern: '%' },
};
const EXPANSIONS: Record<string, string> = { F: '%Y-%m-%d', T: '%H:%M:%S', D: '%m/%d/%y', R: '%H:%M' };

const expand = (format: string): string => format.replace(/%([FTDR])/g, (_, letter: string) => EXPANSIONS[letter]!);

function zoneMinutes(text: string): number {
  if (/^(z|utc)$/i.test(text)) return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text)!;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** What is wrong with a format, or undefined. A pattern has at least one % conversion. */
export function timeFormatProblem(format: string): string | undefined {
  if (NAMED.includes(format)) return undefined;
  if (!format.includes('%')) return `${format} is no time format: use ${NAMED.join(', ')}, or a strftime pattern such as %Y-%m-%d.`;
  for (const [, letter] of expand(format).matchAll(/%(.?)/gs)) {
    if (!Object.hasOwn(CONVERSIONS, letter!)) {
      return `%${letter} is no conversion that Ferrule knows; there are ${[...Object.keys(CONVERSIONS), ...Object.keys(EXPANSIONS)].map((c) => `%${c}`).join(' ')}.`;
    }
  }
  return undefined;
}

/** @param time epoch milliseconds */
export function formatTime(time: number, format: TimeFormat): string {
  const date = new Date(time);
  switch (format) {
    case 'iso':
      return `${date.toISOString().slice(0, -5)}Z`;
    case 'iso_ms':
      return date.toISOString();
    case 'date':
      return date.toISOString().slice(0, -14);
    case 'epoch':
      return String(Math.floor(time / 1000));
    case 'epoch_ms':
      return String(time);
    case 'http_date':
      return date.toUTCString();
    default:
      return expand(format).replace(/%(.)/gs, (_, letter: string) => CONVERSIONS[letter]?.write(date) ?? `%${letter}`);
  }
}

/** How a timestamp becomes text where no format is named: RFC 3339 in UTC, with a fraction only when there is one. */
export function timeText(time: number | Date): string {
  const ms = typeof time === 'number' ? time : time.getTime();
  return formatTime(ms, ms % 1000 === 0 ? 'iso' : 'iso_ms');
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|z|UTC|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Epoch milliseconds, or undefined when the text does not fit. `iso` and `iso_ms` take any RFC 3339 text, also with UTC for its Z as
 * Ruby writes it, a bare date, and a time without a zone as UTC. A pattern without a zone is UTC.
 */
export function parseTime(text: string | number, format: TimeFormat): number | undefined {
  switch (format) {
    case 'iso':
    case 'iso_ms':
      return typeof text === 'string' ? parseRfc3339(text) : undefined;
    case 'date':
      return typeof text === 'string' && text.length === 10 ? parseRfc3339(text) : undefined;
    case 'epoch':
    case 'epoch_ms': {
      if (typeof text === 'string' && !/^-?\d{1,16}(\.\d{1,9})?$/.test(text)) return undefined;
      const value = Number(text) * (format === 'epoch' ? 1000 : 1);
      return Number.isFinite(value) && Math.abs(value) <= 8.64e15 ? Math.round(value) : undefined;
    }
    case 'http_date':
      return typeof text === 'string' ? parsePattern(text, '%a, %d %b %Y %H:%M:%S GMT') : undefined;
    default:
      return parsePattern(String(text), format);
  }
}

function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Math.trunc(Number(`0.${match[7] ?? 0}`) * 1000 + 1e-9);
  return toEpoch({ year, month, day, hour, minute, second, ms, zone: match[8] ? zoneMinutes(match[8]) : 0 });
}

const patterns = new Map<string, { regexp: RegExp; sets: Conversion[] } | undefined>();

function patternOf(format: string): { regexp: RegExp; sets: Conversion[] } | undefined {
  if (patterns.has(format)) return patterns.get(format);
  const sets: Conversion[] = [];
  let source = '';
  let known = timeFormatProblem(format) === undefined;
  for (const [piece, letter] of expand(format).matchAll(/%(.)|[^%]+/gs)) {
    if (letter === undefined) {
      source += piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
      continue;
    }
    const conversion = CONVERSIONS[letter];
    if (!conversion) known = false;
    else {
      source += `(${conversion.pattern})`;
      sets.push(conversion);
    }
  }
  const result = known ? { regexp: new RegExp(`^${source}$`, 'i'), sets } : undefined;
  if (patterns.size > 1000) patterns.clear();
  patterns.set(format, result);
  return result;
}

function parsePattern(text: string, format: string): number | undefined {
  const pattern = patternOf(format);
  const match = text.length <= 200 ? pattern?.regexp.exec(text) : undefined;
  if (!pattern || !match) return undefined;
  const parts: Parts = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, ms: 0, zone: 0 };
  pattern.sets.forEach((conversion, index) => {
    conversion.set?.(parts, match[index + 1]!);
  });
  if (parts.epoch !== undefined) return parts.epoch + parts.ms;
  if (parts.pm !== undefined) {
    if (parts.hour < 1 || parts.hour > 12) return undefined;
    parts.hour = (parts.hour % 12) + (parts.pm ? 12 : 0);
  }
  if (parts.dayOfYear !== undefined) {
    const start = toEpoch({ ...parts, month: 1, day: 1 });
    return start === undefined ? undefined : start + (parts.dayOfYear - 1) * DAY_MS;
  }
  return toEpoch(parts);
}

/** Refuses 30 February and 25 o'clock, which `Date.UTC` would carry over; a leap second counts as the second before. */
function toEpoch(parts: Parts): number | undefined {
  const { year, month, day, hour, minute, ms, zone } = parts;
  const second = parts.second === 60 ? 59 : parts.second;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1) return undefined;
  date.setUTCHours(hour, minute, second, ms);
  return date.getTime() - zone * 60_000;
}
