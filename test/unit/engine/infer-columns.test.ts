import type { JsonObject } from '../../../framework/core/value.ts';
import { columnSample, type InferredColumn } from '../../../framework/engine/infer-columns.ts';

function inferred(records: JsonObject[], declared: Parameters<ReturnType<typeof columnSample>['columns']>[0] = {}): InferredColumn[] {
  const sample = columnSample('items');
  for (const record of records) sample.see(record);
  return sample.columns(declared);
}

const typeOf = (...values: JsonObject[string][]): unknown => {
  const [{ type, mixed, state } = {} as InferredColumn] = inferred(values.map((value) => ({ value })));
  return mixed === undefined ? (type ?? state) : { [type as string]: mixed };
};

describe('the type of a column', () => {
  it.each([
    ['boolean', [true, null, false]],
    ['integer', [1, -5, 0]],
    ['number', [1, 2.5]],
    ['number', [1e-7]],
    ['text', ['a', '']],
    ['text', ['007', '12', '1.5']],
    ['text', ['9007199254740993']],
    ['integer', [1, '9007199254740993']],
    ['number', [1.5, '9007199254740993']],
    ['date', ['2026-01-31', null]],
    ['text', ['2026-02-30']],
    ['datetime', ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.123+02:00']],
    ['datetime', ['2026-01-31', '2026-01-31T10:00:00Z']],
    ['text', ['2026-01-31', 'soon']],
    ['text', ['2026-01-31', '']],
    ['object', [{ a: 1 }, {}]],
    ['list', [[], [1]]],
    ['unseen', [null]],
    [{ text: ['integer', 'text'] }, [1, 'one']],
    [{ text: ['integer', 'whole'] }, [1, '1']],
    [{ text: ['boolean', 'integer'] }, [true, 1]],
    [{ text: ['object', 'list'] }, [{}, []]],
  ] as [unknown, JsonObject[string][]][])('%j from %j', (type, values) => {
    expect(typeOf(...values)).toEqual(type);
  });

  it('stays as it is declared unless values contradict it', () => {
    const declared = {
      id: { type: 'integer' },
      at: { type: 'datetime' },
      day: { type: 'date' },
      size: { type: 'integer' },
      mix: { type: 'text' },
      gone: { type: 'list' },
    } as const;
    const records = [
      { new: 'x', id: '12', at: 1767225600, day: '2026-01-01', size: 1, mix: 1 },
      { new: null, id: 13, at: '2026-01-01', day: 'soon', size: 1.5, mix: 'x' },
    ];
    expect(inferred(records, declared)).toEqual([
      { name: 'id', state: 'declared', declared: 'integer', type: 'text' },
      { name: 'at', state: 'declared', declared: 'datetime', type: 'text' },
      { name: 'day', state: 'declared', declared: 'date', type: 'text' },
      { name: 'size', state: 'contradicted', declared: 'integer', type: 'number' },
      { name: 'mix', state: 'declared', declared: 'text', type: 'text', mixed: ['integer', 'text'] },
      { name: 'gone', state: 'declared', declared: 'list' },
      { name: 'new', state: 'new', type: 'text' },
    ]);
  });

  it('is not looked for where keys are data', () => {
    const record = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`k${index}`, 1]));
    expect(() => inferred([record])).toThrow(expect.objectContaining({ code: 'not_supported', where: 'streams.items' }));
  });
});
