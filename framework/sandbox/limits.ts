import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import type { RateLimit } from '../core/spec-types.gen.ts';

/** Counts requests by the spec's limits, in fixed windows that begin with whole multiples of their length. */
export class Limits {
  readonly #clock: Clock;
  readonly #counts = new Map<string, { window: number; used: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one request. Gives the headers that tell what remains, and how long to wait (ms) when a limit is passed. */
  count(limits: readonly RateLimit[], path: string): { headers: Record<string, string>; wait: number; passed: RateLimit | undefined } {
    const now = this.#clock.now();
    const headers: Record<string, string> = {};
    let wait = 0;
    let passed: RateLimit | undefined;
    for (const limit of limits) {
      if (limit.match !== undefined && !path.includes(limit.match)) continue;
      const length = parseDuration(limit.per) ?? 1000;
      const window = Math.floor(now / length);
      const key = JSON.stringify(limit);
      const known = this.#counts.get(key);
      const used = (known?.window === window ? known.used : 0) + 1;
      this.#counts.set(key, { window, used });
      if (limit.limit !== undefined) headers[limit.limit.toLowerCase()] = String(limit.requests);
      if (limit.remaining !== undefined) headers[limit.remaining.toLowerCase()] = String(Math.max(0, limit.requests - used));
      const rest = (window + 1) * length - now;
      if (used > limit.requests && rest > wait) [wait, passed] = [rest, limit];
    }
    return { headers, wait, passed };
  }
}

/** The spec's own header that says when the count starts anew, in its own unit. */
export function resetHeader(limit: RateLimit | undefined, now: number, wait: number): Record<string, string> {
  if (limit?.reset === undefined) return {};
  const { header, as } = limit.reset;
  const at = now + wait;
  const values: Record<typeof as, string> = {
    seconds: String(Math.ceil(wait / 1000)),
    duration: `${Math.ceil(wait / 1000)}s`,
    epoch: String(Math.ceil(at / 1000)),
    epoch_ms: String(at),
    iso: new Date(at).toISOString(),
    http_date: httpDate(at),
  };
  return { [header.toLowerCase()]: values[as] };
}

/** RFC 9110, 5.6.7; whole seconds, never earlier than asked. */
export const httpDate = (time: number): string => new Date(Math.ceil(time / 1000) * 1000).toUTCString();
