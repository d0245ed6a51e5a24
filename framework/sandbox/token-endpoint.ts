import type { ResolvedCall, ResolvedRefresh } from '../core/resolved.ts';
import { type Answer, json, placeOf } from './answer.ts';
import { checkClient, TokenError } from './client.ts';
import { type Data, plant } from './data.ts';
import type { Gate } from './gate.ts';
import { checkGrant, GRANT_TYPES, type Presented } from './grant-types.ts';
import type { Grants } from './grants.ts';
import { issue } from './issue.ts';
import { type Filled, fill, pattern } from './pattern.ts';
import { knownText } from './reading.ts';
import { type Incoming, mediaType, pairs } from './request.ts';
import type { View } from './view.ts';

/** A call of a method that gets or renews a token. */
export interface TokenCall {
  view: View;
  gate: Gate;
  call: ResolvedCall;
  purpose: 'token' | 'refresh' | 'device' | 'ending';
}

/** RFC 6749, 3.2, for the methods whose token URL this is. */
export function tokenEndpoint(calls: readonly TokenCall[], request: Incoming, grants: Grants, url: string): Answer {
  const [first] = calls as [TokenCall];
  try {
    const onMethod = calls.filter(({ call }) => call.method === request.method);
    if (onMethod.length === 0) {
      throw new TokenError('invalid_request', `the token endpoint takes ${first.call.method}`, 405, { allow: first.call.method });
    }
    const signed = onMethod.find(({ call }) => call.sign !== undefined);
    if (signed !== undefined) return signedCall(signed, request, grants);
    const params = parameters(onMethod[0]!, request);
    return unsigned(chosen(onMethod, params, request, grants), params, request, grants, url);
  } catch (error) {
    if (error instanceof TokenError) return refusal(first.view, error);
    throw error;
  }
}

function unsigned(chosen: TokenCall, params: Map<string, string>, request: Incoming, grants: Grants, url: string): Answer {
  const { view, call, gate, purpose } = chosen;
  const client = checkClient(chosen, request, params, grants, url);
  const filled = checkParameters(chosen, params, request);
  const verdict = gate.checkFilled(filled.filter(({ hole }) => !RENEWED.test(hole)));
  if (verdict !== 'good') throw new TokenError('invalid_grant', `what was presented is ${verdict}`);
  const presented: Presented = { view, call, purpose, params, filled, client, authored: authored(chosen), grants };
  const { grant, standard } = checkGrant(presented);
  return issue(view, call, grant, grants, standard).answer;
}

/** RFC 7009, 2: who ends what has ended already has what he wanted. */
export function revocationEndpoint(calls: readonly TokenCall[], request: Incoming, grants: Grants, url: string): Answer {
  const [one] = calls as [TokenCall];
  try {
    if (request.method !== one.call.method) throw new TokenError('invalid_request', `the endpoint takes ${one.call.method}`, 405);
    const params = parameters(one, request);
    checkClient(one, request, params, grants, url);
    for (const { value } of checkParameters(one, params, request)) grants.revoke(value);
    return json(200, {}, { 'cache-control': 'no-store' });
  } catch (error) {
    if (error instanceof TokenError) return refusal(one.view, error);
    throw error;
  }
}

/** Tokens whose standing a renewal judges by itself: an access token may have ended. */
const RENEWED = /^token\.(access|refresh)_token$/;

/** RFC 5849, 2.3: who asks and for what is all in the signature. The temporary token is good once. */
function signedCall({ view, gate, call }: TokenCall, request: Incoming, grants: Grants): Answer {
  const { verdict, issued } = gate.signed?.checkCall(request, call.sign ?? {}) ?? { verdict: 'wrong' as const, issued: undefined };
  const good = verdict === 'good' && issued?.code !== undefined && !issued.used;
  if (!good)
    return json(401, { message: `the request is ${issued?.used ? 'used' : verdict}` }, { 'www-authenticate': 'OAuth realm="token"' });
  issued.used = true;
  const grant = { method: view.resolved.method.name, clientId: '', scope: '', revoked: false };
  return issue(view, call, grant, grants).answer;
}

/** By grant type; where the author's call has none, by its being the only one. */
function chosen(calls: readonly TokenCall[], params: Map<string, string>, request: Incoming, grants: Grants): TokenCall {
  const given = params.get('grant_type') ?? new Map(request.query).get('grant_type');
  const refresh = params.get('refresh_token');
  const fitting = calls.filter((one) => grantTypeOf(one) === given);
  const mine = fitting.find(({ view, purpose }) =>
    purpose === 'refresh' && refresh !== undefined
      ? grants.grantOf(refresh)?.method === view.resolved.method.name
      : view.value('client_id') === params.get('client_id'),
  );
  const found = mine ?? fitting[0];
  if (found !== undefined) return found;
  if (given === undefined) throw new TokenError('invalid_request', 'missing grant_type');
  throw new TokenError('unsupported_grant_type', `no grant type ${given}`);
}

