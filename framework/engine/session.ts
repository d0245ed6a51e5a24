import { createHash } from 'node:crypto';
import { createAuthenticator } from '../auth/authenticator.ts';
import { createSigning, type Signing } from '../auth/signing.ts';
import type { Exchange } from '../auth/token-request.ts';
import { TokenSource } from '../auth/token-source.ts';
import { connectionVariables, tokenVariables } from '../auth/variables.ts';
import { ABSENT } from '../core/absent.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { Redactor } from '../core/redact.ts';
import { compileEntries, compileText } from '../core/render.ts';
import type { Resolved, ResolvedCall } from '../core/resolved.ts';
import { type Scopes, scopesOf } from '../core/scope.ts';
import { reveal, Secret, secretsIn, type Text } from '../core/secret.ts';
import type { Errors } from '../core/spec-types.gen.ts';
import { VERSION } from '../core/version.ts';
import type { Credential } from '../credentials/types.ts';
import { createClient } from '../http/client.ts';
import { networkFromEnvironment } from '../http/proxy.ts';
import type { CallDraft, CallOptions, CallResult, Client, ClientOptions, Network, PagedResponse, RetryPolicy } from '../http/types.ts';
import { appFields } from './app.ts';
import { compileErrors, rulesFor } from './error-rules.ts';
import type { ConnectionOptions, RetryOptions } from './options.ts';

/** What a connection, a check and a read stand on: one resolved spec, one credential, one client. */
export interface Session {
  resolved: Resolved;
  scopes: Scopes;
  tokens: TokenSource;
  /** fields, choices, auth, now, uuid. */
  variables: (now?: number) => Vars;
  client: Client;
  redactor: Redactor;
  clock: Clock;
  random: Random;
  /** Sends a call of the spec to the API, as its own errors and http's say. */
  send(call: ResolvedCall, draft: CallDraft, options?: SendOptions): Promise<CallResult>;
  /** The same for a page of a stream, which may be large. `elsewhere`: without the credential, unless the address is the API's own. */
  page(call: ResolvedCall, draft: CallDraft, options: SendOptions & { elsewhere?: boolean; anyType?: boolean }): Promise<PagedResponse>;
  /** The variables of an API call: with the token of the moment. */
  apiVariables(signal?: AbortSignal, now?: number): Promise<Vars>;
  close(): Promise<void>;
}

export interface SendOptions {
  signal?: AbortSignal | undefined;
  retry?: Partial<RetryPolicy>;
  /** The draft anew, with the token that a renewal brought. */
  redraft?: () => Promise<CallDraft>;
}

/** RFC 6749, 5.2. */
const OAUTH_ERRORS: Errors = { message: 'error_description', code: 'error' };

/** Everything but the API client, which may need a token to know its base URL: what the consent flow works with. */
export interface Preparation {
  resolved: Resolved;
  scopes: Scopes;
  tokens: TokenSource;
  variables: (now?: number) => Vars;
  redactor: Redactor;
  network: Network;
  clock: Clock;
  random: Random;
  signing: Signing | undefined;
  closeExchange(): Promise<void>;
}

export function prepare(resolved: Resolved, credential: Credential, options: ConnectionOptions): Preparation {
  const { clock = systemClock, random = systemRandom } = options;
  const scopes = scopesOf(resolved);
  const redactor = new Redactor();
  const secrets = new Set(resolved.fields.filter((field) => field.secret).map((field) => field.name));
  const fields = { ...appFields(resolved, options), ...credential.fields };
  for (const [name, value] of Object.entries(fields))
    if (secrets.has(name) && (typeof value === 'string' || value instanceof Secret)) redactor.add(value);
  for (const secret of secretsIn(credential.captures)) redactor.add(secret);
  const variables = connectionVariables({ resolved, scopes, fields, clock, random });
  const network = { ...networkOf(resolved, credential, options), ...tlsOf(resolved, scopes, variables()) };
  const signing = createSigning(resolved.method, scopes, random, variables().fields);
  const { exchange, close } = createExchange({ resolved, scopes, variables, network, redactor }, options);
  const tokens = new TokenSource({
    resolved,
    scopes,
    variables,
    credential,
    exchange,
    redactor,
    now: () => clock.now(),
    random,
    ...(signing && {
      sign: (over, vars) => (request) => signing.sign(request, { vars: () => vars, captures: {}, now: clock.now() }, over),
    }),
    ...options.oauth,
    ...(options.store && credential.version > 0 && { store: options.store }),
  });
  return { resolved, scopes, tokens, variables, redactor, network, clock, random, signing, closeExchange: close };
}

