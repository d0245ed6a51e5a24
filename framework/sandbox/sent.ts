import type { ResolvedCall } from '../core/resolved.ts';
import { type Verdict, worst } from './authenticate.ts';
import { computed } from './computed.ts';
import { type Data, pick } from './data.ts';
import type { Issued } from './grants.ts';
import { type Pattern, pattern } from './pattern.ts';
import { type Expr, lookups, splitText } from './reading.ts';
import type { Incoming } from './request.ts';
import type { View } from './view.ts';

/** An entry of `send` whose value cannot be read backwards. */
export interface SentEntry {
  text: string;
  value: string;
  /** Where it stands, which decides how it is escaped. */
  place: 'header' | 'query' | 'cookie' | 'body';
}

/** Milliseconds that a time in a signed request may be off. */
const DRIFT = 300_000;

/**
 * How computed entries stand: each must be what the spec's own expression gives for this request. The time and the fresh id that the
 * client took are read from where they stand in the open; an expression with one that stands nowhere may have any value. A time must be
 * of now, and an id is good once.
 */
export function sentVerdict(
  entries: readonly SentEntry[],
  all: readonly SentEntry[],
  request: Incoming,
  view: View,
  { issued, now, memory }: { issued: Issued | undefined; now: number; memory: Map<string, unknown> },
): Verdict {
  const open = all.flatMap((entry) => inTheOpen(entry, view));
  const times = open.flatMap(({ expr, value }) => (lookups(expr, 'now').length > 0 ? timesOf(value) : []));
  const uuid = open.map(uuidOf).find((value) => value !== undefined);
  const verdictAt = (time: number | undefined): Verdict =>
    worst(
      entries.map(({ text, value, place }) => {
        const free = (time === undefined && mentions(text, 'now', view)) || (uuid === undefined && mentions(text, 'uuid', view));
        if (free) return value === '' ? 'wrong' : 'good';
        const wanted = computed(text, place, view, {
          issued,
          request,
          ...(time !== undefined && { now: time }),
          ...(uuid !== undefined && { uuid }),
        });
        return wanted === undefined || wanted === value ? 'good' : 'wrong';
      }),
    );
  // A day that lies ahead says nothing of the time that it was counted from.
  const time = [...times, now].find((one) => verdictAt(one) === 'good');
  if (verdictAt(time ?? times[0]) !== 'good') return 'wrong';
  const exact = open.some(({ expr, value }) => lookups(expr, 'now').length > 0 && !/^\d{4}-?\d\d-?\d\d$/.test(value));
  if (time !== undefined && exact && Math.abs(time - now) > DRIFT) return 'expired';
  if (uuid === undefined || !entries.some(({ text }) => mentions(text, 'uuid', view))) return 'good';
  const uses = (memory.get('sent') ?? new Map<string, Incoming>()) as Map<string, Incoming>;
  memory.set('sent', uses);
  const first = uses.get(uuid) ?? request;
  uses.set(uuid, first);
  return first === request ? 'good' : 'wrong';
}

/** Computed entries of a call of the method's own, such as the hash of a password; a body as `matchRequest` has read it. */
export function computedEntries({ query, headers, cookies, body }: ResolvedCall, request: Incoming, given: Data, view: View): SentEntry[] {
  const entries: SentEntry[] = [];
  const put = (text: unknown, place: SentEntry['place'], value: Data | undefined): void => {
    if (typeof text !== 'string' || typeof value !== 'string' || !computes(pattern(text, view))) return;
    entries.push({ text, place, value });
  };
  for (const [name, text] of Object.entries(query)) put(text, 'query', request.query.find(([key]) => key === name)?.[1]);
  for (const [name, text] of Object.entries(headers)) put(text, 'header', request.headers[name.toLowerCase()]);
  for (const [name, text] of Object.entries(cookies)) put(text, 'cookie', request.cookies[name]);
  for (const [name, text] of Object.entries((body ?? {}) as object)) put(text, 'body', pick(given, [name]));
  return entries;
}

/** Whether a part of it can be told only by working it out. */
export const computes = ({ pieces }: Pattern): boolean =>
  pieces.some((piece) => 'hole' in piece && piece.hole === '' && piece.base64 === undefined);

/** The values of the expressions that stand in a text, as far as what is between them shows their bounds. */
function inTheOpen({ text, value }: SentEntry, view: View): { expr: Expr; value: string }[] {
  const parts = splitText(expanded(text, view));
  const source = parts.map((part) => ('text' in part ? escapeRegExp(part.text) : '(.*?)')).join('');
  const found = new RegExp(`^${source}$`, 's').exec(value);
  if (found === null) return [];
  return parts.flatMap((part) => ('expr' in part ? [part.expr] : [])).map((expr, index) => ({ expr, value: found[index + 1]! }));
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** With the text of a var in place of its name, where it stands alone. */
function expanded(text: string, view: View): string {
  const next = text.replaceAll(/\$\{\s*vars\.(\w+)\s*\}/g, (whole, name: string) => view.vars[name] ?? whole);
  return next === text ? text : expanded(next, view);
}

/** The fresh id where it stands as it is, or without its dashes. */
function uuidOf({ expr, value }: { expr: Expr; value: string }): string | undefined {
  const of = expr.type === 'call' && expr.name === 'replace' ? expr.on : expr;
  if (of?.type !== 'path' || of.keys.join() !== 'uuid') return undefined;
  return value.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, '$1-$2-$3-$4-$5');
}

/** Whether a look-up is in it, or in a var that it names. */
function mentions(text: string, root: string, view: View): boolean {
  const parts = splitText(text).flatMap((part) => ('expr' in part ? [part.expr] : []));
  return parts.some(
    (expr) => lookups(expr, root).length > 0 || lookups(expr, 'vars').some(([name = '']) => mentions(view.vars[name] ?? '', root, view)),
  );
}

/** Every time that a text may be: seconds or milliseconds since the epoch, digits of a date, or what JavaScript reads. */
function timesOf(text: string): number[] {
  const digits = /^(\d{4})-?(\d\d)-?(\d\d)(?:T?(\d\d)(\d\d)(\d\d)Z?)?$/.exec(text);
  const found = [
    /^\d{9,10}$/.test(text) ? Number(text) * 1000 : Number.NaN,
    /^\d{12,13}$/.test(text) ? Number(text) : Number.NaN,
    digits === null
      ? Number.NaN
      : Date.UTC(...(digits.slice(1).map((part, index) => Number(part ?? 0) - (index === 1 ? 1 : 0)) as [number, number])),
    /^\d+$/.test(text) ? Number.NaN : Date.parse(text),
  ];
  return found.filter((time) => !Number.isNaN(time));
}
