import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import type { Redactor } from '../core/redact.ts';
import type { Resolved, ResolvedCall, ResolvedStep } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { Secret, secretsIn } from '../core/secret.ts';
import type { Credential, CredentialStore } from '../credentials/types.ts';
import { askedScopes } from './scopes.ts';
import { type Exchange, grantEnded, requestToken, type TokenAnswer, type TokenRequest } from './token-request.ts';
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

/** What the authorization code flow brings to the token request. */
export interface OauthVariables {
  code?: unknown;
  redirect_uri?: unknown;
  code_verifier?: unknown;
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
  #credential: Credential;
  #flight: Promise<void> | undefined;
  #version = 1;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#credential = options.credential;
    this.#vars = compileVars(options.resolved, options.scopes.send);
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
    return this.#asked().filter((wanted) => !granted.has(wanted));
  }

  #asked(): string[] {
    const { resolved, scopes, variables } = this.#options;
    return askedScopes(resolved, scopes, variables());
  }

  /** The token to use now, renewed if it is due. The caller's signal ends its own wait, not the renewal for the others. */
  async current(signal?: AbortSignal): Promise<CurrentToken> {
    if (this.#due(this.#credential) !== undefined) await this.#join(false, undefined, signal);
    return { token: tokenVariables(this.#credential.captures), version: this.#version };
  }

  /** After a 401 for a request that was sent with `version`. */
  async renew(version: number | undefined, signal?: AbortSignal): Promise<void> {
    if (version !== undefined && version < this.#version) return;
    await this.#join(true, undefined, signal);
  }

  /** The first exchange of an authorization code. */
  async exchangeCode(oauth: OauthVariables, signal?: AbortSignal): Promise<void> {
    for (const value of [oauth.code, oauth.code_verifier]) if (value instanceof Secret) this.#options.redactor.add(value);
    await this.#join(true, oauth, signal);
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
    if (store === undefined || known.version === 0) {
      outcome = await this.#run(known, force, oauth);
    } else {
      const stored = await store.update(known.name, async (current) => {
        const renewedElsewhere = current.version > known.version && oauth === undefined && this.#due(current) === undefined;
        outcome = renewedElsewhere ? { credential: current } : await this.#run(current, force, oauth);
        return outcome.credential === current ? undefined : outcome.credential;
      });
      outcome = { ...outcome, credential: stored };
    }
    if (outcome.credential !== known) this.#version += 1;
    this.#credential = outcome.credential;
    if (outcome.error !== undefined) throw outcome.error;
  }

  /** Index of the first step whose captures are missing or due; undefined when all hold. */
  #due(credential: Credential): number | undefined {
    const now = this.#options.now();
    const index = this.#options.resolved.method.steps.findIndex((step, position) => {
      const { call, name } = this.#step(step, position);
      const missing = Object.entries(call?.capture ?? {}).some(([key, one]) => !one.path.endsWith('?') && !(key in credential.captures));
      return missing || (credential.expires[`${name}.renew`] ?? Number.POSITIVE_INFINITY) <= now;
    });
    return index === -1 ? undefined : index;
  }

  #step(step: ResolvedStep, position: number): { call: ResolvedCall | undefined; name: string } {
    if (step.type === 'token') return { call: this.#options.resolved.method.token, name: 'token' };
    return { call: step, name: step.name ?? `step ${position + 1}` };
  }

  /** Runs the first due step and all after it. */
  async #run(start: Credential, force: boolean, oauth: OauthVariables | undefined): Promise<Outcome> {
    if (start.state === 'reconnect' && oauth === undefined) return { credential: start, error: reconnect(start.name, undefined) };
    const forbidden = oauth === undefined ? this.#forbidden(start) : undefined;
    if (forbidden !== undefined) return { credential: start, error: forbidden };
    let credential = start;
    const { steps } = this.#options.resolved.method;
    const from = force ? 0 : (this.#due(start) ?? steps.length);
    try {
      for (let index = from; index < steps.length; index += 1) {
        const step = steps[index] as ResolvedStep;
        credential = step.type === 'token' ? await this.#token(credential, oauth) : await this.#callStep(credential, step, index);
      }
      return { credential: credential === start ? start : { ...credential, state: 'ready' } };
    } catch (error) {
      if (!grantEnded(error) || oauth !== undefined || credential.captures.refresh_token === undefined) return { credential, error };
      return { credential: { ...credential, state: 'reconnect' }, error: reconnect(start.name, error as FerruleError) };
    }
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

  async #callStep(credential: Credential, step: ResolvedCall, index: number): Promise<Credential> {
    const name = step.name ?? `step ${index + 1}`;
    return this.#request(credential, { call: step, name, client: false, repeat: step.method === 'GET' });
  }

  async #token(credential: Credential, oauth: OauthVariables | undefined): Promise<Credential> {
    const { method } = this.#options.resolved;
    const client = { client: true, name: 'token' };
    if (oauth === undefined && method.refresh !== undefined && credential.captures.refresh_token !== undefined) {
      let renewed = credential;
      // A rotating refresh token is spent by the first try: sending it again could revoke the whole family.
      for (const call of method.refresh) renewed = await this.#request(renewed, { ...client, call, repeat: !call.rotates });
      return renewed;
    }
    if (method.authorize !== undefined && oauth === undefined) throw reconnect(credential.name, undefined);
    if (method.token === undefined) throw new FerruleError('internal', `auth type ${method.type} has a token step and no token request`);
    const scope = this.#asked().join(method.scope_separator);
    return this.#request(
      credential,
      { ...client, call: method.token, repeat: oauth === undefined },
      { ...oauth, scope: scope === '' ? undefined : scope },
    );
  }

  async #request(
    credential: Credential,
    request: Omit<TokenRequest, 'vars' | 'now' | 'show'>,
    oauth: OauthVariables = {},
  ): Promise<Credential> {
    const { resolved, scopes, variables, exchange, redactor } = this.#options;
    const show = (text: string) => redactor.redact(text);
    const now = this.#options.now();
    const known = { ...variables(now), token: tokenVariables(credential.captures), oauth: { ...oauth } };
    const vars = { ...known, vars: this.#vars(known) };
    const answer = await requestToken({ ...request, vars, now, show }, resolved, scopes, exchange);
    for (const secret of secretsIn(answer.captures)) redactor.add(secret);
    return merged(credential, request.name, answer);
  }
}

function merged(credential: Credential, name: string, answer: TokenAnswer): Credential {
  const { [name]: _ends, [`${name}.renew`]: _renew, ...others } = credential.expires;
  const { expires } = answer;
  return {
    ...credential,
    // An answer without a refresh token leaves the old one in force (RFC 6749, 6).
    captures: { ...credential.captures, ...answer.captures },
    expires: { ...others, ...(expires && { [name]: expires.ends, [`${name}.renew`]: expires.renew }) },
    ...(answer.scope !== undefined && { scope: answer.scope }),
  };
}

function reconnect(name: string, cause: FerruleError | undefined): FerruleError {
  const why =
    cause === undefined
      ? 'there is no grant to renew it with'
      : `the provider has ended the grant: ${cause.provider ?? cause.providerCode ?? cause.message}`;
  return new FerruleError('reconnect_required', `Credential ${name === '' ? '' : `"${name}" `}must be connected again: ${why}`, {
    where: name,
    ...(cause?.status !== undefined && { status: cause.status }),
    ...(cause?.provider !== undefined && { provider: cause.provider }),
    ...(cause?.providerCode !== undefined && { providerCode: cause.providerCode }),
  });
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
