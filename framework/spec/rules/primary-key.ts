import { inherited, isWhole } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'primary-key',
  severity: 'warning',
  summary: 'A stream without a primary key.',
  why: 'Without one a record that is read twice cannot be told from two records.',
  bad: 'streams: { orders: { get: /orders } }',
  good: 'streams: { orders: { get: /orders, primary_key: [id] } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      if (!isWhole(spec, name) || (inherited(spec, name, 'primary_key') ?? []).length > 0) continue;
      report(['streams', name], `\`${name}\` has no primary key.`, {
        part: 'key',
        hint: 'Write `primary_key: [id]` in the stream, or once in `defaults`.',
      });
    }
  },
};
