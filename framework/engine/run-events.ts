import type { FerruleError } from '../core/errors.ts';
import type { SinkChange, WriteMode } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import type { Misfit } from '../streams/shape.ts';

/** How far a stream is. */
export interface StreamProgress {
  stream: string;
  /** Written or about to be. */
  records: number;
  /** Left out by `keep`, or known from the last read. */
  skipped: number;
  /** That do not fit the declared columns. */
  misfits: number;
  pages: number;
  /** Bytes of the answers. */
  bytes: number;
  units: { finished: number; failed: number /** Undefined while a parent is still read. */; all: number | undefined };
  /** Milliseconds since the stream began. */
  duration: number;
}

/** What became of a stream. */
export interface StreamOutcome extends StreamProgress {
  mode: WriteMode;
  /** It went on with a read that was stopped. */
  resumed: boolean;
  /** A file or a table. */
  place: string;
  /** Read in full, and what that means for the next read is committed. */
  complete: boolean;
  changes: SinkChange[];
  /** The first thing that went wrong, and how many more. */
  error?: FerruleError;
  errors: number;
}

/** Records of one page that do not fit in the same way. */
export interface MisfitCount extends Misfit {
  records: number;
}

/** What leaves records out in a stream: its `keep`, or that they came with the last read, or one of the two. */
export type SkipReason = 'keep' | 'known' | 'keep or known';

/** What happens in a run, as it happens. Records are in none of them. */
export type RunEvent =
  | { type: 'start'; at: number; stream: string; mode: WriteMode; resumed: boolean; place: string }
  | {
      type: 'page';
      at: number;
      stream: string;
      partition: JsonObject;
      records: number;
      skipped: number;
      /** Why they were. */
      why?: SkipReason;
      index: number;
    }
  | {
      type: 'unit';
      at: number;
      stream: string;
      partition: JsonObject;
      window?: { start: string | null; end: string | null };
      state: 'begun' | 'resumed' | 'finished';
    }
  | { type: 'misfit'; at: number; stream: string; misfits: readonly MisfitCount[] }
  | { type: 'commit'; at: number; stream: string; records: number; duration: number }
  | { type: 'column'; at: number; stream: string; change: SinkChange }
  | { type: 'failure'; at: number; stream: string; partition: JsonObject; error: FerruleError }
  | { type: 'end'; at: number; stream: string; outcome: StreamOutcome };
