import { urlOf } from '../core/url.ts';
import { type Answer, html, redirect } from './answer.ts';
import { checkScope, registered, TokenError } from './client.ts';
import { fitting } from './fitting.ts';
import type { Grant, Grants, Issued } from './grants.ts';
import { issuerOf } from './metadata.ts';
import { decisionPage, escaped, fragmentPage, stop } from './page.ts';
import { fill, pattern } from './pattern.ts';
import { lookupsIn } from './reading.ts';
import { type Incoming, pairs } from './request.ts';
import { digest } from './seeded.ts';
import type { View } from './view.ts';

export const CONSENT_PATH = '/__sandbox/consent';
export const OUT_OF_BAND = 'urn:ietf:wg:oauth:2.0:oob';
/** Where a page leads back that is told no address: what ferrule's client listens at unless it is told otherwise. */
const USUAL = 'http://localhost:8765/callback';

interface Asked {
  view: View;
  clientId: string;
  redirectUri: string;
  /** What goes back as it came. */
  echoed: Record<string, string | undefined>;
  scope: string;
  challenge: string | undefined;
  /** The temporary token that is to be allowed (RFC 5849, 2.2). */
  temporary?: Issued;
}

/** The authorization endpoint (RFC 6749, 3.1), or whatever page the spec has, for a person, curl or a test to answer. */
export class Consent {
  readonly #grants: Grants;
  readonly #auto: boolean;
  readonly #registered: readonly string[] | undefined;
  readonly #method: string | undefined;
  readonly #waiting = new Map<string, Asked>();
  #shown = 0;

  constructor(grants: Grants, options: { auto: boolean; redirectUris: readonly string[] | undefined; method: string | undefined }) {
    this.#grants = grants;
    this.#auto = options.auto;
    this.#registered = options.redirectUris;
    this.#method = options.method;
  }

