import { Secret } from '../../framework/core/secret.ts';
import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import type { Credential } from '../../framework/credentials/types.ts';
import { acme, addresses } from '../acme.ts';
import { plainCanary } from '../canary.ts';
import { accessToken, refreshToken } from './provider.ts';

const OAUTH = `type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: https://auth.acme.test/token
    refresh: { rotates: true }`;

/** One token request; and one with a login behind it, which is lost and made again where the token must not be. */
const SPECS = {
  plain: `auth:\n  oauth:\n    ${OAUTH}`,
  chain: `auth:
  oauth:
    ${OAUTH}
    steps:
      - token
      - name: login
        post: https://auth.acme.test/login
        headers: { Authorization: 'Bearer \${token.access_token}' }
        capture: { session: session }
    send: { headers: { Authorization: null, X-Session: '\${token.session}' } }`,
};

export type Shape = keyof typeof SPECS;
export const SHAPES = Object.keys(SPECS) as Shape[];

export const killedSpec = (shape: Shape): SpecDocument => acme(SPECS[shape]);

/** What a consent would have stored: with token 0, which ends now or in an hour. */
export const killedCredential = (origin: string, { due }: { due: boolean }): Credential => ({
  name: 'work',
  connector: 'acme',
  method: 'oauth',
  choices: {},
  fields: { client_id: 'app', client_secret: new Secret(plainCanary('killed client secret')) },
  captures: { access_token: new Secret(accessToken(0)), refresh_token: new Secret(refreshToken(0)), session: new Secret('session-0') },
  expires: due ? { token: 0, 'token.renew': 0 } : {},
  ...addresses(origin),
  version: 0,
  created: '2026-01-02T03:04:05.000Z',
  updated: '2026-01-02T03:04:05.000Z',
});
