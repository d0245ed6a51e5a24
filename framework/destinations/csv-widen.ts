import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { csvHead } from './csv-text.ts';
import { openRowFile, type RowFile } from './row-file.ts';
import { eachChunk } from './whole-lines.ts';

const QUOTE = 0x22;
const RETURN = 0x0d;

/**
 * A copy of a CSV file of ours at `path`, with more columns: the head is new, and each line gets empty values at its end. In constant
 * memory. `columns` begins with those that the file has.
 */
export async function widened(from: RowFile, former: readonly string[], columns: readonly string[], path: string): Promise<RowFile> {
  // Emptied: a process that was killed may have left one.
  await (await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC)).close();
  const to = await openRowFile(path, 0);
  try {
    await to.append(Buffer.from(csvHead(columns)));
    // A line of no columns is an empty line, as is one with a single column that has no value.
    const commas = Buffer.from(','.repeat(columns.length - Math.max(former.length, 1)));
    let quoted = false;
    for await (const chunk of eachChunk(from.handle, Buffer.byteLength(csvHead(former)), from.length)) {
      const pieces: Uint8Array[] = [];
      let copied = 0;
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at];
        if (byte === QUOTE) quoted = !quoted;
        // In a value it stands in quotes, so this one begins a line end.
        else if (byte === RETURN && !quoted) {
          pieces.push(chunk.subarray(copied, at), commas);
          copied = at;
        }
      }
      pieces.push(chunk.subarray(copied));
      await to.append(Buffer.concat(pieces));
    }
    return to;
  } catch (error) {
    await to.close();
    throw error;
  }
}
