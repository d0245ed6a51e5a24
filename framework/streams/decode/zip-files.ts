import zlib from 'node:zlib';
import { FerruleError } from '../../core/errors.ts';
import { refuseGrowth } from '../../http/decode.ts';
import { type Bytes, firstOf, peek, takeExactly } from './bytes.ts';
import { garbled, INFLATE, inflated } from './inflate.ts';
import type { DecodeContext } from './types.ts';

/** What stands before a file (APPNOTE.TXT 4.3.7). */
interface LocalHeader {
  name: string;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
}

export interface ZipFile {
  name: string;
  /** Must be read to its end, or left wholly: then it is passed over. */
  contents: AsyncGenerator<Buffer>;
}

const LOCAL = 0x04034b50;
/** The table of contents, an archive's extra data, the two ends of the table: no file comes after them. */
const BEHIND_FILES: readonly number[] = [0x02014b50, 0x08064b50, 0x06054b50, 0x06064b50];
const END_OF_TABLE = Buffer.from([0x50, 0x4b, 5, 6]);
/** The end of the table and the longest comment behind it. */
const LONGEST_END = 22 + 65_535;

/**
 * The files of an archive as they come, one after the other; folders are left out. A reader that needs the table of contents at the
 * archive's end would have to keep the archive. Nothing is ever written under a name from the archive.
 * @throws FerruleError response_malformed for what is cut off, broken, encrypted or packed otherwise than by deflate
 */
export async function* zipFiles(bytes: Bytes, context: DecodeContext): AsyncGenerator<ZipFile> {
  let count = 0;
  const total = { size: 0 };
  for (;;) {
    const signature = await takeExactly(bytes, 4);
    if (signature.length < 4) throw cutOff(context);
    const number = signature.readUInt32LE(0);
    if (BEHIND_FILES.includes(number)) {
      await checkEnd(bytes, signature, count, context);
      return;
    }
    if (number !== LOCAL) throw malformed(count === 0 ? 'is not a ZIP archive' : `is broken behind its file number ${count}`, context);
    const header = await readHeader(bytes, context);
    count += 1;
    const contents = fileContents(bytes, header, count, total, context);
    try {
      if (!header.name.endsWith('/')) yield { name: header.name, contents };
      for await (const _ of contents); // what the reader left, or all of it
    } finally {
      await contents.return(undefined);
    }
  }
}

async function readHeader(bytes: Bytes, context: DecodeContext): Promise<LocalHeader> {
  const fixed = await exactly(bytes, 26, context);
  const flags = fixed.readUInt16LE(2);
  const name = (await exactly(bytes, fixed.readUInt16LE(22), context)).toString(flags & 0x800 ? 'utf8' : 'latin1');
  const extra = await exactly(bytes, fixed.readUInt16LE(24), context);
  const header = { name, flags, method: fixed.readUInt16LE(4), crc: fixed.readUInt32LE(10), packed: 0, size: 0 };
  header.packed = fixed.readUInt32LE(14);
  header.size = fixed.readUInt32LE(18);
  return header.packed === 0xffffffff || header.size === 0xffffffff ? withLongSizes(header, extra) : header;
}

/** Zip64 (4.5.3): size and packed size, eight bytes each, in the extra field 1. */
function withLongSizes(header: LocalHeader, extra: Buffer): LocalHeader {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1 || at + 20 > extra.length) continue;
    return { ...header, size: Number(extra.readBigUInt64LE(at + 4)), packed: Number(extra.readBigUInt64LE(at + 12)) };
  }
  return header;
}

async function* fileContents(bytes: Bytes, header: LocalHeader, index: number, total: { size: number }, context: DecodeContext) {
  const described = (header.flags & 8) !== 0;
  refuseUnreadable(header, described, index, context);
  const known = !described || header.packed > 0 || header.method === 0;
  const source = known ? firstOf(bytes, header.packed) : bytes;
  const before = bytesBetween(source);
  const pieces = header.method === 8 ? inflatedFile(before.bytes, context) : asItIs(before.bytes);
  let crc = 0;
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    total.size += piece.length;
    refuseGrowth(total.size, context.received(), 'zip', context.where);
    crc = zlib.crc32(piece, crc);
    yield piece;
  }
  const packed = before.read();
  if (known && packed < header.packed) throw (await peek(bytes, 1)).length === 0 ? cutOff(context) : wrongFile(index, context);
  if (described) await skipDescriptor(bytes, { crc, packed, size }, index, context);
  else if (crc !== header.crc || size !== header.size) throw wrongFile(index, context);
}

