import { reached } from '../core/moment.ts';
import type { OpenedSink, Packed } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { flatRecord } from './flat-record.ts';
import { type FolderOptions, openFolder } from './folder.ts';
import { holdsFile, openRowFile, pathOf, removeFile, replaceRows, restoreFile } from './row-file.ts';
import type { RowFormat } from './rows.ts';
import { NEWLINE } from './whole-lines.ts';

/**
 * A folder of JSON Lines: `<stream>.jsonl`, one record a line, UTF-8, `\n` after each.
 *
 * Records stand as they came; `nested: 'flat'` makes nested maps columns. Nothing in the file can take the place of a line, so that
 * upsert appends: of several lines with one primary key the last one counts.
 * @throws FerruleError output_failed, output_locked
 */
export const open = (folder: string, options: FolderOptions = {}): Promise<OpenedSink> => openFolder(folder, JSONL, options);

/** Records that become one write: enough to be fast, few enough that a huge batch costs no second copy of itself. */
const SLICE = 1000;
/** Pages that one write takes; systems allow a thousand and more. */
const JOINED = 64;

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
    const lineOf = nested === 'flat' ? (record: JsonObject, at: number) => JSON.stringify(flatRecord(record, at)) : plainLine;
    const pack = (records: readonly JsonObject[]): Packed => ({
      bytes: Buffer.from(linesOf(records, lineOf), 'utf8'),
      records: records.length,
    });
    return {
      // A record that cannot be flattened is refused with its place in the batch, which is known at the commit alone.
      ...(nested !== 'flat' && { pack, packVerbatim }),
      async stage(records, packed = []) {
        for (let start = 0; start < packed.length; start += JOINED)
          await file.appendAll(packed.slice(start, start + JOINED).map(({ bytes }) => bytes));
        for (let start = 0; start < records.length; start += SLICE) {
          const slice = records.slice(start, start + SLICE);
          await file.append(
            Buffer.from(
              linesOf(slice, (record, at) => lineOf(record, start + at)),
              'utf8',
            ),
          );
        }
        if (records.length + packed.length > 0) {
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

const plainLine = (record: JsonObject): string => JSON.stringify(record);

function packVerbatim(records: readonly Uint8Array[]): Packed {
  return { bytes: inOnePiece(records) ?? joinedLines(records), records: records.length };
}

/** Records that lie one behind the other, a line break behind each, are the lines already. */
function inOnePiece(records: readonly Uint8Array[]): Uint8Array | undefined {
  const [first] = records;
  if (first === undefined) return undefined;
  const { buffer, byteOffset } = first;
  const whole = new Uint8Array(buffer);
  let at = byteOffset;
  for (const record of records) {
    if (record.buffer !== buffer || record.byteOffset !== at) return undefined;
    at += record.length;
    if (whole[at++] !== NEWLINE) return undefined;
  }
  return whole.subarray(byteOffset, at);
}

function joinedLines(records: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(records.reduce((size, record) => size + record.length + 1, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
    bytes[at++] = NEWLINE;
  }
  return bytes;
}

function linesOf(records: readonly JsonObject[], lineOf: (record: JsonObject, at: number) => string): string {
  const lines = records.map(lineOf);
  lines.push(''); // so that the last one ends as well
  return lines.join('\n');
}
