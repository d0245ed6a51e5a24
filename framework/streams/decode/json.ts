import { MAX_DEPTH } from '../../core/json.ts';
import { EACH, type Path } from '../../core/path.ts';
import type { DecodeJson } from '../../core/spec-types.gen.ts';
import type { Json, JsonObject } from '../../core/value.ts';
import { recordsAt } from '../records.ts';
import { LONGEST_PIECE } from './bytes.ts';
import { utf8 } from './characters.ts';
import { type ListScan, scanList, startList } from './json-list.ts';
import { keep, notJson, parseAt, parseRest, type Rest } from './json-rest.ts';
import { type Skeleton, startSkeleton, walkSkeleton } from './json-skeleton.ts';
import { MAX_RECORD, tooLong } from './lines.ts';
import type { DecodeContext, Decoder } from './types.ts';

/** With the next piece the text stays short (see LONGEST_PIECE). */
const PARSED_AT = LONGEST_PIECE / 2;

/** Lists under one key of one object: all but one are somebody's mistake, or meant to cost memory. */
const MOST_LISTS = 1000;

/** The list of records while it comes. */
interface List {
  scan: ListScan;
  /** Whole elements and what has come of the next one, not parsed yet; they begin at byte `start` of the document. */
  pieces: Buffer[];
  size: number;
  start: number;
  /** Something among them that only the careful parser reads right. */
  odd: boolean;
  /** What has been parsed. */
  seen: { elements: number; records: number };
  /** Records of the batch that is being gathered, and the bytes that they were. */
  ready: JsonObject[];
  readyBytes: number;
  /** A batch has been given out. */
  given: boolean;
  /** Brackets around an element, the list's own included. */
  level: number;
}

/** One document while it is read. */
interface Document {
  context: DecodeContext;
  /** What follows in each element of the list: nothing, or `*` and more. */
  inList: Path;
  skeleton: Skeleton;
  rest: Rest;
  list: List | undefined;
  /** Bytes before the piece that is being read. */
  offset: number;
}

/**
 * JSON as it comes. Where `records` (its steps before the first `*`) leads to a list, whole elements are cut out of it and parsed many at a
 * time; everything else of the document is kept, parsed at its end, and looked at by the same code as any answer: an object there is one
 * record, nothing there an error. The last batch is held back until the document has ended, since a key that comes twice replaces it.
 */
export const json: Decoder<DecodeJson> = {
  type: 'json',
  unpacks: false,
  async *read(bytes, _part, context) {
    const document = startDocument(context);
    for await (const piece of utf8(bytes, context)) {
      if (document.offset === 0 && /^\s*</.test(piece.toString('latin1', 0, 256)))
        throw notJson('it begins with <, as HTML and XML do', 'at byte 0', context);
      for (let at = 0; at < piece.length; ) {
        if (document.list === undefined || document.list.scan.closed) {
          at = readSkeleton(document, piece, at);
        } else {
          const from = at;
          at = scanList(document.list.scan, piece, from, MAX_DEPTH - document.list.level);
          const records = takeElements(document, document.list, piece, from, at);
          if (records && records.length > 0) yield records;
        }
      }
      document.offset += piece.length;
    }
    const end = finish(document);
    if (end.records.length > 0) yield end.records;
    return end.rest;
  },
};

function startDocument(context: DecodeContext): Document {
  const { text, steps, optional } = context.records;
  const each = steps.indexOf(EACH);
  const before = each === -1 ? steps.length : each;
  return {
    context,
    inList: { text, steps: steps.slice(before), optional },
    skeleton: startSkeleton(steps.slice(0, before) as string[]),
    rest: { pieces: [], size: 0, gaps: [] },
    list: undefined,
    offset: 0,
  };
}

/** Walks what is not the list. Gives the index behind what it has read. */
function readSkeleton(document: Document, piece: Buffer, at: number): number {
  const { skeleton, rest, context, offset } = document;
  const end = walkSkeleton(skeleton, piece, at);
  keep(rest, piece.subarray(at, end), context);
  if (skeleton.replaced) dropList(document, offset + end);
  if (!skeleton.found) return end;
  skeleton.found = false;
  // Nothing is given out of a document whose beginning is broken. Once: a document of nothing but such lists would take for ever.
  if (rest.gaps.length === 0) parseRest(rest, `]${closers(skeleton)}`, context);
  const level = skeleton.depth + 1;
  document.list = {
    scan: startList(),
    pieces: [],
    size: 0,
    start: offset + end,
    odd: false,
    seen: { elements: 0, records: 0 },
    ready: [],
    readyBytes: 0,
    given: false,
    level,
  };
  return end;
}

