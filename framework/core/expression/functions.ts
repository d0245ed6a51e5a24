import { createHash, createHmac, createPublicKey } from 'node:crypto';
import type { Environment } from '@marcbachmann/cel-js';
import { parseDuration } from '../duration.ts';
import { encodeQuery, percent } from '../encode.ts';
import { parseJson, plainNumber, stringifyJson } from '../json.ts';
import { formatTime, parseTime, timeFormatProblem, timeText } from '../time.ts';
import type { Json } from '../value.ts';
import { hostLabel } from './host.ts';
import { MATCH_LIMIT, matches, patternProblem, tooMuch } from './match.ts';

/** A function met a value that it has no answer for. The message holds no value. */
export class FunctionFailure extends Error {}

export const HASHES = ['sha256', 'sha1', 'sha512', 'sha384', 'md5'];
type Bytes = string | Uint8Array;
const TIME = 'google.protobuf.Timestamp';

export interface FunctionDoc {
  name: string;
  signature: string;
  summary: string;
  /** Written behind its first argument: x.split(","). */
  method?: boolean;
  /** Iterates over a list or map. */
  macro?: boolean;
}

const doc = (signature: string, summary: string, more: { method?: boolean; macro?: boolean } = {}): FunctionDoc => ({
  name: /(?:^|\.)(\w+)\(/.exec(signature)![1]!,
  signature,
  summary,
  ...more,
});
const method = { method: true };
const macro = { method: true, macro: true };

/** Every function of the language. Any other name is a problem with a suggestion. */
export const FUNCTIONS: readonly FunctionDoc[] = [
  doc('default(x, y)', 'x unless it is missing or null, else y; x is a plain look-up.'),
  doc('given(condition, x)', 'x when the condition holds, else absent.'),
  doc('has(x.y)', 'Is there a y in x?'),
  doc('size(x)', 'Length of a text, bytes, list or map.'),
  doc('x.size()', 'Length of a text, bytes, list or map.', method),
  doc('string(x)', 'Text of a text, number, true/false or timestamp, or of UTF-8 bytes.'),
  doc('double(x)', 'Number of a number or text.'),
  doc('int(x)', 'Whole number of a number or text; a fraction is cut.'),
  doc('bool(x)', 'true or false of a text.'),
  doc('bytes(text)', 'UTF-8 bytes.'),
  doc('dyn(x)', 'x without a known type.'),
  doc('timestamp(text)', 'Time of an RFC 3339 text.'),
  doc('duration(text)', 'Length of time: 1h30m, 15s.'),
  doc('base64(x)', 'Base64 of bytes or UTF-8 text.'),
  doc('base64url(x)', 'Base64 with the URL alphabet, without padding.'),
  doc('unbase64(text)', 'Bytes of base64 text in either alphabet.'),
  doc('hex(x)', 'Lower-case hex of bytes or UTF-8 text.'),
  doc('unhex(text)', 'Bytes of hex text.'),
  doc('hash(algorithm, x)', `Bytes of a digest; ${HASHES.join(', ')}.`),
  doc('hmac(algorithm, key, x)', 'Bytes of a keyed digest.'),
  doc('public_key(pem)', 'Public key of a private or public key, DER (SubjectPublicKeyInfo).'),
  doc('url_encode(text)', 'Percent-encoded, all but unreserved characters.'),
  doc('query(map)', 'a=1&b=x%20y of a map.'),
  doc('json(x)', 'JSON text.'),
  doc('parse_json(text)', 'Value of a JSON text; large whole numbers stay text.'),
  doc('format(time, format)', 'Text of a time: iso, iso_ms, date, epoch, epoch_ms, http_date or a strftime pattern; UTC.'),
  doc('parse_time(text, format)', 'Time of a text.'),
  doc('ago(duration)', 'The time that long before now.'),
  doc('epoch(time)', 'Whole seconds since 1970.'),
  doc('epoch_ms(time)', 'Milliseconds since 1970.'),
  doc('http_date(time)', 'Sun, 06 Nov 1994 08:49:37 GMT.'),
  doc('match(text, pattern)', 'Does the pattern match somewhere? RE2 syntax, linear time, at most 64 KiB of text.'),
  doc('host_label(text)', 'The text, if it is one DNS label; it may stand in a host.'),
  doc('text.replace(a, b)', 'Every a becomes b.', method),
  doc('text.split(separator)', 'List of texts.', method),
  doc('list.join(separator)', 'One text of a list of texts.', method),
  doc('text.lowerAscii()', 'Lower case.', method),
  doc('text.upperAscii()', 'Upper case.', method),
  doc('text.trim()', 'Without white space around it.', method),
  doc('text.contains(part)', 'Does it hold the part?', method),
  doc('text.startsWith(part)', 'Does it start so?', method),
  doc('text.endsWith(part)', 'Does it end so?', method),
  doc('text.indexOf(part)', 'Where the part begins, or -1.', method),
  doc('text.lastIndexOf(part)', 'Where the part begins last, or -1.', method),
  doc('text.substring(from, to)', 'Characters from one index up to before another.', method),
  doc('list.map(x, y)', 'y for every x.', macro),
  doc('list.filter(x, condition)', 'Those x for which it holds.', macro),
  doc('list.all(x, condition)', 'Does it hold for every x?', macro),
  doc('list.exists(x, condition)', 'Does it hold for one x at least?', macro),
  doc('list.exists_one(x, condition)', 'Does it hold for exactly one x?', macro),
];

type Handler = (...args: never[]) => unknown;
/** As the library calls it: it has checked the types by then. */
type Loose = (...args: unknown[]) => unknown;
/** Says that a function gives no promise, which saves the library a look at each result. */
const SYNC: object = { async: false };

/** Registers our functions, and the operators that let whole and other numbers meet. */
export function registerFunctions(env: Environment): void {
  const on: On = (signature, handler) => env.registerFunction(signature, handler as Loose, SYNC);
  for (const type of ['string', 'bytes']) {
    on(`base64(${type}): string`, (x: Bytes) => buffer(x).toString('base64'));
    on(`base64url(${type}): string`, (x: Bytes) => buffer(x).toString('base64url'));
    on(`hex(${type}): string`, (x: Bytes) => buffer(x).toString('hex'));
    on(`hash(string, ${type}): bytes`, (algorithm: string, x: Bytes) => createHash(checkedHash(algorithm)).update(x).digest());
    for (const key of ['string', 'bytes']) {
      on(`hmac(string, ${key}, ${type}): bytes`, (algorithm: string, k: Bytes, x: Bytes) =>
        createHmac(checkedHash(algorithm), k).update(x).digest(),
      );
    }
  }
  on('unbase64(string): bytes', unbase64);
  on('unhex(string): bytes', unhex);
  on('public_key(string): bytes', publicKey);
  on('url_encode(string): string', percent);
  on('query(map): string', (map: Record<string, never>) => encodeQuery(scalars(map)));
  on('json(dyn): string', (x: unknown) => stringifyJson(plain(x) as Json));
  on('parse_json(string): dyn', (text: string) => parseJson(text, 'text'));
  on('match(string, string): bool', limitedMatch);
  on('host_label(string): string', hostLabel);
  on('string.replace(string, string): string', replaced);
  registerTimes(on);
  registerNumbers(env, on);
}

type On = (signature: string, handler: Handler) => unknown;

function registerTimes(on: On): void {
  on(`format(${TIME}, string): string`, (time: Date, format: string) => formatTime(time.getTime(), checkedFormat(format)));
  for (const type of ['string', 'double']) on(`parse_time(${type}, string): ${TIME}`, timeOf);
  // `ago(x)` is rewritten to this, with the attempt's own now.
  on(`ago_from(${TIME}, string): ${TIME}`, (now: Date, text: string) => {
    const length = parseDuration(text);
    if (length === undefined) throw new FunctionFailure('ago() takes a duration such as 7d');
    return new Date(now.getTime() - length);
  });
  on(`epoch(${TIME}): double`, (time: Date) => Math.floor(time.getTime() / 1000));
  on(`epoch_ms(${TIME}): double`, (time: Date) => time.getTime());
  on(`http_date(${TIME}): string`, (time: Date) => time.toUTCString());
}

function registerNumbers(env: Environment, on: On): void {
  // `string(x)` is rewritten to this: the library's own gives 1e+21, and refuses a time.
  on('text_of(string): string', (x: string) => x);
  on('text_of(double): string', plainNumber);
  for (const type of ['int', 'bool']) on(`text_of(${type}): string`, String);
  on('text_of(bytes): string', (x: Uint8Array) => Buffer.from(x).toString('utf8'));
  on(`text_of(${TIME}): string`, timeText);
  // All number literals are doubles; these take them where the library wants whole numbers.
  on('string.substring(double): string', (text: string, from: number) => cut(text, from, text.length));
  on('string.substring(double, double): string', cut);
  on('index_of(int): int', (x: bigint) => x);
  on('index_of(double): int', (x: number) => {
    if (!Number.isInteger(x)) throw new FunctionFailure('an index must be a whole number');
    return BigInt(x);
  });
  on('index_of(string): string', (x: string) => x);
  on('iterated(list<T>): list<T>', limitedList);
  on('iterated(map<K, V>): map<K, V>', (map: Record<string, unknown>) => {
    if (Object.keys(map).length > ITERATION_LIMIT) throw new FunctionFailure(TOO_LONG);
    return map;
  });
  const arithmetic: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [operator, apply] of Object.entries(arithmetic)) {
    env.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) => apply(Number(a), b));
    env.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) => apply(a, Number(b)));
  }
  env.registerOperator('double % double: double', arithmetic['%']!);
  env.registerOperator('int == double: bool', (a: bigint, b: number) => Number(a) === b);
}

