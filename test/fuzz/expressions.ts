import { inspect } from 'node:util';
import fc from 'fast-check';
import { isFerruleError } from '../../framework/core/errors.ts';
import { compile, FUNCTIONS, type Kind, type Place, type Scope, type Vars } from '../../framework/core/expression/index.ts';
import { Secret } from '../../framework/core/secret.ts';
import { canary } from '../canary.ts';
import { edit, edited, hostile } from './hostile.ts';
import { must, type Property, thrownBy } from './target.ts';

const HIDDEN = canary('fuzz expression');
const STEM = HIDDEN.slice(6, 30);

const scope = (): Scope => ({
  fields: {
    type: 'map',
    members: {
      site: { type: 'text', url: true },
      host: { type: 'text', host: true },
      label: { type: 'text', host: 'label' },
      key: { type: 'text', secret: true },
      none: { type: 'text', absent: true },
      count: { type: 'number' },
      on: { type: 'bool' },
      tags: { type: 'list' },
    },
  },
  token: { type: 'map', members: { access_token: { type: 'text', secret: true } } },
  response: { type: 'map', members: { status: { type: 'number' }, headers: { type: 'map' }, body: { type: 'any' } } },
  now: { type: 'time' },
  uuid: { type: 'text' },
});

const varsOf = (hidden: string): Vars => ({
  fields: {
    ...{ site: 'https://acme.test/base', host: 'acme.test', label: 'acme', key: new Secret(hidden), none: undefined },
    ...{ count: 3.5, on: true, tags: ['a', 'b c', 'é'] },
  },
  token: { access_token: new Secret(hidden) },
  response: {
    status: 200,
    headers: { link: '<a>' },
    body: { items: [{ id: 1, name: 'x' }, { id: '9007199254740993' }], next: null, text: 'a,b;c' },
  },
  now: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
  uuid: '5d6f0f5e-6a0c-4d6e-9f0b-7b1a2c3d4e5f',
});
const VARS = varsOf(HIDDEN);
/** As long, and otherwise another one. */
const OTHER = varsOf(canary('fuzz expression, other'));

