import type { RunRecord, RunState } from '../engine/run-record.ts';
import type { Io } from './io.ts';
import { seconds } from './read-summary.ts';
import { type Style, styleOf } from './style.ts';
import { paragraph, table, widthOf } from './table.ts';

/** Names of streams that are listed. */
const MOST_NAMES = 3;

/** A table of runs, the latest first. */
export function runsText(runs: readonly RunRecord[], io: Io, { more, folder }: { more: boolean; folder: string }): string {
  if (runs.length === 0) return paragraph(`No such run is logged in ${folder}.`, io.stdout);
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const rows = runs.map((run) => [
    style.bold(run.id.slice(-4)),
    when(run.began),
    run.connector,
    streamNames(run),
    run.ended === undefined ? '' : records(run).toLocaleString('en-US'),
    duration(run),
    stateText(run, style),
  ]);
  const shown = table(['Run', 'When (UTC)', 'Connector', 'Streams', 'Records', 'Time', 'Ended'], rows, {
    right: [4, 5],
    heading: style.dim,
    ...(width !== undefined && { width }),
  });
  const hint = `${more ? 'There are more: --all. ' : ''}\`ferrule runs ${runs[0]?.id.slice(-4)}\` shows one in full.`;
  return `${shown}${paragraph(hint, io.stdout)}`;
}

export const when = (time: string): string => time.slice(0, 19).replace('T', ' ');

const records = (run: RunRecord): number => run.outcomes.reduce((sum, one) => sum + one.records, 0);

function streamNames({ streams }: RunRecord): string {
  if (streams.length <= MOST_NAMES) return streams.join(', ');
  return `${streams.slice(0, MOST_NAMES - 1).join(', ')} and ${streams.length - MOST_NAMES + 1} more`;
}

export function duration({ began, ended }: RunRecord): string {
  return ended === undefined ? '' : longTime(Date.parse(ended) - Date.parse(began));
}

/** `4.2s`, `3m 20s`, `2h 5m`. Takes milliseconds. */
export function longTime(time: number): string {
  if (time < 60_000) return seconds(time);
  const minutes = Math.floor(time / 60_000);
  return minutes < 60 ? `${minutes}m ${Math.floor((time % 60_000) / 1000)}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

const COLOUR: Record<RunState, keyof Omit<Style, 'color'>> = {
  done: 'green',
  running: 'cyan',
  stopped: 'yellow',
  failed: 'red',
  killed: 'red',
};

/** How it ended, and by which error. */
export function stateText({ state, error, outcomes }: RunRecord, style: Style): string {
  const paint = style[COLOUR[state]];
  if (state !== 'failed') return paint(state);
  const codes = new Set([error, ...outcomes.map((one) => one.error)].flatMap((one) => one?.code ?? []));
  const failed = outcomes.filter((one) => one.error !== undefined).length;
  const part = error === undefined && failed < outcomes.length ? ` (${failed} of ${outcomes.length})` : '';
  return paint(`${[...codes].slice(0, 2).join(', ')}${part}`);
}
