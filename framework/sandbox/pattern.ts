import { ABSENT, type Expr, type Lookup, read, splitText, UNKNOWN } from './reading.ts';

/**
 * What a text of the spec looks like on the wire: known parts letter for letter, and holes for what the sandbox has
 * to look at when the request comes (`fields.start_date`, `parent.id`).
 */
export interface Pattern {
  pieces: Piece[];
  /** The entry may be left out. */
  optional: boolean;
  /** The entry must be left out. */
  absent: boolean;
}

type Piece = { text: string } | Hole;
interface Hole {
  /** The look-up's names joined with dots; empty: anything. */
  hole: string;
  /** The value is base64 of a text of this form. */
  base64?: Pattern;
  /** How a time is written in it, where the text says that. */
  format?: string;
}

export interface Filled {
  hole: string;
  value: string;
  format?: string;
}

/** Whether a look-up may be without a value, from the spec alone. */
export type MayBeAbsent = (keys: readonly string[]) => boolean;

/** What a text is read with. */
export interface Known {
  lookup: Lookup;
  mayBeAbsent: MayBeAbsent;
  /** Named expressions of the auth method. */
  vars: Record<string, string>;
}

export function pattern(text: string, known: Known): Pattern {
  const { lookup, mayBeAbsent } = known;
  const parts = splitText(text);
  const only = parts.length === 1 ? parts[0] : undefined;
  const whole = only !== undefined && 'expr' in only ? only.expr : undefined;
  const absent = whole !== undefined && read(whole, lookup) === ABSENT;
  return {
    pieces: parts.flatMap((part) => ('text' in part ? [part] : pieces(part.expr, known))),
    optional: absent || (whole !== undefined && leavable(whole, lookup, mayBeAbsent)),
    absent,
  };
}

function leavable(expr: Expr, lookup: Lookup, mayBeAbsent: MayBeAbsent): boolean {
  if (expr.type === 'path') return mayBeAbsent(expr.keys);
  if (expr.type === 'call' && expr.name === 'given') return read(expr.args[0] ?? expr, lookup) === UNKNOWN;
  return expr.type === 'unknown';
}

function pieces(expr: Expr, known: Known): Piece[] {
  const value = read(expr, known.lookup);
  if (value !== UNKNOWN && value !== ABSENT && typeof value !== 'object') return [{ text: String(value) }];
  const variable = expr.type === 'path' && expr.keys[0] === 'vars' ? known.vars[expr.keys[1] ?? ''] : undefined;
  if (variable !== undefined) return pattern(variable, known).pieces;
  if (expr.type === 'path') return [{ hole: expr.keys.join('.') }];
  if (expr.type === 'binary' && expr.operator === '+') return [...pieces(expr.left, known), ...pieces(expr.right, known)];
  if (expr.type === 'call' && expr.on === undefined) {
    const [first, second] = expr.args;
    if (expr.name === 'base64' && first !== undefined) {
      return [{ hole: '', base64: { pieces: pieces(first, known), optional: false, absent: false } }];
    }
    if (expr.name === 'given' && second !== undefined) return pieces(second, known);
    if (AS_IT_IS.has(expr.name) && first !== undefined) return pieces(first, known);
    const format = expr.name === 'format' ? second?.type === 'literal' && String(second.value) : EPOCHS.has(expr.name) && expr.name;
    if (first?.type === 'path' && first.keys[0] === 'window') {
      if (typeof format === 'string') return [{ hole: first.keys.join('.'), format }];
      if (expr.name === 'default') return pieces(first, known);
    }
  }
  return [{ hole: '' }];
}

/** Functions that change nothing of how a value is written. */
const AS_IT_IS = new Set(['string', 'host_label', 'int', 'uint', 'double']);
/** Functions that are named as the format they write. */
const EPOCHS = new Set(['epoch', 'epoch_ms', 'http_date']);

/** What stands in the holes, or undefined when the text is not of this form. A hole ends where the text behind it first occurs. */
export function fill(wanted: Pattern, text: string): Filled[] | undefined {
  const holes = wanted.pieces.filter((piece) => 'hole' in piece);
  const source = wanted.pieces.map((piece) => ('text' in piece ? escapeRegExp(piece.text) : '(.*?)')).join('');
  const match = new RegExp(`^${source}$`, 's').exec(text);
  if (match === null) return undefined;
  const filled: Filled[] = [];
  for (const [index, piece] of holes.entries()) {
    const value = match[index + 1]!;
    if (piece.base64 === undefined) filled.push({ hole: piece.hole, value, ...(piece.format !== undefined && { format: piece.format }) });
    else {
      const inner = fill(piece.base64, Buffer.from(value, 'base64').toString('utf8'));
      if (inner === undefined) return undefined;
      filled.push(...inner);
    }
  }
  return filled;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** For messages: `/projects/${parent.id}`. */
export const describe = (wanted: Pattern): string =>
  wanted.pieces.map((piece) => ('text' in piece ? piece.text : `<${piece.hole === '' ? 'value' : piece.hole}>`)).join('');

/** How much of it is fixed: of two routes that fit, the one with more fixed text is meant. */
export const fixed = (wanted: Pattern): number => wanted.pieces.reduce((sum, piece) => sum + ('text' in piece ? piece.text.length : 0), 0);
