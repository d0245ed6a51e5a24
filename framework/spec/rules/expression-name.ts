import { expressionRule } from './expression.ts';

export const rule = expressionRule('expression_name', {
  name: 'expression-name',
  severity: 'error',
  summary: 'A name in ${…} that does not exist in this place.',
  why: 'Every expression is checked against the variables of its place when the spec is loaded, so that no request fails for a typo.',
  bad: 'base_url: https://${regoin.api}',
  good: 'base_url: https://${region.api}',
});
