import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';

const logged = new Set<string>();

/**
 * Every secret in the tests comes from here, so that one search finds a leak: test/canaries/run looks for each
 * value's stem in all that a run prints, writes and throws, in every escaped form. The same label gives the same value.
 */
export function canary(label: string): string {
  const stem = createHash('sha256').update(`ferrule-canary:${label}`).digest('hex').slice(0, 24);
  remember(label, stem);
  // The odd characters make a wrong escape visible; the stem is what the search looks for.
  return `CANARY${stem}+/="&<é`;
}

/** For places that allow only unreserved characters (an API key in a path, a host label). */
export function plainCanary(label: string): string {
  return canary(label).slice(0, 30);
}

/** The search wants to know which values were in use, by all processes of a run. */
function remember(label: string, stem: string): void {
  const file = process.env.FERRULE_CANARY_LOG;
  if (file === undefined || logged.has(label)) return;
  logged.add(label);
  appendFileSync(file, `${JSON.stringify({ label, stem })}\n`);
}
