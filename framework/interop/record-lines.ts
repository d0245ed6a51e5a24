import type { Packed, SinkTotals } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { safeLines } from './record-text.ts';

/** Records as a protocol's lines: `text` gives one line, without its break. */
export function recordLines(records: readonly JsonObject[], text: (record: JsonObject) => string): Packed {
  const lines = records.map((one) => `${text(one)}\n`).join('');
  return { bytes: Buffer.from(safeLines(lines), 'utf8'), records: records.length };
}

/** Writes them, adds them up, and says how many there were. */
export async function writeLines(
  packed: readonly Packed[],
  totals: SinkTotals,
  write: (lines: Uint8Array) => Promise<void>,
): Promise<number> {
  let count = 0;
  for (const { bytes, records } of packed) {
    await write(bytes);
    count += records;
    totals.bytes += bytes.length;
  }
  totals.records += count;
  return count;
}
