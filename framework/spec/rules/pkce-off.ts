import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'pkce-off',
  severity: 'warning',
  summary: 'PKCE is switched off.',
  why: 'With PKCE a code that was stolen, or slipped into another person’s flow, is worth nothing (RFC 9700, 2.1.1). A server that does not know it ignores its parameters; where it refuses them, say so in a `# ferrule-ignore`.',
  bad: 'auth: { oauth: { type: oauth2_authorization_code, pkce: false, … } }',
  good: 'auth: { oauth: { type: oauth2_authorization_code, … } }',
  check: ({ spec }, report) => {
    for (const [method, own] of Object.entries(spec.auth)) {
      if (!('pkce' in own) || own.pkce !== false) continue;
      report(['auth', method, 'pkce'], 'Codes of this method are bound to nobody.', {
        part: 'key',
        hint: 'Leave `pkce` out, or say why: `# ferrule-ignore pkce-off: reason`.',
      });
    }
  },
};
