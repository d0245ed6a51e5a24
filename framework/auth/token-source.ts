import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { reached } from '../core/moment.ts';
import { Secret, secretsIn } from '../core/secret.ts';
import type { CaptureValue, Credential, CredentialStore, Held } from '../credentials/types.ts';
import { useNow } from '../credentials/use.ts';
import type { DeviceCode } from './device.ts';
import { failedAgain, paused } from './failing.ts';
import { reconnect, sameTokens, settled } from './standing.ts';
import { type OauthVariables, ofStore, Steps, type StepsOptions } from './steps.ts';
import { grantEnded } from './token-request.ts';
import { tokenVariables } from './variables.ts';

export interface TokenSourceOptions extends StepsOptions {
  credential: Credential;
  /** Where the credential is kept under its name; left out: in memory only. */
  store?: CredentialStore;
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

/** Why a renewal is made, if not only because something is due. */
interface Reason {
  /** What is due or not: it was refused, or a person wants it. */
  force?: boolean;
  oauth?: OauthVariables;
  /** When it was wanted. Milliseconds since the epoch. */
  asked?: number;
  /** A person wants it: neither a pause after failures nor an ended grant is in the way. */
  byPerson?: boolean;
}

interface Outcome {
  credential: Credential;
  /** Whether anything was tried. */
  tried: boolean;
  /** A step failed, perhaps after an earlier one had brought something that must be kept (a rotated refresh token). */
  error?: unknown;
}

/**
 * Holds what the steps of an auth method captured, and renews it before it ends: once for any number of callers, also
 * when that fails, and also across processes that share a store (the record's lock is held while it is renewed; whoever
 * waited finds the new token, or the failure, and asks for none). What a renewal brings is stored before anything is sent with it, and
 * what could not be stored is kept here until it can be.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #steps: Steps;
  #credential: Credential;
  #flight: Promise<void> | undefined;
  #version = 1;
  /**
   * Set while somebody looks on, as in a check: a renewal does not wait for a pause to end then, and its failure is told even while the
   * token holds.
   */
  watched = false;
  /** What a renewal has brought to the credential `before`, and the store failed to take. */
  #unstored: { before: Credential; brought: Credential } | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#steps = new Steps(options);
    this.#credential = options.credential;
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
    return this.#steps.askedScopes;
  }

  /** The steps that would be sent before a request now. */
  get dueSteps(): string[] {
    return this.#steps.due(this.#credential).flatMap(({ step, name }) => (step.type === 'made' ? [] : [name]));
  }

  /**
   * The token to use now, renewed if it is due. The caller's signal ends its own wait, not the renewal for the others. A renewal that
   * fails while the token still holds is no failure of the caller's.
   */
  async current(signal?: AbortSignal): Promise<CurrentToken> {
    const { watched } = this;
    if (this.#anyDue(this.#credential) && (watched || !(isPassing(this.#pausedError()) && this.#holds()))) {
      await this.#join({}, signal).catch((error: unknown) => {
        if (watched || signal?.aborted || !isPassing(error) || !this.#holds()) throw error;
      });
    }
    return { token: tokenVariables(this.#credential.captures), version: this.#version };
  }

  /** After a 401 for a request that was sent with `version`, answered when it was `served` at the provider (ms since the epoch). */
  async renew(version: number | undefined, signal?: AbortSignal, served?: number): Promise<void> {
    this.#steps.learnsTime(served);
    if (version !== undefined && version < this.#version) return;
    await this.#join({ force: true }, signal);
  }

  /**
   * Because a person wants it: whatever the token's age, after failures too, and even if the provider was understood to have ended the grant.
   * False: the method has no token.
   */
  async renewNow(signal?: AbortSignal): Promise<boolean> {
    if (this.#options.resolved.method.steps.length === 0) return false;
    while (this.#flight !== undefined) await Promise.allSettled([this.#flight]);
    await this.#join({ force: true, byPerson: true }, signal);
    return true;
  }

  /** The steps before the token request, whose captures the page of consent may need: discovery, registration, a request token. */
  async prepareConsent(oauth: OauthVariables): Promise<void> {
    this.#credential = await this.#steps.prepareConsent(this.#credential, oauth);
  }

  /** After consent: what came with the callback, and the first exchange of the code if there is one. */
  async exchangeCode(oauth: OauthVariables, captures: Readonly<Record<string, CaptureValue>> = {}, signal?: AbortSignal): Promise<void> {
    for (const value of [oauth.code, oauth.code_verifier, oauth.device_code, ...secretsIn(captures)])
      if (value instanceof Secret) this.#options.redactor.add(value);
    this.#credential = { ...this.#credential, captures: { ...this.#credential.captures, ...captures } };
    if (this.#options.resolved.method.steps.length > 0) await this.#join({ force: true, oauth }, signal);
  }

  /**
   * Tells the provider that the grant or the session is over (RFC 7009), and forgets what it had given. What fails leaves all as it is.
   * @throws FerruleError not_supported where the spec names no such call
   */
  async end(signal?: AbortSignal): Promise<void> {
    const { resolved, store } = this.#options;
    const { ending, name, authorize, device } = resolved.method;
    if (ending.length === 0) {
      throw new FerruleError('not_supported', `${resolved.title} names no call that ends a grant of the method ${name}`, {
        where: `auth.${name}`,
        next: 'Revoke it at the provider.',
      });
    }
    await this.#steps.end(this.#credential, signal);
    const personal = authorize !== undefined || device !== undefined;
    const emptied = (credential: Credential): Credential => {
      const { scope: _granted, obtained: _obtained, failing: _failing, ...rest } = credential;
      return { ...rest, captures: {}, expires: {}, ...(personal && { state: 'reconnect' as const }) };
    };
    const known = this.#credential;
    this.#credential =
      store === undefined || known.version === 0 ? emptied(known) : await store.update(known.name, async (current) => emptied(current));
    this.#version += 1;
  }

  /** What the spec's calls and pages may name now. */
  variables(oauth: OauthVariables = {}): Vars {
    return this.#steps.variables(this.#credential, oauth);
  }

  /** Asks for a code that the person enters on another device. */
  async askForDevice(signal: AbortSignal | undefined): Promise<DeviceCode> {
    await this.prepareConsent({});
    return this.#steps.askForDevice(this.#credential, signal);
  }

  async #join(reason: Reason, signal: AbortSignal | undefined): Promise<void> {
    this.#flight ??= this.#renewed(reason).finally(() => {
      this.#flight = undefined;
    });
    await withSignal(this.#flight, signal);
  }

  async #renewed(reason: Reason): Promise<void> {
    const { store } = this.#options;
    const known = this.#credential;
    const alone = store === undefined || known.version === 0 || (reason.force !== true && this.#signsOnly(known));
    const asked = this.#options.now();
    const outcome = alone ? await this.#attempt(known, reason, undefined) : await this.#underLock(store, known, { ...reason, asked });
    this.#credential = outcome.credential;
    if (!sameTokens(outcome.credential, known)) this.#version += 1;
    if (outcome.error !== undefined) throw outcome.error;
    reached('before_use');
  }

  async #underLock(store: CredentialStore, known: Credential, reason: Reason): Promise<Outcome> {
    let error: unknown;
    let tried = false;
    const credential = await store.update(known.name, async (current, held) => {
      let stored = current;
      const keep = async (changed: Credential) => {
        try {
          stored = await held.keep(changed);
        } catch (failure) {
          this.#unstored = { before: stored, brought: changed };
          throw failure;
        }
        return stored;
      };
      await this.#storeLate(stored, { ...held, keep });
      const renewedElsewhere = !sameTokens(stored, known) && reason.oauth === undefined && !this.#anyDue(stored);
      if (renewedElsewhere) return undefined;
      const outcome = await this.#attempt(stored, reason, { ...held, keep });
      ({ error, tried } = outcome);
      if (outcome.credential !== stored) await keep(outcome.credential);
      return undefined;
    });
    if (tried) await this.#log(store, credential, error);
    return { credential, error, tried };
  }

  async #log(store: CredentialStore, { name, connector }: Credential, error: unknown): Promise<void> {
    const outcome = error === undefined ? 'ok' : isFerruleError(error) ? error.code : 'internal';
    await store.logUse(useNow({ action: 'renewed', credential: name, connector, outcome }, { now: this.#options.now }));
  }

  /** Writes what a store that failed did not take before. What somebody else has stored since is newer. */
  async #storeLate(stored: Credential, { keep, note }: Held): Promise<void> {
    if (this.#unstored === undefined) return;
    const { before, brought } = this.#unstored;
    if (sameTokens(before, stored)) {
      await keep(brought);
      await note(undefined);
    }
    this.#unstored = undefined;
  }

  /** One run of the steps, unless it is known that nothing may or can come of it. */
  async #attempt(start: Credential, reason: Reason, held: Held | undefined): Promise<Outcome> {
    const { force = false, oauth, byPerson = false } = reason;
    const { now, random } = this.#options;
    const refused = oauth === undefined ? this.#refused(start, reason) : undefined;
    if (refused !== undefined) return { credential: start, error: refused, tried: false };
    let brought = start;
    try {
      const progress = (credential: Credential) => {
        brought = credential;
      };
      return { credential: await this.#steps.run(start, { force, oauth, held, byPerson, progress }), tried: true };
    } catch (error) {
      if (ofStore(error)) throw error;
      if (oauth !== undefined) return { credential: brought, error, tried: true };
      if (grantEnded(error) && this.#steps.renewal(brought)) {
        return {
          credential: { ...settled(brought), state: 'reconnect' },
          error: reconnect(start.name, error as FerruleError),
          tried: true,
        };
      }
      const failing = failedAgain(start.failing, error, now(), random);
      return { credential: failing === undefined ? brought : { ...brought, failing }, error, tried: true };
    }
  }

  /** Why nothing is sent. */
  #refused(credential: Credential, { force = false, byPerson = false, asked }: Reason): FerruleError | undefined {
    const { name, state } = credential;
    if (state === 'reconnect' && !byPerson) return reconnect(name, undefined);
    const forbidden = this.#forbidden(credential);
    if (forbidden !== undefined) return forbidden;
    // Before anything is sent: a grant that only a person can give is not asked for by a step that leads up to it.
    if (this.#steps.wantsPerson(credential, force)) return reconnect(name, undefined);
    return byPerson || this.watched ? undefined : paused(credential, this.#options.now(), asked);
  }

  #pausedError(): FerruleError | undefined {
    return paused(this.#credential, this.#options.now());
  }

  #anyDue(credential: Credential): boolean {
    return this.#steps.due(credential).length > 0;
  }

  /** Only tokens that are signed here are due: nothing is sent, and nobody else has to know. */
  #signsOnly(credential: Credential): boolean {
    return this.#steps.due(credential).every(({ step }) => step.type === 'made');
  }

  /** Whether what is due is still good for a while. */
  #holds(): boolean {
    const { expires, captures } = this.#credential;
    const now = this.#options.now();
    return this.#steps.due(this.#credential).every(({ step, name }) => {
      const needed = step.type === 'token' ? this.#options.resolved.method.token?.capture : step.capture;
      const there = Object.entries(needed ?? {}).every(([capture, { path }]) => path.endsWith('?') || capture in captures);
      const ends = Object.entries(expires).filter(([key]) => key === name || (key.startsWith(`${name} `) && !key.endsWith('.renew')));
      return there && ends.length > 0 && ends.every(([, at]) => at > now);
    });
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
}

/** What may be otherwise in a while. */
const isPassing = (error: unknown): boolean => isFerruleError(error) && (error.kind === 'transient' || error.kind === 'rate_limit');

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
