import type { SpecDocument, Stream, StreamPart, Template } from '../../core/spec-types.gen.ts';
import { isMap, lay, type Plain } from '../merge.ts';
import type { SpecPath } from '../tree.ts';

type Key = keyof Stream & string;

/**
 * What a stream has for a key, with what it inherits from its template and the defaults (under any choice or method):
 * the lint rules' short cut, which spares resolving every stream. Null removes.
 */
export function inherited<K extends Key>(spec: SpecDocument, name: string, key: K): Stream[K] | undefined {
  for (const { part } of layersOf(spec, name)) {
    const value = (part as Stream)[key];
    if (value !== undefined) return value === null ? undefined : value;
  }
  return undefined;
}

/** Whether all that a stream inherits from is there: else nothing can be said of what it lacks. */
export function isWhole(spec: SpecDocument, name: string): boolean {
  const use = spec.streams?.[name]?.use;
  return use === undefined || Object.hasOwn(spec.templates ?? {}, use);
}

/** Whether a map that merges key by key, such as columns, has a name. */
export function hasName(spec: SpecDocument, stream: string, key: 'columns' | 'add', name: string): boolean {
  for (const { part } of layersOf(spec, stream)) {
    const names = (part as Stream)[key];
    if (names !== undefined && names !== null && Object.hasOwn(names, name)) return names[name] !== null;
  }
  return false;
}

/** All its names. */
export function inheritedNames(spec: SpecDocument, name: string, key: 'columns' | 'add'): string[] {
  const names = new Set<string>();
  const dropped = new Set<string>();
  for (const { part } of layersOf(spec, name)) {
    for (const [entry, value] of Object.entries((part as Stream)[key] ?? {})) {
      if (value === null) dropped.add(entry);
      else if (!dropped.has(entry)) names.add(entry);
    }
  }
  return [...names];
}

/**
 * A section of a stream with all layers laid over one another; undefined when it has none. What options and methods say counts, but not
 * what they take away: that holds under one of them only.
 */
export function inheritedMap(spec: SpecDocument, stream: string, key: MapKey): Plain | undefined {
  const layers = layersOf(spec, stream).filter(({ part, path }) => {
    const said = (part as Stream)[key];
    return said !== undefined && !(said === null && isOverlay(path));
  });
  const [strongest] = layers;
  if (strongest === undefined) return undefined;
  // A template is laid once for all of its streams that say nothing themselves: a small file may have thousands.
  const name = `${strongest.path.join('\n')}\n\n${key}`;
  const { maps } = cacheOf(spec);
  if (!maps.has(name)) maps.set(name, laid(layers, key));
  return maps.get(name);
}

function laid(layers: readonly Layer[], key: MapKey): Plain | undefined {
  const merged = lay(
    layers.toReversed().map(({ part, path }) => {
      const said = (part as Stream)[key];
      return { value: { [key]: isOverlay(path) ? withoutNulls(said) : said }, from: '' };
    }),
  )[key];
  return isMap(merged) ? merged : undefined;
}

type MapKey = 'cursor' | 'job' | 'each' | 'flatten' | 'rename' | 'types';

/** What an option or a method says. */
const isOverlay = ([part]: SpecPath): boolean => part === 'auth' || part === 'choices';

function withoutNulls(value: unknown): unknown {
  if (!isMap(value)) return value;
  const said = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(said.map(([key, entry]) => [key, withoutNulls(entry)]));
}

/** Where what holds for a stream is written: in the strongest layer that says it. */
export function saidAt(spec: SpecDocument, stream: string, keys: SpecPath): SpecPath | undefined {
  return layersOf(spec, stream)
    .find(({ part }) => valueAt(part, keys) !== undefined)
    ?.path.concat(keys);
}

/** Where the stream itself says it: at that key. Where it does not: at its name. */
export function ownPlace(spec: SpecDocument, stream: string, keys: SpecPath): SpecPath {
  return valueAt(spec.streams?.[stream], keys) === undefined ? ['streams', stream] : ['streams', stream, ...keys];
}

const valueAt = (part: unknown, keys: SpecPath): unknown =>
  keys.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Plain)[key] : undefined), part);

/** A part of the spec that a stream is made of, and where it stands. */
interface Layer {
  part: Stream | Template | StreamPart;
  path: SpecPath;
}

interface Cache {
  shared: Layer[];
  streams: Map<string, Layer[]>;
  maps: Map<string, Plain | undefined>;
}

/** Several rules ask for each stream. */
const CACHE = new WeakMap<SpecDocument, Cache>();

function cacheOf(spec: SpecDocument): Cache {
  const known = CACHE.get(spec) ?? { shared: sharedBy(spec), streams: new Map(), maps: new Map() };
  CACHE.set(spec, known);
  return known;
}

/** The strongest first. */
export function layersOf(spec: SpecDocument, name: string): readonly Layer[] {
  const { shared, streams } = cacheOf(spec);
  let layers = streams.get(name);
  if (layers === undefined) {
    const stream = spec.streams?.[name];
    const use = stream?.use;
    const template = use === undefined || !Object.hasOwn(spec.templates ?? {}, use) ? undefined : spec.templates?.[use];
    layers = [...layer(stream, 'streams', name), ...layer(template, 'templates', String(use)), ...shared];
    streams.set(name, layers);
  }
  return layers;
}

const layer = (part: Layer['part'] | undefined, ...path: string[]): Layer[] => (part === undefined ? [] : [{ part, path }]);

function sharedBy({ auth, choices = {}, defaults }: SpecDocument): Layer[] {
  const methods = Object.entries(auth).flatMap(([name, method]) => layer(method.defaults, 'auth', name, 'defaults'));
  const options = Object.entries(choices).flatMap(([choice, { options: all }]) =>
    Object.entries(all).flatMap(([id, option]) => layer(option.defaults, 'choices', choice, 'options', id, 'defaults')),
  );
  return [...methods, ...options, ...layer(defaults, 'defaults')];
}
