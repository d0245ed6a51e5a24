import { FerruleError, isFerruleError } from '../../core/errors.ts';
import { EACH, type Path } from '../../core/path.ts';
import type { DecodeXml } from '../../core/spec-types.gen.ts';
import type { Json, JsonObject } from '../../core/value.ts';
import { openXml, type XmlWatch } from '../../core/xml.ts';
import { recordsAt } from '../records.ts';
import { type Bytes, peek } from './bytes.ts';
import { characters } from './characters.ts';
import type { DecodeContext, Decoder } from './types.ts';

/** The elements that are records while they come. */
interface Elements {
  /** Whole ones that are not given out yet, as JSON. */
  waiting: Json[];
  seen: { elements: number; records: number };
  /** An element on the way to them has come twice, so that it is a list, in which the path finds nothing. */
  split: boolean;
}

/**
 * XML as it comes, each element as `core/xml.ts` makes JSON of it. Where `records` names elements by name alone (its steps before the first
 * `*`), they are taken out of the document one by one; any other path is read from the whole document, which is then kept.
 */
export const xml: Decoder<DecodeXml> = {
  type: 'xml',
  unpacks: false,
  async *read(bytes, _part, context) {
    const { text, steps, optional } = context.records;
    const each = steps.indexOf(EACH);
    const names = steps.slice(0, each === -1 ? steps.length : each) as string[];
    const inElements: Path = { text, steps: steps.slice(names.length), optional };
    const elements: Elements = { waiting: [], seen: { elements: 0, records: 0 }, split: false };
    const reader = refusing(context, () => openXml(undefined, isNames(names) ? watch(names, elements) : undefined));
    let size = 0;
    for await (const piece of characters(bytes, context, await declaredEncoding(bytes))) {
      refusing(context, () => reader.write(piece));
      size += piece.length;
      if (elements.split && elements.seen.elements > 0) throw splitUp(context);
      // A single one is no list: what becomes of it depends on whether another one comes.
      if (size < context.batchBytes || elements.split || elements.waiting.length < (elements.seen.elements > 0 ? 1 : 2)) continue;
      size = 0;
      const records = take(inElements, elements, context);
      if (records.length > 0) yield records;
    }
    const rest = refusing(context, () => reader.end());
    if (elements.split && elements.seen.elements > 0) throw splitUp(context);
    const records = last(inElements, elements, rest, context);
    if (records.length > 0) yield records;
    return rest;
  },
};

/** Attributes, texts and indexes are no elements, and the root is one only with its name. */
const isNames = (names: readonly string[]): boolean => names.length > 0 && names.every((name) => !/^(@|#|\d+$)/.test(name));

function watch(names: readonly string[], elements: Elements): XmlWatch {
  /** How many of the elements that are open, from the root on, are on the way. */
  let matched = 0;
  /** Which steps of the way have been there already. */
  let reached = 0;
  return {
    opened(name, depth) {
      if (matched !== depth - 1 || depth > names.length || names[depth - 1] !== name) return;
      matched = depth;
      if (depth === names.length) return;
      if (depth <= reached) elements.split = true;
      reached = Math.max(reached, depth);
    },
    closed(_name, depth, value) {
      if (matched < depth) return false;
      matched = depth - 1;
      if (depth < names.length) return false;
      elements.waiting.push(value);
      return true;
    },
  };
}

function take(path: Path, elements: Elements, context: DecodeContext): JsonObject[] {
  const records = recordsAt(path, elements.waiting, context.place, elements.seen);
  elements.seen = { elements: elements.seen.elements + elements.waiting.length, records: elements.seen.records + records.length };
  elements.waiting = [];
  return records;
}

function last(path: Path, elements: Elements, rest: JsonObject, context: DecodeContext): JsonObject[] {
  const { waiting, seen, split } = elements;
  if (split || (waiting.length === 0 && seen.elements === 0)) return recordsAt(context.records, rest, context.place);
  if (waiting.length === 1 && seen.elements === 0) return recordsAt(path, waiting[0], context.place);
  return waiting.length === 0 ? [] : take(path, elements, context);
}

/** What the declaration says (XML 1.0, 4.3.3), for those without byte order mark or charset. */
async function declaredEncoding(bytes: Bytes): Promise<string> {
  const head = (await peek(bytes, 200)).toString('latin1', 0, 200);
  return /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/.exec(head)?.[1] ?? 'utf-8';
}

function refusing<T>(context: DecodeContext, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (isFerruleError(error)) throw new FerruleError(error.code, error.message, { where: context.where(), next: error.next });
    throw error;
  }
}

const splitUp = (context: DecodeContext): FerruleError =>
  new FerruleError('records_missing', `${context.place.label} leads through an element that comes more than once`, {
    where: context.place.where,
  });
