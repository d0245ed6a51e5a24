import { ABSENT } from '../core/absent.ts';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import type { Redactor } from '../core/redact.ts';
import { compileCall, compileText } from '../core/render.ts';
import type { Resolved, ResolvedCall, ResolvedMade, ResolvedStep } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { Secret, secretsIn } from '../core/secret.ts';
import type { CaptureValue, Credential, CredentialStore } from '../credentials/types.ts';
import { authenticateClient } from './client-authentication.ts';
import { type DeviceCode, deviceCode } from './device.ts';
import { make } from './made.ts';
import { askedScopes } from './scopes.ts';
import { isDue, merged, nameOf, reconnect } from './standing.ts';
import { type Exchange, grantEnded, requestToken, type TokenRequest } from './token-request.ts';
import { compileVars, tokenVariables } from './variables.ts';

export interface TokenSourceOptions {
  resolved: Resolved;
  scopes: Scopes;
  /** fields, choices, auth, now, uuid. */
  variables: (now?: number) => Vars;
  credential: Credential;
  /** Where the credential is kept under its name; left out: in memory only. */
  store?: CredentialStore;
  exchange: Exchange;
  /** Learns every token, so that no log or error shows one. */
  redactor: Redactor;
  now: () => number;
  random: Random;
  /** Signs the calls that the spec says are signed. */
  sign?: TokenRequest['sign'];
  /** Whether a first token may be asked for, and whether one may be renewed (InitiateOAuth of connection strings). Default: both. */
  obtain?: boolean;
  refresh?: boolean;
}

export interface CurrentToken {
  /** `token.<name>` for expressions. */
  token: Record<string, unknown>;
  /** Grows with each renewal: a 401 for an older one renews nothing. */
  version: number;
}

/** What a person's consent brings to the token request. */
export interface OauthVariables {
  code?: unknown;
  state?: unknown;
  code_challenge?: unknown;
  redirect_uri?: unknown;
  code_verifier?: unknown;
  device_code?: unknown;
  scope?: unknown;
}

interface Outcome {
  credential: Credential;
  /** A step failed after an earlier one had brought something that must be kept (a rotated refresh token). */
  error?: unknown;
}

