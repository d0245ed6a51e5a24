import { createHash } from 'node:crypto';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { compileEntries, compileText } from '../core/render.ts';
import type { Resolved } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import { askedScopes } from './scopes.ts';
import type { OauthVariables } from './token-source.ts';

/** A consent under way: what the person opens, and what must come back. Plain data but for the verifier. */
export interface PendingConsent {
  /** The page that the person opens in a browser. */
  authorizeUrl: string;
  redirectUri: string;
  state: string;
  verifier: Secret | undefined;
  /** The callback parameter that holds the code. */
  codeParameter: string;
}

/** The redirect URI when the caller names none; it must be registered at the provider. */
export const DEFAULT_REDIRECT_URI = 'http://localhost:8765/callback';

/** Makes the authorization request (RFC 6749, 4.1.1) with state (10.12) and PKCE S256 (RFC 7636). */
export function startConsent(resolved: Resolved, scopes: Scopes, vars: Vars, redirectUri: string, random: Random): PendingConsent {
  const { authorize, scope_separator } = resolved.method;
  if (authorize === undefined)
    throw new FerruleError('input_unknown', `auth method ${resolved.method.name} needs no consent`, {
      where: `auth.${resolved.method.name}`,
    });
  checkRedirectUri(redirectUri);
  const state = base64url(random.bytes(24));
  const verifier = authorize.pkce ? base64url(random.bytes(48)) : undefined;
  const url = new URL(reveal(compileText(authorize.url, 'url', scopes.connection)(vars) as Text));
  const clientId = (vars.fields as Record<string, Text | undefined>).client_id;
  const scope = askedScopes(resolved, scopes, vars).join(scope_separator);
  const parameters: Record<string, string> = {
    response_type: 'code',
    ...(clientId !== undefined && { client_id: reveal(clientId) }),
    redirect_uri: redirectUri,
    ...(scope !== '' && { scope }),
    state,
    ...(verifier !== undefined && {
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(compileEntries(authorize.query, 'query', scopes.connection)(vars))) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, (Array.isArray(value) ? value : [value]).map(reveal).join(' '));
  }
  return {
    authorizeUrl: url.href,
    redirectUri,
    state,
    verifier: verifier === undefined ? undefined : new Secret(verifier),
    codeParameter: authorize.code,
  };
}

/** The person's own redirect URL may be anywhere on https; without TLS only on this machine (RFC 8252, 7.3). */
function checkRedirectUri(redirectUri: string): void {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  const loopback = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const outOfBand = redirectUri.startsWith('urn:ietf:wg:oauth:2.0:oob');
  if ((url?.protocol === 'https:' || loopback || outOfBand) && url?.hash === '') return;
  throw new FerruleError(
    'input_malformed',
    `The redirect URI must be https, or http on localhost or 127.0.0.1, without a fragment: ${redirectUri}`,
    { where: 'redirect_uri' },
  );
}

/**
 * Reads what came back: the whole callback URL, its query, or a code that was pasted alone. Refusals carry the
 * provider's words; a state that is not ours is refused before anything else is looked at.
 */
export function finishConsent(pending: PendingConsent, answer: string): OauthVariables {
  const text = answer.trim();
  const query = queryOf(text);
  if (query === undefined) {
    if (!/^[\x21-\x7e]+$/.test(text))
      throw new FerruleError('input_malformed', 'That is neither a callback URL nor a code', { where: 'code' });
    return { code: new Secret(text), redirect_uri: pending.redirectUri, code_verifier: pending.verifier };
  }
  if (query.get('state') !== pending.state)
    throw new FerruleError('state_mismatch', 'The callback carries another state than the one that was sent', { where: 'state' });
  const error = query.get('error');
  if (error !== null) {
    const description = query.get('error_description');
    throw new FerruleError('consent_denied', `Consent was not given: ${description ?? error}`, {
      providerCode: error,
      ...(description !== null && { provider: description }),
    });
  }
  const code = query.get(pending.codeParameter);
  if (code === null || code === '')
    throw new FerruleError('consent_denied', `The callback carries no ${pending.codeParameter}`, { where: pending.codeParameter });
  return { code: new Secret(code), redirect_uri: pending.redirectUri, code_verifier: pending.verifier };
}

function queryOf(text: string): URLSearchParams | undefined {
  if (URL.canParse(text) && /^(https?|urn):/.test(text)) return new URL(text).searchParams;
  const bare = text.replace(/^\?/, '');
  return /(^|&)(code|state|error)=/.test(bare) ? new URLSearchParams(bare) : undefined;
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
