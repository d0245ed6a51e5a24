import { ABSENT } from '../core/absent.ts';
import { parseDuration } from '../core/duration.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { compilePath, readPath } from '../core/path.ts';
import { compileText, compileValue } from '../core/render.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import { reveal, type Text } from '../core/secret.ts';
import type { StateChange, StreamState } from '../core/sink.ts';
import { parseTime } from '../core/time.ts';
import type { Json, JsonObject } from '../core/value.ts';
import { type CursorPoints, cursorPoints } from './cursor.ts';
import type { StreamEnvironment } from './environment.ts';
import { Progress } from './progress.ts';
import { unitReader, windowVariables } from './read-unit.ts';
import { partitionKey, type Unit, type UnitState } from './unit.ts';
import { windowsOf } from './window.ts';

/** What a read is about. */
export interface PlanOptions {
  /** The moment that the read began, ms: nothing after it is asked for, however long it takes. */
  now: number;
  /** A past range, in place of what is new: points of the cursor. */
  range?: { since?: number; until?: number };
  /** It goes on with a read that was stopped: some partitions may be finished already. */
  resumes?: boolean;
}

/** Units in the order in which they should begin. They are made as they are asked for: a parent's records are read on the way. */
export interface Plan {
  units(): AsyncGenerator<Unit>;
  /** What is known of the parents when all units are finished: to be committed then. */
  afterwards(): StateChange;
}

/** Where the cursors of parents are kept: the stream's own entries, each level under one more `^`. */
export interface ParentStates {
  entries: StreamState;
  prefix: string;
}

export function planOf(
  stream: ResolvedStream,
  environment: StreamEnvironment,
  progress: Progress,
  parents: ParentStates,
  options: PlanOptions,
): Plan {
  const later: Record<string, Json> = {};
  // Of a parent whose children are read as of an earlier moment the next read must hear again.
  let isBehind = false;
  return {
    afterwards: () => (isBehind ? {} : later),
    async *units() {
      const vars = await environment.variables();
      const points = stream.cursor && cursorPoints(stream.cursor, stream.name);
      const planned = new Set<string>();
      for await (const partition of partitionsOf(stream, environment, parents, vars, options, later)) {
        const key = partitionKey(partition.partition);
        // Overlapping pages, or a parent in two windows: its children are read once.
        if (planned.has(key)) continue;
        planned.add(key);
        const behind = await unitsBehind(stream, partition, points, progress, environment);
        isBehind ||= behind.length > 0;
        const units = behind.length > 0 ? behind : unitsOf(stream, partition, points, progress, vars, options, environment);
        progress.planned(partition.partition, units);
        // All at once: with the last of them the marks of those that were finished before go, and they would be read again.
        yield* units.filter((unit) => !progress.isFinished(unit));
      }
    },
  };
}

type Partition = Pick<Unit, 'partition' | 'parent' | 'each'>;

/** Those of the earlier read that a partition failed in half-way: as they were then, for what was written is of them. */
async function unitsBehind(
  stream: ResolvedStream,
  partition: Partition,
  points: CursorPoints | undefined,
  progress: Progress,
  environment: StreamEnvironment,
): Promise<Unit[]> {
  const now = progress.behind(partition.partition);
  if (now === undefined) return [];
  const units = unitsOf(stream, partition, points, progress, await environment.variables(now), { now }, environment);
  return units.map((unit) => ({ ...unit, now }));
}

function unitsOf(
  stream: ResolvedStream,
  partition: Partition,
  points: CursorPoints | undefined,
  progress: Progress,
  vars: Vars,
  { now, range }: PlanOptions,
  { scopes }: StreamEnvironment,
): Unit[] {
  const { cursor, name } = stream;
  if (cursor === undefined || points === undefined) return [{ stream: name, ...partition }];
  const { done, finished } = progress.before(partition.partition, now);
  if (finished) return [];
  const start = startOf(stream, points, vars, now, scopes);
  const edge = range === undefined && cursor.lookback === 0 ? progress.edge(partition.partition) : undefined;
  const text = (point: number | undefined): string | null => (point === undefined ? null : points.text(point));
  return windowsOf({ cursor, points, done, start, now, ...(range && { range }) }).map((window) => ({
    stream: name,
    ...partition,
    window: { start: text(window.start), end: text(window.end) },
    ...(edge && { edge }),
  }));
}

