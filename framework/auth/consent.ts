import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { compileEntries, compileText } from '../core/render.ts';
import type { Resolved, ResolvedAuthorize } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import { urlOf } from '../core/url.ts';
import type { CaptureValue } from '../credentials/types.ts';
import { captureCallback } from './capture.ts';
import { askedScopes } from './scopes.ts';
import type { OauthVariables } from './steps.ts';

/** A consent under way: what the person opens, and what must come back. Plain data but for the verifier. */
export interface PendingConsent {
  /** The page that the person opens in a browser. */
  authorizeUrl: string;
  redirectUri: string;
  state: string;
  verifier: Secret | undefined;
  /** What the callback must hold. */
  authorize: ResolvedAuthorize;
  /** Value of the parameter that proves the callback to be ours; undefined where the provider starts it. */
  proof: { parameter: string; value: string } | undefined;
  /** Who must have sent it (RFC 9207); undefined: nobody says who that is. */
  issuer: { value: string; required: boolean } | undefined;
}

/** The redirect URI when the caller names none; it must be registered at the provider. */
export const DEFAULT_REDIRECT_URI = 'http://localhost:8765/callback';

/** What is made once for a consent, before its first request: `oauth.<name>`. */
export interface ConsentVariables {
  redirect_uri: string;
  state: string;
  code_challenge: string | undefined;
}

export function consentVariables(
  resolved: Resolved,
  redirectUri: string,
  random: Random,
): { oauth: ConsentVariables; verifier: Secret | undefined } {
  checkRedirectUri(redirectUri);
  const state = base64url(random.bytes(24));
  const verifier = resolved.method.authorize?.pkce === true ? base64url(random.bytes(48)) : undefined;
  const oauth = {
    redirect_uri: redirectUri,
    state,
    code_challenge: verifier === undefined ? undefined : createHash('sha256').update(verifier).digest('base64url'),
  };
  return { oauth, verifier: verifier === undefined ? undefined : new Secret(verifier) };
}

/** Makes the authorization request (RFC 6749, 4.1.1) with state (10.12) and PKCE S256 (RFC 7636), or whatever page the spec names. */
export function startConsent(
  resolved: Resolved,
  scopes: Scopes,
  vars: Vars,
  { oauth, verifier }: ReturnType<typeof consentVariables>,
): PendingConsent {
  const { authorize, name, scope_separator } = resolved.method;
  if (authorize === undefined) throw new FerruleError('input_unknown', `auth method ${name} needs no consent`, { where: `auth.${name}` });
  const scope = askedScopes(resolved, scopes, vars).join(scope_separator);
  const given = (vars.oauth ?? {}) as Vars;
  const all = { ...vars, oauth: { ...given, ...oauth, scope: scope === '' ? undefined : scope } };
  const url = new URL(reveal(compileText(authorize.url, 'url', scopes.authorize)(all) as Text));
  // A page of a browser application reads its parameters behind the #, where its own address is.
  const page = url.hash === '' ? url : new URL(url.hash.slice(1), url.origin);
  for (const [parameter, value] of Object.entries(compileEntries(authorize.query, 'query', scopes.authorize)(all))) {
    if (value === null) page.searchParams.delete(parameter);
    else page.searchParams.set(parameter, (Array.isArray(value) ? value : [value]).map(reveal).join(' '));
  }
  if (page !== url) url.hash = page.pathname + page.search;
  checkPage(url, name);
  return {
    authorizeUrl: url.href,
    redirectUri: oauth.redirect_uri,
    state: oauth.state,
    verifier,
    authorize,
    proof: proofOf(authorize, oauth, scopes, all),
    issuer: issuerOf(authorize, scopes, all),
  };
}

/** Whoever is on the way could put another page in its place; metadata may name any (RFC 9700, 2.6). Plain http on this machine alone. */
function checkPage({ protocol, hostname }: URL, name: string): void {
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname))) return;
  throw new FerruleError('host_refused', `The page of consent must be https, not ${protocol.slice(0, -1)}`, {
    where: `auth.${name}`,
  });
}

/** What the spec says, which the callback must repeat; or the issuer as its metadata write it, which they may promise to repeat. */
function issuerOf({ iss }: ResolvedAuthorize, scopes: Scopes, vars: Vars): PendingConsent['issuer'] {
  if (iss !== undefined) return { value: reveal(compileText(iss, 'url', scopes.authorize)(vars) as Text), required: true };
  const { metadata_issuer: value, metadata_iss_parameter: promised } = (vars.token ?? {}) as Record<string, unknown>;
  return typeof value === 'string' ? { value, required: promised === 'true' } : undefined;
}