function refuseUnreadable(header: LocalHeader, described: boolean, index: number, context: DecodeContext): void {
  if ((header.flags & 0x2041) !== 0) throw malformed(`has an encrypted file (number ${index}), which is not read here`, context);
  if (header.method !== 0 && header.method !== 8)
    throw malformed(`has a file (number ${index}) packed by method ${header.method}; stored and deflate are read here`, context);
  if (header.method === 0 && described && header.packed === 0 && !header.name.endsWith('/'))
    throw malformed(`does not say how long its file number ${index} is, which is not compressed: it cannot be read as it comes`, context);
}

const inflatedFile = (bytes: Bytes, context: DecodeContext) =>
  inflated(bytes, zlib.createInflateRaw(INFLATE), (early) => garbled('The ZIP archive', early, context.where));

async function* asItIs(bytes: Bytes): AsyncGenerator<Buffer> {
  for (let piece = await bytes.next(); piece; piece = await bytes.next()) yield piece;
}

/** Counts what is read through it and not put back. */
function bytesBetween(source: Bytes): { bytes: Bytes; read: () => number } {
  let read = 0;
  const next = async () => {
    const piece = await source.next();
    read += piece?.length ?? 0;
    return piece;
  };
  const unread = (piece: Buffer) => {
    read -= piece.length;
    source.unread(piece);
  };
  return { bytes: { ...source, next, unread }, read: () => read };
}

/** With or without a signature, with sizes of four or eight bytes (4.3.9): archives differ, so that the values themselves decide. */
async function skipDescriptor(bytes: Bytes, is: { crc: number; packed: number; size: number }, index: number, context: DecodeContext) {
  const head = await takeExactly(bytes, 24);
  for (const long of [false, true]) {
    const values = Buffer.alloc(long ? 20 : 12);
    values.writeUInt32LE(is.crc, 0);
    if (long) {
      values.writeBigUInt64LE(BigInt(is.packed), 4);
      values.writeBigUInt64LE(BigInt(is.size), 12);
    } else {
      values.writeUInt32LE(is.packed % 2 ** 32, 4);
      values.writeUInt32LE(is.size % 2 ** 32, 8);
    }
    for (const start of [4, 0]) {
      if (!head.subarray(start, start + values.length).equals(values)) continue;
      if (start === 4 && head.readUInt32LE(0) !== 0x08074b50) continue;
      bytes.unread(head.subarray(start + values.length));
      return;
    }
  }
  throw head.length < 24 ? cutOff(context) : wrongFile(index, context);
}

/** The archive is whole when the end of its table comes, and the table lists as many files as came. */
async function checkEnd(bytes: Bytes, signature: Buffer, count: number, context: DecodeContext): Promise<void> {
  let tail = signature;
  for (let piece = await bytes.next(); piece; piece = await bytes.next()) {
    tail = Buffer.concat([tail, piece]);
    if (tail.length > 4 * LONGEST_END) tail = Buffer.from(tail.subarray(-LONGEST_END));
  }
  const at = tail.lastIndexOf(END_OF_TABLE);
  if (at < 0 || at + 22 > tail.length) throw cutOff(context);
  const listed = tail.readUInt16LE(at + 10);
  if (listed !== 0xffff && listed !== count % 65_536) throw malformed(`lists ${listed} files, and ${count} came`, context);
}

async function exactly(bytes: Bytes, size: number, context: DecodeContext): Promise<Buffer> {
  const piece = await takeExactly(bytes, size);
  if (piece.length < size) throw cutOff(context);
  return piece;
}

const malformed = (what: string, context: DecodeContext): FerruleError =>
  new FerruleError('response_malformed', `The answer ${what}.`, {
    where: context.where(),
    next: 'Correct decode in the spec, or ask the provider.',
  });

const cutOff = (context: DecodeContext): FerruleError => garbled('The ZIP archive', true, context.where);

const wrongFile = (index: number, context: DecodeContext): FerruleError =>
  malformed(`is a ZIP archive whose file number ${index} is broken: it is not what its checksum says`, context);
