import { parseDuration } from '../core/duration.ts';
import { FerruleError } from '../core/errors.ts';
import { compilePath, readRequired } from '../core/path.ts';
import { reveal, Secret } from '../core/secret.ts';
import type { Expires } from '../core/spec-types.gen.ts';
import { parseTime } from '../core/time.ts';
import type { Json } from '../core/value.ts';
import type { CaptureValue } from '../credentials/types.ts';
import { jwtExpiry } from './jwt.ts';

export interface Expiry {
  /** When it ends. Milliseconds since the epoch. */
  ends: number;
  /** When it is renewed: the margin before the end, or half its life if that is shorter than twice the margin. */
  renew: number;
}

const DEFAULT_MARGIN = '60s';
/** The last moment that a Date can tell; a lifetime of 1e308 seconds would lead beyond all numbers. */
const LAST = 8.64e15;

/**
 * How long captured values hold: `in`, then `at`, then the `exp` of a captured `jwt`, then `default`. Undefined: not known or
 * never; a 401 is what renews it then. `expires_in` may come as a number or as text. `skew`: how far the provider's clock, by which
 * it says a time, is ahead of this machine's, by which that time is waited for. Milliseconds.
 */
export function expiry(
  expires: Expires | undefined,
  body: Json,
  now: number,
  step: string,
  captures: Readonly<Record<string, CaptureValue>> = {},
  skew = 0,
): Expiry | undefined {
  if (expires === undefined || expires.never === true) return undefined;
  const here = (time: number | undefined) => (time === undefined ? undefined : time - skew);
  const found =
    fromLifetime(expires, body, now, step) ??
    here(fromTime(expires, body, step) ?? fromJwt(expires, captures)) ??
    fromDefault(expires, now);
  if (found === undefined) return undefined;
  const ends = Math.min(found, LAST);
  const margin = parseDuration(expires.margin ?? DEFAULT_MARGIN) ?? 0;
  return { ends, renew: ends - Math.min(margin, Math.max(0, (ends - now) / 2)) };
}

function fromLifetime(expires: Expires, body: Json, now: number, step: string): number | undefined {
  // An `at` of the author's own, where the type has its `in`: a time stands there.
  if (expires.in === undefined || withoutMark(expires.in) === withoutMark(expires.at ?? '')) return undefined;
  const found = look(expires.in, body, step);
  if (found === undefined) return undefined;
  const amount = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  if (typeof amount !== 'number' || !Number.isFinite(amount) || amount < 0) {
    throw new FerruleError('token_malformed', `${step}: ${expires.in} is no number of seconds`, { where: expires.in });
  }
  return now + amount * (expires.as === 'ms' ? 1 : 1000);
}

function fromTime(expires: Expires, body: Json, step: string): number | undefined {
  if (expires.at === undefined) return undefined;
  const found = look(expires.at, body, step);
  if (found === undefined) return undefined;
  // `s` and `ms` speak of `in`.
  const format = expires.as === undefined || expires.as === 's' || expires.as === 'ms' ? 'iso' : expires.as;
  const time = typeof found === 'string' || typeof found === 'number' ? parseTime(found, format) : undefined;
  if (time === undefined)
    throw new FerruleError('token_malformed', `${step}: ${expires.at} is no time of format ${format}`, { where: expires.at });
  return time;
}

/** A token that is no JWT says nothing. */
function fromJwt({ jwt }: Expires, captures: Readonly<Record<string, CaptureValue>>): number | undefined {
  const token = jwt === undefined ? undefined : captures[jwt];
  return typeof token === 'string' || token instanceof Secret ? jwtExpiry(reveal(token)) : undefined;
}

function fromDefault(expires: Expires, now: number): number | undefined {
  const lifetime = expires.default === undefined ? undefined : parseDuration(expires.default);
  return lifetime === undefined ? undefined : now + lifetime;
}

const withoutMark = (path: string): string => path.replace(/\?$/, '');

/** With a default (or another rung) below it, a missing value is no error. */
function look(path: string, body: Json, step: string): Json | undefined {
  const compiled = compilePath(`${withoutMark(path)}?`);
  return readRequired(compiled, body, `${step}: expires`) ?? undefined;
}
