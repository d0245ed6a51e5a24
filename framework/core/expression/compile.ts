import { FerruleError } from '../errors.ts';
import { compileCel, open } from './cel.ts';
import { plainNames, read, resolve } from './lookup.ts';
import { type Compound, hostProblem, literalProblem, standsInUrl } from './place.ts';
import { type Piece, split } from './split.ts';
import { CompiledTemplate } from './template.ts';
import type { Compiled, Expression, Kind, Place, Problem, Scope, Stands, Template } from './types.ts';

const cache = new WeakMap<Scope, Map<string, Compiled>>();

/**
 * Compiles a text with `${…}` for its kind and place, with the names that the scope declares. All problems come back;
 * nothing is thrown. The result is kept for as long as the scope object lives, so make one object per place.
 */
export function compile(source: string, kind: Kind, place: Place, scope: Scope): Compiled {
  let known = cache.get(scope);
  if (!known) {
    known = new Map();
    cache.set(scope, known);
  }
  const key = `${kind} ${place} ${source}`;
  let result = known.get(key);
  if (!result) {
    result = compileAfresh(source, kind, place, scope);
    known.set(key, result);
  }
  return result;
}

/** For specs that lint has passed. @throws FerruleError spec_invalid with the first problem */
export function compileOrThrow(source: string, kind: Kind, place: Place, scope: Scope): Template {
  const { template, problems } = compile(source, kind, place, scope);
  if (template) return template;
  const first = problems[0]!;
  throw new FerruleError('spec_invalid', first.message, { where: source, ...(first.hint !== undefined && { next: first.hint }) });
}

/** Longer texts are documents (GraphQL, XML) and may well be; one expression is not. */
const LONGEST_EXPRESSION = 4000;
/** Expressions, and what stands between them. A long document has a few dozen. */
const MOST_PIECES = 2000;

function compileAfresh(source: string, kind: Kind, place: Place, scope: Scope): Compiled {
  const { pieces, problems } = source.includes('$') ? split(source) : { pieces: source === '' ? [] : [{ text: source }], problems: [] };
  if (problems.length > 0) return failed(problems);
  if (pieces.length > MOST_PIECES) {
    return failed([
      { rule: 'expression_syntax', message: `One text may have ${MOST_PIECES} pieces at most.`, start: 0, end: source.length },
    ]);
  }
  const shape = shapeProblem(source, pieces, kind);
  if (shape) return failed([shape]);

  const compounds: Compound[] = [];
  for (const piece of pieces) {
    if ('text' in piece) {
      compounds.push(piece);
      const problem = literalProblem(piece.text, place);
      if (problem) problems.push({ rule: 'expression_place', message: problem, start: 0, end: source.length });
      continue;
    }
    const { expression, problems: found } = compileExpression(piece.source, scope);
    for (const problem of found) problems.push({ ...problem, start: problem.start + piece.inner, end: problem.end + piece.inner });
    if (expression) compounds.push({ expression, start: piece.start, end: piece.end });
  }
  if (problems.length > 0) return failed(problems);

  const { stands, problems: misplaced } = standing(compounds, place);
  problems.push(...misplaced);
  compounds.forEach((compound, index) => {
    if ('text' in compound) return;
    const problem = partProblem(compound.expression, compounds.length === 1, kind, place, stands[index]!);
    if (problem) problems.push({ ...problem, start: compound.start, end: compound.end });
  });
  if (problems.length > 0) return failed(problems);
  return { template: new CompiledTemplate(source, kind, place, compounds, stands), problems };
}

const failed = (problems: Problem[]): Compiled => ({ template: undefined, problems });

const ONE: Partial<Record<Kind, string>> = {
  condition: 'A condition is exactly one ${…}.',
  computed_path: 'In place of a path stands exactly one ${…}.',
  number: 'A number is digits, or exactly one ${…}.',
};

function shapeProblem(source: string, pieces: readonly Piece[], kind: Kind): Problem | undefined {
  const message = ONE[kind];
  if (!message) return undefined;
  const only = pieces.length === 1 ? pieces[0]! : undefined;
  if (only && 'source' in only) return undefined;
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(source)) return undefined;
  const bare = pieces.every((piece) => 'text' in piece) && source !== '';
  return {
    rule: 'expression_syntax',
    message,
    ...(bare && { hint: `Write \${${source}}.` }),
    start: 0,
    end: source.length,
  };
}

const CONSTANTS: Record<string, { value: unknown; type: Expression['type'] }> = {
  null: { value: null, type: 'null' },
  true: { value: true, type: 'bool' },
  false: { value: false, type: 'bool' },
};

