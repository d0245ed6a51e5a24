import type { Clock } from '../framework/core/clock.ts';

/**
 * A clock that stands still while anybody works: sleepers wake in the order of their times, when `isIdle` has said for a while that nothing
 * is under way. Unlike FakeClock many may sleep at once. `stop()` ends it. Milliseconds.
 */
export class WaitingClock implements Clock {
  #now: number;
  readonly #sleepers: { until: number; wake: () => void }[] = [];
  readonly #timer: NodeJS.Timeout;
  #quiet = 0;

  constructor(start: number, isIdle: () => boolean) {
    this.#now = start;
    this.#timer = setInterval(() => {
      this.#quiet = isIdle() ? this.#quiet + 1 : 0;
      if (this.#quiet >= 4) this.#wakeNext();
    }, 4);
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#quiet = 0;
    return new Promise((wake, fail) => {
      this.#sleepers.push({ until: this.#now + ms, wake });
      signal?.addEventListener('abort', () => fail(signal.reason), { once: true });
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #wakeNext(): void {
    this.#quiet = 0;
    const next = Math.min(...this.#sleepers.map(({ until }) => until));
    if (!Number.isFinite(next)) return;
    this.#now = Math.max(this.#now, next);
    for (const sleeper of this.#sleepers.filter(({ until }) => until <= this.#now)) {
      this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
      sleeper.wake();
    }
  }
}
