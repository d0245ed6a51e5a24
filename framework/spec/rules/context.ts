import { type Compiled, compile, type Kind, type Place, type Scope, type ScopeEntry } from '../../core/expression/index.ts';
import type { Login } from '../../core/resolved.ts';
import { attributeEntry, type ScopeName, type Scopes, scopesWith } from '../../core/scope.ts';
import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { sharedScope } from '../../core/window-scope.ts';
import { resolveLogin } from '../resolve.ts';
import { type Shape, type Place as ShapePlace, walk } from '../shape.ts';
import type { SpecList, SpecMap, SpecPath, SpecScalar, SpecTree } from '../tree.ts';
import { inherited, inheritedMap } from './inherited.ts';

/** A scalar that stands where the language has a word for it. */
export type Leaf = ShapePlace & { readonly node: SpecScalar };
/** A map or list that stands where the language has a word for it. */
export type Holder = ShapePlace & { readonly node: SpecMap | SpecList };

/** A leaf with `${…}`, compiled for its place. Names are those of all auth methods together, but in a method its own. */
export interface Expression extends Compiled {
  path: SpecPath;
  place: Place;
  scope: Scope;
  /** The names that it uses, also when it does not compile. */
  mentions: readonly (readonly string[])[];
}

export interface RuleContext {
  /** The long form. */
  tree: SpecTree;
  /** As written. */
  source: SpecTree;
  spec: SpecDocument;
  /** Parts with mistakes were left out: rules that look for what is missing must keep still. */
  partial: boolean;
  leaves: readonly Leaf[];
  /** Those that hold a URL. */
  urls: readonly Leaf[];
  /** Those whose text has a `${`, and all that must be one. */
  marked: readonly Leaf[];
  holders: readonly Holder[];
  expressions: readonly Expression[];
  /** Those that use a variable, by the first part of its name. */
  mentioning(root: string): readonly Expression[];
  /** Those with problems. */
  broken: readonly Expression[];
  /** One for each auth method: resolving all of a spec would cost more than all rules. */
  resolved: Readonly<Record<string, Login>>;
}

export interface ContextParts {
  tree: SpecTree;
  source: SpecTree;
  spec: SpecDocument;
  partial: boolean;
  namesLost: boolean;
}

/** `namesLost`: names that expressions may use were left out with their mistakes, so that no expression can be judged. */
export function makeContext({ tree, source, spec, partial, namesLost }: ContextParts): RuleContext {
  const leaves: Leaf[] = [];
  const urls: Leaf[] = [];
  const marked: Leaf[] = [];
  const holders: Holder[] = [];
  walk(tree, (place) => {
    const { node, shape } = place;
    if (node.kind !== 'scalar') {
      holders.push(place as Holder);
      return;
    }
    leaves.push(place as Leaf);
    if (typeof node.value !== 'string') return;
    if (shape.place === 'url') urls.push(place as Leaf);
    if (node.value.includes('${') || shape.kind === 'condition') marked.push(place as Leaf);
  });
  const resolved = Object.fromEntries(Object.keys(spec.auth).map((method) => [method, resolveLogin(spec, method)]));
  let expressions: Expression[] | undefined;
  let broken: Expression[] | undefined;
  let byRoot: Map<string, Expression[]> | undefined;
  return {
    tree,
    source,
    spec,
    partial,
    leaves,
    urls,
    marked,
    holders,
    resolved,
    get expressions() {
      expressions ??= namesLost ? [] : compileAll(spec, marked, resolved);
      return expressions;
    },
    mentioning(root) {
      byRoot ??= sortByRoot(this.expressions);
      return byRoot.get(root) ?? [];
    },
    get broken() {
      broken ??= this.expressions.filter(({ problems }) => problems.length > 0);
      return broken;
    },
  };
}

// ---- expressions

const KINDS: Partial<Record<NonNullable<Shape['kind']>, Kind>> = { text: 'text', value: 'value', condition: 'condition', number: 'number' };

function compileAll(spec: SpecDocument, leaves: readonly Leaf[], resolved: RuleContext['resolved']): Expression[] {
  const scopes = new ScopeTable(spec, resolved);
  const expressions: Expression[] = [];
  for (const leaf of leaves) {
    const { node, shape } = leaf;
    const kind = shape.kind === 'path' && shape.computed === true ? 'computed_path' : shape.kind && KINDS[shape.kind];
    if (kind === undefined || typeof node.value !== 'string') continue;
    const { path } = leaf;
    const place = placeOf(path, shape, spec);
    const scope = scopes.at(path, (shape.scope ?? 'connection') as ScopeName);
    const compiled = compile(node.value, kind, place, scope);
    const { template, problems } = compiled;
    expressions.push({ path, place, scope, template, problems, mentions: template?.mentions ?? roughMentions(node.value) });
  }
  return expressions;
}

