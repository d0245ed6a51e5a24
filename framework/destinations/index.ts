import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { OpenedSink, Sink, SinkChange } from '../core/sink.ts';
import { suggest } from '../core/suggest.ts';
import type { FolderOptions } from './folder.ts';

export type SinkType = 'jsonl' | 'csv' | 'parquet' | 'duckdb' | 'postgres';

export interface SinkAddress {
  type: SinkType;
  /** A folder, a file, or a postgres:// URL. */
  target: string;
}

export type OpenSinkOptions = FolderOptions;

interface SinkModule {
  open(target: string, options?: OpenSinkOptions): Promise<OpenedSink>;
}

/** Loaded when one is opened: no run needs two of them. */
const MODULES: Record<SinkType, () => Promise<SinkModule>> = {
  jsonl: () => import('./jsonl.ts'),
  csv: () => import('./csv.ts'),
  parquet: () => import('./parquet.ts'),
  duckdb: () => import('./duckdb.ts'),
  postgres: () => import('./postgres.ts'),
};

const TYPES = Object.keys(MODULES) as SinkType[];
const FORMS = 'jsonl:FOLDER, csv:FOLDER, parquet:FOLDER, duckdb:FILE, postgres://…';

/**
 * `jsonl:out`, `csv:out`, `parquet:out` (a folder), `duckdb:file.duckdb`, `postgres://…`; a path that ends in .duckdb or .db is
 * duckdb, any other path is a folder of jsonl. A path whose name looks like a type (`a:b`) is written `./a:b`.
 * @throws FerruleError usage: a type that there is not, or no target
 */
export function parseSinkAddress(text: string): SinkAddress {
  if (/^postgres(ql)?:\/\//i.test(text)) return { type: 'postgres', target: text };
  // One letter is a Windows drive.
  const [, word, target = ''] = /^([A-Za-z][A-Za-z0-9+-]+):(.*)$/s.exec(text) ?? [undefined, undefined, text];
  if (target === '') throw usage(word === undefined ? 'No destination was named.' : `${word}: names no place.`);
  if (word === undefined) return { type: /\.(duckdb|db)$/i.test(target) ? 'duckdb' : 'jsonl', target };
  const type = TYPES.find((one) => one === word.toLowerCase());
  if (type === undefined) {
    const near = suggest(word, TYPES);
    throw usage(`There is no destination of type ${word}.${near === undefined ? '' : ` Did you mean ${near}?`}`);
  }
  if (type === 'postgres') throw usage('A PostgreSQL database is named by its URL.');
  return { type, target };
}

const usage = (message: string): FerruleError =>
  new FerruleError('usage', message, { where: 'destination', next: `Use one of: ${FORMS}.` });

/**
 * Opens a destination. `clock` and `random` are for its lock.
 * @throws FerruleError output_failed, output_locked, output_unreadable, peer_missing
 */
export async function openSink({ type, target }: SinkAddress, options: OpenSinkOptions = {}): Promise<Sink> {
  const changes: SinkChange[] = [];
  const onChange = (change: SinkChange): void => {
    changes.push(change);
    options.onChange?.(change);
  };
  return Object.assign(await (await MODULES[type]()).open(target, { ...options, onChange }), { changes });
}

/** Why no DuckDB file can be written here: its driver is optional. Undefined when it is installed. */
export async function duckdbMissing(): Promise<FerruleError | undefined> {
  try {
    await (await import('./duckdb-file.ts')).loadDriver();
    return undefined;
  } catch (error) {
    if (isFerruleError(error) && error.code === 'peer_missing') return error;
    throw error;
  }
}
