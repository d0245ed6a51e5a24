import type { Json } from '../../../framework/core/value.ts';
import { columnName, namesOf, quoted, tableName } from '../../../framework/destinations/column-name.ts';
import { joinTypes, kindOf, type SqlType, typeFor } from '../../../framework/destinations/column-type.ts';
import { dayOf, instantMicros, instantOf, instantText } from '../../../framework/destinations/instant.ts';
import { lastOfEachKey } from '../../../framework/destinations/table-rows.ts';

const typeOf = (values: Json[], current?: SqlType) =>
  typeFor(
    current,
    values.reduce((kinds: number, value) => kinds | kindOf(value), 0),
  );

describe('the type of a column', () => {
  it.each<[Json[], SqlType]>([
    [[true, null, false], 'boolean'],
    [[1, -2], 'integer'],
    [[1, 2.5], 'number'],
    [[1, '12345678901234567'], 'integer'],
    [['9223372036854775807', 1], 'integer'],
    [['9223372036854775808', 1], 'decimal'],
    [['-9223372036854775808', 1], 'integer'],
    [['-9223372036854775809', 1], 'decimal'],
    [['9'.repeat(38), 1], 'decimal'],
    [['9'.repeat(39), 1], 'text'],
    // A double would round it.
    [['12345678901234567', 1.5], 'text'],
    [['9007199254740992', 1.5], 'number'],
    [[1e300], 'number'],
    [['12345678901234567'], 'text'],
    [['2026-01-31', '2024-02-29'], 'date'],
    [['2026-01-31', '2026-01-31T10:00:00Z'], 'datetime'],
    [['2026-02-29'], 'text'],
    [['2026-01-31T10:00:00'], 'text'],
    [['2026-01-31', 'soon'], 'text'],
    [['2026-01-31', 5], 'text'],
    [[true, 1], 'text'],
    [['a', { b: 1 }], 'json'],
    [[[], 1], 'json'],
  ])('of %j is %s, in whatever order', (values, wanted) => {
    expect(typeOf(values)).toBe(wanted);
    expect(typeOf(values.toReversed())).toBe(wanted);
  });

  it.each<[SqlType, Json[], SqlType]>([
    ['integer', ['007'], 'text'],
    ['integer', ['-0'], 'text'],
    ['integer', ['5'], 'integer'],
    ['number', ['12.50'], 'number'],
    ['number', ['0.1234567890123456'], 'text'],
    ['number', ['12345678901234567'], 'text'],
    ['decimal', [1.5], 'text'],
    ['datetime', ['2026-01-31T10:00:00', '2026-01-31'], 'datetime'],
    ['datetime', [1_700_000_000], 'text'],
    ['datetime', ['2026-01-31T10:00:00.1234567Z'], 'text'],
    ['date', ['2026-01-31T10:00:00Z'], 'datetime'],
    ['boolean', ['true'], 'text'],
    ['text', [1, true, '2026-01-31'], 'text'],
    ['text', [[1]], 'json'],
    ['json', [1, 'a'], 'json'],
  ])('%s with %j becomes %s', (current, values, wanted) => {
    expect(typeOf(values, current)).toBe(wanted);
  });

  it('of two is one that either can become', () => {
    expect([joinTypes('integer', 'number'), joinTypes('number', 'integer'), joinTypes('decimal', 'number')]).toEqual([
      'number',
      'number',
      'text',
    ]);
    expect([joinTypes('date', 'datetime'), joinTypes('date', 'integer'), joinTypes('json', 'boolean')]).toEqual([
      'datetime',
      'text',
      'json',
    ]);
  });
});

