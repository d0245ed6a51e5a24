import fc from 'fast-check';
import { parseJson } from '../../framework/core/json.ts';
import type { ResolvedStream } from '../../framework/core/resolved.ts';
import { scopesOf } from '../../framework/core/scope.ts';
import type { Json, JsonObject, Response } from '../../framework/core/value.ts';
import { resolve } from '../../framework/spec/resolve.ts';
import { compileExtract, type Extract } from '../../framework/streams/records.ts';
import { compileShape, type Misfit, type Shape } from '../../framework/streams/shape.ts';
import { compileVerbatim, type ReadVerbatim, type VerbatimPage } from '../../framework/streams/verbatim.ts';
import { acme } from '../acme.ts';
import { edit, edited } from './hostile.ts';
import { jsonText } from './json.ts';
import { must, type Property, thrownBy } from './target.ts';

const COLUMNS = 'columns: { id: integer, at: datetime, name: text, day: date, x: number, ok: boolean, o: object, l: list }';
const CURSOR = 'cursor: { field: at, format: iso }';

/** Where the list is in the document, and which keys are looked at. */
const STREAMS = [
  { words: 'records: $', wanted: [] },
  { words: `records: $, ${COLUMNS}, ${CURSOR}, primary_key: [id]`, wanted: ['at', 'id'] },
  { words: `records: rows, ${COLUMNS}`, wanted: [] },
  { words: `records: rows, ${CURSOR}, primary_key: [name, '["__proto__"]']`, wanted: ['at', 'name', '__proto__'] },
  { words: `records: 'a.1.rows?', ${COLUMNS}, ${CURSOR}`, wanted: ['at'] },
  { words: 'records: rows, add: { of: fixed, n: 7, more: { a: [1, "é"] } }', wanted: [] },
  // Records may have the key already.
  { words: `records: rows, ${COLUMNS}, ${CURSOR}, add: { a: "${'$'}{1 + 1}", name: fixed }`, wanted: ['at'] },
];

interface Reader {
  read(): ReadVerbatim;
  extract: Extract;
  shape: Shape;
  steps: string[];
  wanted: readonly string[];
}

const READERS: readonly Reader[] = STREAMS.map(({ words, wanted }) => {
  const resolved = resolve(acme(`auth: { none: none }\nstreams: { s: { get: /s, ${words} } }`), { method: 'none', choices: {} });
  const stream = resolved.streams.s as ResolvedStream;
  const scopes = scopesOf(resolved);
  return {
    read: () => compileVerbatim(stream, scopes.record) as ReadVerbatim,
    extract: compileExtract(stream, scopes.response),
    shape: compileShape(stream, scopes),
    steps: stream.records === '$' ? [] : stream.records.replace('?', '').split('.'),
    wanted,
  };
});

const space = fc.constantFrom('', '', '', ' ', '\t ');
const blank = fc.constantFrom('', '', ' ', '\n', '\r\n\t');
const whole = fc.constantFrom('0', '-0', '7', '-12', '123456789012345');
const decimal = fc.constantFrom('0.5', '-1.25', '3.0', '0.1234567890123');
const text = fc.oneof(
  fc.string({ maxLength: 6, unit: 'binary' }).map((one) => JSON.stringify(one)),
  fc.constantFrom(
    '""',
    '"\\\\"',
    '"\\""',
    '"\\u00e9\\/"',
    '"\\ud800"',
    '"é😀\u2028"',
    '"]},{"',
    '"a long text that has more bytes than are looked at one by one"',
  ),
);
const inner = fc.oneof(whole, decimal, text, fc.constantFrom('true', 'false', 'null', '[]', '{}', '[[{"id":"no"}],null]'));
const object = fc
  .tuple(space, fc.array(fc.tuple(text, inner), { maxLength: 3 }))
  .map(([gap, members]) => `{${gap}${members.map(([key, one]) => `${key}${gap}:${one}`).join(`${gap},`)}}`);
const list = fc.tuple(space, fc.array(inner, { maxLength: 3 })).map(([gap, items]) => `[${gap}${items.join(`${gap},`)}${gap}]`);
const key = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'é', '😀', '_') }).map((one) => `"${one}"`);

