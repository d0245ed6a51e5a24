import { FerruleError } from '../core/errors.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { StreamState, WriteMode } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { cursorPoints } from '../streams/cursor.ts';
import { pointOf } from '../streams/plan.ts';
import type { RunOptions } from './run.ts';

/** What becomes of rows that are there. @throws FerruleError input_malformed: an upsert without a primary key */
export function modeOf(stream: ResolvedStream, { mode, range }: RunOptions): WriteMode {
  const keyed = stream.primary_key.length > 0;
  if (mode === 'upsert' && !keyed) {
    throw new FerruleError('input_malformed', `${stream.name} has no primary key, so that nothing can be upserted`, {
      where: `streams.${stream.name}.primary_key`,
      next: 'Append or overwrite, or give the stream a primary_key.',
    });
  }
  if (mode !== undefined) return mode;
  const incremental = stream.cursor !== undefined || stream.parents === 'changed' || range !== undefined;
  return incremental ? (keyed ? 'upsert' : 'append') : 'overwrite';
}

/** The past range that is asked for, as points of the cursor. @throws FerruleError input_malformed */
export function rangeOf(stream: ResolvedStream, { range, mode }: RunOptions, now: number): { since?: number; until?: number } | undefined {
  if (range?.since === undefined && range?.until === undefined) return undefined;
  const { cursor, name } = stream;
  if (cursor === undefined) {
    throw new FerruleError('input_malformed', `${name} has no cursor: it is always read whole`, {
      where: `streams.${name}`,
      next: 'Leave out the range, or this stream.',
    });
  }
  if (mode === 'overwrite') {
    throw new FerruleError('input_malformed', `${name}: a past range would take the place of everything`, { where: `streams.${name}` });
  }
  const points = cursorPoints(cursor, name);
  const point = (text: string | undefined, which: string): number | undefined => {
    if (text === undefined) return undefined;
    const found = pointOf(text, cursor.format, points, now);
    if (found === undefined) throw new FerruleError('input_malformed', `${which} is neither a date nor a duration`, { where: which });
    return found;
  };
  const [since, until] = [point(range?.since, 'since'), point(range?.until, 'until')];
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}

/** The read that was begun and did not come to its end. */
export const runUnderWay = (state: StreamState): JsonObject | undefined => (state.get('stream') as { run?: JsonObject } | undefined)?.run;

/**
 * A past range does not go on with another read, nor another read with it. An overwrite's rows wait beside the others, so that it goes on
 * with no other mode, nor another mode with it.
 */
export const goesOn = (under: JsonObject, range: object | undefined, mode: WriteMode): boolean =>
  JSON.stringify(under.range ?? null) === JSON.stringify(range ?? null) && (under.mode === 'overwrite') === (mode === 'overwrite');

/**
 * Whether a read that has tried all of its partitions is over although some failed: the others must not wait for them. Where they have no
 * cursor each, or a past range or all rows are wanted, it goes on until all is there.
 */
export function endsWithFailures({ cursor, parent, each }: ResolvedStream, mode: WriteMode, { range }: RunOptions): boolean {
  const isParted = parent !== undefined || Object.keys(each).length > 0;
  const isRange = range?.since !== undefined || range?.until !== undefined;
  return isParted && cursor?.per === 'partition' && mode !== 'overwrite' && !isRange;
}

/** Whether all that was read of a stream is a sample. */
export const isSampleState = (state: StreamState): boolean => (state.get('stream') as { sample?: true } | undefined)?.sample === true;

export const sampleRefused = (stream: string): FerruleError =>
  new FerruleError('input_malformed', `${stream}: a sample would take the place of what was read`, {
    where: 'limit',
    next: 'Write the sample to another place, or to standard output.',
  });
