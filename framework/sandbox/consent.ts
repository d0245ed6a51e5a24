import { type Answer, html, redirect } from './answer.ts';
import { checkScope, registered, TokenError } from './client.ts';
import type { Grants } from './grants.ts';
import { fill, pattern } from './pattern.ts';
import { type Incoming, pairs } from './request.ts';
import { digest } from './seeded.ts';
import type { View } from './view.ts';

export const CONSENT_PATH = '/__sandbox/consent';
const OUT_OF_BAND = 'urn:ietf:wg:oauth:2.0:oob';

interface Asked {
  view: View;
  redirectUri: string;
  state: string | undefined;
  scope: string;
  challenge: string | undefined;
}

/** The authorization endpoint (RFC 6749, 3.1) with a page that a person, curl or a test can answer. */
export class Consent {
  readonly #grants: Grants;
  readonly #auto: boolean;
  readonly #registered: readonly string[] | undefined;
  readonly #waiting = new Map<string, Asked>();
  #shown = 0;

  constructor(grants: Grants, options: { auto: boolean; redirectUris: readonly string[] | undefined }) {
    this.#grants = grants;
    this.#auto = options.auto;
    this.#registered = options.redirectUris;
  }

  authorize(views: readonly View[], request: Incoming): Answer {
    const query = new Map(request.query);
    const view = views.find((one) => registered(one).id === query.get('client_id')) ?? views[0]!;
    // Who asks and where to must be known before anything is sent there (RFC 6749, 4.1.2.1).
    if (request.method !== 'GET') return stop(405, 'The authorization endpoint takes GET.');
    if (query.get('client_id') !== registered(view).id) return stop(400, 'No client has this client_id.');
    const redirectUri = query.get('redirect_uri');
    if (redirectUri === undefined) return stop(400, 'redirect_uri is missing.');
    if (!this.#allowed(redirectUri)) return stop(400, 'This redirect_uri is not registered for the client.');
    const state = query.get('state');
    try {
      const challenge = checkQuery(view, request);
      const asked: Asked = { view, redirectUri, state, scope: checkScope(view, query.get('scope')), challenge };
      const auto = query.get('auto') ?? (this.#auto ? 'accept' : undefined);
      return auto === undefined ? this.#page(asked) : this.#decide(asked, auto === 'accept');
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return back(redirectUri, { error: error.error, error_description: error.message, state });
    }
  }

  #allowed(uri: string): boolean {
    if (this.#registered !== undefined) return this.#registered.includes(uri);
    if (uri === OUT_OF_BAND) return true;
    if (!URL.canParse(uri)) return false;
    const { protocol, hostname, hash } = new URL(uri);
    const loopback = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
    return hash === '' && (protocol === 'https:' || (protocol === 'http:' && loopback));
  }

  #page(asked: Asked): Answer {
    const id = digest('consent', this.#shown++, asked.view.resolved.name)
      .toString('hex')
      .slice(0, 24);
    this.#waiting.set(id, asked);
    const scopes = asked.scope === '' ? '' : `\n<p>It asks for: ${escaped(asked.scope)}</p>`;
    const button = (decision: string, label: string) => `<button name="decision" value="${decision}">${label}</button>`;
    return html(
      200,
      `<title>${escaped(asked.view.resolved.title)} (sandbox)</title>
<body><h1>${escaped(asked.view.resolved.title)} (sandbox)</h1>
<p>The application ${escaped(registered(asked.view).id)} wants to use your account.</p>${scopes}
<form method="post" action="${CONSENT_PATH}"><input type="hidden" name="id" value="${id}">
${button('accept', 'Accept')} ${button('deny', 'Deny')}</form></body>`,
    );
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

  #decide({ view, redirectUri, state, scope, challenge }: Asked, accept: boolean): Answer {
    if (!accept) return back(redirectUri, { error: 'access_denied', error_description: 'the person refused', state });
    const { method } = view.resolved;
    const grant = { method: method.name, clientId: registered(view).id, scope, revoked: false };
    const code = this.#grants.issueCode(grant, redirectUri, challenge);
    return back(redirectUri, { [method.authorize?.code ?? 'code']: code, state });
  }
}

const STANDARD = ['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method', 'auto'];

/** RFC 6749, 4.1.1; RFC 7636, 4.3: the challenge, when the spec has PKCE on. */
function checkQuery(view: View, { query }: Incoming): string | undefined {
  const { authorize } = view.resolved.method;
  const own = Object.entries(authorize?.query ?? {}).filter(([name]) => !STANDARD.includes(name));
  const values = new Map(query);
  const invalid = (description: string): never => {
    throw new TokenError('invalid_request', description);
  };
  for (const [name] of query) {
    if (query.filter(([other]) => other === name).length > 1) invalid(`${name} was sent twice`);
    if (!STANDARD.includes(name) && !own.some(([known]) => known === name)) invalid(`unexpected parameter: ${name}`);
  }
  for (const [name, text] of own) {
    const wanted = text === null ? undefined : pattern(String(text), view);
    const value = values.get(name);
    const fits = wanted === undefined || (value === undefined ? wanted.optional : fill(wanted, value) !== undefined);
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

const stop = (status: number, message: string): Answer => html(status, `<title>Stopped</title>\n<body><p>${escaped(message)}</p></body>`);

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