/** The key of the list came once more, or one above it. */
function dropList(document: Document, offset: number): void {
  const { list, skeleton, rest, context } = document;
  if (list?.given) throw notJson('the key of the list of records comes twice', `before byte ${offset}`, context);
  if (rest.gaps.length > MOST_LISTS)
    throw notJson('the key of the list of records comes again and again', `before byte ${offset}`, context);
  if (list) elementsOf(document, list, true); // what does not count must be JSON all the same
  document.list = undefined;
  skeleton.replaced = false;
}

const closers = (skeleton: Skeleton): string =>
  skeleton.open
    .map(({ list }) => (list ? ']' : '}'))
    .reverse()
    .join('');

/** Keeps what a scan went over; gives records when there are enough of them. */
function takeElements(document: Document, list: List, piece: Buffer, from: number, to: number): JsonObject[] | undefined {
  const { context, rest, offset } = document;
  const { scan } = list;
  const end = scan.closed ? to - 1 : to;
  list.odd ||= scan.odd >= 0;
  if (scan.closed) {
    add(list, piece.subarray(from, end));
    if (piece[end] !== 93) throw notJson('a character may not stand there', `at byte ${offset + end}`, context);
    rest.gaps.push({ at: rest.size, length: offset + end - list.start });
    keep(rest, piece.subarray(end, to), context);
    return undefined;
  }
  if (scan.comma === -1 || list.size + (scan.comma - from) < Math.min(PARSED_AT, context.batchBytes)) {
    add(list, piece.subarray(from, end));
    if (list.size > MAX_RECORD) throw tooLong('A record', context);
    return undefined;
  }
  add(list, piece.subarray(from, scan.comma));
  parseElements(document, list, false);
  list.odd = scan.odd > scan.comma;
  list.start = offset + scan.comma + 1;
  add(list, piece.subarray(scan.comma + 1, end));
  if (list.readyBytes < context.batchBytes) return undefined;
  const records = list.ready;
  list.ready = [];
  list.readyBytes = 0;
  list.given = true;
  return records;
}

function add(list: List, piece: Buffer): void {
  list.pieces.push(piece);
  list.size += piece.length;
}

/** Makes records of the elements that are there, which are whole. */
function parseElements(document: Document, list: List, last: boolean): void {
  const elements = elementsOf(document, list, last);
  const records = recordsAt(document.inList, elements, document.context.place, list.seen);
  if (list.ready.length === 0) list.ready = records;
  else for (const record of records) list.ready.push(record);
  list.seen.elements += elements.length;
  list.seen.records += records.length;
}

function elementsOf({ context }: Document, list: List, last: boolean): Json[] {
  const { level, start, seen, pieces, odd } = list;
  // As deep as they stand in the document, so that the limit on depth is the document's.
  const text = Buffer.concat([Buffer.alloc(level, '['), ...pieces, Buffer.alloc(level, ']')]);
  list.readyBytes += list.size;
  list.pieces = [];
  list.size = 0;
  let elements = parseAt(text, !odd, (at) => start + at - level, context) as Json[];
  for (let i = 1; i < level; i++) elements = elements[0] as Json[];
  if (elements.length === 0 && !(last && seen.elements === 0)) throw notJson('a value is missing', `at byte ${start}`, context);
  return elements;
}

/** What is left when the body has ended. */
function finish(document: Document): { records: JsonObject[]; rest: Json } {
  const { context, rest, list, offset } = document;
  if (list && !list.scan.closed) throw notJson('it ends too early', `at byte ${offset}`, context);
  // An empty body is no value, as in any answer.
  const value = rest.pieces.some((piece) => /\S/.test(piece.toString('latin1'))) ? parseRest(rest, '', context) : null;
  if (list) parseElements(document, list, true);
  return { records: list ? list.ready : recordsAt(context.records, value, context.place), rest: value };
}