/** A key and a value that fits its column. */
const member = fc.oneof(
  fc.tuple(fc.constant('"id"'), whole),
  fc.tuple(fc.constant('"at"'), fc.oneof(text, whole, decimal)),
  fc.tuple(fc.constantFrom('"name"', '"day"'), text),
  fc.tuple(fc.constant('"x"'), fc.oneof(whole, decimal)),
  fc.tuple(fc.constant('"ok"'), fc.constantFrom('true', 'false', 'null')),
  fc.tuple(fc.constant('"o"'), object),
  fc.tuple(fc.constant('"l"'), list),
  fc.tuple(fc.constantFrom('"__proto__"', '"constructor"'), inner),
  { weight: 2, arbitrary: fc.tuple(key, inner) },
);
/** With what the scan must leave to the parser: numbers, blanks, escapes and kinds of every sort. */
const oddMember = fc.tuple(fc.oneof(text, fc.constantFrom('"id"', '"at"', '"\\u0069d"', '"name"')), jsonText);

const recordOf = (members: fc.Arbitrary<[string, string]>, twice: boolean): fc.Arbitrary<string> =>
  fc
    .tuple(space, fc.uniqueArray(members, { maxLength: 6, selector: ([name]) => (twice ? Symbol(name) : name) }))
    .map(([gap, all]) => `{${gap}${all.map(([name, one]) => `${name}${gap}:${gap}${one}`).join(`${gap},${gap}`)}${gap}}`);
