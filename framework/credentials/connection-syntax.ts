/** One `Key=Value` of a connection string. */
export interface Pair {
  key: string;
  value: string;
  /** Offsets in the text. */
  keyAt: number;
  valueAt: number;
  quoted: boolean;
  /** For each character of `value`, where it stands: doubled quotes make a difference. */
  offsets: number[];
}

export interface SyntaxProblem {
  /** Offset in the text. */
  at: number;
  message: string;
  hint?: string;
}

const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", '{': '}' };

/**
 * `Key=Value;Key="quoted; value";Key='…';Key={…}`: a quoted value ends at its closing quote, which stands twice where it is meant as itself
 * (the rule of ADO.NET for quotes, of ODBC for braces). Spaces around keys and plain values do not count. `offsets`
 * maps a string that itself was a value back to where it stood. Problems repeat no text: it may be part of a secret.
 */
export function readPairs(text: string, offsets?: readonly number[]): { pairs: Pair[]; problems: SyntaxProblem[] } {
  const pairs: Pair[] = [];
  const problems: SyntaxProblem[] = [];
  const at = (index: number) => offsets?.[index] ?? (offsets ? (offsets.at(-1) ?? 0) + 1 : index);
  let next = 0;
  while (next < text.length) {
    const start = skipSpace(text, next);
    if (start >= text.length) break;
    if (text[start] === ';') {
      next = start + 1;
      continue;
    }
    const equals = text.indexOf('=', start);
    const end = indexOrEnd(text, ';', start);
    if (equals === -1 || equals > end) {
      problems.push({ at: at(start), message: 'There is no = here.', hint: 'Write Name=Value. A value with ; in it stands in quotes.' });
      next = end + 1;
      continue;
    }
    const key = text.slice(start, equals).trim();
    if (key === '') problems.push({ at: at(start), message: 'There is no name before the =.' });
    const value = readValue(text, skipSpace(text, equals + 1));
    if ('problem' in value)
      problems.push({ at: at(value.at), message: value.problem, ...(value.hint !== undefined && { hint: value.hint }) });
    else if (key !== '') {
      const { value: content, at: valueAt, quoted, indexes } = value;
      pairs.push({ key, value: content, keyAt: at(start), valueAt: at(valueAt), quoted, offsets: indexes.map(at) });
    }
    next = value.end + 1;
  }
  return { pairs, problems };
}

type ValueRead =
  | { value: string; at: number; end: number; quoted: boolean; indexes: number[] }
  | { problem: string; hint?: string; at: number; end: number };

/** `end` is where the `;` stands, or the text's end. */
function readValue(text: string, at: number): ValueRead {
  const closing = CLOSING[text[at] ?? ''];
  if (closing === undefined) {
    const end = indexOrEnd(text, ';', at);
    const value = text.slice(at, end).trimEnd();
    return { value, at, end, quoted: false, indexes: Array.from({ length: value.length }, (_, index) => at + index) };
  }
  let value = '';
  const indexes: number[] = [];
  for (let index = at + 1; index < text.length; index++) {
    if (text[index] === closing && text[index + 1] !== closing) {
      const after = skipSpace(text, index + 1);
      if (after === text.length || text[after] === ';') return { value, at: at + 1, end: after, quoted: true, indexes };
      const hint = `Write a ${closing} inside the value twice, and ; after the value.`;
      return { problem: `The value goes on behind its closing ${closing}.`, hint, at: after, end: indexOrEnd(text, ';', after) };
    }
    value += text[index];
    indexes.push(index);
    if (text[index] === closing) index++;
  }
  return { problem: `The ${text[at]} that opens here is not closed.`, hint: `Write ${closing} at the value's end.`, at, end: text.length };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}

function indexOrEnd(text: string, char: string, from: number): number {
  const found = text.indexOf(char, from);
  return found === -1 ? text.length : found;
}

/** A value as it stands in a connection string: in quotes where it would else be read otherwise. */
export function writeValue(value: string): string {
  const plain = value !== '' && !/[;\r\n]/.test(value) && !/^["'{]/.test(value) && value.trim() === value;
  return plain ? value : `"${value.replaceAll('"', '""')}"`;
}
