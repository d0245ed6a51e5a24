import { expressionRule } from './expression.ts';

export const rule = expressionRule('expression_place', {
  name: 'expression-place',
  severity: 'error',
  summary: 'A value that may not stand in this place: free text in a host, a secret in a label or a host.',
  why: 'Hosts must be known from the spec alone, or a typed value could send the credential elsewhere; and a secret must not end up where it is shown or stored.',
  bad: 'base_url: https://${fields.team}.acme.com   # team: text',
  good: 'base_url: https://${fields.team}.acme.com   # team: subdomain',
});
