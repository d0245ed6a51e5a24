import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unused-template',
  severity: 'warning',
  summary: 'A template that no stream uses.',
  why: 'It is not a stream itself and would never be run.',
  bad: 'templates: { entity: { records: data } }\nstreams: { orders: { get: /orders } }',
  good: 'templates: { entity: { records: data } }\nstreams: { orders: { use: entity, get: /orders } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    const used = new Set(Object.values(spec.streams ?? {}).map(({ use }) => use));
    for (const name of Object.keys(spec.templates ?? {})) {
      if (!used.has(name))
        report(['templates', name], `No stream uses the template \`${name}\`.`, {
          part: 'key',
          hint: `Write \`use: ${name}\` in a stream, or leave it out.`,
        });
    }
  },
};
