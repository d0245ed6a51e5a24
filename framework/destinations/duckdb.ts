import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import type { OpenedSink, SinkOptions, SinkStream, StreamState } from '../core/sink.ts';
import { type DuckFile, openFile } from './duckdb-file.ts';
import { duckTable, STATE } from './duckdb-table.ts';
import { openTableSink } from './table-sink.ts';

/**
 * A DuckDB file: a table for each stream, and `_ferrule_state`, changed in the same transactions. Needs the package @duckdb/node-api. Times
 * are TIMESTAMP in UTC, maps and lists JSON. An overwrite fills `<stream>__ferrule_new`, which takes the old table's name when it is
 * complete; widening a column rewrites the table in the same way. Views stay, indexes and constraints of the old table go.
 * @param target the path of the file, which is made if it is not there
 * @throws FerruleError peer_missing, output_locked, output_unreadable, output_failed
 */
export async function open(target: string, options: SinkOptions & { clock?: Clock } = {}): Promise<OpenedSink> {
  const file = await openFile(target);
  try {
    await file.transaction(() => openState(file));
  } catch (error) {
    await file.close();
    throw error;
  }
  const streams = new Set<string>();
  return {
    type: 'duckdb',
    state: (stream) => file.transaction(() => stateOf(file, stream)),
    open: (stream) => openStream(file, stream, options, streams),
    close: () => file.close(),
  };
}

async function openStream(file: DuckFile, stream: SinkStream, options: SinkOptions, open: Set<string>) {
  const { name } = stream;
  if (open.has(name)) throw new FerruleError('output_locked', `The stream ${name} is being written already.`, { where: name });
  open.add(name);
  const close = async () => {
    open.delete(name);
  };
  try {
    return await openTableSink(duckTable(file, close), stream, options);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Without a primary key: DuckDB would refuse a key that is taken out and put in within one transaction. */
async function openState({ connection, path }: DuckFile): Promise<void> {
  await connection.run(`CREATE TABLE IF NOT EXISTS ${STATE} (stream VARCHAR, key VARCHAR, value VARCHAR)`);
  const columns = (await connection.runAndReadAll(`SELECT * FROM ${STATE} LIMIT 0`)).columnNames();
  if (columns.join() === 'stream,key,value') return;
  throw new FerruleError('output_unreadable', `The table ${STATE} in ${path} is not one that Ferrule has made.`, { where: path });
}

async function stateOf({ connection }: DuckFile, stream: string): Promise<StreamState> {
  const found = await connection.runAndReadAll(`SELECT key, value FROM ${STATE} WHERE stream = $1`, [stream]);
  return new Map(found.getRows().map(([key, value]) => [String(key), parseJson(String(value), 'text')]));
}
