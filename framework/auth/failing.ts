import type { Random } from '../core/clock.ts';
import { ERRORS, type ErrorCode } from '../core/error-table.ts';
import { type ErrorKind, FerruleError, isFerruleError } from '../core/errors.ts';
import type { Credential, FailingRenewal } from '../credentials/types.ts';

const FIRST = 1000;
const LONGEST = 300_000;

/** What the provider or the network said. All else, and that only a person can go on, says nothing about the next try. */
const COUNTED: ReadonlySet<ErrorKind> = new Set(['transient', 'rate_limit', 'auth', 'permission', 'request', 'data']);

/**
 * What is kept of a renewal that failed: no other is sent before `until`, by any process. The pause doubles from 1 s to 5 min, each time
 * a random part of its upper half, and is as long as the server asked for if that is longer. Undefined: it does not count.
 */
export function failedAgain(before: FailingRenewal | undefined, error: unknown, now: number, random: Random): FailingRenewal | undefined {
  if (!isFerruleError(error) || !COUNTED.has(error.kind) || error.code === 'reconnect_required') return undefined;
  const count = (before?.count ?? 0) + 1;
  const pause = Math.min(LONGEST, FIRST * 2 ** Math.min(count - 1, 20));
  const { code, kind, message, where, status, provider, providerCode, retryAfter = 0 } = error;
  return {
    since: before?.since ?? new Date(now).toISOString(),
    count,
    at: now,
    until: now + Math.round(Math.max(retryAfter, pause * (0.5 + random.float() / 2))),
    code,
    kind,
    message,
    ...(status !== undefined && { status }),
    ...(provider !== undefined && { provider }),
    ...(providerCode !== undefined && { providerCode }),
    ...(where !== undefined && { where }),
  };
}

/**
 * The last failure again, for a caller that comes before the next try, or that had `asked` before it failed and waited for its turn: the
 * same code, and when the next try is.
 */
export function paused({ name, failing }: Credential, now: number, asked = Number.POSITIVE_INFINITY): FerruleError | undefined {
  // A failure yet to come was written by a clock that has been set back since: nobody waits for that.
  if (failing === undefined || failing.at > now || (now >= failing.until && asked > failing.at)) return undefined;
  const { code, kind, message, count, since, until, status, provider, providerCode } = failing;
  const left = Math.max(0, until - now);
  const tries = count === 1 ? `It failed at ${since}` : `It failed ${count} times since ${since}`;
  // Written by another version, the code may be none of ours.
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'token_refused';
  return new FerruleError(known, `${message} (${tries}; it is not tried again for ${Math.ceil(left / 1000)} s.)`, {
    where: failing.where ?? (name === '' ? undefined : name),
    kind,
    retryAfter: left,
    ...(status !== undefined && { status }),
    ...(provider !== undefined && { provider }),
    ...(providerCode !== undefined && { providerCode }),
    next: name === '' ? 'Wait.' : `Wait, or try at once: \`ferrule credentials renew '${name}'\`. ${ERRORS[known].next}`,
  });
}
