import { reached } from '../core/moment.ts';
import type { Sink } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { flatRecord } from './flat-record.ts';
import { type FolderOptions, openFolder } from './folder.ts';
import { holdsFile, openRowFile, pathOf, removeFile, replaceRows, restoreFile } from './row-file.ts';
import type { RowFormat } from './rows.ts';

/**
 * A folder of JSON Lines: `<stream>.jsonl`, one record a line, UTF-8, `\n` after each.
 *
 * Records stand as they came; `nested: 'flat'` makes nested maps columns. Nothing in the file can take the place of a line, so that
 * upsert appends: of several lines with one primary key the last one counts.
 * @throws FerruleError output_failed, output_locked
 */
export const open = (folder: string, options: FolderOptions = {}): Promise<Sink> => openFolder(folder, JSONL, options);

/** Records that become one write: enough to be fast, few enough that a huge batch costs no second copy of itself. */
const SLICE = 1000;

const JSONL: RowFormat = {
  type: 'jsonl',
  nameOf: (stream) => `${stream}.jsonl`,
  holds: holdsFile,
  restore: restoreFile,
  replace: replaceRows,
  remove: removeFile,
  async open(place, rows, _stream, { nested }) {
    const file = await openRowFile(pathOf(place), rows.length);
    let committed = rows.length;
    const lineOf = (record: JsonObject, at: number): string => `${JSON.stringify(nested === 'flat' ? flatRecord(record, at) : record)}\n`;
    return {
      async stage(records) {
        for (let start = 0; start < records.length; start += SLICE) {
          const lines = records.slice(start, start + SLICE).map((record, index) => lineOf(record, start + index));
          await file.append(Buffer.from(lines.join(''), 'utf8'));
        }
        if (records.length > 0) {
          reached('sink_rows_written');
          await file.flush();
          reached('sink_rows_flushed');
        }
        return { rows: { length: file.length }, changes: [] };
      },
      async settle() {
        committed = file.length;
      },
      undo: () => file.cut(committed),
      close: () => file.close(),
    };
  },
};
