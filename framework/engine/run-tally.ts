import type { SinkChange } from '../core/sink.ts';
import type { ClientEvent } from '../http/types.ts';
import type { MisfitCount, RunEvent } from './run-events.ts';

/** What went over the wire for one stream, or for what is no stream: a token, a parent that is read for its children. */
export interface WireCounts {
  /** Requests that were sent, those that were sent again among them. */
  requests: number;
  /** Answers by HTTP status. */
  answered: Record<string, number>;
  /** Requests without a usable answer, by the error's code. */
  unanswered: Record<string, number>;
  /** Requests that were sent again, by reason. */
  retried: Record<string, number>;
  /** Milliseconds: for rate limits, and before a request was sent again. */
  waited: { limits: number; retries: number };
  /** Times that a token was refused and a new one was asked for. */
  renewed: number;
  /** Of the answers' bodies. */
  bytes: number;
}

/** A stream's wire, and what became of its records. */
export interface StreamCounts extends WireCounts {
  records: number;
  pages: number;
  /** Records that were left out, by reason. */
  skipped: Record<string, number>;
  /** Records that do not fit the declared columns, by column. */
  misfits: Record<string, Omit<MisfitCount, 'column'>>;
  /** What the destination did to its table. */
  columns: Omit<SinkChange, 'stream'>[];
  commits: number;
  /** Milliseconds that they took. */
  committing: number;
  failures: number;
}

/** An event, or a line of a log that was made from one. */
export type Told<Event> = Event extends unknown ? { type: string } & Partial<Omit<Event, 'type'>> : never;

/** Distinct reasons that are kept apart: a provider's words may differ each time. */
const MOST_REASONS = 20;
const LONGEST_REASON = 200;
const OTHERS = 'other reasons';
/** Records have few columns, but nobody promises it. */
const MOST_COLUMNS = 500;

/** Counts of a run, from its events as they come. `streams`: those that were asked for. */
export interface Tally {
  seeRun(event: Told<RunEvent>): void;
  seeHttp(event: Told<ClientEvent>): void;
  of(stream: string): StreamCounts;
  /** What was asked for besides, by the call's name. */
  others(): Record<string, WireCounts>;
}

export function createTally(streams: readonly string[]): Tally {
  const counts = new Map(streams.map((name) => [name, noCounts()] as const));
  const others = new Map<string, WireCounts>();
  const stream = (name: string): StreamCounts => made(counts, name, noCounts);
  return {
    seeRun: (event) => countRun(stream(event.stream ?? ''), event),
    seeHttp: (event) => {
      const { name = 'requests' } = event;
      // A job's calls are named `<stream> poll`.
      const own = counts.get(name) ?? counts.get(name.split(' ', 1)[0] ?? '');
      countHttp(own ?? made(others, name, noWire), event);
    },
    of: stream,
    others: () => Object.fromEntries(others),
  };
}

const noWire = (): WireCounts => ({
  requests: 0,
  answered: {},
  unanswered: {},
  retried: {},
  waited: { limits: 0, retries: 0 },
  renewed: 0,
  bytes: 0,
});

const noCounts = (): StreamCounts => ({
  ...noWire(),
  records: 0,
  pages: 0,
  skipped: {},
  misfits: {},
  columns: [],
  commits: 0,
  committing: 0,
  failures: 0,
});

function made<T>(map: Map<string, T>, key: string, make: () => T): T {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}

function add(counts: Record<string, number>, key: string, by = 1): void {
  const short = key.length > LONGEST_REASON ? `${key.slice(0, LONGEST_REASON)}…` : key;
  const own = Object.hasOwn(counts, short) || Object.keys(counts).length < MOST_REASONS ? short : OTHERS;
  counts[own] = (Object.hasOwn(counts, own) ? (counts[own] as number) : 0) + by;
}

function countHttp(counts: WireCounts, event: Told<ClientEvent>): void {
  if (event.type === 'request') counts.requests += 1;
  if ('status' in event && event.type === 'response') {
    add(counts.answered, String(event.status));
    if ('bytes' in event) counts.bytes += event.bytes ?? 0;
  }
  if ('code' in event && event.type === 'failure') add(counts.unanswered, event.code ?? 'unknown');
  if (event.type === 'renew') counts.renewed += 1;
  if (!('wait' in event)) return;
  if (event.type === 'wait') counts.waited.limits += event.wait ?? 0;
  if (event.type !== 'retry') return;
  counts.waited.retries += event.wait ?? 0;
  add(counts.retried, event.reason ?? 'unknown');
}

function countRun(counts: StreamCounts, event: Told<RunEvent>): void {
  if (event.type === 'failure') counts.failures += 1;
  if (event.type === 'column' && 'change' in event && event.change !== undefined) {
    const { stream: _stream, ...change } = event.change;
    if (counts.columns.length < MOST_COLUMNS) counts.columns.push(change);
  }
  if (event.type === 'misfit' && 'misfits' in event) event.misfits?.forEach((misfit) => void countMisfit(counts, misfit));
  if (event.type === 'commit' && 'duration' in event) {
    counts.commits += 1;
    counts.committing += event.duration ?? 0;
  }
  if (event.type !== 'page' || !('skipped' in event)) return;
  counts.pages += 1;
  counts.records += event.records ?? 0;
  if ((event.skipped ?? 0) > 0) add(counts.skipped, event.why ?? 'known', event.skipped);
}

function countMisfit({ misfits }: StreamCounts, { column, records, ...what }: MisfitCount): void {
  const known = Object.hasOwn(misfits, column) ? misfits[column] : undefined;
  if (known !== undefined) known.records += records;
  else if (Object.keys(misfits).length < MOST_COLUMNS) misfits[column] = { ...what, records };
}
