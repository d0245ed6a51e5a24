import { ABSENT } from '../core/absent.ts';
import type { Random } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import type { Redactor } from '../core/redact.ts';
import { compileCall, compileText } from '../core/render.ts';
import type { Resolved, ResolvedCall, ResolvedMade, ResolvedRefresh, ResolvedStep } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { secretsIn } from '../core/secret.ts';
import type { Response } from '../core/value.ts';
import type { Credential, Held } from '../credentials/types.ts';
import { answered } from './answer.ts';
import { capture } from './capture.ts';
import { authenticateClient } from './client-authentication.ts';
import { clockSkew, tellsTime } from './clock-skew.ts';
import { type DeviceCode, deviceCode } from './device.ts';
import { make } from './made.ts';
import { answerNoted, noting, type Received, type Renewal } from './noted.ts';
import { askedScopes } from './scopes.ts';
import { isDue, merged, nameOf, nowDue, reconnect, sameTokens, settled } from './standing.ts';
import { type Exchange, requestToken, type TokenRequest } from './token-request.ts';
import { compileVars, tokenVariables } from './variables.ts';

export interface StepsOptions {
  resolved: Resolved;
  scopes: Scopes;
  /** fields, choices, auth, now, uuid. */
  variables: (now?: number) => Vars;
  exchange: Exchange;
  /** Learns every token, so that no log or error shows one. */
  redactor: Redactor;
  now: () => number;
  random: Random;
  /** Signs the calls that the spec says are signed. */
  sign?: TokenRequest['sign'];
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

/** How the steps are run this time. */
export interface StepsRun {
  /** Also what is not due. */
  force: boolean;
  oauth?: OauthVariables | undefined;
  /** The credential's lock is held: what a renewal brings is stored before anything else is sent. */
  held?: Held | undefined;
  /** A person asked for it: what was noted before is not taken for an answer. */
  byPerson?: boolean;
  /** Learns what each call has brought: when a later one fails, it was not for nothing. */
  progress: (credential: Credential) => void;
}

type Request = Pick<TokenRequest, 'call' | 'name' | 'client' | 'repeat' | 'signal'>;

/** Runs the steps of an auth method. Keeps no token: a credential goes in, a credential comes out. */
export class Steps {
  readonly #options: StepsOptions;
  readonly #vars: (known: Vars) => Vars;
  readonly #resource: (vars: Vars) => unknown;
  readonly #tellTime: boolean;
  /** How far the provider's clock is ahead of this machine's, where that was seen to matter. Milliseconds. */
  #skew = 0;

  constructor(options: StepsOptions) {
    const { resolved, scopes } = options;
    const { resource } = resolved.method;
    this.#options = options;
    this.#vars = compileVars(resolved, scopes.send);
    this.#resource = resource === undefined ? () => undefined : compileText(resource, 'url', scopes.connection);
    this.#tellTime = tellsTime(resolved.method);
  }

  /** The scopes that are asked for. */
  get askedScopes(): string[] {
    const { resolved, scopes, variables } = this.#options;
    return askedScopes(resolved, scopes, variables());
  }

  /** Those whose captures are missing or at their end. */
  due(credential: Credential): { step: ResolvedStep; name: string }[] {
    return this.#options.resolved.method.steps.flatMap((step, position) =>
      this.#isDue(step, position, credential) ? [{ step, name: nameOf(step, position) }] : [],
    );
  }

  /** The calls that renew, when the credential holds what they need. */
  renewal({ captures }: Credential): ResolvedRefresh[] | undefined {
    const { refresh } = this.#options.resolved.method;
    const has = (name: string | undefined) => name !== undefined && captures[name] !== undefined && captures[name] !== null;
    return has(refresh?.[0]?.from) ? refresh : undefined;
  }

  /** Whether the token has ended, or is refused, and nothing but a consent brings another. */
  wantsPerson(credential: Credential, force: boolean): boolean {
    const { steps, authorize, device } = this.#options.resolved.method;
    const personal = authorize?.code !== undefined || device !== undefined;
    if (!personal || this.renewal(credential) !== undefined) return false;
    return steps.some((step, index) => step.type === 'token' && (force || this.#isDue(step, index, credential)));
  }

  /** Runs what is due, and after the first call that is made all calls behind it. */
  async run(start: Credential, run: StepsRun): Promise<Credential> {
    const { steps } = this.#options.resolved.method;
    const { force, oauth, progress } = run;
    let credential = start;
    // With a code in hand the steps before the token request have been made: the page of consent was built on them.
    const from = oauth?.code === undefined && oauth?.device_code === undefined ? 0 : this.#tokenAt();
    let running = force && from === 0;
    for (const [index, step] of steps.entries()) {
      const due = this.#isDue(step, index, credential);
      if (step.type === 'made') {
        if (due || force) credential = this.#made(credential, step, oauth);
        continue;
      }
      running ||= force && index === from;
      if (!due && (!running || (step.type === 'call' && step.once === true))) continue;
      // What only a person can bring is not made anew because a step before it was.
      if (!due && !force && step.type === 'token' && this.wantsPerson(credential, true)) continue;
      running = true;
      credential = await this.#inTime(() => {
        // An assertion may be good for one request alone (its jti).
        for (const one of steps.slice(0, index)) if (one.type === 'made') credential = this.#made(credential, one, oauth);
        return step.type === 'token' ? this.#token(credential, run, this.#behind(index)) : this.#callStep(credential, step, index, oauth);
      });
      progress(credential);
    }
    return credential === start ? start : settled(credential);
  }

