import type { Packed, SinkChange, SinkOptions, SinkStream } from '../core/sink.ts';
import type { Json, JsonObject } from '../core/value.ts';

/** Committed rows, as the state file describes what holds them. */
export interface RowSet {
  /** Bytes: of the file, or of all parts together. What stands behind them is not committed. */
  length: number;
  /** Number of parts, where rows are in several files. */
  parts?: number;
  /** What the format has to know of its columns. */
  columns?: Json;
  /** They may still stand under this name in the folder, and are then to be renamed over what they replace. */
  from?: string;
}

/** The same once what stood beside is in its place. */
export function settled({ from: _, ...rows }: RowSet): RowSet {
  return rows;
}

/** All rows of a stream. */
export interface Picture {
  main: RowSet;
  /** Rows of an overwrite that wait to take the place of `main`. */
  next?: RowSet;
}

/** Where a set of rows stands. */
export interface RowPlace {
  folder: string;
  /** In the folder: `users.jsonl`. */
  name: string;
}

/** What was written, and which columns it changed. Durable, but not committed: the state file does not say it yet. */
export interface Staged {
  rows: RowSet;
  changes: SinkChange[];
}

/** Writes one set of rows. Calls do not overlap. */
export interface RowWriter {
  /** Without records: what a file needs that has none (a header). @throws FerruleError record_refused; system errors */
  stage(records: readonly JsonObject[], packed?: readonly Packed[]): Promise<Staged>;
  pack?(records: readonly JsonObject[]): Packed;
  packVerbatim?(records: readonly Uint8Array[]): Packed;
  /** The state file says it: puts in its place what stands beside. When it throws nothing was put there. */
  settle(): Promise<void>;
  /** The state file does not say it: takes away what was staged. */
  undo(): Promise<void>;
  close(): Promise<void>;
}

/** A way to keep rows in a folder. */
export interface RowFormat {
  readonly type: string;
  /** What a stream's rows are called in the folder. */
  nameOf(stream: string): string;
  /** Whether rows are there. */
  holds(place: RowPlace): Promise<boolean>;
  /** Brings what is there in line with what was committed. @throws FerruleError output_unreadable: less is there, or something else */
  restore(place: RowPlace, rows: RowSet): Promise<void>;
  /** Puts the rows of `from` in the place of others, or throws and leaves both as they were. The caller flushes the folder. */
  replace(from: RowPlace, to: RowPlace): Promise<void>;
  remove(place: RowPlace): Promise<void>;
  open(place: RowPlace, rows: RowSet, stream: SinkStream, options: SinkOptions): Promise<RowWriter>;
}
