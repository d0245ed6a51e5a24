import { suggest } from '../../core/suggest.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unknown-parent',
  severity: 'error',
  summary: 'A parent that is no stream of this spec.',
  why: 'A child stream is read once for each record of its parent: without one it is never read.',
  bad: 'streams: { orders: { get: /orders }, lines: { parent: order } }',
  good: 'streams: { orders: { get: /orders }, lines: { parent: orders } }',
  check: ({ spec }, report) => {
    const names = Object.keys(spec.streams ?? {});
    for (const part of ['streams', 'templates'] as const) {
      for (const [name, { parent }] of Object.entries(spec[part] ?? {})) {
        if (parent === undefined || names.includes(parent)) continue;
        const meant = suggest(parent, names);
        const listed = names.length <= 12 ? names.join(', ') : `${names.slice(0, 12).join(', ')}, … (${names.length})`;
        const hint = meant === undefined ? `Streams: ${listed}.` : `Did you mean \`${meant}\`?`;
        report([part, name, 'parent'], `There is no stream \`${parent}\`.`, { hint });
      }
    }
  },
};
