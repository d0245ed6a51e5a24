import fc from 'fast-check';
import type { Vars } from '../../../framework/core/expression/index.ts';
import type { ResolvedStream } from '../../../framework/core/resolved.ts';
import { scopesOf } from '../../../framework/core/scope.ts';
import type { Json } from '../../../framework/core/value.ts';
import { resolve } from '../../../framework/spec/resolve.ts';
import { KIND, ObjectScanner, type WatchedKey } from '../../../framework/streams/decode/json-objects.ts';
import { compileVerbatim, type VerbatimPage } from '../../../framework/streams/verbatim.ts';
import { acme } from '../../acme.ts';
import { soundAnswers, verbatimPages } from '../../fuzz/verbatim.ts';

/** A reader of a stream s with these words. */
function readerOf(words = ''): ReturnType<typeof compileVerbatim> {
  const spec = acme(`auth: { none: none }\nstreams: { p: { get: /p, primary_key: [id] }, s: { get: /s${words && `, ${words}`} } }`);
  const resolved = resolve(spec, { method: 'none', choices: {} });
  return compileVerbatim(resolved.streams.s as ResolvedStream, scopesOf(resolved).record);
}

const JSON_TYPE = 'application/json';
const readOnce = (
  text: string | Uint8Array,
  words?: string,
  type: string | undefined = JSON_TYPE,
  vars: Vars = {},
): VerbatimPage | undefined => readerOf(words)?.(typeof text === 'string' ? Buffer.from(text) : text, type, vars);
const linesOf = (page: VerbatimPage | undefined): string[] | undefined => page?.records.map((one) => Buffer.from(one).toString('utf8'));
/** One record with this value, between two others. */
const around = (value: string): string => `[{"a":1},{"a":${value},"b":[${value}],"c":{"d":${value}}},{"a":2}]`;
const ofRoot = (text: string, words?: string): string[] | undefined => linesOf(readOnce(text, words));

