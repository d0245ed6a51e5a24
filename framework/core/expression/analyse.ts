import { suggest } from '../suggest.ts';
import { argumentProblems } from './arguments.ts';
import { type Node, parseTree, slotName, slotNode } from './environment.ts';
import { FUNCTIONS } from './functions.ts';
import { type Lookup, type Name, resolve } from './lookup.ts';
import type { Problem, Scope, ScopeType } from './types.ts';

/** How a slot reads: an error, nothing, or a yes/no where data lacks it. */
export type SlotMode = 'strict' | 'soft' | 'has';

export interface Slot {
  name: string;
  mode: SlotMode;
  lookup: Lookup;
}

/** What a walk over an expression's tree finds. */
export interface Analysis {
  problems: Problem[];
  slots: Slot[];
  lookups: Lookup[];
  canBeAbsent: boolean;
  /** The whole is host_label(…). */
  hostLabel: boolean;
  /** It makes lists or maps of its own, whose numbers must be made plain. */
  builds: boolean;
  /** To be asked after the type check: a division of two whole numbers, which drops the rest. */
  wholeDivision(): Problem | undefined;
}

/** Where a node stands. */
interface Spot {
  /** Its value is the value of the whole: only there may something be absent. */
  top: boolean;
  /** Names that macros bind. */
  bound: readonly string[];
  /** Look-ups that has() has asked for in a condition around it. */
  guarded: readonly string[];
}

/** Deeper trees would overflow the stack, ours or the library's. */
const DEEPEST = 500;

const GLOBALS = FUNCTIONS.filter((known) => !known.method);
const METHODS = FUNCTIONS.filter((known) => known.method);
const MACROS = new Set(FUNCTIONS.filter((known) => known.macro).map(({ name }) => name));

export const analyse = (root: Node, source: string, scope: Scope): Analysis => new Walk(source, scope).start(root);

class Walk {
  readonly #source: string;
  readonly #scope: Scope;
  readonly #problems: Problem[] = [];
  readonly #slots: Slot[] = [];
  readonly #lookups: Lookup[] = [];
  readonly #divisions: Node[] = [];
  readonly #used = new Map<ScopeType, number>();
  #canBeAbsent = false;
  #builds = false;
  #depth = 0;
  #tooDeep = false;

  constructor(source: string, scope: Scope) {
    this.#source = source;
    this.#scope = scope;
  }

  start(root: Node): Analysis {
    const hostLabel = root.op === 'call' && (root.args as [string])[0] === 'host_label';
    this.#visit(root, { top: true, bound: [], guarded: [] });
    return {
      problems: this.#problems,
      slots: this.#slots,
      lookups: this.#lookups,
      canBeAbsent: this.#canBeAbsent,
      hostLabel,
      builds: this.#builds,
      wholeDivision: () => this.#wholeDivision(),
    };
  }

