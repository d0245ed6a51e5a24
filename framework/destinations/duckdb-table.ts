import type { DuckDBAppender, DuckDBValue } from '@duckdb/node-api';
import { FerruleError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import type { StateChange } from '../core/sink.ts';
import type { Json } from '../core/value.ts';
import { quoted } from './column-name.ts';
import type { SqlType } from './column-type.ts';
import type { DuckFile } from './duckdb-file.ts';
import { dayOf, instantMicros, knownInstant } from './instant.ts';
import type { KnownColumns, TableColumn, Widening } from './table-plan.ts';
import { checkText, reader, textFor } from './table-rows.ts';
import type { Rows, TableDatabase } from './table-sink.ts';

/** A timestamp has no zone here: it is UTC. One with a zone would need an extension to be read. */
const WORDS: Readonly<Record<SqlType, string>> = {
  boolean: 'BOOLEAN',
  integer: 'BIGINT',
  decimal: 'DECIMAL(38,0)',
  number: 'DOUBLE',
  date: 'DATE',
  datetime: 'TIMESTAMP',
  text: 'VARCHAR',
  json: 'JSON',
};
const TYPES = new Map(Object.entries(WORDS).map(([type, word]) => [word, type as SqlType]));

/** Of the file's, so that a stream cannot have these names (see tableName). */
export const STATE = '_ferrule_state';
const ROWS = '_ferrule_rows';
const WIDER = '_ferrule_wider';

const listOf = (columns: readonly { name: string }[]): string => columns.map(({ name }) => quoted(name)).join(', ');
const definitionsOf = (columns: readonly TableColumn[]): string =>
  columns.map(({ name, type }) => `${quoted(name)} ${WORDS[type]}`).join(', ');

/** A stream's tables in a file. Names stand without a schema: a file called main.duckdb would make `main.x` ambiguous. */
export function duckTable(file: DuckFile, close: () => Promise<void>): TableDatabase {
  const { connection } = file;
  const run = async (text: string, values?: DuckDBValue[]): Promise<Record<string, Json>[]> =>
    (await connection.runAndReadAll(text, values)).getRowObjectsJson() as Record<string, Json>[];
  return {
    transaction: file.transaction,
    columnsOf: (table) => columnsOf(run, table),
    create: async (table, columns) => void (await run(`CREATE TABLE ${quoted(table)} (${definitionsOf(columns)})`)),
    add: async (table, columns) => {
      for (const column of columns) await run(`ALTER TABLE ${quoted(table)} ADD COLUMN ${definitionsOf([column])}`);
    },
    widen: (table, widened, all) => widen(run, table, widened, all),
    exceedsDouble: async (table, column) => {
      const far = `${quoted(column)} NOT BETWEEN -9007199254740992 AND 9007199254740992`;
      return (await run(`SELECT 1 FROM ${quoted(table)} WHERE ${far} LIMIT 1`)).length > 0;
    },
    write: (table, rows, keys) => write(file, run, table, rows, keys),
    drop: async (table) => void (await run(`DROP TABLE IF EXISTS ${quoted(table)}`)),
    empty: async (table) => void (await run(`DELETE FROM ${quoted(table)}`)),
    replace: async (from, to) => {
      await run(`DROP TABLE IF EXISTS ${quoted(to)}`);
      await run(`ALTER TABLE ${quoted(from)} RENAME TO ${quoted(to)}`);
      return [];
    },
    setState: (stream, change) => setState(file, stream, change),
    word: (type) => WORDS[type],
    placeOf: (table) => `${file.path}, table ${table}`,
    close,
  };
}

export type Run = (text: string, values?: DuckDBValue[]) => Promise<Record<string, Json>[]>;

async function columnsOf(run: Run, table: string): Promise<KnownColumns | undefined> {
  const here = `database_name = current_database() AND schema_name = 'main'`;
  const views = await run(`SELECT 1 FROM duckdb_views() WHERE ${here} AND lower(view_name) = lower($1)`, [table]);
  if (views.length > 0) {
    throw new FerruleError('output_unreadable', `The file has a view with the name ${table}, where a table was to be.`, {
      where: table,
      next: 'Rename the view, or write to another file.',
    });
  }
  const text = `SELECT column_name, data_type FROM duckdb_columns() WHERE ${here} AND lower(table_name) = lower($1) ORDER BY column_index`;
  const found = await run(text, [table]);
  if (found.length === 0) return undefined;
  return new Map(found.map((row) => [String(row.column_name), TYPES.get(String(row.data_type)) ?? { other: String(row.data_type) }]));
}

/**
 * Into a new table that takes the old one's name. `ALTER … TYPE … USING` would be shorter, but DuckDB 1.5 cannot read it back from its log:
 * after a crash the file could not be opened any more.
 */
async function widen(run: Run, table: string, widened: readonly Widening[], all: readonly string[]): Promise<void> {
  const changes = new Map(widened.map((one) => [one.name, one]));
  const columns = all.map((name) => {
    const one = changes.get(name);
    return one === undefined ? quoted(name) : `${converted(quoted(name), one.from, one.to)} AS ${quoted(name)}`;
  });
  await run(`CREATE TABLE ${WIDER} AS SELECT ${columns.join(', ')} FROM ${quoted(table)}`);
  await run(`DROP TABLE ${quoted(table)}`);
  await run(`ALTER TABLE ${WIDER} RENAME TO ${quoted(table)}`);
}

function converted(column: string, from: SqlType, to: SqlType): string {
  const iso = `regexp_replace(strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ'), '\\.?0+Z$', 'Z')`;
  const plain = `CAST(${column} AS VARCHAR)`;
  // A double's text has a point and a zero where it is whole; whatever comes later as text has none.
  const text = from === 'datetime' ? iso : from === 'number' ? `regexp_replace(${plain}, '\\.0$', '')` : plain;
  if (to === 'text') return text;
  if (to === 'json') return `CAST(to_json(${['text', 'date', 'datetime'].includes(from) ? text : column}) AS JSON)`;
  return `CAST(${column} AS ${WORDS[to]})`;
}

/** Rows go first into a table of the session: from there one statement brings them over, and takes out those with the same keys. */
async function write(file: DuckFile, run: Run, table: string, rows: Rows, keys: readonly TableColumn[]): Promise<number> {
  const { columns } = rows;
  const staged = columns.map(({ name, type }) => `${quoted(name)} ${type === 'decimal' ? 'VARCHAR' : WORDS[type]}`);
  await run(`CREATE OR REPLACE TEMP TABLE ${ROWS} (${staged.join(', ')})`);
  const appender = await file.connection.createAppender(ROWS);
  let bytes: number;
  try {
    bytes = append(file, appender, rows);
  } catch (error) {
    appender.clear();
    throw error;
  } finally {
    appender.closeSync();
  }
  if (keys.length > 0) {
    const same = keys.map(({ name, type }) => `t.${quoted(name)} = CAST(r.${quoted(name)} AS ${WORDS[type]})`).join(' AND ');
    await run(`DELETE FROM ${quoted(table)} AS t USING ${ROWS} AS r WHERE ${same}`);
  }
  const values = columns.map(({ name, type }) => (type === 'decimal' ? `CAST(${quoted(name)} AS ${WORDS.decimal})` : quoted(name)));
  await run(`INSERT INTO ${quoted(table)} (${listOf(columns)}) SELECT ${values.join(', ')} FROM ${ROWS}`);
  await run(`DROP TABLE ${ROWS}`);
  return bytes;
}

/** The size of the values: texts as they are long, and 8 for each other one. */
function append(file: DuckFile, appender: DuckDBAppender, { records, places, columns }: Rows): number {
  const readers = columns.map(reader);
  const putters = columns.map(({ key, type }) => putterOf(file, appender, key, type));
  let bytes = 0;
  for (const at of places) {
    const record = records[at]!;
    for (let index = 0; index < columns.length; index++) {
      const value = readers[index]!(record);
      if (value === undefined || value === null) appender.appendNull();
      else bytes += putters[index]!(value, at);
    }
    appender.endRow();
  }
  return bytes;
}

type Put = (value: Json, at: number) => number;

function putterOf({ driver }: DuckFile, appender: DuckDBAppender, key: string, type: SqlType): Put {
  const fixed = (put: (value: Json) => void): Put => {
    return (value) => {
      put(value);
      return 8;
    };
  };
  switch (type) {
    case 'boolean':
      return fixed((value) => appender.appendBoolean(value as boolean));
    case 'integer':
      return fixed((value) => appender.appendBigInt(BigInt(value as number | string)));
    case 'number':
      return fixed((value) => appender.appendDouble(Number(value)));
    case 'date':
      return fixed((value) => appender.appendDate(new driver.DuckDBDateValue(dayOf(value as string)!)));
    case 'datetime':
      return fixed((value) => appender.appendTimestamp(new driver.DuckDBTimestampValue(instantMicros(knownInstant(value as string)))));
    default:
      return (value, at) => {
        const text = textFor(value, type);
        checkText(text, at, key);
        appender.appendVarchar(text);
        return text.length;
      };
  }
}

async function setState({ connection, driver }: DuckFile, stream: string, change: StateChange): Promise<void> {
  const keys = Object.keys(change);
  if (keys.length === 0) return;
  const kept = keys.filter((key) => change[key] !== null);
  const texts = driver.LIST(driver.VARCHAR);
  const gone = `DELETE FROM ${STATE} WHERE stream = $1 AND key IN (SELECT unnest($2))`;
  await connection.run(gone, [stream, driver.listValue(keys)], [driver.VARCHAR, texts]);
  if (kept.length === 0) return;
  const values = kept.map((key) => stringifyJson(change[key]!));
  const added = `INSERT INTO ${STATE} SELECT $1, unnest($2), unnest($3)`;
  await connection.run(added, [stream, driver.listValue(kept), driver.listValue(values)], [driver.VARCHAR, texts, texts]);
}
