import { setMaxListeners } from 'node:events';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { Sink, StreamState, WriteMode } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { NamelessParents, type Plan, planOf } from '../streams/plan.ts';
import { Progress } from '../streams/progress.ts';
import { sizeOf, type UnitPage, type UnitReader, unitReader } from '../streams/read-unit.ts';
import type { Misfit } from '../streams/shape.ts';
import type { Unit } from '../streams/unit.ts';
import { readableStream, redacted } from './readable-stream.ts';
import type { MisfitCount, RunEvent, SkipReason, StreamOutcome, StreamProgress } from './run-events.ts';
import { endsWithFailures, goesOn, isSampleState, modeOf, rangeOf, runUnderWay, sampleRefused } from './run-start.ts';
import type { Session } from './session.ts';
import { Slots } from './slots.ts';
import { streamEnvironment } from './stream-environment.ts';
import { StreamWriter } from './stream-writer.ts';

export interface RunOptions {
  streams: readonly string[];
  into: Sink;
  /** What happens to rows that are there. Default: upsert where a stream is incremental and has a primary key, append where it has none, overwrite where it is read whole. */
  mode?: WriteMode;
  /** Records of a stream that gather at most before they are committed. Default 10,000; a kill loses no more than those, which are read again. */
  commitEvery?: number;
  /** Pages under way at a time, over all streams. Default 4. */
  concurrency?: number;
  /** Forgets what earlier reads have done. */
  fromStart?: boolean;
  /** A past range: a date or time, a duration before now, or an integer where the cursor is one. The state of what is new stays. */
  range?: { since?: string; until?: string };
  /** Records of each stream at most: a sample. It has no state, and never takes the place of what a whole read has written. */
  limit?: number;
  /** Records that do not fit the declared columns. Default keep. */
  badRecords?: 'keep' | 'aside' | 'fail';
  /** Where they go with `aside`. */
  aside?: (stream: string, record: JsonObject, of: readonly Misfit[]) => Promise<void>;
  signal?: AbortSignal;
  onEvent?: (event: RunEvent) => void;
  onProgress?: (progress: StreamProgress) => void;
}

const CONCURRENCY = 4;
/** Partitions that fail before a stream is given up. */
const MOST_FAILURES = 20;

/** Reads streams into a destination, at the same time. A stream that fails is in its outcome; the others go on. */
export async function runStreams(session: Session, options: RunOptions): Promise<StreamOutcome[]> {
  if (options.badRecords === 'aside' && options.aside === undefined) {
    throw new FerruleError('option_unknown', 'badRecords: aside needs a function aside, which takes the records', { where: 'badRecords' });
  }
  const slots = new Slots(options.concurrency ?? CONCURRENCY);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  // As many listen as requests are under way, which is no leak.
  setMaxListeners(0, signal);
  const runs = options.streams.map((name) => new StreamRun(session, name, { ...options, signal }, slots));
  return await Promise.all(
    runs.map(async (run) => {
      const outcome = await run.run();
      // What stops one of them for this reason stops them all.
      if (outcome.error !== undefined && EVERYONES.has(outcome.error.code)) stop.abort(outcome.error);
      return outcome;
    }),
  );
}

const EVERYONES: ReadonlySet<string> = new Set(['output_failed', 'output_locked', 'reconnect_required', 'token_refused']);

class StreamRun {
  readonly #session: Session;
  readonly #name: string;
  readonly #options: RunOptions & { signal: AbortSignal };
  readonly #slots: Slots;
  readonly #counts: StreamProgress;
  readonly #began: number;
  readonly #changesBefore: number;
  #errors: FerruleError[] = [];
  #place = '';
  #mode: WriteMode = 'append';
  #resumed = false;
  #skips: SkipReason = 'known';

