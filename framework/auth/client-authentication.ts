import { FerruleError } from '../core/errors.ts';
import type { Rendered } from '../core/render.ts';
import type { ResolvedMethod } from '../core/resolved.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { Value } from '../core/value.ts';
import { type MakeContext, makeJwt } from './made.ts';

/**
 * How the client shows who it is at the token endpoint (RFC 6749, 2.3.1; RFC 7523, 2.2). With `basic` both halves are form-encoded
 * before they are joined, as that section says. What the author's own `token:` writes stays.
 */
export function authenticateClient(
  request: Rendered,
  method: ResolvedMethod,
  context: MakeContext,
  without: readonly string[] = [],
): Rendered {
  const known = clientOf(context);
  const id = without.includes('client_id') ? undefined : known.id;
  const secret = without.includes('client_secret') ? undefined : known.secret;
  const parts: Record<string, Text> = {
    ...(id !== undefined && { client_id: id }),
    ...(secret !== undefined && { client_secret: secret }),
  };
  switch (method.client_auth) {
    case 'none':
      return withBody(request, id === undefined ? {} : { client_id: id });
    case 'query':
      return { ...request, query: { ...parts, ...request.query } };
    case 'post':
      return withBody(request, parts);
    case 'basic':
      return hasOwnAuthorization(request) ? request : withBasic(request, id, secret);
    default:
      return withBody(request, assertion(request, method, context));
  }
}

/** The person's client, or the one that was registered for this credential. */
function clientOf({ vars }: MakeContext): { id: Text | undefined; secret: Text | undefined } {
  const fields = vars.fields as Record<string, Text | undefined>;
  const token = vars.token as Record<string, Text | undefined>;
  return { id: fields.client_id ?? token.client_id, secret: fields.client_secret ?? token.client_secret };
}

function withBasic(request: Rendered, id: Text | undefined, secret: Text | undefined): Rendered {
  if (id === undefined) throw new FerruleError('input_missing', 'client_id is missing', { where: 'fields.client_id' });
  const pair = `${formEncode(reveal(id))}:${formEncode(secret === undefined ? '' : reveal(secret))}`;
  const header = new Secret(`Basic ${Buffer.from(pair, 'utf8').toString('base64')}`);
  return { ...request, headers: { ...request.headers, Authorization: header } };
}

/** Null is a word too: some providers refuse the client at a renewal. */
const hasOwnAuthorization = ({ headers }: Rendered): boolean => Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');

/** A new one for each request, since a jti is good once. */
function assertion(request: Rendered, method: ResolvedMethod, context: MakeContext): Record<string, Text> {
  const { id } = clientOf(context);
  const { claims, ...settings } = method.client_assertion;
  // Plain values: nothing of them may be taken for an expression.
  const literal = (text: string) => text.replaceAll('${', () => '$${');
  const who = id === undefined ? {} : { iss: literal(reveal(id)), sub: literal(reveal(id)) };
  const shared = method.client_auth === 'client_secret_jwt' ? { alg: 'HS256', key: '${fields.client_secret}' } : {};
  const { value } = makeJwt(
    { ...shared, ...settings, claims: { ...who, aud: literal(reveal(request.url)), ...(claims as object | undefined) } },
    context,
  );
  return {
    ...(id !== undefined && { client_id: id }),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: value,
  };
}

function withBody(request: Rendered, parts: Record<string, Text>): Rendered {
  const body = (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Record<string, Value>;
  return { ...request, body: { ...body, ...Object.fromEntries(Object.entries(parts).filter(([name]) => !(name in body))) } };
}

/** application/x-www-form-urlencoded of one value. */
const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
