import { createHash } from 'node:crypto';
import type { ResolvedCall } from '../core/resolved.ts';
import { type Answer, json, placeOf } from './answer.ts';
import { checkClient, checkScope, registered, TokenError } from './client.ts';
import { type Data, plant } from './data.ts';
import type { Grant, Grants } from './grants.ts';
import { fill, pattern } from './pattern.ts';
import { type Incoming, mediaType, pairs } from './request.ts';
import type { View } from './view.ts';

/** RFC 6749, 3.2, for the methods whose token_url this is. */
export function tokenEndpoint(views: readonly View[], request: Incoming, grants: Grants): Answer {
  const [first] = views;
  try {
    if (request.method !== 'POST') throw new TokenError('invalid_request', 'the token endpoint takes POST', 405, { allow: 'POST' });
    const params = parameters(first!, request);
    const grantType = params.get('grant_type');
    if (grantType === undefined) throw new TokenError('invalid_request', 'missing grant_type');
    const view = views.find(({ resolved }) => GRANT_TYPES[grantType]?.includes(resolved.method.type));
    if (view === undefined) throw new TokenError('unsupported_grant_type', `no grant type ${grantType}`);
    checkClient(view, request, params, grants);
    return issue(view, grantType, params, request, grants);
  } catch (error) {
    if (error instanceof TokenError) return refusal(first!, error);
    throw error;
  }
}

const GRANT_TYPES: Record<string, string[]> = {
  client_credentials: ['oauth2_client_credentials'],
  authorization_code: ['oauth2_authorization_code'],
  refresh_token: ['oauth2_authorization_code'],
};

/** The provider's own place for the message, where the spec names one for token calls; else RFC 6749, 5.2. */
function refusal(view: View, { error, message, status, headers }: TokenError): Answer {
  const where = view.resolved.method.token?.errors?.message;
  const body: Data = { error, error_description: message };
  return json(status, where == null ? body : plant(body, placeOf(where), message), { 'cache-control': 'no-store', ...headers });
}

/** RFC 6749, 3.2: form-encoded, no parameter twice. */
function parameters({ resolved }: View, request: Incoming): Map<string, string> {
  const encode = resolved.method.token?.encode ?? 'form';
  const type = mediaType(request.headers['content-type']);
  let entries = request.query;
  if (encode === 'form') {
    if (type !== 'application/x-www-form-urlencoded') {
      throw new TokenError('invalid_request', 'content must be application/x-www-form-urlencoded');
    }
    entries = pairs(request.body);
  } else if (encode === 'json') {
    if (type !== 'application/json') throw new TokenError('invalid_request', 'content must be application/json');
    try {
      entries = Object.entries(JSON.parse(request.body) as Record<string, unknown>).map(([name, value]) => [name, String(value)]);
    } catch {
      throw new TokenError('invalid_request', 'the body is no JSON');
    }
  }
  const params = new Map<string, string>();
  for (const [name, value] of entries) {
    if (params.has(name)) throw new TokenError('invalid_request', `${name} was sent twice`);
    params.set(name, value);
  }
  return params;
}

/** What each grant type takes besides what the spec's own token body adds. */
const STANDARD: Record<string, string[]> = {
  client_credentials: ['scope'],
  authorization_code: ['code', 'redirect_uri', 'code_verifier'],
  refresh_token: ['refresh_token', 'scope'],
};

function issue(view: View, grantType: string, params: Map<string, string>, request: Incoming, grants: Grants): Answer {
  const { method } = view.resolved;
  const call = (grantType === 'refresh_token' ? method.refresh?.[0] : undefined) ?? method.token!;
  checkParameters(view, grantType, call, params, request);
  if (grantType === 'client_credentials') {
    const scope = checkScope(view, params.get('scope'));
    const grant: Grant = { method: method.name, clientId: registered(view).id, scope, revoked: false };
    return answer(view, call, grant, grants, undefined);
  }
  if (grantType === 'authorization_code') {
    const grant = redeem(view, params, grants);
    return answer(view, call, grant, grants, grants.issueRefresh(grant));
  }
  const given = params.get('refresh_token') ?? '';
  const rotates = method.refresh?.some((one) => one.rotates) ?? false;
  const grant = grants.useRefresh(given, rotates);
  if (typeof grant === 'string') throw new TokenError('invalid_grant', `the refresh token is ${grant}`);
  if (grant.method !== method.name) throw new TokenError('invalid_grant', 'the refresh token belongs to another client');
  return answer(view, call, grant, grants, rotates ? grants.issueRefresh(grant) : given);
}

