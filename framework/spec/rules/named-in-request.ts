import type { SpecPath } from '../tree.ts';
import type { Expression, RuleContext } from './context.ts';
import { inherited, layersOf } from './inherited.ts';

/** Stands for the variable as a whole: an expression that takes all of it. */
export const WHOLE = '';

/** Calls of a job that ask for a unit's records. `cancel` and `clean_up` come too late for that. */
const ASKING = ['create', 'poll', 'download'];
const REQUEST = new Set(['get', 'post', 'put', 'patch', 'delete', 'query', 'headers', 'cookies', 'media_type', 'body']);

/** Members of a variable (`start` of `window.start`) that a stream's request names, with what it inherits; a job's calls in its place. */
export function namedInRequest(context: RuleContext, stream: string, root: 'window' | 'each'): ReadonlySet<string> {
  const hasJob = inherited(context.spec, stream, 'job') !== undefined;
  const names = new Set<string>();
  for (const { path: layer } of layersOf(context.spec, stream)) {
    for (const { path, mentions } of byLayer(context, root).get(layer.join('\n')) ?? []) {
      const [first, second] = path.slice(layer.length);
      const asks = hasJob ? first === 'job' && ASKING.includes(String(second)) : REQUEST.has(String(first));
      if (asks) for (const [variable, member = WHOLE] of mentions) if (variable === root) names.add(member);
    }
  }
  return names;
}

const CACHE = new WeakMap<RuleContext, Map<string, Map<string, Expression[]>>>();

/** Expressions that use a variable, by the part of a stream in which they stand. */
function byLayer(context: RuleContext, root: string): Map<string, Expression[]> {
  const roots = CACHE.get(context) ?? new Map<string, Map<string, Expression[]>>();
  CACHE.set(context, roots);
  const known = roots.get(root);
  if (known !== undefined) return known;
  const made = new Map<string, Expression[]>();
  for (const expression of context.mentioning(root)) {
    const layer = layerOf(expression.path)?.join('\n');
    if (layer !== undefined) made.set(layer, [...(made.get(layer) ?? []), expression]);
  }
  roots.set(root, made);
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

/** The streams that a part of a stream belongs to. */
export function usersOf({ spec }: RuleContext, [part, name]: SpecPath): string[] {
  const streams = spec.streams ?? {};
  if (part === 'streams') return [String(name)];
  return Object.keys(streams).filter((stream) => part !== 'templates' || streams[stream]?.use === name);
}

/** Where in an expression's text a variable stands, as far as it can be told. */
export function within({ template }: Expression, root: string, member: string): readonly [number, number] | undefined {
  for (const part of template?.parts ?? []) {
    if ('mentions' in part && part.mentions.some(([variable, name = WHOLE]) => variable === root && name === member))
      return [part.start, part.end];
  }
  return undefined;
}
