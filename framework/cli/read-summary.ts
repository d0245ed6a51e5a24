import { isAbsolute, relative } from 'node:path';
import type { Io } from './io.ts';
import type { StreamSummary } from './read-streams.ts';
import { styleOf } from './style.ts';
import { table, widthOf } from './table.ts';

/** What a read did, stream by stream, and what there is to know of it. */
export function summaryText(summaries: readonly StreamSummary[], io: Io): string {
  const style = styleOf(io.stderr, io.env);
  const width = widthOf(io.stderr);
  const rows = summaries.map((one) => [
    style.bold(one.stream),
    String(one.records),
    String(one.pages),
    String(one.requests),
    String(one.retries),
    seconds(one.duration),
    one.error === undefined ? placeOf(one, io) : style.red(one.error.code),
  ]);
  const hasPlaces = summaries.some(({ place }) => place !== undefined);
  const shown = table(['Stream', 'Records', 'Pages', 'Requests', 'Retries', 'Time', hasPlaces ? 'Into' : ''], rows, {
    right: [1, 2, 3, 4, 5],
    heading: style.dim,
    ...(width !== undefined && { width }),
  });
  return shown + summaries.flatMap(notes).join('') + total(summaries);
}

const placeOf = ({ place, mode }: StreamSummary, io: Io): string =>
  place === undefined ? '' : `${short(place, io)}${mode === undefined ? '' : ` (${mode})`}`;

function short(file: string, io: Io): string {
  if (!isAbsolute(file)) return file;
  const path = relative(io.cwd, file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}

function notes({ stream, resumed, skipped, misfits, changes }: StreamSummary): string[] {
  return [
    ...(resumed ? [`${stream}: went on with the read that was stopped\n`] : []),
    ...(skipped > 0 ? [`${stream}: ${plural(skipped, 'record')} left out, known or not wanted\n`] : []),
    ...(misfits > 0 ? [`${stream}: ${plural(misfits, 'record')} not as the columns are declared\n`] : []),
    ...changes.map(({ column, change, from, to }) =>
      change === 'added' ? `${stream}: new column ${column} (${to})\n` : `${stream}: column ${column} widened from ${from} to ${to}\n`,
    ),
  ];
}

function total(summaries: readonly StreamSummary[]): string {
  if (summaries.length < 2) return '';
  const records = summaries.reduce((sum, one) => sum + one.records, 0);
  const failed = summaries.filter(({ error }) => error !== undefined).length;
  return `${records} records of ${summaries.length} streams${failed > 0 ? `, ${failed} not read in full` : ''}\n`;
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

export const seconds = (duration: number): string => `${(duration / 1000).toFixed(1)}s`;
