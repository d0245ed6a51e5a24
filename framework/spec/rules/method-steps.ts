import { AUTH_TYPES } from '../auth-types.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'method-steps',
  severity: 'error',
  summary: 'Steps that cannot run: two of one name, or the word `token` missing or where its type has no token request.',
  why: 'When each step ends is kept under its name, and the token request is made only where the word stands among the steps.',
  bad: 'oauth: { type: oauth2_client_credentials, steps: [{ name: login, post: … }], … }',
  good: 'oauth: { type: oauth2_client_credentials, steps: [token, { name: login, post: … }], … }',
  check: ({ spec, partial }, report) => {
    for (const [method, { type, steps }] of Object.entries(spec.auth)) {
      if (steps === undefined) continue;
      const at = ['auth', method, 'steps'];
      const hasToken = AUTH_TYPES[type]?.token !== undefined;
      const hasAssertion = AUTH_TYPES[type]?.assertion !== undefined;
      const names = new Set(['token']);
      for (const [index, step] of steps.entries()) {
        if (step.type === 'token') {
          if (!hasToken)
            report([...at, index], `The type \`${type}\` has no token request.`, {
              hint: 'Write the call out: `{ name: login, post: … }`.',
            });
        } else if (step.type === 'assertion') {
          if (!hasAssertion)
            report([...at, index], `The type \`${type}\` signs no assertion.`, {
              hint: 'Write it out: `{ name: signed, jwt: { alg: …, key: … } }`.',
            });
        } else if (step.name !== undefined && names.has(step.name)) {
          const message = step.name === 'token' ? '`token` is the name of the built-in step.' : `Two steps are called \`${step.name}\`.`;
          report([...at, index, 'name'], message, { hint: 'Give it another name.' });
        } else if (step.name !== undefined) names.add(step.name);
      }
      if (hasToken && !partial && !steps.some((step) => step.type === 'token'))
        report(at, `The token request of \`${type}\` is never made.`, {
          part: 'key',
          hint: 'Write the word `token` where it comes among the steps.',
        });
    }
  },
};
