import { SHAPES } from './shape.gen.ts';
import type { SpecNode, SpecTree } from './tree.ts';

/** Kinds of value (ARCHITECTURE, "the key decides the kind"). */
export type Kind = 'word' | 'literal' | 'path' | 'target' | 'text' | 'value' | 'condition' | 'number';
export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/**
 * What the schema says of one place, as a table that can be walked: made from schemas/ by scripts/generate.ts.
 * Numbers are indexes into the table.
 */
export interface Shape {
  title?: string;
  /** The schema's description. */
  about?: string;
  /** The first of its examples. */
  example?: unknown;
  kind?: Kind;
  place?: string;
  scope?: string;
  /** A path that may be one `${…}` instead. */
  computed?: boolean;
  /** Accepted JSON types; absent: any. */
  types?: JsonType[];
  values?: (string | number | boolean)[];
  pattern?: string;
  required?: string[];
  properties?: Record<string, number>;
  /** The shape of entries with free names. */
  others?: number;
  /** Pattern of the free names. */
  names?: string;
  items?: number;
  /** A tagged union: the word under `type` picks the branch; without it `otherwise` holds, if there is one. */
  tag?: { branches: Record<string, number>; otherwise?: number };
  /** The key that a bare word stands for; `one`: one item may stand for the list. */
  short?: string;
  merge?: string;
  since?: string;
}

export const shape = (index: number): Shape => SHAPES[index] as Shape;
/** The shape of a whole spec. */
export const ROOT: Shape = shape(0);

/** The branch that a node has chosen by its `type`; the shape itself when it is no tagged one. */
export function branch(of: Shape, node: SpecNode | undefined): Shape | undefined {
  if (of.tag === undefined) return of;
  const word = node?.kind === 'map' ? node.entries.get('type')?.value : undefined;
  if (word === undefined) return of.tag.otherwise === undefined ? undefined : shape(of.tag.otherwise);
  const index = word.kind === 'scalar' ? of.tag.branches[word.text] : undefined;
  return index === undefined ? undefined : shape(index);
}

/** The shape one step down. Within a `value` everything below has the same shape. */
export function below(of: Shape, node: SpecNode | undefined, step: string | number): Shape | undefined {
  const chosen = branch(of, node);
  return chosen && under(chosen, step);
}

/** The same for a shape whose branch is chosen. */
function under(chosen: Shape, step: string | number): Shape | undefined {
  if (chosen.kind === 'value' && chosen.items === undefined && chosen.others === undefined) return chosen;
  if (typeof step === 'number') return chosen.items === undefined ? undefined : shape(chosen.items);
  const { properties } = chosen;
  const index = properties !== undefined && Object.hasOwn(properties, step) ? properties[step] : chosen.others;
  return index === undefined ? undefined : shape(index);
}

/** The shape at a path of the long form; undefined where the language has none. */
export function shapeAt(tree: SpecTree, path: readonly (string | number)[]): Shape | undefined {
  let here: Shape | undefined = ROOT;
  let node: SpecNode | undefined = tree.root;
  for (const step of path) {
    if (here === undefined) return undefined;
    here = below(here, node, step);
    node = node?.kind === 'map' ? node.entries.get(String(step))?.value : node?.kind === 'list' ? node.items[Number(step)] : undefined;
  }
  return here;
}

/** A node that the language has a shape for. What leads to it is made only when asked for: most nodes have nothing to tell. */
export class Place {
  readonly node: SpecNode;
  readonly shape: Shape;
  /** The last step; '' for the root. */
  readonly key: string | number;
  readonly up: Place | undefined;

  constructor(node: SpecNode, here: Shape, key: string | number, up: Place | undefined) {
    this.node = node;
    this.shape = here;
    this.key = key;
    this.up = up;
  }

  get path(): (string | number)[] {
    const path: (string | number)[] = [];
    for (let at: Place = this; at.up !== undefined; at = at.up) path.push(at.key);
    return path.reverse();
  }
}

/** Visits every node of a long form that the language has a shape for, parents first. */
export function walk(tree: SpecTree, visit: (place: Place) => void): void {
  step(new Place(tree.root, ROOT, '', undefined), visit);
}

function step(place: Place, visit: (place: Place) => void): void {
  visit(place);
  const { node, shape: here } = place;
  if (node.kind === 'scalar') return;
  const chosen = branch(here, node);
  if (chosen === undefined) return;
  if (node.kind === 'list') {
    for (let at = 0; at < node.items.length; at++) {
      const next = under(chosen, at);
      if (next !== undefined) step(new Place(node.items[at] as SpecNode, next, at, place), visit);
    }
    return;
  }
  for (const { key, value } of node.entries.values()) {
    const next = under(chosen, key);
    if (next !== undefined) step(new Place(value, next, key, place), visit);
  }
}