const good = recordOf(member, false);
const odd = fc.oneof(
  { weight: 4, arbitrary: good },
  { weight: 2, arbitrary: recordOf(fc.oneof(member, oddMember), true) },
  { weight: 1, arbitrary: jsonText },
);
const listOf = (records: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(blank, fc.array(records, { maxLength: 4 })).map(([gap, all]) => `[${gap}${all.join(`${gap},${gap}`)}${gap}]`);

/** What may stand around the list, and what stands there in a place that looks like it. */
const beside = fc.oneof(whole, text, fc.constantFrom('{"rows":[{"id":1}]}', '[{"id":1}]', 'null'), { weight: 1, arbitrary: jsonText });
const placed = (number: number, rows: string, [one, two]: [string, string], twice: boolean): string => {
  const { steps } = READERS[number] as Reader;
  const within = `{"next":${one},"rows":${rows}${twice ? `,"rows":${two}` : ''} , "total": ${two}}`;
  if (steps.length === 0) return rows;
  return steps.length === 1 ? within : `{"b":${two},"a":[${one},${within},${two}]}`;
};
const documentOf = (number: number, records: fc.Arbitrary<string>, twice: fc.Arbitrary<boolean>): fc.Arbitrary<string> =>
  fc.tuple(listOf(records), fc.tuple(beside, beside), twice).map(([rows, around, again]) => placed(number, rows, around, again));

const pieces = fc.constantFrom(
  ...'{}[],:"\\-.eE+0',
  '9007199254740993',
  '1e5',
  '01',
  '\n',
  '\t',
  '\0',
  '\x1f',
  '\ufeff',
  'tru',
  '\\u12',
  '{}',
  '"id":1,',
);
const brokenOf = (number: number): fc.Arbitrary<string> =>
  fc
    .record({ document: documentOf(number, good, fc.constant(false)), edits: fc.array(edit(pieces), { minLength: 1, maxLength: 2 }) })
    .map(({ document, edits }) => edited(document.match(/"(?:[^"\\]|\\.)*"|[\d.eE+-]+|[\s\S]/g) ?? [], edits).join(''));

interface Answer {
  text: string;
  /** One byte put in the place of another. */
  byte: { at: number; value: number } | undefined;
  /** Where it lies in its memory. */
  offset: number;
}

export interface VerbatimInput {
  stream: number;
  /** Read after one another by one reader, which remembers keys. */
  answers: Answer[];
}

const answerOf = (document: fc.Arbitrary<string>, changed: fc.Arbitrary<Answer['byte']>): fc.Arbitrary<Answer> =>
  fc.record({ text: document, byte: changed, offset: fc.nat(7) });
const oneByte = fc.record({ at: fc.nat(), value: fc.oneof(fc.nat(255), fc.constantFrom(0x22, 0x5c, 0x0a, 0x2c, 0xc0, 0xed, 0xff)) });
const inputOf = (answer: (stream: number) => fc.Arbitrary<Answer>): fc.Arbitrary<VerbatimInput> =>
  fc
    .nat(READERS.length - 1)
    .chain((stream) => fc.array(answer(stream), { minLength: 1, maxLength: 3 }).map((answers) => ({ stream, answers })));

const no = fc.constant(false);
const untouched = fc.constant(undefined);
/** Documents of which most go on as they came. */
export const soundAnswers = inputOf((stream) => answerOf(documentOf(stream, good, no), untouched));
const anyAnswers = inputOf((stream) =>
  fc.oneof(
    { weight: 4, arbitrary: answerOf(documentOf(stream, good, no), untouched) },
    { weight: 4, arbitrary: answerOf(documentOf(stream, odd, fc.boolean()), untouched) },
    { weight: 6, arbitrary: answerOf(brokenOf(stream), untouched) },
    { weight: 3, arbitrary: answerOf(documentOf(stream, good, no), oneByte) },
  ),
);

function bytesOf({ text, byte, offset }: Answer): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.alloc(length + offset).subarray(offset);
  bytes.write(text);
  if (byte !== undefined && length > 0) bytes[byte.at % length] = byte.value;
  return bytes;
}

/** The document with an empty list in the place of its records. */
function withoutRecords(body: Json, [step, ...others]: readonly string[]): Json {
  if (step === undefined) return [];
  if (Array.isArray(body)) return body.map((item, at) => (at === Number(step) ? withoutRecords(item, others) : item));
  return Object.fromEntries(
    Object.entries(body as JsonObject).map(([name, item]) => [name, name === step ? withoutRecords(item, others) : item]),
  );
}

const written = (value: unknown): string => JSON.stringify(value);
const strict = new TextDecoder('utf-8', { fatal: true });

/** How many of the answers went on as they came. Throws where one of them is not what the whole answer gives. */
export function verbatimPages({ stream, answers }: VerbatimInput): number {
  const reader = READERS[stream] as Reader;
  const read = reader.read();
  let pages = 0;
  for (const answer of answers) {
    const page = read(bytesOf(answer), 'application/json', {});
    if (page === undefined) continue;
    pages += 1;
    // Anew: what was read has line breaks in it.
    compare(page, bytesOf(answer), reader);
  }
  return pages;
}

function compare(page: VerbatimPage, bytes: Buffer, { extract, shape, steps, wanted }: Reader): void {
  let body: Json = null;
  let raw: JsonObject[] = [];
  const thrown = thrownBy(() => {
    const source = strict.decode(bytes);
    JSON.parse(source);
    body = parseJson(source, 'number');
    raw = extract({ body } as Response, {});
  });
  must(thrown === undefined, () => `it was let through, and the parser says: ${String(thrown?.error)}`);
  must(page.records.length === raw.length && page.known.length === raw.length, () => `${page.records.length} of ${raw.length} records`);
  for (const [at, record] of raw.entries()) {
    const line = Buffer.from(page.records[at] as Uint8Array).toString('utf8');
    must(!/[\n\r]/.test(line), () => `record ${at} is on more than one line`);
    const misfits: Misfit[] = [];
    const shaped = shape(record, {}, misfits);
    must(misfits.length === 0, () => `record ${at} does not fit: ${written(misfits)}`);
    must(written(JSON.parse(line)) === written(shaped), () => `record ${at} is ${line}, not ${written(shaped)}`);
    const known = wanted.filter((name) => Object.hasOwn(record, name)).map((name) => [name, record[name]]);
    const ours = wanted.filter((name) => Object.hasOwn(page.known[at] as JsonObject, name)).map((name) => [name, page.known[at]?.[name]]);
    must(written(ours) === written(known), () => `of record ${at} is known ${written(ours)}, not ${written(known)}`);
    must(Object.keys(page.known[at] as JsonObject).length === known.length, () => `more is known of record ${at} than is wanted`);
  }
  must(written(page.last) === written(raw.at(-1)), () => `the last record is ${written(page.last)}`);
  must(written(page.rest) === written(withoutRecords(body, steps)), () => `the rest is ${written(page.rest)}`);
}

export const verbatim: Property<VerbatimInput> = {
  name: 'verbatim',
  input: anyAnswers,
  check: (input) => void verbatimPages(input),
};
