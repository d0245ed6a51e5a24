import type { Random } from '../core/clock.ts';
import type { FerruleError } from '../core/errors.ts';
import type { Method } from '../core/value.ts';
import type { RetryPolicy } from './types.ts';
import { backoff } from './wait.ts';

const DEFAULTS: RetryPolicy = { max_retries: 5, backoff: 'exponential', longest: 300_000, repeat: [] };

/** Those that RFC 9110 section 9.2.2 calls idempotent. */
const IDEMPOTENT: ReadonlySet<Method> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'] as const);

/** Later ones win; a key that is undefined says nothing. */
export function retryPolicy(...layers: (Partial<RetryPolicy> | undefined)[]): RetryPolicy {
  let policy = DEFAULTS;
  for (const layer of layers) {
    if (layer) policy = { ...policy, ...Object.fromEntries(Object.entries(layer).filter(([, value]) => value !== undefined)) };
  }
  return policy;
}

/** A failure that may be tried again; only ever between an attempt and the loop around it. */
export class Retryable extends Error {
  readonly failure: FerruleError;
  /** What the server asked to wait, ms. */
  readonly asked: number | undefined;

  constructor(failure: FerruleError, asked?: number) {
    super(failure.message);
    this.failure = failure;
    this.asked = asked;
  }
}

/** `asked`: the server named a time, so it wants the request again whatever its method. */
export function mayRetry(
  policy: RetryPolicy,
  method: Method,
  failure: FerruleError,
  asked: number | undefined,
  repeatable: boolean,
): boolean {
  if (policy.max_retries === 0 || policy.mode === 'None') return false;
  if (policy.mode === 'RetryWhenStatusCodeMatch' && !(failure.status !== undefined && (policy.statuses ?? []).includes(failure.status)))
    return false;
  return IDEMPOTENT.has(method) || policy.repeat.includes(method) || repeatable || asked !== undefined;
}

/** Milliseconds, or undefined when the wait would be longer than the policy or the call's total allows. */
export function waitBeforeRetry(
  policy: RetryPolicy,
  retry: number,
  asked: number | undefined,
  left: number,
  random: Random,
): number | undefined {
  const wait = asked ?? backoff(policy, retry, random);
  return wait > policy.longest || wait >= left ? undefined : wait;
}
