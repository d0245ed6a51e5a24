import { stripVTControlCharacters } from 'node:util';
import type { Output } from './io.ts';
import { visible } from './style.ts';

export interface TableOptions {
  /** Columns of the terminal; left out: as wide as it gets. */
  width?: number;
  /** Put before every line. */
  indent?: string;
  /** Columns (by position) whose text stands at the right: numbers. */
  right?: readonly number[];
  /** How the header line is shown. */
  heading?: (text: string) => string;
}

/** A terminal's width; undefined for a file or a pipe, where lines are not broken. */
export const widthOf = (output: Output): number | undefined => (output.isTTY ? (output.columns ?? 80) : undefined);

const GAP = 2;
const LEAST_LAST = 24;

/** Aligned columns. Where the width is not enough the last column is broken at words and goes on below itself. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { indent = '', right = [], heading = (text) => text } = options;
  const safe = rows.map((row) => header.map((_, column) => visibleCell(row[column] ?? '')));
  const widths = header.map((title, column) => Math.max(textWidth(title), ...safe.map((row) => textWidth(row[column] ?? ''))));
  const last = header.length - 1;
  if (options.width !== undefined) {
    const before = indent.length + widths.slice(0, last).reduce((sum, width) => sum + width + GAP, 0);
    widths[last] = Math.max(LEAST_LAST, Math.min(widths[last] ?? 0, options.width - before));
  }
  const line = (cells: readonly string[]): string =>
    indent + cells.map((cell, column) => pad(cell, widths[column] ?? 0, right.includes(column), column === last)).join(' '.repeat(GAP));
  const hang = (cells: readonly string[]): string[] => {
    const [first = '', ...rest] = wrap(cells[last] ?? '', widths[last] ?? 0);
    return [line([...cells.slice(0, last), first]), ...rest.map((text) => line([...cells.slice(0, last).map(() => ''), text]))];
  };
  const head = header.some((title) => title !== '') ? [heading(line(header).trimEnd())] : [];
  return [...head, ...safe.flatMap(hang)].map((text) => `${text.trimEnd()}\n`).join('');
}

/** Breaks at spaces; a word longer than the width stays whole, since a cut URL or name is of no use. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && textWidth(current) + 1 + textWidth(word) > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

/** A paragraph, broken to the terminal's width. */
export function paragraph(text: string, output: Output, indent = ''): string {
  const width = widthOf(output);
  return text
    .split('\n')
    .flatMap((line) => (width === undefined ? [line] : wrap(line, width - indent.length)))
    .map((line) => (line === '' ? '\n' : `${indent}${line}\n`))
    .join('');
}

/** Colour codes are ours; everything else that moves a cursor is made visible. */
function visibleCell(cell: string): string {
  const plain = stripVTControlCharacters(cell).replace(/\s*\n\s*/g, ' ');
  return plain === cell ? visible(cell) : cell.replace(/\s*\n\s*/g, ' ');
}

/** Columns that a text takes on a terminal: colour codes none, East Asian characters two. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  let width = 0;
  for (const character of plain) width += WIDE.test(character) ? 2 : /\p{Mn}/u.test(character) ? 0 : 1;
  return width;
}

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff01-\uff60\p{Emoji_Presentation}]/u;

function pad(cell: string, width: number, right: boolean, last: boolean): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(cell)));
  if (right) return space + cell;
  return last ? cell : cell + space;
}
