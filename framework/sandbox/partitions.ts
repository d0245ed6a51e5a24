import type { ResolvedStream } from '../core/resolved.ts';
import { type Data, isDataMap, pick } from './data.ts';
import type { Filled } from './pattern.ts';
import { ABSENT, knownText, lookupsIn, read, splitText, UNKNOWN } from './reading.ts';
import type { View } from './view.ts';

/** One name of a stream's `each`. */
export interface Each {
  name: string;
  /** Undefined: the sandbox does not know them, and any will do. */
  items: Data[] | undefined;
  /** Whether the request says which one is meant; else all get the same answer. */
  asked: boolean;
}

export function eachOf(stream: ResolvedStream, view: View): Each[] {
  const { url, query, headers, cookies, body } = stream;
  const mentioned = new Set(lookupsIn([url, query, headers, cookies, body], 'each').map(([name]) => name));
  return Object.entries(stream.each).map(([name, items]) => ({ name, items: itemsOf(items, view), asked: mentioned.has(name) }));
}

function itemsOf(items: unknown, view: View): Data[] | undefined {
  if (typeof items === 'string') return listIn(items, view);
  const known = (Array.isArray(items) ? items : [items]).map((item) => itemOf(item, view));
  return known.every((item) => item !== undefined) ? known : undefined;
}

function itemOf(item: unknown, view: View): Data | undefined {
  if (typeof item === 'string') return knownText(item, view.lookup);
  return item as Data;
}

/** A text is one expression that gives a list: a field's, as the person entered it. */
function listIn(text: string, view: View): Data[] | undefined {
  const [part, ...more] = splitText(text);
  if (part === undefined || more.length > 0 || !('expr' in part)) return undefined;
  const [root, name = '', ...below] = part.expr.type === 'path' ? part.expr.keys : [];
  const field = root === 'fields' && below.length === 0 ? view.value(name) : undefined;
  if (field !== undefined) return entered(field);
  const value = read(part.expr, view.lookup);
  return value === UNKNOWN || value === ABSENT || !Array.isArray(value) ? undefined : (value as Data[]);
}

function entered(text: string): Data[] {
  if (text.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list as Data[];
    } catch {
      // No JSON: a list whose first item begins with a bracket.
    }
  }
  return text.split(',').map((item) => item.trim());
}

/** How many partitions one parent (or the whole stream) has. */
export const sizeOf = (each: readonly Each[]): number =>
  each.reduce((size, { items, asked }) => (asked && items !== undefined ? size * items.length : size), 1);

/** How often a full read gets the same partition: once for each item that the request does not name. */
export const repeats = (each: readonly Each[]): number =>
  each.reduce((size, { items, asked }) => (!asked && items !== undefined ? size * items.length : size), 1);

/** Which of a parent's partitions a request means; a text says what is wrong with it. */
export function placeAsked(each: readonly Each[], filled: readonly Filled[]): number | string {
  let place = 0;
  for (const { name, items, asked } of each) {
    if (!asked || items === undefined) continue;
    const said = filled.filter(({ hole }) => hole === `each.${name}` || hole.startsWith(`each.${name}.`));
    const index = items.findIndex((item) => said.every(({ hole, value }) => textAt(item, hole.split('.').slice(2)) === value));
    if (index < 0) return `there is no ${name} ${said.map(({ value }) => value).join(', ')}`;
    place = place * items.length + index;
  }
  return place;
}

/** The items of a partition, by name. */
export function itemsAt(each: readonly Each[], place: number): Record<string, Data> {
  const found: Record<string, Data> = {};
  let rest = place;
  for (const { name, items, asked } of each.toReversed()) {
    if (!asked || items === undefined) continue;
    found[name] = items[rest % items.length]!;
    rest = Math.floor(rest / items.length);
  }
  return found;
}

function textAt(item: Data, keys: readonly string[]): string {
  const value = isDataMap(item) || keys.length > 0 ? pick(item, keys) : item;
  return typeof value === 'object' ? '' : String(value ?? '');
}
