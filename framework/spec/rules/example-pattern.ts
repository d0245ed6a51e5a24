import { MATCH_LIMIT, matches, patternProblem } from '../../core/expression/match.ts';
import type { Field } from '../../core/spec-types.gen.ts';
import { fieldsOf } from './fields.ts';
import { explodes, regularExpression } from './regular-expression.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'example-pattern',
  severity: 'error',
  summary: 'An example or default that does not fit its own field.',
  why: 'The person would copy a value that is refused.',
  bad: "id: { pattern: '^[0-9]+$', example: A-1 }",
  good: "id: { pattern: '^[0-9]+$', example: '1001' }",
  check: ({ spec }, report) => {
    for (const { path, field } of fieldsOf(spec)) {
      for (const key of ['example', 'default'] as const) {
        const value = field[key];
        const problem = value === undefined ? undefined : misfit(String(value), field);
        if (problem !== undefined)
          report([...path, key], `The ${key} \`${String(value)}\` ${problem}.`, { hint: 'Correct the one or the other.' });
      }
    }
  },
};

const FORMS: Partial<Record<NonNullable<Field['type']>, { form: RegExp; words: string }>> = {
  url: { form: /^https?:\/\/[^\s/?#@]+(?:[/?#]\S*)?$/i, words: 'is no URL' },
  host: { form: /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?$/i, words: 'is no host name' },
  subdomain: { form: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i, words: 'is no single DNS label' },
  integer: { form: /^[-+]?\d+$/, words: 'is no whole number' },
  number: { form: /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i, words: 'is no number' },
  boolean: { form: /^(?:true|false)$/, words: 'is neither true nor false' },
  date: { form: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, words: 'is no date like 2026-01-31' },
  datetime: { form: /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/, words: 'is no time like 2026-01-31T08:00:00Z' },
  email: { form: /^[^@\s]+@[^@\s]+$/, words: 'is no e-mail address' },
};

function misfit(value: string, { type, pattern }: Field): string | undefined {
  const form = type === undefined ? undefined : FORMS[type];
  if (form !== undefined && !form.form.test(value)) return form.words;
  if (pattern === undefined || explodes(pattern) !== undefined) return undefined;
  const { expression } = regularExpression(pattern);
  if (expression === undefined || (isSlow(value, pattern) ? fitsLinearly(value, pattern) : expression.test(value))) return undefined;
  return 'does not fit the pattern';
}

/** Repetitions side by side multiply: .*.*.*x on 3,000 characters takes minutes in the engine. */
const isSlow = (value: string, pattern: string): boolean => value.length > 1000 || (pattern.match(/[*+]|,\d*\}/g) ?? []).length > 2;

/** With the matcher that fields have at run time. What it does not know (a look-ahead) counts as fitting. */
const fitsLinearly = (value: string, pattern: string): boolean =>
  value.length > MATCH_LIMIT || patternProblem(pattern) !== undefined || matches(value, pattern);
