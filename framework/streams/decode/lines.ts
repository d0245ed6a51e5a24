import { FerruleError } from '../../core/errors.ts';
import type { DecodeContext } from './types.ts';

/** Nothing longer is one record: 64 MiB. */
export const MAX_RECORD = 64 * 1024 * 1024;

/** Text in pieces that end where a line ends, each of at least `size` characters but for the last, which may lack its line break. */
export async function* wholeLines(texts: AsyncIterable<string>, size: number, context: DecodeContext): AsyncGenerator<string> {
  let pieces: string[] = [];
  let length = 0;
  for await (const text of texts) {
    const end = length + text.length < size ? -1 : text.lastIndexOf('\n') + 1;
    if (end <= 0) {
      pieces.push(text);
      length += text.length;
      if (length > MAX_RECORD) throw tooLong('A line', context);
      continue;
    }
    pieces.push(text.slice(0, end));
    yield pieces.join('');
    pieces = end < text.length ? [text.slice(end)] : [];
    length = text.length - end;
  }
  if (length > 0) yield pieces.join('');
}

/** The lines of a text, without their ends (LF or CRLF). A last one that is empty is none. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

export const tooLong = (what: string, context: DecodeContext): FerruleError =>
  new FerruleError('response_malformed', `${what} of the answer is longer than ${MAX_RECORD / 1024 / 1024} MiB.`, {
    where: context.where(),
    next: 'See what records and decode say in the spec: nothing so long is one record.',
  });
