import { FerruleError } from '../core/errors.ts';
import type { Batch, SinkChange, SinkOptions, SinkStream, SinkTotals, StateChange, StreamSink } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { tableName } from './column-name.ts';
import type { SqlType } from './column-type.ts';
import { flatRecord } from './flat-record.ts';
import { refused } from './table-failure.ts';
import { declaredColumns, type KnownColumns, planFor, type TableColumn, type TablePlan, type Widening } from './table-plan.ts';
import { lastOfEachKey } from './table-rows.ts';

/** What a database does for one stream. All but `transaction` are called within one. What they throw is ours. */
export interface TableDatabase {
  /** All of it or nothing; one at a time. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Undefined: there is no such table. @throws FerruleError output_unreadable: the name is something else's */
  columnsOf(table: string): Promise<KnownColumns | undefined>;
  create(table: string, columns: readonly TableColumn[]): Promise<void>;
  add(table: string, columns: readonly TableColumn[]): Promise<void>;
  /** `all`: the table's columns, in order. */
  widen(table: string, widened: readonly Widening[], all: readonly string[]): Promise<void>;
  /** Whether a column of integers holds one that a double would round. */
  exceedsDouble(table: string, column: string): Promise<boolean>;
  /** Adds the records at these places; with `keys`, rows with the same keys go first. The size of what was written, in bytes. */
  write(table: string, rows: Rows, keys: readonly TableColumn[]): Promise<number>;
  drop(table: string): Promise<void>;
  empty(table: string): Promise<void>;
  /** `from` takes the place of `to`, which may not be there; both are known. What changed in `to`, if it lives on. */
  replace(from: string, to: string, known: { from: KnownColumns; to: KnownColumns | undefined }): Promise<ColumnChange[]>;
  setState(stream: string, change: StateChange): Promise<void>;
  /** The database's own word for a type. */
  word(type: SqlType): string;
  /** For people. */
  placeOf(table: string): string;
  close(): Promise<void>;
}

export interface Rows {
  records: readonly JsonObject[];
  /** Places in `records`, in the order in which they are written. */
  places: readonly number[];
  columns: readonly TableColumn[];
}

export type ColumnChange = Omit<SinkChange, 'stream'>;

/** Rows of an overwrite that is not complete. */
const WAITING = '__ferrule_new';

/**
 * A stream in a table. Upsert puts the whole new record in the place of the old one: a column that it lacks becomes null.
 * @throws FerruleError those of the database, output_unreadable
 */
export async function openTableSink(database: TableDatabase, stream: SinkStream, options: SinkOptions): Promise<StreamSink> {
  const table = tableName(stream.name, stream.mode === 'overwrite' ? WAITING : '');
  const begun = await database.transaction(() => begin(database, stream, table, options));
  return new TableSink(database, stream, options, table, begun);
}

async function begin(
  database: TableDatabase,
  stream: SinkStream,
  table: string,
  { nested }: SinkOptions,
): Promise<KnownColumns | undefined> {
  if (stream.mode === 'overwrite' && !stream.resumes) await database.drop(table);
  let known = await database.columnsOf(table);
  const declared = declaredColumns(stream.columns, nested === 'flat');
  if (known === undefined && declared.length > 0) {
    await database.create(table, declared);
    known = new Map(declared.map(({ name, type }) => [name, type]));
  }
  await database.setState(stream.name, stream.state);
  return known;
}

class TableSink implements StreamSink {
  readonly #database: TableDatabase;
  readonly #stream: SinkStream;
  readonly #options: SinkOptions;
  /** Where rows go: with overwrite not yet the stream's own. */
  readonly #table: string;
  /** As committed. */
  #known: KnownColumns | undefined;
  readonly #totals: SinkTotals;
  #done = false;

  constructor(database: TableDatabase, stream: SinkStream, options: SinkOptions, table: string, known: KnownColumns | undefined) {
    this.#database = database;
    this.#stream = stream;
    this.#options = options;
    this.#table = table;
    this.#known = known;
    this.#totals = { records: 0, bytes: 0, place: database.placeOf(tableName(stream.name)) };
  }

