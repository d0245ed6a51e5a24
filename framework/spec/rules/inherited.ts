import type { SpecDocument, Stream, StreamPart, Template } from '../../core/spec-types.gen.ts';

type Key = keyof Stream & string;

/**
 * What a stream has for a key, with what it inherits from its template and the defaults (under any choice or method):
 * the lint rules' short cut, which spares resolving every stream. Null removes.
 */
export function inherited<K extends Key>(spec: SpecDocument, name: string, key: K): Stream[K] | undefined {
  for (const layer of layersOf(spec, name)) {
    const value = (layer as Stream | undefined)?.[key];
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
  for (const layer of layersOf(spec, stream)) {
    const names = (layer as Stream | undefined)?.[key];
    if (names !== undefined && names !== null && Object.hasOwn(names, name)) return names[name] !== null;
  }
  return false;
}

/** All its names. */
export function inheritedNames(spec: SpecDocument, name: string, key: 'columns' | 'add'): string[] {
  const names = new Set<string>();
  const dropped = new Set<string>();
  for (const layer of layersOf(spec, name)) {
    for (const [entry, value] of Object.entries((layer as Stream | undefined)?.[key] ?? {})) {
      if (value === null) dropped.add(entry);
      else if (!dropped.has(entry)) names.add(entry);
    }
  }
  return [...names];
}

type Layer = Stream | Template | StreamPart | undefined;

/** Several rules ask for each stream. */
const CACHE = new WeakMap<SpecDocument, { shared: Layer[]; streams: Map<string, Layer[]> }>();

/** The strongest first. */
function layersOf(spec: SpecDocument, name: string): readonly Layer[] {
  let known = CACHE.get(spec);
  if (known === undefined) {
    known = { shared: sharedBy(spec), streams: new Map() };
    CACHE.set(spec, known);
  }
  let layers = known.streams.get(name);
  if (layers === undefined) {
    const stream = spec.streams?.[name];
    const template = stream?.use === undefined ? undefined : spec.templates?.[stream.use];
    layers = [stream, template, ...known.shared].filter((layer) => layer !== undefined);
    known.streams.set(name, layers);
  }
  return layers;
}

function sharedBy(spec: SpecDocument): Layer[] {
  const methods = Object.values(spec.auth).map((method) => method.defaults);
  const options = Object.values(spec.choices ?? {}).flatMap((choice) => Object.values(choice.options).map((option) => option.defaults));
  return [...methods, ...options, spec.defaults].filter((part) => part !== undefined);
}
