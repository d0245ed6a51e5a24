import { createRequire } from 'node:module';
import { FerruleError } from './errors.ts';
import type { Json, JsonObject } from './value.ts';

/** Only a connection that gets XML loads it. */
let library: typeof import('saxes') | undefined;

/** Deeper data is hostile or broken, and would overflow every walk that comes after. */
const MAX_DEPTH = 100;
/** Elements and attributes: some 100 bytes of memory each. */
const MAX_NODES = 1_000_000;

const NOT_BLANK = /[^ \t\r\n]/;

/** An element whose end has not come yet. */
interface Open {
  name: string;
  /** A Map, since a name such as `__proto__` is as good as any other. Lists stand for repeated elements alone: no single value is one. */
  members: Map<string, Json>;
  text: string;
  /** Text that is more than the line breaks and indents between elements. */
  hasText: boolean;
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
  library ??= createRequire(import.meta.url)('saxes') as typeof import('saxes');
  const parser = new library.SaxesParser();
  const root: Open = { name: '', members: new Map(), text: '', hasText: false };
  const open: Open[] = [root];
  let nodes = 0;

  const refuse = (what: string): never => {
    throw new FerruleError(
      'response_malformed',
      `This is not XML that is read here: ${what}, at line ${parser.line}, column ${parser.column}.`,
    );
  };
  const add = (part: string, isText: boolean): void => {
    const element = open.at(-1)!;
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
    nodes += 1 + names.length;
    if (nodes > limits.nodes) refuse(`it has more than ${limits.nodes} elements and attributes`);
    if (open.length > MAX_DEPTH) refuse(`it is nested deeper than ${MAX_DEPTH} levels`);
    open.push({ name, members: new Map(names.map((one) => [`@${one}`, attributes[one]!])), text: '', hasText: false });
  });
  parser.on('text', (part) => add(part, NOT_BLANK.test(part)));
  parser.on('cdata', (part) => add(part, part !== ''));
  parser.on('closetag', () => {
    const element = open.pop()!;
    put(open.at(-1)!.members, element.name, closed(element));
  });
  parser.write(text).close();
  return Object.fromEntries(root.members);
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
