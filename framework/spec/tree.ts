import type { Finding, Position, Severity } from '../core/finding.ts';
import type { Json } from '../core/value.ts';

/** Keys and indexes from the root of a spec. */
export type SpecPath = readonly (string | number)[];
export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

/** `value` as YAML 1.2 reads it; `text` are the characters as written, without quotes. Offsets into the file's text. */
export interface SpecScalar {
  kind: 'scalar';
  value: null | boolean | number | string;
  text: string;
  style: ScalarStyle;
  start: number;
  end: number;
}
/** One key with its value; start and end are the key's. */
export interface SpecEntry {
  key: string;
  start: number;
  end: number;
  value: SpecNode;
}
export interface SpecMap {
  kind: 'map';
  entries: Map<string, SpecEntry>;
  start: number;
  end: number;
}
export interface SpecList {
  kind: 'list';
  items: SpecNode[];
  start: number;
  end: number;
}
export type SpecNode = SpecScalar | SpecMap | SpecList;

export interface Range {
  start: Position;
  end: Position;
}

export interface FindingPlace {
  /** Where on the path's entry it points. Default: the value. */
  part?: 'key' | 'value';
  /** Offsets in the scalar's text, such as an expression's. */
  within?: readonly [number, number];
  hint?: string;
}

/** Offset → line and column. Both 1-based; columns count UTF-16 units. */
export class LineMap {
  readonly #starts: number[] = [0];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  position(offset: number): Position {
    const at = Math.min(Math.max(0, offset), this.#length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (this.#starts[low] as number) + 1, offset: at };
  }
}

/** A spec's text as a tree in which every key and value knows where it stands. */
export class SpecTree {
  readonly file: string;
  readonly text: string;
  readonly root: SpecNode;
  readonly #lines: LineMap;
  #value: Json | undefined;

  constructor(file: string, text: string, root: SpecNode, lines: LineMap = new LineMap(text)) {
    this.file = file;
    this.text = text;
    this.root = root;
    this.#lines = lines;
  }

  /** The same text with another root, such as the long form. */
  withRoot(root: SpecNode): SpecTree {
    return new SpecTree(this.file, this.text, root, this.#lines);
  }

  /** The tree as plain JSON. */
  get value(): Json {
    this.#value ??= plain(this.root);
    return this.#value;
  }

  node(path: SpecPath): SpecNode | undefined {
    let node: SpecNode | undefined = this.root;
    for (const step of path) node = child(node, step)?.value;
    return node;
  }

  /** The entry or item at a path, else that of the nearest ancestor that exists. Undefined for the root. */
  #entry(path: SpecPath): { entry: { start: number; end: number; value: SpecNode } | undefined; exact: boolean } {
    let node: SpecNode | undefined = this.root;
    let entry: { start: number; end: number; value: SpecNode } | undefined;
    for (const step of path) {
      const next = child(node, step);
      if (next === undefined) return { entry, exact: false };
      entry = next;
      node = next.value;
    }
    return { entry, exact: true };
  }

  position(offset: number): Position {
    return this.#lines.position(offset);
  }

  /** Where a path stands. A missing path stands at the key of its nearest ancestor; the root at the first character. */
  range(path: SpecPath, part: 'key' | 'value' = 'value'): Range {
    const { entry, exact } = this.#entry(path);
    if (entry === undefined) {
      const start = this.root.start;
      return this.#span(start, this.root.kind === 'map' ? firstKeyEnd(this.root) : start);
    }
    if (part === 'key' || !exact) return this.#span(entry.start, entry.end);
    const { start, end } = entry.value;
    return this.#span(start, end);
  }

  /**
   * Where a part of a scalar's text stands: exact for scalars on one line and for literal blocks; for folded and
   * many-line ones the start of the expression that holds it (columns inside are lost there).
   */
  within(path: SpecPath, from: number, to: number): Range {
    const node = this.node(path);
    if (node?.kind !== 'scalar') return this.range(path);
    const start = sourceOffset(this.text, node, from);
    const end = sourceOffset(this.text, node, to);
    if (start === undefined) return this.range(path);
    return this.#span(start, end === undefined || end < start ? start : end);
  }