/** The author's own word, or the one of the RFC that the method's type follows. */
function grantTypeOf(one: TokenCall): string | undefined {
  const { view, call, purpose } = one;
  const own = amendment(one);
  const written = own?.body?.grant_type ?? own?.query?.grant_type;
  if (written !== undefined && written !== null) return knownText(String(written), view.lookup);
  const inCall = { ...(call.body as object | undefined), ...call.query } as Record<string, unknown>;
  if (inCall.grant_type === undefined) return undefined;
  return purpose === 'refresh' ? 'refresh_token' : GRANT_TYPES[view.resolved.method.type];
}

interface Written {
  body?: Record<string, unknown>;
  query?: Record<string, unknown>;
}

/** What the author has written of this call. */
function amendment({ view, call, purpose }: TokenCall): Written | undefined {
  const { name, refresh = [] } = view.resolved.method;
  const own = view.spec.auth[name] as { token?: Written; refresh?: Written[] };
  if (purpose === 'token') return own.token;
  return purpose === 'refresh' ? own.refresh?.[refresh.indexOf(call as ResolvedRefresh)] : undefined;
}

/** Entries that the author has written, which are read as written. What amends the token request holds for its renewal too. */
function authored(one: TokenCall): ReadonlySet<string> {
  const token = amendment({ ...one, purpose: 'token' });
  return new Set([token, amendment(one)].flatMap((written) => Object.keys(written?.body ?? {})));
}

/** The provider's own place for the message, where the spec names one for token calls; else RFC 6749, 5.2. */
function refusal(view: View, { error, message, status, headers }: TokenError): Answer {
  const where = view.resolved.method.token?.errors?.message;
  const body: Data = { error, error_description: message };
  return json(status, where == null ? body : plant(body, placeOf(where), message), { 'cache-control': 'no-store', ...headers });
}

/** RFC 6749, 3.2: form-encoded, no parameter twice. */
export function parameters({ call }: Pick<TokenCall, 'call'>, request: Incoming): Map<string, string> {
  const type = mediaType(request.headers['content-type']);
  let entries = request.query;
  if (request.method === 'GET' && request.body === '' && call.encode !== 'query') entries = [];
  else if (call.encode === 'form') {
    if (type !== 'application/x-www-form-urlencoded') {
      throw new TokenError('invalid_request', 'content must be application/x-www-form-urlencoded');
    }
    entries = pairs(request.body);
  } else if (call.encode === 'json') {
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

/** Read by the sandbox from the RFCs, not from the type's built-in call. */
const ALWAYS: readonly string[] = [
  ...['grant_type', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'scope', 'code', 'redirect_uri'],
  ...['code_verifier', 'refresh_token', 'username', 'password', 'assertion', 'device_code', 'subject_token'],
];

/** What each purpose takes besides what the spec's own body adds. */
const STANDARD: Record<string, readonly string[]> = {
  oauth2_client_credentials: ['scope'],
  oauth2_authorization_code: ['code', 'redirect_uri', 'code_verifier'],
  oauth2_password: ['username', 'password', 'scope'],
  oauth2_device: ['device_code'],
  oauth2_jwt_bearer: ['assertion', 'scope'],
  oauth2_saml2_bearer: ['assertion', 'scope'],
  oauth2_token_exchange: ['subject_token', 'scope'],
};

/** The spec's own entries must be there; what neither they nor the RFC name is refused, so that a stray parameter is noticed. */
export function checkParameters(one: TokenCall, params: Map<string, string>, request: Incoming): Filled[] {
  const { view, call, purpose } = one;
  const written = authored(one);
  const standard =
    purpose === 'refresh'
      ? ['refresh_token', 'scope']
      : purpose === 'device'
        ? ['scope']
        : purpose === 'ending'
          ? ['token_type_hint']
          : (STANDARD[view.resolved.method.type] ?? []);
  const client = [
    'grant_type',
    'client_id',
    'client_secret',
    ...(view.resolved.method.client_auth.endsWith('_jwt') ? ['client_assertion', 'client_assertion_type'] : []),
  ];
  const entries = Object.entries((call.body ?? {}) as Record<string, unknown>);
  const own = entries.filter(([name, text]) => text !== null && (!ALWAYS.includes(name) || (written.has(name) && name !== 'scope')));
  const query = new Map(request.query);
  const filled: Filled[] = [];
  const check = (what: string, text: unknown, value: string | undefined): void => {
    const wanted = pattern(String(text), view);
    const found = value === undefined ? (wanted.optional ? [] : undefined) : fill(wanted, value);
    const error = what === 'resource' ? 'invalid_target' : 'invalid_request';
    if (found === undefined) throw new TokenError(error, `missing or wrong ${what}`);
    filled.push(...found);
  };
  for (const [name, text] of own) check(name, text, params.get(name));
  for (const [name, text] of Object.entries(call.query)) if (text !== null) check(`query parameter ${name}`, text, query.get(name));
  for (const [name, text] of Object.entries(call.headers))
    if (text !== null) check(`header ${name}`, text, request.headers[name.toLowerCase()]);
  const inQuery = call.encode === 'query' ? Object.keys(call.query) : [];
  const known = new Set([...client, ...standard, ...inQuery, ...entries.map(([name]) => name)]);
  for (const name of params.keys()) if (!known.has(name)) throw new TokenError('invalid_request', `unexpected parameter: ${name}`);
  return filled;
}
