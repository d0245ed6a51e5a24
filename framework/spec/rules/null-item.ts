import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'null-item',
  severity: 'error',
  summary: 'A null among the items of a list that is sent or put into records.',
  why: 'A null takes away what is inherited, and lists are not inherited item by item: it would be left out without a word.',
  bad: 'body: { ids: [1, null] }',
  good: "body: { ids: [1, '${null}'] }",
  check: ({ leaves }, report) => {
    for (const leaf of leaves) {
      if (leaf.node.value !== null || leaf.shape.kind !== 'value' || typeof leaf.key !== 'number') continue;
      report(leaf.path, 'A null in a list removes nothing and is not sent.', {
        hint: "Write `'${null}'` for a JSON null, or leave it out.",
      });
    }
  },
};
