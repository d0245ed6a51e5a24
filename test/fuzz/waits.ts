import fc from 'fast-check';
import { createRateLimiter } from '../../framework/http/rate-limit.ts';
import type { RateLimit, ResetUnit } from '../../framework/http/types.ts';
import { askedWait, parseReset, retryAfter } from '../../framework/http/wait.ts';
import { FakeClock } from '../clock.ts';
import { edit, edited, hostile } from './hostile.ts';
import { must, type Property } from './target.ts';

const DAY = 86_400_000;
/** The year that the two digits of RFC 850 are read from. */
const NOW = Date.UTC(2026, 10, 27, 12, 0, 0);
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (number: number): string => String(number).padStart(2, '0');
const dayOf = (date: Date): string => DAYS[date.getUTCDay()]!;
const monthOf = (date: Date): string => MONTHS[date.getUTCMonth()]!;
const clockOf = (date: Date): string => [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');

/** RFC 9110, 5.6.7, each form written out by hand. */
const FORMS: Record<string, (date: Date) => string> = {
  imf: (date) =>
    `${dayOf(date).slice(0, 3)}, ${two(date.getUTCDate())} ${monthOf(date)} ${String(date.getUTCFullYear()).padStart(4, '0')} ${clockOf(date)} GMT`,
  rfc850: (date) => `${dayOf(date)}, ${two(date.getUTCDate())}-${monthOf(date)}-${two(date.getUTCFullYear() % 100)} ${clockOf(date)} GMT`,
  asctime: (date) =>
    `${dayOf(date).slice(0, 3)} ${monthOf(date)} ${String(date.getUTCDate()).padStart(2)} ${clockOf(date)} ${date.getUTCFullYear()}`,
};

/** A time as it is meant, as it is written, and how exactly a reader can know it. */
interface Written {
  as: ResetUnit | 'retry_after';
  text: string;
  /** Milliseconds since the epoch. */
  meant: number;
}

/** RFC 850 says only two digits of the year: within 50 years ahead of now, else the past (RFC 9110, 5.6.7). */
const soon = fc.integer({ min: NOW - 49 * 365 * DAY, max: NOW + 49 * 365 * DAY }).map((time) => time - (time % 1000));
const anyYear = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(9998, 0, 1) }).map((time) => time - (time % 1000));
const httpDates = fc
  .oneof(
    fc.record({ form: fc.constantFrom('imf', 'asctime'), time: anyYear }),
    fc.record({ form: fc.constantFrom('imf', 'asctime', 'rfc850'), time: soon }),
  )
  .map(({ form, time }) => ({ text: FORMS[form]!(new Date(time)), meant: time }));
const as = <T extends Written['as']>(unit: T, texts: fc.Arbitrary<Omit<Written, 'as'>>): fc.Arbitrary<Written> =>
  texts.map((one) => ({ ...one, as: unit }));
const seconds = fc.oneof(fc.nat({ max: 10_000 }), fc.nat({ max: 2_000_000_000 }));

const offset = fc.record({
  sign: fc.constantFrom(1, -1),
  hours: fc.nat({ max: 14 }),
  minutes: fc.constantFrom(0, 30, 45),
  colon: fc.boolean(),
});
const iso = fc
  .record({
    time: anyYear,
    ms: fc.option(fc.nat({ max: 999 })),
    zone: fc.oneof(fc.constantFrom('Z', '', ' UTC', ' Z'), offset),
    gap: fc.constantFrom('T', ' '),
  })
  .map(({ time, ms, zone, gap }) => {
    const shift = typeof zone === 'string' ? 0 : zone.sign * (zone.hours * 60 + zone.minutes) * 60_000;
    const [day, clock] = new Date(time + shift).toISOString().slice(0, 19).split('T') as [string, string];
    const fraction = ms === null ? '' : `.${String(ms).padStart(3, '0')}`;
    const name =
      typeof zone === 'string' ? zone : `${zone.sign < 0 ? '-' : '+'}${two(zone.hours)}${zone.colon ? ':' : ''}${two(zone.minutes)}`;
    return { text: `${day}${gap}${clock}${fraction}${name}`, meant: time + (ms ?? 0) };
  });
const duration = fc
  .record(
    { d: fc.nat({ max: 40 }), h: fc.nat({ max: 99 }), m: fc.nat({ max: 99 }), s: fc.nat({ max: 9999 }), ms: fc.nat({ max: 99_999 }) },
    { requiredKeys: [] },
  )
  .filter((parts) => Object.keys(parts).length > 0)
  .map(({ d, h, m, s, ms }) => {
    const part = (number: number | undefined, unit: string) => (number === undefined ? '' : `${number}${unit}`);
    const length = (((d ?? 0) * 24 + (h ?? 0)) * 60 + (m ?? 0)) * 60_000 + (s ?? 0) * 1000 + (ms ?? 0);
    return { text: part(d, 'd') + part(h, 'h') + part(m, 'm') + part(s, 's') + part(ms, 'ms'), meant: NOW + length };
  });

