import type { Random } from '../core/clock.ts';
import type { RateLimit, ResetUnit, RetryPolicy } from './types.ts';

/** First step of every backoff, ms. */
const STEP = 1000;
/** RFC 9111, 1.2.2: whatever is longer is taken for 2^31 seconds, ms. */
const LONGEST = 2 ** 31 * 1000;

/**
 * The wait before retry number `retry` (1 for the first), ms: exponential with full jitter (a random part of 1 s, 2 s, 4 s … so that
 * callers that failed together do not come back together), linear 1 s, 2 s, 3 s, constant 1 s; never above `longest`.
 */
export function backoff(policy: Pick<RetryPolicy, 'backoff' | 'longest' | 'multiplyWaitTime'>, retry: number, random: Random): number {
  if (policy.multiplyWaitTime === false || policy.backoff === 'constant') return Math.min(policy.longest, STEP);
  if (policy.backoff === 'linear') return Math.min(policy.longest, STEP * retry);
  return Math.round(random.float() * Math.min(policy.longest, STEP * 2 ** Math.min(retry - 1, 30)));
}

/** Retry-After (RFC 9110 section 10.2.3) in both forms, as milliseconds from now; undefined when absent or unreadable. */
export function retryAfter(headers: Record<string, string>, now: number): number | undefined {
  const text = headers['retry-after']?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(LONGEST, Math.ceil(Number(text) * 1000));
  const time = httpDate(text, now);
  return time === undefined ? undefined : Math.min(LONGEST, Math.max(0, time - now));
}

/** What the server asks a refused caller to wait, ms: Retry-After, else the latest reset that the spec's limits name. */
export function askedWait(headers: Record<string, string>, limits: readonly RateLimit[], now: number): number | undefined {
  const asked = retryAfter(headers, now);
  if (asked !== undefined) return asked;
  const resets = limits.flatMap(({ reset, remaining }) => {
    if (!reset) return [];
    const left = remaining === undefined ? undefined : headers[remaining.toLowerCase()];
    if (left !== undefined && Number.parseInt(left, 10) > 0) return []; // this limit is not the one that was hit
    const time = parseReset(headers[reset.header.toLowerCase()], reset.as, now);
    // One that has passed, be it by two clocks that differ, says nothing: to come back at once would only spend the retries.
    return time === undefined || time <= now ? [] : [time - now];
  });
  return resets.length === 0 ? undefined : Math.max(...resets);
}

/** The time that a reset header names, ms since the epoch. */
export function parseReset(text: string | undefined, as: ResetUnit, now: number): number | undefined {
  const trimmed = text?.trim();
  const time = trimmed === undefined || trimmed === '' ? undefined : timeOf(trimmed, as, now);
  return time === undefined ? undefined : Math.min(now + LONGEST, time);
}

function timeOf(trimmed: string, as: ResetUnit, now: number): number | undefined {
  if (as === 'http_date') return httpDate(trimmed, now);
  if (as === 'iso') return isoTime(trimmed);
  if (as === 'duration') {
    const duration = parseDuration(trimmed);
    return duration === undefined ? undefined : now + duration;
  }
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return undefined;
  const number = Number(trimmed);
  return as === 'seconds' ? now + Math.ceil(number * 1000) : as === 'epoch' ? Math.ceil(number * 1000) : number;
}

/** `1d2h3m4.5s`, `250ms` and parts of it. */
function parseDuration(text: string): number | undefined {
  const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/.exec(text);
  if (!parts) return undefined;
  const [d = 0, h = 0, m = 0, s = 0, ms = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return Math.ceil((((d * 24 + h) * 60 + m) * 60 + s) * 1000 + ms);
}

/** The three forms of RFC 9110 section 5.6.7 begin with a day's name, and all are UTC. */
function httpDate(text: string, now: number): number | undefined {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun).* \d\d:\d\d:\d\d/.test(text)) return undefined;
  const whole = text.replace(/-(\d\d) /, (_, year: string) => `-${nearest(Number(year), new Date(now).getUTCFullYear())} `);
  const time = Date.parse(/GMT|UTC/.test(whole) ? whole : `${whole} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

/** Two digits of a year: at most 50 years ahead, else in the past (RFC 9110, 5.6.7). */
function nearest(year: number, now: number): number {
  const ahead = (year - now) % 100;
  return now + (ahead < -49 ? ahead + 100 : ahead);
}

/** A time without a zone is UTC. */
function isoTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(text);
  if (!match) return undefined;
  const [, day, clock, zone = 'Z'] = match;
  const time = Date.parse(`${day}T${clock}${zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(time) ? undefined : time;
}