/**
 * Holds what the steps of an auth method captured, and renews it before it ends: once for any number of callers, also
 * when that fails, and also across processes that share a store (the record's lock is held while it is renewed; whoever
 * waited finds the new token and asks for none). A new refresh token is stored before anything is sent with it.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #vars: (known: Vars) => Vars;
  readonly #resource: (vars: Vars) => unknown;
  #credential: Credential;
  #flight: Promise<void> | undefined;
  #version = 1;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#credential = options.credential;
    this.#vars = compileVars(options.resolved, options.scopes.send);
    const { resource } = options.resolved.method;
    this.#resource = resource === undefined ? () => undefined : compileText(resource, 'url', options.scopes.connection);
  }

  get credential(): Credential {
    return this.#credential;
  }

  /**
   * Scopes that were asked for and not granted. `openid` and `offline_access` ask for tokens beside the access token (OpenID
   * Connect Core, 3.1.2.1 and 11), so servers may leave them out of what that was granted.
   */
  get missingScopes(): string[] {
    const { scope, captures } = this.#credential;
    if (scope === undefined) return [];
    const granted = new Set([...scope.split(/[\s,]+/), 'openid', ...(captures.refresh_token === undefined ? [] : ['offline_access'])]);
    return this.askedScopes.filter((wanted) => !granted.has(wanted));
  }

  /** The scopes that are asked for. */
  get askedScopes(): string[] {
    const { resolved, scopes, variables } = this.#options;
    return askedScopes(resolved, scopes, variables());
  }

  /** The steps that would be sent before a request now. */
  get dueSteps(): string[] {
    return this.#options.resolved.method.steps.flatMap((step, position) =>
      step.type !== 'made' && this.#isDue(step, position, this.#credential) ? [nameOf(step, position)] : [],
    );
  }

  /** The token to use now, renewed if it is due. The caller's signal ends its own wait, not the renewal for the others. */
  async current(signal?: AbortSignal): Promise<CurrentToken> {
    if (this.#anyDue(this.#credential)) await this.#join(false, undefined, signal);
    return { token: tokenVariables(this.#credential.captures), version: this.#version };
  }

  /** After a 401 for a request that was sent with `version`. */
  async renew(version: number | undefined, signal?: AbortSignal): Promise<void> {
    if (version !== undefined && version < this.#version) return;
    await this.#join(true, undefined, signal);
  }

  /** The steps before the token request, whose captures the page of consent may need: discovery, registration, a request token. */
  async prepareConsent(oauth: OauthVariables): Promise<void> {
    const { steps } = this.#options.resolved.method;
    let credential = this.#credential;
    for (const [index, step] of steps.slice(0, this.#tokenAt()).entries()) {
      if (step.type === 'made') credential = this.#made(credential, step, oauth);
      else if (step.type === 'call' && (!step.once || this.#isDue(step, index, credential)))
        credential = await this.#callStep(credential, step, index, oauth);
    }
    this.#credential = credential;
  }

  /** After consent: what came with the callback, and the first exchange of the code if there is one. */
  async exchangeCode(oauth: OauthVariables, captures: Readonly<Record<string, CaptureValue>> = {}, signal?: AbortSignal): Promise<void> {
    for (const value of [oauth.code, oauth.code_verifier, oauth.device_code, ...secretsIn(captures)])
      if (value instanceof Secret) this.#options.redactor.add(value);
    this.#credential = { ...this.#credential, captures: { ...this.#credential.captures, ...captures } };
    if (this.#options.resolved.method.steps.length > 0) await this.#join(true, oauth, signal);
  }

  /**
   * Tells the provider that the grant or the session is over (RFC 7009), and forgets what it had given. What fails leaves all as it is.
   * @throws FerruleError not_supported where the spec names no such call
   */
  async end(signal?: AbortSignal): Promise<void> {
    const { resolved, store } = this.#options;
    const { ending, name, token, authorize, device } = resolved.method;
    if (ending.length === 0) {
      throw new FerruleError('not_supported', `${resolved.title} names no call that ends a grant of the method ${name}`, {
        where: `auth.${name}`,
        next: 'Revoke it at the provider.',
      });
    }
    for (const [index, call] of ending.entries()) {
      // RFC 7009, 2.1: the client shows who it is, as at the token endpoint. A session's own end is no such request.
      const client = token !== undefined && call.encode === 'form';
      const request = { call, client, name: call.name ?? (index === 0 ? 'revoke' : `revoke ${index + 1}`), repeat: true };
      await this.#request(this.#credential, { ...request, ...(signal && { signal }) });
    }
    const personal = authorize !== undefined || device !== undefined;
    const emptied = (credential: Credential): Credential => {
      const { scope: _granted, obtained: _obtained, ...rest } = credential;
      return { ...rest, captures: {}, expires: {}, ...(personal && { state: 'reconnect' as const }) };
    };
    const known = this.#credential;
    this.#credential =
      store === undefined || known.version === 0 ? emptied(known) : await store.update(known.name, async (current) => emptied(current));
    this.#version += 1;
  }

  /** What the spec's calls and pages may name now. */
  variables(oauth: OauthVariables = {}): Vars {
    return this.#variables(this.#credential, this.#options.now(), oauth);
  }

  /** Asks for a code that the person enters on another device. */
  async askForDevice(signal: AbortSignal | undefined): Promise<DeviceCode> {
    const { resolved, scopes, exchange, redactor, random } = this.#options;
    const { device } = resolved.method;
    if (device === undefined) throw new FerruleError('internal', `auth type ${resolved.method.type} asks for no device code`);
    await this.prepareConsent({});
    const now = this.#options.now();
    const vars = this.variables();
    const rendered = compileCall(device, scopes.auth).render(vars);
    const context = { scope: scopes.auth, vars, now, random };
    const { body } = await exchange(authenticateClient(rendered, resolved.method, context), {
      ...{ name: 'device', repeat: true },
      ...(signal && { signal }),
    });
    const code = deviceCode(body, now);
    redactor.add(code.code);
    return code;
  }

  /** How many steps come before the token request: none, where there is no such request, as behind an installation page. */
  #tokenAt(): number {
    return Math.max(
      0,
      this.#options.resolved.method.steps.findIndex(({ type }) => type === 'token'),
    );
  }

  async #join(force: boolean, oauth: OauthVariables | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.#flight ??= this.#renewStored(force, oauth).finally(() => {
      this.#flight = undefined;
    });
    await withSignal(this.#flight, signal);
  }

  async #renewStored(force: boolean, oauth: OauthVariables | undefined): Promise<void> {
    const { store } = this.#options;
    const known = this.#credential;
    let outcome: Outcome = { credential: known };
    if (store === undefined || known.version === 0 || (!force && this.#signsOnly(known))) {
      outcome = await this.#run(known, force, oauth);
    } else {
      const stored = await store.update(known.name, async (current) => {
        const renewedElsewhere = current.version > known.version && oauth === undefined && !this.#anyDue(current);
        outcome = renewedElsewhere ? { credential: current } : await this.#run(current, force, oauth);
        return outcome.credential === current ? undefined : outcome.credential;
      });
      outcome = { ...outcome, credential: stored };
    }
    if (outcome.credential !== known) this.#version += 1;
    this.#credential = outcome.credential;
    if (outcome.error !== undefined) throw outcome.error;
  }

  #anyDue(credential: Credential): boolean {
    return this.#options.resolved.method.steps.some((step, position) => this.#isDue(step, position, credential));
  }

  /** Only tokens that are signed here are due: nothing is sent, and nobody else has to know. */
  #signsOnly(credential: Credential): boolean {
    return this.#options.resolved.method.steps.every((step, position) => step.type === 'made' || !this.#isDue(step, position, credential));
  }

  #isDue(step: ResolvedStep, position: number, credential: Credential): boolean {
    return isDue(step, position, credential, { token: this.#options.resolved.method.token, now: this.#options.now() });
  }

  /** Runs what is due, and after the first call that is made all calls behind it. */
  async #run(start: Credential, force: boolean, oauth: OauthVariables | undefined): Promise<Outcome> {
    if (start.state === 'reconnect' && oauth === undefined) return { credential: start, error: reconnect(start.name, undefined) };
    const forbidden = oauth === undefined ? this.#forbidden(start) : undefined;
    if (forbidden !== undefined) return { credential: start, error: forbidden };
    // Before anything is sent: a grant that only a person can give is not asked for by a step that leads up to it.
    if (oauth === undefined && this.#wantsPerson(start, force)) return { credential: start, error: reconnect(start.name, undefined) };
    let credential = start;
    const { steps } = this.#options.resolved.method;
    // With a code in hand the steps before the token request have been made: the page of consent was built on them.
    const from = oauth?.code === undefined && oauth?.device_code === undefined ? 0 : this.#tokenAt();
    let running = force && from === 0;
    try {
      for (const [index, step] of steps.entries()) {
        const due = this.#isDue(step, index, credential);
        if (step.type === 'made') {
          if (due || force) credential = this.#made(credential, step, oauth);
          continue;
        }
        running ||= force && index === from;
        if (!due && (!running || (step.type === 'call' && step.once === true))) continue;
        running = true;
        // An assertion may be good for one request alone (its jti).
        for (const one of steps.slice(0, index)) if (one.type === 'made') credential = this.#made(credential, one, oauth);
        credential = step.type === 'token' ? await this.#token(credential, oauth) : await this.#callStep(credential, step, index, oauth);
      }
      return { credential: credential === start ? start : { ...credential, state: 'ready' } };
    } catch (error) {
      if (!grantEnded(error) || oauth !== undefined || !this.#renewal(credential)) return { credential, error };
      return { credential: { ...credential, state: 'reconnect' }, error: reconnect(start.name, error as FerruleError) };
    }
  }

  /** Whether the token has ended, or is refused, and nothing but a consent brings another. */
  #wantsPerson(credential: Credential, force: boolean): boolean {
    const { steps, authorize, device } = this.#options.resolved.method;
    const personal = authorize?.code !== undefined || device !== undefined;
    if (!personal || this.#renewal(credential) !== undefined) return false;
    return steps.some((step, index) => step.type === 'token' && (force || this.#isDue(step, index, credential)));
  }

  #made(credential: Credential, step: ResolvedMade, oauth: OauthVariables | undefined): Credential {
    const { scopes, redactor, random } = this.#options;
    const now = this.#options.now();
    const { value, ends } = make(step, { scope: scopes.auth, vars: this.#variables(credential, now, oauth), now, random });
    redactor.add(value);
    const renew = ends - Math.min(60_000, (ends - now) / 2);
    return {
      ...credential,
      captures: { ...credential.captures, [step.name]: value },
      expires: { ...credential.expires, [step.name]: ends, [`${step.name}.renew`]: renew },
      obtained: { ...credential.obtained, [step.name]: now },
    };
  }

  /** The calls that renew, when the credential holds what they need. */
  #renewal({ captures }: Credential) {
    const { refresh } = this.#options.resolved.method;
    const has = (name: string | undefined) => name !== undefined && captures[name] !== undefined && captures[name] !== null;
    return has(refresh?.[0]?.from) ? refresh : undefined;
  }

  /** What the caller has switched off. */
  #forbidden(credential: Credential): FerruleError | undefined {
    const { obtain = true, refresh = true } = this.#options;
    const first = credential.captures.access_token === undefined && credential.captures.refresh_token === undefined;
    if (first ? obtain : refresh) return undefined;
    const what = first ? 'no token was given and asking for one is switched off' : 'the token has ended and renewing it is switched off';
    const next = first
      ? 'Give an access token (OAuthAccessToken), or InitiateOAuth=GETANDREFRESH.'
      : 'Give a new access token, or InitiateOAuth=REFRESH or GETANDREFRESH.';
    return new FerruleError(
      'reconnect_required',
      `Credential ${credential.name === '' ? '' : `"${credential.name}" `}cannot be used: ${what}`,
      { where: 'InitiateOAuth', next },
    );
  }

  async #callStep(credential: Credential, step: ResolvedCall, index: number, oauth: OauthVariables = {}): Promise<Credential> {
    const name = nameOf({ type: 'call', ...step }, index);
    return this.#request(credential, { call: step, name, client: false, repeat: step.method === 'GET' }, oauth);
  }

  async #token(credential: Credential, oauth: OauthVariables | undefined): Promise<Credential> {
    const { method } = this.#options.resolved;
    const client = { client: true, name: 'token' };
    const renewal = oauth === undefined ? this.#renewal(credential) : undefined;
    if (renewal !== undefined) {
      let renewed = credential;
      // A rotating refresh token is spent by the first try: sending it again could revoke the whole family.
      for (const [index, call] of renewal.entries())
        renewed = await this.#request(renewed, {
          client: true,
          name: index === 0 ? 'token' : `token ${index + 1}`,
          call,
          repeat: !call.rotates,
        });
      return renewed;
    }
    const personal =
      (method.authorize?.code !== undefined && oauth?.code === undefined) || (method.device && oauth?.device_code === undefined);
    if (personal) throw reconnect(credential.name, undefined);
    if (method.token === undefined) throw new FerruleError('internal', `auth type ${method.type} has a token step and no token request`);
    return this.#request(credential, { ...client, call: method.token, repeat: oauth === undefined }, oauth);
  }

  /** What the calls and tokens of this method may be made from. */
  #variables(credential: Credential, now: number, oauth: OauthVariables = {}): Vars {
    const { resolved, variables } = this.#options;
    const scope = this.askedScopes.join(resolved.method.scope_separator);
    const vars = variables(now);
    const token = tokenVariables(credential.captures);
    const resource = this.#resource(vars);
    const all = {
      client_id: (vars.fields as Record<string, unknown>).client_id ?? token.client_id,
      scope: scope === '' ? undefined : scope,
      resource: resource === ABSENT ? undefined : resource,
      ...oauth,
    };
    const known = { ...vars, token, oauth: all };
    return { ...known, vars: this.#vars(known) };
  }

  async #request(
    credential: Credential,
    request: Omit<TokenRequest, 'vars' | 'now' | 'show' | 'random' | 'sign'>,
    oauth: OauthVariables = {},
  ): Promise<Credential> {
    const { resolved, scopes, exchange, redactor, random, sign } = this.#options;
    const show = (text: string) => redactor.redact(text);
    const now = this.#options.now();
    const vars = this.#variables(credential, now, oauth);
    const answer = await requestToken({ ...request, vars, now, show, random, ...(sign && { sign }) }, resolved, scopes, exchange);
    for (const secret of secretsIn(answer.captures)) redactor.add(secret);
    return merged(credential, request.call.expires?.of ?? request.name, answer, now);
  }
}

/** Waits for the promise or the signal, whichever is first. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
