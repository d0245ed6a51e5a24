import { put } from '../../core/put.ts';
import type { Json, JsonObject } from '../../core/value.ts';

/** Kinds of JSON values, as bits. */
export const KIND = { text: 1, whole: 2, decimal: 4, boolean: 8, null: 16, object: 32, list: 64 } as const;

/** A key of the objects that matters. */
export interface WatchedKey {
  key: string;
  /** The kinds that its values may have, as bits of KIND. */
  kinds: number;
  /** Whether values are wanted. */
  wanted: boolean;
}

/** The elements of a list: where each begins and ends, and of each the values that were wanted. */
export interface ScannedObjects {
  starts: number[];
  ends: number[];
  values: JsonObject[];
  /** Of the bracket that closes the list. */
  end: number;
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
/** Deeper ones are left to the parser. */
const DEEPEST = 64;
/** Shorter numbers lose nothing as doubles, unless they have an exponent. */
const LONG_NUMBER = 16;
/** Bytes after which the platform's search for a quote is faster than a loop. */
const SHORT = 24;
/** What a scan gives that is not sure of something. */
const UNSURE = -1;

/** A key of the object before, at the same place in it: mostly it comes again. */
interface Hint {
  bytes: Uint8Array;
  watched: number;
}

/**
 * Goes over the list of objects behind `at`, the index after its opening bracket, and checks that each is JSON (RFC 8259) to the last byte, so
 * that it may be passed on without having been parsed. Undefined where it is not sure, for any reason: it is no JSON; an element is no
 * object; a line break, an odd space or a number that a double may not hold is in one; a watched key has another kind of value, or comes twice in one.
 * Then the parser has the word. The bytes must be UTF-8.
 */
export class ObjectScanner {
  readonly #watched: readonly WatchedKey[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #hints: Hint[] = [];
  /** Number of the object in which a watched key came last. */
  readonly #last: Int32Array;
  #bytes: Buffer = Buffer.alloc(0);
  /** There are control characters: in a string they would be no JSON, so that strings are looked at closely. */
  #controls = false;
  /** The first backslash from here on; the length where there is none. */
  #backslash = 0;

  constructor(watched: readonly WatchedKey[]) {
    this.#watched = watched;
    this.#index = new Map(watched.map(({ key }, at) => [key, at]));
    this.#last = new Int32Array(watched.length);
  }

  scan(bytes: Buffer, at: number): ScannedObjects | undefined {
    this.#bytes = bytes;
    this.#controls = hasControls(bytes);
    this.#backslash = at - 1;
    this.#last.fill(-1);
    const found: ScannedObjects = { starts: [], ends: [], values: [], end: 0 };
    try {
      return this.#elements(found, at) ? found : undefined;
    } finally {
      this.#bytes = Buffer.alloc(0);
    }
  }

  #elements(found: ScannedObjects, from: number): boolean {
    const bytes = this.#bytes;
    let i = blanks(bytes, from);
    if (bytes[i] === 93) {
      found.end = i;
      return true;
    }
    for (;;) {
      if (bytes[i] !== 123) return false;
      const values: JsonObject = {};
      const end = this.#record(i + 1, found.starts.length, values);
      if (end === UNSURE) return false;
      found.starts.push(i);
      found.ends.push(end);
      found.values.push(values);
      i = blanks(bytes, end);
      if (bytes[i] === 93) {
        found.end = i;
        return true;
      }
      if (bytes[i] !== COMMA) return false;
      i = blanks(bytes, i + 1);
    }
  }

  /** One element, from behind its opening bracket. */
  #record(from: number, number: number, values: JsonObject): number {
    const bytes = this.#bytes;
    let i = spaces(bytes, from);
    if (bytes[i] === 125) return i + 1;
    for (let place = 0; ; place++) {
      let watched = 0;
      const hint = this.#hints[place];
      if (hint !== undefined && begins(bytes, i, hint.bytes)) {
        watched = hint.watched;
        i += hint.bytes.length;
      } else {
        if (bytes[i] !== QUOTE) return UNSURE;
        const end = this.#string(i + 1);
        if (end === UNSURE) return UNSURE;
        watched = this.#watchedAt(place, i, end);
        if (watched === UNSURE) return UNSURE;
        i = end;
      }
      i = spaces(bytes, i);
      if (bytes[i] !== COLON) return UNSURE;
      const start = spaces(bytes, i + 1);
      i = this.#value(start, 1);
      if (i === UNSURE) return UNSURE;
      if (watched > 0 && !this.#take(watched - 1, start, i, number, values)) return UNSURE;
      i = spaces(bytes, i);
      if (bytes[i] === 125) return i + 1;
      if (bytes[i] !== COMMA) return UNSURE;
      i = spaces(bytes, i + 1);
    }
  }

