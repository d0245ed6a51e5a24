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

export interface RunOptions {
  name: string | undefined;
  timeout: Timeouts;
  signal: AbortSignal | undefined;
  host: string;
  /** Method and URL for messages, redacted. */
  where: () => string;
}

/** One call from its first attempt to its last: what ends it, and how far it is. */
export class Run {
  readonly id: number;
  readonly name: string | undefined;
  readonly timeout: Timeouts;
  /** Requests sent so far, hops of redirects included. */
  sent = 0;
  renewed = false;
  /** What ended it before its time; the caller gets it. */
  reason: FerruleError | undefined;
  readonly #runs: Runs;
  readonly #options: RunOptions;
  readonly #started: number;
  readonly #callOff: () => void;
  readonly #onSignal: (() => void) | undefined;
  #whole: AbortController | undefined; // most calls wait for nothing that takes a signal
  #current: Stop | undefined;
  #waiting: (() => void) | undefined;

  constructor(id: number, runs: Runs, options: RunOptions) {
    const { name, timeout, signal, where, host } = options;
    this.id = id;
    this.name = name;
    this.timeout = timeout;
    this.#runs = runs;
    this.#options = options;
    this.#started = runs.clock.now();
    this.#callOff = runs.deadlines.after(timeout.total, () => this.abort(timeoutError('total', timeout.total, { where: where(), host })));
    if (!signal) return;
    this.#onSignal = () => this.abort(new FerruleError('aborted', 'The call was cancelled.', { where: where() }));
    signal.addEventListener('abort', this.#onSignal, { once: true });
  }

  /** Aborted with the reason, for what takes a signal. */
  get signal(): AbortSignal {
    this.#whole ??= new AbortController();
    if (this.reason) this.#whole.abort(this.reason);
    return this.#whole.signal;
  }

  /** Which call an event is about. */
  get told(): { call: number; name?: string } {
    return { call: this.id, ...(this.name !== undefined && { name: this.name }) };
  }

  /** Milliseconds left of the total, by the injected clock. */
  left(): number {
    return this.timeout.total - (this.#runs.clock.now() - this.#started);
  }

  /** The promise, or the reason when that comes first. One at a time. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting = () => reject(this.reason);
      if (this.reason) reject(this.reason);
      promise.then(resolve, reject);
    });
  }

  /** For one sending: ends with the run, and may be ended alone. */
  attempt(): Stop {
    this.#current = new Stop();
    if (this.reason) this.#current.stop(this.reason);
    return this.#current;
  }

  abort(reason: FerruleError): void {
    if (this.reason) return;
    this.reason = reason;
    this.#whole?.abort(reason);
    this.#current?.stop(reason);
    this.#waiting?.();
  }

  /** The total no longer counts: the answer's head is there, the rest is a stream. */
  headIsThere(): void {
    this.#callOff();
  }

  end(): void {
    this.#callOff();
    if (this.#onSignal) this.#options.signal?.removeEventListener('abort', this.#onSignal);
    this.#runs.ended(this);
  }
}

/** The calls of one client that are under way. */
export class Runs {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly #active = new Set<Run>();
  #count = 0;
  #closed = false;

  constructor(clock: Clock, deadlines: Deadlines) {
    this.clock = clock;
    this.deadlines = deadlines;
  }

  begin(options: RunOptions): Run {
    const { signal, where } = options;
    if (this.#closed) throw new FerruleError('closed', 'The connection was closed.', { where: where() });
    if (signal?.aborted) throw new FerruleError('aborted', 'The call was cancelled before it began.', { where: where() });
    const run = new Run(++this.#count, this, options);
    this.#active.add(run);
    return run;
  }

  ended(run: Run): void {
    this.#active.delete(run);
  }

  /** Ends all that are under way, and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const run of [...this.#active]) run.abort(new FerruleError('closed', 'The connection was closed during the call.'));
  }
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
