import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'missing-check',
  severity: 'warning',
  summary: 'The spec has no check.',
  why: 'Without a cheap call that needs the credential nobody can tell whether it is right before the first read.',
  bad: 'http: { base_url: https://api.acme.com }',
  good: 'http: { base_url: https://api.acme.com }\ncheck: { get: /me }',
  check: ({ spec, partial }, report) => {
    if (partial || spec.check !== undefined) return;
    report([], 'The spec has no `check`.', { hint: 'Write `check: { get: /me }` with a cheap path that needs the credential.' });
  },
};
