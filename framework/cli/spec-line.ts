import { isMap, type Origins, type Plain } from '../spec/merge.ts';
import type { FoundSpec } from './catalogue.ts';

/** Where a leaf of a resolved spec is written: `file:line`, or `built-in`, or `type oauth2_…`. */
export type SpecLine = (path: string) => string;

/** `origins`: as `resolve` collected them. Paths are those of the resolved spec, dot-joined. */
export function specLines({ path: file, loaded }: Pick<FoundSpec, 'path' | 'loaded'>, origins: Origins, cwd: string): SpecLine {
  const name = relative(file, cwd);
  const at = (dotted: string, written: boolean): string => {
    if (loaded.tree === undefined || dotted === '' || /^(built-in|type )/.test(dotted)) return originWord(dotted);
    const path = splitPath(dotted, loaded.tree.value as Plain);
    // What no layer wrote and the text does not have either is the language's own default.
    if (!written && loaded.tree.node(path) === undefined) return 'built-in';
    return `${name}:${loaded.tree.range(path, 'value').start.line}`;
  };
  return (path) => {
    const written = origins.get(path) ?? verb(path, origins);
    return written === undefined ? at(path, false) : at(written, true);
  };
}

/** A call's `method` and `url` are written as one key: get, post, … */
function verb(path: string, origins: Origins): string | undefined {
  const parent = /^(.*)\.(method|url)$/.exec(path)?.[1];
  if (parent === undefined) return undefined;
  return ['get', 'post', 'put', 'patch', 'delete'].map((word) => origins.get(`${parent}.${word}`)).find((found) => found !== undefined);
}

const originWord = (dotted: string): string =>
  dotted === '' || dotted.startsWith('built-in') ? 'built-in' : (/^type \S+?(?=\.|$)/.exec(dotted)?.[0] ?? dotted);

/** Keys may hold dots (`Content.Type`): the longest key that the tree has wins at each step. */
function splitPath(dotted: string, root: Plain): string[] {
  const words = dotted.split('.');
  const path: string[] = [];
  let node: unknown = root;
  for (let from = 0; from < words.length; ) {
    let to = words.length;
    while (to > from + 1 && !(isMap(node) && Object.hasOwn(node, words.slice(from, to).join('.')))) to -= 1;
    const key = words.slice(from, to).join('.');
    path.push(key);
    node = isMap(node) || Array.isArray(node) ? (node as Plain)[key] : undefined;
    from = to;
  }
  return path;
}

const relative = (file: string, cwd: string): string => (file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file);