  finding(rule: string, severity: Severity, message: string, path: SpecPath, place: FindingPlace = {}): Finding {
    const range = place.within ? this.within(path, place.within[0], place.within[1]) : this.range(path, place.part);
    return { rule, severity, message, file: this.file, path: [...path], ...range, ...(place.hint !== undefined && { hint: place.hint }) };
  }

  #span(start: number, end: number): Range {
    return { start: this.#lines.position(start), end: this.#lines.position(end) };
  }
}

function child(node: SpecNode | undefined, step: string | number): { start: number; end: number; value: SpecNode } | undefined {
  if (node?.kind === 'map') return node.entries.get(String(step));
  if (node?.kind !== 'list') return undefined;
  const value = node.items[Number(step)];
  return value && { start: value.start, end: value.end, value };
}

function firstKeyEnd(map: SpecMap): number {
  const first = map.entries.values().next();
  return first.done ? map.start : first.value.end;
}

function plain(node: SpecNode): Json {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const object: { [key: string]: Json } = {};
  for (const { key, value } of node.entries.values()) {
    // A key such as __proto__ must stay a plain key.
    if (key === '__proto__')
      Object.defineProperty(object, key, { value: plain(value), enumerable: true, writable: true, configurable: true });
    else object[key] = plain(value);
  }
  return object;
}

/** Offset in a scalar's text → offset in the file, or undefined when it can't be told. */
function sourceOffset(source: string, node: SpecScalar, at: number): number | undefined {
  const raw = source.slice(node.start, node.end);
  if (node.style === 'literal') return literalOffset(raw, node, at);
  if (!raw.includes('\n')) {
    if (node.style === 'plain') return node.start + at;
    if (node.style === 'single') return node.start + singleOffset(raw, at);
    if (node.style === 'double') return node.start + doubleOffset(raw, at);
  }
  const nth = node.text.slice(0, at + 1).split('${').length - 1 || (node.text.startsWith('${', at) ? 1 : 0);
  let found = -1;
  for (let count = 0; count < nth; count++) {
    found = raw.indexOf('${', found + 1);
    if (found === -1) return node.start;
  }
  return node.start + Math.max(0, found);
}

function singleOffset(raw: string, at: number): number {
  let offset = 1;
  for (let count = 0; count < at && offset < raw.length; count++) offset += raw.startsWith("''", offset) ? 2 : 1;
  return offset;
}

/** Length of the escapes of a double-quoted scalar (YAML 1.2.2 section 5.7); all others have two characters. */
const ESCAPES: Record<string, number> = { x: 4, u: 6, U: 10 };

function doubleOffset(raw: string, at: number): number {
  let offset = 1;
  for (let count = 0; count < at && offset < raw.length; count++) {
    if (raw[offset] !== '\\') offset++;
    else {
      // An eight-digit escape may stand for two UTF-16 units.
      if (raw[offset + 1] === 'U' && Number.parseInt(raw.slice(offset + 2, offset + 10), 16) > 0xffff) count++;
      offset += ESCAPES[raw[offset + 1] ?? ''] ?? 2;
    }
  }
  return offset;
}

/** Lines of a literal block stand one to one in the source, each behind the block's indentation. */
function literalOffset(raw: string, node: SpecScalar, at: number): number | undefined {
  const before = node.text.slice(0, at);
  const lineIndex = before.split('\n').length - 1;
  const column = at - (before.lastIndexOf('\n') + 1);
  const line = node.text.split('\n')[lineIndex] ?? '';
  let start = raw.indexOf('\n') + 1;
  for (let skipped = 0; skipped < lineIndex; skipped++) {
    const next = raw.indexOf('\n', start);
    if (next === -1) return node.end;
    start = next + 1;
  }
  const end = raw.indexOf('\n', start);
  const written = raw.slice(start, end === -1 ? raw.length : end).replace(/\r$/, '');
  return node.start + start + Math.max(0, written.length - line.length) + column;
}
