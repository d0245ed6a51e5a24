import { scopesOf } from '../../../framework/core/scope.ts';
import type { JsonObject, Response } from '../../../framework/core/value.ts';
import { resolve } from '../../../framework/spec/resolve.ts';
import { compileExtract } from '../../../framework/streams/records.ts';
import { compileShape, type Misfit } from '../../../framework/streams/shape.ts';
import { acme } from '../../acme.ts';

/** What a spec makes of one record; the misfits are beside it. */
function shaped(words: string, record: JsonObject, vars: JsonObject = {}): { record: JsonObject | undefined; misfits: Misfit[] } {
  const resolved = resolve(acme(`auth: { none: none }\nstreams: { s: { get: /s, ${words} } }`), { method: 'none', choices: {} });
  const before = JSON.stringify(record);
  const misfits: Misfit[] = [];
  const shape = compileShape(resolved.streams.s as NonNullable<(typeof resolved.streams)['s']>, scopesOf(resolved));
  const result = shape(record, { each: {}, window: {}, ...vars }, misfits);
  expect(JSON.stringify(record)).toBe(before);
  return { record: result, misfits };
}

const made = (words: string, record: JsonObject, vars?: JsonObject) => shaped(words, record, vars).record;

describe('the shape of a record', () => {
  it.each<[string, string, JsonObject, JsonObject | undefined]>([
    ['nothing said: as it came', '', { b: 1, a: { c: [null] } }, { b: 1, a: { c: [null] } }],
    ['kept', `keep: '\${record.n > 1}'`, { n: 2 }, { n: 2 }],
    ['left out', `keep: '\${record.n > 1}'`, { n: 1 }, undefined],
    ['kept by a list', `keep: '\${record.tags.exists(t, t == "x")}'`, { tags: ['y', 'x'] }, { tags: ['y', 'x'] }],
    ['kept where a key may be missing', `keep: '\${default(record.kind, "none") != "draft"}'`, { id: 1 }, { id: 1 }],
    ['flat', 'flatten: {}', { a: { b: { c: 1 }, d: 2 }, e: 3 }, { a_b_c: 1, a_d: 2, e: 3 }],
    [
      'flat, lists and empty maps as they are',
      'flatten: {}',
      { a: { list: [{ b: 1 }], none: {}, no: null } },
      { a_list: [{ b: 1 }], a_none: {}, a_no: null },
    ],
    ['flat to a depth, with another separator', `flatten: { separator: '.', depth: 1 }`, { a: { b: { c: 1 } } }, { 'a.b': { c: 1 } }],
    ['renamed', 'rename: { a: b, c: d }', { a: 1, c: 2, e: 3 }, { b: 1, d: 2, e: 3 }],
    ['two names exchanged', 'rename: { a: b, b: a }', { a: 1, b: 2 }, { b: 1, a: 2 }],
    ['renamed where there is nothing', 'rename: { x: y }', { a: 1 }, { a: 1 }],
    ['renamed after it is flat', 'flatten: {}, rename: { a_b: c }', { a: { b: 1 } }, { c: 1 }],
    ['removed, also what is not there', 'remove: [a, x]', { a: 1, b: 2 }, { b: 2 }],
    ['removed after it is flat and renamed', 'flatten: {}, rename: { a_b: c }, remove: [c, a_d]', { a: { b: 1, d: 2, e: 3 } }, { a_e: 3 }],
    [
      'added: text, a value with its type, a map',
      `add: { full: '\${record.a} \${record.b}', n: '\${record.n}', m: { of: ['\${record.n}', x] } }`,
      { a: 'x', b: 'y', n: 1.5 },
      { a: 'x', b: 'y', n: 1.5, full: 'x y', m: { of: [1.5, 'x'] } },
    ],
    ['added in place of what is there', `add: { a: new }`, { a: 1 }, { a: 'new' }],
    [
      'added from what is removed, as it came',
      `flatten: {}, rename: { id: key }, remove: [key], add: { copy: '\${record.id}' }`,
      { id: 7 },
      { copy: 7 },
    ],
    [
      'added JSON null, and absent left out',
      `add: { a: '\${null}', b: '\${given(has(record.x), record.x)}' }`,
      { id: 1 },
      { id: 1, a: null },
    ],
    ['kept by what is removed', `keep: '\${record.ok}', remove: [ok]`, { ok: true, id: 1 }, { id: 1 }],
  ])('%s', (_, words, record, expected) => {
    expect(made(words, record)).toEqual(expected);
  });

  it('may hold what stands outside the record', () => {
    const words = `parent: p, each: { level: [ad] }, add: { space: '\${parent.id}', level: '\${each.level}', day: '\${window.start}' } }, p: { get: /p`;
    const vars = { parent: { id: 9 }, each: { level: 'ad' }, window: { start: '2026-01-01' } };
    expect(made(words, { id: 1 }, vars)).toEqual({ id: 1, space: 9, level: 'ad', day: '2026-01-01' });
  });

  it('names what a record lacks, never what it has', () => {
    expect(() => made(`keep: '\${record.kind == "x"}'`, { id: 'hidden' })).toThrow(
      expect.objectContaining({ code: 'path_missing', message: expect.stringContaining('kind') }),
    );
    expect(() => made(`add: { a: '\${record.kind}' }`, { id: 'hidden' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hidden') }),
    );
  });
});

describe('types', () => {
  const FIT: [type: string, from: JsonObject[string], to: JsonObject[string]][] = [
    ['text', 1e21, '1000000000000000000000'],
    ['text', 0.1, '0.1'],
    ['text', true, 'true'],
    ['text', { a: [1] }, '{"a":[1]}'],
    ['integer', '007', 7],
    ['integer', ' -3 ', -3],
    ['integer', '+5', 5],
    ['integer', 2.0, 2],
    ['integer', false, 0],
    ['integer', '9007199254740993', '9007199254740993'],
    ['number', '1.50', 1.5],
    ['number', '1e3', 1000],
    ['number', '.5', 0.5],
    ['boolean', 'Yes', true],
    ['boolean', 'f', false],
    ['boolean', 1, true],
    ['boolean', '0', false],
    ['date', '2026-01-02T23:30:00-05:00', '2026-01-03'],
    ['date', 1767312000, '2026-01-02'],
    ['datetime', 1767312000, '2026-01-02T00:00:00Z'],
    ['datetime', 1767312000123, '2026-01-02T00:00:00.123Z'],
    ['datetime', '2026-01-02T01:00:00+01:00', '2026-01-02T00:00:00Z'],
    ['datetime', '2026-01-02', '2026-01-02T00:00:00Z'],
  ];
  it.each(FIT)('%s of %j is %j', (type, from, to) => {
    const { record, misfits } = shaped(`types: { v: ${type} }`, { v: from });
    expect(record).toEqual({ v: to });
    expect(misfits).toEqual([]);
  });

  const MISFIT: [type: string, value: JsonObject[string], found: string][] = [
    ['integer', 1.5, 'number'],
    ['integer', '1.0', 'text'],
    ['integer', 'abc', 'text'],
    ['integer', [1], 'list'],
    ['number', '1,5', 'text'],
    ['number', '9007199254740993', 'text'],
    ['number', '', 'text'],
    ['boolean', 'maybe', 'text'],
    ['boolean', 2, 'number'],
    ['date', '02/01/2026', 'text'],
    ['date', '2026-02-30', 'text'],
    ['datetime', {}, 'object'],
    ['datetime', true, 'boolean'],
  ];
  it.each(MISFIT)('%s cannot be made of %j: it stays, and is told by its kind', (type, value, found) => {
    const { record, misfits } = shaped(`types: { v: ${type} }`, { v: value });
    expect(record).toEqual({ v: value });
    expect(misfits).toEqual([{ column: 'v', wanted: type, found }]);
  });

  it('leave null and nothing as they are, and are after flatten and rename, before add', () => {
    expect(shaped('types: { a: integer, b: integer }', { a: null })).toEqual({ record: { a: null }, misfits: [] });
    expect(
      made(`flatten: {}, rename: { m_n: count }, types: { count: integer }, add: { raw: '\${record.m.n}' }`, { m: { n: '5' } }),
    ).toEqual({ count: 5, raw: '5' });
  });

  it('declared columns are compared with what comes out', () => {
    const columns = 'columns: { id: integer, day: date, big: integer, list: list, map: object, at: datetime, gone: text }';
    expect(shaped(columns, { id: 1, day: 'x', big: '9007199254740993', list: [], map: {}, at: 5 }).misfits).toEqual([]);
    const { record, misfits } = shaped(`${columns}, rename: { ID: id }`, {
      ID: 'x',
      day: 5,
      list: {},
      map: [],
      at: true,
      gone: null,
      more: 1,
    });
    expect(misfits).toEqual([
      { column: 'id', wanted: 'integer', found: 'text' },
      { column: 'day', wanted: 'date', found: 'number' },
      { column: 'list', wanted: 'list', found: 'object' },
      { column: 'map', wanted: 'object', found: 'list' },
      { column: 'at', wanted: 'datetime', found: 'boolean' },
    ]);
    expect(record).toMatchObject({ id: 'x', more: 1 });
  });
});

describe('where records are in an answer', () => {
  const extracted = (records: string, body: JsonObject | JsonObject[]): JsonObject[] => {
    const resolved = resolve(acme(`auth: { none: none }\nstreams: { s: { get: /s, records: '${records}' } }`), {
      method: 'none',
      choices: {},
    });
    const extract = compileExtract(resolved.streams.s as NonNullable<(typeof resolved.streams)['s']>, scopesOf(resolved).response);
    return extract({ status: 200, headers: {}, cookies: {}, url: '', body, bytes: new Uint8Array() } as Response, {});
  };

  it.each<[string, string, JsonObject | JsonObject[], JsonObject[]]>([
    ['the root list', '$', [{ id: 1 }, { id: 2 }], [{ id: 1 }, { id: 2 }]],
    ['one object', '$', { id: 1 }, [{ id: 1 }]],
    ['deep', 'a.b.0.c', { a: { b: [{ c: [{ id: 1 }] }] } }, [{ id: 1 }]],
    ['unwrapped from each item', '$.*.product', [{ product: { id: 1 } }, { product: { id: 2 } }], [{ id: 1 }, { id: 2 }]],
    [
      'of lists in lists',
      'data.*.items.*',
      { data: [{ items: [{ id: 1 }, { id: 2 }] }, { items: [] }, { items: [{ id: 3 }] }] },
      [{ id: 1 }, { id: 2 }, { id: 3 }],
    ],
    ['of one thing where a list is due', 'data.*.item', { data: { item: { id: 1 } } }, [{ id: 1 }]],
    ['left out where an item has none, when that is said', 'data.*.item?', { data: [{ item: { id: 1 } }, {}] }, [{ id: 1 }]],
    ['a key with dots', '["odata.value"]', { 'odata.value': [{ id: 1 }] }, [{ id: 1 }]],
    ['nothing, when that is said', 'data.items?', { data: {} }, []],
    [
      'worked out: a map’s values',
      '${response.body.data.map(k, response.body.data[k])}',
      { data: { x: { id: 1 }, y: { id: 2 } } },
      [{ id: 1 }, { id: 2 }],
    ],
  ])('%s', (_, records, body, expected) => {
    expect(extracted(records, body)).toEqual(expected);
  });

  it('an item that lacks the rest of the path is an error that says which', () => {
    expect(() => extracted('data.*.item', { data: [{ item: { id: 1 } }, { itm: {} }] })).toThrow(
      expect.objectContaining({ code: 'records_missing', message: expect.stringContaining('element 1') }),
    );
  });
});

it('a key may have the name of something that every object has', () => {
  const { record, misfits } = shaped(
    'flatten: {}, types: { constructor: text }, columns: { toString: integer }',
    JSON.parse('{"a":1,"__proto__":{"b":2},"__proto__x":{"y":3}}') as JsonObject,
  );
  expect(JSON.stringify(record)).toBe('{"a":1,"__proto___b":2,"__proto__x_y":3}');
  expect(misfits).toEqual([]);
  expect(JSON.stringify(made('flatten: { depth: 1 }', JSON.parse('{"__proto__":5}') as JsonObject))).toBe('{"__proto__":5}');
});
