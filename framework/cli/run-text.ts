import { join } from 'node:path';
import { VERSION } from '../core/version.ts';
import { EVENTS, type RunError, type RunRecord, type StreamRecord } from '../engine/run-record.ts';
import type { WireCounts } from '../engine/run-tally.ts';
import type { Io } from './io.ts';
import { duration, longTime, stateText, when } from './runs-text.ts';
import { hanging } from './say.ts';
import { type Style, styleOf, visible } from './style.ts';
import { widthOf } from './table.ts';

/** Columns named one by one. */
const MOST_COLUMNS = 20;

/** One run in full: what was asked, and for each stream what was answered, sent again, left out, and why. */
export function runText(run: RunRecord, io: Io, folder: string): string {
  const style = styleOf(io.stdout, io.env);
  const lines = [
    `${style.bold(run.connector)} ${run.version ?? ''}  ${style.dim(run.id)}`,
    `${stateText(run, style)}, began ${when(run.began)} UTC${run.ended === undefined ? '' : `, took ${duration(run)}`}`,
    ...asked(run),
    ...(run.error === undefined ? [] : errorLines(run.error, style)),
    ...run.outcomes.flatMap((one) => ['', ...streamLines(one, run, style)]),
    ...besides(run, style),
    '',
    ...eventLines(run, join(folder, run.id, EVENTS)),
  ];
  return hanging(`${lines.join('\n')}\n`, widthOf(io.stdout));
}

function asked({ destination, credential, method, options, ferrule }: RunRecord): string[] {
  const given = Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`));
  const who = credential === undefined ? 'inputs that are not stored' : `credential ${credential}`;
  return [
    `into ${visible(destination)}`,
    `with ${who}${method === undefined ? '' : `, method ${method}`}`,
    ...(given.length === 0 ? [] : [`options ${visible(given.join(' '))}`]),
    ...(ferrule === VERSION ? [] : [`by Ferrule ${ferrule}`]),
  ];
}

function streamLines(one: StreamRecord, { state }: RunRecord, style: Style): string[] {
  const { stream, records, pages, commits, committing, resumed, mode, place, complete, error, errors } = one;
  const open = error === undefined && one.duration === undefined;
  const how =
    error !== undefined ? style.red('failed') : complete ? style.green('complete') : open ? style.yellow(notEnded(state)) : 'a sample';
  const facts = [
    `${plural(records, 'record')} on ${plural(pages, 'page')}`,
    ...(one.duration === undefined ? [] : [`in ${longTime(one.duration)}`]),
  ];
  return [
    `${style.bold(stream)}: ${how}, ${facts.join(' ')}`,
    ...(place === undefined || place === '' ? [] : [`  into ${visible(place)}${mode === undefined ? '' : ` (${mode})`}`]),
    ...(resumed ? ['  went on with a read that was stopped'] : []),
    ...wireLines(one),
    ...(commits === 0 ? [] : [`  written in ${plural(commits, 'commit')}, ${longTime(committing)}`]),
    ...counted(one.skipped, (why, count) => `  left out ${plural(count, 'record')}: ${SKIPPED[why] ?? why}`),
    ...misfitLines(one),
    ...columnLines(one),
    ...(error === undefined ? [] : errorLines(error, style)),
    ...(errors > 1 ? [`  and ${plural(errors - 1, 'more error')} of the same stream`] : []),
  ];
}

const notEnded = (state: RunRecord['state']): string => (state === 'running' ? 'under way' : 'not ended');

const SKIPPED: Readonly<Record<string, string>> = {
  keep: '`keep` in the spec does not want them',
  known: 'known from the last read',
  'keep or known': '`keep` in the spec does not want them, or they are known from the last read',
};

function wireLines({ requests, answered, unanswered, retried, waited, renewed }: WireCounts): string[] {
  if (requests === 0) return [];
  const statuses = Object.entries(answered).map(([status, count]) => `${status} ×${count}`);
  const without = Object.entries(unanswered).map(([code, count]) => `${code} ×${count}`);
  return [
    `  asked ${plural(requests, 'time')}${statuses.length === 0 ? '' : `, answered ${statuses.join(', ')}`}`,
    ...(without.length === 0 ? [] : [`  without an answer: ${without.join(', ')}`]),
    ...counted(retried, (why, count) => `  sent again ${plural(count, 'time')}: ${visible(why)}`),
    ...(waited.retries === 0 ? [] : [`  waited ${longTime(waited.retries)} before sending again`]),
    ...(waited.limits === 0 ? [] : [`  waited ${longTime(waited.limits)} for limits`]),
    ...(renewed === 0 ? [] : [`  renewed the token ${plural(renewed, 'time')}`]),
  ];
}

const counted = (counts: Readonly<Record<string, number>>, line: (key: string, count: number) => string): string[] =>
  Object.entries(counts).map(([key, count]) => line(key, count));

function misfitLines({ misfits }: StreamRecord): string[] {
  return few(
    Object.entries(misfits).map(
      ([column, { wanted, found, records }]) =>
        `  ${visible(column)}: ${found} where ${wanted} is declared, in ${plural(records, 'record')}`,
    ),
  );
}

function columnLines({ columns }: StreamRecord): string[] {
  return few(
    columns.map(({ column, change, from, to }) =>
      change === 'added' ? `  new column ${visible(column)} (${to})` : `  column ${visible(column)} widened from ${from} to ${to}`,
    ),
  );
}

const few = (lines: readonly string[]): string[] =>
  lines.length <= MOST_COLUMNS ? [...lines] : [...lines.slice(0, MOST_COLUMNS), `  and ${lines.length - MOST_COLUMNS} more such columns`];

function errorLines({ code, message, where, next }: RunError, style: Style): string[] {
  return [
    `  ${style.red(`error[${code}]`)}: ${visible(message)}`,
    ...(where === undefined || message.includes(where) ? [] : [`    where: ${visible(where)}`]),
    `    ${style.cyan('next')}: ${visible(next)}`,
  ];
}

/** Tokens, and parents that are read for their children. */
function besides({ others }: RunRecord, style: Style): string[] {
  return Object.entries(others).flatMap(([name, counts]) => [
    '',
    `${style.bold(visible(name))} ${style.dim('(besides)')}`,
    ...wireLines(counts),
  ]);
}

function eventLines({ events }: RunRecord, path: string): string[] {
  if (events === undefined) return [`events ${path}`];
  return [
    `events ${path} (${plural(events.lines, 'line')}${events.cut ? '; it was full, or could not be written: the counts go on' : ''})`,
  ];
}

const plural = (count: number, word: string): string => `${count.toLocaleString('en-US')} ${word}${count === 1 ? '' : 's'}`;
