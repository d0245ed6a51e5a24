import { crc32, deflateRawSync } from 'node:zlib';

export interface File {
  name: string;
  bytes: Buffer;
}

/** Names are UTF-8 (APPNOTE 4.4.4, bit 11). */
const FLAGS = 0x0800;
const DEFLATED = 8;
/** 1 January 2026, midnight, as MS-DOS writes it: (year - 1980) << 9 | month << 5 | day. */
const DATE = ((2026 - 1980) << 9) | (1 << 5) | 1;

/** A ZIP archive (PKWARE's APPNOTE 6.3.10): each file with its local header, then the central directory and its end. */
export function zip(files: readonly File[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const path = Buffer.from(name, 'utf8');
    const packed = deflateRawSync(bytes);
    const shared = sharedFields(bytes, packed.length, path.length);
    const local = Buffer.concat([numbers([0x04034b50, 4]), shared, path]);
    const pointer = numbers([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]);
    directory.push(Buffer.concat([numbers([0x02014b50, 4], [20, 2]), shared, pointer, path]));
    parts.push(local, packed);
    offset += local.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = numbers([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [list.length, 4], [offset, 4], [0, 2]);
  return Buffer.concat([...parts, list, end]);
}

/** What the local header and the directory have alike: version needed to the length of the extra field. */
const sharedFields = (bytes: Buffer, packed: number, name: number): Buffer =>
  numbers([20, 2], [FLAGS, 2], [DEFLATED, 2], [0, 2], [DATE, 2], [crc32(bytes), 4], [packed, 4], [bytes.length, 4], [name, 2], [0, 2]);

/** Little-endian numbers of two or four bytes. */
function numbers(...fields: [value: number, size: number][]): Buffer {
  return Buffer.concat(
    fields.map(([value, size]) => {
      const bytes = Buffer.alloc(size);
      bytes.writeUIntLE(value, 0, size);
      return bytes;
    }),
  );
}
