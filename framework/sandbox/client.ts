import { same } from './authenticate.ts';
import type { Grants } from './grants.ts';
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
  id: string;
  /** Undefined: a public client. */
  secret: string | undefined;
}

/** The registered client of an OAuth method: the generated one, or what the spec fixes. */
export function registered(view: View): ClientIdentity {
  const value = (name: string): string | undefined => {
    const known = view.lookup(['fields', name]);
    return typeof known === 'string' ? known : view.fields[name];
  };
  return { id: value('client_id') ?? '', secret: value('client_secret') };
}

/** The client shows itself in the place that the spec names, and in no other (RFC 6749, 2.3: one method in each request). */
export function checkClient(view: View, request: Incoming, params: Map<string, string>, grants: Grants): void {
  const wanted = registered(view);
  const { client_auth: place } = view.resolved.method;
  const header = request.headers.authorization;
  const query = new Map(request.query);
  const refused = (description: string): TokenError =>
    new TokenError('invalid_client', description, 401, header === undefined ? {} : { 'www-authenticate': 'Basic realm="token"' });
  if (place !== 'basic' && header !== undefined) throw refused('the client may not show itself in the Authorization header');
  if (place !== 'post' && params.has('client_secret')) throw refused('the client secret may not stand in the body');
  if (place !== 'query' && query.has('client_secret')) throw refused('the client secret may not stand in the query');
  const given = place === 'basic' ? basicClient(header) : from(place === 'query' ? query : params);
  if (given === undefined) throw refused('the client did not show itself');
  const secret = place === 'none' ? undefined : wanted.secret;
  if (!same(given.id, wanted.id)) throw refused('unknown client');
  if (!same(given.secret ?? '', secret ?? '')) throw refused('wrong client secret');
  if (secret !== undefined && grants.withdrawn(secret)) throw refused('the client secret was revoked');
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
