import { FerruleError } from '../core/errors.ts';
import type { Rendered } from '../core/render.ts';
import type { ClientAuth } from '../core/resolved.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { Value } from '../core/value.ts';

/**
 * How the client shows who it is at the token endpoint (RFC 6749, 2.3.1). With `basic` both halves are form-encoded
 * before they are joined, as that section says. What the author's own `token:` writes stays.
 */
export function authenticateClient(request: Rendered, how: ClientAuth, id: Text | undefined, secret: Text | undefined): Rendered {
  const parts: Record<string, Text> = {
    ...(id !== undefined && { client_id: id }),
    ...(secret !== undefined && { client_secret: secret }),
  };
  if (how === 'none') return withBody(request, id === undefined ? {} : { client_id: id });
  if (how === 'query') return { ...request, query: { ...parts, ...request.query } };
  if (how === 'post') return withBody(request, parts);
  if (id === undefined) throw new FerruleError('input_missing', 'client_id is missing', { where: 'fields.client_id' });
  const pair = `${formEncode(reveal(id))}:${formEncode(secret === undefined ? '' : reveal(secret))}`;
  const header = new Secret(`Basic ${Buffer.from(pair, 'utf8').toString('base64')}`);
  return { ...request, headers: { Authorization: header, ...request.headers } };
}

function withBody(request: Rendered, parts: Record<string, Text>): Rendered {
  const body = (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Record<string, Value>;
  return { ...request, body: { ...body, ...Object.fromEntries(Object.entries(parts).filter(([name]) => !(name in body))) } };
}

/** application/x-www-form-urlencoded of one value. */
const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
