import { FerruleError } from '../../core/errors.ts';
import { put } from '../../core/put.ts';
import type { DecodeCsv } from '../../core/spec-types.gen.ts';
import type { JsonObject } from '../../core/value.ts';
import { characters } from './characters.ts';
import { broken, type CsvRow, type CsvSyntax, csvRows } from './csv-rows.ts';
import { MAX_RECORD, tooLong } from './lines.ts';
import { recordsOf } from './rows.ts';
import type { DecodeContext, Decoder } from './types.ts';

/**
 * Comma-separated values (RFC 4180): all columns are text. Every row has as many columns as there are names: a short one is what a cut-off
 * answer looks like, a long one what a wrong delimiter does.
 */
export const csv: Decoder<DecodeCsv> = {
  type: 'csv',
  unpacks: false,
  async *read(bytes, part, context) {
    const syntax = syntaxOf(part, context);
    let columns = part.columns && checked(part.columns, 0, context);
    for await (const rows of rowsOf(characters(bytes, context, part.encoding ?? 'utf-8'), syntax, part.skip_lines ?? 0, context)) {
      const records: JsonObject[] = [];
      for (const row of rows) {
        if (columns === undefined) {
          columns = checked(row.values, row.line, context);
          continue;
        }
        const record = recordOf(row, columns, part.null_as, context);
        if (context.records.steps.length === 0) records.push(record);
        else records.push(...recordsOf(record, context, row.line));
      }
      if (records.length > 0) yield records;
    }
    return null;
  },
};

function syntaxOf(part: DecodeCsv, context: DecodeContext): CsvSyntax {
  const delimiter = part.delimiter === 'tab' ? '\t' : (part.delimiter ?? ',');
  const quote = part.quote ?? '"';
  const wrong = delimiter === '' || /[\r\n]/.test(delimiter) ? 'delimiter' : quote.length > 1 || quote === delimiter ? 'quote' : undefined;
  if (wrong === undefined) return { delimiter, quote };
  const what = wrong === 'quote' ? 'one character other than the delimiter, or empty' : 'one or more characters that are no line break';
  throw new FerruleError('spec_invalid', `decode csv: ${wrong} must be ${what}.`, { where: `${context.where()}.decode.${wrong}` });
}

/** Rows in batches. A row that has not come whole is read again when twice as much is there, so that a long one is not read for each piece. */
async function* rowsOf(texts: AsyncIterable<string>, syntax: CsvSyntax, skip: number, context: DecodeContext): AsyncGenerator<CsvRow[]> {
  let pieces: string[] = [];
  let length = 0;
  let wanted = Math.min(context.batchBytes, 64 * 1024);
  let line = 1;
  const rows = (last: boolean): CsvRow[] => {
    const joined = pieces.join('');
    const skipped = skipLines(joined, skip - (line - 1));
    line += skipped.lines;
    const unread = joined.slice(skipped.end);
    const piece = line > skip ? csvRows(unread, line, last, syntax, context.where) : { rows: [], end: 0, line };
    line = piece.line;
    const rest = unread.slice(piece.end);
    if (rest.length > MAX_RECORD) throw tooLong('A row', context);
    pieces = rest === '' ? [] : [rest];
    length = rest.length;
    wanted = Math.max(2 * length, Math.min(context.batchBytes, 64 * 1024));
    return piece.rows;
  };
  for await (const text of texts) {
    pieces.push(text);
    length += text.length;
    if (length >= wanted) yield rows(false);
  }
  if (length > 0) yield rows(true);
}

/** Lines before the names, which need not be CSV. */
function skipLines(text: string, count: number): { end: number; lines: number } {
  let end = 0;
  let lines = 0;
  while (lines < count) {
    const found = text.indexOf('\n', end);
    if (found === -1) break;
    end = found + 1;
    lines += 1;
  }
  return { end, lines };
}

/** @param line 0: they are the spec's own */
function checked(names: readonly string[], line: number, context: DecodeContext): readonly string[] {
  if (line > 0 && /^\s*[<{]/.test(names[0] ?? '')) throw broken(line, 'it looks like HTML, XML or JSON', context.where);
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name === '') throw misnamed(line, `column ${index + 1} has no name`, context);
    if (seen.has(name)) throw misnamed(line, `the name of column ${index + 1} is that of column ${names.indexOf(name) + 1} too`, context);
    if (name.includes('\r')) throw misnamed(line, 'its lines end in CR alone, which is not read here', context);
    seen.add(name);
  }
  return names;
}

function misnamed(line: number, what: string, context: DecodeContext): FerruleError {
  if (line === 0) return new FerruleError('spec_invalid', `decode csv: ${what}.`, { where: `${context.where()}.decode.columns` });
  return broken(line, `${what}; columns under decode names them, with skip_lines: 1 for this line`, context.where);
}

function recordOf(row: CsvRow, columns: readonly string[], nullAs: string | undefined, context: DecodeContext): JsonObject {
  const { values } = row;
  if (values.length !== columns.length) {
    const kind = values.length > columns.length ? 'more' : 'fewer';
    throw broken(row.line, `it has ${values.length} columns, ${kind} than the ${columns.length} that have names`, context.where);
  }
  const record: JsonObject = {};
  for (let i = 0; i < columns.length; i++) {
    put(record, columns[i]!, values[i] === nullAs ? null : values[i]!);
  }
  return record;
}
