import type { Problem } from '../../core/expression/index.ts';
import type { Rule } from './rule.ts';

/** One rule per kind of problem that the expression compiler reports. */
export function expressionRule(kind: Problem['rule'], words: Omit<Rule, 'check'>): Rule {
  return {
    ...words,
    check: ({ broken }, report) => {
      for (const { path, problems } of broken) {
        for (const { rule, message, hint, start, end } of problems) {
          if (rule === kind) report(path, message, { within: [start, end], ...(hint !== undefined && { hint }) });
        }
      }
    },
  };
}
