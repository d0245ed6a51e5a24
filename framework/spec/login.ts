import { FerruleError } from '../core/errors.ts';
import type { ResolvedAuthorize, ResolvedCall, ResolvedMade, ResolvedStep, WellKnown } from '../core/resolved.ts';
import type { Capture } from '../core/spec-types.gen.ts';
import type { AuthType, StepText } from './auth-types.ts';
import { resolveCall } from './call.ts';
import { isMap, lay, type Plain } from './merge.ts';

/** What a method does before its first request: its calls in order, and the page on which a person consents in between. */
export interface Steps {
  steps: ResolvedStep[];
  authorize?: ResolvedAuthorize;
}

export function resolveSteps(type: AuthType, own: Plain): Steps {
  const steps = ((own.steps as Plain[] | undefined) ?? (type.steps as readonly StepText[] as unknown as Plain[])).map(
    (step): ResolvedStep => {
      if (step.type === 'token') return { type: 'token' };
      if (step.type === 'assertion') return { type: 'made', ...assertion(type, own) };
      if (step.type === 'jwt') return { type: 'made', ...made('jwt', String(step.name), step.jwt as Plain) };
      // A type's own step names the key that holds its URL.
      return typeof step.url === 'string'
        ? { type: 'call', ...resolveCall({ ...step, post: String(own[step.url] ?? '') }) }
        : { type: 'call', ...resolveCall(step), ...(step.once === true && { once: true }) };
    },
  );
  const authorize = resolveAuthorize(type, own);
  return { steps: [...discovery(type, own), ...steps], ...(authorize !== undefined && { authorize }) };
}

const made = (make: ResolvedMade['make'], name: string, settings: Plain): ResolvedMade => ({
  name,
  make,
  settings,
  capture: { [name]: { path: '$' } },
});

function assertion({ assertion: of, token }: AuthType, own: Plain): ResolvedMade {
  if (of === undefined) throw new FerruleError('spec_invalid', 'This auth type signs no assertion', { where: 'steps' });
  const settings = (own[of.key] ?? {}) as Plain;
  if (token === undefined) return made(of.make, of.name, settings);
  const tokenUrl = endpoint(own, 'token_url');
  if (of.make === 'saml') return made('saml', of.name, { recipient: tokenUrl, ...settings });
  // RFC 7523, 3: who asserts, and to whom.
  const claims = { iss: '${oauth.client_id}', aud: tokenUrl, ...(settings.claims as Plain | undefined) };
  return made('jwt', of.name, { ...settings, claims });
}

/** The callback brings the code and what else is captured; an installation page may bring the latter alone. */
function resolveAuthorize(type: AuthType, own: Plain): ResolvedAuthorize | undefined {
  const { authorize: typed } = type;
  const install = own.install as { url: string; state?: boolean; capture: Record<string, Capture> } | undefined;
  if (install !== undefined) {
    return {
      url: install.url,
      query: install.state === false ? {} : { state: '${oauth.state}' },
      code: typed?.code,
      state: 'state',
      pkce: false,
      proof: install.state === false ? 'none' : 'state',
      capture: install.capture,
    };
  }
  if (typed === undefined) return undefined;
  const amend = (own.authorize ?? {}) as Plain;
  const pkce = own.pkce !== false && typed.code === 'code';
  const state = String(amend.state ?? 'state');
  const usual = Object.entries(typed.query).map(([name, value]) => [name === 'state' ? state : name, value]);
  const { query } = lay([
    { value: { query: { ...Object.fromEntries(usual), ...(pkce && { code_challenge_method: 'S256' }) } }, from: '' },
    { value: { query: amend.query ?? {} }, from: '' },
  ]);
  return {
    url: endpoint(own, 'authorize_url'),
    query: query as ResolvedAuthorize['query'],
    code: String(amend.code ?? typed.code),
    state,
    pkce,
    proof: typed.proof,
    ...(amend.iss !== undefined && { iss: String(amend.iss) }),
    capture: (amend.capture ?? {}) as Record<string, Capture>,
  };
}

// ---- discovery

const ENDPOINTS: Readonly<Record<string, string>> = {
  token_url: 'token_endpoint',
  authorize_url: 'authorization_endpoint',
  device_authorization_url: 'device_authorization_endpoint',
};

/** An endpoint as the method writes it, or as the issuer's metadata name it. */
export function endpoint(own: Plain, key: string): string {
  const written = own[key];
  if (typeof written === 'string') return written;
  return discovers(own) ? `\${token.${ENDPOINTS[key]}}` : '';
}

/** RFC 9207, 3: who will have sent the callback, and whether it always says so. Both are optional, since credentials of old have neither. */
const SENDER: Readonly<Record<string, Capture>> = {
  metadata_issuer: { path: 'issuer?', secret: false },
  metadata_iss_parameter: { path: 'authorization_response_iss_parameter_supported?', secret: false },
};

const discovers = (own: Plain): boolean => own.issuer !== undefined || own.discovery === 'resource';

/** RFC 8414, OpenID Connect Discovery 1.0, RFC 9728: what is asked before anything else; then RFC 7591. */
function discovery(type: AuthType, own: Plain): ResolvedStep[] {
  if (!discovers(own)) return [];
  const hosts: [string, ...string[]] = ['same', ...((own.issuer_hosts as string[] | undefined) ?? [])];
  const steps: ResolvedStep[] = [];
  let issuer = String(own.issuer ?? '');
  if (own.discovery === 'resource') {
    issuer = '${token.issuer}';
    steps.push(
      metadata('resource', 'oauth-protected-resource', String(own.resource ?? ''), {
        issuer: { path: 'authorization_servers.0', type: 'url', hosts },
      }),
    );
  }
  const place: WellKnown =
    own.discovery === undefined || own.discovery === 'openid' ? 'openid-configuration' : 'oauth-authorization-server';
  const endpoints = endpointsOf(type, own).map((name): [string, Capture] => [name, { path: name, type: 'url', hosts }]);
  steps.push(metadata('discovery', place, issuer, { ...Object.fromEntries(endpoints), ...(type.authorize && SENDER) }));
  if (isMap(own.registration)) steps.push(registration(own.registration));
  return steps;
}

/** Those that the method needs, or names. */
function endpointsOf({ token, authorize, device }: AuthType, own: Plain): string[] {
  const needs: Record<string, unknown> = { token_url: token, authorize_url: authorize, device_authorization_url: device };
  const needed = Object.entries(ENDPOINTS).flatMap(([key, name]) => (needs[key] !== undefined && own[key] === undefined ? [name] : []));
  const named = [...JSON.stringify(own).matchAll(/\btoken\.([a-z_]+_endpoint)\b/g)].map(([, name]) => String(name));
  return [...new Set([...needed, ...named, ...(isMap(own.registration) ? ['registration_endpoint'] : [])])];
}

function metadata(name: string, wellKnown: WellKnown, url: string, capture: Record<string, Capture>): ResolvedStep {
  const call: ResolvedCall = { ...resolveCall({ name, get: url, capture, expires: { never: true } }), well_known: wellKnown };
  return { type: 'call', ...call };
}

function registration(own: Plain): ResolvedStep {
  const body = {
    redirect_uris: ['${oauth.redirect_uri}'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...own,
  };
  const capture = { client_id: { path: 'client_id', secret: false }, client_secret: { path: 'client_secret?' } };
  return { type: 'call', ...resolveCall({ name: 'registration', post: '${token.registration_endpoint}', body, capture }), once: true };
}
