import type { CST as Cst } from 'yaml';
import { plainValue } from './scalar.ts';
import type { ScalarStyle, SpecEntry, SpecList, SpecMap, SpecNode, SpecScalar } from './tree.ts';
import { CST } from './yaml.ts';

/**
 * The short way from the parser's tokens to a tree, for files in which every token is in its place: nearly all. It takes
 * less than a third of the time of composing a document first. Anything unusual (anchors, tags, aliases, explicit or
 * duplicate keys, several documents, tabs, and every error) gives undefined: then yaml's own composer must say what it is.
 * A property test compares the two over mangled files.
 */
export function treeOfTokens(text: string, tokens: readonly Cst.Token[]): SpecNode | undefined {
  const documents = tokens.filter((token) => token.type !== 'comment' && token.type !== 'newline' && token.type !== 'space');
  const [document] = documents;
  if (documents.length !== 1 || document?.type !== 'document' || document.value === undefined) return undefined;
  const reader = new TokenReader(text);
  reader.blank(document.start, true);
  if (document.end !== undefined) reader.blank(document.end, true);
  const root = reader.node(document.value, 0);
  return reader.usual ? root : undefined;
}

const MAX_DEPTH = 64;
/** YAML 1.2.2, 7.4: an implicit key has at most 1,024 characters. */
const MAX_KEY = 1024;
const NOTHING: SpecScalar = { kind: 'scalar', value: null, text: '', style: 'plain', start: 0, end: 0 };
const BAD_STARTS = new Set(['\t', ',', '%', '|', '>', '@', '`']);
/** Keys that mean something to YAML, or look like a missing space. */
const ODD_KEY = /^<<$|^[a-z_]+:\S/;

class TokenReader {
  /** False as soon as one token is not where it must be: the tree is then of no use. */
  usual = true;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  node(token: Cst.Token, depth: number): SpecNode {
    if (depth > MAX_DEPTH) return this.#odd();
    switch (token.type) {
      case 'scalar':
      case 'single-quoted-scalar':
      case 'double-quoted-scalar':
        return this.#scalar(token);
      case 'block-scalar':
        return this.#blockScalar(token);
      case 'block-map':
        return this.#blockMap(token, depth);
      case 'block-seq':
        return this.#blockSeq(token, depth);
      case 'flow-collection':
        return token.start.source === '{' ? this.#flowMap(token, depth) : this.#flowSeq(token, depth);
      default:
        return this.#odd();
    }
  }

  /** White space and comments only, each comment behind white space. True when a line ends in it. */
  blank(tokens: readonly Cst.SourceToken[], spaced: boolean): boolean {
    let space = spaced;
    let newline = false;
    for (const { type, source } of tokens) {
      if (type === 'newline') newline = true;
      else if (type === 'comment' ? !space : type !== 'space' || source.includes('\t')) this.usual = false;
      space = type !== 'comment';
    }
    return newline;
  }

