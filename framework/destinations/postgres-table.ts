import { FerruleError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import type { StateChange } from '../core/sink.ts';
import { quoted, tableName } from './column-name.ts';
import { joinTypes, type SqlType } from './column-type.ts';
import { copyRows } from './postgres-copy.ts';
import { copyLineOf, databaseFailure } from './postgres-failure.ts';
import type { Session } from './postgres-session.ts';
import { refused, unknownColumn } from './table-failure.ts';
import type { KnownColumns, TableColumn, Widening } from './table-plan.ts';
import type { ColumnChange, Rows, TableDatabase } from './table-sink.ts';

/** As format_type writes them. */
const WORDS: Readonly<Record<SqlType, string>> = {
  boolean: 'boolean',
  integer: 'bigint',
  decimal: 'numeric(38,0)',
  number: 'double precision',
  date: 'date',
  datetime: 'timestamp with time zone',
  text: 'text',
  json: 'jsonb',
};
const TYPES = new Map(Object.entries(WORDS).map(([type, word]) => [word, type as SqlType]));

export const STATE = '_ferrule_state';
/** In the session's own schema, and gone with the transaction. */
const ROWS = 'pg_temp._ferrule_rows';

const listOf = (columns: readonly { name: string }[]): string => columns.map(({ name }) => quoted(name)).join(', ');
const definitionsOf = (columns: readonly TableColumn[]): string[] => columns.map(({ name, type }) => `${quoted(name)} ${WORDS[type]}`);

/** A stream's tables in a schema, on a connection that is the stream's own. */
export function postgresTable(session: Session, schema: string, close: () => Promise<void>): TableDatabase {
  const { run } = session;
  const named = (table: string): string => `${quoted(schema)}.${quoted(table)}`;
  const alter = async (table: string, parts: readonly string[]) => void (await run(`ALTER TABLE ${named(table)} ${parts.join(', ')}`));
  const indexed = new Set<string>();

  const exceedsDouble = async (table: string, column: string) => {
    const far = `${quoted(column)} NOT BETWEEN -9007199254740992 AND 9007199254740992`;
    return (await run(`SELECT 1 FROM ${named(table)} WHERE ${far} LIMIT 1`)).length > 0;
  };

  const write = async (table: string, { records, places, columns }: Rows, keys: readonly TableColumn[]): Promise<number> => {
    const counted = { bytes: 0 };
    const into = keys.length === 0 ? named(table) : ROWS;
    if (keys.length > 0) {
      if (!indexed.has(table)) await index(table, keys);
      indexed.add(table);
      await run(`CREATE TEMP TABLE _ferrule_rows (${definitionsOf(columns).join(', ')}) ON COMMIT DROP`);
    }
    try {
      await session.copy(`COPY ${into} (${listOf(columns)}) FROM STDIN`, copyRows({ records, places, columns }, counted));
    } catch (error) {
      throw atRecord(error, places, session.where);
    }
    if (keys.length === 0) return counted.bytes;
    const same = keys.map(({ name }) => `t.${quoted(name)} = r.${quoted(name)}`).join(' AND ');
    await run(`DELETE FROM ${named(table)} AS t USING ${ROWS} AS r WHERE ${same}`);
    await run(`INSERT INTO ${named(table)} (${listOf(columns)}) SELECT ${listOf(columns)} FROM ${ROWS}`);
    return counted.bytes;
  };

  /** Not unique: rows that were appended before may have a key twice, and the next upsert of it mends that. */
  const index = async (table: string, keys: readonly TableColumn[]) => {
    const name = tableName(table, '__ferrule_key');
    // IF NOT EXISTS alone would lock the table first.
    if ((await run('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [named(name)])).length > 0) return;
    await run(`CREATE INDEX IF NOT EXISTS ${quoted(name)} ON ${named(table)} (${listOf(keys)})`);
  };

  const widen = (table: string, widened: readonly Widening[]) =>
    alter(
      table,
      widened.map(({ name, from, to }) => `ALTER COLUMN ${quoted(name)} TYPE ${WORDS[to]} USING ${converted(quoted(name), from, to)}`),
    );

  const add = (table: string, columns: readonly TableColumn[]) =>
    alter(
      table,
      definitionsOf(columns).map((one) => `ADD COLUMN ${one}`),
    );

  /**
   * The old table lives on, and takes over the new one's rows and columns: one that took its name instead would have none of its grants and
   * indexes, and could not take it while a view needs the old one. Readers wait while rows are moved, and never see a part of them.
   */
  const replace: TableDatabase['replace'] = async (from, to, known) => {
    if (known.to === undefined) {
      await alter(from, [`RENAME TO ${quoted(to)}`]);
      return [];
    }
    const { added, widened, values } = await fitting(from, to, { from: known.from, to: known.to });
    // First, so that no row is converted that is about to go.
    await run(`TRUNCATE ${named(to)}`);
    if (added.length > 0) await add(to, added);
    if (widened.length > 0) await widen(to, widened);
    const columns = [...known.from.keys()].map((name) => ({ name }));
    if (columns.length > 0) await run(`INSERT INTO ${named(to)} (${listOf(columns)}) SELECT ${values.join(', ')} FROM ${named(from)}`);
    await run(`DROP TABLE ${named(from)}`);
    return [
      ...added.map(({ name, type }): ColumnChange => ({ column: name, change: 'added', to: WORDS[type] })),
      ...widened.map((one): ColumnChange => ({ column: one.name, change: 'widened', from: WORDS[one.from], to: WORDS[one.to] })),
    ];
  };

  /** How the columns of `to` become those that hold what `from` has, and how a value of `from` is then written. */
  const fitting = async (from: string, to: string, known: { from: KnownColumns; to: KnownColumns }) => {
    const added: TableColumn[] = [];
    const widened: Widening[] = [];
    const values: string[] = [];
    for (const [name, type] of known.from) {
      const there = known.to.get(name);
      if (typeof type === 'object') throw unknownColumn(from, name, type.other);
      if (typeof there === 'object') throw unknownColumn(to, name, there.other);
      let final = there === undefined ? type : joinTypes(there, type);
      // The old rows go, so only those of the new table could be rounded.
      if (type === 'integer' && final === 'number' && (await exceedsDouble(from, name))) final = 'text';
      if (there === undefined) added.push({ key: name, name, type });
      else if (there !== final) widened.push({ name, from: there, to: final });
      values.push(type === final ? quoted(name) : converted(quoted(name), type, final));
    }
    return { added, widened, values };
  };

  return {
    transaction: session.transaction,
    columnsOf: (table) => columnsOf(session, schema, table),
    create: async (table, columns) => void (await run(`CREATE TABLE ${named(table)} (${definitionsOf(columns).join(', ')})`)),
    add,
    widen,
    exceedsDouble,
    write,
    drop: async (table) => void (await run(`DROP TABLE IF EXISTS ${named(table)}`)),
    empty: async (table) => void (await run(`TRUNCATE ${named(table)}`)),
    replace,
    setState: (stream, change) => setState(session, `${quoted(schema)}.${STATE}`, stream, change),
    word: (type) => WORDS[type],
    placeOf: (table) => `${session.where}, table ${schema}.${table}`,
    close,
  };
}

/** Columns that the server makes by itself are no columns of ours, and stay out of the way. */
export async function columnsOf({ run }: Pick<Session, 'run'>, schema: string, table: string): Promise<KnownColumns | undefined> {
  const text = `SELECT c.relkind::text AS kind, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum`;
  const found = await run(text, [schema, table]);
  if (found.length === 0) return undefined;
  if (!['r', 'p'].includes(String(found[0]!.kind))) {
    throw new FerruleError('output_unreadable', `What is called ${schema}.${table} in the database is no table.`, {
      where: `${schema}.${table}`,
      next: 'Rename it, or write to another schema.',
    });
  }
  const columns = found.filter(({ name }) => name !== null);
  return new Map(columns.map(({ name, type }) => [String(name), TYPES.get(String(type)) ?? { other: String(type) }]));
}

function converted(column: string, from: SqlType, to: SqlType): string {
  const iso = `regexp_replace(to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '\\.?0+Z$', 'Z')`;
  const text = from === 'datetime' ? iso : from === 'date' ? `to_char(${column}, 'YYYY-MM-DD')` : `${column}::text`;
  if (to === 'text') return text;
  if (to === 'json') return `to_jsonb(${['text', 'date', 'datetime'].includes(from) ? text : column})`;
  if (to === 'datetime') return `${column}::timestamp AT TIME ZONE 'UTC'`;
  return `${column}::${WORDS[to]}`;
}

/** Which record the server did not take, where it says so. */
function atRecord(error: unknown, places: readonly number[], where: string): FerruleError {
  const own = databaseFailure(error, where);
  const at = places[copyLineOf(error) ?? -1];
  if (own.code !== 'record_refused' || at === undefined) return own;
  return refused(at, where, `cannot be written: ${own.message}`.replace(/\.$/, ''), own.next);
}

async function setState({ run }: Session, table: string, stream: string, change: StateChange): Promise<void> {
  const keys = Object.keys(change);
  const kept = keys.filter((key) => change[key] !== null);
  const gone = keys.filter((key) => change[key] === null);
  if (gone.length > 0) await run(`DELETE FROM ${table} WHERE stream = $1 AND key = ANY($2::text[])`, [stream, gone]);
  if (kept.length === 0) return;
  const values = kept.map((key) => stringifyJson(change[key]!));
  const text = `INSERT INTO ${table} (stream, key, value) SELECT $1, k, v FROM unnest($2::text[], $3::text[]) AS new (k, v)
    ON CONFLICT (stream, key) DO UPDATE SET value = excluded.value`;
  await run(text, [stream, kept, values]);
}
