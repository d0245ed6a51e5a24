import { FerruleError } from '../core/errors.ts';
import type { Packed, StateChange, StreamSink } from '../core/sink.ts';
import type { Json, JsonObject } from '../core/value.ts';
import type { UnitPage } from '../streams/read-unit.ts';

/** When what has gathered is committed: enough to make a commit cheap, little enough that a kill loses little. */
const MOST_RECORDS = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST = 5000;

export interface StreamWriterOptions {
  sink: StreamSink;
  now: () => number;
  /** So many gather at most before they are committed. Default 10,000. */
  records?: number;
  onCommit(records: number, duration: number): void;
}

/** Of a page, what is written. */
export type WrittenPage = Pick<UnitPage, 'records' | 'verbatim' | 'bytes' | 'urgent'>;

/**
 * Gathers pages of one stream, and commits them with the state that they stand for. While one batch is being committed the next one
 * gathers; who brings more than that waits.
 */
export class StreamWriter {
  readonly #options: StreamWriterOptions;
  #records: JsonObject[] = [];
  #packed: Packed[] = [];
  #count = 0;
  #state: Record<string, Json> = {};
  #bytes = 0;
  #since: number;
  #isFirst = true;
  #running: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  /** The state change is of the moment of this call: pages and their state stay in one order. */
  async write(page: WrittenPage, state: StateChange): Promise<void> {
    this.#refuse();
    const { bytes, urgent } = page;
    this.#gather(page);
    Object.assign(this.#state, state);
    this.#bytes += bytes;
    if (urgent) return await this.flush();
    // One commit at a time: it goes on by itself while more gathers. Of several that wait the first commits for all.
    while (this.#isDue()) {
      if (this.#running === undefined) return void this.#commit();
      await this.#running;
      this.#refuse();
    }
  }

  #gather({ records, verbatim = [] }: WrittenPage): void {
    const { sink } = this.#options;
    this.#count += records.length + verbatim.length;
    if (verbatim.length > 0) {
      if (sink.packVerbatim === undefined) throw new FerruleError('internal', `a ${sink.totals.place} takes no records as they came`);
      this.#packed.push(sink.packVerbatim(verbatim));
    }
    if (sink.pack === undefined) for (const record of records) this.#records.push(record);
    else if (records.length > 0) this.#packed.push(sink.pack(records));
  }

  /** Everything that was brought before this call is committed. */
  async flush(): Promise<void> {
    await this.#running;
    this.#refuse();
    // Whoever woke before this call may have begun a commit with what it brought: that one must be through, too.
    if (this.#running === undefined && this.#isAny()) void this.#commit();
    await this.#running;
    this.#refuse();
  }

  #isAny(): boolean {
    return this.#count > 0 || Object.keys(this.#state).length > 0;
  }

  #isDue(): boolean {
    const { sink, now, records = MOST_RECORDS } = this.#options;
    if (!this.#isAny()) return false;
    // Whoever waits for records sees the first ones at once. Where a record's form depends on others, few would be a poor beginning.
    if (this.#isFirst && sink.pack !== undefined && this.#count > 0) return true;
    return this.#count >= records || this.#bytes >= MOST_BYTES || now() - this.#since >= LONGEST;
  }

  #refuse(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #commit(): Promise<void> {
    const { sink, now, onCommit } = this.#options;
    const batch = { records: this.#records, packed: this.#packed, state: this.#state };
    const count = this.#count;
    this.#records = [];
    this.#packed = [];
    this.#count = 0;
    this.#state = {};
    this.#bytes = 0;
    this.#isFirst &&= count === 0;
    const began = now();
    this.#since = began;
    this.#running = sink
      .commit(batch)
      .then(() => onCommit(count, now() - began))
      // Whoever comes next gets it; nothing after it is written, or the state would be ahead of the records.
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
