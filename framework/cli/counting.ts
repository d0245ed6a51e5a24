import type { ClientEvent } from '../http/types.ts';

const MOST_CALLS = 1000;

export interface Counts {
  requests: number;
  retries: number;
  /** Bodies of answers. */
  bytes: number;
}

/** How much went over the wire, from the client's events: in all, and for each stream. */
export class Traffic implements Counts {
  requests = 0;
  retries = 0;
  bytes = 0;
  readonly #streams = new Map<string, Counts>();
  /** What calls under way are for. */
  readonly #calls = new Map<number, Counts>();

  readonly see = (event: ClientEvent): void => {
    if (event.type === 'request') {
      this.requests += 1;
      const of = this.#named(event.name);
      of.requests += 1;
      // A retry is told of with the call alone.
      this.#calls.set(event.call, of);
      // It comes after the answer, so that answers end nothing; old calls have no more to tell.
      for (const call of this.#calls.keys()) {
        if (this.#calls.size <= MOST_CALLS) break;
        this.#calls.delete(call);
      }
    }
    if (event.type === 'retry') {
      this.retries += 1;
      const of = this.#calls.get(event.call);
      if (of !== undefined) of.retries += 1;
    }
    if (event.type === 'response') {
      this.bytes += event.bytes;
      const of = this.#calls.get(event.call);
      if (of !== undefined) of.bytes += event.bytes;
    }
  };

  /** A stream's own requests; those of its job and of parents that are read for it are under their own names. */
  of(stream: string): Counts {
    return { ...this.#named(stream) };
  }

  #named(name = ''): Counts {
    // A job's calls are named `<stream> poll`.
    const [stream = ''] = name.split(' ', 1);
    let known = this.#streams.get(stream);
    if (known === undefined) {
      known = { requests: 0, retries: 0, bytes: 0 };
      this.#streams.set(stream, known);
    }
    return known;
  }
}
