import { ABSENT } from '../absent.ts';
import { FerruleError } from '../errors.ts';
import { describe } from '../path.ts';
import { Secret } from '../secret.ts';
import { suggest } from '../suggest.ts';
import type { Problem, Scope, ScopeEntry, ScopeType, Vars } from './types.ts';

/** A name or key within a look-up, with its offset in the expression. */
export interface Name {
  name: string;
  start: number;
  end: number;
}

/** A plain look-up that the scope knows: `fields.site`, `response.body["@odata.next"]`, `parent.id`. */
export interface Lookup {
  names: string[];
  /** How many of the names are declared; the others lie in data. */
  declared: number;
  /** What the declared part says; type any below unknown content. */
  entry: ScopeEntry;
  type: ScopeType;
  secret: boolean;
  absent: boolean;
}

const PLAIN = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:"[^"\\\n]*"|'[^'\\\n]*'|\d{1,9})\])*$/;
const WORDS = new Set(['true', 'false', 'null', 'in']);

/** The names of a plain look-up, or undefined when the text is more than that. */
export function plainNames(text: string): Name[] | undefined {
  if (!PLAIN.test(text)) return undefined;
  return text.includes('[') ? bracketedNames(text) : dottedNames(text);
}

function dottedNames(text: string): Name[] | undefined {
  const names: Name[] = [];
  let start = 0;
  for (const name of text.split('.')) {
    if (WORDS.has(name)) return undefined;
    names.push({ name, start, end: start + name.length });
    start += name.length + 1;
  }
  return names;
}

function bracketedNames(text: string): Name[] | undefined {
  const names: Name[] = [];
  for (const match of text.matchAll(/[A-Za-z_]\w*|"[^"]*"|'[^']*'|\d+/g)) {
    const quoted = match[0][0] === '"' || match[0][0] === "'";
    if (!quoted && WORDS.has(match[0])) return undefined;
    names.push({ name: quoted ? match[0].slice(1, -1) : match[0], start: match.index, end: match.index + match[0].length });
  }
  return names;
}

/** Looks names up in the scope. A misspelt one is a problem that says what is legal there. */
export function resolve(names: readonly Name[], scope: Scope): Lookup | Problem {
  let entry: ScopeEntry | undefined;
  let secret = false;
  let absent = false;
  let at = 0;
  for (; at < names.length; at++) {
    const members: Record<string, ScopeEntry> | undefined = at === 0 ? scope : entry!.members;
    if (!members) {
      if (entry!.others) {
        entry = entry!.others;
        continue;
      }
      if (!['any', 'map', 'list'].includes(entry!.type)) return noParts(names, at, entry!);
      break;
    }
    const { name } = names[at]!;
    if (!Object.hasOwn(members, name)) return unknown(names, at, Object.keys(members));
    entry = members[name]!;
    secret ||= entry.secret === true;
    absent ||= entry.absent === true;
  }
  const below = at < names.length;
  return {
    names: names.map(({ name }) => name),
    declared: at,
    entry: entry!,
    type: below ? 'any' : entry!.type,
    secret: secret || (!below && holdsSecret(entry!)),
    absent,
  };
}

const holdsSecret = (entry: ScopeEntry): boolean =>
  entry.secret === true || (entry.members !== undefined && Object.values(entry.members).some(holdsSecret));

function unknown(names: readonly Name[], at: number, legal: string[]): Problem {
  const { name, start, end } = names[at]!;
  const near = suggest(name, legal);
  const shown = legal.length > 12 ? `${legal.slice(0, 12).join(', ')}, …` : legal.join(', ');
  const there = legal.length === 0 ? 'There is nothing here that can be named.' : `There ${legal.length === 1 ? 'is' : 'are'}: ${shown}.`;
  return {
    rule: 'expression_name',
    message: at === 0 ? `Nothing is called ${name} here.` : `${textOf(names.slice(0, at))} has no ${name}.`,
    hint: near ? `Did you mean ${near}? ${there}` : there,
    start,
    end,
  };
}

function noParts(names: readonly Name[], at: number, entry: ScopeEntry): Problem {
  const { name, start, end } = names[at]!;
  return {
    rule: 'expression_type',
    message: `${textOf(names.slice(0, at))} is a ${entry.type} and has no part ${name}.`,
    start,
    end,
  };
}

const textOf = (names: readonly Name[]): string => names.map(({ name }) => name).join('.');

/**
 * The value of a look-up: ABSENT where the spec says that it may be, an error where data lacks it. A Secret comes as it is.
 * @param source the whole expression, for the error
 */
export function read(lookup: Lookup, vars: Vars, source: string): unknown {
  let value: unknown = vars;
  const { names } = lookup;
  for (let i = 0; i < names.length; i++) {
    const next = member(value, names[i]!);
    if (next === undefined || next === ABSENT) {
      if (lookup.absent && i < lookup.declared) return ABSENT;
      throw missing(names, i, value, source);
    }
    value = next;
  }
  return lookup.type === 'any' ? value : coerced(value, lookup.type);
}

/** As `read`, but undefined wherever nothing is there. */
export function peek(lookup: Lookup, vars: Vars): unknown {
  let value: unknown = vars;
  for (const name of lookup.names) {
    value = member(value, name);
    if (value === undefined || value === ABSENT) return undefined;
  }
  return value === null || lookup.type === 'any' ? value : coerced(value, lookup.type);
}

/** Own keys only: no look-up reaches a prototype or the inside of a Secret. */
function member(value: unknown, name: string): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Secret) return undefined;
  if (Array.isArray(value)) return /^\d{1,9}$/.test(name) ? value[Number(name)] : undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** Stored values are sometimes looser than their type: a count kept as text, a time as epoch milliseconds. */
function coerced(value: unknown, type: ScopeType): unknown {
  if (type === 'time' && typeof value === 'number') return new Date(value);
  if (type === 'number' && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) {
    // Beyond 2^53 the digits matter more than the type.
    const number = Number(value);
    return Number.isSafeInteger(number) || value.includes('.') ? number : value;
  }
  return value;
}

function missing(names: readonly string[], at: number, holder: unknown, source: string): FerruleError {
  const before = names.slice(0, at).join('.');
  if (at === 0) return new FerruleError('path_missing', `${names[0]} has no value here.`, { where: `\${${source}}` });
  if (holder === null || typeof holder !== 'object' || holder instanceof Secret) {
    const what = holder === null ? 'null' : `no map or list`;
    return new FerruleError('path_missing', `${before} is ${what}; it has no ${names[at]}.`, { where: `\${${source}}` });
  }
  return new FerruleError('path_missing', `${before} has no ${names[at]}. ${describe(holder)}`, { where: `\${${source}}` });
}