/** Opens the API client on what was prepared. */
export async function openSession(ready: Preparation, options: ConnectionOptions): Promise<Session> {
  const { resolved, scopes, tokens, variables, redactor, network, clock, random } = ready;
  if (typeof resolved.http.base_url !== 'string')
    throw new FerruleError('spec_invalid', `${resolved.name} has no base URL under these choices and this method`, {
      where: 'http.base_url',
    });
  // A base URL that a token answer named is known only once there is a token.
  if (/\$\{[^}]*\btoken\./.test(resolved.http.base_url)) await tokens.current(options.signal);
  const vars = (now?: number): Vars => ({ ...variables(now), token: tokenVariables(tokens.credential.captures) });
  const authorizationPrefix = options.network?.authorizationPrefix;
  const perAttempt = { headers: changing(resolved.http.headers), query: changing(resolved.http.query) };
  const auth = createAuthenticator({
    resolved,
    perAttempt,
    scopes,
    variables,
    tokens,
    ...(ready.signing && { signing: ready.signing }),
    ...(authorizationPrefix !== undefined && { authorizationPrefix }),
  });
  const api = apiOptions(resolved, scopes, vars());
  const { origin } = new URL(api.baseUrl);
  const client = createClient({
    ...clientOptions(resolved, redactor, options, network),
    ...api,
    limits: limitsOf(resolved, vars(), network, options),
    auth,
  });
  const callOptions = (call: ResolvedCall, { signal, retry, redraft }: SendOptions): CallOptions => {
    const errors =
      call.errors === undefined && call.encode !== 'graphql'
        ? undefined
        : compileErrors([resolved.http.errors, call.errors], scopes.response, vars(), rulesFor(call));
    return {
      ...(errors && { errors }),
      ...(signal && { signal }),
      ...(retry && { retry }),
      // Most calls name no token: what auth sends is new anyway.
      ...(redraft && namesToken(call) && { redraft }),
      ...(call.name !== undefined && { name: call.name }),
    };
  };
  return {
    resolved,
    scopes,
    tokens,
    variables,
    client,
    redactor,
    clock,
    random,
    apiVariables: async (signal, now) => {
      if (resolved.method.steps.length > 0) await tokens.current(signal);
      return vars(now);
    },
    send: (call, draft, sent = {}) => client.call(draft, callOptions(call, sent)),
    page: (call, draft, { elsewhere = false, anyType = false, ...sent }) =>
      client.page(draft, {
        ...callOptions(call, sent),
        ...(elsewhere && new URL(reveal(draft.url)).origin !== origin && { bare: true }),
        ...(anyType && { decode: 'bytes' }),
      }),
    close: async () => {
      await client.close();
      await ready.closeExchange();
    },
  };
}

function apiOptions(
  resolved: Resolved,
  scopes: Scopes,
  vars: Vars,
): Pick<ClientOptions, 'baseUrl' | 'credentialHosts' | 'headers' | 'query' | 'bigIntegers' | 'errors'> {
  const { http } = resolved;
  return {
    baseUrl: reveal(compileText(http.base_url, 'url', scopes.api)(vars) as Text),
    credentialHosts: http.hosts.map((host) => (host.includes('*') ? host : `https://${host}`)),
    headers: compileEntries(steady(http.headers), 'header', scopes.api)(vars) as Record<string, Text>,
    query: compileEntries(steady(http.query), 'query', scopes.api)(vars) as Record<string, Text | Text[]>,
    bigIntegers: http.big_integers,
    errors: compileErrors([http.errors], scopes.response, vars),
  };
}

/** The provider's limits, and what the person wants besides. What is counted by address or app holds for all connections of this process together. */
function limitsOf(
  resolved: Resolved,
  vars: Vars,
  { addressMap }: Network,
  options: ConnectionOptions,
): NonNullable<ClientOptions['limits']> {
  const { rateLimits = true, throttle } = options;
  const { client_id } = vars.fields as Record<string, Text | undefined>;
  const known = rateLimits
    ? resolved.http.rate_limit.map((limit) => {
        const { scope = 'credential' } = limit;
        const app = scope === 'app' && client_id !== undefined ? createHash('sha256').update(reveal(client_id)).digest('hex') : '';
        // A sandbox counts for itself.
        const among = scope === 'credential' ? {} : { among: [resolved.name, scope, app, ...(addressMap?.values() ?? [])].join(' ') };
        return { ...limit, ...among, per: milliseconds(limit.per) };
      })
    : [];
  return throttle === undefined ? known : [...known, throttle];
}

/** A client certificate that the spec's fields hold; it stands over the one of the person's own settings. */
function tlsOf({ method }: Resolved, scopes: Scopes, vars: Vars): Pick<Network, 'certificate' | 'key' | 'passphrase' | 'ca'> {
  const texts = Object.entries(method.tls ?? {}).flatMap(([name, text]) => {
    const value = compileText(text as string, 'plain', scopes.connection)(vars);
    return value === ABSENT ? [] : [[name, value as Text] as const];
  });
  const { certificate, key, passphrase, ca } = Object.fromEntries(texts);
  return {
    ...(certificate !== undefined && { certificate: reveal(certificate) }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca: reveal(ca) }),
  };
}

/** Whether a call carries a token in a place of its own. The same calls are sent again and again. */
function namesToken(call: ResolvedCall): boolean {
  let names = withToken.get(call);
  if (names === undefined) {
    const { url, query, headers, cookies, body } = call;
    names = /\btoken\./.test(JSON.stringify([url, query, headers, cookies, body]));
    withToken.set(call, names);
  }
  return names;
}

