import { FerruleError } from './errors.ts';
import type { Json } from './value.ts';

/** A key (of an object, or the index of a list as digits), or each element. */
export type PathStep = string | typeof EACH;
export const EACH: unique symbol = Symbol('*');

/** Where to read, compiled from its text. */
export interface Path {
  text: string;
  steps: readonly PathStep[];
  /** The last segment ends in `?`: nothing there is no error. */
  optional: boolean;
}

export interface PathProblem {
  problem: string;
  /** In the given text. */
  offset: number;
}

export const isPathProblem = (path: Path | PathProblem): path is PathProblem => 'problem' in path;

/** `a.b`, `a.*.b`, `a.0`, `a["@odata.next"]`, `$` for the root (needed before a leading `*`), a last `?`. */
export function parsePath(text: string): Path | PathProblem {
  const steps: PathStep[] = [];
  let optional = false;
  let at = 0;
  if (text === '') return { problem: 'A path is empty; write $ for the root.', offset: 0 };
  if (text[0] === '$' && (text.length === 1 || '.[?'.includes(text[1]!))) at = 1;
  while (at < text.length) {
    if (text[at] === '?') {
      if (at + 1 < text.length) return { problem: 'Only the last segment of a path may end in ?.', offset: at };
      optional = true;
      break;
    }
    const step = text[at] === '[' ? bracketStep(text, at) : nameStep(text, at);
    if ('problem' in step) return step;
    steps.push(step.step);
    at = step.end;
  }
  return { text, steps, optional };
}

type Step = { step: PathStep; end: number } | PathProblem;

function bracketStep(text: string, at: number): Step {
  const match = /^\[("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\d+)\]/.exec(text.slice(at));
  if (!match) return { problem: 'Brackets in a path hold a quoted key: a["b.c"].', offset: at };
  const inner = match[1]!;
  const quoted = inner[0] === '"' || inner[0] === "'";
  return { step: quoted ? inner.slice(1, -1).replace(/\\(.)/g, '$1') : inner, end: at + match[0].length };
}

function nameStep(text: string, at: number): Step {
  let start = at;
  if (text[at] === '.') start++;
  else if (at > 0) return { problem: `A path goes on with . or [ here, not with ${text[at]}.`, offset: at };
  const match = /^(?:\*|[^.[\]?*${}\s"']+)/.exec(text.slice(start));
  if (match) {
    if (start === 0 && match[0] === '*') return { problem: 'A leading * needs the root before it: $.*', offset: 0 };
    return { step: match[0] === '*' ? EACH : match[0], end: start + match[0].length };
  }
  if (text.startsWith('${', start)) {
    return { problem: 'A path holds no ${…}; in its place may stand exactly one ${…} for the whole.', offset: start };
  }
  const what = start >= text.length ? 'A path may not end in a dot.' : `A key with ${text[start]} is written in quotes: ["…"].`;
  return { problem: what, offset: start };
}

const compiled = new Map<string, Path>();

/** For texts that lint has passed. @throws FerruleError spec_invalid */
export function compilePath(text: string): Path {
  const known = compiled.get(text);
  if (known) return known;
  const path = parsePath(text);
  if (isPathProblem(path)) throw new FerruleError('spec_invalid', path.problem, { where: text });
  if (compiled.size > 10_000) compiled.clear();
  compiled.set(text, path);
  return path;
}

/**
 * What stands at the path; undefined when nothing does (a null is a null). `*` collects one flat list over the
 * elements of a list, and takes a single object for a list of one. An element that lacks the rest makes the whole
 * undefined, so that no record is lost unseen; with `?` it is left out.
 */
export function readPath(path: Path, root: Json | undefined): Json | undefined {
  return walk(path.steps, 0, root, path.optional);
}

function walk(steps: readonly PathStep[], from: number, root: Json | undefined, skipMissing: boolean): Json | undefined {
  let value = root;
  for (let i = from; i < steps.length; i++) {
    const step = steps[i]!;
    if (value === null || typeof value !== 'object') return undefined;
    if (step === EACH) return each(steps, i, value, skipMissing);
    value = member(value, step);
  }
  return value;
}

/** Own keys only: no path reaches a prototype. */
function member(value: Json[] | { [key: string]: Json }, key: string): Json | undefined {
  if (Array.isArray(value)) return /^\d{1,9}$/.test(key) ? value[Number(key)] : undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function each(steps: readonly PathStep[], at: number, value: Json[] | { [key: string]: Json }, skipMissing: boolean): Json | undefined {
  const items = Array.isArray(value) ? value : [value];
  const nested = steps.indexOf(EACH, at + 1) >= 0;
  const result: Json[] = [];
  for (const item of items) {
    const found = walk(steps, at + 1, item, skipMissing);
    if (found === undefined) {
      if (skipMissing) continue;
      return undefined;
    }
    if (nested) {
      for (const element of found as Json[]) result.push(element);
    } else {
      result.push(found);
    }
  }
  return result;
}

/**
 * As `readPath`, but nothing there is an error that names the first missing segment and the keys that are there.
 * @param where what reads it: `streams.orders.records`
 * @param first the number of the root's first element, for messages, where the root is a piece of a longer list
 * @throws FerruleError path_missing
 */
export function readRequired(path: Path, root: Json | undefined, where: string, first = 0): Json | undefined {
  const value = readPath(path, root);
  if (value !== undefined || path.optional) return value;
  throw new FerruleError('path_missing', missingText(path, root, first), { where });
}

function missingText(path: Path, root: Json | undefined, first = 0): string {
  let value: Json | undefined = root;
  let read = '$';
  for (const step of path.steps) {
    if (step === EACH) {
      if (value === null || typeof value !== 'object') break;
      const rest = path.steps.slice(path.steps.indexOf(step) + 1);
      const items: Json[] = Array.isArray(value) ? value : [value];
      const index = items.findIndex((item) => walk(rest, 0, item, false) === undefined);
      const inner = missingText({ text: path.text, steps: rest, optional: false }, items[Math.max(index, 0)]);
      return `Path ${path.text}, element ${first + index}: ${inner}`;
    }
    if (value === null || typeof value !== 'object') break;
    const next = member(value, step);
    if (next === undefined) return `Path ${path.text} finds nothing: ${read} has no ${step}. ${describe(value)}`;
    value = next;
    read = read === '$' ? step : `${read}.${step}`;
  }
  const kind = value === undefined ? 'nothing' : value === null ? 'null' : `a ${typeof value}`;
  return `Path ${path.text} finds nothing: ${read} is ${kind}.`;
}

/** The names that stand there, never values. */
export function describe(value: object): string {
  if (Array.isArray(value)) return `It is a list of ${value.length}.`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'It has no keys.';
  const shown = keys.slice(0, 10).map((key) => (key.length > 40 ? `${key.slice(0, 40)}…` : key));
  return `It has: ${shown.join(', ')}${keys.length > 10 ? `, … (${keys.length})` : ''}.`;
}
