import { gzipSync } from 'node:zlib';
import type { DecodeChain } from '../core/resolved.ts';
import type { Decode } from '../core/spec-types.gen.ts';
import { csv } from './csv.ts';
import { type Data, type DataMap, write } from './data.ts';
import { xml } from './xml.ts';
import { type File, zip } from './zip.ts';

/** What an answer says, before it is written. */
export interface Content {
  /** The whole of it, for JSON and XML. */
  body: Data;
  /** Its records, for what is written row by row. */
  rows: readonly DataMap[];
  /** Their columns, also when there are no rows. */
  columns: readonly string[];
  /** For files in an archive. */
  name: string;
}

const TYPES: Record<Decode['type'], [media: string, extension: string]> = {
  json: ['application/json', 'json'],
  jsonl: ['application/x-ndjson', 'jsonl'],
  csv: ['text/csv', 'csv'],
  xml: ['application/xml', 'xml'],
  text: ['text/plain', 'txt'],
  gzip: ['application/gzip', 'gz'],
  zip: ['application/zip', 'zip'],
};

/** The bytes that a chain of `decode` reads as this content. */
export function encoded(chain: DecodeChain, content: Content): { bytes: Buffer; type: string } {
  const inner = chain.findLast(({ type }) => type !== 'gzip' && type !== 'zip') ?? { type: 'json' };
  const around = chain.filter(({ type }) => type === 'gzip' || type === 'zip');
  const archive = around.find((part) => part.type === 'zip');
  const several = archive !== undefined && archive.file?.includes('*') !== false && ['jsonl', 'csv', 'text'].includes(inner.type);
  let files = halves(content, several).map(
    (part, index): File => ({ name: `${content.name}-${index + 1}.${TYPES[inner.type][1]}`, bytes: asBytes(written(inner, part), inner) }),
  );
  for (const part of around.toReversed()) files = part.type === 'zip' ? [archived(files, part.file)] : files.map(zipped);
  const outer = chain[0] ?? inner;
  const [media] = TYPES[outer.type];
  // A spec names the encoding where the provider does not.
  const silent = outer.type === 'gzip' || outer.type === 'zip' || ('encoding' in outer && outer.encoding !== undefined);
  return { bytes: Buffer.concat(files.map(({ bytes }) => bytes)), type: silent ? media : `${media}; charset=utf-8` };
}

/** An archive has its rows in two files, as large exports do. */
function halves(content: Content, split: boolean): Content[] {
  const half = Math.ceil(content.rows.length / 2);
  if (!split || content.rows.length < 2) return [content];
  return [content.rows.slice(0, half), content.rows.slice(half)].map((rows) => ({ ...content, rows }));
}

function written(part: Decode, { body, rows, columns }: Content): string {
  switch (part.type) {
    case 'csv':
      return csv(rows, [...new Set([...columns, ...rows.flatMap((row) => Object.keys(row))])], part);
    case 'jsonl':
      return rows.map((row) => `${write(row)}\n`).join('');
    case 'text':
      return rows.map((row) => `${line(row)}\n`).join('');
    case 'xml':
      return xml(body);
    default:
      return write(body);
  }
}

const line = (row: DataMap): string => (typeof row.line === 'string' ? row.line.replace(/[\r\n]+/g, ' ') : write(row));

/** What a character set does not have becomes a question mark. */
function asBytes(text: string, part: Decode): Buffer {
  const encoding = ('encoding' in part ? part.encoding : undefined)?.toLowerCase() ?? 'utf-8';
  if (/^utf-?16(le)?$/.test(encoding)) return Buffer.from(`\uFEFF${text}`, 'utf16le');
  if (/^(iso-8859-1|latin1|windows-1252|us-ascii)$/.test(encoding)) return Buffer.from(text.replace(/[^\0-\u00ff]/gu, '?'), 'latin1');
  return Buffer.from(text, 'utf8');
}

/** In two members, as writers do that go on with a file (RFC 1952, 2.2). */
function zipped({ name, bytes }: File): File {
  const half = bytes.length >> 1;
  return { name: `${name}.gz`, bytes: Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))]) };
}

/** Where the spec reads only some of the files there is another one as well. */
function archived(files: readonly File[], pattern: string | undefined): File {
  if (pattern === undefined) return { name: 'result.zip', bytes: zip(files) };
  const named = files.map(({ name, bytes }) => ({ name: pattern.replaceAll('*', name.replace(/\.\w+$/, '')), bytes }));
  const other = { name: 'LICENCE.pdf', bytes: Buffer.from('%PDF-1.4\nNothing that is a record.\n') };
  return { name: 'result.zip', bytes: zip([other, ...named]) };
}
