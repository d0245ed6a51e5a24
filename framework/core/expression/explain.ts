import type { Expression, Problem } from './types.ts';

/** Our words for the library's types. */
const WORDS: Record<string, Expression['type']> = {
  string: 'text',
  double: 'number',
  int: 'number',
  uint: 'number',
  bool: 'bool',
  dyn: 'any',
  bytes: 'bytes',
  null: 'null',
  type: 'type',
  'google.protobuf.Timestamp': 'time',
  'google.protobuf.Duration': 'duration',
};

export function typeWord(name: string): Expression['type'] {
  if (name.startsWith('list')) return 'list';
  if (name.startsWith('map')) return 'map';
  return WORDS[name] ?? 'any';
}

const words = (text: string): string =>
  text.replace(/(?:list|map)<[^)]*?>|google\.protobuf\.\w+|\b(?:string|double|uint|int|dyn)\b/g, (name) => typeWord(name));

interface CelError {
  code: string;
  summary: string;
  range?: { start: number; end: number };
  /** Where it happened; `input` is another text for a node that we put into the tree. */
  node?: { start: number; end: number; input?: string };
}

/** A problem in our words from an error of the library, which has a range but neither column nor advice. */
export function explain(error: unknown, source: string): Problem {
  const { code, summary, range, node } = error as CelError;
  const at = node?.input === source ? node : node?.input === undefined ? range : undefined;
  const start = Math.min(at?.start ?? 0, source.length);
  const end = Math.max(start, at?.end ?? source.length);
  const known = TYPE_MESSAGES[code]?.(summary);
  if (known) return { rule: 'expression_type', ...known, start, end };
  if (code === 'limit_exceeded') return { rule: 'expression_refused', message: 'The expression is too long or too deep.', start, end };
  return { rule: 'expression_syntax', ...syntax(code, summary, source, start), start, end };
}

type Words = { message: string; hint?: string };

const TYPE_MESSAGES: Record<string, (summary: string) => Words> = {
  no_such_overload: (summary) => {
    const match = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary.replaceAll(', ', ','));
    if (!match) return { message: `An operator does not work on this type: ${words(summary.replace(/^no such overload: /, ''))}.` };
    const [, left = '', operator = '', right = ''] = match;
    return { message: `${operator} does not work on ${words(left)} and ${words(right)}.`, ...operatorHint(operator, left, right) };
  },
  no_matching_overload: (summary) => ({
    message: `No such use of a function: ${words(/'(.*)'/s.exec(summary)?.[1] ?? summary)
      .replace(/\btext_of\(/, 'string(')
      .replace(/\bago_from\(time, ?/, 'ago(')}.`,
    hint: 'See the functions page for what each takes.',
  }),
  invalid_condition_type: () => ({ message: 'The condition is neither true nor false.', hint: 'Compare with ==, or ask has(…).' }),
  invalid_logical_operand: () => ({ message: '&& and || take conditions, not values.', hint: 'Compare with ==, or ask has(…).' }),
  incompatible_ternary_branches: (summary) => ({
    message: `Both branches of ? : must have the same type: ${words(summary.replace(/^.*got /, ''))}.`,
  }),
  cannot_index_type: (summary) => ({ message: `A ${words(/'(.*)'/.exec(summary)?.[1] ?? 'value')} has no parts.` }),
  invalid_index_type: () => ({ message: 'The item of a list is named by a whole number.' }),
  no_such_key: () => ({ message: 'There is no such key.' }),
  invalid_macro_argument: () => ({ message: 'A macro takes a new name first, as in list.map(x, x.id); has() takes a.b.' }),
  invalid_comprehension_range: () => ({ message: 'Only a list or a map can be iterated.' }),
};

function operatorHint(operator: string, left: string, right: string): { hint?: string } {
  if (left === 'null' || right === 'null') return { hint: 'A declared value is never null: use has(…), or default(x, y).' };
  if (operator === '+' && (left === 'string' || right === 'string')) return { hint: 'Write string(…) around what is no text.' };
  return {};
}

function syntax(code: string, summary: string, source: string, start: number): Words {
  const rest = source.slice(start);
  if (code === 'reserved_identifier')
    return { message: `${rest.match(/^\w+/)?.[0] ?? 'This'} is a reserved word.`, hint: 'Write x["word"] for a key of that name.' };
  if (/unterminated/.test(code)) return { message: 'A text is not closed by its quote.' };
  if (/escape/.test(code)) return { message: `${summary}.`, hint: 'Write \\\\ for a backslash, or r"…" for a raw text.' };
  if (rest.startsWith('=')) return { message: 'One = is no operator.', hint: 'Write == to compare.' };
  const word = /(?:^|[\s)"'\]])(and|or|not)\s/.exec(source)?.[1];
  if (word) return { message: `${word} is no operator.`, hint: `Write ${{ and: '&&', or: '||', not: '!' }[word]}.` };
  if (/\?\s*\.|\.\s*\?/.test(source))
    return { message: '?. is not part of the language.', hint: 'Write default(x, y), or given(has(x), x).' };
  if (source.includes('${'))
    return { message: 'An expression stands within another one.', hint: 'One ${…} holds the whole expression; inside, write names bare.' };
  if (/EOF/.test(summary) || start >= source.length)
    return { message: 'The expression ends too early.', hint: 'Something is missing at its end.' };
  if (code === 'unexpected_character' || code === 'unexpected_token')
    return { message: `${rest.match(/^\w+|^\S/)?.[0] ?? 'Something'} may not stand here.` };
  return { message: `${summary}.` };
}