  /** One more than the watched key's index; 0: it is not watched. Not sure of one that is spelt with escapes. */
  #watchedAt(place: number, start: number, end: number): number {
    const bytes = this.#bytes;
    const key = bytes.toString('utf8', start + 1, end - 1);
    if (key.includes('\\')) return UNSURE;
    const watched = (this.#index.get(key) ?? -1) + 1;
    // Not a view: that would keep the whole answer.
    if (place <= this.#hints.length) this.#hints[place] = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), watched };
    return watched;
  }

  #take(watched: number, start: number, end: number, number: number, values: JsonObject): boolean {
    const { key, kinds, wanted } = this.#watched[watched]!;
    if (this.#last[watched] === number) return false;
    this.#last[watched] = number;
    if ((kinds & kindOf(this.#bytes, start, end)) === 0) return false;
    if (wanted) put(values, key, parsed(this.#bytes, start, end));
    return true;
  }

  /** The index behind the value that begins at `i`. */
  #value(i: number, depth: number): number {
    const bytes = this.#bytes;
    const byte = bytes[i]!;
    if (byte === QUOTE) return this.#string(i + 1);
    if (byte === 123) return depth >= DEEPEST ? UNSURE : this.#members(i + 1, depth + 1);
    if (byte === 91) return depth >= DEEPEST ? UNSURE : this.#items(i + 1, depth + 1);
    if (byte === 116) return isWord(bytes, i, TRUE) ? i + 4 : UNSURE;
    if (byte === 110) return isWord(bytes, i, NULL) ? i + 4 : UNSURE;
    if (byte === 102) return isWord(bytes, i, FALSE) ? i + 5 : UNSURE;
    return number(bytes, i);
  }

  #members(from: number, depth: number): number {
    const bytes = this.#bytes;
    let i = spaces(bytes, from);
    if (bytes[i] === 125) return i + 1;
    for (;;) {
      if (bytes[i] !== QUOTE) return UNSURE;
      i = this.#string(i + 1);
      if (i === UNSURE) return UNSURE;
      i = spaces(bytes, i);
      if (bytes[i] !== COLON) return UNSURE;
      i = this.#value(spaces(bytes, i + 1), depth);
      if (i === UNSURE) return UNSURE;
      i = spaces(bytes, i);
      if (bytes[i] === 125) return i + 1;
      if (bytes[i] !== COMMA) return UNSURE;
      i = spaces(bytes, i + 1);
    }
  }

  #items(from: number, depth: number): number {
    const bytes = this.#bytes;
    let i = spaces(bytes, from);
    if (bytes[i] === 93) return i + 1;
    for (;;) {
      i = this.#value(i, depth);
      if (i === UNSURE) return UNSURE;
      i = spaces(bytes, i);
      if (bytes[i] === 93) return i + 1;
      if (bytes[i] !== COMMA) return UNSURE;
      i = spaces(bytes, i + 1);
    }
  }

  /** The index behind the closing quote of the string whose first byte is at `from`. */
  #string(from: number): number {
    const bytes = this.#bytes;
    if (this.#controls) return this.#closeString(from);
    const near = Math.min(from + SHORT, bytes.length);
    let quote = from;
    while (quote < near && bytes[quote] !== QUOTE) quote++;
    if (quote === near) {
      quote = bytes.indexOf(QUOTE, quote);
      if (quote === -1) return UNSURE;
    }
    if (this.#backslash < from) {
      const next = bytes.indexOf(BACKSLASH, from);
      this.#backslash = next === -1 ? bytes.length : next;
    }
    return this.#backslash < quote ? this.#closeString(this.#backslash) : quote + 1;
  }

  /** The same byte by byte, from within it. */
  #closeString(from: number): number {
    const bytes = this.#bytes;
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) return i + 1;
      if (byte < 32) return UNSURE;
      if (byte !== BACKSLASH) continue;
      i++;
      const escaped = bytes[i]!;
      if (escaped === 117) {
        for (let digit = 1; digit <= 4; digit++) if (!isHex(bytes[i + digit]!)) return UNSURE;
        i += 4;
      } else if (!isEscape(escaped)) {
        return UNSURE;
      }
    }
    return UNSURE;
  }
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

function isWord(bytes: Buffer, at: number, word: Buffer): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;
const isHex = (byte: number): boolean => isDigit(byte) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102);
/** `"` `/` `\` b f n r t */
const isEscape = (byte: number): boolean =>
  byte === 34 || byte === 47 || byte === 92 || byte === 98 || byte === 102 || byte === 110 || byte === 114 || byte === 116;