  #problem(rule: Problem['rule'], node: { start: number; end: number }, message: string, hint?: string): void {
    this.#problems.push({ rule, message, ...(hint !== undefined && { hint }), start: node.start, end: node.end });
  }

  #visit(node: Node, spot: Spot): void {
    if (this.#depth === DEEPEST) {
      if (!this.#tooDeep) this.#problem('expression_refused', node, `The expression is more than ${DEEPEST} levels deep.`);
      this.#tooDeep = true;
      return;
    }
    this.#depth++;
    this.#visitNode(node, spot);
    this.#depth--;
  }

  #visitNode(node: Node, spot: Spot): void {
    const inner = { ...spot, top: false };
    switch (node.op) {
      case 'value': {
        this.#literal(node);
        return;
      }
      case 'id':
      case '.':
      case '[]': {
        this.#access(node, spot);
        return;
      }
      case 'call': {
        this.#call(node, spot);
        return;
      }
      case 'rcall': {
        this.#methodCall(node, inner);
        return;
      }
      case '?:': {
        const [condition, yes, no] = node.args as [Node, Node, Node];
        this.#visit(condition, inner);
        this.#visit(yes, { ...spot, guarded: this.#guards(condition, spot) });
        this.#visit(no, spot);
        return;
      }
      case '&&': {
        const [left, right] = node.args as [Node, Node];
        this.#visit(left, inner);
        this.#visit(right, { ...inner, guarded: this.#guards(left, spot) });
        return;
      }
      case 'list':
        this.#builds = true;
        for (const item of node.args as Node[]) this.#visit(item, inner);
        return;
      case 'map':
        this.#builds = true;
        for (const [key, value] of node.args as [Node, Node][]) {
          this.#visit(key, inner);
          this.#visit(value, inner);
        }
        return;
      default:
        if (node.op === '/' || node.op === '%') this.#divisions.push(node);
        for (const child of Array.isArray(node.args) ? (node.args as Node[]) : [node.args as Node]) this.#visit(child, inner);
    }
  }

  /** All numbers are doubles, as in JSON; the library would divide whole ones without the rest. */
  #literal(node: Node): void {
    if (typeof node.args === 'bigint') {
      const number = Number(node.args);
      if (!Number.isSafeInteger(number)) {
        this.#problem('expression_type', node, 'A number beyond 2^53 would be rounded.', 'Write it as a text, in quotes.');
        return;
      }
      node.args = number;
    } else if (typeof node.args === 'object' && node.args !== null && !(node.args instanceof Uint8Array)) {
      this.#problem('expression_refused', node, 'Numbers have no u at their end.');
    }
  }

  #access(node: Node, spot: Spot): void {
    const names = chain(node);
    if (names && !spot.bound.includes(names[0]!.name)) {
      const lookup = this.#lookup(names);
      if (!lookup) return;
      if (lookup.absent && !spot.guarded.includes(keyOf(names))) this.#absent(node, names, spot);
      this.#slot(node, lookup, 'strict');
      return;
    }
    if (node.op === 'id') return;
    const [holder, index] = node.args as [Node, Node | string];
    this.#visit(holder, { ...spot, top: false });
    if (node.op === '[]') this.#index(index as Node, node, spot);
  }

  #index(index: Node, node: Node, spot: Spot): void {
    // A literal index stays the whole number that the library wants.
    if (index.op === 'value') return;
    this.#visit(index, { ...spot, top: false });
    const wrapped = wrap('index_of', index);
    (node.args as [Node, Node])[1] = wrapped;
  }

  #lookup(names: readonly Name[]): Lookup | undefined {
    const found = resolve(names, this.#scope);
    if ('rule' in found) {
      this.#problems.push(found);
      return undefined;
    }
    this.#lookups.push(found);
    return found;
  }

  #absent(node: Node, names: readonly Name[], spot: Spot): void {
    if (spot.top) {
      this.#canBeAbsent = true;
      return;
    }
    const text = names.map(({ name }) => name).join('.');
    this.#problem(
      'expression_type',
      node,
      `${text} may be absent here.`,
      `Write default(${text}, …), or given(has(${text}), …) for the whole.`,
    );
  }

  #slot(node: Node, lookup: Lookup, mode: SlotMode): void {
    const type = mode === 'has' ? 'bool' : lookup.type;
    const index = this.#used.get(type) ?? 0;
    const name = slotName(type, index);
    if (!name) {
      this.#problem('expression_refused', node, 'The expression looks up too many names.');
      return;
    }
    this.#used.set(type, index + 1);
    this.#slots.push({ name, mode, lookup });
    node.setMeta('alternate', slotNode(name));
  }

  #call(node: Node, spot: Spot): void {
    const [name, args] = node.args as [string, Node[]];
    if (!GLOBALS.some((known) => known.name === name)) {
      this.#unknownFunction(node, name, false);
      return;
    }
    const wanted = ARGUMENTS[name];
    if (wanted !== undefined && wanted !== args.length) {
      const signature = GLOBALS.find((known) => known.name === name)!.signature;
      this.#problem('expression_type', node, `${name} takes ${wanted === 1 ? 'one argument' : `${wanted} arguments`}: ${signature}.`);
      return;
    }
    if (name === 'has') {
      this.#has(node, args[0]!, spot);
      return;
    }
    if (name === 'default') {
      this.#default(args, spot);
      return;
    }
    if (name === 'given') {
      this.#given(node, args, spot);
      return;
    }
    this.#problems.push(...argumentProblems(name, args));
    for (const arg of args) this.#visit(arg, { ...spot, top: false });
    // The library's string() writes 1e+21 and takes no time; ago() needs the attempt's now.
    if (name === 'string') (node.args as [string, Node[]])[0] = 'text_of';
    if (name === 'ago') this.#ago(node, args);
  }

  #ago(node: Node, args: Node[]): void {
    const now = this.#lookup([{ name: 'now', start: node.start, end: node.start + 3 }]);
    if (!now) return;
    const slot = parseTree('now');
    this.#slot(slot, now, 'strict');
    node.args = ['ago_from', [slot, ...args]];
  }

  #has(node: Node, arg: Node, spot: Spot): void {
    const names = chain(arg);
    if (!names || names.length < 2) {
      this.#problem('expression_type', node, 'has() asks for a part of something: has(a.b).');
      return;
    }
    if (spot.bound.includes(names[0]!.name)) return;
    const lookup = this.#lookup(names);
    if (lookup) this.#slot(node, lookup, 'has');
  }

  #default(args: Node[], spot: Spot): void {
    const [first, second] = args as [Node, Node];
    const names = chain(first);
    if (!names) {
      this.#problem('expression_type', first, 'The first part of default() is a plain look-up, such as response.body.name.');
    } else if (!spot.bound.includes(names[0]!.name)) {
      const lookup = this.#lookup(names);
      if (lookup) this.#slot(first, lookup, 'soft');
    }
    this.#visit(second, spot);
  }

  #given(node: Node, args: Node[], spot: Spot): void {
    const [condition, value] = args as [Node, Node];
    if (!spot.top) {
      this.#problem(
        'expression_type',
        node,
        'given() may be absent, so it must be the whole expression.',
        'Within a longer one write condition ? x : y.',
      );
    }
    this.#canBeAbsent = true;
    this.#visit(condition, { ...spot, top: false });
    this.#visit(value, { ...spot, guarded: this.#guards(condition, spot) });
  }

  /** Look-ups that are there when the condition holds: has(x), alone or joined by &&. */
  #guards(condition: Node, spot: Spot): string[] {
    if (condition.op === '&&') {
      const [left, right] = condition.args as [Node, Node];
      return [...this.#guards(left, spot), ...this.#guards(right, spot)];
    }
    if (condition.op === 'call' && (condition.args as [string])[0] === 'has') {
      const names = chain((condition.args as [string, Node[]])[1][0]!);
      if (names) return [...spot.guarded, keyOf(names)];
    }
    return [...spot.guarded];
  }

  #methodCall(node: Node, spot: Spot): void {
    const [name, receiver, args] = node.args as [string, Node, Node[]];
    if (name === 'matches') {
      this.#problem(
        'expression_refused',
        node,
        'matches() can take for ever on hostile text.',
        'Write match(text, pattern): it is linear.',
      );
      return;
    }
    if (!METHODS.some((known) => known.name === name) && !/^get[A-Z]/.test(name)) {
      this.#unknownFunction(node, name, true);
      return;
    }
    this.#visit(receiver, spot);
    if (!MACROS.has(name)) {
      for (const arg of args) this.#visit(arg, spot);
      return;
    }
    this.#macro(node, name, args, spot);
  }

  #macro(node: Node, name: string, args: Node[], spot: Spot): void {
    const comprehension = node.meta.alternate?.args as { iterable: Node } | undefined;
    const variable = args[0];
    if (!comprehension || variable?.op !== 'id') {
      this.#problem('expression_type', node, `${name}() takes a new name first: list.${name}(x, …).`);
      return;
    }
    if (spot.bound.length > 0) {
      this.#problem(
        'expression_refused',
        node,
        `${name}() stands within another list function.`,
        'List functions do not nest: their cost would multiply.',
      );
      return;
    }
    this.#builds = true;
    comprehension.iterable = wrap('iterated', comprehension.iterable);
    const inner = { ...spot, bound: [...spot.bound, variable.args as string] };
    for (const arg of args.slice(1)) this.#visit(arg, inner);
  }

  #unknownFunction(node: Node, name: string, method: boolean): void {
    const [right, other] = method ? [METHODS, GLOBALS] : [GLOBALS, METHODS];
    const misplaced = other.find((known) => known.name === name);
    const near = suggest(
      name,
      right.map((known) => known.name),
    );
    const hint = misplaced
      ? `Write ${misplaced.signature}.`
      : near
        ? `Did you mean ${right.find((known) => known.name === near)!.signature}?`
        : undefined;
    const at = this.#source.indexOf(name, method ? ((node.args as [string, Node])[1].end ?? node.start) : node.start);
    const range = at >= 0 ? { start: at, end: at + name.length } : node;
    this.#problem(
      'expression_name',
      range,
      `There is no ${method ? 'method' : 'function'} ${name}().`,
      hint ?? `There are: ${right.map((known) => known.name).join(', ')}.`,
    );
  }

  #wholeDivision(): Problem | undefined {
    for (const node of this.#divisions) {
      const [left, right] = node.args as [Node, Node];
      if (left.checkedType?.name === 'int' && right.checkedType?.name === 'int') {
        return {
          rule: 'expression_type',
          message: 'A division of two whole numbers drops the rest.',
          hint: 'Write double(…) around one of them.',
          start: node.start,
          end: node.end,
        };
      }
    }
    return undefined;
  }
}