const ITERATION_LIMIT = 1000;
const TOO_LONG = `more than ${ITERATION_LIMIT} items are not iterated`;

function limitedList(list: unknown[]): unknown[] {
  if (list.length > ITERATION_LIMIT) throw new FunctionFailure(TOO_LONG);
  return list;
}

/** Of a text that an expression makes. Each step may double it, or more: ten of them make a thousand of one. */
export const LONGEST_TEXT: number = 16 * 1024 * 1024;
export const TOO_LARGE: string = `a text would have more than ${LONGEST_TEXT} characters`;

function replaced(text: string, a: string, b: string): string {
  const times = b.length <= a.length ? 0 : a === '' ? text.length + 1 : text.split(a).length - 1;
  if (text.length + times * (b.length - a.length) > LONGEST_TEXT) throw new FunctionFailure(TOO_LARGE);
  return text.replaceAll(a, () => b);
}

const buffer = (x: Bytes): Buffer => (typeof x === 'string' ? Buffer.from(x, 'utf8') : Buffer.from(x));

function checkedHash(algorithm: string): string {
  if (!HASHES.includes(algorithm)) throw new FunctionFailure(`hash() and hmac() know ${HASHES.join(', ')}`);
  return algorithm;
}

function unbase64(text: string): Uint8Array {
  if (!/^[\w+/-]*={0,2}$/.test(text)) throw new FunctionFailure('unbase64() got a text that is not base64');
  return Buffer.from(text, 'base64');
}