describe('records as they came', () => {
  it.each([
    ...['0', '-0', '7', '-12', '123456789012345', '0.5', '-1.25', '10.0', '0.1234567890123', 'true', 'false', 'null'],
    ...['""', '"a"', '"é€😀"', '"\\""', '"\\\\"', '"\\/\\b\\f\\n\\r\\t"', '"\\u00e9\\uABcd\\ud800"', '"\\\\\\""', '"a\\\\"'],
    ...['"\u2028\u007f"'],
    ...['"],}{[:"', '"0123456789012345678901234567890"', '"0123456789\\"0123456789\\\\0123456789"', '"e1 9007199254740993"'],
    ...['[]', '[ ]', '{}', '{\t}', '[1,"2", [3 ] ]', '{ "a" :\t1 , "" : {} }', '{"\\u0061":1}', '{"a":1,"a":2}'],
    ...['[null,true,false,{"a":[{"b":[]}]}]', `${'['.repeat(62)}${']'.repeat(62)}`, `${'{"a":'.repeat(61)}1${'}'.repeat(61)}`],
  ])('%j', (value) => {
    const record = `{"a":${value},"b":[${value}],"c":{"d":${value}}}`;
    expect(JSON.parse(around(value))).toHaveLength(3);
    expect(ofRoot(around(value))).toEqual(['{"a":1}', record, '{"a":2}']);
  });

  it.each([
    // Numbers: no JSON, and what a double may not hold.
    ...['01', '-01', '1.', '.5', '-', '-.5', '+1', '1.e', '--1', '1-', '0x1', '1_0', '00', '-a', '1.5.', 'NaN', 'Infinity', '-Infinity'],
    ...['1e5', '1E5', '0e0', '1.5e-3', '1e', '1234567890123456', '-123456789012345', '0.12345678901234', '9007199254740993'],
    ...['tru', 'trua', 'truee', 'nul', 'nulx', 'nulls', 'fals', 'falsy', 'True', 'undefined', "'a'", 'a', '/**/1', '1//'],
    // Strings.
    ...['"\\x"', '"\\u12"', '"\\u123g"', '"\\uG000"', '"\\u 123"', '"\\U0041"', '"\\1"', '"\\', '"\\"', '"a', '"a""b"', '"\\\\\\"'],
    ...['"\t"', '"\n"', '"a\r"', '"\0"', '"\x1f"', '"\x1fa\\n"', '"0123456789012345678901234567890\x01"', '"\\\t"'],
    // Lists and objects.
    ...['[1,]', '[,1]', '[,]', '[1 2]', '[1', '1]', '[1}', '{"a":1,}', '{,}', '{"a"}', '{"a" 1}', '{"a":}', '{a:1}', '{1:1}', '{"a":1'],
    ...['{"a":1]', '{xa":1}', '{"a";1}', 'xa":1}', '{"a":1 "b":2}', '{"a"::1}', '{"a":1,,"b":2}', '{"a":1;}', '{:1}', '{"a":1}}'],
    ...['{"a\t":1}', '{"a\\x":1}'],
    // On more than one line, blanks that are none of JSON, and what is too deep to be sure of.
    ...['[\n]', '[1,\n2]', '{"a":\r1}', '{\n}', '{"a"\n:1}', '1\n', '\n1', '[\v]', '[\u00a0]', '[\u2028]', '[\ufeff]'],
    ...[`${'['.repeat(70)}${']'.repeat(70)}`, `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`],
  ])('not %j', (value) => {
    // Alone, so that what refuses it is the place itself, and that each place is looked at.
    for (const text of [`[{"a":${value}}]`, `[{"a":[${value}]}]`, `[{"a":{"b":${value}}}]`, `[{"x":1},{"a":0,"b":${value},"c":1}]`])
      expect(ofRoot(text)).toBeUndefined();
  });

  it.each<[string, string[]]>([
    ['[]', []],
    [' \n[ \r\n\t ] \n', []],
    ['[{}]', ['{}']],
    ['[{ }, {\t} ]', ['{ }', '{\t}']],
    ['\n[\n{"a": 1},\r\n\t{ "a" :2\t, "b":3 }\n,{"b":4}]\n', ['{"a": 1}', '{ "a" :2\t, "b":3 }', '{"b":4}']],
    // Keys that come in another order, fewer and more of them, and such that begin alike.
    [
      '[{"a":1,"b":2},{"b":3,"a":4},{"ab":5},{"a":6,"b":7,"c":8},{"b":9,"c":0},{"a":1}]',
      ['{"a":1,"b":2}', '{"b":3,"a":4}', '{"ab":5}', '{"a":6,"b":7,"c":8}', '{"b":9,"c":0}', '{"a":1}'],
    ],
    ['[{"__proto__":{"x":1},"constructor":1},{"":2,"é😀":3}]', ['{"__proto__":{"x":1},"constructor":1}', '{"":2,"é😀":3}']],
  ])('the list %j', (text, lines) => {
    expect(ofRoot(text)).toEqual(lines);
  });

  it.each([
    ...['', ' ', '[', ']', '[{}', '[{}}', '[{"a":1},]', '[,{}]', '[{},,{}]', '[{} {}]', '[{};{}]', '[x}]', '["a":1}]', '[1"a":1}]'],
    ...['[{}]]', '[{}] x', '[{}],', '{}', 'null', '1', '"[]"'],
    ...['[1]', '["a"]', '[null]', '[[]]', '[{},null]', '[{},[{}]]', '[true,{}]', '[{"a":1},{"a":2', '[{"a"1}]', '[{"a":}]'],
    ...['[{"a": }]', '[{"a":1,}]', '[{,"a":1}]'],
    ...['[{"a":1\n}]', '[{"a"\n:1}]', '[{\n"a":1}]', '[{"a":1,\n"b":2}]', '[\v{}]', '[{}\f]', '[{"a":1 "b":2}]', '[{"a":1:2}]'],
    ...['[{"\\u0061":1}]'],
    ...['[{"a\tb":1}]', '[{"a":1},{"a\\":1}]', '[{"a":1},{"a:1}]', '[{"a":1},{a":1}]', '[{"a":1},{"a",1}]', '\ufeff[{}]'],
  ])('no page of %j', (text) => {
    expect(ofRoot(text)).toBeUndefined();
  });

  it('nothing of a document that is cut off anywhere, nor of one with a byte too many', () => {
    const text =
      '{"total": 2, "rows" : [ {"id":1,"t":"a\\"\\u00e9é😀","n":[-1.5,{"x":null}]},\n{"id":2,"o":{"k":true,"f":false}} ], "next":"x"}';
    const words = 'records: rows, columns: { id: integer }';
    const bytes = Buffer.from(text);
    expect(readOnce(bytes, words)?.records).toHaveLength(2);
    for (let end = 0; end < bytes.length; end++) expect(readOnce(bytes.subarray(0, end), words)).toBeUndefined();
    for (const more of [',', ']', '}', '"', 'x', '\0']) expect(readOnce(Buffer.from(text + more), words)).toBeUndefined();
  });

  it('wherever it lies in its memory, however short', () => {
    const texts = ['[]', '[ ]', '[{}]', '[{"a":"0123456789"}]', '[{"a":1},{"b":"é"}]'];
    for (const text of texts)
      for (let offset = 0; offset < 8; offset++) {
        const bytes = Buffer.alloc(text.length + 16).subarray(offset, offset + Buffer.byteLength(text));
        bytes.write(text);
        expect(readOnce(bytes)?.records).toHaveLength((JSON.parse(text) as unknown[]).length);
      }
  });

  it('sees a control character at every place, and takes none for one', () => {
    const letters = 'abcdefghijkl';
    for (let offset = 0; offset < 4; offset++)
      for (let at = 0; at < letters.length; at++)
        for (const code of [0, 1, 9, 10, 31, 32, 33, 127]) {
          const text = `[{"a":"${letters.slice(0, at)}${String.fromCharCode(code)}${letters.slice(at + 1)}"}]`;
          const bytes = Buffer.alloc(text.length + offset).subarray(offset);
          bytes.write(text);
          expect([text, readOnce(bytes)?.records.length]).toEqual([text, code < 32 ? undefined : 1]);
        }
    // Above 127 all of a word's bytes have their top bit set.
    expect(ofRoot('[{"a":"ÿÿ€😀"}]')).toEqual(['{"a":"ÿÿ€😀"}']);
  });

  it('takes of all letters behind a backslash, in a code and in the place of each byte what the platform takes', () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const sample = '[{"a":"\\u00e9\\n","b":[-1.5,true]},{"c":{"d":null}}]';
    for (let code = 0; code < 128; code++) {
      const letter = String.fromCharCode(code);
      const escapes = [
        `[{"a":"\\${letter}"}]`,
        ...[0, 1, 2, 3].map((at) => `[{"a":"\\u${'000'.slice(at)}${letter}${'000'.slice(0, at)}"}]`),
      ];
      const wrong = escapes.find((text) => (ofRoot(text) !== undefined) !== isJson(text));
      expect(wrong).toBeUndefined();
      for (let at = 0; at < sample.length; at++) {
        const text = sample.slice(0, at) + letter + sample.slice(at + 1);
        if (ofRoot(text) !== undefined && !isJson(text)) throw new Error(`${text} was let through`);
      }
    }
  });

  it('remembers keys, and nothing of the answer that they were in', () => {
    const read = readerOf();
    const first = Buffer.from('[{"a":1}]');
    const page = (bytes: Buffer) => read?.(bytes, JSON_TYPE, {})?.records.length;
    expect(page(first)).toBe(1);
    first.write('[{xyz:1}]');
    expect(page(Buffer.from('[{xyz:1}]'))).toBeUndefined();
    expect(page(Buffer.from('[{"a":1}]'))).toBe(1);
  });

  it('only UTF-8, and nothing that is called HTML', () => {
    const é = Buffer.from('[{"a":"é"}]', 'latin1');
    expect(readOnce(é)).toBeUndefined();
    // Too long a form, a half of a pair, beyond Unicode, and cut off.
    for (const bytes of [
      [0xc0, 0xa2],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
    ])
      expect(readOnce(Buffer.concat([Buffer.from('[{"a":"'), Buffer.from(bytes), Buffer.from('"}]')]))).toBeUndefined();
    expect(readOnce(Buffer.from('[{}]', 'utf16le'))).toBeUndefined();
    const sound = Buffer.from('[{"a":"é"}]');
    const typed = (type: string | undefined) => readerOf()?.(Buffer.from(sound), type, {})?.records.length;
    expect([undefined, '', 'application/json; charset=UTF-8', 'text/plain;charset="utf8"', 'application/vnd.x+json'].map(typed)).toEqual([
      1, 1, 1, 1, 1,
    ]);
    expect(
      ['application/json; charset=iso-8859-1', 'application/json; charset=utf-16', 'text/html', 'application/xhtml+xml'].map(typed),
    ).toEqual(Array(4).fill(undefined));
  });

  it('gives all that the parser gives of what it takes, and takes most', () => {
    let answers = 0;
    let pages = 0;
    fc.assert(
      fc.property(soundAnswers, (input) => {
        answers += input.answers.length;
        pages += verbatimPages(input);
      }),
      { numRuns: 300 },
    );
    expect(pages).toBeGreaterThan(answers * 0.6);
  });
});

