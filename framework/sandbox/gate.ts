import type { ResolvedCall } from '../core/resolved.ts';
import { same, type Verdict, worst } from './authenticate.ts';
import { computed } from './computed.ts';
import { type Data, pick } from './data.ts';
import type { Grants } from './grants.ts';
import { madeStep, madeVerdict } from './made.ts';
import { type Filled, fill, type Pattern, pattern } from './pattern.ts';
import { type Incoming, mediaType, pairs } from './request.ts';
import { computedEntries, computes, type SentEntry, sentVerdict } from './sent.ts';
import { issuedIn, type Shared, type Signed, signedBy } from './signed.ts';
import type { View } from './view.ts';

export interface Gate {
  check(request: Incoming): Verdict;
  /** Query names that belong to the credential. */
  queryNames(request: Incoming): ReadonlySet<string>;
  /** RFC 9110, 11.6.1: what a 401 asks for. */
  challenge(verdict: Verdict, request: Incoming): string | undefined;
  /** What a call of the method's own holds that can only be worked out again. */
  checkComputed(call: ResolvedCall, request: Incoming, body: Data): Verdict;
  /** Where requests are signed one by one. */
  signed: Signed | undefined;
  /** A value in a hole, such as a client id in a header of `http`. */
  checkFilled(filled: readonly Filled[]): Verdict;
}

/** Types whose Authorization header is known from an RFC; the sandbox reads it by itself, not by the type's `send`. */
const SCHEMES: Readonly<Record<string, 'basic' | 'bearer'>> = {
  basic: 'basic',
  bearer: 'bearer',
  session: 'bearer',
  jwt: 'bearer',
  oauth2_client_credentials: 'bearer',
  oauth2_authorization_code: 'bearer',
  oauth2_password: 'bearer',
  oauth2_device: 'bearer',
  oauth2_jwt_bearer: 'bearer',
  oauth2_token_exchange: 'bearer',
  oauth2_saml2_bearer: 'bearer',
};
/** What the Bearer header holds, where it is no access token. */
const BEARERS: Readonly<Record<string, string>> = { jwt: 'jwt' };

export function gate(view: View, shared: Shared): Gate {
  const { grants, clock } = shared;
  const { method } = view.resolved;
  const written = view.spec.auth[method.name]?.send?.headers ?? {};
  const own = Object.keys(written).some((name) => name.toLowerCase() === 'authorization');
  const scheme = own ? undefined : SCHEMES[method.type];
  const signed = signedBy(view, shared);
  const entries = sendEntries(view, [...(scheme === undefined ? [] : ['authorization']), ...(signed?.reads ?? [])]);
  const known: Knowing = { view, grants, now: () => clock.now() };
  const checkFilled = (filled: readonly Filled[]): Verdict => worst(filled.map((one) => holeVerdict(one, known)));
  const memory = new Map<string, unknown>();
  const against = (request: Incoming) => ({ issued: issuedIn(request, view, grants), now: clock.now(), memory });
  /** Whether an entry that may be left out is left out rightly, as far as that can be worked out. */
  const absent = (text: string, place: Entry['place'], wanted: Pattern, request: Incoming): boolean =>
    !computes(wanted) || computed(text, place, view, { ...against(request), uuid: 'any', request }) === undefined;
  return {
    checkFilled,
    queryNames: (request) => new Set([...Object.keys(method.send.query), ...(signed?.queryNames(request) ?? [])]),
    checkComputed: (call, request, body) => {
      const own = computedEntries(call, request, body, view);
      return own.length === 0 ? 'good' : sentVerdict(own, own, request, view, against(request));
    },
    signed,
    challenge: (verdict, request) => signed?.challenge(verdict, request) ?? challenge(scheme, view, verdict),
    check: (request) => {
      const given: SentEntry[] = [];
      const unread: SentEntry[] = [];
      const verdicts = entries.map(({ read, wanted, text, place }) => {
        const value = read(request);
        if (value === undefined) return wanted.optional && absent(text, place, wanted, request) ? 'good' : 'missing';
        given.push({ text, value, place });
        if (computes(wanted)) unread.push({ text, value, place });
        const filled = fill(wanted, value);
        return filled === undefined ? 'wrong' : checkFilled(filled);
      });
      // What is good once is not spent on a request that is wrong anyway.
      if (unread.length > 0 && worst(verdicts) === 'good') {
        verdicts.push(sentVerdict(unread, given, request, view, against(request)));
      }
      if (scheme === 'basic') verdicts.push(basicVerdict(request.headers.authorization, view, grants));
      if (scheme === 'bearer') verdicts.push(bearerVerdict(request.headers.authorization, known));
      if (signed !== undefined && worst(verdicts) === 'good') verdicts.push(signed.check(request));
      return worst(verdicts);
    },
  };
}

interface Entry {
  read(request: Incoming): string | undefined;
  wanted: Pattern;
  text: string;
  place: SentEntry['place'];
}

function sendEntries(view: View, besides: readonly string[]): Entry[] {
  const { send } = view.resolved.method;
  const entries: Entry[] = [];
  const put = (text: string, place: Entry['place'], read: Entry['read']): unknown =>
    entries.push({ read, wanted: pattern(text, view), text, place });
  for (const [name, text] of Object.entries(send.headers)) {
    const key = name.toLowerCase();
    if (text !== null && !besides.includes(key)) put(text, 'header', ({ headers }) => headers[key]);
  }
  for (const [name, text] of Object.entries(send.query)) {
    if (typeof text === 'string') put(text, 'query', ({ query }) => query.find(([key]) => key === name)?.[1]);
  }
  for (const [name, text] of Object.entries(send.cookies)) put(text, 'cookie', ({ cookies }) => cookies[name]);
  for (const [name, text] of Object.entries((send.body ?? {}) as Record<string, unknown>)) {
    if (typeof text === 'string') put(text, 'body', (request) => inBody(request, name));
  }
  return entries;
}

function inBody({ headers, body }: Incoming, name: string): string | undefined {
  if (mediaType(headers['content-type']) === 'application/x-www-form-urlencoded') return new Map(pairs(body)).get(name);
  try {
    const value = pick(JSON.parse(body) as Data, [name]);
    return value === undefined || value === null ? undefined : String(value);
  } catch {
    return undefined;
  }
}

interface Knowing {
  view: View;
  grants: Grants;
  now: () => number;
}

function holeVerdict({ hole, value }: Filled, known: Knowing): Verdict {
  const { view, grants } = known;
  const [root, name = ''] = hole.split('.');
  if (root === 'token') return tokenVerdict(value, name, known);
  const field = root === 'fields' ? view.field(name) : undefined;
  if (field?.of !== 'method') return 'good';
  if (!same(value, view.value(name) ?? '')) return 'wrong';
  return grants.withdrawn(value) ? 'revoked' : 'good';
}

function tokenVerdict(token: string, name: string, { view, grants, now }: Knowing): Verdict {
  const made = madeStep(view, name);
  if (made !== undefined) return madeVerdict(view, made, token, now());
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
export const half = (view: View, name: string): string => view.value(name) ?? '';

/** RFC 6750, 2.1 */
function bearerVerdict(header: string | undefined, known: Knowing): Verdict {
  const { view, grants } = known;
  if (header === undefined) return 'missing';
  const token = /^Bearer ([^\s]+)$/i.exec(header)?.[1];
  if (token === undefined) return 'wrong';
  if (view.resolved.method.type !== 'bearer') return tokenVerdict(token, BEARERS[view.resolved.method.type] ?? 'access_token', known);
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
