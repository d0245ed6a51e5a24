import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { SinkChange } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import type { Connection } from '../engine/connection.ts';
import type { RunOptions } from '../engine/run.ts';
import type { StreamOutcome } from '../engine/run-events.ts';
import type { Traffic } from './counting.ts';
import type { Io } from './io.ts';

/** What became of one stream. `duration` in milliseconds. */
export interface StreamSummary {
  stream: string;
  /** The file or table; undefined for standard output. */
  place?: string;
  mode?: StreamOutcome['mode'];
  /** It went on with a read that was stopped. */
  resumed?: boolean;
  records: number;
  skipped: number;
  misfits: number;
  pages: number;
  requests: number;
  retries: number;
  duration: number;
  /** Columns that were added or widened. */
  changes: SinkChange[];
  error?: FerruleError;
}

/** An outcome with what it cost on the wire. */
export function summaryOf(outcome: StreamOutcome, traffic: Traffic): StreamSummary {
  const { stream, place, mode, resumed, records, skipped, misfits, pages, duration, changes, error } = outcome;
  const { requests, retries } = traffic.of(stream);
  return {
    stream,
    ...(place !== '' && { place }),
    mode,
    resumed,
    records,
    skipped,
    misfits,
    pages,
    requests,
    retries,
    duration,
    changes,
    ...(error && { error }),
  };
}

export interface PrintOptions extends Pick<RunOptions, 'limit'> {
  traffic: Traffic;
  onStart?(stream: string): void | Promise<void>;
  onPage(summary: StreamSummary, records: readonly JsonObject[]): void | Promise<void>;
  onEnd?(summary: StreamSummary): void | Promise<void>;
}

/** Reads streams whole, one after the other, for whoever prints their records. A stream that fails is reported and the next one goes on. */
export async function printStreams(
  connection: Connection,
  streams: readonly string[],
  io: Io,
  options: PrintOptions,
): Promise<StreamSummary[]> {
  const summaries: StreamSummary[] = [];
  for (const stream of streams) {
    await options.onStart?.(stream);
    const summary = await printOne(connection, stream, io, options);
    summaries.push(summary);
    await options.onEnd?.(summary);
    if (io.signal.aborted || summary.error?.code === 'output_failed') break;
  }
  return summaries;
}

async function printOne(connection: Connection, stream: string, io: Io, { limit, traffic, onPage }: PrintOptions): Promise<StreamSummary> {
  const began = io.clock.now();
  const summary: StreamSummary = {
    stream,
    records: 0,
    skipped: 0,
    misfits: 0,
    pages: 0,
    requests: 0,
    retries: 0,
    duration: 0,
    changes: [],
  };
  const count = (): void => {
    const { requests, retries } = traffic.of(stream);
    Object.assign(summary, { requests, retries, duration: io.clock.now() - began });
  };
  try {
    const reading = connection.read(stream, { signal: io.signal, ...(limit !== undefined && { limit }) });
    for await (const records of reading.pages()) {
      summary.records += records.length;
      summary.pages += 1;
      count();
      await onPage(summary, records);
    }
  } catch (error) {
    summary.error = ours(error, io);
  }
  count();
  return summary;
}

/** What stopped a stream, if it is an error of ours; a bug goes on up. */
function ours(error: unknown, io: Io): FerruleError {
  if (isFerruleError(error)) return error;
  if (io.signal.aborted) return new FerruleError('aborted', 'Stopped before the end');
  throw error;
}
