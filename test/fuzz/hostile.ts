import fc from 'fast-check';

/** What breaks readers that were not written with it in mind. */
export const HOSTILE: readonly string[] = [
  ...[
    '',
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\r',
    '\0',
    '\uFEFF',
    '\u2028',
    '\u2029',
    '\u0085',
    '\u00A0',
    '\u200B',
    '\u202E',
    '\uD800',
    '\uDFFF',
    '\x7f',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length', '$secret', '<<'],
  ...[
    '${',
    '}',
    '${}',
    '$${',
    '${fields.',
    '${fields.x}',
    '${token.access_token}',
    '${"}"}',
    "${'",
    '${1/0}',
    '${[][0]}',
    '${{}}',
    '${a.b.c}',
  ],
  ...[
    '${fields["',
    '${size(',
    '${match(fields.a, "(a+)+$")}',
    '${now}',
    '${uuid}',
    '${response.body}',
    '${has(record.a)}',
    '${"\\',
    '${a ? b : c}',
  ],
  ...[
    '&a',
    '*a',
    '*',
    '&',
    '!',
    '!!',
    '!!binary',
    '!<tag:x>',
    '|',
    '>',
    '|-',
    '>+',
    '%YAML 1.2',
    '---',
    '...',
    '? ',
    ': ',
    ':',
    '- ',
    '-',
    '#',
    ' #',
  ],
  ...[
    '{',
    '[',
    ']',
    '{a',
    '[a',
    '"',
    "'",
    '`',
    '@',
    ',',
    '~',
    'null',
    'true',
    'no',
    '.nan',
    '.inf',
    '0x7f',
    '0o17',
    '1e999',
    '-0',
    '1_000',
  ],
  ...['9007199254740993', '1'.repeat(400), `0.${'0'.repeat(400)}1`, '1e-400', '-1', '00', '2026-02-30', '2026-01-31T08:00:00Z'],
  ...['(a+)+$', '^(a|a)*$', '(?<=a)b', '\\', '\\u', '(', '[', '*', '^\\d{1,99999}$', '(?:(?:(?:a{9}){9}){9}){9}', '[z-a]', '(?P<x>a)'],
  ...[
    'https://a.test',
    'http://127.0.0.1',
    'https://user:pw@a.test',
    'https://a.test@b.test',
    '//b.test',
    'javascript:1',
    'https://',
    '/../..',
  ],
  ...[
    '127.1',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::1%25lo]',
    'xn--',
    'xn--a',
    'a..b',
    'a.',
    '-a',
    'ａ.test',
    'ß.test',
    '\u00ADa.test',
  ],
  ...[
    '$.a',
    '$..a',
    'a.b?',
    'a[*]',
    'a[?(@.b)]',
    '$[0:1]',
    '.',
    '..',
    'a.'.repeat(70),
    '[0]'.repeat(70),
    '['.repeat(200),
    '{a: '.repeat(100),
  ],
  ...['é', '日本', '👩‍👩‍👧', 'e\u0301', 'İ', 'ﬁ', '%', '%00', '%2e%2e', '%zz', '+', '&', '=', ';', '=;', '=="', '{}', '{}}', '""', "''"],
];

export const hostile: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 2, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

/** One change to a text, by numbers that are taken modulo its length, so that they mean something for any text. */
export interface Edit {
  kind: 'drop' | 'double' | 'swap' | 'replace' | 'insert' | 'cut';
  at: number;
  to: number;
  text: string;
}

export const edit = (texts: fc.Arbitrary<string> = hostile): fc.Arbitrary<Edit> =>
  fc.record({
    kind: fc.constantFrom('drop', 'double', 'swap', 'replace', 'replace', 'insert', 'insert', 'cut'),
    at: fc.nat(),
    to: fc.nat(),
    text: texts,
  });

/** Edits a list of pieces (characters, tokens, pairs); the same edits give the same result. */
export function edited(pieces: readonly string[], edits: readonly Edit[]): string[] {
  let result = [...pieces];
  for (const { kind, at, to, text } of edits) {
    const here = result.length === 0 ? 0 : at % result.length;
    const there = result.length === 0 ? 0 : to % result.length;
    if (kind === 'drop') result.splice(here, 1 + (to % 3));
    else if (kind === 'double') result.splice(here, 0, ...result.slice(there, there + 1 + (to % 4)));
    else if (kind === 'swap' && result.length > 0) [result[here], result[there]] = [result[there]!, result[here]!];
    else if (kind === 'replace') result.splice(here, 1, text);
    else if (kind === 'insert') result.splice(here, 0, text);
    else if (kind === 'cut' && to % 4 === 0) result = result.slice(0, here);
  }
  return result;
}
