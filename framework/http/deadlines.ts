import { LONGEST_TIMER } from '../core/clock.ts';

interface Entry {
  at: number;
  fire: () => void;
}

interface Queue {
  entries: Set<Entry>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Time limits of sockets, in real time. Nearly every limit is called off, so calling off must be cheap: entries of one duration stand in
 * one queue, in the order in which they fall due, behind one timer that is not touched when they leave. (A timer each, made and cleared
 * for each request, costs a tenth of what a request costs.) No timer keeps the process alive: sockets do.
 */
export class Deadlines {
  readonly #queues = new Map<number, Queue>();

  /** Calls `fire` in `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, fire: () => void): () => void {
    let queue = this.#queues.get(ms);
    if (!queue) {
      queue = { entries: new Set(), timer: undefined };
      this.#queues.set(ms, queue);
    }
    const { entries } = queue;
    const entry = { at: performance.now() + ms, fire };
    entries.add(entry);
    if (queue.timer === undefined) this.#wait(queue, ms, ms);
    return () => void entries.delete(entry);
  }

  close(): void {
    for (const { timer } of this.#queues.values()) clearTimeout(timer);
    this.#queues.clear();
  }

  #wait(queue: Queue, duration: number, ms: number): void {
    queue.timer = setTimeout(() => this.#due(queue, duration), Math.min(ms, LONGEST_TIMER));
    queue.timer.unref();
  }

  #due(queue: Queue, duration: number): void {
    queue.timer = undefined;
    for (const entry of queue.entries) {
      const left = entry.at - performance.now();
      if (left > 0) {
        this.#wait(queue, duration, Math.ceil(left));
        return;
      }
      queue.entries.delete(entry);
      entry.fire();
    }
    // Durations are few, but callers may name any.
    if (queue.entries.size === 0 && queue.timer === undefined) this.#queues.delete(duration);
  }
}
