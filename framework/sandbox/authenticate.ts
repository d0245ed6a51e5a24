import { timingSafeEqual } from 'node:crypto';

/** How a request stands with one view. */
export type Verdict = 'good' | 'missing' | 'wrong' | 'expired' | 'revoked';

const ORDER: readonly Verdict[] = ['missing', 'wrong', 'revoked', 'expired'];
export const worst = (verdicts: readonly Verdict[]): Verdict => ORDER.find((verdict) => verdicts.includes(verdict)) ?? 'good';

/** Compares secrets in a time that tells nothing of them. */
export function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