describe('what is known of them', () => {
  const watch = (key: string, kinds = 127, wanted = true): WatchedKey => ({ key, kinds, wanted });
  const valuesOf = (text: string, ...watched: WatchedKey[]) => new ObjectScanner(watched).scan(Buffer.from(text), 1)?.values;

  it('the wanted values, read as the parser reads them', () => {
    const values = [
      '0',
      '-0',
      '123456789012345',
      '-7',
      '0.5',
      '-1.25',
      '10.0',
      '"a"',
      '"é😀"',
      '"\\u00e9\\n\\"\\\\"',
      '"\\ud800"',
      'true',
      'false',
      'null',
    ];
    for (const value of [...values, '[1,{"a":"]"}]', '{"a":[]}', '""', '[]'])
      expect(valuesOf(`[{"b":0,"a": ${value} ,"c":1}]`, watch('a'))).toEqual([{ a: JSON.parse(value) }]);
  });

  it('of each record its own, wherever the key stands', () => {
    const text = '[{"a":1,"b":2},{"b":3,"a":4},{"c":5},{},{"a":6},{"aa":7,"b":{"a":8}}]';
    expect(valuesOf(text, watch('a'), watch('b', 127, false))).toEqual([{ a: 1 }, { a: 4 }, {}, {}, { a: 6 }, {}]);
    expect(valuesOf('[{"é":1,"__proto__":2}]', watch('é'), watch('__proto__'))?.map((one) => Object.entries(one))).toEqual([
      [
        ['é', 1],
        ['__proto__', 2],
      ],
    ]);
  });

  it('one that comes twice, or may be spelt in another way, is the parser’s', () => {
    const a = watch('a', 127, false);
    expect(valuesOf('[{"a":1,"a":1}]', a)).toBeUndefined();
    expect(valuesOf('[{"a":1},{"b":2,"a":1,"a":1}]', a)).toBeUndefined();
    expect(valuesOf('[{"a":1},{"a":1}]', a)).toEqual([{}, {}]);
    expect(valuesOf('[{"b":1,"b":1}]', a)).toEqual([{}]);
    expect(valuesOf('[{"\\u0061":1}]', a)).toBeUndefined();
    // A new list begins anew.
    const scanner = new ObjectScanner([a]);
    for (let list = 0; list < 2; list++) expect(scanner.scan(Buffer.from('[{"a":1}]'), 1)?.values).toEqual([{}]);
  });

  it('the places where the list and its records are', () => {
    const found = new ObjectScanner([]).scan(Buffer.from('xx[ {"a":1} ,\n{} ]y'), 3);
    expect(found).toEqual({ starts: [4, 14], ends: [11, 16], values: [{}, {}], end: 17 });
    expect(new ObjectScanner([]).scan(Buffer.from('[ ]'), 1)).toEqual({ starts: [], ends: [], values: [], end: 2 });
  });

  const SAMPLES: [keyof typeof KIND, string][] = [
    ['text', '"1"'],
    ['whole', '-10'],
    ['decimal', '1.0'],
    ['boolean', 'true'],
    ['boolean', 'false'],
    ['null', 'null'],
    ['object', '{"a":"."}'],
    ['list', '[1.5]'],
  ];
  it.each(SAMPLES)('a %s is nothing else: %s', (kind, value) => {
    const text = `[{"a":${value}}]`;
    expect(valuesOf(text, watch('a', KIND[kind], false))).toEqual([{}]);
    expect(valuesOf(text, watch('a', 127 & ~KIND[kind], false))).toBeUndefined();
  });

  it.each<[string, string[]]>([
    ['text', ['"a"', 'null']],
    ['integer', ['-10', 'null']],
    ['number', ['-10', '1.0', 'null']],
    ['boolean', ['true', 'false', 'null']],
    ['date', ['"1"', 'null']],
    ['datetime', ['"1"', '-10', '1.0', 'null']],
    ['object', ['{"a":"."}', 'null']],
    ['list', ['[1.5]', 'null']],
  ])('what surely fits a column of type %s', (type, fits) => {
    const values = ['"a"', ...SAMPLES.map(([, value]) => value)];
    const passed = values.filter((value) => ofRoot(`[{"id":${value}}]`, `columns: { id: ${type} }`) !== undefined);
    expect(passed).toEqual(values.filter((value) => fits.includes(value) || (value.startsWith('"') && /text|date/.test(type))));
    expect(ofRoot('[{"other":1}]', `columns: { id: ${type} }`)).toEqual(['{"other":1}']);
  });

  it('what the cursor needs, the last record whole, and the rest of the document', () => {
    const words = `records: d.rows, columns: { n: integer }, primary_key: [id, '["a.b"]'], cursor: { field: at, format: iso }`;
    const text = '{"d":{"x":[{"id":0}],"rows":[{"at":"t1","id":1,"n":5,"a.b":[2]},{"n":6,"at":"t2"}],"next":"p"},"rows":[3]}';
    expect(readOnce(text, words)).toMatchObject({
      known: [{ at: 't1', id: 1, 'a.b': [2] }, { at: 't2' }],
      last: { n: 6, at: 't2' },
      rest: { d: { x: [{ id: 0 }], rows: [], next: 'p' }, rows: [3] },
    });
    expect(readOnce('{"d":{"rows":[]}}', words)).toEqual({ records: [], known: [], last: undefined, rest: { d: { rows: [] } } });
    // A column that is the cursor keeps its kinds.
    expect(readOnce('[{"at":1}]', 'columns: { at: text }, cursor: { field: at, format: epoch }')).toBeUndefined();
  });

  it.each([
    ['twice under one key', '{"rows":[{"a":1}],"rows":[]}'],
    ['twice, and then none', '{"rows":[{"a":1}],"rows":5}'],
    ['no list', '{"rows":{"a":1}}'],
    ['nothing', '{"row":[{"a":1}]}'],
    ['null', '{"rows":null}'],
    ['a number in the rest that would be rounded', '{"rows":[{"a":1}],"n":9007199254740993}'],
    ['a rest that is no JSON', '{"rows":[{"a":1}],}'],
    ['a beginning that is no JSON', '{"x":01,"rows":[{"a":1}]}'],
    ['a bracket of another kind', '{"rows":[{"a":1}}'],
  ])('%s is the parser’s', (_, text) => {
    expect(readOnce(text, 'records: rows')).toBeUndefined();
    expect(readOnce('{"rows":7,"rows":[{"a":1}]}', 'records: rows')?.records).toHaveLength(1);
  });

  it('after three answers in a row that came to nothing none is tried any more', () => {
    const bad = Buffer.from(`[{"a":1e5,"b":"${'x'.repeat(64)}"}]`);
    const nothing = Buffer.from('{"rows":null}');
    const good = Buffer.from('[{"a":1}]');
    const counts = (...answers: Buffer[]) => {
      const read = readerOf();
      return answers.map((one) => read?.(Buffer.from(one), JSON_TYPE, {})?.records.length ?? 0);
    };
    expect(counts(bad, bad, good, bad, bad, good)).toEqual([0, 0, 1, 0, 0, 1]);
    expect(counts(bad, bad, bad, good, good)).toEqual([0, 0, 0, 0, 0]);
    // A partition without records says nothing about the others.
    expect(counts(nothing, nothing, nothing, good)).toEqual([0, 0, 0, 1]);
  });
});

