import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

/** Longer texts are refused: even linear work on them adds up. */
export const MATCH_LIMIT = 64 * 1024;

// Loaded with the first pattern: few specs have one, and it is half a megabyte.
let library: typeof import('re2js') | undefined;
const re2js = (): typeof import('re2js') => {
  library ??= createRequire(import.meta.url)('re2js') as typeof import('re2js');
  return library;
};

const compiled = new Map<string, RE2JS>();

/** What is wrong with a pattern, or undefined. RE2 has no look-around and no back-references, which is why it is linear. */
export function patternProblem(pattern: string): string | undefined {
  try {
    patternOf(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown';
  }
}

function patternOf(pattern: string): RE2JS {
  let regexp = compiled.get(pattern);
  if (!regexp) {
    regexp = re2js().RE2JS.compile(pattern);
    if (compiled.size > 1000) compiled.clear();
    compiled.set(pattern, regexp);
  }
  return regexp;
}

/** Does the pattern match somewhere in the text, in linear time? */
export const matches = (text: string, pattern: string): boolean => patternOf(pattern).matcher(text).find();
