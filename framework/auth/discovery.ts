import { FerruleError } from '../core/errors.ts';
import type { WellKnown } from '../core/resolved.ts';
import type { Json } from '../core/value.ts';

/**
 * Where the metadata of an issuer or a resource stand. OpenID Connect Discovery 1.0 (4) puts its path behind the issuer's own;
 * RFC 8414 (3.1) and RFC 9728 (3.1) put theirs between host and path.
 */
export function wellKnown(url: string, place: WellKnown): string {
  const { origin, pathname, search } = new URL(url);
  const path = pathname.replace(/\/+$/, '');
  if (place === 'openid-configuration') return `${origin}${path}/.well-known/${place}`;
  return `${origin}/.well-known/${place}${path}${place === 'oauth-protected-resource' ? search : ''}`;
}

/** RFC 8414, 3.3; RFC 9728, 3.3: metadata that speak of another issuer or resource are not used. */
export function checkMetadata(url: string, place: WellKnown, body: Json, where: string): void {
  const key = place === 'oauth-protected-resource' ? 'resource' : 'issuer';
  const named = typeof body === 'object' && body !== null && !Array.isArray(body) ? body[key] : undefined;
  if (typeof named === 'string' && plain(named) === plain(url)) return;
  throw new FerruleError('token_malformed', `${where}: the metadata of ${plain(url)} name another ${key}`, {
    where,
    next: `Write the ${key} as the provider does: only a slash at the end may differ.`,
  });
}

/** A slash at the end is all that may differ: people write issuers with and without. */
const plain = (url: string): string => url.replace(/\/$/, '');
