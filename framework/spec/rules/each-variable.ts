import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
import type { Plain } from '../merge.ts';
import type { FindingPlace, SpecPath } from '../tree.ts';
import type { Expression, RuleContext } from './context.ts';
import { inheritedMap, isWhole, saidAt } from './inherited.ts';
import { layerOf, namedInRequest, usersOf, WHOLE, within } from './named-in-request.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'each-variable',
  severity: 'error',
  summary: 'An `${each.…}` that the stream does not have, or an item of `each` that is no list or that the request does not name.',
  why: 'There is nothing to put in; and where the request does not name the item, the same records are read once for each.',
  bad: 'each: { level: [campaign, ad] }\nquery: { level: "${each.levle}" }',
  good: 'each: { level: [campaign, ad] }\nquery: { level: "${each.level}" }',
  check: (context, report) => {
    if (context.partial) return;
    lookAtNames(context, report);
    /** Items that a template has wrong, by template: told once, there. */
    const told = new Map<string | undefined, Set<string>>();
    for (const [name, { use, each }] of Object.entries(context.spec.streams ?? {})) {
      const known = told.get(use) ?? new Set();
      told.set(use, known);
      const isOwn = (item: string): boolean => Object.hasOwn(each ?? {}, item);
      for (const { item, message, place } of itemsOf(context, name, (one) => isOwn(one) || !known.has(one))) {
        if (!isOwn(item)) known.add(item);
        report(saidAt(context.spec, name, ['each', item]) ?? ['streams', name], message, place);
      }
    }
  },
};

function lookAtNames(context: RuleContext, report: Report): void {
  /** By part and name: a template may name the same a thousand times. */
  const lacking = new Map<string, string | undefined>();
  for (const expression of context.mentioning('each')) {
    const layer = layerOf(expression.path);
    if (layer === undefined) continue;
    for (const [root, member] of expression.mentions) {
      if (root !== 'each' || member === undefined) continue;
      const key = [...layer, member].join('\n');
      if (!lacking.has(key)) lacking.set(key, lackingOf(context, layer, member));
      const stream = lacking.get(key);
      if (stream !== undefined) tell(context.spec, stream, expression, member, report);
    }
  }
}

const eachOf = (spec: SpecDocument, stream: string): Plain => inheritedMap(spec, stream, 'each') ?? {};

/** The first stream that lacks an item; undefined also where others that share the part have it. */
function lackingOf(context: RuleContext, layer: SpecPath, member: string): string | undefined {
  const has = (stream: string): boolean => Object.hasOwn(eachOf(context.spec, stream), member);
  const users = usersOf(context, layer);
  // What all streams start from may be written over in those that lack it.
  return layer.at(-1) === 'defaults' && users.some(has) ? undefined : users.find((stream) => !has(stream));
}

function tell(spec: SpecDocument, stream: string, expression: Expression, member: string, report: Report): void {
  const names = Object.keys(eachOf(spec, stream));
  const meant = suggest(member, names);
  const place = within(expression, 'each', member);
  const known = names.length > 0 ? `It has: ${names.slice(0, 12).join(', ')}.` : `Write \`each: { ${member}: […] }\` there.`;
  report(expression.path, `\`streams.${stream}\` has no \`each.${member}\`.`, {
    ...(place && { within: place }),
    hint: meant === undefined ? known : `Did you mean \`each.${meant}\`?`,
  });
}

interface Mistake {
  item: string;
  message: string;
  place: FindingPlace;
}

function itemsOf(context: RuleContext, name: string, isNews: (item: string) => boolean): Mistake[] {
  const each = isWhole(context.spec, name) ? inheritedMap(context.spec, name, 'each') : undefined;
  if (each === undefined) return [];
  const named = namedInRequest(context, name, 'each');
  return Object.entries(each).flatMap(([item, value]): Mistake[] => {
    if (!isNews(item)) return [];
    if (!isList(context.spec, value)) {
      const hint = 'Write `[a, b]`, or one `${…}` that gives a list, such as a field of type list.';
      return [{ item, message: `\`each.${item}\` is no list.`, place: { hint } }];
    }
    if (named(item) || named(WHOLE)) return [];
    const hint = `Write \`\${each.${item}}\` where the provider takes it, or leave it out.`;
    return [{ item, message: `The request of \`${name}\` does not name \`each.${item}\`.`, place: { part: 'key', hint } }];
  });
}

/** As far as the text tells. */
function isList(spec: SpecDocument, value: unknown): boolean {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'string' || !/^\$\{.*\}$/s.test(value)) return false;
  const field = /^\$\{\s*fields\.([a-z][a-z0-9_]*)\s*\}$/.exec(value)?.[1];
  const type = field === undefined ? undefined : spec.fields?.[field];
  return type === undefined || type.type === 'list';
}