function sortByRoot(expressions: readonly Expression[]): Map<string, Expression[]> {
  const byRoot = new Map<string, Expression[]>();
  for (const expression of expressions) {
    for (const mention of expression.mentions) {
      const root = mention[0] ?? '';
      const known = byRoot.get(root);
      if (known === undefined) byRoot.set(root, [expression]);
      else if (known.at(-1) !== expression) known.push(expression);
    }
  }
  return byRoot;
}

/** What a text that does not compile names, as far as can be told without its tree. */
function roughMentions(text: string): string[][] {
  return [...text.matchAll(/\b[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*/g)].map(([word]) => word.split('.'));
}

/** The document of a GraphQL body takes literals only; all else stands where the schema says. */
function placeOf(path: SpecPath, shape: Shape, spec: SpecDocument): Place {
  const place = (shape.place ?? 'plain') as Place;
  if (place !== 'body' || path.at(-1) !== 'query' || path.at(-2) !== 'body') return place;
  return encodeOf(path.slice(0, -2), spec) === 'graphql' ? 'graphql' : place;
}

export function encodeOf(call: SpecPath, spec: SpecDocument): string | undefined {
  const [first, name] = call;
  if (first === 'streams' && call.length === 2) return inherited(spec, String(name), 'encode');
  if (first === 'templates') {
    const user = Object.keys(spec.streams ?? {}).find((stream) => spec.streams?.[stream]?.use === name);
    return user === undefined ? spec.templates?.[String(name)]?.encode : inherited(spec, user, 'encode');
  }
  let here: unknown = spec;
  for (const step of call) here = (here as Record<string, unknown> | undefined)?.[step];
  return (here as { encode?: string } | undefined)?.encode;
}

/** Scopes are kept: expressions are cached by them. */
class ScopeTable {
  readonly #spec: SpecDocument;
  readonly #resolved: RuleContext['resolved'];
  readonly #choices: Scope;
  readonly #shared: Scope;
  readonly #all = new Map<ScopeName, Scope>();
  readonly #methods = new Map<string, Scopes>();
  readonly #templates = new Map<string, Scope>();
  readonly #earlier = new Map<string, Scope>();

  constructor(spec: SpecDocument, resolved: RuleContext['resolved']) {
    this.#spec = spec;
    this.#resolved = resolved;
    this.#choices = choiceEntries(spec);
    this.#shared = union(Object.keys(resolved).map((method) => this.#method(method)));
  }

  at(path: SpecPath, name: ScopeName): Scope {
    const [part, of] = path;
    if (part === 'streams') return this.#ofStreams(name, [String(of)]);
    if (part === 'templates') return this.#withParameters(String(of), name, this.#ofStreams(name, this.#users(String(of))));
    if (part === 'defaults') return this.#ofStreams(name, Object.keys(this.#spec.streams ?? {}));
    if (part !== 'auth') return this.#ofAll(name);
    const scope = Object.hasOwn(this.#resolved, String(of)) ? this.#method(String(of))[name] : this.#ofAll(name);
    return this.#soFar(path, name, scope);
  }

  /** A place that these streams have: each of them has there what its own cursor gives. */
  #ofStreams(name: ScopeName, streams: readonly string[]): Scope {
    const scope = this.#ofAll(name);
    if (scope.window === undefined) return scope;
    const cursors = streams.map((stream) => inheritedMap(this.#spec, stream, 'cursor'));
    return sharedScope(scope, cursors, this.#ofAll('api'));
  }

  #users(template: string): string[] {
    return Object.entries(this.#spec.streams ?? {}).flatMap(([name, { use }]) => (use === template ? [name] : []));
  }

  /** A place outside the methods: it has the names of all of them; that each method has them is a rule of its own. */
  #ofAll(name: ScopeName): Scope {
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const scope = this.#method(Object.keys(this.#resolved)[0] ?? '')[name];
    const made: Scope = { ...scope };
    for (const root of Object.keys(this.#shared)) if (scope[root] !== undefined) made[root] = this.#shared[root] as ScopeEntry;
    this.#all.set(name, made);
    return made;
  }

  /**
   * In a method's own words only what stands before: vars see the vars above them, a step what the steps before it captured, the
   * page of consent what the steps before the token request did.
   */
  #soFar([, method, part, at]: SpecPath, name: ScopeName, scope: Scope): Scope {
    const resolved = this.#resolved[String(method)]?.method;
    const ordered = part === 'vars' || part === 'steps' || part === 'token' || name === 'authorize';
    if (resolved === undefined || !ordered) return scope;
    const key = `${method}/${part}/${part === 'vars' || part === 'steps' ? at : ''}/${name}`;
    const known = this.#earlier.get(key);
    if (known !== undefined) return known;
    const root = part === 'vars' ? 'vars' : 'token';
    const names = part === 'vars' ? Object.keys(resolved.vars) : [];
    // Discovery comes before the steps that the author wrote.
    const before = resolved.steps.length - (this.#spec.auth[String(method)]?.steps ?? []).length;
    const end = part === 'steps' ? before + Number(at) : 'token';
    const earlier = part === 'vars' ? names.slice(0, names.indexOf(String(at))) : capturedBefore(resolved, end, name !== 'authorize');
    const members = Object.fromEntries(Object.entries(scope[root]?.members ?? {}).filter(([member]) => earlier.includes(member)));
    const made: Scope = { ...scope, [root]: { type: 'map', members } };
    this.#earlier.set(key, made);
    return made;
  }

  #method(name: string): Scopes {
    const known = this.#methods.get(name);
    if (known !== undefined) return known;
    const made = scopesWith(this.#resolved[name] as Login, this.#choices);
    this.#methods.set(name, made);
    return made;
  }

  #withParameters(template: string, name: ScopeName, scope: Scope): Scope {
    const key = `${template}/${name}`;
    const known = this.#templates.get(key);
    if (known !== undefined) return known;
    const users = Object.values(this.#spec.streams ?? {}).filter(({ use }) => use === template);
    const names = users.flatMap((stream) => Object.keys(stream.with ?? {}));
    const members = Object.fromEntries(names.map((parameter): [string, ScopeEntry] => [parameter, { type: 'text', trusted: true }]));
    const made: Scope = { ...scope, with: { type: 'map', ...(users.length > 0 && { members }) } };
    this.#templates.set(key, made);
    return made;
  }
}

/** Names of what is known before one step. A callback brings its captures right before the token request, or before all steps where there is none. */
function capturedBefore({ token, steps, authorize }: Login['method'], at: number | 'token', consented: boolean): string[] {
  const request = Math.max(
    0,
    steps.findIndex(({ type }) => type === 'token'),
  );
  const end = at === 'token' ? request : at;
  const earlier = steps.slice(0, end).flatMap((step) => Object.keys((step.type === 'token' ? token?.capture : step.capture) ?? {}));
  return consented && end >= request ? [...Object.keys(authorize?.capture ?? {}), ...earlier] : earlier;
}

/** A choice has the attributes of all its options; that each option has them is a rule of its own. */
function choiceEntries(spec: SpecDocument): Scope {
  const entries: Scope = {};
  for (const [choice, { options }] of Object.entries(spec.choices ?? {})) {
    const values = new Map<string, string[]>([['id', Object.keys(options)]]);
    for (const option of Object.values(options)) {
      for (const name of Object.keys(option)) {
        const value = option[name];
        if (typeof value !== 'string') continue;
        const known = values.get(name);
        if (known === undefined) values.set(name, [value]);
        else known.push(value);
      }
    }
    const members: Record<string, ScopeEntry> = {};
    for (const [name, all] of values) members[name] = attributeEntry(all);
    entries[choice] = { type: 'map', members };
  }
  return entries;
}

/** Fields and captures of all methods together. */
function union(all: readonly Scopes[]): Scope {
  if (all.length < 2) return {};
  const shared: Scope = {};
  for (const name of ['fields', 'token']) {
    const members = Object.assign({}, ...all.map((scopes) => scopes.api[name]?.members ?? {})) as Record<string, ScopeEntry>;
    shared[name] = { type: 'map', members };
  }
  return shared;
}

/** Whether a name stands for a secret. */
export function isSecret(scope: Scope, mention: readonly string[]): boolean {
  let entry: ScopeEntry | undefined;
  for (const [at, name] of mention.entries()) {
    entry = at === 0 ? scope[name] : entry?.members?.[name];
    if (entry?.secret === true) return true;
  }
  return false;
}
