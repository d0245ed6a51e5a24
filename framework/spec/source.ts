import type { CST, Document, Node, Pair, Scalar, YAMLError } from 'yaml';
import type { Finding } from '../core/finding.ts';
import { plainValue } from './scalar.ts';
import { MAX_BYTES } from './spec-file.ts';
import { diagnose } from './syntax.ts';
import { endOf, treeOfTokens } from './tokens.ts';
import { LineMap, type SpecEntry, type SpecList, type SpecMap, type SpecNode, type SpecScalar, SpecTree } from './tree.ts';
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from './yaml.ts';

/** Deeper than any real spec; keeps every recursion over the tree safe. */
const MAX_DEPTH = 64;

export interface Source {
  /** Absent when the text could not be read as one YAML mapping. */
  tree?: SpecTree;
  findings: Finding[];
}

type Report = (rule: string, message: string, from: number, to: number, hint?: string) => void;

/** Text or bytes of one spec → a tree with positions. Everything that the language refuses in YAML is a finding here. */
export function readSource(input: string | Uint8Array, file: string): Source {
  const findings: Finding[] = [];
  const decoded = decode(input);
  const text = decoded.text ?? '';
  const lines = new LineMap(text);
  const report: Report = (rule, message, from, to, hint) => {
    const range = { start: lines.position(from), end: lines.position(Math.max(from, to)) };
    findings.push({ rule, severity: 'error', message, file, path: [], ...range, ...(hint !== undefined && { hint }) });
  };
  if (decoded.problem !== undefined) {
    report('file-unreadable', decoded.problem, 0, 0, decoded.hint);
    return { findings };
  }
  const root = parse(text, report);
  if (root === undefined) return { findings };
  if (root.kind !== 'map') {
    report('yaml-syntax', 'A spec is a mapping of keys to values.', root.start, root.end, 'Begin with `spec: 1` and `name: …`.');
    return { findings };
  }
  if (text.includes('__proto__')) refuseProto(root, report);
  const tree = new SpecTree(file, text, root, lines);
  return { tree, findings };
}

/** Objects in code take it for something else than a key, so it would be lost without a word. */
function refuseProto(node: SpecNode, report: Report): void {
  if (node.kind === 'list') for (const item of node.items) refuseProto(item, report);
  if (node.kind !== 'map') return;
  for (const { key, start, end, value } of node.entries.values()) {
    if (key === '__proto__') report('bad-name', 'Nothing can be called `__proto__`.', start, end);
    refuseProto(value, report);
  }
}

function decode(input: string | Uint8Array): { text?: string; problem?: string; hint?: string } {
  const size = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength;
  if (size > MAX_BYTES) {
    return {
      problem: 'The file has more than 1 MiB, which is the most that a spec may have.',
      hint: 'One product is one spec; data does not belong in it.',
    };
  }
  if (typeof input === 'string') return { text: input.startsWith('\uFEFF') ? input.slice(1) : input };
  try {
    // The decoder drops a byte order mark by itself.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(input) };
  } catch {
    return { problem: 'The file is not UTF-8.', hint: 'Save it as UTF-8.' };
  }
}

/** As `Parser.parse` does it, without handing each token through one more generator. */
function tokensOf(text: string): CST.Token[] {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) for (const token of parser.next(lexeme)) tokens.push(token);
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

/** One parse. Tokens that are all in their places are a tree at once; else yaml's composer says what they are. */
function parse(text: string, report: Report): SpecNode | undefined {
  try {
    const tokens = tokensOf(text);
    return treeOfTokens(text, tokens) ?? compose(text, tokens, report);
  } catch (error) {
    // The parser calls itself at each level.
    if (!(error instanceof RangeError)) throw error;
    report('yaml-syntax', 'The file is nested too deeply.', 0, 0);
    return undefined;
  }
}

/** More than a person mends at one go. */
const MOST_EXPRESSIONS = 50;
/** Characters that are read once more for them: a text with thousands of mistakes takes a second for each 50 000. */
const READ_AGAIN = 200_000;

/** One error; where it is an unquoted `${…}`, which is everybody's first mistake, also what comes behind it. */
function diagnoseAll(text: string, tokens: readonly CST.Token[], errors: readonly YAMLError[], report: Report): void {
  let current = text;
  let range = diagnose(text, tokens, errors, report);
  for (let count = 1; range !== undefined && count < MOST_EXPRESSIONS && count * text.length < READ_AGAIN; count += 1) {
    const [from, to] = range;
    current = current.slice(0, from) + 'x'.repeat(to - from) + current.slice(to);
    const next = [...new Parser().parse(current)];
    const left = documents(current, next).flatMap((each) => each.errors);
    range = left.length === 0 ? undefined : diagnose(current, next, left, report);
  }
}

