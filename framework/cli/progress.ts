import { type Io, print } from './io.ts';

/** Milliseconds between two looks at the same numbers: on a terminal, in a log. */
const ON_TERMINAL = 100;
const IN_LOG = 5000;

/** A line of progress on standard error: rewritten in place on a terminal, a new line now and then elsewhere. */
export class Progress {
  readonly #io: Io;
  readonly #live: boolean;
  #last: number;
  #shown = false;

  constructor(io: Io) {
    this.#io = io;
    this.#live = io.stderr.isTTY === true && io.env.TERM !== 'dumb';
    this.#last = io.clock.now();
  }

  /** Shows the text if the last one is long enough ago; else it is not made. */
  update(textOf: () => string): void {
    const now = this.#io.clock.now();
    if (now - this.#last < (this.#live ? ON_TERMINAL : IN_LOG)) return;
    this.#last = now;
    this.#shown = true;
    const text = textOf();
    const width = this.#io.stderr.columns ?? 80;
    void print(this.#io.stderr, this.#live ? `\r\u001b[K${[...text].slice(0, width - 1).join('')}` : `${text}\n`);
  }

  /** Takes the line away, so that what follows stands at its beginning. */
  clear(): void {
    if (this.#live && this.#shown) void print(this.#io.stderr, '\r\u001b[K');
    this.#shown = false;
  }
}
