import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unused-choice',
  severity: 'warning',
  summary: 'A choice that changes nothing.',
  why: 'The person is asked for something without effect.',
  bad: 'choices: { region: { options: { na: {}, eu: {} } } }\nhttp: { base_url: https://api.acme.com }',
  good: 'choices: { region: { options: { na: { api: api.acme.com }, eu: { api: api.acme.eu } } } }\nhttp: { base_url: "https://${region.api}" }',
  check: (context, report) => {
    const { spec, partial } = context;
    if (partial) return;
    for (const [name, { options }] of Object.entries(spec.choices ?? {})) {
      const overlays = Object.values(options).some((option) => option.http !== undefined || option.defaults !== undefined);
      if (overlays || context.mentioning(name).length > 0) continue;
      report(['choices', name], `The choice \`${name}\` changes nothing.`, {
        part: 'key',
        hint: `Use \`\${${name}.…}\`, give options \`http\` or \`defaults\`, or leave it out.`,
      });
    }
  },
};
