import { mkdir, open as openFile, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, unlessMissing } from '../core/atomic-write.ts';
import { reached } from '../core/moment.ts';
import type { OpenedSink, SinkOptions, SinkStream } from '../core/sink.ts';
import { type FolderOptions, openFolder } from './folder.ts';
import { unreadable } from './output-failure.ts';
import { encodePart, type ParquetColumn } from './parquet-part.ts';
import { pathOf } from './row-file.ts';
import type { RowFormat, RowPlace, RowSet, RowWriter, Staged } from './rows.ts';

/**
 * A folder of Parquet files: `<stream>/part-00001.parquet` and so on, one for each commit that has records, since a commit must be
 * durable when it resolves; they are not merged. A part has its place only once it is committed, so that whoever reads `<stream>/*.parquet`
 * sees whole, committed parts. An overwrite's parts wait in `<stream>.new`, and the folder takes the other's place when it is finished.
 * The folder is Ferrule's: what else is put into it goes away with an overwrite.
 *
 * Columns have the declared type, else that of their values (text, int64, double, boolean; no text is taken for a date), and keep it in
 * later parts. A value that does not fit makes the column double or text from this part on, and `onChange` is told; readers join
 * parts of different types by name (`union_by_name` in DuckDB). A datetime becomes a timestamp in UTC; lists and maps become JSON text,
 * with `nested: 'flat'` a map is a column for each of its leaves. Nothing can take the place of a row, so that upsert appends: of several
 * rows with one primary key the last one counts.
 * @throws FerruleError output_failed, output_locked
 */
export const open = (folder: string, options: FolderOptions = {}): Promise<OpenedSink> => openFolder(folder, PARQUET, options);

const PARQUET: RowFormat = {
  type: 'parquet',
  nameOf: (stream) => stream,
  holds: async (place) => ((await readdir(pathOf(place)).catch(unlessMissing)) ?? []).length > 0,
  restore,
  replace,
  remove: (place) => rm(pathOf(place), { recursive: true, force: true }),
  open: openParts,
};

/** A part that is not yet in its place ends in this. */
const STAGED = '.new';
const ASIDE = '.old';
const PART = /^part-(\d{5,})\.parquet(\.new)?$/;

const partName = (part: number): string => `part-${String(part).padStart(5, '0')}.parquet`;
const aside = (place: RowPlace): RowPlace => ({ ...place, name: place.name + ASIDE });

const isThere = async (place: RowPlace): Promise<boolean> => (await stat(pathOf(place)).catch(unlessMissing)) !== undefined;

/** A folder cannot be renamed over one that has files: the former one goes aside, and comes back when the step after it fails. */
async function replace(from: RowPlace, to: RowPlace): Promise<void> {
  const former = aside(to);
  await PARQUET.remove(former);
  const had = await isThere(to);
  if (had) await rename(pathOf(to), pathOf(former));
  reached('sink_moved_aside');
  try {
    await rename(pathOf(from), pathOf(to));
  } catch (error) {
    if (had) await rename(pathOf(former), pathOf(to));
    throw error;
  }
  try {
    await syncFolder(to.folder);
    await PARQUET.remove(former);
  } catch {
    // It is removed when the stream is opened again.
  }
}

async function restore(place: RowPlace, rows: RowSet): Promise<void> {
  const former = aside(place);
  const from = rows.from === undefined ? undefined : { ...place, name: rows.from };
  if (from !== undefined && (await isThere(from))) {
    // Killed between the two renames, the former one is aside already: it must not be lost before the other is in its place.
    if (await isThere(place)) await replace(from, place);
    else await rename(pathOf(from), pathOf(place));
  } else if ((await isThere(former)) && !(await isThere(place))) await rename(pathOf(former), pathOf(place));
  await syncFolder(place.folder);
  await PARQUET.remove(former);
  await restoreParts(pathOf(place), rows);
}

/** Puts committed parts in their places and removes others. @throws FerruleError output_unreadable: one is missing or has another length */
async function restoreParts(path: string, { parts = 0, length }: RowSet): Promise<void> {
  for (const name of (await readdir(path).catch(unlessMissing)) ?? []) {
    const [, number, staged] = PART.exec(name) ?? [];
    if (number === undefined) continue;
    if (Number(number) > parts) await unlink(join(path, name));
    else if (staged !== undefined) await rename(join(path, name), join(path, partName(Number(number))));
  }
  let found = 0;
  for (let part = 1; part <= parts; part++) {
    const file = join(path, partName(part));
    const size = (await stat(file).catch(unlessMissing))?.size;
    if (size === undefined) throw unreadable(file, `${file} is missing, and was written.`, MEND);
    found += size;
  }
  if (found !== length) throw unreadable(path, `Parts in ${path} were changed: they have ${found} bytes in place of ${length}.`, MEND);
}

const MEND = 'Put the parts back as they were. Or choose another folder, or remove the parts and their state, and read from the start.';

async function openParts(place: RowPlace, rows: RowSet, stream: SinkStream, { nested }: SinkOptions): Promise<RowWriter> {
  const path = pathOf(place);
  await mkdir(path, { recursive: true });
  let committed = rows;
  let staged: RowSet | undefined;
  const stagedPath = () => join(path, partName((committed.parts ?? 0) + 1) + STAGED);

  return {
    async stage(records): Promise<Staged> {
      if (records.length === 0) return { rows: committed, changes: [] };
      const known = (committed.columns as ParquetColumn[] | undefined) ?? [];
      const { bytes, columns, changes } = encodePart(records, known, stream, nested === 'flat');
      await writeDurable(stagedPath(), bytes);
      await syncFolder(path);
      reached('sink_rows_flushed');
      staged = { length: committed.length + bytes.length, parts: (committed.parts ?? 0) + 1, columns: columns as [string, string][] };
      return { rows: staged, changes };
    },
    async settle() {
      if (staged === undefined) return;
      reached('sink_before_replace');
      await rename(stagedPath(), join(path, partName(staged.parts!)));
      reached('sink_replaced');
      committed = staged;
      staged = undefined;
    },
    async undo() {
      staged = undefined;
      await unlink(stagedPath()).catch(unlessMissing);
    },
    close: async () => undefined,
  };
}

async function writeDurable(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await openFile(path, 'w');
  try {
    await handle.writeFile(bytes);
    reached('sink_rows_written');
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