  get totals(): SinkTotals {
    return { ...this.#totals };
  }

  async commit({ records: given, state }: Batch): Promise<void> {
    this.#mustBeOpen();
    const records = this.#options.nested === 'flat' ? given.map(flatRecord) : given;
    const known = this.#known ?? new Map();
    const plan = planFor(records, known, this.#stream.columns, this.#table);
    const made = await this.#database.transaction(async () => {
      const bytes = records.length === 0 ? 0 : await this.#write(records, plan);
      await this.#database.setState(this.#stream.name, state);
      return bytes;
    });
    this.#committed(plan, records.length, made);
  }

  async finish(state: StateChange): Promise<void> {
    this.#mustBeOpen();
    const changes = await this.#database.transaction(async () => {
      const changed = this.#stream.mode === 'overwrite' ? await this.#replace() : [];
      await this.#database.setState(this.#stream.name, state);
      return changed;
    });
    this.#done = true;
    this.#report(changes);
  }

  close(): Promise<void> {
    this.#done = true;
    return this.#database.close();
  }

  #mustBeOpen(): void {
    if (this.#done) throw new FerruleError('closed', `The stream ${this.#stream.name} was closed, or its read is complete.`);
  }

  async #write(records: readonly JsonObject[], plan: TablePlan): Promise<number> {
    await this.#keepExact(plan);
    const keys = this.#stream.mode === 'upsert' ? this.#keysOf(plan, records) : [];
    const places = keys.length === 0 ? records.map((_, at) => at) : lastOfEachKey(records, keys);
    await this.#fit(plan);
    // A row needs a column to be in, if only for a null.
    const columns = plan.columns.length > 0 ? plan.columns : this.#anyColumn();
    return this.#database.write(this.#table, { records, places, columns }, keys);
  }

  /** A column of integers becomes one of doubles only when no integer in it would be rounded. */
  async #keepExact({ widened, columns }: TablePlan): Promise<void> {
    for (const one of widened) {
      if (one.from !== 'integer' || one.to !== 'number' || !(await this.#database.exceedsDouble(this.#table, one.name))) continue;
      one.to = 'text';
      columns.find(({ name }) => name === one.name)!.type = 'text';
    }
  }

  #keysOf({ columns }: TablePlan, records: readonly JsonObject[]): TableColumn[] {
    return this.#stream.primary_key.map((key) => {
      const column = columns.find((one) => one.key === key);
      if (column === undefined)
        throw refused(0, key, `has no value for ${key}, which is of its primary key (nor has any of the ${records.length})`);
      return column;
    });
  }

  async #fit({ added, widened }: TablePlan): Promise<void> {
    const known = this.#known;
    if (known === undefined && added.length > 0) return this.#database.create(this.#table, added);
    if (added.length > 0) await this.#database.add(this.#table, added);
    const all = [...(known?.keys() ?? []), ...added.map(({ name }) => name)];
    if (widened.length > 0) await this.#database.widen(this.#table, widened, all);
  }

  #anyColumn(): TableColumn[] {
    for (const [name, type] of this.#known ?? []) {
      if (typeof type === 'string') return [{ key: keyOfNone, name, type }];
    }
    throw refused(0, '', 'has no value, nor has any other, and the table has no columns yet');
  }

  #committed({ added, widened }: TablePlan, records: number, bytes: number): void {
    const before = this.#known;
    const known = new Map(before);
    for (const { name, type } of added) known.set(name, type);
    for (const { name, to } of widened) known.set(name, to);
    this.#known = known.size === 0 ? before : known;
    this.#totals.records += records;
    this.#totals.bytes += bytes;
    const word = (type: SqlType) => this.#database.word(type);
    this.#report([
      // With the table itself nothing was added to anything.
      ...(before === undefined ? [] : added.map(({ name, type }) => ({ column: name, change: 'added' as const, to: word(type) }))),
      ...widened.map(({ name, from, to }) => ({ column: name, change: 'widened' as const, from: word(from), to: word(to) })),
    ]);
  }

  async #replace(): Promise<ColumnChange[]> {
    const own = tableName(this.#stream.name);
    const to = await this.#database.columnsOf(own);
    const from = this.#known && (await this.#database.columnsOf(this.#table));
    if (from !== undefined) return this.#database.replace(this.#table, own, { from, to });
    // Complete, and without a single record or declared column.
    if (to !== undefined) await this.#database.empty(own);
    return [];
  }

  #report(changes: readonly ColumnChange[]): void {
    for (const change of changes) this.#options.onChange?.({ stream: this.#stream.name, ...change });
  }
}

/** A key that no record of JSON has. */
const keyOfNone = '\0';
