import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

/** Time as an argument: production passes `systemClock`, tests a fake one. Milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness as an argument. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  bytes(size: number): Uint8Array;
  uuid(): string;
}

/** What setTimeout can wait, 24 days; it takes more for nothing at all. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      let left = ms;
      const next = (): NodeJS.Timeout => {
        const part = Math.min(left, LONGEST_TIMER);
        left -= part;
        return setTimeout(() => {
          if (left > 0) timer = next();
          else {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          }
        }, part);
      };
      let timer = next();
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** Node asks the operating system for each few bytes; a nonce a request is a tenth of what a request costs. */
const POOL = Buffer.alloc(2048);
let drawn = POOL.length;

/** Each byte is given out once and cleared. */
function fromPool(size: number): Uint8Array {
  if (drawn + size > POOL.length) {
    randomFillSync(POOL);
    drawn = 0;
  }
  const bytes = new Uint8Array(POOL.subarray(drawn, drawn + size));
  POOL.fill(0, drawn, drawn + size);
  drawn += size;
  return bytes;
}

export const systemRandom: Random = {
  float: () => Math.random(),
  bytes: (size) => (size > POOL.length ? randomBytes(size) : fromPool(size)),
  uuid: () => randomUUID(),
};
