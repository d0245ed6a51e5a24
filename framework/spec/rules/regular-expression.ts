/** A static look at regular expressions (ECMAScript syntax with the u flag): enough to tell whether one can explode. */

interface Look {
  expression?: RegExp;
  problem?: string;
}

/** Several rules look at each pattern; they are few and short. */
const looks = new Map<string, Look>();
const MOST = 1000;
/** The engine's compiler ends the process on patterns that are large or deep enough; no field needs one of these. */
const LONGEST = 1000;
const MAX_DEPTH = 50;
/** A count from which on a repetition is as good as endless. */
const MANY = 10;

export function regularExpression(pattern: string): Look {
  const known = looks.get(pattern) ?? lookAt(pattern);
  if (looks.size < MOST) looks.set(pattern, known);
  return known;
}

function lookAt(pattern: string): Look {
  if (pattern.length > LONGEST) return { problem: `it is longer than ${LONGEST} characters` };
  if (depthOf(pattern) > MAX_DEPTH) return { problem: `its groups are nested deeper than ${MAX_DEPTH} levels` };
  try {
    return { expression: new RegExp(pattern, 'u') };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return {
      problem: words
        .replace(/^Invalid regular expression: /, '')
        .replace(/^\/[\s\S]*\/[a-z]*: /, '')
        .toLowerCase(),
    };
  }
}

function depthOf(pattern: string): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < pattern.length; at++) {
    const mark = pattern[at];
    if (mark === '\\') at++;
    else if (mark === '[') at = classEnd(pattern, at);
    else if (mark === '(') most = Math.max(most, ++depth);
    else if (mark === ')') depth--;
  }
  return most;
}

/** Begins with ^ and ends with $, and no | at the top splits the two. */
export function isAnchored(pattern: string): boolean {
  if (!pattern.startsWith('^') || !/(?:^|[^\\])(?:\\\\)*\$$/.test(pattern)) return false;
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const mark = pattern[at];
    if (mark === '\\') at++;
    else if (mark === '[') at = classEnd(pattern, at);
    else if (mark === '(') depth++;
    else if (mark === ')') depth--;
    else if (mark === '|' && depth === 0) return false;
  }
  return true;
}

/** One element of a sequence: what its first character may be, how often it stands, what is in it when it is a group. */
interface Element {
  start: number;
  end: number;
  set: Uint8Array;
  optional: boolean;
  /** Stands many times, or may. */
  repeated: boolean;
  /** The same, and how often is open. */
  unbounded: boolean;
  /** Must stand many times, and may be empty: each turn may be the empty one. */
  padded: boolean;
  group?: Element[][];
}

/** Code points 0–127, and one place for all others. */
const SIZE = 129;

/** The part of a pattern that can split a text in exponentially many ways, or nothing. Patterns that do not parse: nothing. */
export function explodes(pattern: string): string | undefined {
  if (regularExpression(pattern).problem !== undefined) return undefined;
  const parser = new PatternParser(pattern);
  const found = worst(parser.alternatives(0));
  return found && pattern.slice(found.start, found.end);
}

