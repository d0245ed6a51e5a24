import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { JsonObject } from '../core/value.ts';
import { type JsonlWriter, open, openStream } from '../destinations/lines.ts';
import type { Connection } from '../engine/connection.ts';
import type { Traffic } from './counting.ts';
import type { Io } from './io.ts';

/** What became of one stream. `duration` in milliseconds, `bytes` as written. */
export interface StreamSummary {
  stream: string;
  /** The file; undefined for standard output. */
  file?: string;
  records: number;
  pages: number;
  requests: number;
  retries: number;
  bytes: number;
  duration: number;
  error?: FerruleError;
}

export interface ReadStreamsOptions {
  /** Files `<stream>.jsonl` in a folder, plain records on standard output, or only what onPage makes of them. */
  to: { folder: string } | 'stdout' | 'events';
  limit?: number;
  traffic: Traffic;
  onStart?(stream: string): void;
  onPage?(summary: StreamSummary, records: readonly JsonObject[]): void | Promise<void>;
  onEnd?(summary: StreamSummary): void | Promise<void>;
}

/**
 * Reads streams one after the other. A stream that fails is reported and the next one goes on, but for what would fail
 * for all of them: an aborted run, an output that takes no more.
 */
export async function readStreams(
  connection: Connection,
  streams: readonly string[],
  io: Io,
  options: ReadStreamsOptions,
): Promise<StreamSummary[]> {
  if (typeof options.to === 'object') {
    const { folder } = options.to;
    await mkdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
      throw new FerruleError('output_failed', `The folder ${folder} cannot be made (${cause.code ?? 'unknown'})`, { where: folder, cause });
    });
  }
  const summaries: StreamSummary[] = [];
  for (const stream of streams) {
    options.onStart?.(stream);
    const summary = await readOne(connection, stream, io, options);
    summaries.push(summary);
    await options.onEnd?.(summary);
    if (io.signal.aborted) break;
    if (summary.error?.code === 'output_failed') break;
  }
  return summaries;
}

async function readOne(connection: Connection, stream: string, io: Io, options: ReadStreamsOptions): Promise<StreamSummary> {
  const { to, limit, traffic } = options;
  const file = typeof to === 'object' ? join(to.folder, `${stream}.jsonl`) : undefined;
  const summary: StreamSummary = {
    stream,
    ...(file !== undefined && { file }),
    records: 0,
    pages: 0,
    requests: 0,
    retries: 0,
    bytes: 0,
    duration: 0,
  };
  const began = io.clock.now();
  const before = traffic.mark();
  let writer: JsonlWriter | undefined;
  try {
    if (file !== undefined) writer = await open(file);
    else if (to === 'stdout') writer = openStream(io.stdout, 'standard output');
    const reading = connection.read(stream, { signal: io.signal, ...(limit !== undefined && { limit }) });
    for await (const records of reading.pages()) {
      await writer?.write(records);
      summary.records += records.length;
      summary.pages += 1;
      Object.assign(summary, counts(traffic, before, io.clock.now() - began));
      await options.onPage?.(summary, records);
    }
  } catch (error) {
    summary.error = ours(error, io);
  }
  try {
    const totals = await writer?.close();
    if (totals !== undefined) summary.bytes = totals.bytes;
  } catch (error) {
    summary.error ??= ours(error, io);
  }
  return Object.assign(summary, counts(traffic, before, io.clock.now() - began));
}

const counts = (
  traffic: Traffic,
  before: ReturnType<Traffic['mark']>,
  duration: number,
): Pick<StreamSummary, 'requests' | 'retries' | 'duration'> => {
  const { requests, retries } = traffic.since(before);
  return { requests, retries, duration };
};

/** What stopped a stream, if it is an error of ours; a bug goes on up. */
function ours(error: unknown, io: Io): FerruleError {
  if (isFerruleError(error)) return error;
  if (io.signal.aborted) return new FerruleError('aborted', 'Stopped before the end');
  throw error;
}
