import { join } from 'node:path';
import { FerruleError } from '../core/errors.ts';
import type { JsonObject } from '../core/value.ts';
import { openSink, parseSinkAddress, type SinkAddress } from '../destinations/index.ts';
import { openStream } from '../destinations/lines.ts';
import type { Connection } from '../engine/connection.ts';
import type { RunOptions } from '../engine/run.ts';
import type { StreamProgress } from '../engine/run-events.ts';
import type { ClientEvent } from '../http/types.ts';
import type { Arguments } from './arguments.ts';
import { setAside } from './aside.ts';
import { pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { Traffic } from './counting.ts';
import { errorText } from './error-text.ts';
import { type Io, print } from './io.ts';
import { type Opened, openConnection } from './open-connection.ts';
import { pickStreams } from './pick-streams.ts';
import { Progress } from './progress.ts';
import { progressText } from './progress-text.ts';
import { printStreams, type StreamSummary, summaryOf } from './read-streams.ts';
import { summaryText } from './read-summary.ts';
import { destinationText, type ReadLog, readLog } from './run-log.ts';
import { say } from './say.ts';

export const run: Run = async (args, io) => {
  const [, ...wanted] = args.positionals;
  const traffic = new Traffic();
  const log = readLog(args, io);
  const onEvent = (event: ClientEvent): void => {
    traffic.see(event);
    log.seeHttp(event);
  };
  await using opened = await openConnection(args, io, { onEvent, eventDetails: false });
  const { connection, spec } = opened;
  const streams = pickStreams(connection, wanted);
  const out = args.text('out') ?? join('out', spec.name);
  const work: Work = { args, io, connection, streams, traffic, log };
  const summaries = out === '-' ? await toStandardOutput(work) : await intoDestination(addressOf(out, io), work, opened);
  await finish(summaries, work);
  if (io.signal.aborted) throw io.signal.reason;
  return exitCode(summaries);
};

interface Work {
  args: Arguments;
  io: Io;
  connection: Connection;
  streams: readonly string[];
  traffic: Traffic;
  log: ReadLog;
}

/** A folder or file under the present one, or a database's URL. */
function addressOf(text: string, io: Io): SinkAddress {
  const address = parseSinkAddress(text);
  return address.type === 'postgres' ? address : { ...address, target: pathOf(io, address.target) };
}

const KEEPING = ['mode', 'from-start', 'since', 'until', 'concurrency', 'bad-records', 'nested'] as const;

/** Plain records of one stream, or events that name theirs. Nothing is remembered. */
async function toStandardOutput({ args, io, connection, streams, traffic }: Work): Promise<StreamSummary[]> {
  const json = args.flag('json');
  if (streams.length !== 1 && !json) {
    throw new FerruleError('usage', `Standard output takes one stream, not ${streams.length}`, {
      next: `Name one of ${streams.slice(0, 5).join(', ')}…, or pass --json for events that name theirs, or a folder.`,
    });
  }
  const kept = KEEPING.find((name) => args.flag(name));
  if (kept !== undefined) {
    throw new FerruleError('usage', `--${kept} has no effect on standard output: nothing is kept there between two reads`, {
      next: 'Leave it out, or name a destination with --out.',
    });
  }
  const limit = args.count('limit', 1);
  const writer = json ? undefined : openStream(io.stdout, 'standard output');
  const show = shower(io, json, args.flag('trace'));
  return await printStreams(connection, streams, io, {
    traffic,
    ...(limit !== undefined && { limit }),
    onStart: show.start,
    onPage: async (summary, records) => {
      await writer?.write(records);
      if (json) for (const record of records) await show.event({ type: 'record', stream: summary.stream, record });
      await show.progress(summary.stream, summary.records, summary.pages, () => `${summary.stream}: ${summary.records} records`);
    },
    onEnd: show.end,
  });
}

/** A read into a destination is logged; nothing is asked of whoever prints records. */
async function intoDestination(address: SinkAddress, work: Work, { spec, credential }: Opened): Promise<StreamSummary[]> {
  const { connection, streams, log } = work;
  const about = {
    connector: spec.name,
    version: spec.version,
    ...(credential !== undefined && { credential }),
    method: connection.method,
    streams,
    destination: destinationText(address),
  };
  return await log.around(about, () => toDestination(address, work));
}

async function toDestination(address: SinkAddress, work: Work): Promise<StreamSummary[]> {
  const { args, io, connection, streams, traffic, log } = work;
  const options = runOptions(args);
  const sink = await openSink(address, {
    ...(args.text('nested') === 'flat' && { nested: 'flat' }),
    clock: io.clock,
    random: io.random,
    onChange: (change) => log.see({ type: 'column', at: io.clock.now(), stream: change.stream, change }),
  });
  const show = shower(io, args.flag('json'), args.flag('trace'));
  const latest = new Map<string, StreamProgress>();
  try {
    const outcomes = await connection.readInto(sink, {
      ...options,
      aside: setAside(address, pathOf(io, join('out', connection.connector))),
      streams,
      signal: io.signal,
      onProgress: (progress) => {
        latest.set(progress.stream, progress);
        void show.progress(progress.stream, progress.records, progress.pages, () => progressText([...latest.values()], streams.length));
      },
      onEvent: (event) => {
        log.see(event);
        if (event.type === 'start') void show.start(event.stream);
        if (event.type === 'end') void show.end(summaryOf(event.outcome, traffic));
      },
    });
    return outcomes.map((outcome) => summaryOf(outcome, traffic));
  } finally {
    await sink.close();
  }
}

function runOptions(args: Arguments): Partial<RunOptions> {
  const [mode, since, until, bad] = [args.text('mode'), args.text('since'), args.text('until'), args.text('bad-records')];
  const [concurrency, limit] = [args.count('concurrency', 1), args.count('limit', 1)];
  return {
    ...(mode !== undefined && { mode: mode as NonNullable<RunOptions['mode']> }),
    ...(args.flag('from-start') && { fromStart: true }),
    ...((since !== undefined || until !== undefined) && {
      range: { ...(since !== undefined && { since }), ...(until !== undefined && { until }) },
    }),
    ...(concurrency !== undefined && { concurrency }),
    ...(limit !== undefined && { limit }),
    ...(bad !== undefined && { badRecords: bad as NonNullable<RunOptions['badRecords']> }),
  };
}

interface Shower {
  event(value: object): Promise<void>;
  start(stream: string): Promise<void>;
  progress(stream: string, records: number, pages: number, text: () => string): Promise<void>;
  end(summary: StreamSummary): Promise<void>;
}

/** --json: one event a line on standard output. Else a line of progress, and what went wrong. */
function shower(io: Io, json: boolean, tracing: boolean): Shower {
  const line = new Progress(io);
  const event = (value: object): Promise<void> => print(io.stdout, `${JSON.stringify(value)}\n`);
  return {
    event,
    start: async (stream) => {
      if (json) await event({ type: 'start', stream });
    },
    progress: async (stream, records, pages, text) => {
      if (json) await event({ type: 'progress', stream, records, pages });
      else if (!tracing) line.update(text);
    },
    end: async ({ error, ...summary }) => {
      if (json) return await event({ type: 'end', ...summary, ...(error && { error: error.toJSON() }) });
      line.clear();
      if (error !== undefined && !io.signal.aborted) await say(io.stderr, `${summary.stream}: ${errorText(error, io)}`);
    },
  };
}

async function finish(summaries: readonly StreamSummary[], { args, io }: Work): Promise<void> {
  if (!args.flag('json')) return await print(io.stderr, summaryText(summaries, io));
  const sum = (key: 'records' | 'skipped' | 'pages' | 'requests' | 'retries'): number =>
    summaries.reduce((total, one) => total + one[key], 0);
  const failed = summaries.filter(({ error }) => error !== undefined).length;
  const totals: JsonObject = {
    records: sum('records'),
    skipped: sum('skipped'),
    pages: sum('pages'),
    requests: sum('requests'),
    retries: sum('retries'),
  };
  await print(
    io.stdout,
    `${JSON.stringify({ type: 'summary', streams: summaries.length, failed, ...totals, duration: longest(summaries) })}\n`,
  );
}

/** Streams are read at the same time. */
const longest = (summaries: readonly StreamSummary[]): number => Math.max(0, ...summaries.map(({ duration }) => duration));

/** A full disk is I/O (2); what the provider or the data refused is the read's own failure (1). */
function exitCode(summaries: readonly StreamSummary[]): number {
  const errors = summaries.flatMap(({ error }) => error ?? []);
  if (errors.length === 0) return 0;
  return errors.some(({ code }) => OUTPUT.includes(code)) ? 2 : 1;
}

const OUTPUT = ['output_failed', 'output_locked', 'output_unreadable'];
