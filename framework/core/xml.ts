import { createRequire } from 'node:module';
import { FerruleError } from './errors.ts';
import type { Json, JsonObject } from './value.ts';

/** Only a connection that gets XML loads it. */
let library: typeof import('saxes') | undefined;

/** Deeper data is hostile or broken, and would overflow every walk that comes after. */
const MAX_DEPTH = 100;
/** Elements and attributes: some 100 bytes of memory each. */
const MAX_NODES = 1_000_000;

/** Of what a document keeps: elements and attributes, and the length of all texts. */
export interface XmlLimits {
  nodes: number;
  characters: number;
}

const KEPT: XmlLimits = { nodes: MAX_NODES, characters: 64 * 1024 * 1024 };

const NOT_BLANK = /[^ \t\r\n]/;

/** An element whose end has not come yet. */
interface Open {
  name: string;
  /** A Map, since a name such as `__proto__` is as good as any other. Lists stand for repeated elements alone: no single value is one. */
  members: Map<string, Json>;
  text: string;
  /** Text that is more than the line breaks and indents between elements. */
  hasText: boolean;
  /** What was kept when it began. */
  before: { nodes: number; characters: number };
}

/**
 * XML 1.0 as JSON, as its text says it, with the root as the one key: `<a x="1"><b>2</b></a>` → `{ a: { '@x': '1', b: '2' } }`.
 * - Names keep their prefix; an attribute's gets `@`. Namespace declarations are attributes.
 * - An element with text alone is that text, not trimmed; an empty or blank one is `''`.
 * - Beside attributes or elements the text is `#text`, its pieces joined; blank text between elements is left out.
 * - Elements of one name in one parent are a list in their order; a single one is not, so a path must allow both.
 * - Comments and processing instructions are left out. Every leaf is text.
 *
 * There is no document type and no entity but the five and character numbers: nothing is fetched, nothing grows.
 * @throws FerruleError response_malformed (with line and column, never an excerpt)
 */
export function parseXml(text: string, limits: { nodes: number } = { nodes: MAX_NODES }): JsonObject {
  const reader = openXml({ ...limits, characters: text.length });
  reader.write(text);
  return reader.end();
}

/** What may look at elements while a document is read, and take them out of it. `depth`: 1 for the root. */
export interface XmlWatch {
  opened(name: string, depth: number): void;
  /** True: the element is taken, and neither kept nor counted any more. */
  closed(name: string, depth: number, value: Json): boolean;
}

export interface XmlReader {
  write(text: string): void;
  /** The document without what was taken. */
  end(): JsonObject;
}

/**
 * The same as `parseXml`, piece by piece. The limits are on what is kept of it at a time.
 * @throws FerruleError response_malformed
 */
export function openXml(limits: XmlLimits = KEPT, watch?: XmlWatch): XmlReader {
  library ??= createRequire(import.meta.url)('saxes') as typeof import('saxes');
  const parser = new library.SaxesParser();
  const root: Open = { name: '', members: new Map(), text: '', hasText: false, before: { nodes: 0, characters: 0 } };
  const open: Open[] = [root];
  let nodes = 0;
  let characters = 0;
  /** Since the parser last said something: it may be in the middle of one long text. */
  let unsaid = 0;

  const refuse = (what: string): never => {
    throw new FerruleError(
      'response_malformed',
      `This is not XML that is read here: ${what}, at line ${parser.line}, column ${parser.column}.`,
    );
  };
  const add = (part: string, isText: boolean): void => {
    const element = open.at(-1)!;
    unsaid = 0;
    characters += part.length;
    element.text += part;
    element.hasText ||= isText;
  };

  // The parser's message can quote the text: only which of two kinds it is goes on.
  parser.on('error', ({ message }) =>
    refuse(message.endsWith('undefined entity.') ? 'it has an entity beyond the five of XML' : 'it is not well-formed'),
  );
  parser.on('doctype', () => refuse('it has a document type'));
  parser.on('opentag', ({ name, attributes }) => {
    const names = Object.keys(attributes);
    const before = { nodes, characters };
    unsaid = 0;
    nodes += 1 + names.length;
    for (const one of names) characters += attributes[one]!.length;
    if (nodes > limits.nodes) refuse(`it has more than ${limits.nodes} elements and attributes`);
    if (open.length > MAX_DEPTH) refuse(`it is nested deeper than ${MAX_DEPTH} levels`);
    watch?.opened(name, open.length);
    open.push({ name, members: new Map(names.map((one) => [`@${one}`, attributes[one]!])), text: '', hasText: false, before });
  });
  parser.on('text', (part) => add(part, NOT_BLANK.test(part)));
  parser.on('cdata', (part) => add(part, part !== ''));
  parser.on('closetag', () => {
    const element = open.pop()!;
    const value = closed(element);
    unsaid = 0;
    if (watch?.closed(element.name, open.length, value)) ({ nodes, characters } = element.before);
    else put(open.at(-1)!.members, element.name, value);
  });
  return {
    write(text) {
      unsaid += text.length;
      parser.write(text);
      // What the parser has not said yet it holds.
      if (characters + unsaid > limits.characters) refuse(`more than ${limits.characters} characters of it would have to be kept`);
    },
    end() {
      parser.close();
      return Object.fromEntries(root.members);
    },
  };
}

function closed({ members, text, hasText }: Open): Json {
  if (members.size === 0) return hasText ? text : '';
  if (hasText) members.set('#text', text);
  return Object.fromEntries(members);
}

function put(members: Map<string, Json>, name: string, value: Json): void {
  const before = members.get(name);
  if (before === undefined) members.set(name, value);
  else if (Array.isArray(before)) before.push(value);
  else members.set(name, [before, value]);
}
