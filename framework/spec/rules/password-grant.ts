import { AUTH_TYPES } from '../auth-types.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'password-grant',
  severity: 'warning',
  summary: "The password grant: a person's own password goes through this program.",
  why: 'RFC 9700, 2.4: it must not be used. It shows the password to one program more, and cannot ask for a second factor. Where the provider has no other way, say so in a `# ferrule-ignore`.',
  bad: 'auth: { oauth: { type: oauth2_password, … } }',
  good: 'auth: { oauth: { type: oauth2_authorization_code, … } }',
  check: ({ spec }, report) => {
    for (const [method, { type }] of Object.entries(spec.auth)) {
      if (AUTH_TYPES[type]?.token?.body?.grant_type !== 'password') continue;
      report(['auth', method, 'type'], `\`${type}\` takes the person's own password.`, {
        hint: 'Use `oauth2_authorization_code`, `oauth2_device` or `oauth2_client_credentials`, or say why: `# ferrule-ignore password-grant: reason`.',
      });
    }
  },
};
