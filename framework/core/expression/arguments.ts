import { parseDuration } from '../duration.ts';
import { timeFormatProblem } from '../time.ts';
import type { Node } from './environment.ts';
import { HASHES } from './functions.ts';
import { patternProblem } from './match.ts';
import type { Problem } from './types.ts';

/** What can be said of a call's literal arguments before any run: patterns, algorithms, time formats, times, durations. */
export function argumentProblems(name: string, args: readonly Node[]): Problem[] {
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name]! : undefined;
  const node = check && args[check.at];
  if (!check || !node) return [];
  const text = node.op === 'value' && typeof node.args === 'string' ? node.args : undefined;
  const found = text === undefined ? check.unlessLiteral : check.problem(text);
  return found ? [{ ...found, start: node.start, end: node.end }] : [];
}

type Bare = Omit<Problem, 'start' | 'end'>;

interface Check {
  /** Which argument. */
  at: number;
  problem(text: string): Bare | undefined;
  /** For an argument that must be a literal. */
  unlessLiteral?: Bare;
}

const wrong = (message: string, hint?: string): Bare => ({ rule: 'expression_type', message, ...(hint !== undefined && { hint }) });

const algorithm: Check = {
  at: 0,
  problem: (text) => (HASHES.includes(text) ? undefined : wrong(`${text} is no algorithm here.`, `There are: ${HASHES.join(', ')}.`)),
};

const timeFormat: Check = {
  at: 1,
  problem(text) {
    const problem = timeFormatProblem(text);
    return problem === undefined ? undefined : wrong(problem);
  },
};

const CHECKS: Record<string, Check> = {
  hash: algorithm,
  hmac: algorithm,
  format: timeFormat,
  parse_time: timeFormat,
  ago: {
    at: 0,
    problem: (text) => (parseDuration(text) === undefined ? wrong(`${text} is no duration.`, 'Write 30s, 5m, 1h or 7d.') : undefined),
  },
  // What CEL's own two take, which is less than an author may expect.
  timestamp: {
    at: 0,
    problem: (text) =>
      text.length >= 20 && text.length <= 30 && !Number.isNaN(Date.parse(text))
        ? undefined
        : wrong(`${text} is no RFC 3339 time.`, 'Write 2026-01-31T00:00:00Z, or parse_time(text, format) for another form.'),
  },
  duration: {
    at: 0,
    problem: (text) =>
      /^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)
        ? undefined
        : wrong(`${text} is no duration here.`, 'Write 1h30m or 15s; a day is 24h.'),
  },
  match: {
    at: 1,
    problem(text) {
      const problem = patternProblem(text);
      if (problem === undefined) return undefined;
      return {
        rule: 'expression_syntax',
        message: `This is no pattern: ${problem}.`,
        hint: 'RE2 has no look-around and no back-references.',
      };
    },
    unlessLiteral: { rule: 'expression_refused', message: 'The pattern of match() is a text in quotes, so that it can be checked.' },
  },
};