const withToken = new WeakMap<ResolvedCall, boolean>();

type Entries = Record<string, string | string[] | null>;

/** Whether a text may say something else at each attempt: with the token, the time or a fresh id in it. */
const changes = (text: Entries[string]): boolean => /\$\{[^}]*\b(token|now|uuid|ago)\b/.test(String(text));
const changing = (entries: Entries): Entries => Object.fromEntries(Object.entries(entries).filter(([, text]) => changes(text)));
const steady = (entries: Entries): Entries => Object.fromEntries(Object.entries(entries).filter(([, text]) => !changes(text)));

function clientOptions(
  resolved: Resolved,
  redactor: Redactor,
  options: ConnectionOptions,
  network: Network,
): Pick<ClientOptions, 'redactor' | 'network' | 'retry' | 'timeout' | 'clock' | 'random' | 'onEvent' | 'eventDetails'> {
  const { retry, timeout } = resolved.http;
  return {
    redactor,
    network,
    retry: {
      max_retries: retry.max_retries,
      backoff: retry.backoff,
      longest: milliseconds(retry.longest),
      repeat: retry.repeat.map((method) => method.toUpperCase() as 'POST' | 'PATCH'),
      ...narrowed(retry.max_retries, options.retry),
    },
    timeout: {
      connect: milliseconds(timeout.connect),
      response: milliseconds(timeout.response),
      total: milliseconds(timeout.total),
      ...options.timeout,
    },
    ...(options.clock && { clock: options.clock }),
    ...(options.random && { random: options.random }),
    ...(options.onEvent && { onEvent: options.onEvent }),
    ...(options.eventDetails !== undefined && { eventDetails: options.eventDetails }),
  };
}

/** RetryMode, RetryStatusCodeList, RetryCountMax and RetryMultiplyWaitTime narrow what the spec says. */
function narrowed(most: number, { countMax, ...rest }: RetryOptions = {}): Partial<RetryPolicy> {
  return { ...rest, ...(countMax !== undefined && { max_retries: Math.min(countMax, most) }) };
}

const milliseconds = (text: string): number => parseDuration(text) ?? 0;

function networkOf(resolved: Resolved, credential: Credential, options: ConnectionOptions): Network {
  const { proxy, allowPrivateAddresses, allowLoopbackAddresses, authorizationPrefix: _prefix, ...rest } = options.network ?? {};
  const marked = credential.sandbox !== undefined;
  if (options.sandbox !== undefined && !marked)
    throw new FerruleError('credential_sandbox', `Credential "${credential.name}" is a real one and is never sent to a sandbox`, {
      where: credential.name,
    });
  const addresses = options.sandbox?.addresses ?? credential.sandbox?.addresses;
  return {
    userAgent: `ferrule/${VERSION}`,
    ...(proxy === undefined && !marked && networkFromEnvironment(options.environment ?? process.env)),
    ...(proxy !== undefined && proxy !== null && { proxy }),
    ...rest,
    ...(allowPrivateAddresses && { allowPrivate: true }),
    ...(allowLoopbackAddresses && { allowLoopback: true }),
    ...(resolved.http.allow_http === 'loopback' && { allowHttpLoopback: true }),
    ...(addresses !== undefined && { addressMap: new Map(Object.entries(addresses)) }),
  };
}

/** Token calls go through clients of their own, one an origin: a credential is bound to the origin of the call it is written on. */
function createExchange(
  { resolved, scopes, variables, network, redactor }: Pick<Preparation, 'resolved' | 'scopes' | 'variables' | 'network' | 'redactor'>,
  options: ConnectionOptions,
): { exchange: Exchange; close: () => Promise<void> } {
  const clients = new Map<string, Client>();
  const clientFor = (baseUrl: string): Client => {
    let client = clients.get(baseUrl);
    if (client === undefined) {
      // Headers and query of the network options are for the API alone: some servers refuse what they do not know.
      const { headers: _headers, query: _query, ...bare } = network;
      // An answer with tokens may name their user by a 64-bit number, which nobody declared: it is kept as text.
      client = createClient({ ...clientOptions(resolved, redactor, options, bare), baseUrl, secretAnswers: true, bigIntegers: 'text' });
      clients.set(baseUrl, client);
    }
    return client;
  };
  return {
    exchange: (request, { name, errors, repeat, sign, signal }) => {
      const url = reveal(request.url);
      // A path lies under the API's base URL, as anywhere else.
      const base = /^https?:/i.test(url)
        ? new URL(url).origin
        : reveal(compileText(resolved.http.base_url, 'url', scopes.api)(variables()) as Text);
      return clientFor(base).call(request, {
        name,
        decode: 'auto',
        errors: compileErrors([OAUTH_ERRORS, errors], scopes.response, variables()),
        ...(repeat && { retry: { repeat: ['POST'] } }),
        ...(sign && { sign }),
        ...(signal && { signal }),
      });
    },
    close: async () => {
      for (const client of clients.values()) await client.close();
    },
  };
}
