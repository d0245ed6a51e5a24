import type { Problem } from './types.ts';

/** A text cut at its `${…}`: literal pieces with `$${` resolved, and the source between the braces. */
export type Piece = { text: string } | { source: string; start: number; end: number; inner: number };

/** Cuts a text. Braces and quotes inside an expression are understood. `start` and `end` include `${` and `}`. */
export function split(text: string): { pieces: Piece[]; problems: Problem[] } {
  const pieces: Piece[] = [];
  let literal = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) break;
    literal += text.slice(at, dollar);
    if (text.startsWith('$${', dollar)) {
      literal += '${';
      at = dollar + 3;
    } else if (text[dollar + 1] !== '{') {
      literal += '$';
      at = dollar + 1;
    } else {
      const end = closingBrace(text, dollar + 2);
      if (end < 0) return { pieces, problems: [unclosed(text, dollar)] };
      if (literal !== '') pieces.push({ text: literal });
      literal = '';
      pieces.push({ source: text.slice(dollar + 2, end), start: dollar, end: end + 1, inner: dollar + 2 });
      at = end + 1;
    }
  }
  literal += text.slice(at);
  if (literal !== '') pieces.push({ text: literal });
  return { pieces, problems: [] };
}

function unclosed(text: string, start: number): Problem {
  return {
    rule: 'expression_syntax',
    message: 'This ${ is not closed.',
    hint: 'Write } at its end, close quotes within it, or write $${ for a literal ${.',
    start,
    end: text.length,
  };
}

/** The index of the `}` that ends the expression begun before `from`, or -1. */
function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === '"' || char === "'") {
      i = behindQuote(text, i) - 1;
      if (i < 0) return -1;
    } else if (char === '{') {
      depth++;
    } else if (char === '}') {
      if (depth === 0) return i;
      depth--;
    }
  }
  return -1;
}

/** The index behind a CEL string: '…', "…", tripled, and raw ones (r"…"), in which a backslash is a backslash. */
function behindQuote(text: string, start: number): number {
  const quote = text[start]!;
  const raw = /[rR]/.test(text[start - 1] ?? '') && !/[\w.]/.test(text[start - 2] ?? ' ');
  const mark = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  for (let i = start + mark.length; i < text.length; i++) {
    if (text[i] === '\\' && !raw) i++;
    else if (text.startsWith(mark, i)) return i + mark.length;
  }
  return -1;
}