  /** The steps before the token request, whose captures the page of consent may need: discovery, registration, a request token. */
  async prepareConsent(start: Credential, oauth: OauthVariables): Promise<Credential> {
    let credential = start;
    for (const [index, step] of this.#options.resolved.method.steps.slice(0, this.#tokenAt()).entries()) {
      if (step.type === 'made') credential = this.#made(credential, step, oauth);
      else if (step.type === 'call' && (!step.once || this.#isDue(step, index, credential)))
        credential = await this.#callStep(credential, step, index, oauth);
    }
    return credential;
  }

  /** Sends the calls that tell the provider that the grant or the session is over. */
  async end(credential: Credential, signal: AbortSignal | undefined): Promise<void> {
    const { ending, token } = this.#options.resolved.method;
    for (const [index, call] of ending.entries()) {
      // RFC 7009, 2.1: the client shows who it is, as at the token endpoint. A session's own end is no such request.
      const client = token !== undefined && call.encode === 'form';
      const name = call.name ?? (index === 0 ? 'revoke' : `revoke ${index + 1}`);
      await this.#request(credential, { call, client, name, repeat: true, ...(signal && { signal }) });
    }
  }

  /** Asks for a code that the person enters on another device. */
  async askForDevice(credential: Credential, signal: AbortSignal | undefined): Promise<DeviceCode> {
    const { resolved, scopes, exchange, redactor, random } = this.#options;
    const { device } = resolved.method;
    if (device === undefined) throw new FerruleError('internal', `auth type ${resolved.method.type} asks for no device code`);
    const now = this.#options.now();
    const vars = this.variables(credential);
    const rendered = compileCall(device, scopes.auth).render(vars);
    const context = { scope: scopes.auth, vars, now: now + this.#skew, random };
    const { body } = await exchange(authenticateClient(rendered, resolved.method, context), {
      ...{ name: 'device', repeat: true },
      ...(signal && { signal }),
    });
    const code = deviceCode(body, now);
    redactor.add(code.code);
    return code;
  }

  /** What the spec's calls and pages may name. */
  variables(credential: Credential, oauth: OauthVariables = {}, now: number = this.#options.now()): Vars {
    const { resolved, variables } = this.#options;
    const scope = this.askedScopes.join(resolved.method.scope_separator);
    const vars = variables(now + this.#skew);
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

  /**
   * A refusal said what time it is at the provider. True: that is so far off that what this method says of the time was wrong, and is
   * right from now on.
   */
  learnsTime(served: number | undefined): boolean {
    const skew = this.#tellTime ? clockSkew(served, this.#options.now()) : 0;
    if (clockSkew(skew, this.#skew) === 0) return false;
    this.#skew = skew;
    return true;
  }

  /** Once more, with the provider's own time, where it refused what was made by this machine's clock. A refused call has spent nothing. */
  async #inTime<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!isFerruleError(error) || error.code !== 'token_refused' || !this.learnsTime(error.served)) throw error;
      return await send();
    }
  }

  /** How many steps come before the token request: none, where there is no such request, as behind an installation page. */
  #tokenAt(): number {
    return Math.max(
      0,
      this.#options.resolved.method.steps.findIndex(({ type }) => type === 'token'),
    );
  }

  #isDue(step: ResolvedStep, position: number, credential: Credential): boolean {
    return isDue(step, position, credential, { token: this.#options.resolved.method.token, now: this.#options.now() });
  }

  #made(credential: Credential, step: ResolvedMade, oauth: OauthVariables | undefined): Credential {
    const { scopes, redactor, random } = this.#options;
    const now = this.#options.now();
    const there = now + this.#skew;
    const { value, ends: endsThere } = make(step, { scope: scopes.auth, vars: this.variables(credential, oauth, now), now: there, random });
    redactor.add(value);
    const ends = endsThere - this.#skew;
    const renew = ends - Math.min(60_000, (ends - now) / 2);
    return {
      ...credential,
      captures: { ...credential.captures, [step.name]: value },
      expires: { ...credential.expires, [step.name]: ends, [`${step.name}.renew`]: renew },
      obtained: { ...credential.obtained, [step.name]: now },
    };
  }

  async #callStep(credential: Credential, step: ResolvedCall, index: number, oauth: OauthVariables = {}): Promise<Credential> {
    const name = nameOf({ type: 'call', ...step }, index);
    return this.#request(credential, { call: step, name, client: false, repeat: step.method === 'GET' }, oauth);
  }

  /** The calls that are made again when this step's is. */
  #behind(position: number): string[] {
    return this.#options.resolved.method.steps.flatMap((step, index) =>
      index > position && step.type === 'call' && step.once !== true ? [nameOf(step, index)] : [],
    );
  }

  async #token(credential: Credential, run: StepsRun, behind: string[]): Promise<Credential> {
    const { method } = this.#options.resolved;
    const { oauth } = run;
    const renewal = oauth === undefined ? this.renewal(credential) : undefined;
    if (renewal === undefined) {
      const personal =
        (method.authorize?.code !== undefined && oauth?.code === undefined) ||
        (method.device !== undefined && oauth?.device_code === undefined);
      if (personal) throw reconnect(credential.name, undefined);
      if (method.token === undefined) throw new FerruleError('internal', `auth type ${method.type} has a token step and no token request`);
      return this.#request(credential, { client: true, name: 'token', call: method.token, repeat: oauth === undefined }, oauth);
    }
    let renewed = credential;
    for (const [index, call] of renewal.entries()) renewed = await this.#renew(renewed, call, index, { ...run, behind });
    return renewed;
  }

