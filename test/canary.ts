import { createHash } from 'node:crypto';

/**
 * Every secret in the tests comes from here, so that one search finds a leak: test/canaries/run looks for each
 * value's stem in all that a run prints, writes and throws, in every escaped form. The same label gives the same value.
 */
export function canary(label: string): string {
  const digest = createHash('sha256').update(`ferrule-canary:${label}`).digest('hex').slice(0, 24);
  // The odd characters make a wrong escape visible; the stem is what the search looks for.
  return `CANARY${digest}+/="&<é`;
}

/** For places that allow only unreserved characters (an API key in a path, a host label). */
export function plainCanary(label: string): string {
  return canary(label).slice(0, 30);
}
