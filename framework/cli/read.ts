import { isAbsolute, join, relative } from 'node:path';
import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import type { JsonObject } from '../core/value.ts';
import type { Connection } from '../engine/connection.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { Traffic } from './counting.ts';
import { errorText } from './error-text.ts';
import { type Io, print } from './io.ts';
import { openConnection } from './open-connection.ts';
import { Progress } from './progress.ts';
import { readStreams, type StreamSummary } from './read-streams.ts';
import { say } from './say.ts';
import { styleOf } from './style.ts';
import { table, widthOf } from './table.ts';

export const run: Run = async (args, io) => {
  const [, ...wanted] = args.positionals;
  const out = args.text('out');
  const traffic = new Traffic();
  await using opened = await openConnection(args, io, { onEvent: (event) => traffic.see(event) });
  const { connection, spec } = opened;
  const limit = args.count('limit', 1);
  const streams = pick(connection, wanted);
  const json = args.flag('json');
  if (out === '-' && streams.length !== 1 && !json) {
    throw new FerruleError('usage', `Standard output takes one stream, not ${streams.length}`, {
      next: `Name one of ${streams.slice(0, 5).join(', ')}…, or pass --json for events that name theirs, or a folder.`,
    });
  }
  const folder = out === '-' ? undefined : pathOf(io, out ?? join('out', spec.name));
  const show = json ? jsonEvents(io, folder === undefined) : textEvents(io, args.flag('trace'));
  const summaries = await readStreams(connection, streams, io, {
    to: folder !== undefined ? { folder } : json ? 'events' : 'stdout',
    ...(limit !== undefined && { limit }),
    traffic,
    ...show,
  });
  await finish(summaries, args, io, folder);
  if (io.signal.aborted) throw io.signal.reason;
  return exitCode(summaries);
};

/** Streams by name, or all that are offered under the credential's choices. */
function pick(connection: Connection, wanted: readonly string[]): string[] {
  const known = connection.streams();
  for (const name of wanted) {
    const stream = known.find((one) => one.name === name);
    if (stream?.available === true) continue;
    const names = known.filter(({ available }) => available).map((one) => one.name);
    const meant = suggest(name, names);
    const problem = stream === undefined ? `has no stream "${name}"` : `does not offer "${name}" under these choices`;
    throw new FerruleError('stream_unknown', `${connection.connector} ${problem}`, {
      where: name,
      next: `${meant === undefined || meant === name ? '' : `Did you mean "${meant}"? `}There are: ${names.join(', ')}.`,
    });
  }
  return wanted.length > 0 ? [...new Set(wanted)] : known.filter(({ available }) => available).map(({ name }) => name);
}

/** --json: one event a line; records too when they go nowhere else. */
function jsonEvents(io: Io, withRecords: boolean) {
  const event = (value: object): Promise<void> => print(io.stdout, `${JSON.stringify(value)}\n`);
  return {
    onStart: (stream: string) => void event({ type: 'start', stream }),
    onPage: async ({ stream, records, pages }: StreamSummary, page: readonly JsonObject[]) => {
      if (withRecords) for (const record of page) await event({ type: 'record', stream, record });
      await event({ type: 'progress', stream, records, pages });
    },
    onEnd: ({ error, ...summary }: StreamSummary) => event({ type: 'end', ...summary, ...(error && { error: error.toJSON() }) }),
  };
}

function textEvents(io: Io, tracing: boolean) {
  const progress = new Progress(io);
  return {
    onPage: ({ stream, records, pages, duration }: StreamSummary) => {
      if (!tracing) progress.update(`${stream}: ${records} records, ${pages} pages, ${seconds(duration)}`);
    },
    onEnd: async ({ stream, error }: StreamSummary) => {
      progress.clear();
      if (error !== undefined && !io.signal.aborted) await say(io.stderr, `${stream}: ${errorText(error, io)}`);
    },
  };
}

async function finish(summaries: readonly StreamSummary[], args: Arguments, io: Io, folder: string | undefined): Promise<void> {
  const records = summaries.reduce((sum, one) => sum + one.records, 0);
  const failed = summaries.filter(({ error }) => error !== undefined).length;
  if (args.flag('json')) {
    const sum = (key: 'pages' | 'requests' | 'retries' | 'duration') => summaries.reduce((total, one) => total + one[key], 0);
    const totals = { pages: sum('pages'), requests: sum('requests'), retries: sum('retries'), duration: sum('duration') };
    await print(io.stdout, `${JSON.stringify({ type: 'summary', streams: summaries.length, failed, records, ...totals })}\n`);
    return;
  }
  const style = styleOf(io.stderr, io.env);
  const width = widthOf(io.stderr);
  const rows = summaries.map((one) => [
    style.bold(one.stream),
    String(one.records),
    String(one.pages),
    String(one.requests),
    String(one.retries),
    seconds(one.duration),
    one.error === undefined ? (one.file === undefined ? '' : shown(one.file, io)) : style.red(one.error.code),
  ]);
  await print(
    io.stderr,
    table(['Stream', 'Records', 'Pages', 'Requests', 'Retries', 'Time', folder === undefined ? '' : 'File'], rows, {
      right: [1, 2, 3, 4, 5],
      heading: style.dim,
      ...(width !== undefined && { width }),
    }),
  );
  if (summaries.length > 1)
    await print(io.stderr, `${records} records of ${summaries.length} streams${failed > 0 ? `, ${failed} not read in full` : ''}\n`);
}

const shown = (file: string, io: Io): string => {
  const short = relative(io.cwd, file);
  return short.startsWith('..') || isAbsolute(short) ? file : short;
};

export const seconds = (duration: number): string => `${(duration / 1000).toFixed(1)}s`;

/** A full disk is I/O (2); what the provider or the data refused is the read's own failure (1). */
function exitCode(summaries: readonly StreamSummary[]): number {
  const errors = summaries.flatMap(({ error }) => error ?? []);
  if (errors.length === 0) return 0;
  return errors.some(({ code }) => code === 'output_failed') ? 2 : 1;
}
