import { FerruleError, isFerruleError } from '../core/errors.ts';
import { compileOrThrow, evaluateCondition, type Vars } from '../core/expression/index.ts';
import { compileCall, type Rendered } from '../core/render.ts';
import type { Resolved, ResolvedCall, WellKnown } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { reveal } from '../core/secret.ts';
import type { Errors } from '../core/spec-types.gen.ts';
import type { JsonObject, Response } from '../core/value.ts';
import type { CaptureValue } from '../credentials/types.ts';
import { answered } from './answer.ts';
import { capture } from './capture.ts';
import { authenticateClient } from './client-authentication.ts';
import { clockSkew, servedAt } from './clock-skew.ts';
import { checkMetadata, wellKnown } from './discovery.ts';
import { type Expiry, expiry } from './expiry.ts';
import type { MakeContext } from './made.ts';
import type { Signature, Unsigned } from './signer.ts';

/** Sends one call of an auth method. The engine gives it; a credential goes only to the origin of the call itself. */
export type Exchange = (request: Rendered, options: ExchangeOptions) => Promise<Response>;

export interface ExchangeOptions {
  /** The step's name, for logs and errors. */
  name: string;
  errors?: Errors;
  /** What puts a signature on it, where the spec says so. */
  sign?: (request: Unsigned) => Signature;
  /** Whether it may be sent again after a failure that leaves open whether it was received. */
  repeat: boolean;
  signal?: AbortSignal;
}

export interface TokenAnswer {
  captures: Record<string, CaptureValue>;
  expires: Expiry | undefined;
  /** As the provider wrote it (RFC 6749, 5.1); undefined: as asked for. */
  scope: string | undefined;
}

export interface TokenRequest {
  call: ResolvedCall;
  name: string;
  /** Whether client ID and secret go along, as `client_auth` says: token and refresh requests. */
  client: boolean;
  repeat: boolean;
  vars: Vars;
  /** When what the answer brings begins to count. Milliseconds since the epoch, as all times here. */
  now: number;
  /** What time it is at the provider, as far as is known: what is signed says that. */
  there: number;
  /** When the answer came; asked once it is there. */
  received: () => number;
  /** Redacts the provider's words: it may repeat what was sent. */
  show: (text: string) => string;
  random: MakeContext['random'];
  /** Signs the call with these settings over the method's own. */
  sign?: (settings: Readonly<Record<string, string>>, vars: Vars) => (request: Unsigned) => Signature;
  signal?: AbortSignal;
}

/** Of the provider's words, in characters. */
const LONGEST_WORDS = 300;

/** The error codes of RFC 6749, 5.2 that end a grant: only a person can give a new one. */
const GRANT_ENDED = new Set(['invalid_grant']);

/**
 * The one call: token, refresh, login step. Whatever the provider answers, the outcome is captured values or an error
 * that says which step, which part and, where the provider gave them, its own words.
 */
export async function requestToken(request: TokenRequest, resolved: Resolved, scopes: Scopes, exchange: Exchange): Promise<TokenAnswer> {
  const { call, name, vars, now, there } = request;
  const rendered = compileCall(call, scopes.auth).render(vars);
  const named = call.well_known === undefined ? undefined : reveal(rendered.url);
  const asked = named === undefined ? rendered : { ...rendered, url: wellKnown(named, call.well_known as WellKnown) };
  const ready = request.client
    ? authenticateClient(asked, resolved.method, { scope: scopes.auth, vars, now: there, random: request.random }, call.without)
    : asked;
  const response = answered(await send(ready, request, exchange), call.decode);
  const body = response.body;
  if (typeof body !== 'object' || body === null) refuseText(body, request, response.status);
  else refuseErrorBody(body as JsonObject, request, response);
  if (
    call.expect !== undefined &&
    !evaluateCondition(compileOrThrow(call.expect, 'condition', 'plain', scopes.auth), { ...vars, response })
  )
    throw refusedWith(request, response, undefined, messageIn(body, request));
  if (named !== undefined) checkMetadata(named, call.well_known as WellKnown, body, name);
  try {
    const captures = capture(call.capture, response, name, scopes.auth, vars);
    refuseBound(captures.token_type, name);
    // A call that takes no scope speaks of another token's: a user's beside the bot's.
    const scope = 'scope' in call.capture ? granted(body) : undefined;
    const skew = clockSkew(servedAt(response.headers.date), request.received());
    return { captures, expires: expiry(call.expires, body, now, name, captures, skew), scope };
  } catch (error) {
    throw isFerruleError(error) && error.code === 'path_missing'
      ? new FerruleError('token_malformed', error.message, { where: error.where ?? name })
      : error;
  }
}

/** Token types that want a proof with each request (RFC 9449, 5 and others): sent as a bearer token one is refused, and given away. */
const BOUND = new Set(['dpop', 'pop', 'mac']);

