import type { Clock, Random } from '../framework/core/clock.ts';

/** A clock that moves only when told, or by exactly what is slept; sleeps are kept. Milliseconds. */
export class FakeClock implements Clock {
  slept: number[] = [];
  #now: number;

  constructor(start = Date.parse('2026-01-02T03:04:05Z')) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
  }
}

/** Random values that are the same in each run. */
export function fixedRandom(): Random {
  let drawn = 0;
  let named = 0;
  return {
    float: () => 0.5,
    bytes: (size) => {
      drawn += 1;
      return new Uint8Array(size).fill(drawn);
    },
    uuid: () => {
      named += 1;
      return `00000000-0000-4000-8000-${String(named).padStart(12, '0')}`;
    },
  };
}