function worst(alternatives: Element[][]): Element | undefined {
  for (const element of alternatives.flat()) {
    if (element.group === undefined) continue;
    if (element.padded || (element.repeated && isAmbiguous(element.group))) return element;
    const inner = worst(element.group);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** A repeated group is ambiguous when two alternatives begin alike, or when an unbounded part may be followed by what it may be itself. */
function isAmbiguous(alternatives: Element[][]): boolean {
  const starts = alternatives.map(firstOf);
  for (const [at, one] of starts.entries()) if (starts.slice(at + 1).some((other) => overlap(one, other))) return true;
  const again = starts.reduce(union, empty());
  return alternatives.some((sequence) =>
    sequence.some((element, at) => element.unbounded && overlap(lastOf(element), following(sequence, at + 1, again))),
  );
}

/** What may come behind a place in the group: the rest of the sequence up to its first required element, else the group again. */
function following(sequence: Element[], from: number, again: Uint8Array): Uint8Array {
  let set = empty();
  for (const element of sequence.slice(from)) {
    set = union(set, element.set);
    if (!element.optional) return set;
  }
  return union(set, again);
}

/** All that a repeated element may consist of: coarse for groups, where any of its characters counts. */
const lastOf = (element: Element): Uint8Array => element.group?.flat().map(lastOf).reduce(union, element.set) ?? element.set;

function firstOf(sequence: Element[]): Uint8Array {
  let set = empty();
  for (const element of sequence) {
    set = union(set, element.set);
    if (!element.optional) break;
  }
  return set;
}

const empty = (): Uint8Array => new Uint8Array(SIZE);
const union = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((value, at) => value | (b[at] as number));
const overlap = (a: Uint8Array, b: Uint8Array): boolean => a.some((value, at) => value === 1 && b[at] === 1);

class PatternParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  alternatives(depth: number): Element[][] {
    const all: Element[][] = [[]];
    while (this.#at < this.#text.length && this.#text[this.#at] !== ')') {
      if (this.#text[this.#at] === '|') {
        this.#at++;
        all.push([]);
        continue;
      }
      const element = this.#element(depth);
      if (element !== undefined) all.at(-1)?.push(element);
    }
    return all;
  }

  #element(depth: number): Element | undefined {
    const start = this.#at;
    const mark = this.#text[start] as string;
    if (mark === '^' || mark === '$' || this.#text.startsWith('\\b', start) || this.#text.startsWith('\\B', start)) {
      this.#at += mark === '\\' ? 2 : 1;
      return undefined;
    }
    let group: Element[][] | undefined;
    let set: Uint8Array;
    let look = false;
    if (mark === '(' && depth < MAX_DEPTH) {
      const head = /^\((?:\?(?::|<[A-Za-z_$][\w$]*>|<?[=!]))?/.exec(this.#text.slice(start))?.[0] ?? '(';
      look = /[=!]$/.test(head);
      this.#at += head.length;
      group = this.alternatives(depth + 1);
      this.#at++;
      set = group.map(firstOf).reduce(union, empty());
    } else {
      const end = mark === '\\' ? escapeEnd(this.#text, start) : mark === '[' ? classEnd(this.#text, start) + 1 : start + 1;
      this.#at = end;
      set = charactersOf(this.#text.slice(start, end));
    }
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.#at += quantifier.length;
    if (look) return undefined;
    const empties = group?.some((sequence) => sequence.every(({ optional }) => optional)) === true;
    const optional = empties || /^[*?]|^\{0\D/.test(quantifier);
    const { least, most } = countsOf(quantifier);
    const repeated = most >= MANY;
    return {
      start,
      end: this.#at,
      set,
      optional,
      repeated,
      unbounded: repeated && most > least,
      padded: empties && least >= MANY,
      ...(group && { group }),
    };
  }
}

function countsOf(quantifier: string): { least: number; most: number } {
  const [, least = '1', comma, most = ''] = /^\{(\d+)(,)?(\d*)/.exec(quantifier) ?? [];
  const endless = Number.POSITIVE_INFINITY;
  if (quantifier.startsWith('*')) return { least: 0, most: endless };
  if (quantifier.startsWith('+')) return { least: 1, most: endless };
  if (quantifier.startsWith('?')) return { least: 0, most: 1 };
  return { least: Number(least), most: comma === undefined ? Number(least) : most === '' ? endless : Number(most) };
}

function classEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== ']') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function escapeEnd(text: string, start: number): number {
  const long = /^\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|k<[^>]*>|\d+)/.exec(text.slice(start));
  return start + (long?.[0].length ?? 2);
}

/** Which characters one atom may be: asked of the engine itself, one character at a time. */
function charactersOf(atom: string): Uint8Array {
  const set = empty();
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${atom})$`, 'u');
  } catch {
    // A back reference, or a mark that means nothing alone: it may be anything.
    return set.fill(1);
  }
  for (let code = 0; code < SIZE - 1; code++) if (expression.test(String.fromCharCode(code))) set[code] = 1;
  if (expression.test('é') || expression.test('字')) set[SIZE - 1] = 1;
  return set;
}