  authorize(views: readonly View[], request: Incoming): Answer {
    const query = new Map(request.query);
    if (request.method !== 'GET') return stop(405, 'The authorization endpoint takes GET.');
    if (request.query.length === 0 && views.every((one) => one.resolved.method.authorize!.url.includes('#'))) return fragmentPage();
    const id = query.get('client_id');
    const mine = views.filter((one) => id === undefined || registered(one, this.#grants, id).id === id);
    // Methods may share one page, which says nothing of which is meant.
    const view = mine.find((one) => one.resolved.method.name === this.#method) ?? mine[0] ?? views[0]!;
    const asked =
      (view.resolved.method.authorize!.query.response_type ?? null) !== null
        ? this.#oauth2(view, query, request)
        : this.#page(view, query, request);
    if ('status' in asked) return asked;
    const auto = query.get('auto') ?? (this.#auto ? 'accept' : undefined);
    return auto === undefined ? this.#show(asked) : this.#decide(asked, auto === 'accept');
  }

  /** Who asks and where to must be known before anything is sent there (RFC 6749, 4.1.2.1). */
  #oauth2(view: View, query: Map<string, string>, request: Incoming): Asked | Answer {
    const client = registered(view, this.#grants, query.get('client_id'));
    if (query.get('client_id') !== client.id) return stop(400, 'No client has this client_id.');
    const redirectUri = query.get('redirect_uri');
    if (redirectUri === undefined) return stop(400, 'redirect_uri is missing.');
    const own = this.#grants.clients.get(client.id ?? '')?.redirectUris;
    if (!this.allows(redirectUri) || own?.includes(redirectUri) === false)
      return stop(400, 'This redirect_uri is not registered for the client.');
    const { state: name } = view.resolved.method.authorize!;
    const echoed = { [name]: query.get(name), iss: issuerOf(view) };
    try {
      const challenge = checkQuery(view, request);
      return { view, clientId: client.id ?? '', redirectUri, echoed, scope: checkScope(view, query.get('scope')), challenge };
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return back(redirectUri, { error: error.error, error_description: error.message, ...echoed });
    }
  }

  /** An installation page, one with names of its own, or the one of OAuth 1.0a: what the spec's own query says, and nothing that an RFC adds. */
  #page(view: View, query: Map<string, string>, request: Incoming): Asked | Answer {
    const { method } = view.resolved;
    const { proof, state, pkce, query: entries } = method.authorize!;
    const wrong = ownQuery(view, request);
    if (wrong !== undefined) return stop(400, wrong);
    const echo = typeof proof === 'object' ? proof.parameter : proof === 'state' ? state : undefined;
    const echoed = echo === undefined ? {} : { [echo]: query.get(echo) };
    const asked = {
      view,
      clientId: view.value('client_id') ?? '',
      echoed,
      scope: '',
      challenge: pkce ? query.get('code_challenge') : undefined,
    };
    if (typeof proof !== 'object') {
      const told = Object.keys(entries).find((name) => entries[name] === '${oauth.redirect_uri}');
      const redirectUri = (told && query.get(told)) ?? this.#registered?.[0] ?? USUAL;
      return this.allows(redirectUri) ? { ...asked, redirectUri } : stop(400, 'This redirect_uri is not registered for the client.');
    }
    const temporary = this.#grants.issuedFor(method.name, (value) => value === echoed[proof.parameter]);
    if (temporary?.redirectUri === undefined || temporary.code !== undefined)
      return stop(400, 'There is no such request, or it was answered.');
    return { ...asked, redirectUri: temporary.redirectUri, temporary };
  }

  /** Whether a person may be sent there. */
  allows(uri: string): boolean {
    if (this.#registered !== undefined) return this.#registered.includes(uri);
    if (uri === OUT_OF_BAND) return true;
    const url = urlOf(uri);
    if (url === undefined) return false;
    const { protocol, hostname, hash } = url;
    const loopback = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
    return hash === '' && (protocol === 'https:' || (protocol === 'http:' && loopback));
  }

  #show(asked: Asked): Answer {
    const id = digest('consent', this.#shown++, asked.view.resolved.name)
      .toString('hex')
      .slice(0, 24);
    this.#waiting.set(id, asked);
    const says = [
      `The application ${asked.clientId} wants to use your account.`,
      ...(asked.scope === '' ? [] : [`It asks for: ${asked.scope}`]),
    ];
    return decisionPage(asked.view, CONSENT_PATH, says, { id });
  }

  /** The page's form. Each page can be answered once. */
  answer(request: Incoming): Answer {
    const form = new Map(pairs(request.body));
    const id = form.get('id') ?? '';
    const asked = this.#waiting.get(id);
    if (asked === undefined) return stop(400, 'This page was answered already, or never shown.');
    this.#waiting.delete(id);
    return this.#decide(asked, form.get('decision') === 'accept');
  }

  #decide({ view, clientId, redirectUri, echoed, scope, challenge, temporary }: Asked, accept: boolean): Answer {
    if (!accept) return back(redirectUri, { error: 'access_denied', error_description: 'the person refused', ...echoed });
    const { method } = view.resolved;
    const grant = { method: method.name, clientId, scope, revoked: false };
    const brought = this.#brought(view, grant);
    const name = method.authorize?.code;
    if (name === undefined) return back(redirectUri, { ...brought, ...echoed });
    const code = temporary === undefined ? this.#grants.issueCode(grant, redirectUri, challenge) : this.#grants.text('verifier');
    if (temporary !== undefined) temporary.code = code;
    return back(redirectUri, { ...brought, [name]: code, ...echoed });
  }

  /** What the spec takes from the callback, besides the code: where its captures look. */
  #brought(view: View, grant: Grant): Record<string, string> {
    const values: Record<string, string> = {};
    const query: Record<string, string> = {};
    for (const [name, { path, pattern: form }] of Object.entries(view.resolved.method.authorize?.capture ?? {})) {
      const parameter = lookupsIn(path, 'callback')[0]?.[0];
      if (parameter === undefined) continue;
      const known = view.lookup(['token', name]);
      const text = form === undefined ? {} : { text: (seed: number) => fitting(form, name, seed) };
      query[parameter] = typeof known === 'string' ? known : this.#grants.issueAccess(grant, name, text);
      values[name] = query[parameter];
    }
    if (Object.keys(values).length > 0) this.#grants.issueSet(grant.method, values);
    return query;
  }
}

/** What is wrong with the entries that the spec puts in the page's query, those in its URL too. */
function ownQuery(view: View, { query }: Incoming): string | undefined {
  const { url, query: entries, pkce } = view.resolved.method.authorize!;
  const [, search = ''] = url.split('?');
  const written = search.split('&').flatMap((pair) => (pair === '' ? [] : [pair.split(/=(.*)/s).slice(0, 2) as [string, string]]));
  const own = new Map<string, unknown>([...written, ...Object.entries(entries)]);
  for (const [name, text] of own) {
    const value = query.find(([key]) => key === name)?.[1];
    if (text === null || (name === 'code_challenge' && !pkce)) continue;
    const wanted = pattern(String(text), view);
    const fits = value === undefined ? wanted.optional : fill(wanted, value) !== undefined;
    if (!fits) return `${name} is missing or wrong.`;
  }
  const stray = query.find(([name]) => !own.has(name) && name !== 'auto');
  return stray === undefined ? undefined : `There is no parameter ${stray[0]}.`;
}

const STANDARD = ['client_id', 'redirect_uri', 'response_type', 'scope', 'code_challenge', 'code_challenge_method', 'auto'];

/** RFC 6749, 4.1.1; RFC 7636, 4.3: the challenge, when the spec has PKCE on. */
function checkQuery(view: View, { query }: Incoming): string | undefined {
  const { authorize } = view.resolved.method;
  const standard = [...STANDARD, authorize?.state];
  const own = Object.entries(authorize?.query ?? {}).filter(([name]) => !standard.includes(name));
  const values = new Map(query);
  const invalid = (description: string): never => {
    throw new TokenError('invalid_request', description);
  };
  for (const [name] of query) {
    if (query.filter(([other]) => other === name).length > 1) invalid(`${name} was sent twice`);
    if (!standard.includes(name) && !own.some(([known]) => known === name)) invalid(`unexpected parameter: ${name}`);
  }
  for (const [name, text] of own) {
    const wanted = text === null ? undefined : pattern(String(text), view);
    const value = values.get(name);
    const fits = wanted === undefined || (value === undefined ? wanted.optional : fill(wanted, value) !== undefined);
    if (!fits && name === 'resource') throw new TokenError('invalid_target', 'there is no such resource'); // RFC 8707, 2
    if (!fits) invalid(`missing or wrong ${name}`);
  }
  if (values.get('response_type') !== 'code') throw new TokenError('unsupported_response_type', 'response_type must be code');
  const challenge = values.get('code_challenge');
  if (authorize?.pkce !== true) {
    if (challenge !== undefined) invalid('unexpected parameter: code_challenge');
    return undefined;
  }
  if (challenge === undefined) invalid('missing code_challenge');
  if (values.get('code_challenge_method') !== 'S256') invalid('code_challenge_method must be S256');
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge!)) invalid('malformed code_challenge');
  return challenge;
}

function back(redirectUri: string, values: Record<string, string | undefined>): Answer {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (redirectUri === OUT_OF_BAND) {
    const lines = given.map(([name, value]) => `<p>${escaped(name)}: <code>${escaped(value)}</code></p>`);
    return html(200, `<title>Copy this</title>\n<body>${lines.join('\n')}</body>`);
  }
  const url = new URL(redirectUri);
  for (const [name, value] of given) url.searchParams.append(name, value);
  return redirect(url.href);
}
