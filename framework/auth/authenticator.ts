import { createHash } from 'node:crypto';
import { ABSENT } from '../core/absent.ts';
import { encodeQuery, isMap } from '../core/encode.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { compileEntries, compileValue } from '../core/render.ts';
import type { Resolved } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { RequestDraft, Value } from '../core/value.ts';
import type { Attempt, Authenticator } from '../http/types.ts';
import type { Signing, SigningMoment } from './signing.ts';
import type { TokenSource } from './token-source.ts';
import { compileVars, tokenVariables } from './variables.ts';

export interface AuthenticatorOptions {
  resolved: Resolved;
  scopes: Scopes;
  variables: (now?: number) => Vars;
  tokens: TokenSource;
  /** For methods that sign each request. */
  signing?: Signing;
  /** Entries of http.headers and http.query that differ from one attempt to the next. They lie under `send`. */
  perAttempt?: { headers: Entries; query: Entries };
  /** Instead of `Bearer ` in Authorization, for providers that want another word. */
  authorizationPrefix?: string;
}

type Entries = Record<string, string | string[] | null>;

/** Puts the method's `send` on each request, with the token of the moment. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { resolved, scopes, tokens, variables } = options;
  const { send, vars, steps } = resolved.method;
  const { perAttempt = { headers: {}, query: {} } } = options;
  const headers = compileEntries(withoutOwn(perAttempt.headers, send.headers), 'header', scopes.send);
  const query = compileEntries({ ...perAttempt.query, ...send.query }, 'query', scopes.send);
  const cookies = compileEntries(send.cookies, 'cookie', scopes.send);
  const body = send.body === undefined ? undefined : compileValue(send.body, 'body', scopes.send);
  const named = compileVars(resolved, scopes.send);
  const hasVars = Object.keys(vars).length > 0;
  const fresh = JSON.stringify([send, vars, perAttempt]).includes('uuid');
  const covered = new Set(
    [...JSON.stringify([send, vars]).matchAll(/\brequest\.([a-z_0-9]+)/g)].map(([, name]) => name as RequestVariable),
  );

  return {
    ...(options.signing && signatures(options.signing, variables, tokens)),
    renewable: steps.length > 0,
    async apply(draft: RequestDraft, attempt: Attempt) {
      // Without steps there may still be what an installation page brought.
      const { token, version } =
        steps.length > 0 ? await tokens.current(attempt.signal) : { token: tokenVariables(tokens.credential.captures), version: 1 };
      const full = variables(attempt.now);
      full.token = token;
      if (fresh) Object.defineProperty(full, 'uuid', { value: attempt.uuid, enumerable: true });
      if (covered.size > 0) full.request = requestVariables(draft, attempt, covered);
      if (hasVars) full.vars = named(full);
      const sent = laid(draft, headers(full) as Record<string, Text | null>, query(full), cookies(full) as Record<string, Text>);
      const added = body?.(full);
      if (added !== undefined && added !== ABSENT)
        sent.body = bodyWith(sent.body, added as Value, `auth.${resolved.method.name}.send.body`);
      return { draft: prefixed(sent, options.authorizationPrefix), version };
    },
    renew: (version, signal, served) => tokens.renew(version, signal, served),
  };
}

/** Header names compare without case. */
function withoutOwn(below: Entries, own: Entries): Entries {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  return { ...Object.fromEntries(Object.entries(below).filter(([name]) => !names.has(name.toLowerCase()))), ...own };
}

function laid(
  draft: RequestDraft,
  headers: Record<string, Text | null>,
  query: Record<string, Text | Text[] | null>,
  cookies: Record<string, Text>,
): RequestDraft {
  const result: RequestDraft = {
    ...draft,
    headers: { ...draft.headers },
    query: { ...draft.query },
    // What the call itself names stands over what auth sends, as with headers and query.
    cookies: { ...cookies, ...draft.cookies },
  };
  for (const [name, value] of Object.entries(headers)) {
    for (const known of Object.keys(result.headers)) if (known.toLowerCase() === name.toLowerCase()) delete result.headers[known];
    if (value !== null) result.headers[name] = value;
  }
  for (const [name, value] of Object.entries(query)) {
    if (value === null) delete result.query[name];
    else result.query[name] = value;
  }
  return result;
}

