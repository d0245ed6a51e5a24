/** `leaf` gives a replacement for a node, or undefined to go on into its items. */
type Replace = (node: unknown) => { value: unknown } | undefined;

/**
 * Copies plain data. Keys whose value is undefined are left out, as JSON would; `__proto__` becomes a key and no
 * prototype; `key` may rename the keys.
 */
export function mapTree(node: unknown, leaf: Replace, key: (name: string) => string = (name) => name): unknown {
  const replaced = leaf(node);
  if (replaced) return replaced.value;
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => mapTree(item, leaf, key));
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(node)) {
    if (item === undefined) continue;
    Object.defineProperty(copy, key(name), { value: mapTree(item, leaf, key), enumerable: true, writable: true, configurable: true });
  }
  return copy;
}
