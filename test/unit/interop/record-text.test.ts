import type { ColumnType } from '../../../framework/core/resolved.ts';
import type { Json } from '../../../framework/core/value.ts';
import { streamSchema } from '../../../framework/interop/json-schema.ts';
import { recordText, safeLines } from '../../../framework/interop/record-text.ts';
import { readStreamState, stateEntries, statePace } from '../../../framework/interop/state-entries.ts';
import { FakeClock } from '../../clock.ts';
import { failureOf } from '../../failure.ts';

describe('recordText', () => {
  it.each<[ColumnType, unknown, string]>([
    ['integer', '9007199254740993', '9007199254740993'],
    ['integer', '-00012', '-12'],
    ['integer', '+5', '5'],
    ['integer', 7, '7'],
    ['integer', null, 'null'],
    // What is no number stays what it is: it is for the reader to see.
    ['integer', 'seven', '"seven"'],
    ['integer', '9'.repeat(101), `"${'9'.repeat(101)}"`],
    ['number', '12.50', '12.50'],
    ['number', '0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['number', '.5', '0.5'],
    ['number', '1e999', '"1e999"'],
    ['number', '', '""'],
    ['datetime', 1_700_000_000, '"2023-11-14T22:13:20Z"'],
    ['datetime', 1_700_000_000_250, '"2023-11-14T22:13:20.250Z"'],
    ['datetime', '2024-02-29 10:00', '"2024-02-29T10:00:00Z"'],
    ['datetime', '2024-02-29T10:00:00.123456+0200', '"2024-02-29T10:00:00.123456+02:00"'],
    ['datetime', '2024-02-29', '"2024-02-29T00:00:00Z"'],
    ['datetime', 'soon', '"soon"'],
    ['text', '007', '"007"'],
  ])('%s %j', (type, value, wanted) => {
    expect(recordText({ a: type })({ a: value as string })).toBe(`{"a":${wanted}}`);
  });

  it('changes no record, leaves out columns, and keeps what is not declared', () => {
    const record = { id: '12345678901234567890', name: 'x', extra: [1] };
    expect(recordText({ id: 'integer', name: 'text' }, new Set(['name']))(record)).toBe('{"id":12345678901234567890,"extra":[1]}');
    expect(record).toEqual({ id: '12345678901234567890', name: 'x', extra: [1] });
  });

  it('takes no text of a provider for digits', () => {
    const text = recordText({ id: 'integer' })({ id: '12345678901234567890', name: '\u0001ferrule\u0002true,"x":1' });
    expect(JSON.parse(text)).toMatchObject({ name: '\u0001ferrule\u0002true,"x":1' });
  });

  it('has no character that ends a line for some', () => {
    const text = safeLines(JSON.stringify({ a: 'x\u2028y\u0085z\u2029\u0000' }));
    expect(text).toBe('{"a":"x\\u2028y\\u0085z\\u2029\\u0000"}');
    expect(safeLines('plain')).toBe('plain');
  });
});

describe('streamSchema', () => {
  it('says of each column what recordText writes, and of undeclared keys that they are there', () => {
    expect(
      streamSchema(
        {
          columns: {
            n: { type: 'integer', help: 'How many' },
            at: { type: 'datetime' },
            o: { type: 'object' },
            l: { type: 'list' },
            gone: { type: 'text' },
          },
          primary_key: ['id'],
          cursor: 'at',
        },
        new Set(['gone']),
      ),
    ).toEqual({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      additionalProperties: true,
      properties: {
        n: { type: ['null', 'integer'], description: 'How many' },
        at: { type: ['null', 'string'], format: 'date-time' },
        o: { type: ['null', 'object'], additionalProperties: true },
        l: { type: ['null', 'array'], items: {} },
        id: { type: ['null', 'string', 'integer', 'number'] },
      },
    });
  });
});

describe('state', () => {
  it('is the text of all entries, and knows its size', () => {
    const entries = stateEntries(
      new Map<string, Json>([
        ['stream', { cursor: null }],
        ['p', { done: [] }],
      ]),
    );
    entries.apply({ p: null, 'p{"a":"é"}': { at: 1 } });
    entries.apply({ 'p{"a":"é"}': { at: 22 } });
    expect(JSON.parse(entries.text())).toEqual({ stream: { cursor: null }, 'p{"a":"é"}': { at: 22 } });
    expect(Math.abs(entries.size - entries.text().length)).toBeLessThan(5);
  });

  it('a small one is due with each commit, a large one after 10,000 records or 10 s', () => {
    const clock = new FakeClock();
    const pace = statePace(() => clock.now());
    expect(pace.isDue(1, 65_535)).toBe(true);
    expect(pace.isDue(9_998, 65_536)).toBe(false);
    expect(pace.isDue(1, 65_536)).toBe(true);
    expect(pace.written()).toBe(10_000);
    expect(pace.isDue(1, 65_536)).toBe(false);
    clock.advance(10_000);
    expect(pace.isDue(0, 65_536)).toBe(true);
    expect(pace.written()).toBe(1);
  });

  it.each([
    ['of another connector', { updated_at: '2026-01-01' }],
    ['of another tap', { replication_key: 'at', replication_key_value: '2026' }],
    ['without what it was made by', { p: { done: [] } }],
    ['with an entry that is none of ours', { stream: { cursor: null }, version: { n: 1 } }],
    ['with a text for an entry', { stream: { cursor: null }, p: 'x' }],
    ['that is a list', []],
    ['that is a text', 'x'],
  ])('%s is refused', async (_, value) => {
    expect(failureOf(() => readStreamState('items', value))).toMatchObject({ code: 'state_unusable', where: 'items' });
  });

  it('an empty one is none', () => {
    expect([undefined, null, {}].map((value) => readStreamState('items', value).size)).toEqual([0, 0, 0]);
  });
});
