import type { DecodeChain } from '../../core/resolved.ts';
import { isJsonType, mediaType } from '../../http/decode.ts';

const JSON_LINES: DecodeChain = [{ type: 'jsonl' }];
const CSV: DecodeChain = [{ type: 'csv' }];
const TABS: DecodeChain = [{ type: 'csv', delimiter: 'tab' }];
const XML: DecodeChain = [{ type: 'xml' }];
const JSON_TEXT: DecodeChain = [{ type: 'json' }];
const GZIP: DecodeChain = [{ type: 'gzip' }];
const ZIP: DecodeChain = [{ type: 'zip' }];

const BY_TYPE: Readonly<Record<string, DecodeChain>> = {
  'application/x-ndjson': JSON_LINES,
  'application/ndjson': JSON_LINES,
  'application/jsonl': JSON_LINES,
  'application/x-jsonlines': JSON_LINES,
  'application/json-lines': JSON_LINES,
  'text/csv': CSV,
  'application/csv': CSV,
  'text/tab-separated-values': TABS,
  'application/xml': XML,
  'text/xml': XML,
  'application/gzip': GZIP,
  'application/x-gzip': GZIP,
  'application/zip': ZIP,
  'application/x-zip-compressed': ZIP,
};

/** How an answer of this content type is read; undefined where the type does not say. */
export function chainOfType(contentType: string | undefined): DecodeChain | undefined {
  const type = mediaType(contentType);
  if (Object.hasOwn(BY_TYPE, type)) return BY_TYPE[type];
  if (isJsonType(type)) return JSON_TEXT;
  return /^(application|text|image)\/.+\+xml$/.test(type) ? XML : undefined;
}

const BY_ENDING: Readonly<Record<string, DecodeChain>> = {
  csv: CSV,
  tsv: TABS,
  tab: TABS,
  json: JSON_TEXT,
  jsonl: JSON_LINES,
  ndjson: JSON_LINES,
  xml: XML,
  txt: [{ type: 'text' }],
  zip: ZIP,
};

/** How a file of this name is read; undefined where its ending does not say. `orders.csv.gz` → gzip, csv. */
export function chainOfName(name: string): DecodeChain | undefined {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  if (ending === 'gz') return [...GZIP, ...(chainOfName(name.slice(0, -3)) ?? [])];
  return Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending] : undefined;
}

export const isGzip = (head: Uint8Array | undefined): boolean => head?.[0] === 0x1f && head[1] === 0x8b && head[2] === 8;

/** What the first bytes say; text that is neither JSON nor XML says nothing. */
export function chainOfBytes(head: Buffer): DecodeChain | undefined {
  if (isGzip(head)) return GZIP;
  if (head.length >= 4 && head.readUInt32LE(0) === 0x04034b50) return ZIP;
  if (head.length >= 4 && head.readUInt32LE(0) === 0x06054b50) return ZIP; // an archive of no files
  // Byte order marks and the zeros of UTF-16 tell nothing of what it is.
  const first = /[^\s\0\u00bb\u00bf\u00ef\u00fe\u00ff]/.exec(head.toString('latin1'))?.[0];
  if (first === '{' || first === '[') return JSON_TEXT;
  return first === '<' ? XML : undefined;
}
