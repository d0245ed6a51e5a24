import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'stream-source',
  severity: 'warning',
  summary: 'A stream without a link to where its facts were read.',
  why: 'Whoever mends the stream later must know what the provider says.',
  bad: 'streams: { orders: { get: /orders } }',
  good: 'streams: { orders: { source: https://docs.acme.com/orders, get: /orders } }',
  check: ({ resolved, partial }, report) => {
    const [any] = Object.values(resolved);
    if (partial || any === undefined) return;
    for (const [name, { source }] of Object.entries(any.streams)) {
      if (source.length > 0) continue;
      report(['streams', name], `\`${name}\` has no \`source\`.`, {
        part: 'key',
        hint: "Write `source: https://…`, the provider's page about it.",
      });
    }
  },
};
