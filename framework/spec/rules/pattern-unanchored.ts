import { fieldsOf } from './fields.ts';
import { isAnchored, regularExpression } from './regular-expression.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'pattern-unanchored',
  severity: 'warning',
  summary: 'A pattern that does not begin with ^ and end with $.',
  why: 'It fits any text that has it somewhere inside.',
  bad: "pattern: '[0-9]+'",
  good: "pattern: '^[0-9]+$'",
  check: ({ spec }, report) => {
    for (const { path, field } of fieldsOf(spec)) {
      const { pattern } = field;
      if (pattern === undefined || regularExpression(pattern).problem !== undefined || isAnchored(pattern)) continue;
      const inner = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
      report([...path, 'pattern'], 'The pattern fits any text that has it somewhere inside.', {
        hint: `Write '^${inner.includes('|') ? `(?:${inner})` : inner}$'.`,
      });
    }
  },
};