describe('what is the same for a page', () => {
  const WORDS = 'records: rows, columns: { of: integer }, add: { of: "${parent.id}", more: { a: [1, "é"] } }, parent: p';
  const page = (rows: string, id: Json): VerbatimPage | undefined => readOnce(`{"rows":${rows}}`, WORDS, JSON_TYPE, { parent: { id } });

  it('is put behind each record', () => {
    const found = page('[{"a":1},{},{ },\n{ "a":1 }]', 7);
    const tail = '"of":7,"more":{"a":[1,"é"]}}';
    expect(linesOf(found)).toEqual([`{"a":1,${tail}`, `{${tail}`, `{ ${tail}`, `{ "a":1 ,${tail}`]);
    // Paging sees the last record as it came.
    expect([found?.last, found?.rest]).toEqual([{ a: 1 }, { rows: [] }]);
    expect(linesOf(page('[]', 7))).toEqual([]);
    expect(linesOf(page('[{"a":1}]', null))).toEqual(['{"a":1,"of":null,"more":{"a":[1,"é"]}}']);
  });

  it('is not where a record has it already, or where it does not fit its column', () => {
    expect([page('[{"a":1},{"of":1}]', 7), page('[{"more":null}]', 7), page('[{"a":1}]', 'x')]).toEqual([undefined, undefined, undefined]);
  });
});

