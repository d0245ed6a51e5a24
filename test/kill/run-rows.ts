import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { SinkAddress } from '../../framework/destinations/index.ts';

/** What is in a destination, asked by programs that are not ours: columns by name, as each of them gives them. */
export type Ask = (stream: string) => Promise<Record<string, unknown>[]>;

const COLUMNS = 'id, text, amount, "at"';

/** Folders and DuckDB files. @throws what a broken file makes its reader throw */
export function askedOf({ type, target }: SinkAddress): Ask {
  switch (type) {
    case 'duckdb':
      return (stream) => duck(target, `SELECT ${COLUMNS} FROM "${stream}"`);
    case 'csv':
      return (stream) => duck(':memory:', `SELECT ${COLUMNS} FROM read_csv('${join(target, `${stream}.csv`)}', ${CSV})`);
    case 'parquet':
      return (stream) => parts(join(target, stream));
    default:
      return (stream) => lines(join(target, `${stream}.jsonl`));
  }
}

// Not in its strict mode, in which it finds no rows at all behind a line end that is said.
const CSV = `header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', max_line_size = 10000000`;

async function duck(path: string, text: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(text)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function lines(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8');
  if (!text.endsWith('\n')) throw new Error(`${path}: the last line is broken`);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function parts(folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (!name.endsWith('.parquet')) throw new Error(`${folder}: ${name} was left behind`);
    rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, name)) })));
  }
  return rows;
}
