import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

/** Longer texts are refused: even linear work on them adds up. */
export const MATCH_LIMIT = 64 * 1024;

/** Steps of a match: characters times states, some 30 ns each. Linear is long, too, where a pattern counts to a thousand. */
const MOST_STEPS = 8_000_000;
/** States of a pattern; ten times as many as any real one has. */
const MOST_STATES = 5000;

// Loaded with the first pattern: few specs have one, and it is half a megabyte.
let library: typeof import('re2js') | undefined;
const re2js = (): typeof import('re2js') => {
  library ??= createRequire(import.meta.url)('re2js') as typeof import('re2js');
  return library;
};

const compiled = new Map<string, RE2JS>();

/** What is wrong with a pattern, or undefined. RE2 has no look-around and no back-references, which is why it is linear. */
export function patternProblem(pattern: string): string | undefined {
  if (statesOf(pattern) > MOST_STATES) return `it has more than ${MOST_STATES} parts, counted repetitions written out`;
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

/** Would it take too long to look for the pattern in the text? */
export const tooMuch = (text: string, pattern: string): boolean =>
  text.length > MATCH_LIMIT || text.length * patternOf(pattern).programSize() > MOST_STEPS;

/** Does the pattern match somewhere in the text, in linear time? Not where that would be too much: who must know asks first. */
export const matches = (text: string, pattern: string): boolean => !tooMuch(text, pattern) && patternOf(pattern).matcher(text).find();

/** About as many states as a pattern has when its repetitions are written out; known before that is done. */
function statesOf(pattern: string): number {
  const open = [0];
  let last = 0;
  for (let at = 0; at < pattern.length; at++) {
    const mark = pattern[at];
    const counted = mark === '{' ? /^\{(\d+)(?:,(\d*))?\}/.exec(pattern.slice(at, at + 16)) : null;
    if (mark === '(') {
      open.push(0);
      continue;
    }
    if (mark === ')' && open.length > 1) last = open.pop() ?? 0;
    else if (counted) {
      last *= Math.max(0, Math.max(Number(counted[1]), Number(counted[2] || 0)) - 1);
      at += counted[0].length - 1;
    } else {
      if (mark === '\\') at++;
      else if (mark === '[') at = classEnd(pattern, at);
      last = 1;
    }
    open.push((open.pop() ?? 0) + last);
  }
  return open.reduce((sum, size) => sum + size, 0);
}

function classEnd(pattern: string, start: number): number {
  let at = start + 1;
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1;
  return at;
}