  /** The same with exactly one mark of a type among them, at whose place it is split. */
  #around(tokens: readonly Cst.SourceToken[], mark: Cst.SourceToken['type'], spaced: boolean): boolean {
    const [first, second] = tokens;
    // By far the most: `key: value`.
    if (tokens.length === 2 && first?.type === mark && second?.type === 'space' && second.source === ' ') return false;
    const at = tokens.findIndex(({ type }) => type === mark);
    if (at === -1) this.usual = false;
    this.blank(tokens.slice(0, at), spaced);
    return this.blank(tokens.slice(at + 1), false);
  }

  #odd(): SpecScalar {
    this.usual = false;
    return NOTHING;
  }

  #blockMap(token: Cst.BlockMap, depth: number): SpecMap {
    const entries = new Map<string, SpecEntry>();
    for (const { start, key, sep, value } of token.items) {
      this.blank(start, true);
      // Comments behind the last entry stand in an item of their own.
      if (key === undefined || key === null) {
        if (sep !== undefined || value !== undefined) this.usual = false;
        continue;
      }
      if (sep === undefined || !('indent' in key) || key.indent !== token.indent) {
        this.usual = false;
        continue;
      }
      const newline = this.#around(sep, 'map-value-ind', false);
      const block = value?.type === 'block-map' || value?.type === 'block-seq';
      if (block && !newline) this.usual = false;
      if (value?.type === 'block-map' && value.indent <= token.indent) this.usual = false;
      this.#entry(entries, key, sep, value && this.node(value, depth + 1));
    }
    return { kind: 'map', entries, start: token.offset, end: endOf(entries, token.offset) };
  }

  #blockSeq(token: Cst.BlockSequence, depth: number): SpecList {
    const items: SpecNode[] = [];
    for (const { start, key, sep, value } of token.items) {
      if (key !== undefined || sep !== undefined) this.usual = false;
      const last = value === undefined && !start.some(({ type }) => type === 'seq-item-ind');
      if (last) this.blank(start, true);
      else {
        this.#around(start, 'seq-item-ind', true);
        if (value === undefined) this.usual = false;
        else items.push(this.node(value, depth + 1));
      }
    }
    return { kind: 'list', items, start: token.offset, end: items.at(-1)?.end ?? token.offset };
  }

  #blockScalar(token: Cst.BlockScalar): SpecScalar {
    const header = token.props.find(({ type }) => type === 'block-scalar-header');
    const mark = header !== undefined && 'source' in header ? header.source[0] : '';
    return this.#resolved(token, mark === '>' ? 'folded' : 'literal');
  }

  #flowMap(token: Cst.FlowCollection, depth: number): SpecMap {
    const entries = new Map<string, SpecEntry>();
    for (const [at, item] of token.items.entries()) {
      if (!this.#flowItem(token, item, at)) continue;
      const { key, sep, value } = item;
      if (key === undefined || key === null || sep === undefined) this.usual = false;
      else {
        this.#around(sep, 'map-value-ind', false);
        this.#entry(entries, key, sep, value && this.#flowValue(value, depth));
      }
    }
    return { kind: 'map', entries, start: token.offset, end: this.#flowEnd(token, '}') };
  }

  #flowSeq(token: Cst.FlowCollection, depth: number): SpecList {
    const items: SpecNode[] = [];
    for (const [at, item] of token.items.entries()) {
      if (!this.#flowItem(token, item, at)) continue;
      if (item.key !== undefined || item.sep !== undefined || item.value === undefined) this.usual = false;
      else items.push(this.#flowValue(item.value, depth));
    }
    return { kind: 'list', items, start: token.offset, end: this.#flowEnd(token, ']') };
  }

  /** A comma before every item but the first; nothing behind the last comma is no item. */
  #flowItem({ items }: Cst.FlowCollection, { start, key, sep, value }: Cst.FlowCollection['items'][number], at: number): boolean {
    const empty = key === undefined && sep === undefined && value === undefined;
    const comma = start.some(({ type }) => type === 'comma');
    if (comma !== at > 0 && !(empty && !comma)) this.usual = false;
    if (comma) this.#around(start, 'comma', false);
    else this.blank(start, false);
    if (empty && at < items.length - 1) this.usual = false;
    return !empty;
  }

  #flowEnd({ end, offset }: Cst.FlowCollection, closer: string): number {
    const [first, ...rest] = end;
    if (first?.source !== closer) {
      this.usual = false;
      return offset;
    }
    this.blank(rest, false);
    return first.offset + 1;
  }

  #flowValue(value: Cst.Token, depth: number): SpecNode {
    return value.type === 'block-map' || value.type === 'block-seq' || value.type === 'block-scalar'
      ? this.#odd()
      : this.node(value, depth + 1);
  }

  #entry(entries: Map<string, SpecEntry>, key: Cst.Token, sep: Cst.SourceToken[], value: SpecNode | undefined): void {
    const name =
      key.type === 'scalar' || key.type === 'single-quoted-scalar' || key.type === 'double-quoted-scalar' ? this.#scalar(key) : this.#odd();
    const { text, start, end } = name;
    const colon = sep.find(({ type }) => type === 'map-value-ind')?.offset ?? end;
    const many = 'source' in key && key.source.includes('\n');
    if (many || colon - start > MAX_KEY || entries.has(text) || ODD_KEY.test(text)) this.usual = false;
    // A missing value stands behind the colon.
    const made = value ?? { ...NOTHING, start: end + 1, end: end + 1 };
    entries.set(text, { key: text, start, end, value: made });
  }

  #scalar(token: Cst.FlowScalar): SpecScalar {
    const { source, offset, type } = token;
    if (token.end !== undefined) this.blank(token.end, false);
    const style = type === 'scalar' ? 'plain' : type === 'single-quoted-scalar' ? 'single' : 'double';
    if (source.includes('\n') || (style === 'double' && source.includes('\\'))) return this.#resolved(token, style);
    const end = offset + source.length;
    if (style === 'plain') {
      if (source === '' || BAD_STARTS.has(source[0] as string)) this.usual = false;
      return { kind: 'scalar', value: plainValue(source), text: source, style, start: offset, end };
    }
    const mark = style === 'single' ? "'" : '"';
    if (source.length < 2 || !source.endsWith(mark)) this.usual = false;
    const inner = source.slice(1, -1);
    const text = style === 'single' ? inner.replaceAll("''", "'") : inner;
    return { kind: 'scalar', value: text, text, style, start: offset, end };
  }

  /** Scalars of several lines, with escapes, and blocks: yaml's own reading. */
  #resolved(token: Cst.FlowScalar | Cst.BlockScalar, style: ScalarStyle): SpecScalar {
    const resolved = CST.resolveAsScalar(token, true, () => {
      this.usual = false;
    });
    const text = resolved.value;
    const [start, last] = resolved.range;
    // A block's range includes the line breaks behind it.
    const end = token.type === 'block-scalar' ? start + this.#text.slice(start, last).trimEnd().length : last;
    const value = style === 'plain' ? plainValue(text) : text;
    return { kind: 'scalar', value, text, style, start, end };
  }
}

export function endOf(entries: ReadonlyMap<string, SpecEntry>, start: number): number {
  let end = start;
  for (const { value } of entries.values()) end = value.end;
  return end;
}
