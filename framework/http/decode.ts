import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { type BigIntegers, parseJson } from '../core/json.ts';
import type { Json } from '../core/value.ts';
import { codeOf, tooLarge } from './failure.ts';
import type { Decode } from './types.ts';

/** What Accept-Encoding offers: all that Node 20 can undo. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate);
const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);

/** Undoes Content-Encoding, the last one named first, into at most `maxBytes`. */
export async function uncompress(bytes: Buffer, encoding: string | undefined, maxBytes: number, where: () => string): Promise<Buffer> {
  let result = bytes;
  for (const name of encodings(encoding, where)) {
    if (result.length === 0) return result; // a HEAD, 204 or 304 names an encoding and has no body
    try {
      const options = { maxOutputLength: maxBytes };
      if (name === 'gzip') result = await gunzip(result, options);
      else if (name === 'br') result = await brotli(result, options);
      else result = await (isZlib(result) ? inflate : inflateRaw)(result, options);
    } catch (error) {
      if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, where());
      throw garbled(name, where);
    }
  }
  return result;
}

/** The same for a stream. Errors of the result are FerruleErrors. */
export function uncompressStream(body: Readable, encoding: string | undefined, where: () => string): Readable {
  const names = encodings(encoding, where);
  if (names.length === 0) return body;
  let result = body;
  let first: { bytesWritten: number } | undefined;
  for (const name of names) {
    const stage = name === 'gzip' ? zlib.createGunzip() : name === 'br' ? zlib.createBrotliDecompress() : zlib.createInflate();
    first ??= stage;
    const source = result;
    source.once('error', (error) => stage.destroy(error));
    stage.once('close', () => source.destroy());
    result = source.pipe(stage);
  }
  const last = result;
  const shown = Readable.from(
    renamed(last, () => first?.bytesWritten ?? 0, names.toReversed().join(', '), where),
    { objectMode: false },
  );
  // A generator that nobody began to read does not end what it reads.
  return shown.once('close', () => last.destroy());
}

/**
 * Deflate makes 1032 bytes of one at the most. What grows more is brotli of nothing, or one encoding over another: a few kilobytes that
 * would fill the reader's disk. Small answers may: a page of blanks.
 */
const MOST_GROWTH = 1100;
const MAY_GROW = 16 * 1024 * 1024;

/** @param size bytes so far, made of `sent` bytes that came over the wire */
export function refuseGrowth(size: number, sent: number, name: string, where: () => string): void {
  if (size <= MAY_GROW || size <= sent * MOST_GROWTH) return;
  throw new FerruleError('response_malformed', `The answer grows to more than ${MOST_GROWTH} times its size (${name}).`, {
    where: where(),
    next: 'No real data does. Tell the provider, or leave it out.',
  });
}

/** zlib's own errors become ours; what the connection failed with is ours already. `sent`: bytes that came over the wire. */
async function* renamed(stage: Readable, sent: () => number, name: string, where: () => string): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    for await (const chunk of stage) {
      size += (chunk as Buffer).length;
      refuseGrowth(size, sent(), name, where);
      yield chunk as Buffer;
    }
  } catch (error) {
    throw isFerruleError(error) ? error : garbled(name, where);
  }
}

const garbled = (name: string, where: () => string) =>
  new FerruleError('response_malformed', `The answer says it is ${name}, but it does not decompress.`, { where: where() });

/** Nobody needs more of them; each costs memory before the first byte is read. */
const MOST_ENCODINGS = 4;

function encodings(encoding: string | undefined, where: () => string): ('gzip' | 'deflate' | 'br')[] {
  const names = (encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim().replace(/^x-/, ''))
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > MOST_ENCODINGS) {
    throw new FerruleError('response_malformed', `The answer names ${names.length} content encodings, one over another.`, {
      where: where(),
    });
  }
  return names.reverse().map((name) => {
    if (name === 'gzip' || name === 'deflate' || name === 'br') return name;
    throw new FerruleError('response_malformed', `The answer's content encoding ${name.slice(0, 30)} is not known.`, { where: where() });
  });
}

