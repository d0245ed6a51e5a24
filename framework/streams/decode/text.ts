import type { DecodeText } from '../../core/spec-types.gen.ts';
import type { JsonObject } from '../../core/value.ts';
import { LONGEST_PIECE } from './bytes.ts';
import { characters } from './characters.ts';
import { linesOf, wholeLines } from './lines.ts';
import { recordsOf } from './rows.ts';
import type { Decoder } from './types.ts';

/** Each line is a record with the one column `line`; empty lines too. */
export const text: Decoder<DecodeText> = {
  type: 'text',
  unpacks: false,
  async *read(bytes, part, context) {
    const texts = characters(bytes, context, part.encoding ?? 'utf-8');
    let line = 0;
    let records: JsonObject[] = [];
    let size = 0;
    for await (const piece of wholeLines(texts, Math.min(context.batchBytes, LONGEST_PIECE), context)) {
      for (const one of linesOf(piece)) {
        line += 1;
        for (const record of recordsOf({ line: one }, context, line)) records.push(record);
      }
      size += piece.length;
      if (size < context.batchBytes) continue;
      yield records;
      records = [];
      size = 0;
    }
    if (records.length > 0) yield records;
    return null;
  },
};
