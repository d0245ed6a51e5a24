import type { SpecPath } from '../tree.ts';
import type { Expression, RuleContext } from './context.ts';
import { inherited, isWhole, layersOf } from './inherited.ts';

/** Stands for the variable as a whole: an expression that takes all of it. */
export const WHOLE = '';

/** Calls of a job that ask for a unit's records. `cancel` and `clean_up` come too late for that. */
const ASKING = ['create', 'poll', 'download'];
const REQUEST = new Set(['get', 'post', 'put', 'patch', 'delete', 'query', 'headers', 'cookies', 'media_type', 'body']);

/** Tells which members of a variable (`start` of `window.start`) a stream's request names, with what it inherits; a job's calls in its place. */
export function namedInRequest(context: RuleContext, stream: string, root: 'window' | 'each'): (member: string) => boolean {
  const { spec } = context;
  const asks = inherited(spec, stream, 'job') === undefined ? 'request' : 'job';
  const all = namesOf(context, root);
  const sets = layersOf(spec, stream).flatMap(({ path }) => all.get([asks, ...path].join('\n')) ?? []);
  return (member) => sets.some((names) => names.has(member));
}

const CACHE = new WeakMap<RuleContext, Map<string, Map<string, Set<string>>>>();

/** Names of all requests, by what asks and the part of a stream in which it stands. */
function namesOf(context: RuleContext, root: string): Map<string, Set<string>> {
  const roots = CACHE.get(context) ?? new Map<string, Map<string, Set<string>>>();
  CACHE.set(context, roots);
  const known = roots.get(root);
  if (known !== undefined) return known;
  const made = new Map<string, Set<string>>();
  roots.set(root, made);
  for (const { path, mentions } of context.mentioning(root)) {
    const layer = layerOf(path);
    if (layer === undefined) continue;
    const [first, second] = path.slice(layer.length);
    const asks = first === 'job' && ASKING.includes(String(second)) ? 'job' : REQUEST.has(String(first)) ? 'request' : undefined;
    if (asks === undefined) continue;
    const key = [asks, ...layer].join('\n');
    const names = made.get(key) ?? new Set();
    made.set(key, names);
    for (const [variable, member = WHOLE] of mentions) if (variable === root) names.add(member);
  }
  return made;
}

/** The part of a stream (a stream, a template, some defaults) in which a path stands. */
export function layerOf(path: SpecPath): SpecPath | undefined {
  if (path[0] === 'streams' || path[0] === 'templates') return path.slice(0, 2);
  const at = path.indexOf('defaults');
  return (path[0] === 'defaults' && at === 0) || (path[0] === 'auth' && at === 2) || (path[0] === 'choices' && at === 4)
    ? path.slice(0, at + 1)
    : undefined;
}

const USERS = new WeakMap<RuleContext, Map<string, string[]>>();

/** The streams that a part of a stream belongs to, as far as all that they inherit from is there. */
export function usersOf(context: RuleContext, layer: SpecPath): readonly string[] {
  const all = USERS.get(context) ?? new Map<string, string[]>();
  USERS.set(context, all);
  const key = layer.join('\n');
  const [part, name] = layer;
  const streams = context.spec.streams ?? {};
  const users =
    all.get(key) ??
    (part === 'streams'
      ? [String(name)]
      : Object.keys(streams).filter((stream) => part !== 'templates' || streams[stream]?.use === name)
    ).filter((stream) => isWhole(context.spec, stream));
  all.set(key, users);
  return users;
}

/** Where in an expression's text a variable stands, as far as it can be told. */
export function within({ template }: Expression, root: string, member: string): readonly [number, number] | undefined {
  for (const part of template?.parts ?? []) {
    if ('mentions' in part && part.mentions.some(([variable, name = WHOLE]) => variable === root && name === member))
      return [part.start, part.end];
  }
  return undefined;
}
