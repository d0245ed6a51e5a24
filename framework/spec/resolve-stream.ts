import { parseDuration } from '../core/duration.ts';
import { FerruleError } from '../core/errors.ts';
import type { DecodeChain, ResolvedCall, ResolvedCursor, ResolvedJob, ResolvedStream } from '../core/resolved.ts';
import { callOf } from './call.ts';
import { isMap, type Plain } from './merge.ts';

type Reading = Pick<ResolvedStream, 'chain' | 'keep' | 'flatten' | 'rename' | 'types' | 'cursor' | 'each' | 'parents'>;

/** How a stream's answers become records, and which of them a read asks for. */
export function resolveReading(merged: Plain): Reading {
  const { flatten } = merged;
  return {
    chain: chainOf(merged.decode),
    keep: textOf(merged.keep),
    flatten: isMap(flatten)
      ? { separator: String(flatten.separator ?? '_'), depth: Number(flatten.depth ?? Number.POSITIVE_INFINITY) }
      : undefined,
    rename: (merged.rename ?? {}) as Record<string, string>,
    types: (merged.types ?? {}) as ResolvedStream['types'],
    cursor: isMap(merged.cursor) ? resolveCursor(merged.cursor) : undefined,
    each: (merged.each ?? {}) as Plain,
    parents: merged.parents === 'changed' ? 'changed' : 'all',
  };
}

function resolveCursor(cursor: Plain): ResolvedCursor {
  const format = String(cursor.format ?? 'iso');
  const length = (text: unknown): number | undefined => lengthOf(text, format);
  return {
    // A method or an option may have taken it away, which lint does not see; who reads the stream hears of it.
    field: String(cursor.field ?? ''),
    format,
    record_format: textOf(cursor.record_format),
    time_zone: String(cursor.time_zone ?? 'UTC'),
    filter: cursor.filter === 'client' ? 'client' : 'server',
    order: cursor.order === 'asc' ? 'asc' : 'none',
    window: isMap(cursor.window) ? resolveWindow(cursor.window, format) : undefined,
    lookback: length(cursor.lookback) ?? 0,
    start: textOf(cursor.start),
    oldest: length(cursor.oldest),
    per: cursor.per === 'stream' ? 'stream' : 'partition',
  };
}

function resolveWindow(window: Plain, format: string): NonNullable<ResolvedCursor['window']> {
  return {
    max: lengthOf(window.max, format),
    end: window.end as 'inclusive' | 'exclusive' | undefined,
    step: lengthOf(window.step, format) ?? stepOf(format),
  };
}

/** Milliseconds; for integers the number itself. A text that fits neither is what lint reports. */
function lengthOf(text: unknown, format: string): number | undefined {
  if (text === undefined || text === null) return undefined;
  return format === 'integer' ? Number.parseInt(String(text), 10) : parseDuration(String(text));
}

/** The smallest difference that a format can write. */
function stepOf(format: string): number {
  if (format === 'integer' || format === 'iso_ms' || format === 'epoch_ms' || /%[Lf]/.test(format)) return 1;
  if (format === 'date') return 86_400_000;
  if (!format.includes('%') || /%[sSTcr]/.test(format)) return 1000;
  return /%[MR]/.test(format) ? 60_000 : /%[HI]/.test(format) ? 3_600_000 : 86_400_000;
}

export function resolveJob(job: Plain, at: string): ResolvedJob {
  const part = (name: 'create' | 'poll' | 'download' | 'cancel' | 'clean_up'): Plain | undefined => {
    const call = job[name];
    return isMap(call) ? call : undefined;
  };
  const call = (name: 'create' | 'poll' | 'download' | 'cancel' | 'clean_up'): ResolvedCall | undefined => {
    const plain = part(name);
    // A download's `decode` is a chain, an auth call's a word.
    return plain && callOf({ ...plain, decode: undefined });
  };
  const [create, poll, download] = [call('create'), call('poll'), call('download')];
  if (create === undefined) throw missing(`${at}.job.create`, 'the call that begins the job');
  if (poll === undefined) throw missing(`${at}.job.poll`, 'the call that asks how far it is');
  if (typeof job.status !== 'string') throw missing(`${at}.job.status`, 'where the poll says how far the job is');
  const states = isMap(job.states) ? job.states : {};
  const words = (name: string): string[] => ((states[name] ?? []) as unknown[]).map(String);
  return {
    create: { name: 'create', ...create },
    poll: {
      name: 'poll',
      ...poll,
      every: parseDuration(String(part('poll')?.every ?? '10s')) ?? 10_000,
      timeout: parseDuration(String(part('poll')?.timeout ?? '1h')) ?? 3_600_000,
    },
    download: download && { name: 'download', ...download, chain: chainOf(part('download')?.decode) },
    cancel: call('cancel'),
    clean_up: call('clean_up'),
    status: job.status,
    states: { done: words('done'), failed: words('failed'), running: words('running'), none: words('none') },
    message: textOf(job.message),
    at_once: Number(job.at_once ?? 1),
  };
}

const chainOf = (value: unknown): DecodeChain => (Array.isArray(value) ? (value as DecodeChain) : []);
const textOf = (value: unknown): string | undefined => (value === undefined || value === null ? undefined : String(value));

const missing = (where: string, what: string): FerruleError => new FerruleError('spec_invalid', `${where} is missing: ${what}`, { where });
