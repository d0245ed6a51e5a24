import { expressionRule } from './expression.ts';

export const rule = expressionRule('expression_refused', {
  name: 'expression-refused',
  severity: 'error',
  summary: 'A construct of the expression language that is refused: matches(), nested macros, optional types.',
  why: 'They can take minutes on hostile data, or hide a misspelt name.',
  bad: 'when: ${fields.code.matches("(a+)+$")}',
  good: 'when: ${match(fields.code, "^a+$")}',
});
