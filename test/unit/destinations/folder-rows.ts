import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { SinkStream } from '../../../framework/core/sink.ts';

export type FolderType = 'jsonl' | 'csv' | 'parquet';
export const FOLDER_TYPES: readonly FolderType[] = ['jsonl', 'csv', 'parquet'];

export const streamOf = (more: Partial<SinkStream> = {}): SinkStream => ({
  name: 'users',
  mode: 'append',
  primary_key: ['id'],
  columns: { id: 'integer' },
  resumes: false,
  state: {},
  ...more,
});

/** In memory where there is such a place: hundreds of flushes are what these tests do. */
export const temporaryFolder = (): Promise<string> => mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ferrule-folder-'));

/** The column `id` of the rows of `users`, read as others would read them. */
export async function idsIn(folder: string, type: FolderType): Promise<number[]> {
  if (type === 'parquet') {
    const rows: number[] = [];
    for (const row of await parquetRows(join(folder, 'users'))) rows.push(Number(row.id));
    return rows;
  }
  const text = await readFile(join(folder, `users.${type}`), 'utf8').catch(() => '');
  if (type === 'jsonl') {
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { id: number }).id);
  }
  return text
    .split('\r\n')
    .slice(1, -1)
    .map((line) => Number(line.split(',')[0]));
}

export async function parquetRows(folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  const parts = await readdir(folder).catch(() => []);
  for (const part of parts.filter((name) => name.endsWith('.parquet')).sort()) {
    rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, part)) })));
  }
  return rows;
}
