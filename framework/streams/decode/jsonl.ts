import { FerruleError, isFerruleError } from '../../core/errors.ts';
import { jsonFault, parseJson } from '../../core/json.ts';
import type { DecodeJsonl } from '../../core/spec-types.gen.ts';
import type { Json, JsonObject } from '../../core/value.ts';
import { LONGEST_PIECE } from './bytes.ts';
import { characters } from './characters.ts';
import { wholeLines } from './lines.ts';
import { recordsOf } from './rows.ts';
import type { DecodeContext, Decoder } from './types.ts';

/**
 * One JSON value a line; `records` is read in each. Blank lines are left out. Each line is parsed for itself: lines that were joined could
 * hide that one of them is broken.
 */
export const jsonl: Decoder<DecodeJsonl> = {
  type: 'jsonl',
  unpacks: false,
  async *read(bytes, part, context) {
    const texts = characters(bytes, context, part.encoding ?? 'utf-8');
    let line = 0;
    let records: JsonObject[] = [];
    let size = 0;
    for await (const piece of wholeLines(texts, Math.min(context.batchBytes, LONGEST_PIECE), context)) {
      for (let at = 0; at < piece.length; ) {
        const end = piece.indexOf('\n', at);
        const one = piece.slice(at, end === -1 ? piece.length : end);
        at = end === -1 ? piece.length : end + 1;
        line += 1;
        if (isBlank(one)) continue;
        for (const record of recordsOf(valueIn(one, line, context), context, line)) records.push(record);
      }
      size += piece.length;
      if (size < context.batchBytes || records.length === 0) continue;
      yield records;
      records = [];
      size = 0;
    }
    if (records.length > 0) yield records;
    return null;
  },
};

/** A first character that is not blank ends the search. */
const isBlank = (line: string): boolean => !/[^ \t\r]/.test(line);

function valueIn(text: string, line: number, context: DecodeContext): Json {
  try {
    return parseJson(text, context.bigIntegers);
  } catch (error) {
    if (!isFerruleError(error)) throw error;
    if (error.code === 'number_too_large')
      throw new FerruleError('number_too_large', `A number in line ${line} of the answer is too large to be kept exactly.`, {
        where: context.where(),
      });
    const fault = jsonFault(text);
    const place = fault ? `: ${fault.what}, at column ${fault.offset + 1}` : '';
    throw new FerruleError('response_malformed', `Line ${line} of the answer is not JSON${place}.`, {
      where: context.where(),
      next: 'See what decode says in the spec: jsonl wants one whole value in each line.',
    });
  }
}
