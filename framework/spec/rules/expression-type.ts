import { expressionRule } from './expression.ts';

export const rule = expressionRule('expression_type', {
  name: 'expression-type',
  severity: 'error',
  summary: 'An expression whose type does not fit, or with a function that does not take such values.',
  why: 'A condition must be true or false, a number a number; a list or map is no text.',
  bad: 'when: ${api.id}',
  good: 'when: \'${api.id == "v2"}\'',
});