/** Some servers send deflate without its two-byte zlib header (RFC 9110 section 8.4.1.2 asks for it). */
const isZlib = (bytes: Buffer) => ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0;

export interface DecodeContext {
  decode: Decode;
  bigIntegers: BigIntegers;
  contentType: string | undefined;
  status: number;
  where: () => string;
  /** A redacted piece of a text, for messages. */
  excerpt: (text: string) => string;
}

/** The body as JSON or text; null when it is empty. Throws response_malformed or number_too_large. */
export function decodeBody(bytes: Buffer, context: DecodeContext): Json {
  const { decode, contentType } = context;
  if (bytes.length === 0 || decode === 'bytes') return null;
  const type = mediaType(contentType);
  const json = decode === 'json' || (decode === 'auto' && isJsonType(type));
  const text = decodeText(bytes, charsetOf(bytes, contentType), json, context.where);
  if (json) return decodeJson(text, type, context);
  return decode === 'auto' && type === '' && /^\s*[[{]/.test(text) ? jsonOrText(text) : text;
}

/** For judging an answer that went wrong: JSON when it is some, else text. Never throws. */
export function decodeLeniently(bytes: Buffer, contentType: string | undefined): Json {
  if (bytes.length === 0) return null;
  let text: string;
  try {
    text = decodeText(bytes, charsetOf(bytes, contentType), false, () => '');
  } catch {
    text = bytes.toString('latin1'); // an unknown charset: better odd letters than no message
  }
  return /^\s*[[{"]/.test(text) ? jsonOrText(text) : text;
}

function jsonOrText(text: string): Json {
  try {
    return parseJson(text, 'text');
  } catch {
    return text; // it only looked like JSON
  }
}

function decodeJson(text: string, type: string, context: DecodeContext): Json {
  const { status, where, excerpt, bigIntegers } = context;
  if (text.trim() === '') return null;
  if (type.includes('html') || /^\s*</.test(text)) {
    const got = type === '' ? 'no content type' : type;
    throw new FerruleError('response_malformed', `The answer (${status}, ${got}) is not JSON: ${excerpt(text)}`, {
      where: where(),
      status,
    });
  }
  try {
    return parseJson(text, bigIntegers);
  } catch (error) {
    if (!isFerruleError(error)) throw error;
    // It names a path, and keys are the provider's own text.
    if (error.code !== 'response_malformed')
      throw new FerruleError(error.code, error.message, { where: excerpt(error.where ?? ''), status });
    throw new FerruleError(
      'response_malformed',
      `The answer (${status}${type === '' ? '' : `, ${type}`}) is not JSON: ${error.message} It begins: ${excerpt(text)}`,
      {
        where: where(),
        status,
      },
    );
  }
}

export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export const isJsonType = (type: string) => /^(application|text)\/(.+[+.])?json$/.test(type);

/** By the byte order mark, else by the content type, else `otherwise`. */
export function charsetOf(bytes: Uint8Array, contentType: string | undefined, otherwise = 'utf-8'): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase() ?? otherwise;
}

// They drop a byte order mark.
const STRICT = new TextDecoder('utf-8', { fatal: true });
const LENIENT = new TextDecoder('utf-8');

function decodeText(bytes: Buffer, charset: string, fatal: boolean, where: () => string): string {
  try {
    if (charset === 'utf-8') return (fatal ? STRICT : LENIENT).decode(bytes);
    return new TextDecoder(charset, { fatal }).decode(bytes);
  } catch (error) {
    const why =
      codeOf(error) === 'ERR_ENCODING_NOT_SUPPORTED' ? `its charset ${charset.slice(0, 30)} is not known` : `it is not ${charset}`;
    throw new FerruleError('response_malformed', `The answer cannot be read: ${why}.`, { where: where() });
  }
}
