import { FerruleError, isFerruleError } from '../../core/errors.ts';
import { jsonFault, parseJson } from '../../core/json.ts';
import type { Json } from '../../core/value.ts';
import { utf8Text } from './characters.ts';
import type { DecodeContext } from './types.ts';

/** What a document may have besides its records: 64 MiB. */
export const MAX_REST = 64 * 1024 * 1024;

/** The document without the elements of its list of records: `{"data":[],"next":"…"}`. */
export interface Rest {
  pieces: Buffer[];
  size: number;
  /** Where elements were left out: after so many bytes of the rest, so many. */
  gaps: { at: number; length: number }[];
}

export function keep(rest: Rest, piece: Buffer, context: DecodeContext): void {
  if (piece.length === 0) return;
  rest.size += piece.length;
  if (rest.size > MAX_REST) {
    throw new FerruleError('response_malformed', `The answer has more than ${MAX_REST / 1024 / 1024} MiB besides its list of records.`, {
      where: context.where(),
      next: 'See whether records names the right list: what it names is read as it comes, all else is kept.',
    });
  }
  rest.pieces.push(Buffer.from(piece)); // a view would hold the whole piece that came
}

/** @param behind closing brackets, where only the beginning is there yet */
export function parseRest(rest: Rest, behind: string, context: DecodeContext): Json {
  return parseAt(Buffer.concat([...rest.pieces, Buffer.from(behind)]), false, (at) => at + skippedBefore(rest, at), context);
}

function skippedBefore(rest: Rest, at: number): number {
  let skipped = 0;
  for (const gap of rest.gaps) if (gap.at < at) skipped += gap.length;
  return skipped;
}

/**
 * parseJson over bytes, with errors that name a place in the document.
 * @param offsetOf from an offset in these bytes to that in the document
 */
export function parseAt(bytes: Buffer, plain: boolean, offsetOf: (at: number) => number, context: DecodeContext): Json {
  const text = utf8Text(bytes, Math.max(offsetOf(0), 0), context);
  try {
    return parseJson(text, context.bigIntegers, plain);
  } catch (error) {
    if (!isFerruleError(error)) throw error;
    if (error.code === 'number_too_large')
      throw new FerruleError(
        'number_too_large',
        `A number in the answer, after byte ${Math.max(offsetOf(0), 0)}, is too large to be kept exactly.`,
        {
          where: context.where(),
        },
      );
    const fault = jsonFault(text);
    if (fault === undefined) throw notJson('a character may not stand there', `after byte ${Math.max(offsetOf(0), 0)}`, context);
    throw notJson(fault.what, `at byte ${offsetOf(Buffer.byteLength(text.slice(0, fault.offset)))}`, context);
  }
}

export const notJson = (what: string, place: string, context: DecodeContext): FerruleError =>
  new FerruleError('response_malformed', `The answer is not JSON: ${what}, ${place}.`, {
    where: context.where(),
    next: 'See what decode says in the spec; an answer that is cut off may come whole the next time.',
  });
