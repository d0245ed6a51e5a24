import { inherited, inheritedMap, isWhole, ownPlace } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'parents-changed',
  severity: 'error',
  summary: '`parents` in a stream that has no parent, or `changed` where the parent has no cursor.',
  why: 'Which of the parents changed is known by their own cursor; without one all of them are read each time.',
  bad: 'streams: { orders: { get: /orders }, lines: { parent: orders, parents: changed, get: "/orders/${parent.id}/lines" } }',
  good: 'streams: { orders: { get: /orders, query: { since: "${window.start}" }, cursor: { field: updated_at } }, lines: { parent: orders, parents: changed, get: "/orders/${parent.id}/lines" } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      const parents = isWhole(spec, name) ? inherited(spec, name, 'parents') : undefined;
      if (parents === undefined) continue;
      const parent = inherited(spec, name, 'parent');
      const path = ownPlace(spec, name, ['parents']);
      const part = path.length === 2 ? { part: 'key' as const } : {};
      if (parent === undefined)
        report(path, `\`parents\` is about the records of a parent, and \`${name}\` has none.`, {
          ...part,
          hint: 'Write `parent: <stream>`, or leave `parents` out.',
        });
      else if (
        parents === 'changed' &&
        Object.hasOwn(spec.streams ?? {}, parent) &&
        isWhole(spec, parent) &&
        !inheritedMap(spec, parent, 'cursor')
      )
        report(path, `\`${parent}\` has no cursor by which its changed records could be found.`, {
          ...part,
          hint: `Write \`cursor: { field: … }\` in \`streams.${parent}\`, or leave \`parents\` out.`,
        });
    }
  },
};
