import { inspect } from 'node:util';
import fc from 'fast-check';
import { isFerruleError } from '../../framework/core/errors.ts';
import type { Finding } from '../../framework/core/finding.ts';
import type { FieldType } from '../../framework/core/resolved.ts';
import { reveal, Secret } from '../../framework/core/secret.ts';
import { readAssignments } from '../../framework/credentials/assignments.ts';
import { checkValue, type RawValue } from '../../framework/credentials/field-value.ts';
import { readInputFile } from '../../framework/credentials/input-file.ts';
import { inputError, readInputs } from '../../framework/credentials/inputs.ts';
import type { FieldValue, InputField } from '../../framework/credentials/types.ts';
import { canary } from '../canary.ts';
import { edit, edited, hostile } from './hostile.ts';
import { must, type Property, thrownBy } from './target.ts';

const HIDDEN = canary('fuzz inputs');
const STEM = HIDDEN.slice(6, 30);

/** No message repeats a value: a secret may have been pasted into any field. */
function mustHide(shown: unknown, what: string): void {
  const text = inspect(shown, { depth: 9, showHidden: true, maxStringLength: null, maxArrayLength: null });
  must(!text.includes(STEM), () => `${what} shows the value: ${text.slice(0, 600)}`);
}

// ── fields and values ────────────────────────────────────────────────────────────────────────────────────────────

const TYPES: FieldType[] = [
  'text',
  'pem',
  'url',
  'host',
  'subdomain',
  'integer',
  'number',
  'boolean',
  'date',
  'datetime',
  'choice',
  'list',
  'email',
];
const HOSTS = ['acme.test', '*.acme.test', '127.0.0.1', '*.test', 'xn--mnchen-3ya.test'];

/** What each type takes; changed a little, that is where readers differ. */
const GOOD: Record<FieldType, string[]> = {
  text: ['a', 'hello', HIDDEN, 'with space', 'é'],
  pem: [
    '-----BEGIN KEY-----\nAAAA\n-----END KEY-----',
    '-----BEGIN KEY-----\\nAAAA\\n-----END KEY-----\\n',
    `-----BEGIN KEY-----\n${'A'.repeat(64)}\n-----END KEY-----\r\n`,
  ],
  url: [
    'https://acme.test',
    'https://a.acme.test:8443/base/',
    'HTTPS://ACME.TEST/%41',
    'http://127.0.0.1:80/',
    'https://[::1]/a',
    'https://acme.test:443/a;b,c@d',
  ],
  host: ['acme.test', 'a.b.acme.test', 'ACME.test', '127.0.0.1', '[::1]', 'xn--mnchen-3ya.test', '[2001:DB8::1]'],
  subdomain: ['acme', 'a-b', 'A1', 'xn--mnchen-3ya'],
  integer: ['0', '-1', '007', '9007199254740993', '1'.repeat(100)],
  number: ['0', '-0', '1.5', '1e21', '5e-324', '-1E3'],
  boolean: ['true', 'No', 'ON', '0'],
  date: ['2026-01-31', '2024-02-29'],
  datetime: ['2026-01-31T08:00:00Z', '2026-01-31t08:00:60.123+01:00'],
  choice: ['one', 'two'],
  list: ['a,b', '["a","b,c"]', ' a , b ', '[a'],
  email: ['a@acme.test', 'a+b@xn--mnchen-3ya.test'],
};

const field = (name: string): fc.Arbitrary<InputField> =>
  fc
    .record({
      type: fc.constantFrom(...TYPES),
      ...{ required: fc.boolean(), secret: fc.boolean(), title: fc.constantFrom('Key', 'Passphrase', 'Site') },
      hosts: fc.option(fc.subarray(HOSTS, { minLength: 1 }), { nil: undefined }),
      pattern: fc.constantFrom(undefined, undefined, '^[a-z]+$', '(a+)+$', '(', '^\\d{3}$'),
      after: fc.constantFrom(undefined, undefined, 'auth' as const),
      value: fc.constantFrom(undefined, undefined, undefined, 'fixed'),
    })
    .map(({ hosts, pattern, after, value, ...rest }) => ({
      ...{ name, ...rest },
      ...(hosts && { hosts }),
      ...(pattern !== undefined && { pattern }),
      ...(after && { after }),
      ...(value !== undefined && { value }),
      ...(rest.type === 'choice' && { options: ['one', 'two'].map((option) => ({ value: option, label: option })) }),
    }));

