/**
 * The sandbox's own reading of the expressions in a spec. It is not the runtime's: a fake that worked with the
 * client's evaluator would agree with it about every mistake. It knows look-ups, concatenation, comparisons and a few
 * functions; what it does not know is UNKNOWN, and then any value fits.
 */
export type Expr =
  | { type: 'literal'; value: string | number | boolean | null }
  | { type: 'path'; keys: string[] }
  | { type: 'call'; name: string; on?: Expr; args: Expr[] }
  | { type: 'binary'; operator: string; left: Expr; right: Expr }
  | { type: 'not'; of: Expr }
  | { type: 'choose'; test: Expr; yes: Expr; no: Expr }
  | { type: 'list'; items: Expr[] }
  | { type: 'below'; of: Expr; key: string }
  | { type: 'unknown' };

export const UNKNOWN: unique symbol = Symbol('unknown');
export const ABSENT: unique symbol = Symbol('absent');
export type Read = string | number | bigint | boolean | null | object | typeof UNKNOWN | typeof ABSENT;
export type Lookup = (keys: readonly string[]) => Read;

export type TextPart = { text: string } | { expr: Expr };

/** A text of the spec in literal parts and expressions. `$${` is a literal `${`. */
export function splitText(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      literal += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = closingBrace(text, at + 2);
      if (literal !== '') parts.push({ text: literal });
      literal = '';
      parts.push({ expr: parse(text.slice(at + 2, end)) });
      at = end + 1;
    } else {
      literal += text[at++];
    }
  }
  if (literal !== '') parts.push({ text: literal });
  return parts;
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (quote !== '') {
      if (char === '\\') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth++;
    else if (char === '}' && depth-- === 0) return at;
  }
  return text.length;
}

