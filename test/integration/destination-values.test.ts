/** Values of all kinds, in any order and under any declared type: whatever a column becomes, each value can be told from what is there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ColumnType } from '../../framework/core/resolved.ts';
import type { OpenedSink } from '../../framework/core/sink.ts';
import type { Json } from '../../framework/core/value.ts';
import { open as openDuckdb } from '../../framework/destinations/duckdb.ts';
import { open as openPostgres } from '../../framework/destinations/postgres.ts';
import { seeded } from '../kill/process.ts';
import { postgres } from './postgres-server.ts';

const seed = Number(process.env.FERRULE_FUZZ_SEED ?? Math.floor(Math.random() * 1_000_000));
const TABLES = 120;

const KINDS: Json[][] = [
  [1, -5, 0, 9007199254740991, '9007199254740993', '-9223372036854775808', '9223372036854775808', '9'.repeat(38), '9'.repeat(39), '7'],
  [1.5, -1e-7, 1e21, 0.1, '0.10', '12.50', '1e5', 3, '9007199254740993'],
  [true, false, 'true'],
  ['2026-01-31', '2024-02-29', '2023-02-29', '0001-01-01', '9999-12-31'],
  [
    ...['2026-01-31T10:00:00Z', '2026-01-31T10:00:00+02:00', '2026-01-31T10:00:00.123456Z', '2026-01-31T10:00:00.1234567Z'],
    ...['2026-01-31T10:00:00', '0001-01-01T00:00:00Z', '2026-01-31 10:00:00.5Z'],
  ],
  ['', 'a', 'null', '{"a":1}', '[1]', '"x"', '\\N', 'a\\b\n\t', 'é\u{1F600}', '007', '+1', '-0', ' 1'],
  [{ a: 1 }, [1, 2], {}, [], { b: { c: [null, 'x'] } }],
];
const DECLARED = ['text', 'integer', 'number', 'boolean', 'date', 'datetime', 'object'] as const;

interface Written {
  table: string;
  declared: ColumnType | undefined;
  values: Json[];
}

/** Each table from values of one kind, of which some are of another, in up to four commits. */
async function writeAll(sink: OpenedSink, random: () => number): Promise<Written[]> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const written: Written[] = [];
  for (let at = 0; at < TABLES; at++) {
    const kind = pick(KINDS);
    const some = random() < 0.4 ? [pick(kind), pick(kind)] : kind;
    const declared = random() < 0.5 ? pick(DECLARED) : undefined;
    const [table, values]: [string, Json[]] = [`t${at}`, []];
    const columns = { place: 'integer' as const, ...(declared && { value: declared }) };
    const stream = await sink.open({
      name: table,
      mode: pick(['append', 'overwrite']),
      primary_key: [],
      columns,
      resumes: false,
      state: {},
    });
    for (let commit = 0; commit < 1 + random() * 3; commit++) {
      const next = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
        random() < 0.1 ? null : pick(random() < 0.1 ? pick(KINDS) : some),
      );
      await stream.commit({ records: next.map((value, place) => ({ place: values.length + place, value })), state: {} });
      values.push(...next);
    }
    await stream.finish({});
    await stream.close();
    written.push({ table, declared, values });
  }
  return written;
}

/** Epoch milliseconds and what stands behind them, by JavaScript's own parser. */
function moment(value: Json): string | undefined {
  const parts = typeof value === 'string' ? /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(.*))?$/.exec(value) : null;
  if (!parts) return undefined;
  const [, day = '', time = '00:00:00', fraction = '', zone = ''] = parts;
  const ms = Date.parse(`${day}T${time}${zone === '' || /^[+-]\d\d$/.test(zone) ? 'Z' : zone}`);
  return Number.isNaN(ms) ? undefined : `${ms} ${fraction.replace(/0+$/, '')}`;
}

/** Whether a value is what the database shows as text. */
function isSame(value: Json, text: string | null, json: boolean): boolean {
  if (value === null || text === null) return value === text;
  if (json) {
    const found = JSON.parse(text) as Json;
    if (typeof value === 'object') return JSON.stringify(found) === JSON.stringify(value);
    return typeof found === 'string' ? isSame(value, found, false) : isSame(value, text, false);
  }
  if (typeof value === 'object') return false;
  if (String(value) === text) return true;
  if ([value, text].every((one) => /^-?\d+$/.test(String(one)))) return BigInt(value) === BigInt(text);
  // Digits that a double gives back.
  const digits = typeof value === 'number' || (/^-?\d+(\.\d+)?$/.test(String(value)) && String(value).length <= 15);
  if (digits && Number(value) === Number(text)) return true;
  return moment(value) !== undefined && moment(value) === moment(text);
}

function compare(written: readonly Written[], found: Map<string, { type: string; texts: (string | null)[] }>): string[] {
  return written.flatMap(({ table, declared, values }) => {
    const { type, texts } = found.get(table)!;
    if (texts.length !== values.length) return [`${table}: ${texts.length} rows, not ${values.length}`];
    const wrong = values.flatMap((value, at) =>
      isSame(value, texts[at]!, /json/i.test(type)) ? [] : [`${JSON.stringify(value)} is ${texts[at]}`],
    );
    return wrong.map((one) => `${table} (${declared} → ${type}): ${one}`);
  });
}

type Sql = (text: string) => Promise<Record<string, unknown>[]>;

async function readAll(sql: Sql, written: readonly Written[]): Promise<Map<string, { type: string; texts: (string | null)[] }>> {
  const found = new Map<string, { type: string; texts: (string | null)[] }>();
  for (const { table } of written) {
    const columns = await sql(`SELECT data_type FROM information_schema.columns WHERE table_name = '${table}' AND column_name = 'value'`);
    // A column that only nulls came for is not there.
    const type = String(columns[0]?.data_type ?? 'none');
    const rows = await sql(`SELECT ${type === 'none' ? 'NULL' : 'CAST(value AS varchar)'} AS text FROM ${table} ORDER BY place`);
    found.set(table, { type, texts: rows.map(({ text }) => text as string | null) });
  }
  return found;
}

it(`in DuckDB (FERRULE_FUZZ_SEED=${seed})`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-values-'));
  const path = join(folder, 'values.duckdb');
  const sink = await openDuckdb(path);
  const written = await writeAll(sink, seeded(seed));
  await sink.close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const sql: Sql = async (text) => (await connection.runAndReadAll(text)).getRowObjectsJson();
  expect(compare(written, await readAll(sql, written))).toEqual([]);
  connection.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true });
});

it(`in PostgreSQL (FERRULE_FUZZ_SEED=${seed})`, async () => {
  const server = await postgres({ settings: ["timezone = 'UTC'"] });
  try {
    const sink = await openPostgres(server.url());
    const written = await writeAll(sink, seeded(seed));
    await sink.close();
    expect(compare(written, await readAll(server.sql, written))).toEqual([]);
  } finally {
    await server.remove();
  }
});
