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

/** Aligned columns. Where the width is not enough the widest columns are broken at spaces and go on below themselves. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { indent = '', right = [], heading = (text) => text, width = Number.POSITIVE_INFINITY } = options;
  const safe = rows.map((row) => header.map((_, column) => visibleCell(row[column] ?? '')));
  const widths = columnWidths(header, safe, width - indent.length);
  const line = (cells: readonly string[]): string =>
    indent + cells.map((cell, column) => pad(cell, widths[column] ?? 0, right.includes(column))).join(' '.repeat(GAP));
  const block = (cells: readonly string[]): string[] => {
    const parts = cells.map((cell, column) => wrapCell(cell, widths[column] ?? 0));
    const height = Math.max(...parts.map((part) => part.length));
    return Array.from({ length: height }, (_, row) => line(parts.map((part) => part[row] ?? '')));
  };
  const head = header.some((title) => title !== '') ? block(header).map((text) => heading(text.trimEnd())) : [];
  return [...head, ...safe.flatMap(block)].map((text) => `${text.trimEnd()}\n`).join('');
}

/** Each column's width: what it needs, less what the widest can give; none becomes narrower than its longest word. */
function columnWidths(header: readonly string[], rows: readonly (readonly string[])[], room: number): number[] {
  const cells = (column: number): string[] => [header[column] ?? '', ...rows.map((row) => row[column] ?? '')];
  const widths = header.map((_, column) => Math.max(...cells(column).map(textWidth)));
  const least = header.map((_, column) => Math.max(...cells(column).flatMap((cell) => cell.split(' ').map(textWidth))));
  const total = (): number => widths.reduce((sum, width) => sum + width, (widths.length - 1) * GAP);
  while (total() > room) {
    const widest = widths.reduce(
      (best, width, column) => (width > (least[column] ?? 0) && width > (widths[best] ?? 0) ? column : best),
      -1,
    );
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** A cell that is coloured as a whole stays so on each of its lines, and colours nothing beside them. */
function wrapCell(cell: string, width: number): string[] {
  if (textWidth(cell) <= width) return [cell];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
  const [, on, inner, off] = /^(\u001b\[\d+m)(.*)(\u001b\[\d+m)$/s.exec(cell) ?? [];
  return on === undefined || inner === undefined ? wrap(cell, width) : wrap(inner, width).map((line) => `${on}${line}${off}`);
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

/** Colour codes may be ours; everything else that moves a cursor is made visible. */
function visibleCell(cell: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour code begins with one
  const parts = cell.replace(/\s*\n\s*/g, ' ').split(/(\u001b\[\d{1,2}m)/);
  return parts.map((part, position) => (position % 2 === 1 ? part : visible(part))).join('');
}

/** Columns that a text takes on a terminal: colour codes none, East Asian characters two. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  let width = 0;
  for (const character of plain) width += WIDE.test(character) ? 2 : /\p{Mn}/u.test(character) ? 0 : 1;
  return width;
}

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff01-\uff60\p{Emoji_Presentation}]/u;

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(cell)));
  return right ? space + cell : cell + space;
}
