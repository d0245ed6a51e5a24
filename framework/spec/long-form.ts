import { below, branch, ROOT, type Shape, shape } from './shape.ts';
import type { SpecEntry, SpecList, SpecMap, SpecNode, SpecScalar, SpecTree } from './tree.ts';

/**
 * Shorthand → long form, before validation, so that the schema knows one shape for each thing. What is put in keeps
 * the position of what stood there. Also: where the schema wants text, a number or true/false becomes the characters
 * as written (`1.10`, `007`).
 */
export function longForm(tree: SpecTree): SpecTree {
  return tree.withRoot(rewrite(tree.root, ROOT));
}

function rewrite(node: SpecNode, here: Shape | undefined): SpecNode {
  if (here === undefined) return node;
  const full = tagged(expand(node, here), here);
  if (full.kind === 'scalar') return asWritten(full, here);
  return full.kind === 'list' ? rewriteList(full, here) : rewriteMap(full, branch(here, full));
}

/** A field's default is a number or true/false only where its type is one; `1.10` is text to a field of text. */
function presetOf(field: SpecMap, node: SpecNode): SpecNode {
  const type = field.entries.get('type')?.value;
  const word = type?.kind === 'scalar' ? type.text : 'text';
  if (node.kind !== 'scalar' || typeof node.value === 'string' || node.value === null) return node;
  return word === (typeof node.value === 'boolean' ? 'boolean' : 'number') || word === 'integer' ? node : { ...node, value: node.text };
}

/** What does not change is kept as it is. */
function rewriteList(node: SpecList, here: Shape): SpecNode {
  const items = node.items.map((item, at) => rewrite(item, below(here, node, at)));
  return items.every((item, at) => item === node.items[at]) ? node : { kind: 'list', items, start: node.start, end: node.end };
}

function rewriteMap(node: SpecMap, chosen: Shape | undefined): SpecNode {
  let entries: Map<string, SpecEntry> | undefined;
  for (const [key, entry] of node.entries) {
    const plain = rewrite(entry.value, chosen && below(chosen, node, key));
    const value = key === 'default' && chosen?.title === 'Field' ? presetOf(node, plain) : plain;
    if (value === entry.value) continue;
    entries ??= new Map(node.entries);
    entries.set(key, { key, start: entry.start, end: entry.end, value });
  }
  return entries === undefined ? node : { kind: 'map', entries, start: node.start, end: node.end };
}

const accepts = (here: Shape, type: 'string' | 'array' | 'object'): boolean => here.types?.includes(type) ?? true;

/** One item for a list, a bare word for a map. */
function expand(node: SpecNode, here: Shape): SpecNode {
  if (here.short === undefined || (node.kind === 'scalar' && node.value === null)) return node;
  if (here.short === 'one') {
    return node.kind === 'list' ? node : { kind: 'list', items: [node], start: node.start, end: node.end };
  }
  const wanted = branchless(here).properties?.[here.short];
  const listWanted = wanted !== undefined && shape(wanted).types?.includes('array');
  if (node.kind === (listWanted ? 'list' : 'scalar')) return wrap(here.short, node);
  return node;
}

/** For a tagged shape any branch will do: all have `type`. */
function branchless(here: Shape): Shape {
  if (here.tag === undefined) return here;
  const [first] = Object.values(here.tag.branches);
  return first === undefined ? here : shape(first);
}

function wrap(key: string, value: SpecNode): SpecMap {
  const { start, end } = value;
  return { kind: 'map', entries: new Map([[key, { key, start, end, value }]]), start, end };
}

/** A step without a type is a call, or signs a JWT. */
function tagged(node: SpecNode, here: Shape): SpecNode {
  if (node.kind !== 'map' || here.tag?.branches.call === undefined || node.entries.has('type')) return node;
  const { start } = node;
  const type = node.entries.has('jwt') && here.tag.branches.jwt !== undefined ? 'jwt' : 'call';
  const word: SpecScalar = { kind: 'scalar', value: type, text: type, style: 'plain', start, end: start };
  const entries = new Map<string, SpecEntry>([['type', { key: 'type', start, end: start, value: word }], ...node.entries]);
  return { ...node, entries };
}

function asWritten(node: SpecScalar, here: Shape): SpecScalar {
  if (here.kind === 'value' || here.types === undefined || !accepts(here, 'string')) return node;
  if (typeof node.value === 'number' && !here.types.includes('number') && !here.types.includes('integer'))
    return { ...node, value: node.text };
  if (typeof node.value === 'boolean' && !here.types.includes('boolean')) return { ...node, value: node.text };
  return node;
}
