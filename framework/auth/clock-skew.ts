import type { Resolved } from '../core/resolved.ts';
import { parseTime } from '../core/time.ts';

/** A clock that differs by less is right enough: a Date header has whole seconds, and an answer takes its time. Milliseconds. */
const TOLERATED = 30_000;

/**
 * How far a provider's clock (the Date of its answer, RFC 9110, 6.6.1) is ahead of this machine's, both in milliseconds since the epoch;
 * 0 where that is little or unknown.
 */
export function clockSkew(served: number | undefined, now: number): number {
  const skew = served === undefined ? 0 : served - now;
  return Math.abs(skew) > TOLERATED ? skew : 0;
}

/** A Date header as milliseconds since the epoch. */
export const servedAt = (date: string | undefined): number | undefined => (date === undefined ? undefined : parseTime(date, 'http_date'));

/** Whether anything that the method sends says what time it is: an assertion, or an expression over `now`. */
export const tellsTime = ({ steps, client_auth, token, refresh, vars, send }: Resolved['method']): boolean =>
  steps.some(({ type }) => type === 'made') ||
  client_auth.endsWith('_jwt') ||
  /\$\{[^}]*\bnow\b/.test(JSON.stringify([steps, token, refresh, vars, send]));