function proofOf(
  { proof, state: parameter }: ResolvedAuthorize,
  { state }: ConsentVariables,
  scopes: Scopes,
  vars: Vars,
): PendingConsent['proof'] {
  if (proof === 'none') return undefined;
  if (proof === 'state') return { parameter, value: state };
  return { parameter: proof.parameter, value: reveal(compileText(proof.value, 'plain', scopes.authorize)(vars) as Text) };
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** The person's own redirect URL may be anywhere on https; without TLS only on this machine (RFC 8252, 7.3). */
function checkRedirectUri(redirectUri: string): void {
  const url = urlOf(redirectUri);
  const loopback = url?.protocol === 'http:' && LOOPBACK.includes(url.hostname);
  // `oob` is OAuth 1.0a's word for it (RFC 5849, 2.1).
  const outOfBand = redirectUri === 'oob' || redirectUri.startsWith('urn:ietf:wg:oauth:2.0:oob');
  if (outOfBand || ((url?.protocol === 'https:' || loopback) && url?.hash === '')) return;
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
export function finishConsent(
  pending: PendingConsent,
  answer: string,
  scopes: Scopes,
  vars: Vars,
): { oauth: OauthVariables; captures: Record<string, CaptureValue> } {
  const text = answer.trim();
  const { authorize, proof, redirectUri, verifier } = pending;
  const oauth = (code?: string): OauthVariables => ({
    ...(code !== undefined && { code: new Secret(code) }),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const query = queryOf(text, authorize);
  if (query === undefined) {
    if (!/^[\x21-\x7e]+$/.test(text) || authorize.code === undefined)
      throw new FerruleError('input_malformed', 'That is neither a callback URL nor a code', { where: 'code' });
    return { oauth: oauth(text), captures: captureCallback(authorize.capture, new URLSearchParams(), scopes.callback, vars) };
  }
  // Who says no to OAuth 1.0a sends the token back under another name, as X and Trello do.
  const denied = proof !== undefined && same(query.get('denied'), proof.value);
  if (proof !== undefined && !denied && !same(query.get(proof.parameter), proof.value))
    throw new FerruleError('state_mismatch', `The callback carries another ${proof.parameter} than the one that was sent`, {
      where: proof.parameter,
    });
  checkIssuer(pending, query);
  const error = denied ? 'denied' : (query.get('error') ?? query.get('oauth_problem'));
  if (error !== null) {
    const description = query.get('error_description');
    throw new FerruleError('consent_denied', `Consent was not given: ${description ?? error}`, {
      providerCode: error,
      ...(description !== null && { provider: description }),
    });
  }
  const code = authorize.code === undefined ? undefined : query.get(authorize.code);
  if (code === null || code === '')
    throw new FerruleError('consent_denied', `The callback carries no ${authorize.code}`, { where: authorize.code ?? 'code' });
  return { oauth: oauth(code), captures: captureCallback(authorize.capture, query, scopes.callback, vars) };
}

/** RFC 9207, 2.4: character by character, and before anything else that came is believed. */
function checkIssuer({ issuer }: PendingConsent, query: URLSearchParams): void {
  const named = query.get('iss');
  if (issuer === undefined || (named === null && !issuer.required) || named === issuer.value) return;
  throw new FerruleError(
    'issuer_mismatch',
    `The callback ${named === null ? 'does not name' : 'names another issuer than'} ${issuer.value}`,
    {
      where: 'iss',
    },
  );
}

/** In a time that says nothing of where they differ. */
function same(given: string | null, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== null && timingSafeEqual(digest(given), digest(wanted));
}

function queryOf(text: string, { code, state, capture }: ResolvedAuthorize): URLSearchParams | undefined {
  const url = /^(https?|urn):/.test(text) ? urlOf(text) : undefined;
  if (url !== undefined) return url.searchParams;
  const bare = new URLSearchParams(text.replace(/^\?/, ''));
  const captured = Object.values(capture).flatMap(({ path }) => [...path.matchAll(/\bcallback\.(\w+)/g)].map(([, name]) => String(name)));
  const known = ['code', state, 'error', 'denied', 'oauth_problem', ...(code === undefined ? [] : [code]), ...captured];
  return known.some((name) => bare.has(name)) && text.includes('=') ? bare : undefined;
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
