import fc from 'fast-check';
import { isFerruleError } from '../../framework/core/errors.ts';
import { type BigIntegers, parseJson } from '../../framework/core/json.ts';
import { edit, edited } from './hostile.ts';
import { must, type Property, thrownBy } from './target.ts';

const numbers = fc.oneof(
  fc.constantFrom('0', '-0', '1', '-1.5', '1e3', '1E-3', '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993'),
  fc.constantFrom(
    '12345678901234567890',
    '1e308',
    '1e309',
    '-1e999',
    '0.1234567890123456789',
    '1e-400',
    '1.0e+2',
    '123456789012345678.0',
    '1e16',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
);
const strings = fc.oneof(
  fc.string({ maxLength: 8, unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"12345678901234567890"', '"\\"9007199254740993"', '"\\\\"', '"\\u0041"', '"__proto__"', '"a,1e999"', '"\\ud800"'),
);
const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r\n ');

/** JSON as text, so that how a number is written is not lost. */
export const { value: jsonText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    numbers,
    strings,
    fc.constantFrom('true', 'false', 'null', '[]', '{}'),
    fc.tuple(space, fc.array(tie('value'), { maxLength: 4 })).map(([gap, items]) => `[${gap}${items.join(`${gap},`)}${gap}]`),
    fc
      .tuple(space, fc.array(fc.tuple(strings, tie('value')), { maxLength: 4 }))
      .map(([gap, entries]) => `{${gap}${entries.map(([key, one]) => `${key}${gap}:${gap}${one}`).join(',')}${gap}}`),
  ),
}));

const deep = fc
  .record({ levels: fc.integer({ min: 900, max: 1100 }), open: fc.constantFrom('[', '{"a":'), inner: numbers })
  .map(({ levels, open, inner }) => open.repeat(levels) + inner + (open === '[' ? ']' : '}').repeat(levels));

const pieces = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '1',
  '9007199254740993',
  '-',
  'e',
  '.',
  '1e999',
  ' ',
  '\n',
  'tru',
  '\u2028',
  '\0',
  '\ufeff',
);
const broken = fc
  .record({ text: jsonText, edits: fc.array(edit(pieces), { minLength: 1, maxLength: 4 }) })
  .map(({ text, edits }) => edited(text.match(/"(?:[^"\\]|\\.)*"|[\d.eE+-]+|[\s\S]/g) ?? [], edits).join(''));

interface Input {
  text: string;
  mode: BigIntegers;
}

/** The platform's reading and ours, side by side. */
function compare(ours: unknown, theirs: unknown, text: string): void {
  const differs = () => `${JSON.stringify(ours)} where the platform reads ${JSON.stringify(theirs)}`;
  if (typeof theirs === 'number' && typeof ours === 'string') {
    // Digit for digit what stands there, and only where a number would be rounded.
    must(/^-?\d+$/.test(ours) && text.includes(ours) && Number(ours) === theirs && !Number.isSafeInteger(theirs), differs);
  } else if (typeof theirs === 'number') {
    must(Object.is(ours, theirs), differs);
    must(Number.isSafeInteger(theirs) || !Number.isInteger(theirs) || /[.eE]/.test(text), differs);
  } else if (Array.isArray(theirs)) {
    must(Array.isArray(ours) && ours.length === theirs.length, differs);
    for (const [at, item] of theirs.entries()) compare((ours as unknown[])[at], item, text);
  } else if (typeof theirs === 'object' && theirs !== null) {
    must(typeof ours === 'object' && ours !== null && Object.keys(ours).join('\0') === Object.keys(theirs).join('\0'), differs);
    for (const [key, item] of Object.entries(theirs)) compare((ours as Record<string, unknown>)[key], item, text);
  } else must(ours === theirs, differs);
}

const levelsOf = (value: unknown): number => {
  let levels = 0;
  for (let at = [value]; ; levels++) {
    at = at.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
    if (at.length === 0) return levels;
  }
};

export const json: Property<Input> = {
  name: 'json',
  input: fc.record({
    text: fc.oneof({ weight: 8, arbitrary: jsonText }, { weight: 8, arbitrary: broken }, { weight: 1, arbitrary: deep }),
    mode: fc.constantFrom('number', 'text'),
  }),
  check({ text, mode }) {
    let ours: unknown;
    const thrown = thrownBy(() => {
      ours = parseJson(text, mode);
    });
    let theirs: unknown;
    const broke = thrownBy(() => {
      theirs = JSON.parse(text);
    });
    if (thrown === undefined) {
      must(broke === undefined, () => `it was read as ${JSON.stringify(ours)}, and is no JSON`);
      return compare(ours, theirs, text);
    }
    const { error } = thrown;
    must(isFerruleError(error), () => `it threw ${String(error)}`);
    must(error.code === 'response_malformed' || error.code === 'number_too_large', () => `it threw ${error.code}`);
    if (error.code === 'number_too_large') must(/\d{16}|[eE]\+?\d{3}/.test(text), () => 'no number here is too large');
    else must(broke !== undefined || levelsOf(theirs) >= 1000, () => `it is sound JSON, and was refused: ${error.message}`);
  },
};
