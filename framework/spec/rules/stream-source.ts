import { inherited, isWhole } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'stream-source',
  severity: 'warning',
  summary: 'A stream without a link to where its facts were read.',
  why: 'Whoever mends the stream later must know what the provider says.',
  bad: 'streams: { orders: { get: /orders } }',
  good: 'streams: { orders: { source: https://docs.acme.com/orders, get: /orders } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      if (!isWhole(spec, name) || inherited(spec, name, 'source') !== undefined) continue;
      report(['streams', name], `\`${name}\` has no \`source\`.`, {
        part: 'key',
        hint: "Write `source: https://…`, the provider's page about it.",
      });
    }
  },
};
