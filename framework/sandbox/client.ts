import type { ResolvedCall } from '../core/resolved.ts';
import { same } from './authenticate.ts';
import type { Grants } from './grants.ts';
import { jwtVerdict, readJwt } from './jwt.ts';
import { claimsOf, idOf, keyOf } from './made.ts';
import { fill, pattern } from './pattern.ts';
import type { Incoming } from './request.ts';
import type { View } from './view.ts';

/** What is wrong at the token endpoint: RFC 6749, 5.2. */
export class TokenError extends Error {
  readonly error: string;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(error: string, description: string, status = 400, headers: Record<string, string> = {}) {
    super(description);
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}

export interface ClientIdentity {
  /** Undefined: the method has none. */
  id: string | undefined;
  /** Undefined: a public client. */
  secret: string | undefined;
}

/** The registered client of an OAuth method: the generated one, what the spec fixes, or the one of this ID that has registered itself. */
export function registered(view: View, grants: Grants, id: string | undefined): ClientIdentity {
  const own = { id: view.value('client_id'), secret: view.value('client_secret') };
  const itself = id === undefined || id === own.id ? undefined : grants.clients.get(id);
  return itself?.method === view.resolved.method.name ? itself : own;
}

/**
 * Whose token a request asks for. `url`: the endpoint, which a client's own JWT must be for. Gives the client's ID; none where the spec
 * takes it out of the call: what stands there under the provider's own names is checked with the other parameters.
 */
export function checkClient(
  { view, call }: { view: View; call: ResolvedCall },
  request: Incoming,
  params: Map<string, string>,
  grants: Grants,
  url: string,
): string {
  const { client_auth: place } = view.resolved.method;
  const { without = [] } = call;
  if (without.includes('client_id')) return '';
  const header = request.headers.authorization;
  const query = new Map(request.query);
  const refused = (description: string): TokenError =>
    new TokenError('invalid_client', description, 401, header === undefined ? {} : { 'www-authenticate': 'Basic realm="token"' });
  const own = Object.keys(call.headers).some((name) => name.toLowerCase() === 'authorization');
  if (place !== 'basic' && header !== undefined && !own) throw refused('the client may not show itself in the Authorization header');
  if (place !== 'post' && params.has('client_secret')) throw refused('the client secret may not stand in the body');
  if (place !== 'query' && call.encode !== 'query' && query.has('client_secret'))
    throw refused('the client secret may not stand in the query');
  if (own && place === 'basic') return '';
  const given = place === 'basic' ? basicClient(header) : from(place === 'query' ? query : params);
  const wanted = registered(view, grants, given?.id);
  if (wanted.id === undefined && given === undefined) return '';
  if (given?.id === undefined) throw refused('the client did not show itself');
  if (!same(given.id, wanted.id ?? '')) throw refused('unknown client');
  if (place.endsWith('_jwt')) {
    const wrong = assertionFault(view, params, { url, id: given.id, secret: wanted.secret }, grants);
    if (wrong !== undefined) throw refused(wrong);
  } else {
    const secret = place === 'none' || without.includes('client_secret') ? undefined : wanted.secret;
    if (!same(given.secret ?? '', secret ?? '')) throw refused('wrong client secret');
  }
  if (wanted.secret !== undefined && grants.withdrawn(wanted.secret)) throw refused('the client secret was revoked');
  return given.id;
}

/** RFC 7523, 2.2 and 3; OpenID Connect Core, 9: signed, by and of the client, for this endpoint, not too old, and never seen. */
function assertionFault(
  view: View,
  params: Map<string, string>,
  { url, id, secret }: { url: string; id: string; secret: string | undefined },
  grants: Grants,
): string | undefined {
  if (params.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    return 'wrong client_assertion_type';
  const { client_assertion: settings, client_auth } = view.resolved.method;
  const shared = client_auth === 'client_secret_jwt';
  const token = params.get('client_assertion') ?? '';
  const wanted = {
    alg: String(settings.alg ?? (shared ? 'HS256' : 'RS256')),
    key: settings.key === undefined ? (secret ?? '') : keyOf(view, settings),
    claims: { iss: id, sub: id, aud: url, ...claimsOf(view, settings) },
  };
  const verdict = jwtVerdict(token, wanted, grants.now);
  if (verdict !== 'good') return `the client assertion is ${verdict}`;
  const jti = idOf(token);
  if (jti === undefined || readJwt(token)?.claims.exp === undefined) return 'the client assertion has no jti or no exp';
  return grants.once(`client ${id} ${jti}`) ? undefined : 'the client assertion was used before';
}

const from = (values: Map<string, string>): ClientIdentity | undefined => {
  const id = values.get('client_id');
  return id === undefined ? undefined : { id, secret: values.get('client_secret') };
};

/** RFC 6749, 2.3.1: both halves are form-encoded before base64. */
function basicClient(header: string | undefined): ClientIdentity | undefined {
  const text = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '')?.[1];
  if (text === undefined) return undefined;
  const [id = '', ...secret] = Buffer.from(text, 'base64').toString('utf8').split(':');
  return { id: formDecode(id), secret: formDecode(secret.join(':')) };
}

const formDecode = (text: string): string => new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? '';

/** Every scope asked for must be one of the spec's; none at all is refused where the spec has some. */
export function checkScope(view: View, asked: string | undefined): string {
  const { scopes, scope_separator: separator } = view.resolved.method;
  const allowed = [scopes].flat().map((text) => pattern(text, view));
  const given = (asked ?? '').split(separator).filter((scope) => scope !== '');
  if (allowed.length > 0 && given.length === 0) throw new TokenError('invalid_scope', 'no scope was asked for');
  const anything = typeof scopes === 'string';
  const unknown = given.find((scope) => !anything && !allowed.some((one) => fill(one, scope) !== undefined));
  if (unknown !== undefined) throw new TokenError('invalid_scope', `there is no scope ${unknown}`);
  return given.join(separator);
}
