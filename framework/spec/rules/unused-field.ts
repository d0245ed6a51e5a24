import { AUTH_TYPES } from '../auth-types.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unused-field',
  severity: 'warning',
  summary: 'A field that no expression uses.',
  why: 'The person is asked for something that changes nothing; often the name in the expression is misspelt.',
  bad: 'fields: { shop: { title: Shop } }\nhttp: { base_url: https://api.acme.com }',
  good: 'fields: { shop: { title: Shop, type: subdomain } }\nhttp: { base_url: "https://${fields.shop}.acme.com" }',
  check: (context, report) => {
    const { spec, partial } = context;
    if (partial) return;
    const used = (name: string, method?: string): boolean =>
      context.mentioning('fields').some(({ path, mentions }) => {
        // A method's own field counts as used only where that method holds.
        if (method !== undefined && path[0] === 'auth' && path[1] !== method) return false;
        return mentions.some(([root, field]) => root === 'fields' && (field === undefined || field === name));
      });
    for (const name of Object.keys(spec.fields ?? {})) {
      if (!used(name))
        report(['fields', name], `No expression uses \`fields.${name}\`.`, {
          part: 'key',
          hint: `Use \`\${fields.${name}}\`, or leave it out.`,
        });
    }
    for (const [method, { type, fields }] of Object.entries(spec.auth)) {
      for (const [name, field] of Object.entries(fields ?? {})) {
        if (field === null || Object.hasOwn(AUTH_TYPES[type]?.fields ?? {}, name) || used(name, method)) continue;
        report(['auth', method, 'fields', name], `No expression uses \`fields.${name}\`.`, {
          part: 'key',
          hint: `Use \`\${fields.${name}}\`, or leave it out.`,
        });
      }
    }
  },
};