/** The spec's own entries must be there; what neither they nor the RFC name is refused, so that a stray parameter is noticed. */
function checkParameters(view: View, grantType: string, call: ResolvedCall, params: Map<string, string>, request: Incoming): void {
  const standard = ['grant_type', 'client_id', 'client_secret', ...STANDARD[grantType]!];
  const own = Object.entries((call.body ?? {}) as Record<string, unknown>).filter(([name]) => !ALWAYS.has(name));
  for (const [name, text] of own) {
    const wanted = pattern(String(text), view);
    const value = params.get(name);
    if (value === undefined ? !wanted.optional : fill(wanted, value) === undefined) {
      throw new TokenError('invalid_request', `missing or wrong ${name}`);
    }
  }
  const known = new Set([...standard, ...own.map(([name]) => name)]);
  for (const name of params.keys()) if (!known.has(name)) throw new TokenError('invalid_request', `unexpected parameter: ${name}`);
  for (const [name, text] of Object.entries(call.query)) {
    const value = request.query.find(([key]) => key === name)?.[1];
    if (text !== null && (value === undefined || fill(pattern(String(text), view), value) === undefined)) {
      throw new TokenError('invalid_request', `missing or wrong query parameter ${name}`);
    }
  }
}

/** Read by the sandbox from the RFCs, not from the type's built-in call. */
const ALWAYS = new Set(['grant_type', 'client_id', 'client_secret', 'scope', 'code', 'redirect_uri', 'code_verifier', 'refresh_token']);

/** RFC 6749, 4.1.3 and RFC 7636, 4.6 */
function redeem(view: View, params: Map<string, string>, grants: Grants): Grant {
  const code = grants.useCode(params.get('code') ?? '');
  if (typeof code === 'string') throw new TokenError('invalid_grant', `the code is ${code}`);
  if (code.grant.method !== view.resolved.method.name) throw new TokenError('invalid_grant', 'the code belongs to another client');
  if (params.get('redirect_uri') !== code.redirectUri) throw new TokenError('invalid_grant', 'redirect_uri is not the one of the consent');
  const verifier = params.get('code_verifier');
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

/** RFC 6749, 5.1 */
function answer(view: View, call: ResolvedCall, grant: Grant, grants: Grants, refreshToken: string | undefined): Answer {
  const standard: Record<string, Data> = {
    access_token: grants.issueAccess(grant),
    token_type: 'Bearer',
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(grant.scope !== '' && { scope: grant.scope }),
  };
  return captured(view, call, grant, grants, standard);
}

/** A step of the spec's own, such as a login: what it captures is issued. */
export function answerStep(view: View, call: ResolvedCall, grants: Grants): Answer {
  return captured(view, call, { method: view.resolved.method.name, clientId: '', scope: '', revoked: false }, grants, {});
}

/** Every value where the call's captures look for it; what is not known by the RFC is a host that its patterns allow, or one more token. */
function captured(view: View, call: ResolvedCall, grant: Grant, grants: Grants, standard: Record<string, Data>): Answer {
  let body: Data = {};
  for (const [name, { path }] of Object.entries(call.capture)) {
    const known = standard[name] ?? view.lookup(['token', name]);
    const value = typeof known === 'symbol' ? undefined : (known as Data);
    if (value !== undefined) body = plant(body, placeOf(path), value);
    else if (!path.endsWith('?')) body = plant(body, placeOf(path), grants.issueAccess(grant, name));
  }
  const { expires } = call;
  if (expires?.in !== undefined) body = plant(body, placeOf(expires.in), grants.lifetime * (expires.as === 'ms' ? 1000 : 1));
  return json(200, body, { 'cache-control': 'no-store', pragma: 'no-cache' });
}