  constructor(session: Session, name: string, options: RunOptions & { signal: AbortSignal }, slots: Slots) {
    this.#session = session;
    this.#name = name;
    this.#options = options;
    this.#slots = slots;
    this.#began = session.clock.now();
    this.#changesBefore = options.into.changes.length;
    this.#counts = {
      stream: name,
      records: 0,
      skipped: 0,
      misfits: 0,
      pages: 0,
      bytes: 0,
      units: { finished: 0, failed: 0, all: undefined },
      duration: 0,
    };
  }

  async run(): Promise<StreamOutcome> {
    let complete = false;
    try {
      complete = await this.#read();
    } catch (error) {
      this.#fail(error);
    }
    const [error] = this.#errors;
    const outcome: StreamOutcome = {
      ...this.#progress(),
      mode: this.#mode,
      resumed: this.#resumed,
      place: this.#place,
      complete,
      changes: this.#options.into.changes.slice(this.#changesBefore).filter(({ stream }) => stream === this.#name),
      ...(error && { error }),
      errors: this.#errors.length,
    };
    this.#emit({ type: 'end', at: this.#now(), stream: this.#name, outcome });
    return outcome;
  }

  async #read(): Promise<boolean> {
    const { into, signal, fromStart } = this.#options;
    const stream = readableStream(this.#session, this.#name);
    this.#skips = stream.keep === undefined ? 'known' : stream.cursor === undefined ? 'keep' : 'keep or known';
    const stored = await into.state(this.#name);
    const isSample = isSampleState(stored);
    if (this.#options.limit !== undefined && stored.size > 0 && !isSample) throw sampleRefused(stream.name);
    // A sample is no beginning of anything: what comes after it takes its place.
    this.#mode = isSample || this.#options.limit !== undefined ? 'overwrite' : modeOf(stream, this.#options);
    const range = rangeOf(stream, this.#options, this.#now());
    const under = fromStart || isSample ? undefined : runUnderWay(stored);
    this.#resumed = under !== undefined && goesOn(under, range, this.#mode);
    // Rows of an overwrite that is given up are thrown away, and those of one that begins take the place of all: what was done says nothing.
    const begins = fromStart || isSample || (!this.#resumed && (this.#mode === 'overwrite' || under?.mode === 'overwrite'));
    const known: StreamState = begins ? new Map() : stored;
    const progress = new Progress(stream, known);
    const now = this.#resumed ? Number(under?.now) : progress.momentOf(this.#now());
    const begun = this.#resumed ? {} : progress.begin({ now, mode: this.#mode, ...(range && { range: range as JsonObject }) });
    const forgotten = begins ? Object.fromEntries([...stored.keys()].map((key) => [key, null])) : {};
    const sink = await into.open({
      name: stream.name,
      mode: this.#mode,
      primary_key: stream.primary_key,
      columns: Object.fromEntries([
        ...Object.entries(stream.columns).map(([name, { type }]) => [name, type] as const),
        ...Object.entries(stream.types),
      ]),
      resumes: this.#resumed,
      state: this.#options.limit === undefined ? { ...forgotten, ...begun } : {},
    });
    this.#place = sink.totals.place;
    this.#emit({ type: 'start', at: this.#now(), stream: this.#name, mode: this.#mode, resumed: this.#resumed, place: this.#place });
    const environment = streamEnvironment(this.#session, now, signal);
    const plan = planOf(
      stream,
      environment,
      progress,
      { entries: known, prefix: '' },
      { now, resumes: this.#resumed, ...(range && { range }) },
    );
    const writer = new StreamWriter({
      sink,
      now: () => this.#now(),
      ...(this.#options.commitEvery !== undefined && { records: this.#options.commitEvery }),
      onCommit: (records, duration) => this.#emit({ type: 'commit', at: this.#now(), stream: this.#name, records, duration }),
    });
    try {
      const work = new Work(plan, unitReader(stream, environment, sink.packVerbatim !== undefined), progress, writer, now);
      await this.#readUnits(stream, work);
      await writer.flush();
      if (this.#errors.length > 0) {
        const isTried = work.isThrough && !this.#options.signal.aborted && !this.#errors.some(isEveryones);
        if (isTried && endsWithFailures(stream, this.#mode, this.#options)) {
          await writer.write({ records: [], bytes: 0 }, progress.leave(now));
          await writer.flush();
        }
        return false;
      }
      if (this.#options.limit !== undefined) await sink.finish({ stream: { sample: true } });
      else await sink.finish({ ...progress.complete(now), ...plan.afterwards() });
      return this.#options.limit === undefined;
    } finally {
      // What was read until then is of use: the next read goes on from it.
      await writer.flush().catch((error: unknown) => this.#fail(error));
      await sink.close();
    }
  }

  /** Workers take units from the plan until there are none. A job mostly waits: as many run as the provider allows. */
  async #readUnits(stream: ResolvedStream, work: Work): Promise<void> {
    const workers = stream.job?.at_once ?? this.#options.concurrency ?? CONCURRENCY;
    await Promise.all(Array.from({ length: workers }, () => this.#work(work, stream.job === undefined)));
  }

  async #work(work: Work, takesTurns: boolean): Promise<void> {
    for (;;) {
      const unit = await work.next().catch((error: unknown) => this.#fail(error));
      this.#counts.units.all = work.all;
      if (unit === undefined || this.#isSampled()) return;
      if (this.#isOver()) {
        work.isLeft = true;
        // Between two units nothing throws by itself, and what has units left is not complete.
        if (this.#options.signal.aborted) this.#fail(this.#options.signal.reason, unit);
        return;
      }
      try {
        await this.#readUnit(unit, work, takesTurns);
        this.#counts.units.finished += 1;
      } catch (error) {
        this.#counts.units.failed += 1;
        this.#fail(error, unit);
      }
    }
  }

  #isSampled(): boolean {
    return this.#counts.records >= (this.#options.limit ?? Number.POSITIVE_INFINITY);
  }

  #isOver(): boolean {
    if (this.#options.signal.aborted) return true;
    return this.#errors.length >= MOST_FAILURES || this.#errors.some(isEveryones);
  }

  async #readUnit(unit: Unit, work: Work, takesTurns: boolean): Promise<void> {
    const { reader, progress, writer, now } = work;
    const state = progress.stateOf(unit);
    const about = { stream: this.#name, partition: unit.partition };
    const window = unit.window && { window: unit.window };
    this.#emit({ ...about, ...window, type: 'unit', at: this.#now(), state: Object.keys(state).length > 0 ? 'resumed' : 'begun' });
    const pages = reader.read(unit, state);
    const next = async (): Promise<IteratorResult<UnitPage>> => {
      if (!takesTurns) return await pages.next();
      await this.#slots.take();
      try {
        return await pages.next();
      } finally {
        this.#slots.give();
      }
    };
    let coming = next();
    try {
      for (;;) {
        const { value: page, done } = await coming;
        if (done) break;
        // The next page is asked for while this one is written.
        if (!page.last && this.#options.limit === undefined) {
          coming = next();
          coming.catch(() => {}); // it is awaited above, unless writing fails first
        }
        await this.#take(page, unit);
        const change = page.last ? progress.finished(unit, page.state, now) : progress.page(unit, page.state);
        await writer.write(page, this.#options.limit === undefined ? change : {});
        if (this.#isSampled()) break;
        if (page.last || this.#options.limit !== undefined) coming = next(); // a job cleans up behind its last page
      }
    } finally {
      await pages.return(undefined).catch(() => {}); // its own failure was thrown above
    }
    this.#emit({ ...about, ...window, type: 'unit', at: this.#now(), state: 'finished' });
  }

  /** Counts a page, and does with what does not fit as the caller wants. */
  async #take(page: UnitPage, unit: Unit): Promise<void> {
    const { badRecords = 'keep', aside } = this.#options;
    const { misfits } = page;
    if (misfits.length > 0) {
      this.#counts.misfits += misfits.length;
      this.#emit({ type: 'misfit', at: this.#now(), stream: this.#name, misfits: countMisfits(misfits) });
      if (badRecords === 'fail') throw malformed(this.#name, page);
      if (badRecords === 'aside') {
        for (const { record, of } of misfits) await aside?.(this.#name, record, of);
        const bad = new Set(misfits.map(({ record }) => record));
        page.records = page.records.filter((record) => !bad.has(record));
      }
    }
    const counts = this.#counts;
    const { limit = Number.POSITIVE_INFINITY } = this.#options;
    if (counts.records + sizeOf(page) > limit) {
      const left = Math.max(0, limit - counts.records);
      page.records = page.records.slice(0, left);
      if (page.verbatim) page.verbatim = page.verbatim.slice(0, left);
    }
    const records = sizeOf(page);
    counts.records += records;
    counts.skipped += page.skipped;
    counts.pages += 1;
    counts.bytes += page.bytes;
    const { skipped, index } = page;
    const why = skipped > 0 && { why: this.#skips };
    const count = { records, skipped, ...why, index };
    this.#emit({ type: 'page', at: this.#now(), stream: this.#name, partition: unit.partition, ...count });
    this.#options.onProgress?.(this.#progress());
  }

  #progress(): StreamProgress {
    return { ...this.#counts, units: { ...this.#counts.units }, duration: this.#now() - this.#began };
  }

  #fail(error: unknown, unit?: Unit): undefined {
    const { signal } = this.#options;
    const own = isFerruleError(error) ? redacted(error, this.#session) : undefined;
    if (signal.aborted && (own === undefined || isFerruleError(own))) {
      const reason = isFerruleError(signal.reason) ? signal.reason : new FerruleError('aborted', 'Stopped before the end');
      if (this.#errors.length === 0) this.#errors.push(reason);
      return undefined;
    }
    if (!isFerruleError(own)) throw error;
    if (!this.#errors.includes(own)) this.#errors.push(own);
    this.#emit({ type: 'failure', at: this.#now(), stream: this.#name, partition: unit?.partition ?? {}, error: own });
    return undefined;
  }

  #emit(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }

  #now(): number {
    return this.#session.clock.now();
  }
}

/** Kinds that may be about one partition: another one is read all the same. */
const ONE_PARTITIONS: ReadonlySet<string> = new Set(['permission', 'request', 'data', 'transient', 'spec']);

const isEveryones = ({ kind, code }: FerruleError): boolean => !ONE_PARTITIONS.has(kind) || EVERYONES.has(code);

/** What the workers of one stream share. */
class Work {
  readonly reader: UnitReader;
  readonly progress: Progress;
  readonly writer: StreamWriter;
  readonly now: number;
  readonly #units: AsyncGenerator<Unit>;
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;
  /** How many units there are, once it is known. */
  all: number | undefined;
  /** A unit was given and not tried. */
  isLeft = false;
  /** The plan broke off. */
  #isCut = false;

  constructor(plan: Plan, reader: UnitReader, progress: Progress, writer: StreamWriter, now: number) {
    this.#units = plan.units();
    this.reader = reader;
    this.progress = progress;
    this.writer = writer;
    this.now = now;
  }

  /** One after the other: making a unit may read a parent's page. */
  next(): Promise<Unit | undefined> {
    const next = this.#last.then(async () => {
      const { value, done } = await this.#units.next();
      if (done) this.all = this.#count;
      else this.#count += 1;
      return done ? undefined : value;
    });
    this.#last = next.catch((error: unknown) => {
      // Parents without a name are told of at the end of it.
      this.#isCut ||= !(error instanceof NamelessParents);
    });
    return next;
  }

  /** The plan gave all units, and each was tried. For when no worker is under way. */
  get isThrough(): boolean {
    return !this.#isCut && !this.isLeft;
  }
}

/** How many records of a page do not fit, by column and by what is wrong with it. */
function countMisfits(misfits: UnitPage['misfits']): MisfitCount[] {
  const counts = new Map<string, MisfitCount>();
  for (const one of misfits.flatMap(({ of }) => of)) {
    const key = JSON.stringify(one);
    const count = counts.get(key);
    if (count === undefined) counts.set(key, { ...one, records: 1 });
    else count.records += 1;
  }
  return [...counts.values()];
}

function malformed(stream: string, { misfits, index }: UnitPage): FerruleError {
  const [{ of: [misfit] = [] } = {}] = misfits;
  return new FerruleError(
    'record_malformed',
    `${stream}: ${misfit?.column} is ${misfit?.found} where ${misfit?.wanted} is declared (page ${index + 1}; ${misfits.length} such ${misfits.length === 1 ? 'record' : 'records'} there)`,
    {
      where: `streams.${stream}.columns.${misfit?.column}`,
    },
  );
}
