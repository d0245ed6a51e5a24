import { suggest } from '../../core/suggest.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unknown-template',
  severity: 'error',
  summary: 'A stream uses a template that does not exist.',
  why: 'The stream would be read without what the template brings.',
  bad: 'streams: { orders: { use: entitiy } }',
  good: 'streams: { orders: { use: entity } }',
  check: ({ spec }, report) => {
    const names = Object.keys(spec.templates ?? {});
    for (const [stream, { use }] of Object.entries(spec.streams ?? {})) {
      if (use === undefined || names.includes(use)) continue;
      const meant = suggest(use, names);
      const hint =
        meant !== undefined
          ? `Did you mean \`${meant}\`?`
          : names.length > 0
            ? `Templates: ${names.join(', ')}.`
            : 'The spec has no templates.';
      report(['streams', stream, 'use'], `There is no template \`${use}\`.`, { hint });
    }
  },
};
