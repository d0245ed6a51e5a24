import { createHash } from 'node:crypto';
import type { ResolvedCall } from '../core/resolved.ts';
import { same } from './authenticate.ts';
import { checkScope, TokenError } from './client.ts';
import type { Data } from './data.ts';
import type { Grant, Grants } from './grants.ts';
import { idOf, madeVerdict } from './made.ts';
import type { Filled } from './pattern.ts';
import type { View } from './view.ts';

/** A token request whose client and parameters are right. */
export interface Presented {
  view: View;
  call: ResolvedCall;
  purpose: 'token' | 'refresh' | 'device' | 'ending';
  params: Map<string, string>;
  /** What stands in the holes of the author's own entries. */
  filled: readonly Filled[];
  client: string;
  /** Names of parameters that the author has written. */
  authored: ReadonlySet<string>;
  grants: Grants;
}

interface Granted {
  grant: Grant;
  /** What the RFC says of the answer, besides the access token. */
  standard: Record<string, Data>;
}

/** By auth type: the word of its RFC. */
export const GRANT_TYPES: Readonly<Record<string, string>> = {
  oauth2_client_credentials: 'client_credentials',
  oauth2_authorization_code: 'authorization_code',
  oauth2_password: 'password',
  oauth2_device: 'urn:ietf:params:oauth:grant-type:device_code',
  oauth2_jwt_bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  oauth2_saml2_bearer: 'urn:ietf:params:oauth:grant-type:saml2-bearer',
  oauth2_token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
};

/** What a type's grant is proven with. Nothing: the client alone. */
const PROOFS: Readonly<Record<string, (presented: Presented) => Grant>> = {
  oauth2_authorization_code: redeemCode,
  oauth2_device: redeemDeviceCode,
  oauth2_password: (presented) => {
    for (const name of ['username', 'password']) equalField(presented, name, 'invalid_grant');
    return direct(presented);
  },
  oauth2_token_exchange: (presented) => {
    // RFC 8693, 2.2.2: a subject token that is not good is an invalid request.
    equalField(presented, 'subject_token', 'invalid_request');
    return direct(presented);
  },
  oauth2_jwt_bearer: asserted,
  oauth2_saml2_bearer: asserted,
};

/** @throws TokenError where what is presented gives no right to a token */
export function checkGrant(presented: Presented): Granted {
  const { view, purpose, grants } = presented;
  const { method } = view.resolved;
  if (purpose === 'refresh') return renewed(presented);
  const grant = (PROOFS[method.type] ?? direct)(presented);
  const renewable = method.refresh?.some(({ from }) => from === 'refresh_token') ?? false;
  return { grant, standard: standard(grant, renewable ? grants.issueRefresh(grant) : undefined) };
}

/** RFC 6749, 5.1 */
const standard = ({ scope }: Grant, refreshToken: string | undefined): Record<string, Data> => ({
  token_type: 'Bearer',
  ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  ...(scope !== '' && { scope }),
});

function direct({ view, params, client }: Presented): Grant {
  const scope = checkScope(view, params.get('scope'));
  return { method: view.resolved.method.name, clientId: client, scope, revoked: false };
}

function equalField({ view, params, authored, grants }: Presented, name: string, error: string): void {
  if (authored.has(name)) return; // Compared as the author has written it.
  const given = params.get(name);
  const wanted = view.value(name) ?? '';
  if (given === undefined) throw new TokenError('invalid_request', `missing ${name}`);
  if (!same(given, wanted) || grants.withdrawn(given)) throw new TokenError(error, `wrong ${name}`);
}