describe('moments', () => {
  // By `date -u -d … +%s`.
  it.each([
    ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000000Z', 1_769_853_600_000_000n],
    ['2026-01-31 10:00:00.25+02:00', '2026-01-31T08:00:00.250000Z', 1_769_846_400_250_000n],
    ['2026-01-31t10:00:00,123456-0530', '2026-01-31T15:30:00.123456Z', 1_769_873_400_123_456n],
    ['2026-01-31T10:00+02', '2026-01-31T08:00:00.000000Z', 1_769_846_400_000_000n],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00.000000Z', -62_135_596_800_000_000n],
    ['2026-01-31T10:00:00.250Z', '2026-01-31T10:00:00.250000Z', 1_769_853_600_250_000n],
    ['0001-01-01T00:00:00.001Z', '0001-01-01T00:00:00.001000Z', -62_135_596_799_999_000n],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000000Z', 253_402_300_799_000_000n],
    ['2026-01-31T10:00:00,250z', '2026-01-31T10:00:00.250000Z', 1_769_853_600_250_000n],
    ['9999-12-31T23:59:59.9999990Z', '9999-12-31T23:59:59.999999Z', 253_402_300_799_999_999n],
  ])('%s', (text, wanted, micros) => {
    const instant = instantOf(text)!;
    expect([instantText(instant), instantMicros(instant)]).toEqual([wanted, micros]);
  });

  it.each([
    ...['0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-00:01', '0000-12-31T00:00:00Z', '2026-02-29T00:00:00Z', '2100-02-29T00:00:00Z'],
    ...['2026-01-31T24:00:00Z', '2026-01-31T23:60:00Z', '2026-01-31T23:59:60Z', '2026-13-01T00:00:00Z', '2026-01-31T10:00:00+24:00'],
    ...['2026-01-31T10:00:00.2:0Z', '2026-01-31T10:00:00.25/Z', '202x-01-31T10:00:00Z', '2026-01-31T1:000:00Z', '2026-01-31_10:00:00Z'],
    ...[
      '2026-01-3aT10:00:00Z',
      '2026/01-31T10:00:00Z',
      '2026-01/31T10:00:00Z',
      '2026-01-31T10-00:00Z',
      '2026-01-31T10:00-00Z',
      '2026-00-31T10:00:00Z',
    ],
    ...['2026-01-31T10:00:00.0000001Z', '2026-01-31', '20260131T100000Z', ' 2026-01-31T10:00:00Z', '2026-01-31T10:00:00Z\n'],
  ])('%j is none that a column holds', (text) => {
    expect(instantOf(text)).toBeUndefined();
  });

  it('days of the calendar', () => {
    expect(['1970-01-01', '2000-02-29', '0001-01-01', '1900-02-29', '2026-04-31', '0000-01-01'].map(dayOf)).toEqual([
      ...[0, 11_016, -719_162],
      ...[undefined, undefined, undefined],
    ]);
  });
});

describe('names', () => {
  it('a key is its column, unless it cannot be', () => {
    expect(columnName('größe "x"; --', namesOf([]))).toBe('größe "x"; --');
    expect(quoted('a"b')).toBe('"a""b"');
    // By sha256sum: of nothing, of id.
    expect(columnName('', namesOf([]))).toBe('column_e3b0c442');
    expect(columnName('id', namesOf(['ID']))).toBe('id_a5614527');
    expect(columnName('xmin', namesOf([]))).toMatch(/^xmin_[0-9a-f]{8}$/);
  });

  it('a name finds its column again, whatever else came since', () => {
    const collided = columnName('id', namesOf(['ID']));
    expect(columnName('id', namesOf(['ID', collided]))).toBe(collided);
    expect(columnName('ID', namesOf(['ID', collided]))).toBe('ID');
  });

  it('what is too long is cut between characters and told apart by its hash', () => {
    const [one, other] = [columnName('é'.repeat(70), namesOf([])), columnName('é'.repeat(71), namesOf([]))];
    for (const name of [one, other]) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(one).toMatch(/^é{27}_[0-9a-f]{8}$/);
    expect(one).not.toBe(other);
    expect(tableName('campaigns', '__ferrule_new')).toBe('campaigns__ferrule_new');
    expect(tableName('c'.repeat(60), '__ferrule_new')).not.toBe(tableName('c'.repeat(60)));
    expect(tableName('_ferrule_state')).not.toBe('_ferrule_state');
  });
});

it('of several records with one key the last is written, in the place of the last', () => {
  const keys = [
    { key: 'at', name: 'at', type: 'datetime' as const },
    { key: 'id', name: 'id', type: 'integer' as const },
  ];
  const records = [
    { at: '2026-01-31T10:00:00Z', id: 1 },
    { at: '2026-01-31T10:00:00Z', id: 2 },
    { at: '2026-01-31T12:00:00.0+02:00', id: '1' },
  ];
  expect(lastOfEachKey(records, keys)).toEqual([1, 2]);
});