const TOKEN =
  /\s*(?:("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]))/y;

interface Token {
  kind: 'string' | 'number' | 'name' | 'sign' | 'end';
  text: string;
}

function tokens(source: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.trimEnd().length) {
    const match = TOKEN.exec(source);
    if (match === null) throw new Unreadable();
    const [, string, number, name, sign] = match;
    if (string !== undefined) found.push({ kind: 'string', text: unquote(string) });
    else if (number !== undefined) found.push({ kind: 'number', text: number });
    else if (name !== undefined) found.push({ kind: 'name', text: name });
    else found.push({ kind: 'sign', text: sign! });
  }
  return [...found, { kind: 'end', text: '' }];
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char);

class Unreadable extends Error {}

export function parse(source: string): Expr {
  try {
    return new Parser(tokens(source)).whole();
  } catch (error) {
    if (error instanceof Unreadable) return { type: 'unknown' };
    throw error;
  }
}

/** Binding strength, weakest first. */
const LEVELS = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in'], ['+', '-'], ['*', '/', '%']];

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(list: Token[]) {
    this.#tokens = list;
  }

  whole(): Expr {
    const expr = this.#choose();
    if (this.#peek().kind !== 'end') throw new Unreadable();
    return expr;
  }

  #peek(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(text: string): boolean {
    if (this.#peek().text !== text || this.#peek().kind === 'string') return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new Unreadable();
  }

  #choose(): Expr {
    const test = this.#binary(0);
    if (!this.#take('?')) return test;
    const yes = this.#choose();
    this.#expect(':');
    return { type: 'choose', test, yes, no: this.#choose() };
  }

  #binary(level: number): Expr {
    const signs = LEVELS[level];
    if (signs === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = signs.find((sign) => this.#take(sign));
      if (operator === undefined) return left;
      left = { type: 'binary', operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Expr {
    if (this.#take('!')) return { type: 'not', of: this.#unary() };
    return this.#behind(this.#atom());
  }

  #behind(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.#take('.')) {
        const { kind, text } = this.#peek();
        if (kind !== 'name') throw new Unreadable();
        this.#at++;
        expr = this.#take('(') ? { type: 'call', name: text, on: expr, args: this.#items(')') } : below(expr, text);
      } else if (this.#take('[')) {
        const { kind, text } = this.#peek();
        if (kind !== 'string' && kind !== 'number') throw new Unreadable();
        this.#at++;
        this.#expect(']');
        expr = below(expr, text);
      } else return expr;
    }
  }

  #atom(): Expr {
    const { kind, text } = this.#peek();
    this.#at++;
    if (kind === 'string') return { type: 'literal', value: text };
    if (kind === 'number') return { type: 'literal', value: Number(text) };
    if (kind === 'name') {
      if (text === 'true' || text === 'false') return { type: 'literal', value: text === 'true' };
      if (text === 'null') return { type: 'literal', value: null };
      return this.#take('(') ? { type: 'call', name: text, args: this.#items(')') } : { type: 'path', keys: [text] };
    }
    if (text === '(') {
      const inner = this.#choose();
      this.#expect(')');
      return inner;
    }
    if (text === '[') return { type: 'list', items: this.#items(']') };
    throw new Unreadable();
  }

  #items(close: string): Expr[] {
    const items: Expr[] = [];
    if (this.#take(close)) return items;
    do items.push(this.#choose());
    while (this.#take(','));
    this.#expect(close);
    return items;
  }
}

const below = (expr: Expr, key: string): Expr =>
  expr.type === 'path' ? { type: 'path', keys: [...expr.keys, key] } : { type: 'below', of: expr, key };

/** Its value, as far as the sandbox knows it. */
export function read(expr: Expr, lookup: Lookup): Read {
  if (expr.type === 'literal') return expr.value;
  if (expr.type === 'path') return lookup(expr.keys);
  if (expr.type === 'list') return listOf(expr.items.map((item) => read(item, lookup)));
  if (expr.type === 'not') return not(read(expr.of, lookup));
  if (expr.type === 'below') return item(read(expr.of, lookup), expr.key);
  if (expr.type === 'choose') {
    const test = read(expr.test, lookup);
    return test === UNKNOWN ? UNKNOWN : read(test === true ? expr.yes : expr.no, lookup);
  }
  if (expr.type === 'binary') return binary(expr.operator, read(expr.left, lookup), read(expr.right, lookup));
  if (expr.type === 'call') return call(expr, lookup);
  return UNKNOWN;
}

const listOf = (items: Read[]): Read => (items.some(odd) ? UNKNOWN : items);
const item = (list: Read, key: string): Read => (Array.isArray(list) ? ((list[Number(key)] as Read | undefined) ?? ABSENT) : UNKNOWN);
const not = (value: Read): Read => (typeof value === 'boolean' ? !value : UNKNOWN);
const odd = (value: Read): boolean => value === UNKNOWN || value === ABSENT;

function binary(operator: string, left: Read, right: Read): Read {
  if (operator === '&&') return left === false || right === false ? false : left === true && right === true ? true : UNKNOWN;
  if (operator === '||') return left === true || right === true ? true : left === false && right === false ? false : UNKNOWN;
  if (odd(left) || odd(right)) return UNKNOWN;
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === 'in') return Array.isArray(right) ? right.includes(left) : UNKNOWN;
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  return UNKNOWN;
}

function call({ name, on, args }: Expr & { type: 'call' }, lookup: Lookup): Read {
  const value = (index: number): Read => (args[index] === undefined ? UNKNOWN : read(args[index], lookup));
  if (on !== undefined) {
    const text = read(on, lookup);
    if (typeof text !== 'string') return UNKNOWN;
    if (name === 'lowerAscii') return text.replace(/[A-Z]/g, (char) => char.toLowerCase());
    if (name === 'upperAscii') return text.replace(/[a-z]/g, (char) => char.toUpperCase());
    const [from, to] = [value(0), value(1)];
    if (name === 'split' && typeof from === 'string') return text.split(from);
    return name === 'replace' && typeof from === 'string' && typeof to === 'string' ? text.replaceAll(from, to) : UNKNOWN;
  }
  const first = value(0);
  if (name === 'has') return first === UNKNOWN ? UNKNOWN : first !== ABSENT;
  if (name === 'default') return first === ABSENT || first === null ? value(1) : first;
  if (name === 'given') return first === true ? value(1) : first === false ? ABSENT : UNKNOWN;
  if (name === 'string')
    return typeof first === 'number' || typeof first === 'bigint' || typeof first === 'boolean' ? String(first) : first;
  if (name === 'host_label') return first;
  return UNKNOWN;
}

/** Every look-up in it whose first name is `root`, without that name. */
export function lookups(expr: Expr, root: string): string[][] {
  if (expr.type === 'path') return expr.keys[0] === root ? [expr.keys.slice(1)] : [];
  if (expr.type === 'list') return expr.items.flatMap((item) => lookups(item, root));
  if (expr.type === 'not' || expr.type === 'below') return lookups(expr.of, root);
  if (expr.type === 'choose') return [expr.test, expr.yes, expr.no].flatMap((part) => lookups(part, root));
  if (expr.type === 'binary') return [expr.left, expr.right].flatMap((part) => lookups(part, root));
  if (expr.type === 'call') return [...(expr.on === undefined ? [] : [expr.on]), ...expr.args].flatMap((part) => lookups(part, root));
  return [];
}

/** The same for a text, or for the texts in a tree. */
export function lookupsIn(value: unknown, root: string): string[][] {
  if (typeof value === 'string') return splitText(value).flatMap((part) => ('expr' in part ? lookups(part.expr, root) : []));
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((item) => lookupsIn(item, root));
}

/** The text as far as it is known: undefined when a part of it is not. */
export function knownText(text: string, lookup: Lookup): string | undefined {
  let result = '';
  for (const part of splitText(text)) {
    const value = 'text' in part ? part.text : read(part.expr, lookup);
    if (typeof value === 'symbol' || typeof value === 'object') return undefined;
    result += String(value);
  }
  return result;
}
