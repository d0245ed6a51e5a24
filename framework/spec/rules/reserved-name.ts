import { VARIABLES } from '../../core/scope.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'reserved-name',
  severity: 'error',
  summary: 'A name that is a variable or a word of the expression language.',
  why: 'A choice is a variable of its name, fields and captures stand behind a dot where `in` or `null` cannot be written.',
  bad: 'choices: { request: { options: { a: {}, b: {} } } }',
  good: 'choices: { request_kind: { options: { a: {}, b: {} } } }',
  check: ({ spec, holders }, report) => {
    const look = (path: (string | number)[], what: string): void => {
      const name = String(path.at(-1));
      if (!isReserved(name, what)) return;
      report(path, `\`${name}\` can't be the name of a ${what}: it is a word of the language.`, {
        part: 'key',
        hint: `Write \`${name}_…\` or another name.`,
      });
    };
    for (const name of Object.keys(spec.choices ?? {})) look(['choices', name], 'choice');
    for (const name of Object.keys(spec.fields ?? {})) look(['fields', name], 'field');
    for (const name of Object.keys(spec.streams ?? {})) look(['streams', name], 'stream');
    for (const [method, { fields }] of Object.entries(spec.auth))
      for (const name of Object.keys(fields ?? {})) look(['auth', method, 'fields', name], 'field');
    for (const holder of holders) {
      const { key, node } = holder;
      if (key !== 'capture' || node.kind !== 'map') continue;
      for (const name of node.entries.keys()) look([...holder.path, name], 'capture');
    }
  },
};

/** Choices share the room with all variables; the other names stand behind a dot, where only the language's own words hurt. */
const WORDS = new Set([
  'let',
  'namespace',
  'package',
  'import',
  'function',
  'loop',
  'in',
  'true',
  'false',
  'null',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'if',
  'return',
  'var',
  'void',
  'while',
]);
const isReserved = (name: string, what: string): boolean => WORDS.has(name) || (what === 'choice' && VARIABLES.includes(name));