const planted = fc.tuple(hostile, hostile).map(([before, after]) => before + HIDDEN + after);
const good = fc.constantFrom(...TYPES).chain((type) => fc.constantFrom(...GOOD[type]));
const near = fc
  .record({ text: good, edits: fc.array(edit(), { maxLength: 3 }) })
  .map(({ text, edits }) => edited([...text], edits).join(''));
const text = fc.oneof(
  { weight: 6, arbitrary: near },
  { weight: 2, arbitrary: good },
  { weight: 2, arbitrary: planted },
  { weight: 1, arbitrary: hostile },
);
const raw: fc.Arbitrary<RawValue> = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 2, arbitrary: text.map((one) => new Secret(one)) },
  { weight: 1, arbitrary: fc.oneof(fc.double(), fc.integer(), fc.boolean()) },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
);

const pair = fc.tuple(field('one'), field('two'), field('password')).map((fields) => fields as InputField[]);

type Input =
  | { kind: 'value'; field: InputField; raw: RawValue; http: boolean }
  | { kind: 'inputs'; fields: InputField[]; sources: Record<string, RawValue | null>[]; afterAuth: boolean }
  | { kind: 'assignments'; fields: InputField[]; texts: string[]; stdin: string; file: string | null }
  | { kind: 'file'; fields: InputField[]; text: string | Uint8Array };

/** `*.a.test` is any name below it; anything else is itself. Written from the words, not from the code. */
const allowed = (host: string, patterns: readonly string[] | undefined): boolean =>
  patterns === undefined ||
  patterns.some((one) => (one.startsWith('*.') ? new RegExp(`^.+\\.${one.slice(2).replaceAll('.', '\\.')}$`).test(host) : host === one));