/** `cursor.start`: so long ago, or a point as the format or RFC 3339 writes it. Undefined when it has no value. */
export function startOf(
  { cursor, name }: ResolvedStream,
  points: CursorPoints,
  vars: Vars,
  now: number,
  scopes: StreamEnvironment['scopes'],
): number | undefined {
  if (cursor?.start === undefined) return undefined;
  const text = compileText(cursor.start, 'plain', scopes.api)(vars);
  if (text === ABSENT) return undefined;
  const point = pointOf(reveal(text as Text), cursor.format, points, now);
  if (point !== undefined) return point;
  throw new FerruleError('input_malformed', `${name}: where its first read begins is neither a date nor a duration`, {
    where: `streams.${name}.cursor.start`,
  });
}

/** A duration before `now`, a date or time, or an integer. */
export function pointOf(text: string, format: string, points: CursorPoints, now: number): number | undefined {
  if (!points.isTime) return points.parse(text);
  const ago = parseDuration(text);
  return ago === undefined ? (parseTime(text, 'iso') ?? parseTime(text, format)) : now - ago;
}

/** The first window of a first read, and the first item of each list: what an explanation of the first request shows. */
export function firstVariables(stream: ResolvedStream, environment: Pick<StreamEnvironment, 'scopes'>, vars: Vars, now: number): Vars {
  const points = stream.cursor && cursorPoints(stream.cursor, stream.name);
  const [each = {}] = eachOf(stream, environment, vars);
  if (points === undefined || stream.cursor === undefined) return { each, window: {} };
  const start = startOf(stream, points, vars, now, environment.scopes);
  const [first] = windowsOf({ cursor: stream.cursor, points, done: [], start, now });
  const text = (point: number | undefined): string | null => (point === undefined ? null : points.text(point));
  // Where all that there could be is still to come, there is no window yet: it is shown as one that is empty.
  const at = points.floor(start ?? now);
  const window = first === undefined ? { start: text(at), end: text(at) } : { start: text(first.start), end: text(first.end) };
  return { each, window: windowVariables({ window }, points, stream) };
}

async function* partitionsOf(
  stream: ResolvedStream,
  environment: StreamEnvironment,
  parents: ParentStates,
  vars: Vars,
  options: PlanOptions,
  later: Record<string, Json>,
): AsyncGenerator<Partition> {
  const items = eachOf(stream, environment, vars);
  const names = Object.fromEntries(Object.keys(stream.each).map((name) => [name, `each.${name}`]));
  const withItems = function* (of: Partition): Generator<Partition> {
    for (const each of items) {
      const own = Object.fromEntries(Object.entries(each).map(([name, value]) => [names[name] as string, value]));
      yield Object.keys(each).length === 0 ? of : { ...of, partition: { ...of.partition, ...own }, each };
    }
  };
  if (stream.parent === undefined) {
    yield* withItems({ partition: {} });
    return;
  }
  const nameless = { count: 0, of: '', path: '' };
  for await (const { record, of } of parentRecords(stream, environment, parents, options, later)) {
    const path = of.primary_key.find((one) => readPath(compilePath(one), record) === undefined);
    if (path === undefined) yield* withItems({ partition: parentName(of, record), parent: record });
    else Object.assign(nameless, { count: nameless.count + 1, of: of.name, path });
  }
  if (nameless.count > 0) throw new NamelessParents(stream.name, nameless);
}

