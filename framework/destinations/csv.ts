import { open as openFile, readdir, rename, unlink } from 'node:fs/promises';
import { unlessMissing } from '../core/atomic-write.ts';
import { reached } from '../core/moment.ts';
import type { OpenedSink, SinkChange, SinkOptions, SinkStream } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { csvHead, csvLine } from './csv-text.ts';
import { widened } from './csv-widen.ts';
import { flatRecord } from './flat-record.ts';
import { type FolderOptions, openFolder } from './folder.ts';
import { unreadable } from './output-failure.ts';
import { holdsFile, openRowFile, pathOf, type RowFile, removeFile, replaceRows, restoreFile } from './row-file.ts';
import { type RowFormat, type RowPlace, type RowSet, type RowWriter, settled } from './rows.ts';

/**
 * A folder of CSV files (RFC 4180): `<stream>.csv`, UTF-8, with a head.
 *
 * Columns: the declared ones in their order, then others as they come. A file in which one appears later is written anew once, with
 * a wider head, and `onChange` is told. No value is an empty one, an empty text is `""`; lists and maps are JSON text, with
 * `nested: 'flat'` a map is a column for each of its leaves. Values stand as they are: a text that begins with `=` does so here too, and a spreadsheet may take
 * it for a formula. Nothing can take the place of a line, so that upsert appends: of several lines with one primary key the last counts.
 * @throws FerruleError output_failed, output_locked
 */
export const open = (folder: string, options: FolderOptions = {}): Promise<OpenedSink> => openFolder(folder, CSV, options);

/** Records that become one write. */
const SLICE = 1000;

const CSV: RowFormat = {
  type: 'csv',
  nameOf: (stream) => `${stream}.csv`,
  holds: holdsFile,
  async restore(place, rows) {
    await restoreFile(place, rows);
    await removeWide(place);
    if (rows.length > 0) await checkHead(place, columnsOf(rows));
  },
  replace: replaceRows,
  async remove(place) {
    await removeFile(place);
    await removeWide(place);
  },
  open: openCsv,
};

const columnsOf = ({ columns }: RowSet): string[] => (columns as string[] | undefined) ?? [];

/** A name of its own for each width: only the one that the state file names can be taken for whole. */
const widePlace = (place: RowPlace, columns: readonly string[]): RowPlace => ({ ...place, name: `${place.name}.wide-${columns.length}` });

async function removeWide(place: RowPlace): Promise<void> {
  const left = (await readdir(place.folder)).filter((name) => name.startsWith(`${place.name}.wide-`));
  for (const name of left) await unlink(pathOf({ ...place, name })).catch(unlessMissing);
}

async function checkHead(place: RowPlace, columns: readonly string[]): Promise<void> {
  const wanted = Buffer.from(csvHead(columns));
  const found = Buffer.alloc(wanted.length);
  const handle = await openFile(pathOf(place), 'r');
  try {
    await handle.read(found, 0, found.length, 0);
  } finally {
    await handle.close();
  }
  if (wanted.equals(found)) return;
  throw unreadable(
    pathOf(place),
    `${pathOf(place)} was changed: its first line is not the one that was written.`,
    'Put the file back as it was, or choose another folder.',
  );
}

async function openCsv(place: RowPlace, rows: RowSet, stream: SinkStream, { nested }: SinkOptions): Promise<RowWriter> {
  const flat = nested === 'flat';
  // A declared map has no column of its own when its leaves have.
  const declared = Object.keys(stream.columns).filter((column) => !flat || stream.columns[column] !== 'object');
  const path = pathOf(place);
  let file = await openRowFile(path, rows.length);
  let committed: RowSet = rows;
  let staged: RowSet = rows;
  /** The file that takes the place of the other when it is committed. */
  let wide: RowFile | undefined;

  async function append(to: RowFile, records: readonly JsonObject[], columns: readonly string[]): Promise<void> {
    if (to.length === 0) await to.append(Buffer.from(csvHead(columns)));
    for (let start = 0; start < records.length; start += SLICE) {
      const lines = records.slice(start, start + SLICE).map((record) => csvLine(record, columns));
      await to.append(Buffer.from(lines.join(''), 'utf8'));
    }
    reached('sink_rows_written');
    await to.flush();
    reached('sink_rows_flushed');
  }

  async function dropWide(): Promise<void> {
    await wide?.close();
    wide = undefined;
    // Also one that could be written in part only.
    await removeWide(place);
  }

  return {
    async stage(batch) {
      const records = flat ? batch.map(flatRecord) : batch;
      const former = columnsOf(committed);
      const columns = allColumns(former, declared, records);
      if (records.length === 0 && (committed.length > 0 || columns.length === 0)) {
        staged = committed;
        return { rows: committed, changes: [] };
      }
      const wider = committed.length > 0 && columns.length > former.length;
      if (wider) {
        const beside = widePlace(place, columns);
        wide = await widened(file, former, columns, pathOf(beside));
        await append(wide, records, columns);
        staged = { length: wide.length, columns, from: beside.name };
      } else {
        await append(file, records, columns);
        staged = { length: file.length, columns };
      }
      return { rows: staged, changes: wider ? columns.slice(former.length).map((column) => added(stream.name, column)) : [] };
    },
    async settle() {
      if (wide !== undefined) {
        reached('sink_before_replace');
        await rename(pathOf({ ...place, name: staged.from! }), path);
        reached('sink_replaced');
        const narrow = file;
        file = wide;
        wide = undefined;
        // What it held is in the other file.
        await narrow.close().catch(() => undefined);
      }
      committed = settled(staged);
    },
    async undo() {
      staged = committed;
      await dropWide();
      await file.cut(committed.length);
    },
    async close() {
      if (wide !== undefined) await dropWide();
      await file.close();
    },
  };
}

/** Those that the file has, then declared ones, then others in the order in which they come. */
function allColumns(former: readonly string[], declared: readonly string[], records: readonly JsonObject[]): string[] {
  const columns = new Set([...former, ...declared]);
  for (const record of records) for (const column in record) columns.add(column);
  return [...columns];
}

const added = (stream: string, column: string): SinkChange => ({ stream, column, change: 'added', to: 'text' });