/** The index behind a number without exponent that a double holds. */
function number(bytes: Buffer, from: number): number {
  let i = bytes[from] === 45 ? from + 1 : from;
  if (bytes[i] === 48) i++;
  else {
    if (!isDigit(bytes[i])) return UNSURE;
    while (isDigit(bytes[i])) i++;
  }
  if (bytes[i] === 46) {
    i++;
    if (!isDigit(bytes[i])) return UNSURE;
    while (isDigit(bytes[i])) i++;
  }
  const next = bytes[i];
  return next === 101 || next === 69 || i - from >= LONG_NUMBER ? UNSURE : i;
}

/** Spaces and tabs; a line break within an object is not passed on. */
function spaces(bytes: Buffer, from: number): number {
  let i = from;
  while (bytes[i] === 32 || bytes[i] === 9) i++;
  return i;
}

function blanks(bytes: Buffer, from: number): number {
  let i = from;
  while (bytes[i] === 32 || bytes[i] === 10 || bytes[i] === 13 || bytes[i] === 9) i++;
  return i;
}

function begins(bytes: Buffer, at: number, other: Uint8Array): boolean {
  for (let i = 0; i < other.length; i++) if (bytes[at + i] !== other[i]) return false;
  return true;
}

/** Of a value that was checked. */
function kindOf(bytes: Buffer, start: number, end: number): number {
  const byte = bytes[start]!;
  if (byte === QUOTE) return KIND.text;
  if (byte === 123) return KIND.object;
  if (byte === 91) return KIND.list;
  if (byte === 110) return KIND.null;
  if (byte === 116 || byte === 102) return KIND.boolean;
  for (let i = start; i < end; i++) if (bytes[i] === 46) return KIND.decimal;
  return KIND.whole;
}

/** Of a value that was checked; the usual ones without the parser. */
function parsed(bytes: Buffer, start: number, end: number): Json {
  if (bytes[start] === QUOTE) {
    const text = bytes.toString('utf8', start + 1, end - 1);
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }
  if (!isDigit(bytes[start])) return JSON.parse(bytes.toString('utf8', start, end)) as Json;
  let whole = 0;
  for (let i = start; i < end; i++) {
    if (bytes[i] === 46) return Number(bytes.toString('latin1', start, end));
    whole = whole * 10 + bytes[i]! - 48;
  }
  return whole;
}

/** Whether a byte is below 32. Four at a time: this looks at all of a page. */
function hasControls(bytes: Buffer): boolean {
  const first = Math.min((4 - (bytes.byteOffset % 4)) % 4, bytes.length);
  // A view must begin at a whole word, though it has none: two bytes may lie before the first.
  const begin = first < bytes.length ? bytes.byteOffset + first : 0;
  const words = new Int32Array(bytes.buffer, begin, (bytes.length - first) >> 2);
  for (let i = 0; i < first; i++) if (bytes[i]! < 32) return true;
  let seen = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    // A byte borrows from its top bit when it is less than 32 and had none set.
    seen |= ((word - 0x20202020) | 0) & ~word;
  }
  if ((seen & 0x80808080) !== 0) return true;
  for (let i = first + words.length * 4; i < bytes.length; i++) if (bytes[i]! < 32) return true;
  return false;
}
