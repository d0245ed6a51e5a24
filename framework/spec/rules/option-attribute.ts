import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'option-attribute',
  severity: 'error',
  summary: 'An attribute of a choice that not every option has.',
  why: 'For the option without it the text cannot be made.',
  bad: 'options: { na: { api: api.acme.com }, eu: {} }\nbase_url: https://${region.api}',
  good: 'options: { na: { api: api.acme.com }, eu: { api: api.acme.eu } }\nbase_url: https://${region.api}',
  check: (context, report) => {
    const { spec } = context;
    const seen = new Set<string>();
    for (const [choice, { options }] of Object.entries(spec.choices ?? {})) {
      const attributes = context.mentioning(choice).flatMap(({ mentions }) => mentions.filter(([root]) => root === choice));
      for (const [, attribute] of attributes) {
        if (attribute === undefined || attribute === 'id' || seen.has(`${choice}.${attribute}`)) continue;
        seen.add(`${choice}.${attribute}`);
        const lacking = Object.entries(options).filter(([, option]) => typeof option[attribute] !== 'string');
        if (lacking.length === Object.keys(options).length) continue;
        for (const [id] of lacking) {
          report(
            ['choices', choice, 'options', id],
            `Option \`${id}\` has no \`${attribute}\`, which \`\${${choice}.${attribute}}\` needs.`,
            {
              part: 'key',
              hint: `Add \`${attribute}: …\`.`,
            },
          );
        }
      }
    }
  },
};