const written: fc.Arbitrary<Written> = fc.oneof(
  as('retry_after', httpDates),
  as('http_date', httpDates),
  as(
    'retry_after',
    seconds.map((s) => ({ text: String(s), meant: NOW + s * 1000 })),
  ),
  as(
    'seconds',
    seconds.map((s) => ({ text: String(s), meant: NOW + s * 1000 })),
  ),
  as(
    'epoch',
    soon.filter((time) => time >= 0).map((time) => ({ text: String(time / 1000), meant: time })),
  ),
  as(
    'epoch_ms',
    soon.filter((time) => time >= 0).map((time) => ({ text: String(time + 7), meant: time + 7 })),
  ),
  as('iso', iso),
  as('duration', duration),
);

const UNITS: ResetUnit[] = ['seconds', 'epoch', 'epoch_ms', 'iso', 'http_date', 'duration'];
const digits = fc.record({
  digit: fc.constantFrom('9', '0', '1'),
  times: fc.nat({ max: 400 }),
  end: fc.constantFrom('', '.5', 'd', 's', 'ms', 'h', 'm', 'e9'),
});
const noise: fc.Arbitrary<string> = fc.oneof(
  fc
    .record({ one: written, edits: fc.array(edit(), { minLength: 1, maxLength: 4 }) })
    .map(({ one, edits }) => edited([...one.text], edits).join('')),
  digits.map(({ digit, times, end }) => digit.repeat(times) + end),
  fc.array(hostile, { maxLength: 4 }).map((texts) => texts.join('')),
);

type Input = Written | { noise: string[]; unit: ResetUnit };

/** RFC 9111, 1.2.2: a larger number of seconds is taken for this one. */
const LONGEST = 2 ** 31 * 1000;
const isWait = (wait: number | undefined): boolean => wait === undefined || (wait >= 0 && wait <= LONGEST);

/** Texts of no meaning: no wait that cannot be waited, and a limiter that has seen them still lets its next caller go. */
async function checkNoise(texts: readonly string[], unit: ResetUnit): Promise<void> {
  const [asked = '', reset = '', remaining = '', total = ''] = texts;
  const headers = { 'retry-after': asked, 'x-reset': reset, 'x-left': remaining, 'x-limit': total };
  const limit: RateLimit = { requests: 5, per: 1000, remaining: 'X-Left', limit: 'X-Limit', reset: { header: 'X-Reset', as: unit } };
  const wait = retryAfter(headers, NOW);
  must(isWait(wait), () => `retryAfter(${JSON.stringify(asked)}) is ${wait}`);
  const time = parseReset(reset, unit, NOW);
  must(time === undefined || Math.abs(time) <= 8.64e15, () => `parseReset(${JSON.stringify(reset)}, ${unit}) is ${time}, which is no time`);
  const later = askedWait(headers, [limit], NOW);
  must(isWait(later), () => `askedWait(${JSON.stringify(headers)}, ${unit}) is ${later}`);
  const clock = new FakeClock(NOW);
  const limiter = createRateLimiter({ limits: [limit], clock, longest: Number.MAX_VALUE });
  limiter.observe('/x', headers);
  if (later !== undefined) limiter.pauseUntil(NOW + later);
  const states = limiter.state('/x');
  for (const { left, wait: told } of states) must(left >= 0 && Number.isFinite(told), () => `state: left ${left}, wait ${told}`);
  await limiter.acquire('/x');
  for (const slept of clock.slept) must(slept > 0 && slept <= LONGEST + 1000, () => `it slept ${slept}`);
}

export const waits: Property<Input> = {
  name: 'waits',
  input: fc.oneof(written, fc.record({ noise: fc.tuple(noise, noise, noise, noise), unit: fc.constantFrom(...UNITS) })),
  check(input) {
    if ('noise' in input) return checkNoise(input.noise, input.unit);
    const { as: unit, text, meant } = input;
    const padded = ` ${text}\t`;
    if (unit === 'retry_after') {
      const wait = retryAfter({ 'retry-after': padded }, NOW);
      const wanted = Math.min(LONGEST, Math.max(0, meant - NOW));
      must(wait === wanted, () => `Retry-After ${text}: ${wait}, meant ${wanted}`);
      return;
    }
    const time = parseReset(padded, unit, NOW);
    const wanted = Math.min(NOW + LONGEST, meant);
    must(time === wanted, () => `${text} as ${unit}: ${time}, meant ${wanted}`);
  },
};
