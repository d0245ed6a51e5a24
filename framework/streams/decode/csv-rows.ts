import { FerruleError } from '../../core/errors.ts';

export interface CsvSyntax {
  delimiter: string;
  /** One character, or empty for none. */
  quote: string;
}

/** One row and where it stands. */
export interface CsvRow {
  values: string[];
  /** 1 for the first line of the answer. */
  line: number;
}

/** Rows of a text that came so far. */
export interface CsvPiece {
  rows: CsvRow[];
  /** Where the first row begins that is not whole yet. */
  end: number;
  /** The number of its line. */
  line: number;
}

/**
 * The whole rows of a text (RFC 4180), whose first line has the number `line`. An empty line is no row. A quote within a column that
 * does not begin with one is a character as any other.
 * @param last nothing comes after this text
 * @throws FerruleError response_malformed, with the line
 */
export function csvRows(text: string, line: number, last: boolean, syntax: CsvSyntax, where: () => string): CsvPiece {
  const { delimiter, quote } = syntax;
  const rows: CsvRow[] = [];
  let at = 0;
  let nextQuote = quote === '' ? Number.POSITIVE_INFINITY : behind(text, quote, 0);
  while (at < text.length) {
    const found = text.indexOf('\n', at);
    if (found === -1 && !last) break;
    const end = found === -1 ? text.length : found;
    if (nextQuote < at) nextQuote = behind(text, quote, at);
    if (nextQuote >= end) {
      const row = text.charCodeAt(end - 1) === 13 && end > at ? text.slice(at, end - 1) : text.slice(at, end);
      if (row !== '') rows.push({ values: row.split(delimiter), line });
      at = end + 1;
      line += 1;
      continue;
    }
    const row = quotedRow(text, at, line, last, syntax, where);
    if (row === undefined) break;
    rows.push({ values: row.values, line });
    at = row.end;
    line = row.line;
  }
  return { rows, end: Math.min(at, text.length), line };
}

function behind(text: string, quote: string, at: number): number {
  const found = text.indexOf(quote, at);
  return found === -1 ? Number.POSITIVE_INFINITY : found;
}

/** A row that has a quote somewhere; undefined when it is not whole. */
function quotedRow(text: string, start: number, line: number, last: boolean, syntax: CsvSyntax, where: () => string) {
  const { delimiter, quote } = syntax;
  const values: string[] = [];
  let lines = 1;
  let at = start;
  for (;;) {
    let end: number;
    if (quote !== '' && text.startsWith(quote, at)) {
      const closing = closingQuote(text, at + 1, quote);
      // A quote at the very end may be the first half of a doubled one, or stand before the LF of a CRLF.
      if (closing === -1 || (!last && closing + 2 + delimiter.length > text.length)) {
        if (last) throw broken(line, 'a column begins with a quote that does not end', where);
        return undefined;
      }
      const value = text.slice(at + 1, closing);
      for (let lf = value.indexOf('\n'); lf >= 0; lf = value.indexOf('\n', lf + 1)) lines += 1;
      values.push(value.includes(quote) ? value.replaceAll(quote + quote, quote) : value);
      end = closing + 1;
    } else {
      end = columnEnd(text, at, delimiter);
      if (end === -1) {
        if (!last) return undefined;
        end = text.length;
      }
      const value = text.slice(at, end);
      values.push(value.endsWith('\r') && !text.startsWith(delimiter, end) ? value.slice(0, -1) : value);
    }
    if (text.startsWith(delimiter, end)) {
      at = end + delimiter.length;
      continue;
    }
    if (text[end] === '\r' && (text[end + 1] === '\n' || end + 1 === text.length)) end += 1;
    if (end < text.length && text[end] !== '\n')
      throw broken(line + lines - 1, 'something stands behind the quote that ends a column', where);
    return { values, end: end + 1, line: line + lines };
  }
}

function closingQuote(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 2)) {
    if (text[at + 1] !== quote) return at;
  }
  return -1;
}

/** Where a column without quotes ends: at the delimiter or the line break; -1 when neither has come. */
function columnEnd(text: string, at: number, delimiter: string): number {
  const lineEnd = text.indexOf('\n', at);
  const next = text.indexOf(delimiter, at);
  if (next === -1) return lineEnd;
  return lineEnd === -1 ? next : Math.min(next, lineEnd);
}

export const broken = (line: number, what: string, where: () => string): FerruleError =>
  new FerruleError('response_malformed', `The CSV is broken in line ${line}: ${what}.`, {
    where: where(),
    next: 'See what delimiter, quote, columns and skip_lines say under decode in the spec.',
  });