/** RFC 7523, 2.1 and 3; RFC 7522, 2.1 and 3 */
function asserted(presented: Presented): Grant {
  const { view, params, grants, filled } = presented;
  const step = view.resolved.method.steps.find((one) => one.type === 'made');
  const assertion = params.get('assertion') ?? filled.find(({ hole }) => hole === `token.${step?.type === 'made' && step.name}`)?.value;
  if (assertion === undefined) throw new TokenError('invalid_request', 'missing assertion');
  const verdict = step?.type === 'made' ? madeVerdict(view, step, assertion, grants.now) : 'wrong';
  if (verdict !== 'good') throw new TokenError('invalid_grant', `the assertion is ${verdict}`);
  const id = idOf(assertion);
  if (id !== undefined && !grants.once(`assertion ${id}`)) throw new TokenError('invalid_grant', 'the assertion was used before');
  return direct(presented);
}

/** The value of a parameter of the RFC, or of the author's own entry that stands for it. */
const value = ({ params, filled }: Presented, name: string, hole: string): string | undefined =>
  params.get(name) ?? filled.find((one) => one.hole === hole)?.value;

/** RFC 6749, 4.1.3 and RFC 7636, 4.6 */
function redeemCode(presented: Presented): Grant {
  const { view, grants, call } = presented;
  const code = grants.useCode(value(presented, 'code', 'oauth.code') ?? '');
  if (typeof code === 'string') throw new TokenError('invalid_grant', `the code is ${code}`);
  if (code.grant.method !== view.resolved.method.name) throw new TokenError('invalid_grant', 'the code belongs to another client');
  // A call without a client's ID is proven by whatever the author has put in its place.
  if (presented.client !== '' && code.grant.clientId !== presented.client)
    throw new TokenError('invalid_grant', 'the code belongs to another client');
  const wantsUri = 'redirect_uri' in ((call.body ?? {}) as object);
  if (wantsUri && value(presented, 'redirect_uri', 'oauth.redirect_uri') !== code.redirectUri) {
    throw new TokenError('invalid_grant', 'redirect_uri is not the one of the consent');
  }
  const verifier = value(presented, 'code_verifier', 'oauth.code_verifier');
  if (code.challenge === undefined) {
    if (verifier !== undefined) throw new TokenError('invalid_grant', 'there was no code_challenge');
    return code.grant;
  }
  if (verifier === undefined) throw new TokenError('invalid_grant', 'missing code_verifier');
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) throw new TokenError('invalid_grant', 'malformed code_verifier');
  if (createHash('sha256').update(verifier, 'ascii').digest('base64url') !== code.challenge) {
    throw new TokenError('invalid_grant', 'wrong code_verifier');
  }
  return code.grant;
}

/** RFC 8628, 3.4 and 3.5 */
function redeemDeviceCode(presented: Presented): Grant {
  const answer = presented.grants.devices.poll(value(presented, 'device_code', 'oauth.device_code') ?? '', presented.client);
  if (typeof answer === 'string') throw new TokenError(answer, 'no token is given for this device code');
  return answer;
}

/** RFC 6749, 6; or by another capture that the spec renews with. */
function renewed({ view, call, params, filled, grants }: Presented): Granted {
  const { name, refresh = [] } = view.resolved.method;
  const from = refresh.find((one) => one === call)?.from ?? 'refresh_token';
  const other = filled.find(({ hole }) => hole === `token.${from}`)?.value;
  if (from !== 'refresh_token') {
    const grant = other === undefined ? undefined : grants.grantOf(other);
    const ended = other === undefined || ['unknown', 'revoked'].includes(grants.standing(other, from));
    if (grant?.method !== name || ended) throw new TokenError('invalid_grant', `the ${from} cannot renew anything`);
    return { grant, standard: standard(grant, undefined) };
  }
  const given = params.get('refresh_token') ?? other ?? '';
  const rotates = refresh.some((one) => one.rotates);
  const grant = grants.useRefresh(given, rotates);
  if (typeof grant === 'string') throw new TokenError('invalid_grant', `the refresh token is ${grant}`);
  if (grant.method !== name) throw new TokenError('invalid_grant', 'the refresh token belongs to another client');
  return { grant, standard: standard(grant, rotates ? grants.issueRefresh(grant) : given) };
}
