import type { Clock } from '../../../framework/core/clock.ts';
import { createRateLimiter } from '../../../framework/http/rate-limit.ts';
import { rejection } from './servers.ts';

/** Time goes on only when everybody waits, and then to the next one who wakes. */
class StepClock implements Clock {
  time = 0;
  #sleepers: { at: number; wake: () => void }[] = [];
  now = () => this.time;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.time + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(signal.reason);
      });
    });
  }
  async runUntil(end: number): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      const next = this.#sleepers.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#sleepers.shift();
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    this.time = end;
  }
}

const setUp = (limits: Parameters<typeof createRateLimiter>[0]['limits'], longest = 300_000) => {
  const clock = new StepClock();
  const limiter = createRateLimiter({ limits, clock, longest });
  const times: number[] = [];
  const go = async (path = '/x', signal?: AbortSignal) => {
    await limiter.acquire(path, signal ? { signal } : {});
    times.push(clock.now());
  };
  return { clock, limiter, times, go };
};

describe('rate limiter', () => {
  it('lets so many go at once and the others in their turn', async () => {
    const { clock, times, go } = setUp([{ requests: 2, per: 1000 }]);
    for (let i = 0; i < 5; i++) void go();
    await clock.runUntil(10_000);
    expect(times).toEqual([0, 0, 1000, 1000, 2000]);
  });

  it('holds two limits at once', async () => {
    const { clock, times, go } = setUp([
      { requests: 2, per: 1000 },
      { requests: 5, per: 10_000 },
    ]);
    for (let i = 0; i < 8; i++) void go();
    await clock.runUntil(60_000);
    expect(times).toEqual([0, 0, 1000, 1000, 2000, 10_000, 10_000, 11_000]);
  });

  it('slides: an early request makes room at its own time', async () => {
    const { clock, times, go } = setUp([{ requests: 2, per: 1000 }]);
    await go();
    await clock.runUntil(700);
    await go();
    void go();
    void go();
    await clock.runUntil(10_000);
    expect(times).toEqual([0, 700, 1000, 1700]);
  });

  it('counts only requests that match, and a narrow limit holds up nobody else', async () => {
    const { clock, times, go } = setUp([{ requests: 1, per: 5000, match: '/reports/*' }]);
    void go('/reports/1');
    void go('/reports/2');
    void go('/items');
    await clock.runUntil(4000);
    expect(times).toEqual([0, 0]);
    await clock.runUntil(5000);
    expect(times).toEqual([0, 0, 5000]);
  });

  it('learns from the remaining header that others spend too', async () => {
    const { clock, limiter, times, go } = setUp([{ requests: 10, per: 1000, remaining: 'X-Left' }]);
    await go();
    limiter.observe('/x', { 'x-left': '2' });
    for (let i = 0; i < 4; i++) void go();
    await clock.runUntil(999);
    expect(times).toEqual([0, 0, 0]);
    await clock.runUntil(1000);
    expect(times).toHaveLength(5);
  });

  it('a server that tells of a thousand million requests costs neither time nor memory', async () => {
    const { clock, limiter, times, go } = setUp([{ requests: 2, per: 1000, remaining: 'X-Left', limit: 'X-Limit' }]);
    limiter.observe('/x', { 'x-left': '0', 'x-limit': '999999999' });
    void go();
    await clock.runUntil(10_000);
    expect(times).toEqual([1000]);
    expect(limiter.state('/x')).toMatchObject([{ requests: 999_999_999, wait: 0 }]);
  });

  it('waits for the reset when nothing remains, and takes the limit from its header', async () => {
    const { clock, limiter, times, go } = setUp([
      { requests: 10, per: 1000, remaining: 'X-Left', limit: 'X-Limit', reset: { header: 'X-Reset', as: 'seconds' } },
    ]);
    limiter.observe('/x', { 'x-left': '0', 'x-limit': '1', 'x-reset': '30' });
    void go();
    void go();
    await clock.runUntil(60_000);
    expect(times).toEqual([30_000, 31_000]);
  });

  it('a pause holds up all, also those who wait already, and the limits hold after it', async () => {
    const { clock, limiter, times, go } = setUp([{ requests: 2, per: 1000 }]);
    for (let i = 0; i < 4; i++) void go();
    await clock.runUntil(500);
    limiter.pauseUntil(8000);
    void go();
    await clock.runUntil(20_000);
    expect(times).toEqual([0, 0, 8000, 8000, 9000]);
  });

  it('fails at once when the wait is longer than allowed', async () => {
    const { limiter, go } = setUp([], 60_000);
    limiter.pauseUntil(61_000);
    expect(await rejection(go())).toMatchObject({ code: 'rate_limited', retryAfter: 61_000 });
  });

  it('who gives up leaves the queue in order', async () => {
    const { clock, times, go } = setUp([{ requests: 1, per: 1000 }]);
    const stop = new AbortController();
    void go();
    const first = rejection(go('/x', stop.signal));
    const second = rejection(go('/x', stop.signal));
    void go();
    await clock.runUntil(500);
    stop.abort('enough');
    expect(await Promise.all([first, second])).toEqual(['enough', 'enough']);
    await clock.runUntil(5000);
    expect(times).toEqual([0, 1000]);
  });

  it('limiters whose limits have one word count together, others alone', async () => {
    const clock = new StepClock();
    const open = (among?: string) =>
      createRateLimiter({ limits: [{ requests: 2, per: 1000, ...(among !== undefined && { among }) }], clock, longest: 10_000 });
    const times: string[] = [];
    const go = (name: string, limiter: ReturnType<typeof open>) => limiter.acquire('/x').then(() => times.push(`${name} ${clock.now()}`));
    const [one, two, other, alone] = [open('acme ip'), open('acme ip'), open('acme app'), open()];
    void Promise.all([go('one', one), go('two', two), go('one', one), go('two', two), go('other', other), go('alone', alone)]);
    await clock.runUntil(5000);
    expect(times.sort()).toEqual(['alone 0', 'one 0', 'one 1000', 'other 0', 'two 0', 'two 1000']);
  });
});
