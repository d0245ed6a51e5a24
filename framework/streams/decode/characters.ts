import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { FerruleError } from '../../core/errors.ts';
import { charsetOf } from '../../http/decode.ts';
import { type Bytes, peek, takeExactly } from './bytes.ts';
import type { DecodeContext } from './types.ts';

/**
 * The bytes as text, piece by piece: by the byte order mark (which is left out), else by the content type's charset, else by `encoding`.
 * @throws FerruleError response_malformed where the bytes are not what that says: a letter that was replaced would be lost data
 */
export async function* characters(bytes: Bytes, context: DecodeContext, encoding: string): AsyncGenerator<string> {
  const charset = charsetOf(await peek(bytes, 3), context.contentType, encoding.toLowerCase());
  if (isUtf8Name(charset)) {
    for await (const piece of utf8Pieces(bytes, context)) yield piece.toString('utf8');
    return;
  }
  const decoder = decoderOf(charset, context);
  for (let piece = await bytes.next(); piece; piece = await bytes.next()) {
    const text = decoded(() => decoder.decode(piece, { stream: true }), charset, context);
    if (text !== '') yield text;
  }
  const last = decoded(() => decoder.decode(), charset, context);
  if (last !== '') yield last;
}

/** The same as bytes of UTF-8, without a byte order mark; not checked where they came as such. */
export async function* utf8(bytes: Bytes, context: DecodeContext): AsyncGenerator<Buffer> {
  const charset = charsetOf(await peek(bytes, 3), context.contentType);
  if (!isUtf8Name(charset)) {
    for await (const text of characters(bytes, context, charset)) yield Buffer.from(text);
    return;
  }
  await dropMark(bytes);
  for (let piece = await bytes.next(); piece; piece = await bytes.next()) yield piece;
}

/** @throws FerruleError response_malformed */
export function utf8Text(bytes: Buffer, offset: number, context: DecodeContext): string {
  if (!isUtf8(bytes)) throw unreadable('utf-8', context, ` (after byte ${offset})`);
  return bytes.toString('utf8');
}

const isUtf8Name = (charset: string): boolean => charset === 'utf-8' || charset === 'utf8';

async function dropMark(bytes: Bytes): Promise<void> {
  const head = await peek(bytes, 3);
  if (head[0] !== 0xef || head[1] !== 0xbb || head[2] !== 0xbf) return;
  await takeExactly(bytes, 3);
}

/** Pieces that end with a whole character, checked. Node's own streaming decoder is several times slower. */
async function* utf8Pieces(bytes: Bytes, context: DecodeContext): AsyncGenerator<Buffer> {
  await dropMark(bytes);
  let carried: Buffer | undefined;
  let offset = 0;
  for (let piece = await bytes.next(); piece; piece = await bytes.next()) {
    const joined: Buffer = carried ? Buffer.concat([carried, piece]) : piece;
    const end = joined.length - openAtEnd(joined);
    carried = end < joined.length ? joined.subarray(end) : undefined;
    const whole = joined.subarray(0, end);
    if (!isUtf8(whole)) throw unreadable('utf-8', context, ` (after byte ${offset})`);
    offset += end;
    if (end > 0) yield whole;
  }
  if (carried) throw unreadable('utf-8', context, ' (it ends within a character)');
}

/** How many bytes at the end begin a character that is not whole: 0 to 3. */
function openAtEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function decoderOf(charset: string, context: DecodeContext): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    throw new FerruleError('response_malformed', `The answer cannot be read: its charset ${charset.slice(0, 30)} is not known.`, {
      where: context.where(),
      next: 'Write encoding under decode in the spec; names are those of the WHATWG Encoding Standard.',
    });
  }
}

function decoded(run: () => string, charset: string, context: DecodeContext): string {
  try {
    return run();
  } catch {
    throw unreadable(charset, context, '');
  }
}

const unreadable = (charset: string, context: DecodeContext, place: string): FerruleError =>
  new FerruleError('response_malformed', `The answer cannot be read: it is not ${charset}${place}.`, {
    where: context.where(),
    next: 'Write encoding under decode in the spec: windows-1252, for example.',
  });
