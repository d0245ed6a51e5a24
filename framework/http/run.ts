import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Deadlines } from './deadlines.ts';
import { timeoutError } from './failure.ts';
import type { Timeouts } from './types.ts';

/**
 * Ends one sending, with the error that its caller gets. An AbortController would do the same; it costs a fifth of what a request
 * costs, and its signal carries no type for the reason.
 */
export class Stop {
  reason: FerruleError | undefined;
  #end: (() => void) | undefined;

  /** The first reason counts. */
  stop(reason: FerruleError): void {
    if (this.reason) return;
    this.reason = reason;
    this.#end?.();
  }

  /** What to end: one thing at a time. */
  set ends(end: (() => void) | undefined) {
    this.#end = end;
    if (this.reason) end?.();
  }
}

/** One call from its first attempt to its last: what ends it, and how far it is. */
export interface Run {
  readonly id: number;
  readonly name: string | undefined;
  readonly timeout: Timeouts;
  /** Aborted with the FerruleError that the caller gets. */
  readonly signal: AbortSignal;
  /** The same, when it has happened. */
  readonly reason: FerruleError | undefined;
  /** Requests sent so far, hops of redirects included. */
  sent: number;
  renewed: boolean;
  /** Milliseconds left of the total, by the injected clock. */
  left(): number;
  /** The promise, or the reason when that comes first. */
  race<T>(promise: Promise<T>): Promise<T>;
  /** For one sending: ends with the run, and may be ended alone. */
  attempt(): Stop;
  /** The total no longer counts: the answer's head is there, the rest is a stream. */
  headIsThere(): void;
  end(): void;
}

export interface RunOptions {
  name: string | undefined;
  timeout: Timeouts;
  signal: AbortSignal | undefined;
  host: string;
  /** Method and URL for messages, redacted. */
  where: () => string;
}

export interface Runs {
  begin(options: RunOptions): Run;
  /** Ends all that are under way, and refuses new ones. */
  close(): void;
}

export function createRuns(clock: Clock, deadlines: Deadlines): Runs {
  const active = new Set<(reason: FerruleError) => void>();
  let count = 0;
  let closed = false;
  return {
    begin(options) {
      const { name, timeout, signal, where, host } = options;
      if (closed) throw new FerruleError('closed', 'The connection was closed.', { where: where() });
      if (signal?.aborted) throw new FerruleError('aborted', 'The call was cancelled before it began.', { where: where() });
      let reason: FerruleError | undefined;
      let whole: AbortController | undefined; // most calls wait for nothing that takes a signal
      let current: Stop | undefined;
      const waiters = new Set<() => void>();
      const abort = (because: FerruleError) => {
        if (reason) return;
        reason = because;
        whole?.abort(because);
        current?.stop(because);
        for (const waiting of waiters) waiting();
      };
      const onSignal = () => abort(new FerruleError('aborted', 'The call was cancelled.', { where: where() }));
      const callOff = deadlines.after(timeout.total, () => abort(timeoutError('total', timeout.total, { where: where(), host })));
      const started = clock.now();
      signal?.addEventListener('abort', onSignal, { once: true });
      active.add(abort);
      return {
        id: ++count,
        name,
        timeout,
        get signal() {
          whole ??= new AbortController();
          if (reason) whole.abort(reason);
          return whole.signal;
        },
        get reason() {
          return reason;
        },
        sent: 0,
        renewed: false,
        left: () => timeout.total - (clock.now() - started),
        race: (promise) =>
          new Promise((resolve, reject) => {
            if (reason) reject(reason);
            const waiting = () => reject(reason);
            waiters.add(waiting);
            promise.then(
              (value) => {
                waiters.delete(waiting);
                resolve(value);
              },
              (error) => {
                waiters.delete(waiting);
                reject(error);
              },
            );
          }),
        attempt() {
          current = new Stop();
          if (reason) current.stop(reason);
          return current;
        },
        headIsThere: callOff,
        end() {
          callOff();
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
