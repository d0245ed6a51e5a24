import type { ErrorCode } from '../core/error-table.ts';
import { type ErrorKind, FerruleError } from '../core/errors.ts';
import { parseTime } from '../core/time.ts';
import type { Json, Response } from '../core/value.ts';
import { bearerRefusal } from './bearer-refusal.ts';
import type { ErrorRule, ErrorRules, Then } from './types.ts';

export interface Verdict {
  outcome: Then;
  kind: ErrorKind;
  /** A rule said `then: retry` in so many words, or the server asked (429): then a POST may be repeated too. */
  repeatable: boolean;
  error: FerruleError;
}

export interface JudgeContext {
  /** Method and URL without query, redacted. */
  where: string;
  /** What the server asked to wait, ms. */
  asked: number | undefined;
  /** Redacts, flattens and cuts a text. */
  excerpt: (text: string) => string;
  /** The same of an error code; undefined where it may be a secret. */
  errorCode: (text: string) => string | undefined;
}

const CODES: Record<ErrorKind, ErrorCode> = {
  auth: 'unauthorized',
  permission: 'forbidden',
  rate_limit: 'rate_limited',
  transient: 'server_failed',
  request: 'request_refused',
  data: 'response_malformed',
  input: 'request_refused',
  spec: 'request_refused',
  internal: 'request_refused',
};

/** Undefined: the answer is good. Rules of the spec come first, in order; then the built-in ones. The kind decides what follows. */
export function judge(response: Response, rules: ErrorRules, context: JudgeContext): Verdict | undefined {
  for (const rule of rules.rules) {
    if (rule.status && !rule.status.includes(response.status)) continue;
    if (rule.when && !rule.when(response)) continue;
    const kind = rule.kind ?? kindOf(response) ?? 'request';
    const outcome = rule.then ?? thenOf(kind);
    const error = errorFor(response, kind, rules, context, rule);
    return { outcome, kind, repeatable: rule.then === 'retry' || kind === 'rate_limit', error };
  }
  const kind = kindOf(response);
  if (kind === undefined) return undefined;
  return { outcome: thenOf(kind), kind, repeatable: kind === 'rate_limit', error: errorFor(response, kind, rules, context) };
}

function kindOf(response: Response): ErrorKind | undefined {
  const { status } = response;
  if (status >= 200 && status < 300) return undefined;
  // The token is good, whatever the status: a new one of the same kind would fare no better.
  if (lacksScope(response)) return 'permission';
  if (status === 401 || status === 407) return 'auth';
  if (status === 403) return 'permission';
  if (status === 429) return 'rate_limit';
  if (status === 408 || status === 425 || status >= 500) return 'transient';
  return 'request';
}

const grant = (scopes: readonly string[] | undefined): string | undefined =>
  scopes === undefined || scopes.length === 0
    ? undefined
    : `Grant ${scopes.length === 1 ? 'the scope' : 'the scopes'} ${scopes.join(' ')}, and connect again.`;

const lacksScope = ({ status, headers }: Response): boolean =>
  (status === 401 || status === 403) && bearerRefusal(headers['www-authenticate'])?.error === 'insufficient_scope';

const thenOf = (kind: ErrorKind): Then => (kind === 'transient' || kind === 'rate_limit' ? 'retry' : kind === 'auth' ? 'renew' : 'fail');

function errorFor(response: Response, kind: ErrorKind, rules: ErrorRules, context: JudgeContext, rule: ErrorRule = {}): FerruleError {
  const { where, asked, excerpt, errorCode } = context;
  const refusal = bearerRefusal(response.headers['www-authenticate']);
  const said = textOf(rule.message?.(response)) ?? textOf(rules.message?.(response)) ?? usualMessage(response.body) ?? refusal?.description;
  const provider = said === undefined ? undefined : excerpt(said);
  const ownCode = textOf(rules.code?.(response)) ?? usualCode(response.body) ?? refusal?.error;
  const code = ownCode === undefined ? undefined : errorCode(ownCode);
  const shown = provider ?? (typeof response.body === 'string' ? excerpt(response.body) : '');
  const served = parseTime(response.headers.date ?? '', 'http_date');
  const lacking = lacksScope(response) ? (refusal?.scopes ?? []).map(excerpt) : undefined;
  const next = rule.hint ?? grant(lacking) ?? (asked !== undefined && asked > 0 ? `Try again in ${Math.ceil(asked / 1000)} s.` : undefined);
  return new FerruleError(CODES[kind], `${where} answered ${response.status}${shown === '' ? '.' : `: ${shown}`}`, {
    where,
    kind,
    status: response.status,
    ...(next !== undefined && { next }),
    ...(provider !== undefined && { provider }),
    ...(code !== undefined && { providerCode: code }),
    ...(asked !== undefined && { retryAfter: asked }),
    ...(served !== undefined && { served }),
    ...(rule.at !== undefined && { rule: rule.at }),
    ...(lacking && { scopes: lacking }),
  });
}

/** A path may lead to a text, a number, a list of them, or an object with a message in it. */
function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return joined(value.map(textOf));
  return usualMessage(value) ?? JSON.stringify(value);
}

/** Not by commas, which messages hold themselves. */
function joined(texts: readonly (string | undefined)[]): string | undefined {
  const found = texts.filter((text) => text !== undefined);
  return found.length === 0 ? undefined : found.join('; ');
}

/** Where providers put their words when the spec says nothing: RFC 6749 section 5.2, RFC 9457, GraphQL, and common habit. */
function usualMessage(body: Json): string | undefined {
  if (body === null || typeof body !== 'object') return undefined;
  if (Array.isArray(body)) return joined(body.map(usualMessage));
  for (const key of ['error_description', 'message', 'detail', 'details', 'title', 'msg', 'error_message', 'errorMessage', 'reason']) {
    const value = body[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  for (const key of ['error', 'errors', 'meta', 'fault']) {
    const value = body[key];
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && typeof value[0] === 'string') return textOf(value);
    const inner = value === undefined ? undefined : usualMessage(value);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function usualCode(body: Json): string | undefined {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return undefined;
  if (typeof body.error === 'string' && /^[\w.:-]{1,60}$/.test(body.error)) return body.error;
  for (const place of [body, body.error]) {
    if (place === null || typeof place !== 'object' || Array.isArray(place)) continue;
    const { code } = place;
    if (typeof code === 'string' || typeof code === 'number') return String(code);
  }
  return undefined;
}