/** Told at the end: the other parents are read all the same. */
export class NamelessParents extends FerruleError {
  constructor(stream: string, { count, of, path }: { count: number; of: string; path: string }) {
    super(
      'path_missing',
      `${count} record${count === 1 ? '' : 's'} of ${of} ha${count === 1 ? 's' : 've'} no ${path}, the primary key: ${stream} is not read for ${count === 1 ? 'it' : 'them'}`,
      { where: `streams.${of}.primary_key` },
    );
  }
}

/** All combinations of the items of `each`, the last name changing fastest. */
function eachOf(stream: ResolvedStream, { scopes }: Pick<StreamEnvironment, 'scopes'>, vars: Vars): JsonObject[] {
  let all: JsonObject[] = [{}];
  for (const [name, value] of Object.entries(stream.each)) {
    const items = compileValue(value, 'data', scopes.api)(vars);
    if (items === ABSENT || !Array.isArray(items)) {
      throw new FerruleError('input_missing', `${stream.name}: each.${name} is no list`, {
        where: `streams.${stream.name}.each.${name}`,
        next: 'Give the field a list, or write the items in the spec.',
      });
    }
    all = all.flatMap((before) => items.map((item) => ({ ...before, [name]: item as Json })));
  }
  return all;
}

/** A parent's record by its primary key, which it has; without one by all that it has. */
function parentName(parent: ResolvedStream, record: JsonObject): JsonObject {
  if (parent.primary_key.length === 0) return { parent: record };
  return Object.fromEntries(parent.primary_key.map((path) => [`parent.${path}`, readPath(compilePath(path), record) as Json]));
}

/** The parent's records, read for this stream; with `parents: changed` those that changed since it was read last. */
async function* parentRecords(
  stream: ResolvedStream,
  environment: StreamEnvironment,
  parents: ParentStates,
  options: PlanOptions,
  later: Record<string, Json>,
): AsyncGenerator<{ record: JsonObject; of: ResolvedStream }> {
  const name = stream.parent as string;
  const of = Object.hasOwn(environment.streams, name) ? environment.streams[name] : undefined;
  if (of === undefined) {
    throw new FerruleError('stream_unknown', `${stream.name} names "${stream.parent}" as its parent, which is not there`, {
      where: `streams.${stream.name}.parent`,
    });
  }
  // A past range is about all parents, and says nothing of what is new.
  const changed = stream.parents === 'changed' && options.range === undefined;
  const prefix = `${parents.prefix}^`;
  const progress = changed ? new Progress(of, parents.entries, prefix) : new Progress(of, new Map());
  const reader = unitReader(of, environment);
  const { cursor } = of;
  const seen = cursor && pointSeen(cursorPoints(cursor, of.name), options);
  progress.begin({ now: options.now });
  const { now, resumes = false } = options;
  const plan = planOf(of, environment, progress, { entries: parents.entries, prefix }, { now, resumes });
  for await (const unit of plan.units()) {
    for await (const page of reader.read(unit, {})) {
      for (const record of page.records) yield { record, of };
      if (page.last && changed) Object.assign(later, progress.finished(unit, seen?.(page.state) ?? page.state, options.now));
    }
  }
  if (changed) Object.assign(later, progress.complete(options.now), plan.afterwards());
}

/**
 * How far a parent's cursor may move on. One that changed again while its children were read, or before the read went on, may have been
 * read before it did: what lies after the read's moment is the next one's. Where points are no times, nobody can say when a record
 * changed: a read that goes on with another leaves the cursor where it was.
 */
function pointSeen(points: CursorPoints, { now, resumes = false }: PlanOptions): (state: UnitState) => UnitState {
  return (state) => {
    const { last, keys: _, ...rest } = state;
    if (!points.isTime) return resumes ? rest : state;
    if (last === undefined || (points.parse(last) as number) <= now) return state;
    return { ...rest, last: points.text(now) };
  };
}
