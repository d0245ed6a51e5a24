/** What the sandbox answers: JSON whose whole numbers may be too large for a double. */
export type Data = null | boolean | number | bigint | string | Data[] | DataMap;
export type DataMap = { [key: string]: Data };

export const isDataMap = (value: Data | undefined): value is DataMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON text; a bigint is written as a bare number, digit for digit, as providers with 64-bit ids do. */
export function write(value: Data): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (isDataMap(value)) {
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The segments of a path of the spec: `$.*.product` → `*`, `product`; a last `?` and a leading `$` are dropped. */
export function segments(path: string): string[] {
  const found: string[] = [];
  for (const match of path.replace(/\?$/, '').matchAll(/\[\s*"((?:\\.|[^"\\])*)"\s*\]|\[(\d+|\*)\]|([^.[\]]+)/g)) {
    found.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? match[3]!);
  }
  return found[0] === '$' ? found.slice(1) : found;
}

/** What a path of plain names finds. */
export function pick(value: Data | undefined, keys: readonly string[]): Data | undefined {
  let found: Data | undefined = value;
  for (const key of keys) {
    if (Array.isArray(found)) found = found[Number(key)];
    else if (isDataMap(found)) found = Object.hasOwn(found, key) ? found[key] : undefined;
    else return undefined;
  }
  return found;
}

/** Puts a value at a path of plain names into a tree, making the maps on the way. Gives the tree. */
export function plant(tree: Data | undefined, keys: readonly string[], value: Data): Data {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (Array.isArray(tree)) {
    tree[Number(key)] = plant(tree[Number(key)], rest, value);
    return tree;
  }
  if (tree === undefined && key === '0') return [plant(undefined, rest, value)];
  const map = isDataMap(tree) ? tree : {};
  map[key] = plant(map[key], rest, value);
  return map;
}

/** Puts records where a path finds them: under the first `*` each record has an element of its own. */
export function plantRecords(tree: Data | undefined, keys: readonly string[], records: Data[]): Data {
  const star = keys.indexOf('*');
  if (star < 0) return plant(tree, keys, records);
  const inner = keys.slice(star + 1);
  return plant(
    tree,
    keys.slice(0, star),
    records.map((record) => wrap(inner, record)),
  );
}

function wrap(keys: readonly string[], record: Data): Data {
  const [key, ...rest] = keys;
  if (key === undefined) return record;
  return key === '*' ? [wrap(rest, record)] : { [key]: wrap(rest, record) };
}
