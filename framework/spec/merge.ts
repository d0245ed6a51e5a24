/**
 * Inheritance in one place: maps merge key by key, null removes, scalars and lists replace, tagged values merge when
 * the type is equal or left out and replace otherwise, a method key replaces every other method key. Words of the
 * language are such only where they stand in a layer: a body may well have a key `post`, `headers` or `paginate`.
 */
export type Plain = { [key: string]: unknown };
/** Where each leaf of a resolved value came from: resolved path (dot-joined) → where it is written. */
export type Origins = Map<string, string>;

const METHOD_KEYS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const TAGGED = new Set(['paginate']);
/** Maps in which a null stays: it says on the wire, or where errors are judged, that what lies below is taken away. */
const NULL_STAYS = new Set(['headers', 'query', 'errors']);

export const isMap = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Layer {
  value: unknown;
  /** How the origin of its leaves is named: a path in the spec, or `type basic`. */
  from: string;
}

/** Lays the layers over one another, the first at the bottom. Nothing passed in is changed. */
export function lay(layers: readonly Layer[], at = '', origins?: Origins): Plain {
  let result: Plain = {};
  for (const { value, from } of layers) if (isMap(value)) result = over(result, value, { at, from, origins, depth: 0, map: '' });
  return result;
}

interface Place {
  at: string;
  from: string;
  origins: Origins | undefined;
  /** Keys from the layer's own root. */
  depth: number;
  /** The layer's key, right under it. */
  map: string;
}

/** The names are made for origins only: most who ask want none. */
function below({ at, from, origins, depth }: Place, key: string, written = key): Place {
  const map = depth === 0 ? key : '';
  if (origins === undefined) return { at: '', from: '', origins, depth: depth + 1, map };
  return {
    at: at === '' ? key : `${at}.${key}`,
    from: from === '' ? written : `${from}.${written}`,
    origins,
    depth: depth + 1,
    map,
  };
}

function over(base: Plain, layer: Plain, place: Place): Plain {
  const result: Plain = { ...base };
  const top = place.depth === 0;
  const { map } = place;
  for (const [written, value] of Object.entries(layer)) {
    // Header names are case-insensitive (RFC 9110, 5.1): a layer that writes `accept` means the `Accept` below it.
    const key = map === 'headers' ? (Object.keys(result).find((name) => name.toLowerCase() === written.toLowerCase()) ?? written) : written;
    if (top && (METHOD_KEYS as readonly string[]).includes(key) && value !== null) {
      for (const other of METHOD_KEYS) if (other !== key) drop(result, other, below(place, other));
    }
    const here = below(place, key, written);
    if (value === null && NULL_STAYS.has(map)) leaf(result, key, null, here);
    else if (value === null) drop(result, key, here);
    else if (isMap(value)) result[key] = mapOver(result[key], value, key, here);
    else leaf(result, key, value, here);
  }
  return result;
}

function mapOver(old: unknown, value: Plain, key: string, place: Place): Plain {
  const replaces = place.depth === 1 && TAGGED.has(key) && isMap(old) && value.type !== undefined && value.type !== old.type;
  if (replaces) forget(place);
  return over(isMap(old) && !replaces ? old : {}, value, place);
}

function leaf(result: Plain, key: string, value: unknown, place: Place): void {
  forget(place);
  place.origins?.set(place.at, place.from);
  result[key] = Array.isArray(value) ? withoutNulls(value) : value;
}

/** A null in a list removes nothing, and it must not reach the wire either: a JSON null is written ${null}. */
function withoutNulls(list: readonly unknown[]): unknown[] {
  return list
    .filter((item) => item !== null)
    .map((item) => (Array.isArray(item) ? withoutNulls(item) : isMap(item) ? lay([{ value: { item }, from: '' }]).item : item));
}

function drop(result: Plain, key: string, place: Place): void {
  if (!(key in result)) return;
  forget(place);
  delete result[key];
}

function forget({ at, origins }: Place): void {
  if (origins === undefined) return;
  for (const known of origins.keys()) if (known === at || known.startsWith(`${at}.`)) origins.delete(known);
}
