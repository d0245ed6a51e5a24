import { fieldsOf } from './fields.ts';
import { regularExpression } from './regular-expression.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'pattern-invalid',
  severity: 'error',
  summary: 'A pattern that is no regular expression.',
  why: 'It could never be compared with anything.',
  bad: "pattern: '^[a-z+$'",
  good: "pattern: '^[a-z]+$'",
  check: ({ spec }, report) => {
    for (const { path, field } of fieldsOf(spec)) {
      if (field.pattern === undefined) continue;
      const { problem } = regularExpression(field.pattern);
      if (problem !== undefined)
        report([...path, 'pattern'], `The pattern is no regular expression: ${problem}.`, {
          hint: 'Quote it with single quotes and escape special characters with \\.',
        });
    }
  },
};
