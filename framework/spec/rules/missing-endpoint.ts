import { AUTH_TYPES, authTypeOf } from '../auth-types.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'missing-endpoint',
  severity: 'error',
  summary: 'An auth method whose type sends requests to an endpoint that is not named.',
  why: 'The token request, the page of consent and the device code have addresses; they are written, or an issuer names them.',
  bad: 'oauth: { type: oauth2_client_credentials }',
  good: 'oauth: { type: oauth2_client_credentials, token_url: https://auth.acme.com/token }',
  check: ({ spec }, report) => {
    for (const [name, method] of Object.entries(spec.auth)) {
      if (AUTH_TYPES[method.type] === undefined || 'issuer' in method || ('discovery' in method && method.discovery === 'resource'))
        continue;
      const { token, authorize, device } = authTypeOf(method);
      const wanted: [string, boolean][] = [
        ['authorize_url', authorize !== undefined && !('install' in method)],
        ['device_authorization_url', device !== undefined],
        ['token_url', token !== undefined && !callsElsewhere(method)],
      ];
      for (const [key, needed] of wanted) {
        if (!needed || key in method) continue;
        report(['auth', name], `\`auth.${name}\` needs \`${key}\`.`, {
          part: 'key',
          hint:
            token !== undefined && method.type !== 'oauth1'
              ? `Write \`${key}: https://…\`, or the \`issuer\` whose metadata name it.`
              : `Write \`${key}: https://…\`.`,
        });
      }
    }
  },
};

/** `token: { get: … }` names its own address. */
const callsElsewhere = (method: object): boolean =>
  'token' in method && typeof method.token === 'object' && method.token !== null && ('get' in method.token || 'post' in method.token);