const ARGUMENTS: Record<string, number> = Object.fromEntries(
  GLOBALS.map(({ name, signature }) => [name, signature.split('(')[1]!.split(',').length]),
);

const keyOf = (names: readonly Name[]): string => JSON.stringify(names.map(({ name }) => name));

/** The names of a node that is a plain look-up, also when it has keys in brackets. */
function chain(node: Node): Name[] | undefined {
  const names: Name[] = [];
  let at = node;
  while (at.op !== 'id') {
    if (at.op === '.') {
      const [holder, name] = at.args as [Node, string];
      names.push({ name, start: at.end - name.length, end: at.end });
      at = holder;
    } else if (at.op === '[]') {
      const [holder, index] = at.args as [Node, Node];
      if (index.op !== 'value' || (typeof index.args !== 'string' && typeof index.args !== 'bigint')) return undefined;
      names.push({ name: String(index.args), start: index.start, end: index.end });
      at = holder;
    } else {
      return undefined;
    }
  }
  names.push({ name: at.args as string, start: at.start, end: at.end });
  return names.reverse();
}

/** The node within a call of one of our functions. */
function wrap(name: string, inner: Node): Node {
  const call = parseTree(`${name}(slot_any_0)`);
  (call.args as [string, Node[]])[1][0] = inner;
  return call;
}
