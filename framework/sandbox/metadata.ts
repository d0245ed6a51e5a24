import type { ResolvedCall } from '../core/resolved.ts';
import { type Answer, json } from './answer.ts';
import type { Consent } from './consent.ts';
import type { Data } from './data.ts';
import { GRANT_TYPES } from './grant-types.ts';
import type { Grants } from './grants.ts';
import { knownText, type Lookup, UNKNOWN } from './reading.ts';
import { type Incoming, mediaType } from './request.ts';
import { type Address, address, type View } from './view.ts';

/** Where the metadata of what the call's URL names stand: OpenID Connect Discovery 1.0, 4; RFC 8414, 3.1; RFC 9728, 3.1. */
export function metadataAddress(view: View, { url, well_known: place }: ResolvedCall): Address {
  const { origin, path } = address(url, view.lookup, 'issuer');
  return { origin, path: place === 'openid-configuration' ? `${path}/.well-known/${place}` : `/.well-known/${place}${path}` };
}

/** Who answers the authorization request, as the callback says it too (RFC 9207, 2): where the spec or the issuer's metadata name it. */
export function issuerOf({ resolved: { method }, lookup, value }: View): string | undefined {
  const entered: Lookup = (keys) => (keys[0] === 'fields' && keys.length === 2 ? (value(String(keys[1])) ?? UNKNOWN) : lookup(keys));
  if (method.authorize?.iss !== undefined) return knownText(method.authorize.iss, entered);
  const step = method.steps.find(
    (one) => one.type === 'call' && one.well_known !== undefined && one.well_known !== 'oauth-protected-resource',
  );
  return step?.type === 'call' ? knownText(step.url, lookup) : undefined;
}

/** What an authorization server says of itself (RFC 8414, 2), or a resource of its server (RFC 9728, 2). */
export function metadata(view: View, call: ResolvedCall): Answer {
  const url = knownText(call.url, view.lookup) ?? '';
  const known = (name: string): Data => {
    const value = view.lookup(['token', name]);
    return typeof value === 'string' ? value : null;
  };
  if (call.well_known === 'oauth-protected-resource') return json(200, { resource: url, authorization_servers: [known('issuer')] });
  const { type, token, authorize, device } = view.resolved.method;
  const endpoints: Record<string, string | undefined> = {
    token_endpoint: token?.url,
    authorization_endpoint: authorize?.url,
    device_authorization_endpoint: device?.url,
  };
  const named = [...Object.keys(call.capture), ...Object.keys(endpoints)].map((name): [string, Data] => [
    name,
    known(name) ?? knownText(endpoints[name] ?? '${unknown}', view.lookup) ?? null,
  ]);
  return json(200, {
    issuer: url,
    ...Object.fromEntries(named.filter(([, value]) => value !== null)),
    response_types_supported: ['code'],
    grant_types_supported: [GRANT_TYPES[type] ?? 'authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    ...(authorize && { authorization_response_iss_parameter_supported: true }),
    scopes_supported: [view.resolved.method.scopes].flat(),
  });
}

/** Dynamic client registration (RFC 7591, 3): for each request a client of its own. */
export function register(view: View, request: Incoming, grants: Grants, consent: Consent): Answer {
  const refused = (error: string, description: string): Answer =>
    json(400, { error, error_description: description }, { 'cache-control': 'no-store' });
  if (request.method !== 'POST') return json(405, { error: 'invalid_request' }, { allow: 'POST' });
  if (mediaType(request.headers['content-type']) !== 'application/json') return refused('invalid_client_metadata', 'the body must be JSON');
  const wanted = parsed(request.body);
  const uris = wanted?.redirect_uris;
  if (wanted === undefined) return refused('invalid_client_metadata', 'the body is no JSON object');
  if (!Array.isArray(uris) || uris.length === 0 || !uris.every((uri) => typeof uri === 'string' && consent.allows(uri))) {
    return refused('invalid_redirect_uri', 'redirect_uris must be https, or http on this machine');
  }
  const id = grants.text('client').replaceAll(/[^A-Za-z0-9]/g, '');
  const isPublic = wanted.token_endpoint_auth_method === 'none';
  const secret = isPublic ? undefined : grants.text('client_secret');
  grants.clients.set(id, { method: view.resolved.method.name, id, secret, redirectUris: uris as string[] });
  const made = {
    client_id: id,
    client_id_issued_at: Math.floor(grants.now / 1000),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
  };
  return json(201, { ...wanted, ...made }, { 'cache-control': 'no-store' });
}

function parsed(body: string): { [key: string]: Data } | undefined {
  try {
    const value = JSON.parse(body) as Data;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
