import { same, type Verdict, worst } from './authenticate.ts';
import type { Grants } from './grants.ts';
import { type Filled, fill, type Pattern, pattern } from './pattern.ts';
import type { Incoming } from './request.ts';
import { type Shared, type Signed, signedBy } from './signed.ts';
import type { View } from './view.ts';

export interface Gate {
  check(request: Incoming): Verdict;
  /** Query names that belong to the credential. */
  queryNames(request: Incoming): ReadonlySet<string>;
  /** RFC 9110, 11.6.1: what a 401 asks for. */
  challenge(verdict: Verdict, request: Incoming): string | undefined;
  /** Where requests are signed one by one. */
  signed: Signed | undefined;
  /** A value in a hole, such as a client id in a header of `http`. */
  checkFilled(filled: readonly Filled[]): Verdict;
}

/** Types whose Authorization header is known from an RFC; the sandbox reads it by itself, not by the type's `send`. */
const SCHEMES: Record<string, 'basic' | 'bearer'> = {
  basic: 'basic',
  bearer: 'bearer',
  oauth2_client_credentials: 'bearer',
  oauth2_authorization_code: 'bearer',
};

export function gate(view: View, shared: Shared): Gate {
  const { grants } = shared;
  const { method } = view.resolved;
  const written = view.spec.auth[method.name]?.send?.headers ?? {};
  const own = Object.keys(written).some((name) => name.toLowerCase() === 'authorization');
  const scheme = own ? undefined : SCHEMES[method.type];
  const signed = signedBy(view, shared);
  const entries = sendEntries(view, scheme !== undefined);
  const checkFilled = (filled: readonly Filled[]): Verdict => worst(filled.map((one) => holeVerdict(one, view, grants)));
  return {
    checkFilled,
    queryNames: (request) => new Set([...Object.keys(method.send.query), ...(signed?.queryNames(request) ?? [])]),
    signed,
    challenge: (verdict, request) => signed?.challenge(verdict, request) ?? challenge(scheme, view, verdict),
    check: (request) => {
      const verdicts = entries.map(({ read, wanted }) => {
        const value = read(request);
        if (value === undefined) return wanted.optional ? 'good' : 'missing';
        const filled = fill(wanted, value);
        return filled === undefined ? 'wrong' : checkFilled(filled);
      });
      if (scheme === 'basic') verdicts.push(basicVerdict(request.headers.authorization, view, grants));
      if (scheme === 'bearer') verdicts.push(bearerVerdict(request.headers.authorization, view, grants));
      if (signed !== undefined) verdicts.push(signed.check(request));
      return worst(verdicts);
    },
  };
}

interface Entry {
  read(request: Incoming): string | undefined;
  wanted: Pattern;
}

function sendEntries(view: View, withoutAuthorization: boolean): Entry[] {
  const { send } = view.resolved.method;
  const entries: Entry[] = [];
  for (const [name, text] of Object.entries(send.headers)) {
    const key = name.toLowerCase();
    if (text === null || (key === 'authorization' && withoutAuthorization)) continue;
    entries.push({ read: ({ headers }) => headers[key], wanted: pattern(text, view) });
  }
  for (const [name, text] of Object.entries(send.query)) {
    if (typeof text !== 'string') continue;
    entries.push({ read: ({ query }) => query.find(([key]) => key === name)?.[1], wanted: pattern(text, view) });
  }
  for (const [name, text] of Object.entries(send.cookies)) {
    entries.push({ read: ({ cookies }) => cookies[name], wanted: pattern(text, view) });
  }
  return entries;
}

function holeVerdict({ hole, value }: Filled, view: View, grants: Grants): Verdict {
  const [root, name = ''] = hole.split('.');
  if (root === 'token') return tokenVerdict(value, name, view, grants);
  const field = root === 'fields' ? view.field(name) : undefined;
  if (field?.of !== 'method') return 'good';
  if (!same(value, view.fields[name] ?? '')) return 'wrong';
  return grants.withdrawn(value) ? 'revoked' : 'good';
}

function tokenVerdict(token: string, name: string, view: View, grants: Grants): Verdict {
  const standing = grants.standing(token, name);
  if (standing === 'unknown' || grants.grantOf(token)?.method !== view.resolved.method.name) return 'wrong';
  return standing;
}

/** RFC 7617, 2: base64 of user id, colon, password, in UTF-8; the user id has no colon. */
function basicVerdict(header: string | undefined, view: View, grants: Grants): Verdict {
  if (header === undefined) return 'missing';
  const text = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (text === undefined) return 'wrong';
  const decoded = Buffer.from(text, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return 'wrong';
  const [user, password] = [decoded.slice(0, colon), decoded.slice(colon + 1)];
  if (!same(user, half(view, 'username')) || !same(password, half(view, 'password'))) return 'wrong';
  return grants.withdrawn(password) || grants.withdrawn(user) ? 'revoked' : 'good';
}

/** One half of Basic: the person's, the spec's own, or blank when the spec drops it. */
function half(view: View, name: string): string {
  const fixed = view.lookup(['fields', name]);
  return typeof fixed === 'string' ? fixed : (view.fields[name] ?? '');
}

/** RFC 6750, 2.1 */
function bearerVerdict(header: string | undefined, view: View, grants: Grants): Verdict {
  if (header === undefined) return 'missing';
  const token = /^Bearer ([^\s]+)$/i.exec(header)?.[1];
  if (token === undefined) return 'wrong';
  if (view.resolved.method.type !== 'bearer') return tokenVerdict(token, 'access_token', view, grants);
  if (!same(token, half(view, 'token'))) return 'wrong';
  return grants.withdrawn(token) ? 'revoked' : 'good';
}

/** RFC 6750, 3.1: no error code when there was no credential at all. */
function challenge(scheme: 'basic' | 'bearer' | undefined, view: View, verdict: Verdict): string | undefined {
  if (scheme === undefined) return undefined;
  const realm = `realm="${view.resolved.name}"`;
  if (scheme === 'basic') return `Basic ${realm}, charset="UTF-8"`;
  return verdict === 'missing' ? `Bearer ${realm}` : `Bearer ${realm}, error="invalid_token"`;
}
