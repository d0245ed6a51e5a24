import { isFerruleError } from '../../../framework/core/errors.ts';
import { compilePath, isPathProblem, parsePath, readPath, readRequired } from '../../../framework/core/path.ts';
import type { Json } from '../../../framework/core/value.ts';

const read = (path: string, data: Json) => readPath(compilePath(path), data);

function messageOf(path: string, data: Json): string {
  try {
    readRequired(compilePath(path), data, 'streams.orders.records');
  } catch (error) {
    if (isFerruleError(error) && error.code === 'path_missing' && error.where === 'streams.orders.records') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('readPath', () => {
  const data: Json = {
    a: { b: [{ c: 1 }, { c: 2 }], n: null },
    '@odata.next': 'url',
    'x.y': { z: 3 },
    list: [[{ v: 1 }], [{ v: 2 }, { v: 3 }]],
    one: { v: 9 },
  };

  it.each<[string, Json | undefined]>([
    ['a.b.0.c', 1],
    ['a.b.2', undefined],
    ['a.b.*.c', [1, 2]],
    ['$.a.b.1.c', 2],
    ['["@odata.next"]', 'url'],
    ["$['x.y'].z", 3],
    ['a["b"][0].c', 1],
    ['a.n', null],
    ['a.n.deeper', undefined],
    ['a.b.c', undefined],
    ['list.*.*.v', [1, 2, 3]],
    ['one.*.v', [9]],
    ['a.constructor', undefined],
    ['a.__proto__', undefined],
    ['a.b.length', undefined],
  ])('%s', (path, expected) => {
    expect(read(path, data)).toEqual(expected);
  });

  it('takes the root, a list at the root, and one object for a list of one', () => {
    expect(read('$', data)).toBe(data);
    const records: Json = [{ product: { id: 1 } }, { product: { id: 2 } }];
    expect(read('$.*.product', records)).toEqual([{ id: 1 }, { id: 2 }]);
    expect(read('$.*.product', { product: { id: 1 } })).toEqual([{ id: 1 }]);
    expect(read('$.*', [])).toEqual([]);
  });

  it('loses no element unseen: one that lacks the rest makes the whole missing, unless the path says so', () => {
    const records: Json = [{ order: 1 }, { odrer: 2 }, { order: 3 }];
    expect(read('$.*.order', records)).toBeUndefined();
    expect(read('$.*.order?', records)).toEqual([1, 3]);
  });

  it('reads own keys named like those of a prototype', () => {
    expect(read('toString', JSON.parse('{"toString": 1}'))).toBe(1);
    expect(read('__proto__.x', JSON.parse('{"__proto__": {"x": 1}}'))).toBe(1);
  });
});

describe('readRequired', () => {
  it('names the first missing segment and what is there', () => {
    expect(messageOf('data.pivot.results', { data: { pivots: {}, total: 1 } })).toBe(
      'Path data.pivot.results finds nothing: data has no pivot. It has: pivots, total.',
    );
    expect(messageOf('data.0', { data: [] })).toBe('Path data.0 finds nothing: data has no 0. It is a list of 0.');
    expect(messageOf('a.b', { a: 'private' })).toBe('Path a.b finds nothing: a is a string.');
    expect(messageOf('$.*.order', [{ order: 1 }, { odrer: 2 }])).toContain('element 1');
  });

  it('shows no values and few names', () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`key_${i}`, 'private']));
    expect(messageOf('x', many)).toContain('… (30)');
    expect(messageOf('x', many)).not.toContain('private');
  });

  it('takes null for a value and leaves an optional path alone', () => {
    expect(readRequired(compilePath('a'), { a: null }, 'x')).toBeNull();
    expect(readRequired(compilePath('b?'), { a: null }, 'x')).toBeUndefined();
  });
});

describe('parsePath', () => {
  it.each([
    ['', 0, 'empty'],
    ['*.product', 0, '$.*'],
    ['a..b', 2, '.'],
    ['a.', 2, 'dot'],
    ['a.@odata', -1, ''],
    ['a?.b', 1, 'last segment'],
    ['a[b]', 1, 'quoted key'],
    ['a.${x}', 2, 'no ${…}'],
    ['a b', 1, 'goes on with'],
  ])('%p', (text, offset, words) => {
    const path = parsePath(text);
    if (offset < 0) {
      expect(isPathProblem(path)).toBe(false);
      return;
    }
    if (!isPathProblem(path)) throw new Error('no problem was found');
    expect(path.offset).toBe(offset);
    expect(path.problem).toContain(words);
  });
});
