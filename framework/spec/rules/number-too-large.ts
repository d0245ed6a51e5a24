import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'number-too-large',
  severity: 'error',
  summary: 'A whole number beyond 2^53 that is not quoted.',
  why: 'It would be rounded: 9007199254740993 becomes 9007199254740992.',
  bad: 'body: { profile: 9007199254740993 }',
  good: 'body: { profile: "9007199254740993" }',
  check: ({ leaves }, report) => {
    for (const leaf of leaves) {
      const { node } = leaf;
      if (typeof node.value !== 'number' || Math.abs(node.value) <= Number.MAX_SAFE_INTEGER || !/^[-+]?\d+$/.test(node.text)) continue;
      report(leaf.path, `${node.text} would be rounded.`, { hint: `Quote it: "${node.text}".` });
    }
  },
};
