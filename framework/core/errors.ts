import { ERRORS, type ErrorCode } from './error-table.ts';
import type { Finding } from './finding.ts';

/** Decides retry, exit code and how a platform classes the failure. */
export type ErrorKind = 'spec' | 'input' | 'auth' | 'permission' | 'rate_limit' | 'transient' | 'request' | 'data' | 'internal';

export interface ErrorDetails {
  /** The field, file:line:col, URL without query, stream or option that it is about. */
  where?: string | undefined;
  /** What to do next, if better is known than the table's own sentence. */
  next?: string;
  /** The kind, where the answer decides it (a response that `errors.rules` classed). */
  kind?: ErrorKind;
  /** HTTP status of the answer that it stems from. */
  status?: number;
  /** The provider's own words, redacted. */
  provider?: string;
  /** The provider's own error code. */
  providerCode?: string;
  /** Scopes that the provider wants for this and the token lacks; empty: it names none (RFC 6750, 3). */
  scopes?: readonly string[];
  /** The entry of `errors.rules` that classed the answer: its path in the spec. */
  rule?: string;
  /** Findings behind it (a spec that does not load). */
  findings?: Finding[];
  /** For retries: how long the server asked us to wait. Milliseconds. */
  retryAfter?: number;
  /** What time it was at the server that answered (its Date header). Milliseconds since the epoch. */
  served?: number;
  /** The error that led here: must be one of ours or a system error, never one of a transport library. */
  cause?: unknown;
}

/**
 * The one error class. `code` is from one table (error-table.ts), whose entry gives kind, cause and next step, and
 * from which the docs' error page is generated. No message ever holds a secret: callers pass redacted text.
 */
export class FerruleError extends Error {
  override readonly name = 'FerruleError';
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly where: string | undefined;
  readonly next: string;
  readonly status: number | undefined;
  readonly provider: string | undefined;
  readonly providerCode: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly rule: string | undefined;
  readonly findings: readonly Finding[];
  readonly retryAfter: number | undefined;
  readonly served: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.kind = details.kind ?? ERRORS[code].kind;
    this.where = details.where;
    this.next = details.next ?? ERRORS[code].next;
    this.status = details.status;
    this.provider = details.provider;
    this.providerCode = details.providerCode;
    this.scopes = details.scopes;
    this.rule = details.rule;
    this.findings = details.findings ?? [];
    this.retryAfter = details.retryAfter;
    this.served = details.served;
  }

  /** Plain data for `--json` and logs. */
  toJSON(): Record<string, unknown> {
    const { code, kind, message, where, next, status, provider, providerCode, scopes, findings } = this;
    return { code, kind, message, where, next, status, provider, providerCode, scopes, ...(findings.length > 0 && { findings }) };
  }
}

export const isFerruleError = (error: unknown): error is FerruleError => error instanceof FerruleError;