  /**
   * What one call renews is stored before the next thing is sent, and the answer before it is looked at. An answer that a process before
   * had noted, and did not live to store, goes first.
   */
  async #renew(start: Credential, call: ResolvedRefresh, index: number, run: StepsRun & { behind: string[] }): Promise<Credential> {
    const { held, byPerson, progress, behind } = run;
    // A rotating refresh token is spent by the first try: sending it again could revoke the whole family.
    const request: Request = { call, client: true, name: index === 0 ? 'token' : `token ${index + 1}`, repeat: !call.rotates };
    let known = start;
    const store = async (renewed: Credential): Promise<void> => {
      const sofar = settled(nowDue(renewed, behind));
      known = held === undefined ? sofar : await held.keep(sofar);
      progress(known);
    };
    const read = async (before?: Received): Promise<void> => {
      const renewal = held && { held, step: request.name, spent: known.captures[call.from] };
      let answer: Response | undefined;
      const got = (response: Response) => {
        answer = response;
      };
      try {
        await store(await this.#request(known, request, {}, { got, renewal, before }));
      } catch (error) {
        if (answer === undefined || ofStore(error)) throw error;
        // The old one is spent, whatever else is wrong with the answer.
        const saved = this.#onlyRefreshToken(known, call, answer);
        if (saved !== undefined) await store(saved);
        await held?.note(undefined);
        throw error;
      }
      await held?.note(undefined);
    };
    const before = held && !byPerson ? await answerNoted({ held, step: request.name, spent: start.captures[call.from] }) : undefined;
    if (before !== undefined) {
      await read(before).catch((error: unknown) => {
        // What cannot be read is asked for again, with what could be.
        if (!isFerruleError(error) || ofStore(error)) throw error;
      });
      if (!sameTokens(known, start) && !this.due(known).some(({ step }) => step.type === 'token')) return known;
    }
    await read();
    return known;
  }

  /** The credential with the refresh token that an answer brings, and nothing else of it; undefined: it brings none. */
  #onlyRefreshToken(credential: Credential, { capture: all, decode, from }: ResolvedRefresh, answer: Response): Credential | undefined {
    const { scopes, redactor } = this.#options;
    const wanted = all[from];
    if (wanted === undefined) return undefined;
    try {
      const { [from]: found } = capture({ [from]: wanted }, answered(answer, decode), 'token', scopes.auth, this.variables(credential));
      if (found === undefined || found === null) return undefined;
      for (const secret of secretsIn([found])) redactor.add(secret);
      return { ...credential, captures: { ...credential.captures, [from]: found } };
    } catch (error) {
      if (isFerruleError(error)) return undefined;
      throw error;
    }
  }

  async #request(
    credential: Credential,
    request: Request,
    oauth: OauthVariables = {},
    { got, renewal, before }: { got?: (response: Response) => void; renewal?: Renewal | undefined; before?: Received | undefined } = {},
  ): Promise<Credential> {
    const { resolved, scopes, redactor, random, sign, now: clock } = this.#options;
    const show = (text: string) => redactor.redact(text);
    const sent = clock();
    let at = before?.at ?? sent;
    const send = renewal === undefined ? this.#options.exchange : noting(this.#options.exchange, renewal, clock);
    const exchange: Exchange = async (ready, options) => {
      const response = before?.response ?? (await send(ready, options));
      if (before === undefined) at = clock();
      got?.(response);
      return response;
    };
    const vars = this.variables(credential, oauth, sent);
    // A lifetime counts from when it was asked for, which is never too long.
    const now = before?.at ?? sent;
    const times = { now, there: sent + this.#skew, received: () => at };
    const answer = await requestToken({ ...request, ...times, vars, show, random, ...(sign && { sign }) }, resolved, scopes, exchange);
    for (const secret of secretsIn(answer.captures)) redactor.add(secret);
    return merged(credential, request.name, request.call.expires?.of ?? request.name, answer, now);
  }
}

/** The store is what failed, not the provider. */
export const ofStore = (error: unknown): boolean => isFerruleError(error) && error.code.startsWith('store_');
