import { type Output, print } from './io.ts';
import { widthOf, wrap } from './table.ts';

/** How much further in a broken line goes on. */
const HANG = 2;

/**
 * Says something to a person: lines that are too long for the terminal are broken at spaces and go on further in. What
 * must be copied whole (a URL, a command) has no spaces or is printed by itself.
 */
export async function say(output: Output, text: string): Promise<void> {
  await print(output, hanging(text, widthOf(output)));
}

export function hanging(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  return text
    .split('\n')
    .map((line) => {
      const inner = line.trimStart();
      const indent = line.length - inner.length;
      if (inner === '') return line;
      const [first = '', ...rest] = wrap(inner, width - indent);
      // What goes on further in has less room: it is broken again.
      const below = rest.length === 0 ? [] : wrap(rest.join(' '), width - indent - HANG);
      return [' '.repeat(indent) + first, ...below.map((part) => ' '.repeat(indent + HANG) + part)].join('\n');
    })
    .join('\n');
}