/** Maps merge key by key at every depth: the key in `a.b` leaves what the call itself has in `a`. */
function bodyWith(body: Value | undefined, added: Value, where: string): Value {
  if (body === undefined) return added;
  if (isMap(body) && isMap(added)) return mergedMaps(body, added);
  throw new FerruleError('input_malformed', 'The body is no map, so that nothing can be put into it', { where });
}

function mergedMaps(below: Record<string, Value>, above: Record<string, Value>): Record<string, Value> {
  const result: Record<string, Value> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const own = below[name];
    result[name] = own !== undefined && isMap(own) && isMap(value) ? mergedMaps(own, value) : value;
  }
  return result;
}

function prefixed(draft: RequestDraft, prefix: string | undefined): RequestDraft {
  const name = Object.keys(draft.headers).find((key) => key.toLowerCase() === 'authorization');
  const text = prefix === undefined || name === undefined ? '' : reveal(draft.headers[name] as Text);
  if (name === undefined || !text.startsWith('Bearer ')) return draft;
  return { ...draft, headers: { ...draft.headers, [name]: new Secret(prefix + text.slice('Bearer '.length)) } };
}

type RequestVariable = keyof typeof REQUEST_VARIABLES;

/** What a signature may cover, each worked out only where it is named: the request as it is sent, with the query sorted and encoded. */
const REQUEST_VARIABLES = {
  method: (draft: RequestDraft) => draft.method,
  host: (_: RequestDraft, { url }: Attempt) => url.host,
  path: (_: RequestDraft, { url }: Attempt) => url.pathname,
  query: wholeQuery,
  params: (draft: RequestDraft, attempt: Attempt) =>
    encodeQuery(Object.fromEntries(Object.entries(wholeQuery(draft, attempt)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))),
  headers: ({ headers }: RequestDraft, { body: { contentType } }: Attempt) => ({
    ...(contentType !== undefined && { 'content-type': contentType }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  }),
  body: (_: RequestDraft, { body }: Attempt) => body.bytes,
  body_text: (_: RequestDraft, { body }: Attempt) => Buffer.from(body.bytes).toString('utf8'),
  body_length: (_: RequestDraft, { body }: Attempt) => body.bytes.length,
  body_sha256: (_: RequestDraft, { body }: Attempt) => createHash('sha256').update(body.bytes).digest('hex'),
};

function requestVariables(draft: RequestDraft, attempt: Attempt, covered: ReadonlySet<RequestVariable>): Vars {
  const result: Vars = {};
  for (const name of covered) result[name] = REQUEST_VARIABLES[name](draft, attempt);
  return result;
}

/** A next URL brings a query of its own; a key of the draft's takes its place. */
function wholeQuery({ query }: RequestDraft, { url }: Attempt): RequestDraft['query'] {
  if (url.search === '') return query;
  return { ...Object.fromEntries([...url.searchParams].filter(([name]) => !(name in query))), ...query };
}

/** The method's signer, as the client calls it. */
function signatures(
  signing: Signing,
  variables: (now?: number) => Vars,
  tokens: TokenSource,
): Pick<Authenticator, 'sign' | 'about' | 'challenged' | 'connectionBound'> {
  const moment = ({ now, connection }: Attempt): SigningMoment => {
    const { captures } = tokens.credential;
    return { vars: () => ({ ...variables(now), token: tokenVariables(captures) }), captures, now, connection };
  };
  return {
    sign: (request, attempt) => signing.sign(request, moment(attempt)),
    about: (request, signature, attempt) => signing.about(request, signature, moment(attempt)),
    challenged: (answer, attempt) => signing.challenged(answer, moment(attempt)),
    connectionBound: signing.connectionBound,
  };
}
