import type { Resolved, ResolvedStream } from '../core/resolved.ts';
import type { ErrorRule } from '../core/spec-types.gen.ts';
import type { Preview } from '../http/types.ts';

/** What follows a bad answer. */
export interface ExplainedRetry {
  /** How often it is sent again at most. */
  times: number;
  /** What is sent again without a word of the spec; a rule may say otherwise. */
  statuses: string[];
  /** Whether this method may be repeated when the server did not ask for it. */
  repeats: boolean;
  backoff: 'exponential' | 'linear' | 'constant';
  /** Milliseconds: the longest single wait, and the whole call with its waits. */
  longest: number;
  total: number;
  /** Whether a 401 renews the token and sends once more. */
  renews: boolean;
  /** The spec's own rules, in the order in which they are looked at. */
  rules: { at: string; status?: number[]; when?: string; kind?: string; then?: string }[];
  at: string;
}

/** RFC 9110, 9.2.2. */
const IDEMPOTENT: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
const BUILT_IN = ['408', '425', '429', '5xx'];

export function explainRetry(
  { retry, timeout, draft }: Preview,
  { http, method }: Resolved,
  call: ResolvedStream | undefined,
): ExplainedRetry {
  const { max_retries, mode, statuses, longest } = retry;
  const own = mode === 'RetryWhenStatusCodeMatch' ? (statuses ?? []).map(String) : BUILT_IN;
  const rules = (entries: readonly ErrorRule[] | null | undefined, at: string) =>
    (entries ?? []).map(({ status, when, kind, then }, index) => ({
      at: `${at}.rules.${index}`,
      ...(status && { status: [...status] }),
      ...(when !== undefined && { when }),
      ...(kind !== undefined && { kind }),
      ...(then !== undefined && { then }),
    }));
  return {
    times: mode === 'None' ? 0 : max_retries,
    statuses: own,
    repeats: IDEMPOTENT.includes(draft.method) || retry.repeat.includes(draft.method),
    backoff: retry.multiplyWaitTime === false ? 'constant' : retry.backoff,
    longest,
    total: timeout.total,
    renews: method.steps.length > 0,
    rules: [
      ...rules(call?.errors?.rules, `streams.${call?.name}.errors`),
      ...(call?.errors?.rules === null ? [] : rules(http.errors.rules, 'http.errors')),
    ],
    at: 'http.retry',
  };
}
