import { consentVariables, DEFAULT_REDIRECT_URI, finishConsent, startConsent } from '../auth/consent.ts';
import { pollForToken } from '../auth/device.ts';
import { FerruleError } from '../core/errors.ts';
import type { Resolved } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { Credential, FieldValue } from '../credentials/types.ts';
import { logged } from '../credentials/use.ts';
import type { ClientEvent } from '../http/types.ts';
import { resolve } from '../spec/resolve.ts';
import { appFields } from './app.ts';
import { type Connection, createConnection } from './connection.ts';
import { checkedFields, renewable } from './inputs.ts';
import { metricsAreOn, metricsFor } from './metrics.ts';
import type { ConnectionOptions } from './options.ts';
import { openSession, type Preparation, prepare } from './session.ts';

/** What is entered: an auth method, an option per choice, values of fields. Everything left out is the spec's default. */
export interface Inputs {
  method?: string;
  choices?: Record<string, string>;
  fields?: Record<string, FieldValue>;
  /** Tokens that the caller has already; they are renewed as the spec says. `expires_at` in milliseconds since the epoch. */
  tokens?: { access_token?: string | Secret; refresh_token?: string | Secret; expires_at?: number };
  /** OAuth scopes to ask for in place of the spec's. */
  scopes?: readonly string[];
}

/** Shows the person the page to consent on, and gives back the callback URL or the code. */
export type Consent = (request: { authorizeUrl: string; redirectUri: string; signal: AbortSignal | undefined }) => Promise<string>;

/** Shows the person a code and the page on which to enter it; nothing comes back by this way (RFC 8628). */
export type ShowCode = (request: { userCode: string; verificationUri: string; complete: string | undefined; expires: Date }) => unknown;

export interface ConnectOptions extends ConnectionOptions {
  /** The name under which the credential is stored; without it nothing touches a disk. Needs `store`. */
  name?: string;
  description?: string;
  /** For auth methods that need a person; called when there is no token yet. */
  consent?: Consent;
  /** The same for auth methods in which a person enters a code on another device. */
  showCode?: ShowCode;
  /** Must be registered at the provider. Default http://localhost:8765/callback. */
  redirectUri?: string;
}

/** Makes a credential from inputs and opens a connection with it; stores it when a name is given. */
export async function connectSpec(spec: SpecDocument, inputs: Inputs, options: ConnectOptions = {}): Promise<Connection> {
  const resolved = asking(
    resolve(spec, { ...(inputs.method !== undefined && { method: inputs.method }), ...(inputs.choices && { choices: inputs.choices }) }),
    inputs.scopes,
  );
  const credential = newCredential(resolved, inputs, options);
  const { store, ...unstored } = await metered(spec, options);
  const ready = prepare(resolved, credential, unstored);
  try {
    if (needsPerson(resolved, credential)) await (resolved.method.device ? waitForDevice : consentTo)(ready, options);
    const { name } = options;
    if (store !== undefined && name !== undefined) {
      const use = { action: 'stored', credential: name, connector: spec.name } as const;
      await logged(store, use, options, () => store.put(ready.tokens.credential));
      await ready.closeExchange();
      return await connectStored(spec, name, options);
    }
    return createConnection(spec, await openSession(ready, unstored), { ...options, ...unstored });
  } catch (error) {
    await ready.closeExchange();
    throw error;
  }
}

/** Opens a connection with a stored credential. */
export async function connectStored(spec: SpecDocument, name: string, options: ConnectionOptions): Promise<Connection> {
  const { store } = options;
  if (store === undefined)
    throw new FerruleError('option_unknown', 'A stored credential needs a store', { where: 'store', next: 'Pass { store }.' });
  const use = { action: 'opened', credential: name, connector: spec.name } as const;
  const { resolved, credential } = await logged(store, use, options, async () => storedUnder(await store.get(name), spec, name));
  const watched = await metered(spec, options);
  return createConnection(spec, await openSession(prepare(resolved, credential, watched), watched), watched);
}

/** What goes over the wire is counted too, where the program has metrics on. */
async function metered<Options extends ConnectionOptions>(spec: SpecDocument, options: Options): Promise<Options> {
  const metrics = metricsAreOn() ? await metricsFor(spec.name, Object.keys(spec.streams ?? {})) : undefined;
  if (metrics === undefined) return options;
  const { onEvent, eventDetails = onEvent !== undefined } = options;
  const both = (event: ClientEvent): void => {
    metrics.seeHttp(event);
    onEvent?.(event);
  };
  return { ...options, onEvent: both, eventDetails };
}

