import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { FunctionFailure, registerFunctions } from './functions.ts';
import type { ScopeType } from './types.ts';

/**
 * Everything that is more than a look-up runs on CEL. One environment serves all scopes: each look-up within an
 * expression is replaced by a slot, a variable of its type whose value our own walker reads when CEL asks for it. So
 * names, absence, secrets and missing data are ours, and an environment (45 µs) is built once, not per scope.
 */

/** The tree's mutable side, which the library's types keep to itself. */
export interface Node {
  op: string;
  args: unknown;
  start: number;
  end: number;
  checkedType?: { name: string };
  meta: { alternate?: Node; macro?: unknown };
  setMeta(key: string, value: unknown): Node;
}

/** Thrown through CEL when an absent value is met; `evaluate` turns it into ABSENT. One for all: it has no story to tell. */
class AbsentSignal extends Error {}
export const SIGNAL: Error = new AbsentSignal('absent');

const CEL_TYPES: Record<ScopeType, string> = {
  text: 'string',
  number: 'double',
  bool: 'bool',
  any: 'dyn',
  list: 'list',
  map: 'map',
  time: 'google.protobuf.Timestamp',
  bytes: 'bytes',
};
/** Look-ups of one type that one expression may hold. */
const SLOTS = 32;

let environment: Environment | undefined;
const slotNodes = new Map<string, Node>();

function env(): Environment {
  if (environment) return environment;
  environment = new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: false, unlistedVariablesAreDyn: false });
  registerFunctions(environment);
  environment.registerFunction('default(ast, ast): dyn', defaultMacro as () => unknown);
  environment.registerFunction('given(ast, ast): dyn', givenMacro as () => unknown);
  for (const [type, cel] of Object.entries(CEL_TYPES)) {
    for (let i = 0; i < SLOTS; i++) environment.registerVariable(`slot_${type}_${i}`, cel);
  }
  return environment;
}

export const parse = (source: string): ReturnType<Environment['parse']> => env().parse(source);

export const treeOf = (parsed: ReturnType<Environment['parse']>): Node => parsed.ast as unknown as Node;

export const parseTree = (source: string): Node => treeOf(parse(source));

/** A node that stands for a slot; shared, since it holds nothing of one expression. */
export function slotNode(name: string): Node {
  let node = slotNodes.get(name);
  if (!node) {
    node = parseTree(name);
    slotNodes.set(name, node);
  }
  return node;
}

export function slotName(type: ScopeType, index: number): string | undefined {
  return index < SLOTS ? `slot_${type}_${index}` : undefined;
}

interface MacroCall {
  args: [ASTNode, ASTNode];
}
interface CheckedType {
  isDynOrBool(): boolean;
  unify(registry: unknown, other: CheckedType): CheckedType | null;
}
interface Checker {
  check(node: ASTNode, context: unknown): CheckedType;
  getType(name: string): CheckedType;
  registry: unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Runner {
  run(node: ASTNode, context: unknown): unknown;
}

const defaultMacro = ({ args }: MacroCall) => ({
  args,
  async: false,
  typeCheck(checker: Checker, macro: MacroCall, context: unknown) {
    const first = checker.check(macro.args[0], context);
    const second = checker.check(macro.args[1], context);
    return first.unify(checker.registry, second) ?? checker.getType('dyn');
  },
  evaluate(runner: Runner, macro: MacroCall, context: unknown) {
    const value = valueOrNull(runner, macro.args[0], context);
    return value === null ? runner.run(macro.args[1], context) : value;
  },
});

function valueOrNull(runner: Runner, node: ASTNode, context: unknown): unknown {
  try {
    return runner.run(node, context);
  } catch (error) {
    if (error === SIGNAL || isMissing(error)) return null;
    throw error;
  }
}

export const isMissing = (error: unknown): boolean => codeOf(error) === 'no_such_key' || codeOf(error) === 'index_out_of_bounds';
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

const givenMacro = ({ args }: MacroCall) => ({
  args,
  async: false,
  typeCheck(checker: Checker, macro: MacroCall, context: unknown) {
    if (!checker.check(macro.args[0], context).isDynOrBool()) {
      throw checker.createError('invalid_condition_type', 'given() takes a condition first', macro.args[0]);
    }
    return checker.check(macro.args[1], context);
  },
  evaluate(runner: Runner, macro: MacroCall, context: unknown) {
    const holds = runner.run(macro.args[0], context);
    if (holds === true) return runner.run(macro.args[1], context);
    if (holds === false) throw SIGNAL;
    throw new FunctionFailure('given() got a condition that is neither true nor false');
  },
});