/** What is accepted means to the program that connects what it says to the person who wrote it. */
function checkAccepted({ type, hosts }: InputField, given: string, value: FieldValue): void {
  const kept = value instanceof Secret ? reveal(value) : value;
  const typed = given.trim().toLowerCase();
  if (typeof kept !== 'string') return;
  if (type === 'host' || type === 'subdomain') {
    const host = type === 'host' ? kept : `${kept}.acme.test`;
    const read = new URL(`https://${host}/x`);
    must(kept === typed, () => `${JSON.stringify(given)} was kept as ${JSON.stringify(kept)}`);
    must(isSame(read.host, host) && read.pathname === '/x' && read.username === '', () => `the host ${host} is read as ${read.host}`);
    if (type === 'host') must(allowed(kept, hosts), () => `${kept} is none of ${hosts}`);
  }
  if (type !== 'url') return;
  const read = new URL(kept);
  const authority = /^https?:\/\/([^/?#\\]*)/i.exec(typed)?.[1] ?? '';
  const said = authority.replace(/:\d*$/, '');
  must(read.username === '' && read.password === '' && read.search === '' && read.hash === '', () => `${kept} is more than an address`);
  must(isSame(read.hostname, said), () => `${JSON.stringify(given)} says ${said}, and is read as ${read.hostname}`);
  must(allowed(said, hosts), () => `${said} is none of ${hosts}`);
}

/** An IPv6 address has several forms of the same. */
const isSame = (read: string, said: string): boolean => read === said || (said.startsWith('[') && new URL(`https://${said}`).host === read);

function checkOne({ field: one, raw: given, http }: Extract<Input, { kind: 'value' }>): void {
  const options = { allowHttpLoopback: http };
  const result = checkValue(one, given, options);
  if ('problem' in result) {
    mustHide(result, 'the problem');
    return;
  }
  if (result.warning !== undefined) mustHide(result.warning, 'the warning');
  if (one.secret && !Array.isArray(result.value)) mustHide(result.value, 'the secret');
  const shown = given instanceof Secret ? reveal(given) : String(given);
  checkAccepted(one, shown, result.value);
  const again = checkValue(one, result.value, options);
  must(
    'value' in again && plain(again.value) === plain(result.value),
    () => `${plain(result.value)}, once kept, is read as ${inspect(again)}`,
  );
}

/** -0 and 0 are one number. */
const plain = (value: FieldValue): string => (value instanceof Secret ? reveal(value) : JSON.stringify(value));

const hidesNames = (names: readonly string[]): boolean => !names.some((name) => name.includes(STEM));

function mustStand(findings: readonly Finding[], length: number): void {
  for (const { start, end, message } of findings)
    must(start.offset >= 0 && end.offset <= length && start.line >= 1, () => `outside of the text: ${message}`);
}

async function checkAssignments({ fields, texts, stdin, file }: Extract<Input, { kind: 'assignments' }>): Promise<void> {
  const readFile = async (): Promise<string> => {
    if (file === null) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return file;
  };
  // Names are shown, and so is the path of a field that is no secret.
  const shows = texts.some((one) => {
    const at = one.indexOf('=');
    const secret = fields.some(({ name, secret: hidden }) => name === one.slice(0, at) && hidden);
    return one.slice(0, Math.max(0, at)).includes(STEM) || (!secret && one[at + 1] === '@' && one[at + 2] !== '@');
  });
  try {
    const { source, findings } = await readAssignments(texts, { fields, stdin: async () => stdin, readFile });
    mustHide(findings, 'a finding');
    const { problems } = readInputs({ connector: 'acme', fields }, [source]);
    if (hidesNames(Object.keys(source.values))) mustHide([problems, inputError(problems)], 'a problem');
  } catch (error) {
    must(isFerruleError(error), () => `it threw ${inspect(error)}`);
    if (!shows) mustHide(error, 'the error');
  }
}

function checkFile({ fields, text: content }: Extract<Input, { kind: 'file' }>): void {
  const { source, findings } = readInputFile(content, 'inputs.yaml');
  const length = typeof content === 'string' ? content.length : content.byteLength;
  mustStand(findings, length);
  const { problems } = readInputs({ connector: 'acme', fields }, [source]);
  mustStand(problems, length);
  // What stands as a key is a name, whatever it was meant to be.
  const keys = [...Object.keys(source.values), ...findings.flatMap(({ path }) => path.map(String))];
  if (hidesNames(keys)) mustHide([findings, problems, inputError(problems)], 'a finding');
}

const name = fc.oneof(fc.constantFrom('one', 'two', 'password', 'One', 'passwrd', ''), hostile);
const assignment = fc.oneof(
  fc.tuple(name, fc.constantFrom('=', '=', '=', '=@', '=@@', '=-', ''), text).map((parts) => parts.join('')),
  fc.constantFrom('one=-', 'two=-', 'password=@secret.txt', 'one=@x', 'one=', '=x', 'x'),
);
/** A secret without = in front of it has no name; those with = have one. */
const assignments = fc.array(assignment, { maxLength: 4 });
const line = fc.tuple(
  name,
  fc.constantFrom(': ', ': ', ':', ': "', ": '", ': |\n  ', ': [', ': {a: ', '='),
  text,
  fc.constantFrom('', '"', "'", ']', '}', ' # x'),
);
const fileText = fc.record({ lines: fc.array(line, { maxLength: 4 }), edits: fc.array(edit(), { maxLength: 3 }) }).map(({ lines, edits }) =>
  edited(
    lines
      .map((parts) => parts.join(''))
      .join('\n')
      .match(/\w+|\W/g) ?? [],
    edits,
  ).join(''),
);

export const inputs: Property<Input> = {
  name: 'inputs',
  input: fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('value' as const), field: field('one'), raw, http: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('inputs' as const),
        fields: pair,
        sources: fc.array(fc.dictionary(name, fc.option(raw), { maxKeys: 4 }), { maxLength: 3 }),
        afterAuth: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('assignments' as const),
        fields: pair,
        texts: assignments,
        stdin: text,
        file: fc.option(text),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('file' as const),
        fields: pair,
        text: fc.oneof({ weight: 9, arbitrary: fileText }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) }),
      }),
    },
  ),
  check(input) {
    if (input.kind === 'value') return checkOne(input);
    if (input.kind === 'assignments') return checkAssignments(input);
    if (input.kind === 'file') return checkFile(input);
    const { fields, sources, afterAuth } = input;
    const given = sources.map((values, at) => ({ name: `source ${at}`, values }));
    const { values, problems } = readInputs({ connector: 'acme', fields }, given, { afterAuth });
    mustHide([problems, inputError(problems)], 'a problem');
    for (const { name: own, secret } of fields) if (secret && !Array.isArray(values[own])) mustHide(values[own], `the secret ${own}`);
    must(thrownBy(() => JSON.stringify(values)) === undefined, () => 'the values are no data');
  },
};