describe('streams whose records may go on as they came', () => {
  it.each([
    ['', true],
    ['records: data.rows', true],
    ['records: "data.rows?"', true],
    ['records: data.0.rows', true],
    ['records: $, columns: { a: text }, primary_key: [a.b]', true],
    ['records: data.*.rows', false],
    ['records: "$.*"', false],
    [`records: '\${response.body.rows}'`, false],
    [`keep: '\${record.a == 1}'`, false],
    ['flatten: {}', false],
    ['rename: { a: b }', false],
    ['types: { a: integer }', false],
    ['remove: [a]', false],
    ['add: { a: b }', true],
    [`add: { a: '${'$'}{fields.x}' }`.replace('fields.x', 'now'), true],
    [`add: { a: '\${record.b}' }`, false],
    ['add: { at: b }, cursor: { field: at, format: iso }', false],
    ['add: { id: b }, cursor: { field: at, format: iso }, primary_key: [id]', false],
    ['add: { id: b }, primary_key: [id]', true],
    ['cursor: { field: at, format: iso }, primary_key: [id]', true],
    [`cursor: { field: '["a.b"]', format: iso }`, true],
    ['cursor: { field: a.b, format: iso }', false],
    ['cursor: { field: $.*, format: iso }', false],
    ['cursor: { field: at, format: iso }, primary_key: [$]', false],
    ['cursor: { field: at, format: iso }, primary_key: [id, a.b]', false],
    ['records: rows, paginate: { type: next_token, from: next, into: query.after }', true],
    ['records: rows, paginate: { type: next_token, from: rows.0.id, into: query.after }', false],
    ['records: rows, paginate: { type: next_token, from: $.*.rows.0.id, into: query.after }', false],
    ['records: rows, paginate: { type: next_token, from: next, into: query.after, more: rows }', false],
    ['records: rows, paginate: { type: next_token, from: rows_next, into: query.after, more: meta.rows }', true],
    ['records: a.rows, paginate: { type: next_token, from: a.next, into: query.after }', true],
    ['records: a.rows, paginate: { type: next_token, from: "a.*.0", into: query.after }', false],
    [`records: rows, paginate: { type: next_token, from: '\${last_record.id}', into: query.after }`, true],
    [`records: rows, paginate: { type: next_token, from: '\${response.headers["x-next"]}', into: query.after }`, true],
    [`records: rows, paginate: { type: next_token, from: '\${response.body.next}', into: query.after }`, false],
    [`records: rows, paginate: { type: next_token, from: '\${response.headers["a"] + response.body.next}', into: query.after }`, false],
    ['records: rows, paginate: { type: next_url, from: links.next }', true],
    ['records: rows, paginate: { type: next_url, from: rows.0.next }', false],
    ['records: rows, paginate: { type: keyset, from: id, into: query.after }', true],
    // Its own key is one of the record, where it may have the list's name.
    ['records: rows, paginate: { type: keyset, from: rows, into: query.after }', true],
    ['records: rows, paginate: { type: keyset, from: id, into: query.after, more: rows.0.more }', false],
    [`records: rows, paginate: { type: keyset, from: '\${response.body.rows[0].id}', into: query.after }`, false],
    ['records: rows, paginate: { type: page, page: query.page, total: total }', true],
    ['records: rows, paginate: { type: page, page: query.page, total: rows.0.total }', false],
    ['records: rows, paginate: { type: page, page: query.page, total_pages: rows.0.pages }', false],
    ['records: rows, paginate: { type: offset, offset: query.skip, page_size: 2, restart: { at: 10, from: id, into: query.since } }', true],
    [
      `records: rows, paginate: { type: offset, offset: query.skip, page_size: 2, restart: { at: 10, from: '\${response.body.rows[1].id}', into: query.since } }`,
      false,
    ],
    ['paginate: { type: link_header }', true],
    ['paginate: { type: offset, offset: query.skip, total: total }', false],
    ['paginate: { type: keyset, from: id, into: query.after }', true],
  ])('%s: %s', (words, may) => {
    expect(readerOf(words) !== undefined).toBe(may);
  });
});
