import { anySelection } from '../docs/describe.ts';
import { isMap, type Origins, type Plain } from '../spec/merge.ts';
import { resolve } from '../spec/resolve.ts';
import type { Arguments } from './arguments.ts';
import type { FoundSpec } from './catalogue.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { styleOf } from './style.ts';

interface Leaf {
  /** Dot-joined path in the resolved spec. */
  path: string;
  value: unknown;
  /** `file:line` where it is written, or `built-in`, or `type oauth2_…`. */
  origin: string;
}

/** `show --resolved`: each leaf of what the runtime works on, and where it comes from. */
export async function printResolved({ path: file, spec, loaded }: FoundSpec, args: Arguments, io: Io): Promise<number> {
  const origins: Origins = new Map();
  const method = args.text('method');
  const asked = { ...(method !== undefined && { method }), choices: args.pairs('choice') };
  const resolved = resolve(spec, { ...anySelection(spec, asked), origins });
  const name = relative(file, io.cwd);
  const at = (dotted: string, written: boolean): string => {
    if (loaded.tree === undefined || dotted === '' || /^(built-in|type )/.test(dotted)) return originWord(dotted);
    const path = splitPath(dotted, loaded.tree.value as Plain);
    // What no layer wrote and the text does not have either is the language's own default.
    if (!written && loaded.tree.node(path) === undefined) return 'built-in';
    return `${name}:${loaded.tree.range(path, 'value').start.line}`;
  };
  const { http, check, method: chosen } = resolved;
  // A stream's name is in the path already.
  const streams = Object.fromEntries(Object.entries(resolved.streams).map(([key, { name: _name, ...stream }]) => [key, stream]));
  const { send, token, refresh, ...plain } = chosen;
  const methodAt = `auth.${chosen.name}`;
  const leaves = [
    ...collect({ http, check, streams } as unknown as Plain, '', origins, at),
    ...collect({ ...plain, send, token, refresh } as unknown as Plain, methodAt, origins, at),
  ];
  if (args.flag('json')) {
    await printJson(io, { name: spec.name, method: chosen.name, choices: resolved.choices, values: leaves });
    return 0;
  }
  const style = styleOf(io.stdout, io.env);
  const chosenWords = Object.entries(resolved.choices).map(([choice, { id }]) => `${choice}=${id}`);
  await print(io.stderr, `method ${chosen.name}${chosenWords.length > 0 ? `, ${chosenWords.join(', ')}` : ''}\n`);
  for (const { path, value, origin } of leaves) {
    await print(io.stdout, `${path}: ${style.cyan(shown(value))}  ${style.dim(`# ${origin}`)}\n`);
  }
  return 0;
}

function collect(value: Plain, at: string, origins: Origins, where: (dotted: string, written: boolean) => string): Leaf[] {
  return Object.entries(value).flatMap(([key, item]): Leaf[] => {
    const path = at === '' ? key : `${at}.${key}`;
    if (item === undefined) return [];
    if (isMap(item) && Object.keys(item).length > 0) return collect(item, path, origins, where);
    if (isMap(item) || (Array.isArray(item) && item.length === 0)) return [];
    const written = origins.get(path) ?? verb(path, origins);
    return [{ path, value: item, origin: written === undefined ? where(path, false) : where(written, true) }];
  });
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

const shown = (value: unknown): string => (typeof value === 'string' ? value.replaceAll('\n', '\\n') : JSON.stringify(value));

const relative = (file: string, cwd: string): string => (file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file);