function unhex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new FunctionFailure('unhex() got a text that is not hex');
  return Buffer.from(text, 'hex');
}

function publicKey(pem: string): Uint8Array {
  try {
    return createPublicKey(pem).export({ type: 'spki', format: 'der' });
  } catch {
    // The library's message may quote the key.
    throw new FunctionFailure('public_key() got a text that is no key in PEM form');
  }
}

function scalars(map: Record<string, unknown>): Record<string, string | string[]> {
  const text = (value: unknown): string => {
    const result = plain(value);
    if (typeof result === 'string') return result;
    if (typeof result === 'number') return plainNumber(result);
    if (typeof result === 'boolean') return String(result);
    throw new FunctionFailure('query() takes texts, numbers and true/false, or lists of them');
  };
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, Array.isArray(value) ? value.map(text) : text(value)]));
}

function limitedMatch(text: string, pattern: string): boolean {
  if (Buffer.byteLength(text) > MATCH_LIMIT) throw new FunctionFailure('match() takes at most 64 KiB of text');
  // The pattern may be made when it runs.
  if (patternProblem(pattern) !== undefined) throw new FunctionFailure('match() got a text that is no pattern of RE2');
  if (tooMuch(text, pattern)) throw new FunctionFailure('match() got a text too long for a pattern of that many parts');
  return matches(text, pattern);
}

function checkedFormat(format: string): string {
  const problem = timeFormatProblem(format);
  if (problem) throw new FunctionFailure('the time format is not known');
  return format;
}

function timeOf(text: string | number, format: string): Date {
  const time = parseTime(text, checkedFormat(format));
  if (time === undefined) throw new FunctionFailure('parse_time() got a text that does not fit its format');
  return new Date(time);
}

function cut(text: string, from: number, to: number): string {
  if (!(from >= 0 && from <= to && to <= text.length)) throw new FunctionFailure('substring() got an index outside the text');
  return text.slice(from, to);
}

/**
 * A result as plain data: whole numbers that the library keeps as BigInt become numbers, times become RFC 3339 text.
 * @throws FunctionFailure for bytes, durations and types, which no text or JSON can hold
 */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return timeText(value);
  if (Array.isArray(value)) return value.map(plain);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      // An own __proto__ from JSON must stay a key, not become the prototype.
      Object.defineProperty(result, key, {
        value: plain((value as Record<string, unknown>)[key]),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return result;
  }
  throw new FunctionFailure(
    value instanceof Uint8Array ? 'bytes are no text; use base64() or hex()' : 'the result is no text, number, list or map',
  );
}
