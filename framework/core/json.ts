import { FerruleError } from './errors.ts';
import type { Json } from './value.ts';

/** What becomes of whole numbers beyond ±(2^53 − 1): an error, or text digit for digit. */
export type BigIntegers = 'number' | 'text';

/** Deeper data is hostile or broken, and would overflow every walk that comes after. */
export const MAX_DEPTH = 1000;
const TOO_DEEP = `it is nested deeper than ${MAX_DEPTH} levels`;

/**
 * JSON (RFC 8259) without rounding. The platform's parser does the work; a scan of our own runs only where it would
 * be wrong (16 digits in a row, exponents of three digits).
 * @param plain the caller has seen for itself that no number is that long or has an exponent, and that nothing is nested too deep
 * @throws FerruleError response_malformed (with line and column, never an excerpt), number_too_large
 */
export function parseJson(text: string, bigIntegers: BigIntegers, plain = false): Json {
  const suspicious = !plain && (hasLongDigits(text) || LARGE_EXPONENT.test(text));
  const source = suspicious ? withoutRounding(text, bigIntegers) : text;
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch {
    // The platform's message quotes the text and often has no position: ours has the position alone.
    throw malformed(text);
  }
  if (!plain && mayBeDeep(text) && isDeeper(value, MAX_DEPTH)) throw malformed(text);
  return value;
}

const LARGE_EXPONENT = /[eE]\+?\d{3}/;
const LONG = 16;

const isDigitAt = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};

/** Whether there are 16 digits in a row. Only each sixteenth character is looked at: one of so many in a row is always hit. */
function hasLongDigits(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigitAt(text, at)) continue;
    let [from, to] = [at, at];
    while (isDigitAt(text, from - 1)) from -= 1;
    while (isDigitAt(text, to + 1)) to += 1;
    if (to - from + 1 >= LONG) return true;
  }
  return false;
}

/** Text as JSON. `sorted`: keys in order at all levels, so that equal data gives equal text. */
export function stringifyJson(value: Json, options: { sorted?: boolean; indent?: number } = {}): string {
  return JSON.stringify(options.sorted ? sorted(value) : value, undefined, options.indent);
}

/** A number in plain digits, as it must stand in a URL, header or form: 1e21 → `1000000000000000000000`, 1e-7 → `0.0000001`. */
export function plainNumber(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, '0');
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const result: { [key: string]: Json } = Object.create(null);
  for (const key of Object.keys(value).sort()) result[key] = sorted(value[key]!);
  return result;
}

/** Cheap test that lets ordinary pages skip the walk: fewer closing brackets than the limit cannot be too deep. */
function mayBeDeep(text: string): boolean {
  if (text.length < 2 * MAX_DEPTH) return false;
  let closers = 0;
  for (const bracket of [']', '}']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++closers > MAX_DEPTH) return true;
    }
  }
  return false;
}

/** Stops at the limit, so it cannot overflow the stack. */
function isDeeper(value: Json, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeper(item, levels - 1));
  for (const key in value) if (isDeeper(value[key]!, levels - 1)) return true;
  return false;
}

const isNumberPart = (code: number): boolean =>
  (code >= 48 && code <= 57) || code === 45 || code === 43 || code === 46 || code === 101 || code === 69;

/** The index behind the string that opens at `start`, or the text's end when it does not close. */
function behindString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/** The same JSON with every number that would be rounded put into quotes, or an error that names the first one. */
function withoutRounding(text: string, bigIntegers: BigIntegers): string {
  let result = '';
  let copied = 0;
  let i = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      i = behindString(text, i);
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      const start = i;
      while (i < text.length && isNumberPart(text.charCodeAt(i))) i++;
      const token = text.slice(start, i);
      if (!loses(token)) continue;
      if (bigIntegers === 'number' || !/^-?\d+$/.test(token)) throw tooLarge(text, start);
      // A number in the place of a key is broken JSON; quotes would mend it.
      if (/^\s*:/.test(text.slice(i, i + 20))) continue;
      result += `${text.slice(copied, start)}"${token}"`;
      copied = i;
    } else {
      i++;
    }
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** Is it a JSON number whose value a double can't hold: a whole number beyond 2^53, or one beyond all doubles? */
function loses(token: string): boolean {
  if (token.length < 5 || !/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(token)) return false;
  const value = Number(token);
  if (!Number.isFinite(value)) return true;
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(value);
}