function storedUnder(credential: Credential | undefined, spec: SpecDocument, name: string): { resolved: Resolved; credential: Credential } {
  if (credential === undefined) throw new FerruleError('credential_unknown', `No credential "${name}" is stored`, { where: name });
  if (credential.connector !== spec.name) {
    throw new FerruleError('input_unknown', `Credential "${name}" is for ${credential.connector}, not for ${spec.name}`, { where: name });
  }
  return { credential, resolved: asking(resolve(spec, { method: credential.method, choices: credential.choices }), credential.scopes) };
}

/** With the person's own scopes in place of the spec's. */
function asking(resolved: Resolved, scopes: readonly string[] | undefined): Resolved {
  if (scopes === undefined) return resolved;
  // They are plain words: no expression of the person's is ever run.
  return { ...resolved, method: { ...resolved.method, scopes: scopes.map((scope) => scope.replaceAll('${', '$${')) } };
}

/** Whether what only a person's consent can bring is still missing. */
function needsPerson({ method }: Resolved, { captures }: Credential): boolean {
  const { authorize, device, token } = method;
  if (authorize === undefined && device === undefined) return false;
  if (captures.access_token !== undefined || captures.refresh_token !== undefined) return false;
  const brought = { ...authorize?.capture, ...((device ?? authorize?.code) !== undefined && token?.capture) };
  return Object.entries(brought).some(([name, { path }]) => !path.endsWith('?') && captures[name] === undefined);
}

async function waitForDevice({ resolved, tokens, clock }: Preparation, options: ConnectOptions): Promise<void> {
  const { showCode, signal, oauth } = options;
  refuseUnasked(resolved, oauth);
  if (showCode === undefined) throw personMissing(resolved, '{ showCode }');
  const device = await tokens.askForDevice(signal);
  await showCode({ ...device, expires: new Date(device.ends) });
  await pollForToken(device, { clock, signal, ask: (brought) => tokens.exchangeCode(brought, {}, signal) });
}

function refuseUnasked(resolved: Resolved, oauth: ConnectOptions['oauth']): void {
  if (oauth?.obtain === false) {
    throw new FerruleError('reconnect_required', `${resolved.title} needs a first token, and asking for one is switched off`, {
      where: 'InitiateOAuth',
      next: 'Give OAuthAccessToken or OAuthRefreshToken, or InitiateOAuth=GETANDREFRESH.',
    });
  }
}

const personMissing = (resolved: Resolved, what: string): FerruleError =>
  new FerruleError('reconnect_required', `${resolved.title} needs a person's consent first`, {
    where: `auth.${resolved.method.name}`,
    next: `Run \`ferrule connect\`, or pass ${what}, or tokens.`,
  });

async function consentTo({ resolved, scopes, random, tokens }: Preparation, options: ConnectOptions): Promise<void> {
  const { consent, redirectUri = DEFAULT_REDIRECT_URI, signal, oauth } = options;
  refuseUnasked(resolved, oauth);
  if (consent === undefined) throw personMissing(resolved, '{ consent } and { redirectUri }');
  const made = consentVariables(resolved, redirectUri, random);
  await tokens.prepareConsent(made.oauth);
  const pending = startConsent(resolved, scopes, tokens.variables(made.oauth), made);
  const answer = await consent({ authorizeUrl: pending.authorizeUrl, redirectUri, signal });
  const { oauth: brought, captures } = finishConsent(pending, answer, scopes, tokens.variables(made.oauth));
  await tokens.exchangeCode(brought, captures, signal);
}

function newCredential(resolved: Resolved, inputs: Inputs, options: ConnectOptions): Credential {
  const now = new Date((options.clock ?? { now: Date.now }).now()).toISOString();
  const { access_token, refresh_token, expires_at } = inputs.tokens ?? {};
  return {
    name: options.name ?? '',
    ...(options.description !== undefined && { description: options.description }),
    connector: resolved.name,
    method: resolved.method.name,
    choices: Object.fromEntries(Object.entries(resolved.choices).map(([choice, { id = '' }]) => [choice, id])),
    fields: checkedFields(resolved, inputs.fields ?? {}, {
      renewed: renewable(inputs.tokens, options.oauth),
      app: appFields(resolved, options),
    }),
    captures: {
      ...(access_token !== undefined && { access_token: Secret.of(access_token) }),
      ...(refresh_token !== undefined && { refresh_token: Secret.of(refresh_token) }),
    },
    expires: expires_at === undefined ? {} : { token: expires_at, 'token.renew': expires_at - 60_000 },
    ...(inputs.scopes !== undefined && { scopes: [...inputs.scopes] }),
    ...(options.sandbox && { sandbox: { addresses: { ...options.sandbox.addresses } } }),
    version: 0,
    created: now,
    updated: now,
  };
}