function documents(text: string, tokens: readonly CST.Token[]): Document.Parsed[] {
  // yaml makes an error of each mistake, and most of its time goes into stacks that nobody reads.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return [
      ...new Composer({ schema: 'failsafe', uniqueKeys: false, prettyErrors: false }).compose(tokens, true, text.length),
    ] as Document.Parsed[];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** `failsafe` leaves every scalar its source text. The tokens say more about an error than the error itself. */
export function compose(text: string, tokens: readonly CST.Token[], report: Report): SpecNode | undefined {
  const deep = tooDeep(tokens);
  if (deep !== undefined) {
    report('yaml-syntax', `More than ${MAX_DEPTH} levels deep.`, deep, deep + 1);
    return undefined;
  }
  const docs = documents(text, tokens);
  const [doc, second] = docs;
  if (doc === undefined) return undefined;
  const errors = docs.flatMap((each) => each.errors);
  if (errors.length > 0) {
    diagnoseAll(text, tokens, errors, report);
    return undefined;
  }
  if (second !== undefined) {
    const at = Math.max(0, text.lastIndexOf('---', second.range[0]));
    report('yaml-syntax', 'A spec is one YAML document; here a second one begins.', at, at + 3, 'Put each spec in a file of its own.');
    return undefined;
  }
  return new Converter(text, report).convert(doc.contents as Node | null, [0, 0], 0);
}

/** Where the tokens go deeper than a composer that calls itself may follow; found without calling oneself. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    // A document is one level, and so is the value of a pair: more than the tree has, never less.
    if (depth > 2 * MAX_DEPTH) return token.offset;
    const inner = 'items' in token ? token.items.flatMap((item) => [item.key, item.value]) : token.type === 'document' ? [token.value] : [];
    for (const one of inner) if (one !== null && one !== undefined) open.push({ token: one, depth: depth + 1 });
  }
  return undefined;
}

const SCALAR_STYLES = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'literal',
  BLOCK_FOLDED: 'folded',
} as const;

/** YAML nodes → our nodes; anchors, aliases, tags, merge keys and duplicate keys end here, each with its finding. */
class Converter {
  readonly #text: string;
  readonly #report: Report;

  constructor(text: string, report: Report) {
    this.#text = text;
    this.#report = report;
  }

  /** `gap` is where a missing value would stand. */
  convert(node: Node | null | undefined, gap: [number, number], depth: number): SpecNode {
    if (node === null || node === undefined) return { kind: 'scalar', value: null, text: '', style: 'plain', start: gap[0], end: gap[1] };
    const [start, end] = node.range ?? [gap[0], gap[1]];
    if (depth > MAX_DEPTH) {
      this.#report('yaml-syntax', `More than ${MAX_DEPTH} levels deep.`, start, end);
      return { kind: 'scalar', value: null, text: '', style: 'plain', start, end };
    }
    if (isAlias(node)) return this.#alias(node.source, start, end);
    if ('anchor' in node && node.anchor) this.#refuse('Anchors (&name) are not part of the language.', start, node.anchor, '&');
    if (node.tag !== undefined) this.#tag(node.tag, start);
    if (isMap(node)) return this.#map(node.items as Pair<Node, Node | null>[], start, end, depth);
    if (isSeq(node)) return this.#list(node.items as Node[], start, end, depth);
    if (isScalar(node))
      return node.source === '' && node.type === 'PLAIN' ? this.convert(null, gap, depth) : this.#scalar(node, start, end);
    return { kind: 'scalar', value: null, text: '', style: 'plain', start, end };
  }