/** RFC 6749, 7.1. Providers have many words for a bearer token, which is why all others pass. */
function refuseBound(type: CaptureValue | undefined, name: string): void {
  if (typeof type === 'string' && BOUND.has(type.toLowerCase()))
    throw new FerruleError('token_bound', `${name}: a token of type ${type}, and the spec sends no proof`, { where: name });
}

async function send(ready: Rendered, request: TokenRequest, exchange: Exchange): Promise<Response> {
  const { call, name, repeat, signal, vars } = request;
  const sign = call.sign === undefined ? undefined : request.sign?.(call.sign, vars);
  try {
    return await exchange(ready, {
      ...{ name, repeat },
      ...(call.errors && { errors: call.errors }),
      ...(sign && { sign }),
      ...(signal && { signal }),
    });
  } catch (error) {
    throw isFerruleError(error) ? classed(error, name) : error;
  }
}

/** A refusal of the token endpoint is about the grant or the client, whatever its status; an outage stays one. */
function classed(error: FerruleError, name: string): FerruleError {
  const { status, provider, providerCode, served } = error;
  const said = {
    ...(status !== undefined && { status }),
    ...(served !== undefined && { served }),
    ...(provider !== undefined && { provider }),
    ...(providerCode !== undefined && { providerCode }),
  };
  if (error.code === 'response_malformed')
    return new FerruleError('token_malformed', `${name}: ${error.message}`, { where: name, ...said });
  const refused = status !== undefined && status >= 400 && status < 500 && error.kind !== 'transient' && error.kind !== 'rate_limit';
  if (!refused) return error;
  return new FerruleError('token_refused', `${name}: refused${words(providerCode, provider)}`, {
    where: fieldAtFault(providerCode) ?? name,
    ...said,
  });
}

/** A text is an answer only to a call that takes it whole, or takes nothing. */
function refuseText(body: Response['body'], { call, name }: TokenRequest, status: number): void {
  if (Object.values(call.capture).every(({ path }) => path === '$' || path.includes('${') || path.endsWith('?'))) return;
  const what = body === null ? 'an empty answer' : 'an answer that is no JSON object';
  throw new FerruleError('token_malformed', `${name}: ${what} (status ${status})`, { where: name, status });
}

/** Some providers answer 200 with an error in the body (RFC 6749, 5.2 asks for 400). */
function refuseErrorBody(body: JsonObject, request: TokenRequest, response: Response): void {
  const { call, show } = request;
  const code = body.error;
  if (code === undefined || code === null || code === false || code === '' || 'access_token' in body) return;
  if (Object.values(call.capture).some((one) => /^error\b/.test(one.path))) return;
  const description = body.error_description ?? (typeof code === 'object' ? (code as JsonObject).message : undefined);
  const shown = (said: unknown) => (typeof said === 'string' ? show(said).slice(0, LONGEST_WORDS) : undefined);
  throw refusedWith(request, response, shown(code), shown(description));
}

function refusedWith(
  { name }: TokenRequest,
  { status, headers }: Response,
  providerCode: string | undefined,
  provider: string | undefined,
): FerruleError {
  const served = servedAt(headers.date);
  return new FerruleError('token_refused', `${name}: refused with status ${status}${words(providerCode, provider)}`, {
    where: fieldAtFault(providerCode) ?? name,
    status,
    ...(provider !== undefined && { provider }),
    ...(providerCode !== undefined && { providerCode }),
    ...(served !== undefined && { served }),
  });
}

/** What a provider says where it answers 200 and means no. */
function messageIn(body: Response['body'], { show }: TokenRequest): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const said = body.error_description ?? body.message ?? body.error ?? body.msg;
  return typeof said === 'string' ? show(said).slice(0, LONGEST_WORDS) : undefined;
}

const words = (code: string | undefined, message: string | undefined): string =>
  [code, message]
    .filter((part) => part !== undefined && part !== '')
    .map((part, index) => (index === 0 ? ` (${part}` : `: ${part}`))
    .join('') + (code || message ? ')' : '');

/** RFC 6749, 5.2: what the code says is wrong, as the field that the person entered. */
function fieldAtFault(code: string | undefined): string | undefined {
  if (code === 'invalid_client') return 'fields.client_secret';
  if (code === 'unauthorized_client') return 'fields.client_id';
  return code === 'invalid_scope' ? 'scopes' : undefined;
}

function granted(body: Response['body']): string | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { scope } = body;
  if (Array.isArray(scope)) return scope.join(' ');
  return typeof scope === 'string' && scope !== '' ? scope : undefined;
}

export const grantEnded = (error: unknown): boolean =>
  isFerruleError(error) && error.code === 'token_refused' && GRANT_ENDED.has(error.providerCode ?? '');
