import type { ResolvedMade } from '../core/resolved.ts';
import type { Verdict } from './authenticate.ts';
import { computed } from './computed.ts';
import type { Data } from './data.ts';
import { jwtVerdict, readJwt } from './jwt.ts';
import { knownText, lookupsIn } from './reading.ts';
import { samlId, samlVerdict } from './saml.ts';
import { knowing } from './signed.ts';
import type { View } from './view.ts';

type Settings = Readonly<Record<string, unknown>>;

/** How a token stands that the client signs for itself, as the provider with the other half of the key sees it. */
export function madeVerdict(view: View, { make, settings }: ResolvedMade, token: string, now: number): Verdict {
  const text = (name: string): string | undefined => known(view, settings[name]);
  const key = keyOf(view, settings);
  if (make === 'jwt') return jwtVerdict(token, { alg: String(settings.alg), key, claims: claimsOf(view, settings) }, now);
  const [issuer, subject, audience, recipient] = ['issuer', 'subject', 'audience', 'recipient'].map(text);
  return samlVerdict(token, { issuer, subject, audience, recipient, key }, now);
}

/** The step that makes a token of this name. */
export const madeStep = (view: View, name: string): ResolvedMade | undefined =>
  view.resolved.method.steps.find((step): step is { type: 'made' } & ResolvedMade => step.type === 'made' && step.name === name);

/** What makes it good only once: the ID of a JWT (RFC 7523, 3) or of an assertion (RFC 7522, 3). */
export function idOf(token: string): string | undefined {
  const jwt = readJwt(token);
  return jwt === undefined ? samlId(token) : typeof jwt.claims.jti === 'string' ? jwt.claims.jti : undefined;
}

export const keyOf = (view: View, settings: Settings): string =>
  typeof settings.key === 'string' ? (known(view, settings.key) ?? computed(settings.key, 'key', view, {}) ?? '') : '';

/** Claims whose value the spec and the fields say; one that holds a time or a fresh id is the client's business. */
export function claimsOf(view: View, settings: Settings): Record<string, Data> {
  const wanted = Object.entries((settings.claims ?? {}) as Record<string, Data>).flatMap(([name, value]): [string, Data][] => {
    if (value === null || lookupsIn(value, 'now').length > 0 || lookupsIn(value, 'uuid').length > 0) return [];
    if (typeof value !== 'string') return typeof value === 'object' ? [] : [[name, value]];
    const text = known(view, value) ?? computed(value, 'plain', view, {});
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(wanted);
}

const known = (view: View, text: unknown): string | undefined =>
  typeof text === 'string' ? knownText(text, knowing(view, undefined)) : undefined;