  #map(items: Pair<Node, Node | null>[], start: number, end: number, depth: number): SpecMap {
    const entries = new Map<string, SpecEntry>();
    for (const { key, value } of items) {
      const entry = this.#entry(key, value, depth);
      if (entry === undefined) continue;
      const earlier = entries.get(entry.key);
      if (earlier === undefined) entries.set(entry.key, entry);
      else
        this.#report(
          'duplicate-key',
          `\`${entry.key}\` stands here twice.`,
          entry.start,
          entry.end,
          `The first is on line ${this.#line(earlier.start)}. Keep one.`,
        );
    }
    const flow = this.#text[start] === '{';
    return { kind: 'map', entries, start, end: flow ? end : endOf(entries, start) };
  }

  #entry(key: Node | null, value: Node | null, depth: number): SpecEntry | undefined {
    const [start, end] = key?.range ?? [0, 0];
    if (!isScalar(key) || typeof key.value !== 'string') {
      if (isAlias(key)) this.#alias(key.source, start, end);
      else this.#report('yaml-syntax', 'A key is one plain word.', start, end, 'Quote it if it is text with special characters.');
      return undefined;
    }
    if (key.anchor) this.#refuse('Anchors (&name) are not part of the language.', start, key.anchor, '&');
    const text = key.value;
    if (text === '<<') {
      this.#report(
        'yaml-feature',
        'Merge keys (<<) are not part of the language.',
        start,
        end,
        'Use a template (`templates`, `use`), or write the keys out.',
      );
      return undefined;
    }
    const unspaced = value === null || (isScalar(value) && value.source === '' && value.range?.[0] === value.range?.[1]);
    if (unspaced && key.type === 'PLAIN' && /^[a-z_]+:\S/.test(text)) {
      const colon = text.indexOf(':');
      const [name, rest] = [text.slice(0, colon), text.slice(colon + 1)];
      this.#report(
        'yaml-syntax',
        `A space is missing after \`${name}:\`.`,
        start + colon,
        start + colon + 1,
        `Write \`${name}: ${rest}\`.`,
      );
      // Read on as it was meant, so that this one mistake brings no second finding.
      const meant: SpecScalar = { kind: 'scalar', value: plainValue(rest), text: rest, style: 'plain', start: start + colon + 1, end };
      return { key: name, start, end: start + colon, value: meant };
    }
    return { key: text, start, end, value: this.convert(value, [end + 1, end + 1], depth + 1) };
  }

  #list(items: Node[], start: number, end: number, depth: number): SpecList {
    const converted = items.map((item) => this.convert(item, [start, start], depth + 1));
    const flow = this.#text[start] === '[';
    return { kind: 'list', items: converted, start, end: flow ? end : (converted.at(-1)?.end ?? start) };
  }

  #scalar(node: Scalar, start: number, end: number): SpecScalar {
    const style = SCALAR_STYLES[(node.type ?? 'PLAIN') as keyof typeof SCALAR_STYLES] ?? 'plain';
    const text = String(node.value ?? '');
    const value = style === 'plain' ? plainValue(text) : text;
    // A block's range includes the line breaks behind it.
    const block = style === 'literal' || style === 'folded';
    return { kind: 'scalar', value, text, style, start, end: block ? start + this.#text.slice(start, end).trimEnd().length : end };
  }

  #alias(source: string, start: number, end: number): SpecScalar {
    const path = source.startsWith('.');
    const message = path
      ? `A value can't begin with *: YAML takes \`*${source}\` for an alias.`
      : 'Aliases (*name) are not part of the language.';
    this.#report(
      'yaml-feature',
      message,
      start,
      end,
      path ? `Write \`$.*${source}\`.` : `If the text itself is meant, quote it: "*${source}".`,
    );
    return { kind: 'scalar', value: null, text: '', style: 'plain', start, end };
  }

  /** Properties of a node stand before it: look back for the mark. */
  #refuse(message: string, start: number, name: string, mark: string): void {
    const at = Math.max(0, this.#text.lastIndexOf(mark + name, start));
    this.#report(
      'yaml-feature',
      message,
      at,
      at + name.length + mark.length,
      'If the text itself is meant, quote it; else write the value out.',
    );
  }

  #tag(tag: string, start: number): void {
    let at = Math.max(0, this.#text.lastIndexOf('!', start));
    while (this.#text[at - 1] === '!') at--;
    const end = at + (/^\S*/.exec(this.#text.slice(at))?.[0].length ?? 1);
    this.#report(
      'yaml-feature',
      `Tags (${this.#text.slice(at, end) || tag}) are not part of the language.`,
      at,
      end,
      'Leave it out; quote the value if it is text.',
    );
  }

  #line(offset: number): number {
    let line = 1;
    for (let at = this.#text.indexOf('\n'); at !== -1 && at < offset; at = this.#text.indexOf('\n', at + 1)) line++;
    return line;
  }
}
