import type { ColumnType } from './resolved.ts';
import type { Json, JsonObject } from './value.ts';

/**
 * What a stream keeps between reads, as JSON values by key. A change names only what is new: null removes a key. So the state of a hundred
 * thousand partitions is written a few at a time.
 */
export type StateChange = Readonly<Record<string, Json>>;
/** All of it. No value is null. */
export type StreamState = ReadonlyMap<string, Json>;

/**
 * What happens to rows that are there already.
 * - append: new ones are put behind them
 * - upsert: one with the same primary key takes the place of the old one
 * - overwrite: a whole new read takes the place of all of them, when it is complete and not before
 */
export type WriteMode = 'append' | 'upsert' | 'overwrite';

/** A stream as a destination needs to know it. */
export interface SinkStream {
  name: string;
  mode: WriteMode;
  /** Names of columns. Empty: none; never so with upsert. */
  primary_key: readonly string[];
  /** Declared columns. Records may have more, and may lack some. */
  columns: Readonly<Record<string, ColumnType>>;
  /**
   * True: the read goes on where an earlier one was stopped; what that one committed stays (with overwrite: in the rows that wait to take
   * the others' place). False: a new read; rows of an overwrite that never became complete are thrown away.
   */
  resumes: boolean;
  /** Committed together with opening it. */
  state: StateChange;
}

/** Records as the destination writes them. */
export interface Packed {
  bytes: Uint8Array;
  /** How many. */
  records: number;
}

/** Records and what the state is once they are written. */
export interface Batch {
  records: readonly JsonObject[];
  /** Before them; made by the same StreamSink's `pack`. */
  packed?: readonly Packed[];
  state: StateChange;
}

/** What a commit did to the table, for people to know. */
export interface SinkChange {
  stream: string;
  column: string;
  change: 'added' | 'widened';
  /** The destination's own words for the type. */
  from?: string;
  to: string;
}

export interface SinkTotals {
  /** Written in this run. */
  records: number;
  bytes: number;
  /** Where they are, for people: a file, a table. */
  place: string;
}

/** One stream in a destination. Calls do not overlap. */
export interface StreamSink {
  /**
   * Where a record's form depends on nothing else: makes it now, so that whoever gathers a batch holds bytes, not records. Ten thousand of
   * those cost more to keep than to write.
   */
  pack?(records: readonly JsonObject[]): Packed;
  /** The same for records as the provider wrote them: each the bytes of one JSON object (UTF-8, no line break in it). */
  packVerbatim?(records: readonly Uint8Array[]): Packed;
  /**
   * Writes records and state as one: when it resolves both are durable, when it throws neither is (or is undone when the destination is
   * opened again). @throws FerruleError output_failed, output_locked, record_refused (with the record's place in the batch and its column)
   */
  commit(batch: Batch): Promise<void>;
  /** The read is complete: an overwrite takes the place of what was there, with this state, as one. */
  finish(state: StateChange): Promise<void>;
  /** So far. */
  readonly totals: SinkTotals;
  /** Lets go of what it holds; what was committed stays. */
  close(): Promise<void>;
}

/** A destination that is open. Streams are written at the same time; it puts them in a row where it must. */
export interface Sink {
  readonly type: string;
  /** What was done to columns since it was opened. */
  readonly changes: readonly SinkChange[];
  /** The state of a stream as it was committed last; empty when there is none. */
  state(stream: string): Promise<StreamState>;
  open(stream: SinkStream): Promise<StreamSink>;
  close(): Promise<void>;
}

/** As a destination's own module gives it: what is done to columns goes to its options' `onChange`. */
export type OpenedSink = Omit<Sink, 'changes'>;

export interface SinkOptions {
  /** Nested maps and lists: one column of JSON text, or a column for each leaf of the maps (`address_city`); lists stay JSON. Default json. */
  nested?: 'json' | 'flat';
  onChange?: (change: SinkChange) => void;
}