/** To find a place takes a tenth of a second for a million characters: in what is longer, nobody waits for it. */
const SEARCHED = 4_000_000;

function tooLarge(text: string, offset: number): FerruleError {
  return new FerruleError('number_too_large', 'A number in the answer is too large to be kept exactly.', {
    ...(offset <= SEARCHED && { where: new Checker(text).pathAt(offset) }),
  });
}

/** Where a text that parseJson refused breaks, in characters, and how; undefined in one so long that nobody waits for the search. */
export function jsonFault(text: string): { offset: number; what: string } | undefined {
  if (text.length > SEARCHED) return undefined;
  const { offset, deep } = new Checker(text).firstError();
  return { offset, what: deep ? TOO_DEEP : offset >= text.length ? 'it ends too early' : 'a character may not stand there' };
}

function malformed(text: string): FerruleError {
  const fault = jsonFault(text);
  if (fault === undefined) {
    return new FerruleError(
      'response_malformed',
      `This is not JSON: among its ${text.length} characters are some that may not stand there.`,
    );
  }
  const { offset, what } = fault;
  const line = text.slice(0, offset).split('\n').length;
  const column = offset - text.lastIndexOf('\n', offset - 1);
  return new FerruleError('response_malformed', `This is not JSON: ${what}, at line ${line}, column ${column} (offset ${offset}).`);
}

class Stop {
  readonly offset: number;
  readonly path: string;
  readonly deep: boolean;
  constructor(offset: number, path: string, deep = false) {
    this.offset = offset;
    this.path = path;
    this.deep = deep;
  }
}

/** A strict reader that keeps no values: it tells where JSON breaks, or which path stands at an offset. Only for errors. */
class Checker {
  readonly #text: string;
  #at = 0;
  #wanted = -1;

  constructor(text: string) {
    this.#text = text;
  }

  firstError(): Stop {
    return this.#run();
  }

  pathAt(offset: number): string {
    this.#wanted = offset;
    return this.#run().path || '$';
  }

  #run(): Stop {
    try {
      this.#value('', 0);
      this.#space();
      return new Stop(this.#at, '');
    } catch (stop) {
      if (stop instanceof Stop) return stop;
      throw stop;
    }
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #fail(path: string): never {
    throw new Stop(this.#at, path);
  }

  #value(path: string, depth: number): void {
    this.#space();
    if (this.#at === this.#wanted) this.#fail(path);
    const char = this.#text[this.#at];
    if (depth >= MAX_DEPTH && (char === '[' || char === '{')) throw new Stop(this.#at, path, true);
    if (char === '{') this.#members(path, depth);
    else if (char === '[') this.#items(path, depth);
    else if (char === '"') this.#string(path);
    else this.#token(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y, path);
  }

  #token(pattern: RegExp, path: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (!found) this.#fail(path);
    this.#at += found.length;
    return found;
  }

  #string(path: string): string {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 34) break;
      if (code === 92) this.#token(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y, path);
      else if (code >= 32) this.#at++;
      else this.#fail(path);
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #members(path: string, depth: number): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail(path);
      const key = this.#string(path);
      this.#space();
      this.#token(/:/y, path);
      this.#value(/^[A-Za-z_][\w-]*$/.test(key) ? `${path && `${path}.`}${key}` : `${path || '$'}[${JSON.stringify(key)}]`, depth + 1);
      this.#space();
      if (this.#token(/[,}]/y, path) === '}') return;
    }
  }

  #items(path: string, depth: number): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (let index = 0; ; index++) {
      this.#value(`${path || '$'}.${index}`, depth + 1);
      this.#space();
      if (this.#token(/[,\]]/y, path) === ']') return;
    }
  }
}