/** A plain look-up (nine of ten) goes to the walker that paths use, the rest to CEL. */
function compileExpression(source: string, scope: Scope): { expression: Expression | undefined; problems: Problem[] } {
  const trimmed = source.trim();
  if (trimmed === '') {
    return failedExpression({
      rule: 'expression_syntax',
      message: 'The expression is empty.',
      hint: 'Write $${} for a literal ${}.',
      start: 0,
      end: source.length,
    });
  }
  const constant = Object.hasOwn(CONSTANTS, trimmed) ? CONSTANTS[trimmed]! : undefined;
  if (constant) return { expression: { ...NOTHING, source: trimmed, type: constant.type, run: () => constant.value }, problems: [] };
  if (source.length > LONGEST_EXPRESSION) {
    return failedExpression({
      rule: 'expression_refused',
      message: `An expression has at most ${LONGEST_EXPRESSION} characters.`,
      start: 0,
      end: source.length,
    });
  }
  const names = plainNames(trimmed);
  if (!names) return compileCel(source, scope);
  const lookup = resolve(names, scope);
  if ('rule' in lookup) {
    const shift = source.indexOf(trimmed);
    return failedExpression({ ...lookup, start: lookup.start + shift, end: lookup.end + shift });
  }
  const expression: Expression = {
    source: trimmed,
    mentions: [lookup.names.slice(0, lookup.declared)],
    lookup: lookup.names,
    entry: lookup.declared === lookup.names.length ? lookup.entry : undefined,
    hostLabel: false,
    secret: lookup.secret,
    canBeAbsent: lookup.absent,
    type: lookup.type,
    run: (vars, opened) => open(read(lookup, vars, trimmed), opened, lookup.secret),
  };
  return { expression, problems: [] };
}

const NOTHING = { mentions: [], lookup: undefined, entry: undefined, hostLabel: false, secret: false, canBeAbsent: false };

const failedExpression = (problem: Problem): { expression: undefined; problems: Problem[] } => ({
  expression: undefined,
  problems: [problem],
});

function standing(compounds: readonly Compound[], place: Place): { stands: Stands[]; problems: Problem[] } {
  if (place === 'url') return standsInUrl(compounds);
  const stand: Stands = place === 'host' || place === 'path' ? place : 'text';
  const problems: Problem[] = [];
  for (const compound of compounds) {
    const problem = place === 'host' && 'expression' in compound ? hostProblem(compound.expression) : undefined;
    if (problem && 'expression' in compound)
      problems.push({ rule: 'expression_place', ...problem, start: compound.start, end: compound.end });
  }
  return { stands: compounds.map((compound) => ('text' in compound ? 'text' : stand)), problems };
}

type Bare = Omit<Problem, 'start' | 'end'>;
/** Entries of maps, which are left out when absent, and places whose reader asks. */
const MAY_BE_ABSENT = new Set<Place>(['header', 'cookie', 'query', 'body', 'data', 'plain']);

function partProblem(expression: Expression, whole: boolean, kind: Kind, place: Place, stands: Stands): Bare | undefined {
  return (
    secrecyProblem(expression, place, stands) ??
    absenceProblem(expression, whole, kind, place) ??
    typeProblem(expression, whole, kind, place)
  );
}

function secrecyProblem({ secret, mentions }: Expression, place: Place, stands: Stands): Bare | undefined {
  if (place === 'graphql' && !mentions.every(([root]) => root === 'with')) {
    return {
      rule: 'expression_place',
      message: 'A GraphQL query takes no values.',
      hint: 'Declare a variable in the query and give it under variables.',
    };
  }
  if (!secret) return undefined;
  if (stands === 'host' || stands === 'url') return { rule: 'expression_place', message: 'A secret may not stand in a host.' };
  if (place === 'label') return { rule: 'expression_place', message: 'A secret may not be shown.' };
  if (place === 'data') return { rule: 'expression_place', message: 'A secret may not become data.' };
  return undefined;
}

function absenceProblem({ canBeAbsent, source }: Expression, whole: boolean, kind: Kind, place: Place): Bare | undefined {
  if (!canBeAbsent || (whole && MAY_BE_ABSENT.has(place) && kind !== 'condition' && kind !== 'number')) return undefined;
  return {
    rule: 'expression_type',
    message: `${source} may be absent, and nothing can be left out here.`,
    hint: `Only an entry that is exactly one \${…} is left out. Write default(${source}, …) for another value.`,
  };
}

function typeProblem({ type }: Expression, whole: boolean, kind: Kind, place: Place): Bare | undefined {
  const wrong = (message: string, hint?: string): Bare => ({ rule: 'expression_type', message, ...(hint !== undefined && { hint }) });
  if (kind === 'condition')
    return type === 'bool' || type === 'any'
      ? undefined
      : wrong(`A condition is true or false; this is a ${type}.`, 'Compare with ==, or ask has(…).');
  if (kind === 'number') return type === 'number' || type === 'any' ? undefined : wrong(`A number is wanted; this is a ${type}.`);
  if (type === 'bytes' && whole && place === 'key') return undefined;
  if (type === 'bytes') return wrong('Bytes are no text.', 'Write base64(…), base64url(…) or hex(…) around them.');
  if (type === 'duration' || type === 'type') return wrong(`A ${type} cannot be sent.`);
  if (kind === 'text' || !whole) {
    if (type === 'list') return wrong('A list is no text.', 'Write list.join(",") or json(list).');
    if (type === 'map') return wrong('A map is no text.', 'Name one part of it, or write json(map) or query(map).');
    if (type === 'null') return wrong('null is no text.');
  }
  return undefined;
}
