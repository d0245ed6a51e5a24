import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { abortable } from './run.ts';
import type { RateLimit } from './types.ts';
import { parseReset } from './wait.ts';

export interface RateLimiterOptions {
  limits: readonly RateLimit[];
  clock: Clock;
  /** The longest wait for a turn, ms; a longer one fails at once. */
  longest: number;
}

/** One limit as it stands. */
export interface LimitState {
  /** Its place in the list of limits. */
  index: number;
  /** So many in any `per` ms; what the server told goes before what the spec says. */
  requests: number;
  per: number;
  scope: NonNullable<RateLimit['scope']>;
  match: string | undefined;
  /** Requests that may be sent at once. */
  left: number;
  /** Milliseconds until the next may be sent. */
  wait: number;
}

/** All callers of one credential queue here. */
export interface RateLimiter {
  /** False: no path has a limit, whatever its name. */
  readonly limited: boolean;
  /** Resolves when a request to `path` may be sent. `onWait` hears of each wait before it begins. */
  acquire(path: string, options?: { signal?: AbortSignal; onWait?: (ms: number, reason: string) => void; longest?: number }): Promise<void>;
  /** Takes a turn if one is free and nobody waits for it. */
  tryAcquire(path: string): boolean;
  /** Learns from the headers of an answer (lower-case names). */
  observe(path: string, headers: Record<string, string>): void;
  /** How the limits for `path` stand now. */
  state(path: string): LimitState[];
  /** No request is sent before this time (ms since the epoch): the server asked for it. */
  pauseUntil(time: number): void;
}

/** The last requests, oldest first: at most `limit.requests` of them in any `per` ms, which fits fixed and sliding counters alike. */
interface Window {
  limit: RateLimit;
  matches: (path: string) => boolean;
  requests: number;
  /** Those of one moment together: a server may tell of as many as it likes. */
  sent: { at: number; count: number }[];
  /** Of all of them. */
  count: number;
  blockedUntil: number;
}

export function createRateLimiter({ limits, clock, longest }: RateLimiterOptions): RateLimiter {
  const windows = limits.map((limit) => windowOf(limit, clock));
  /** One queue for each set of limits that apply together, so that a narrow limit does not hold up other requests. */
  const queues = new Map<string, Promise<void>>();
  let pausedUntil = 0;

  /** Milliseconds until a request may go; 0 for now. */
  const waitFor = (applying: Window[]): { wait: number; reason: string } => {
    const now = clock.now();
    let free = pausedUntil;
    let reason = 'the server asked to wait';
    for (const window of applying) {
      const next = nextFree(window, now);
      if (next > free) {
        free = next;
        reason = `limit of ${window.requests} requests in ${window.limit.per} ms`;
      }
    }
    return { wait: Math.max(0, Math.ceil(free - now)), reason };
  };

  const turn: (applying: Window[], options: Parameters<RateLimiter['acquire']>[1]) => Promise<void> = async (applying, options) => {
    for (;;) {
      const { wait, reason } = waitFor(applying);
      if (wait === 0) break;
      if (wait > (options?.longest ?? longest)) {
        throw new FerruleError('rate_limited', `The next request may be sent in ${Math.ceil(wait / 1000)} s (${reason}).`, {
          retryAfter: wait,
        });
      }
      options?.onWait?.(wait, reason);
      await clock.sleep(wait, options?.signal);
    }
    const now = clock.now();
    for (const window of applying) enter(window, now, 1);
  };

  const applyingTo = (path: string) => {
    const applying = windows.filter((window) => window.matches(path));
    return { applying, key: applying.map((window) => windows.indexOf(window)).join() };
  };

  return {
    limited: windows.length > 0,

    tryAcquire(path) {
      if (windows.length === 0 && pausedUntil === 0) return true;
      const { applying, key } = applyingTo(path);
      if (queues.has(key) || waitFor(applying).wait > 0) return false;
      const now = clock.now();
      for (const window of applying) enter(window, now, 1);
      return true;
    },

    async acquire(path, options) {
      options?.signal?.throwIfAborted();
      const { applying, key } = applyingTo(path);
      const before = queues.get(key);
      let leave: () => void = () => {};
      const mine = new Promise<void>((resolve) => {
        leave = resolve;
      });
      queues.set(key, mine);
      void mine.then(() => queues.get(key) === mine && queues.delete(key));
      try {
        await abortable(before ?? Promise.resolve(), options?.signal);
        await turn(applying, options);
      } finally {
        // Who gives up while others are ahead leaves its place to be passed through in order.
        void (before ?? Promise.resolve()).then(leave);
      }
    },

    observe(path, headers) {
      const now = clock.now();
      for (const window of windows) if (window.matches(path)) learn(window, headers, now);
    },

    state(path) {
      const now = clock.now();
      return windows.flatMap((window, index): LimitState[] => {
        if (!window.matches(path)) return [];
        const wait = Math.max(0, Math.ceil(Math.max(pausedUntil, nextFree(window, now)) - now));
        const { requests, count, limit } = window;
        const left = wait > 0 ? 0 : Math.max(0, requests - count);
        return [{ index, requests, per: limit.per, scope: limit.scope ?? 'credential', match: limit.match, left, wait }];
      });
    },

    pauseUntil(time) {
      pausedUntil = Math.max(pausedUntil, time);
    },
  };
}

