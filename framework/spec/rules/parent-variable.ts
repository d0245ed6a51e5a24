import { isWhole } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'parent-variable',
  severity: 'error',
  summary: 'A stream without a parent uses ${parent.…}.',
  why: 'There is no record to take the value from.',
  bad: 'streams: { lines: { get: "/orders/${parent.id}/lines" } }',
  good: 'streams: { orders: { get: /orders }, lines: { parent: orders, get: "/orders/${parent.id}/lines" } }',
  check: (context, report) => {
    const { spec, partial } = context;
    // With parts left out the parent may be among them.
    if (partial) return;
    const streams = spec.streams ?? {};
    const hasParent = (name: string): boolean => {
      const { parent, use } = streams[name] ?? {};
      return parent !== undefined || (use !== undefined && spec.templates?.[use]?.parent !== undefined);
    };
    for (const { path } of context.mentioning('parent')) {
      const [part, name = ''] = path;
      const users = part === 'templates' ? Object.keys(streams).filter((stream) => streams[stream]?.use === name) : [String(name)];
      const orphan =
        part === 'streams' || part === 'templates' ? users.find((stream) => isWhole(spec, stream) && !hasParent(stream)) : undefined;
      if (orphan !== undefined) report(path, `\`streams.${orphan}\` has no parent.`, { hint: 'Write `parent: <stream>` there.' });
    }
  },
};
