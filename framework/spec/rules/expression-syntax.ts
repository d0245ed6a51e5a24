import { expressionRule } from './expression.ts';

export const rule = expressionRule('expression_syntax', {
  name: 'expression-syntax',
  severity: 'error',
  summary: 'A ${…} that cannot be parsed.',
  why: 'It could not be worked out when the connector runs.',
  bad: 'get: /orders/${parent.id',
  good: 'get: /orders/${parent.id}',
});
