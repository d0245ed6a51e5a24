import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { parseJson } from '../core/json.ts';
import { compileCall, type Rendered } from '../core/render.ts';
import type { Resolved, ResolvedCall } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import type { Text } from '../core/secret.ts';
import type { Errors } from '../core/spec-types.gen.ts';
import type { JsonObject, Response } from '../core/value.ts';
import type { CaptureValue } from '../credentials/types.ts';
import { capture } from './capture.ts';
import { authenticateClient } from './client-authentication.ts';
import { type Expiry, expiry } from './expiry.ts';

/** Sends one call of an auth method. The engine gives it; a credential goes only to the origin of the call itself. */
export type Exchange = (request: Rendered, options: ExchangeOptions) => Promise<Response>;

export interface ExchangeOptions {
  /** The step's name, for logs and errors. */
  name: string;
  errors?: Errors;
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
  now: number;
  /** Redacts the provider's words: it may repeat what was sent. */
  show: (text: string) => string;
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
  const { call, name, vars, now } = request;
  const rendered = compileCall(call, scopes.auth).render(vars);
  const fields = vars.fields as Record<string, Text | undefined>;
  const ready = request.client
    ? authenticateClient(rendered, resolved.method.client_auth, fields.client_id, fields.client_secret)
    : rendered;
  const response = labelledWrong(await send(ready, request, exchange));
  const body = response.body;
  if (typeof body !== 'object' || body === null) {
    const what = body === null ? 'an empty answer' : 'an answer that is no JSON object';
    throw new FerruleError('token_malformed', `${name}: ${what} (status ${response.status})`, { where: name, status: response.status });
  }
  refuseErrorBody(body as JsonObject, request, response.status);
  try {
    return {
      captures: capture(call.capture, response, name, scopes.auth, vars),
      expires: expiry(call.expires, body, now, name),
      scope: granted(body as JsonObject),
    };
  } catch (error) {
    throw isFerruleError(error) && error.code === 'path_missing'
      ? new FerruleError('token_malformed', error.message, { where: error.where ?? name })
      : error;
  }
}

/** JSON that comes under another media type is still the answer. */
function labelledWrong(response: Response): Response {
  if (typeof response.body !== 'string' || !/^\s*\{/.test(response.body)) return response;
  try {
    return { ...response, body: parseJson(response.body, 'text') };
  } catch {
    return response; // Then it is text, and the caller says so.
  }
}

async function send(ready: Rendered, request: TokenRequest, exchange: Exchange): Promise<Response> {
  const { call, name, repeat, signal } = request;
  try {
    return await exchange(ready, { name, repeat, ...(call.errors && { errors: call.errors }), ...(signal && { signal }) });
  } catch (error) {
    throw isFerruleError(error) ? classed(error, name) : error;
  }
}

/** A refusal of the token endpoint is about the grant or the client, whatever its status; an outage stays one. */
function classed(error: FerruleError, name: string): FerruleError {
  const { status, provider, providerCode } = error;
  const said = {
    ...(status !== undefined && { status }),
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

/** Some providers answer 200 with an error in the body (RFC 6749, 5.2 asks for 400). */
function refuseErrorBody(body: JsonObject, { call, name, show }: TokenRequest, status: number): void {
  const code = body.error;
  if (code === undefined || code === null || code === false || code === '' || 'access_token' in body) return;
  if (Object.values(call.capture).some((one) => /^error\b/.test(one.path))) return;
  const description = body.error_description ?? (typeof code === 'object' ? (code as JsonObject).message : undefined);
  const shown = (said: unknown) => (typeof said === 'string' ? show(said).slice(0, LONGEST_WORDS) : undefined);
  const providerCode = shown(code);
  const provider = shown(description);
  throw new FerruleError('token_refused', `${name}: refused with status ${status}${words(providerCode, provider)}`, {
    where: fieldAtFault(providerCode) ?? name,
    status,
    ...(provider !== undefined && { provider }),
    ...(providerCode !== undefined && { providerCode }),
  });
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

function granted(body: JsonObject): string | undefined {
  const { scope } = body;
  if (Array.isArray(scope)) return scope.join(' ');
  return typeof scope === 'string' && scope !== '' ? scope : undefined;
}

export const grantEnded = (error: unknown): boolean =>
  isFerruleError(error) && error.code === 'token_refused' && GRANT_ENDED.has(error.providerCode ?? '');
