import { ABSENT } from '../absent.ts';
import { FerruleError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { analyse, type Slot } from './analyse.ts';
import { codeOf, isMissing, parse, SIGNAL, treeOf } from './environment.ts';
import { explain, typeWord } from './explain.ts';
import { FunctionFailure, LONGEST_TEXT, plain, TOO_LARGE } from './functions.ts';
import { type Lookup, peek, read, resolve } from './lookup.ts';
import type { Expression, Opened, Problem, Scope, Vars } from './types.ts';

/** Compiled expressions by their source, each with the look-ups that it was compiled for. */
const cache = new Map<string, { lookups: readonly Lookup[]; expression: Expression }[]>();
const MOST = 1000;

/**
 * Compiles what is more than a plain look-up. Offsets of problems count from the expression's first character. All that
 * an expression takes from a scope is what its look-ups find there: where another scope says the same of them, the
 * expression is the same. One text stands in several scopes, and the same idioms in many specs.
 */
export function compileCel(source: string, scope: Scope): { expression: Expression | undefined; problems: Problem[] } {
  const made = cache.get(source);
  const same = made?.find(({ lookups }) => lookups.every((lookup) => isSame(lookup, scope)));
  if (same !== undefined) return { expression: same.expression, problems: [] };
  const { expression, problems, lookups } = compileAfresh(source, scope);
  if (expression !== undefined) {
    if (cache.size >= MOST) cache.clear();
    cache.set(source, [...(made ?? []).slice(-3), { lookups, expression }]);
  }
  return { expression, problems };
}

function isSame(lookup: Lookup, scope: Scope): boolean {
  const found = resolve(
    lookup.names.map((name) => ({ name, start: 0, end: 0 })),
    scope,
  );
  if ('rule' in found) return false;
  const { declared, type, secret, absent } = lookup;
  return found.declared === declared && found.type === type && found.secret === secret && found.absent === absent;
}

interface Fresh {
  expression: Expression | undefined;
  problems: Problem[];
  lookups: readonly Lookup[];
}

function compileAfresh(source: string, scope: Scope): Fresh {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(source);
  } catch (error) {
    return failed(explain(error, source));
  }
  const found = analyse(treeOf(parsed), source, scope);
  if (found.problems.length > 0) return { expression: undefined, problems: found.problems, lookups: [] };
  const checked = parsed.check();
  if (!checked.valid) return failed(explain(checked.error, source));
  const division = found.wholeDivision();
  if (division) return failed(division);
  const context = slotContext(found.slots, source);
  return {
    expression: {
      source,
      mentions: found.lookups.map(({ names, declared }) => names.slice(0, declared)),
      lookup: undefined,
      entry: undefined,
      hostLabel: found.hostLabel,
      secret: found.lookups.some(({ secret }) => secret),
      canBeAbsent: found.canBeAbsent,
      type: typeWord(checked.type ?? 'dyn'),
      run: (vars, opened) => run(parsed, context, vars, opened, source, found.builds),
    },
    problems: [],
    lookups: found.lookups,
  };
}

const failed = (problem: Problem): Fresh => ({ expression: undefined, problems: [problem], lookups: [] });

interface SlotContext {
  vars: Vars;
  opened: Opened;
}

/** An object with a getter per slot, so that CEL's branches read only what they need. */
function slotContext(slots: readonly Slot[], source: string): object {
  const prototype = {};
  for (const { name, mode, lookup } of slots) {
    Object.defineProperty(prototype, name, {
      get(this: SlotContext): unknown {
        if (mode === 'has') return peek(lookup, this.vars) !== undefined;
        const value = mode === 'soft' ? peek(lookup, this.vars) : read(lookup, this.vars, source);
        if (value === ABSENT || (mode === 'soft' && (value === undefined || value === null))) throw SIGNAL;
        return open(value, this.opened, lookup.secret);
      },
    });
  }
  return prototype;
}

/** Secrets are opened here, where an expression works on them, and its result is wrapped again. */
export function open(value: unknown, opened: Opened, deep: boolean): unknown {
  if (value instanceof Secret) {
    opened.secret = true;
    return value.reveal();
  }
  if (!deep || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => open(item, opened, true));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item, opened, true)]));
}

function run(
  parsed: (context: object) => unknown,
  prototype: object,
  vars: Vars,
  opened: Opened,
  source: string,
  builds: boolean,
): unknown {
  const context = Object.create(prototype) as SlotContext;
  context.vars = vars;
  context.opened = opened;
  try {
    const result = parsed(context);
    if (typeof result === 'string' && result.length > LONGEST_TEXT) throw new FunctionFailure(TOO_LARGE);
    if (result !== null && typeof result === 'object' && !builds && !(result instanceof Date)) return result;
    return result instanceof Date ? result : plain(result);
  } catch (error) {
    if (error === SIGNAL) return ABSENT;
    throw failure(error, source);
  }
}

/** The library's messages may quote values; only its codes and our own words go on. */
function failure(error: unknown, source: string): FerruleError {
  const where = `\${${source}}`;
  if (error instanceof FerruleError) return error.where ? error : new FerruleError(error.code, error.message, { where });
  if (error instanceof FunctionFailure) return new FerruleError('expression_failed', `The expression failed: ${error.message}.`, { where });
  if (isMissing(error)) return new FerruleError('path_missing', 'The expression looks up a key or item that is not there.', { where });
  const code = codeOf(error);
  return new FerruleError('expression_failed', `The expression failed: ${FAILURES[code] ?? 'a value has an unexpected type'}.`, { where });
}

const FAILURES: Record<string, string> = {
  division_by_zero: 'division by zero',
  modulo_by_zero: 'division by zero',
  numeric_overflow: 'a number is too large',
  bool_conversion_error: 'bool() got a text that is no yes or no',
  double_conversion_error: 'double() got a text that is no number',
  int_conversion_error: 'int() got a text that is no whole number',
  index_out_of_range: 'an index lies outside the text or list',
  invalid_condition_type: 'a condition is neither true nor false',
  invalid_logical_operand: '&& and || take only true or false',
  no_such_overload: 'an operator met values of types that it does not work on',
  no_matching_overload: 'a function got values of types that it does not take',
  variable_type_mismatch: 'a value is not of the type that the spec says',
};
