import { FerruleError } from '../core/errors.ts';
import type { StateChange, StreamState } from '../core/sink.ts';
import type { Json, JsonObject } from '../core/value.ts';

/** A stream's state as the text of one JSON object. A change costs what it changes, not what there is. */
export interface StateEntries {
  apply(change: StateChange): void;
  text(): string;
  /** Characters of `text()`, about. */
  readonly size: number;
}

export function stateEntries(state: StreamState): StateEntries {
  const texts = new Map<string, string>();
  let size = 2;
  const put = (key: string, value: Json): void => {
    size -= texts.get(key)?.length ?? 0;
    if (value === null) {
      texts.delete(key);
      return;
    }
    const text = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    texts.set(key, text);
    size += text.length;
  };
  for (const [key, value] of state) put(key, value);
  return {
    apply(change) {
      for (const [key, value] of Object.entries(change)) put(key, value);
    },
    text: () => `{${[...texts.values()].join(',')}}`,
    get size() {
      return size;
    },
  };
}

/** How often a state is written: one that is small with each commit, a large one not more often than every so many records or so long. */
const SMALL = 64 * 1024;
const RECORDS = 10_000;
const LONGEST = 10_000;

export interface StatePace {
  /** So many more records are out. Whether their state, of this size, should be too. */
  isDue(records: number, size: number): boolean;
  /** A state was written. Gives how many records it stands for. */
  written(): number;
  /** Records that no state stands for yet. */
  readonly records: number;
}

/** `now` in milliseconds. */
export function statePace(now: () => number): StatePace {
  let at = now();
  let records = 0;
  return {
    isDue(more, size) {
      records += more;
      return size < SMALL || records >= RECORDS || now() - at >= LONGEST;
    },
    written() {
      const count = records;
      records = 0;
      at = now();
      return count;
    },
    get records() {
      return records;
    },
  };
}

/**
 * A state that a consumer has kept, as ours. An empty one is none.
 * @throws FerruleError state_unusable: it was not written by this connector
 */
export function readStreamState(stream: string, value: unknown): StreamState {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value)) throw unusable(stream, 'is no JSON object');
  const entries = Object.entries(value);
  if (entries.length === 0) return new Map();
  const { stream: head } = value;
  if (!isObject(head) || !(Object.hasOwn(head, 'cursor') || Object.hasOwn(head, 'run')))
    throw unusable(stream, 'was not written by Ferrule');
  const unknown = entries.find(([key, entry]) => !/^\^*(stream$|p|u)/.test(key) || !isObject(entry));
  // The key may hold what a provider wrote: it is not repeated.
  if (unknown !== undefined) throw unusable(stream, 'has an entry that Ferrule does not know');
  return new Map(entries);
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

export const unusable = (where: string, problem: string): FerruleError =>
  new FerruleError('state_unusable', `The state of ${where} ${problem}`, {
    where,
    next: 'Clear (reset) the state of the stream, so that it is read anew.',
  });
