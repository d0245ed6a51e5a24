import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { timeoutError } from './failure.ts';
import type { Timeouts } from './types.ts';

/** One call from its first attempt to its last: what ends it, and how far it is. */
export interface Run {
  readonly id: number;
  readonly name: string | undefined;
  readonly timeout: Timeouts;
  /** Aborted with the FerruleError that the caller gets. */
  readonly signal: AbortSignal;
  /** Requests sent so far, hops of redirects included. */
  sent: number;
  renewed: boolean;
  /** Milliseconds left of the total, by the injected clock. */
  left(): number;
  /** For one sending: ends with the run, and may be ended alone. */
  attempt(): AbortController;
  /** The total no longer counts: the answer's head is there, the rest is a stream. */
  headIsThere(): void;
  end(): void;
}

export interface Runs {
  begin(options: { name?: string; timeout: Timeouts; signal?: AbortSignal; where: string; host: string }): Run;
  /** Ends all that are under way, and refuses new ones. */
  close(): void;
}

export function createRuns(clock: Clock): Runs {
  const active = new Set<(reason: FerruleError) => void>();
  let count = 0;
  let closed = false;
  return {
    begin({ name, timeout, signal, where, host }) {
      if (closed) throw new FerruleError('closed', 'The connection was closed.', { where });
      if (signal?.aborted) throw new FerruleError('aborted', 'The call was cancelled before it began.', { where });
      const whole = new AbortController();
      let current: AbortController | undefined;
      const abort = (reason: FerruleError) => {
        whole.abort(reason);
        current?.abort(reason);
      };
      const onSignal = () => abort(new FerruleError('aborted', 'The call was cancelled.', { where }));
      const timer = setTimeout(() => abort(timeoutError('total', timeout.total, { where, host })), timeout.total);
      const started = clock.now();
      signal?.addEventListener('abort', onSignal, { once: true });
      active.add(abort);
      return {
        id: ++count,
        name,
        timeout,
        signal: whole.signal,
        sent: 0,
        renewed: false,
        left: () => timeout.total - (clock.now() - started),
        attempt() {
          current = new AbortController();
          if (whole.signal.aborted) current.abort(whole.signal.reason);
          return current;
        },
        headIsThere: () => clearTimeout(timer),
        end() {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onSignal);
          active.delete(abort);
        },
      };
    },
    close() {
      closed = true;
      for (const abort of [...active]) abort(new FerruleError('closed', 'The connection was closed during the call.'));
    },
  };
}

/** The promise, or the signal's reason when that comes first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
