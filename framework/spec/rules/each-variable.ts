import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
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
    for (const expression of context.mentioning('each')) lookForUnknown(context, expression, report);
    const told = new Set<string>();
    for (const name of Object.keys(context.spec.streams ?? {})) {
      lookAtItems(context, name, (path, message, place) => {
        if (!told.has(path.join('\n'))) report(path, message, place);
        told.add(path.join('\n'));
      });
    }
  },
};

const namesOf = (spec: SpecDocument, stream: string): string[] => Object.keys(inheritedMap(spec, stream, 'each') ?? {});

function lookForUnknown(context: RuleContext, expression: Expression, report: Report): void {
  const { spec } = context;
  const layer = layerOf(expression.path);
  if (layer === undefined) return;
  const users = usersOf(context, layer);
  for (const [root, member] of expression.mentions) {
    if (root !== 'each' || member === undefined) continue;
    const lacking = users.filter((stream) => isWhole(spec, stream) && !namesOf(spec, stream).includes(member));
    const [first] = lacking;
    // What all streams start from may be written over in those that lack it.
    if (first === undefined || (layer.at(-1) === 'defaults' && lacking.length < users.length)) continue;
    const names = namesOf(spec, first);
    const meant = suggest(member, names);
    const place = within(expression, 'each', member);
    report(expression.path, `\`streams.${first}\` has no \`each.${member}\`.`, {
      ...(place && { within: place }),
      hint:
        meant !== undefined
          ? `Did you mean \`each.${meant}\`?`
          : names.length > 0
            ? `It has: ${names.join(', ')}.`
            : `Write \`each: { ${member}: […] }\` there.`,
    });
  }
}

function lookAtItems(context: RuleContext, name: string, report: Report): void {
  const { spec } = context;
  const each = isWhole(spec, name) ? inheritedMap(spec, name, 'each') : undefined;
  if (each === undefined) return;
  const named = namedInRequest(context, name, 'each');
  for (const [item, value] of Object.entries(each)) {
    const path = saidAt(spec, name, ['each', item]) ?? ['streams', name];
    if (!isList(spec, value))
      report(path, `\`each.${item}\` is no list.`, {
        hint: 'Write `[a, b]`, or one `${…}` that gives a list, such as a field of type list.',
      });
    else if (!named.has(item) && !named.has(WHOLE))
      report(path, `The request of \`${name}\` does not name \`each.${item}\`.`, {
        part: 'key',
        hint: `Write \`\${each.${item}}\` where the provider takes it, or leave it out.`,
      });
  }
}

/** As far as the text tells. */
function isList(spec: SpecDocument, value: unknown): boolean {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'string' || !/^\$\{.*\}$/s.test(value)) return false;
  const field = /^\$\{\s*fields\.([a-z][a-z0-9_]*)\s*\}$/.exec(value)?.[1];
  const type = field === undefined ? undefined : spec.fields?.[field];
  return type === undefined || type.type === 'list';
}