const literal = fc.oneof(
  fc.string({ maxLength: 5 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '""',
    "'a'",
    'r"\\d"',
    '"""a"""',
    '"é"',
    '"%Y-%m-%d"',
    '"iso"',
    '"sha256"',
    '"1h"',
    '"{\\"a\\":1}"',
    '"YQ=="',
    '"2026-01-31T08:00:00Z"',
  ),
);
const numeral = fc.oneof(fc.integer({ min: -20, max: 20 }).map(String), fc.constantFrom('1.5', '1e3', '9007199254740991', '-0.0', '0x10'));
const call = (name: string, ...args: fc.Arbitrary<string>[]) => fc.tuple(...args).map((texts) => `${name}(${texts.join(', ')})`);
const on = (of: fc.Arbitrary<string>, name: string, ...args: fc.Arbitrary<string>[]) =>
  fc.tuple(of, ...args).map(([self, ...texts]) => `${self}.${name}(${texts.join(', ')})`);
const between = (operators: string[], a: fc.Arbitrary<string>, b: fc.Arbitrary<string>) =>
  fc.tuple(a, fc.constantFrom(...operators), b).map(([left, operator, right]) => `(${left} ${operator} ${right})`);

interface Types {
  text: string;
  number: string;
  bool: string;
  list: string;
  map: string;
  time: string;
  bytes: string;
}

const DEPTH = { maxDepth: 4, depthIdentifier: 'expression' };

/** What the language's types allow, so that most of it compiles and is run. */
const typed = fc.letrec<Types>((tie) => {
  const [text, number, bool, list, map, time, bytes] = (['text', 'number', 'bool', 'list', 'map', 'time', 'bytes'] as const).map((name) =>
    tie(name),
  ) as [...fc.Arbitrary<string>[]] as [
    fc.Arbitrary<string>,
    fc.Arbitrary<string>,
    fc.Arbitrary<string>,
    fc.Arbitrary<string>,
    fc.Arbitrary<string>,
    fc.Arbitrary<string>,
    fc.Arbitrary<string>,
  ];
  const choose = (a: fc.Arbitrary<string>) => fc.tuple(bool, a, a).map(([x, y, z]) => `(${x} ? ${y} : ${z})`);
  return {
    text: fc.oneof(
      DEPTH,
      literal,
      fc.constantFrom(
        'fields.site',
        'fields.label',
        'fields.key',
        'token.access_token',
        'uuid',
        'response.body.text',
        'default(fields.none, "n")',
      ),
      ...[
        on(text, 'replace', text, text),
        on(text, 'trim'),
        on(text, 'lowerAscii'),
        on(text, 'substring', number, number),
        on(list, 'join', text),
      ],
      ...[
        call('base64', fc.oneof(text, bytes)),
        call('base64url', text),
        call('hex', bytes),
        call('url_encode', text),
        call('json', fc.oneof(map, list, text)),
      ],
      ...[
        call('format', time, literal),
        call('http_date', time),
        call('query', map),
        call('string', fc.oneof(number, bool, text, time)),
        call('host_label', text),
      ],
      ...[between(['+'], text, text), choose(text)],
    ),
    number: fc.oneof(
      DEPTH,
      numeral,
      fc.constantFrom('fields.count', 'response.status', 'response.body.items[0].id'),
      ...[
        call('size', fc.oneof(text, list, map, bytes)),
        on(text, 'indexOf', text),
        on(text, 'lastIndexOf', text),
        call('epoch', time),
        call('epoch_ms', time),
      ],
      ...[
        call('int', fc.oneof(text, number)),
        call('double', fc.oneof(text, number)),
        between(['+', '-', '*', '/', '%'], number, number),
        choose(number),
      ],
    ),
    bool: fc.oneof(
      DEPTH,
      fc.constantFrom('true', 'false', 'fields.on', 'has(response.body.next)', 'has(fields.none)'),
      ...[
        between(['==', '!=', '<', '>='], number, number),
        between(['==', '!='], text, text),
        between(['&&', '||'], bool, bool),
        bool.map((one) => `!${one}`),
      ],
      ...[
        on(text, 'contains', text),
        on(text, 'startsWith', text),
        call('match', text, literal),
        between(['in'], text, list),
        call('bool', literal),
      ],
      ...[
        on(list, 'all', fc.constant('x'), bool),
        on(list, 'exists', fc.constant('x'), bool),
        on(list, 'exists_one', fc.constant('x'), bool),
      ],
    ),
    list: fc.oneof(
      DEPTH,
      fc.constantFrom('fields.tags', '[]', '["a", "b"]', 'response.body.items', '[fields.key]'),
      ...[
        on(text, 'split', text),
        on(list, 'map', fc.constant('x'), fc.oneof(text, number, fc.constant('x'))),
        on(list, 'filter', fc.constant('x'), bool),
      ],
      ...[fc.array(text, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`), between(['+'], list, list)],
    ),
    map: fc.oneof(
      DEPTH,
      fc.constantFrom('{}', 'response.headers', 'response.body', 'fields', '{"a": fields.key}', 'token'),
      fc
        .array(fc.tuple(literal, fc.oneof(text, number, list)), { maxLength: 3 })
        .map((entries) => `{${entries.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
      call('parse_json', text),
    ),
    time: fc.oneof(
      DEPTH,
      fc.constantFrom('now', 'timestamp("2026-01-31T08:00:00Z")', 'ago("1h")'),
      call('parse_time', text, literal),
      call('timestamp', literal),
    ),
    bytes: fc.oneof(
      DEPTH,
      call('bytes', text),
      call('unbase64', text),
      call('unhex', text),
      call('hash', literal, text),
      call('hmac', literal, text, text),
    ),
  };
});

const NAMES = FUNCTIONS.map(({ name }) => name);
const soup = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...NAMES.map((name) => `${name}(`),
      ...['.', ',', ' ', '(', ')', '[', ']', '{', '}', ':', '?', '"', "'", '\\', '${', '$${', '==', '&&', '!', '-', '+'],
    ),
    fc.constantFrom(
      'fields',
      'fields.key',
      'x',
      'now',
      'null',
      'true',
      '1',
      '1.5',
      '"a"',
      'r"',
      'b"',
      'in',
      '//',
      '/*',
      '`',
      '@',
      '#',
      '\n',
      'e',
      '9'.repeat(30),
    ),
    hostile,
  ),
  { maxLength: 14 },
);

const any = fc.oneof(
  { weight: 8, arbitrary: typed.text },
  { weight: 2, arbitrary: call('given', typed.bool, typed.text) },
  ...[typed.number, typed.bool, typed.list, typed.map, typed.time, typed.bytes].map((arbitrary) => ({ weight: 1, arbitrary })),
);
const whole = any.map((source) => `\${${source}}`);
const source = fc.oneof(
  { weight: 6, arbitrary: whole },
  { weight: 2, arbitrary: fc.array(fc.oneof(whole, hostile), { maxLength: 3 }).map((texts) => texts.join('')) },
  {
    weight: 2,
    arbitrary: fc
      .record({ text: whole, edits: fc.array(edit(), { minLength: 1, maxLength: 3 }) })
      .map(({ text, edits }) => edited(text.match(/\w+|\W/g) ?? [], edits).join('')),
  },
  { weight: 2, arbitrary: soup.map((texts) => `\${${texts.join('')}}`) },
);

const KINDS: Kind[] = ['text', 'text', 'text', 'value', 'value', 'value', 'condition', 'number', 'computed_path'];
const PLACES: Place[] = [
  'plain',
  'plain',
  'header',
  'query',
  'body',
  'body',
  'path',
  'xml',
  'plain',
  'header',
  'cookie',
  'query',
  'path',
  'url',
  'host',
  'body',
  'label',
  'graphql',
  'xml',
  'data',
  'key',
];
const RULES = ['expression_syntax', 'expression_name', 'expression_type', 'expression_place', 'expression_refused'];

interface Input {
  source: string;
  kind: Kind;
  place: Place;
}

export const expressions: Property<Input> = {
  name: 'expressions',
  input: fc.record({ source, kind: fc.constantFrom(...KINDS), place: fc.constantFrom(...PLACES) }),
  check({ source: text, kind, place }) {
    const { template, problems } = compile(text, kind, place, scope());
    must((template === undefined) === problems.length > 0, () => 'neither a template nor a problem, or both');
    for (const { rule, message, start, end } of problems) {
      must(RULES.includes(rule) && message !== '', () => `a problem of no rule: ${rule}`);
      must(start >= 0 && start <= end && end <= text.length, () => `${rule} at ${start} to ${end} of ${text.length}: ${message}`);
    }
    if (template === undefined) return;
    const first = outcome(() => template.evaluate(VARS));
    const seen = shown(first);
    must(shown(outcome(() => template.evaluate(VARS))) === seen, () => 'the second evaluation gives something else');
    must(!seen.includes(STEM), () => `it shows the secret: ${seen}`);
    // Whatever text is made of a secret is one: who sees the rest cannot tell one secret from another. A truth, a number or a failure may
    // tell a little.
    const other = outcome(() => template.evaluate(OTHER));
    if (typeof first.value === 'string' && typeof other.value === 'string')
      must(first.value === other.value, () => `it tells one secret from another: ${first.value} and ${other.value}`);
  },
};

/** Anything thrown but an error of ours is a failure. */
function outcome(run: () => unknown): { value?: unknown; error?: unknown } {
  let value: unknown;
  const thrown = thrownBy(() => {
    value = run();
  });
  must(thrown === undefined || isFerruleError(thrown.error), () => `evaluation threw ${inspect(thrown?.error)}`);
  return thrown ?? { value };
}

/** As a log would have it; a stack says where we are, not what it was. */
const shown = ({ value, error }: { value?: unknown; error?: unknown }): string =>
  inspect(isFerruleError(error) ? [error.toJSON(), error.cause] : value, {
    depth: 9,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  });
