import { patternProblem } from '../../core/expression/match.ts';
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
  check: ({ spec, leaves }, report) => {
    // A captured value is compared in linear time.
    for (const { key, up, path, node } of leaves) {
      const problem = key === 'pattern' && up?.up?.key === 'capture' ? patternProblem(node.text) : undefined;
      if (problem !== undefined) report(path, `The pattern is no regular expression of RE2: ${problem}.`);
    }
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
