import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'implicit-grant',
  severity: 'error',
  summary: 'A response type that puts a token into the callback.',
  why: 'The token would stand in the address of a page, where history, logs and other pages find it (RFC 9700, 2.1.2). It comes behind the #, which no program on this machine is sent.',
  bad: 'authorize: { query: { response_type: token } }',
  good: 'authorize: { query: { prompt: consent } }',
  check: ({ spec }, report) => {
    for (const [method, own] of Object.entries(spec.auth)) {
      const asked = 'authorize' in own ? own.authorize?.query?.response_type : undefined;
      const words = (Array.isArray(asked) ? asked : [asked ?? '']).flatMap((text) => text.split(/\s+/));
      if (!words.includes('token') && !words.includes('id_token')) continue;
      report(['auth', method, 'authorize', 'query', 'response_type'], 'A token would come back in the address of a page.', {
        hint: 'Leave it out: the code is asked for, and exchanged for the token.',
      });
    }
  },
};