/** Windows that several clients of this process count in. By clock, since times of two clocks can't be compared. */
const SHARED = new WeakMap<Clock, Map<string, Window>>();

function windowOf(limit: RateLimit, clock: Clock): Window {
  const made: Window = { limit, matches: matcher(limit.match), requests: limit.requests, sent: [], count: 0, blockedUntil: 0 };
  if (limit.among === undefined) return made;
  const key = JSON.stringify([limit.among, limit.requests, limit.per, limit.match]);
  const shared = SHARED.get(clock) ?? new Map<string, Window>();
  SHARED.set(clock, shared);
  const known = shared.get(key);
  if (known === undefined) shared.set(key, made);
  return known ?? made;
}

function enter(window: Window, at: number, count: number): void {
  const last = window.sent.at(-1);
  if (last?.at === at) last.count += count;
  else window.sent.push({ at, count });
  window.count += count;
}

function nextFree(window: Window, now: number): number {
  const { sent, limit } = window;
  let gone = 0;
  for (; gone < sent.length && sent[gone]!.at <= now - limit.per; gone++) window.count -= sent[gone]!.count;
  if (gone > 0) sent.splice(0, gone);
  // So many of the oldest must leave before one more may go.
  let inWay = window.count - window.requests + 1;
  let free = 0;
  for (let index = 0; inWay > 0 && index < sent.length; index++) {
    inWay -= sent[index]!.count;
    free = sent[index]!.at + limit.per;
  }
  return Math.max(window.blockedUntil, free);
}

/** What the server counts beyond our own count was spent by others: it is entered as if sent now. */
function learn(window: Window, headers: Record<string, string>, now: number): void {
  const { limit } = window;
  const told = wholeNumber(limit.limit, headers);
  if (told !== undefined && told > 0) window.requests = told;
  const remaining = wholeNumber(limit.remaining, headers);
  if (remaining === undefined) return;
  const reset = limit.reset && parseReset(headers[limit.reset.header.toLowerCase()], limit.reset.as, now);
  if (remaining === 0 && reset !== undefined && reset > now) {
    window.blockedUntil = Math.max(window.blockedUntil, reset);
    return;
  }
  nextFree(window, now);
  const missing = window.requests - remaining - window.count;
  if (missing > 0) enter(window, now, missing);
}

function wholeNumber(header: string | undefined, headers: Record<string, string>): number | undefined {
  const text = header === undefined ? undefined : headers[header.toLowerCase()];
  return text !== undefined && /^\s*\d{1,9}\b/.test(text) ? Number.parseInt(text, 10) : undefined;
}

function matcher(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  const parts = pattern.split('*');
  return (path) => {
    let at = 0;
    for (const [index, part] of parts.entries()) {
      const found = index === 0 ? (path.startsWith(part) ? 0 : -1) : path.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    const last = parts.at(-1) ?? '';
    return parts.length === 1 ? path === pattern : path.endsWith(last) && path.length - last.length >= at - last.length;
  };
}
