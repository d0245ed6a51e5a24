/** Where a scan over the elements of a list is, between two pieces of it. */
export interface ListScan {
  /** Open brackets within the element. */
  depth: number;
  inString: boolean;
  /** The byte before was a backslash in a string. */
  escaped: boolean;
  /** Bytes of the number that the last piece ended in. */
  number: number;
  /** Where the last comma between two elements is in this piece; -1: none. */
  comma: number;
  /** Where the last thing is in this piece that the platform's parser may get wrong: a long number, an exponent, deep nesting; -1: none. */
  odd: number;
  /** The bracket that ends the list has come. */
  closed: boolean;
}

/** At the first byte behind the list's opening bracket. */
export const startList = (): ListScan => ({ depth: 0, inString: false, escaped: false, number: 0, comma: -1, odd: -1, closed: false });

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
/** Bytes after which the platform's search for a quote is faster than a loop. */
const SHORT = 32;
/** Shorter numbers lose nothing as doubles, unless they have an exponent. */
const LONG_NUMBER = 16;

/**
 * Scans a piece of a list from `at` on and notes where its elements end. It tells strings from the rest and counts brackets, no more: what
 * it cuts out is parsed as JSON afterwards, so that it need not see what is broken. This loop is what the speed of large answers hangs on.
 * @param deep nesting within an element from which on `odd` is noted
 * @returns the index behind the closing bracket, or the piece's length
 */
export function scanList(scan: ListScan, piece: Buffer, at: number, deep: number): number {
  const end = piece.length;
  let depth = scan.depth;
  let i = at;
  scan.comma = -1;
  scan.odd = -1;
  if (scan.inString) i = scanString(scan, piece, i);
  else if (scan.number > 0) i = scanNumber(scan, piece, i);
  while (i < end) {
    const byte = piece[i++]!;
    if (byte === QUOTE) {
      // Most strings are short and have no backslash; the others are worth a call.
      const near = Math.min(i + SHORT, end);
      let inside = 0;
      while (i < near) {
        inside = piece[i]!;
        if (inside === QUOTE || inside === BACKSLASH) break;
        i++;
      }
      if (i < near && inside === QUOTE) {
        i++;
      } else {
        scan.inString = true;
        i = scanString(scan, piece, i);
      }
    } else if (byte > 90) {
      if (byte === 123 || byte === 91) {
        if (++depth >= deep) scan.odd = i;
      } else if (byte === 125 || byte === 93) {
        if (depth === 0) {
          scan.closed = true;
          break;
        }
        depth--;
      }
    } else if (byte === COMMA) {
      if (depth === 0) scan.comma = i - 1;
    } else if (byte < 58 && byte > COMMA) {
      const start = i - 1;
      while (i < end && piece[i]! < 58 && piece[i]! > COMMA) i++;
      // Whatever follows a number ends it, but for an exponent and the end of the piece.
      const next = i < end ? piece[i] : 0;
      if (i - start >= LONG_NUMBER || next === 101 || next === 69) scan.odd = i;
      else if (i === end) scan.number = i - start;
    }
  }
  scan.depth = depth;
  return i;
}

/** Goes on in a string; `scan.inString` tells whether it is still open at the piece's end. */
function scanString(scan: ListScan, piece: Buffer, at: number): number {
  let i = scan.escaped ? at + 1 : at;
  if (i > piece.length) return at;
  for (;;) {
    const quote = piece.indexOf(QUOTE, i);
    const end = quote === -1 ? piece.length : quote;
    let backslashes = 0;
    while (end - backslashes > i && piece[end - 1 - backslashes] === BACKSLASH) backslashes++;
    scan.escaped = backslashes % 2 === 1;
    if (quote === -1) return piece.length;
    i = quote + 1;
    if (scan.escaped) continue;
    scan.inString = false;
    return i;
  }
}

/** Goes on in a number that the last piece ended in. */
function scanNumber(scan: ListScan, piece: Buffer, at: number): number {
  let i = at;
  while (i < piece.length && piece[i]! < 58 && piece[i]! > COMMA) i++;
  const length = scan.number + i - at;
  const next = i < piece.length ? piece[i] : 0;
  if (length >= LONG_NUMBER || next === 101 || next === 69) scan.odd = i;
  scan.number = i === piece.length ? length : 0;
  return i;
}
