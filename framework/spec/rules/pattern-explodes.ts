import { fieldsOf } from './fields.ts';
import { explodes } from './regular-expression.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'pattern-explodes',
  severity: 'error',
  summary: 'A pattern that can take exponential time.',
  why: 'A repeated group in which a part is repeated too can split one text in very many ways: 30 characters can take minutes.',
  bad: "pattern: '^([a-z]+)+$'",
  good: "pattern: '^[a-z]+$'",
  check: ({ spec }, report) => {
    for (const { path, field } of fieldsOf(spec)) {
      const part = field.pattern === undefined ? undefined : explodes(field.pattern);
      if (part !== undefined)
        report([...path, 'pattern'], `\`${part}\` can take exponential time.`, {
          hint: 'Repeat once only, or put a character between that the repeated part cannot be.',
        });
    }
  },
};
