import { placeOf } from './answer.ts';
import { type Data, isDataMap, pick, plant } from './data.ts';
import { type Expr, type Lookup, lookups, read, splitText } from './reading.ts';

/** What is answered to a call of an auth method, before it is written as the call's answer is read. */
export interface Parts {
  /** Undefined: nothing yet, so that it may become a list. */
  body: Data | undefined;
  headers: Record<string, string>;
  cookies: string[];
}

/** Where in the answer something stands: `body`, `headers` or `cookies`, and the names below. */
type Place = readonly string[];
/** Names of items (`a` in `list.filter(a, …)`) → the item that the answer has for them. */
type Items = Readonly<Record<string, Place>>;

/** Puts a value where a capture's path, or the expression that it is, finds it. */
export function placeCapture(parts: Parts, path: string, value: Data, lookup: Lookup): void {
  if (!path.startsWith('${')) put(parts, ['body', ...placeOf(path)], value);
  else for (const part of splitText(path)) if ('expr' in part) placeValue(parts, part.expr, value, lookup, {});
}

/** Makes the answer one for which a condition holds, as far as it names places and values for them. */
export function fulfil(parts: Parts, expr: Expr, lookup: Lookup, items: Items = {}): void {
  if (expr.type === 'binary' && expr.operator === '&&') {
    for (const one of [expr.left, expr.right]) fulfil(parts, one, lookup, items);
  } else if (expr.type === 'binary' && expr.operator === '==') {
    const [at, other] = placed(expr.left, '', items) === undefined ? [expr.right, expr.left] : [expr.left, expr.right];
    const value = read(other, lookup);
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) placeExact(parts, at, value as Data, items);
  } else if (expr.type === 'choose') {
    const test = read(expr.test, lookup);
    if (typeof test === 'boolean') fulfil(parts, test ? expr.yes : expr.no, lookup, items);
  } else if (expr.type === 'call' && expr.name === 'exists') {
    const found = itemOf(expr, items);
    if (found !== undefined) choose(parts, found, lookup, items);
  } else if (expr.type === 'path') placeExact(parts, expr, true, items);
}

/** Makes the answer one for which a condition over a flag does not hold. What stands there already stays. */
export function avoid(parts: Parts, expr: Expr, lookup: Lookup, items: Items = {}): void {
  const flag = (of: Expr, value: boolean): void => {
    const [place] = placed(of, null, items) ?? [];
    if (place?.[0] === 'body' && pick(parts.body, place.slice(1)) === undefined) put(parts, place, value);
  };
  if (expr.type === 'path') flag(expr, false);
  else if (expr.type === 'choose') {
    const test = read(expr.test, lookup);
    if (typeof test === 'boolean') avoid(parts, test ? expr.yes : expr.no, lookup, items);
  } else if (expr.type === 'binary' && expr.operator === '&&') avoid(parts, expr.left, lookup, items);
  else if (expr.type === 'binary' && expr.operator === '==' && expr.right.type === 'literal' && typeof expr.right.value === 'boolean')
    flag(expr.left, !expr.right.value);
}

/** Makes the first item of a list the one that is looked for, and the others none. */
function choose(parts: Parts, { condition, name, list }: Item, lookup: Lookup, items: Items): void {
  fulfil(parts, condition, lookup, { ...items, [name]: [...list, '0'] });
  const all = list[0] === 'body' ? pick(parts.body, list.slice(1)) : undefined;
  if (!Array.isArray(all)) return;
  for (const index of all.keys()) if (index > 0) avoid(parts, condition, lookup, { ...items, [name]: [...list, String(index)] });
}

function placeValue(parts: Parts, expr: Expr, value: Data, lookup: Lookup, items: Items): void {
  for (const found of filtersIn(expr, items)) choose(parts, found, lookup, items);
  const found = lookups(expr, 'response');
  const guess = found.find(([part, ...rest]) => part === 'body' && rest.length > 0) ?? found[0];
  const [place, text] = placed(expr, value, items) ?? [guess, value];
  if (place !== undefined) put(parts, place, text);
}

function placeExact(parts: Parts, expr: Expr, value: Data, items: Items): void {
  const found = placed(expr, value, items);
  if (found !== undefined) put(parts, ...found);
}

/** The expression read backwards: what must stand where, so that it gives the value. */
function placed(expr: Expr, value: Data, items: Items): [Place, Data] | undefined {
  const place = placeIn(expr, items);
  if (place !== undefined) return [place, value];
  if (expr.type === 'below' && expr.of.type === 'call' && expr.of.name === 'split' && expr.of.on !== undefined) {
    const [separator] = expr.of.args;
    if (separator?.type !== 'literal') return undefined;
    const before = new Array<string>(Number(expr.key)).fill('');
    return placed(expr.of.on, [...before, String(value)].join(String(separator.value)), items);
  }
  if (expr.type !== 'call') return undefined;
  if (expr.on !== undefined) return expr.name === 'replace' ? placed(expr.on, value, items) : undefined;
  if (expr.name !== 'default' && expr.name !== 'string') return undefined;
  return expr.args.map((one) => placed(one, value, items)).find((one) => one !== undefined);
}

function placeIn(expr: Expr, items: Items): Place | undefined {
  if (expr.type === 'path') {
    const [root = '', ...rest] = expr.keys;
    if (root === 'response') return rest;
    return items[root] === undefined ? undefined : [...items[root], ...rest];
  }
  if (expr.type === 'below') {
    const of = placeIn(expr.of, items);
    return of === undefined ? undefined : [...of, expr.key];
  }
  return expr.type === 'call' && expr.name === 'filter' && expr.on !== undefined ? placeIn(expr.on, items) : undefined;
}

/** `list.filter(name, condition)` */
interface Item {
  list: Place;
  name: string;
  condition: Expr;
}

function itemOf({ on, args: [name, condition] }: Expr & { type: 'call' }, items: Items): Item | undefined {
  const list = on === undefined ? undefined : placeIn(on, items);
  if (list === undefined || name?.type !== 'path' || condition === undefined) return undefined;
  return { list, name: name.keys.join('.'), condition };
}

function filtersIn(expr: Expr, items: Items): Item[] {
  if (expr.type === 'below') return filtersIn(expr.of, items);
  if (expr.type !== 'call') return [];
  const own = expr.name === 'filter' ? itemOf(expr, items) : undefined;
  return [
    ...(own === undefined ? [] : [own]),
    ...[expr.on, ...expr.args].flatMap((one) => (one === undefined ? [] : filtersIn(one, items))),
  ];
}

function put(parts: Parts, [part, ...names]: Place, value: Data): void {
  if (part === 'body') parts.body = plant(parts.body, names, value);
  else if (part === 'headers') parts.headers[names[0] ?? 'x-token'] = textOf(value);
  else if (part === 'cookies') {
    const all = names[0] === undefined && isDataMap(value) ? Object.entries(value) : [[names[0] ?? 'session', value] as const];
    for (const [name, one] of all) parts.cookies.push(`${name}=${textOf(one)}; Path=/; HttpOnly`);
  }
}

const textOf = (value: Data): string => (isDataMap(value) ? String(Object.values(value)[0]) : String(value));
