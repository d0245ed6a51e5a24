import { isFerruleError } from '../../../framework/core/errors.ts';
import { parseJson, plainNumber, stringifyJson } from '../../../framework/core/json.ts';

function failureOf(run: () => unknown): { code: string; message: string; where: string | undefined } {
  try {
    run();
  } catch (error) {
    if (isFerruleError(error)) return { code: error.code, message: error.message, where: error.where };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseJson', () => {
  it('keeps whole numbers beyond 2^53 digit for digit as text, and no others', () => {
    const text = '{"a": 9007199254740993, "b": [-9007199254740993, 9007199254740991], "c": "9007199254740993", "d": 1.2345678901234567}';
    expect(parseJson(text, 'text')).toEqual({
      a: '9007199254740993',
      b: ['-9007199254740993', 9007199254740991],
      c: '9007199254740993',
      d: 1.2345678901234567,
    });
  });

  it('refuses to round where text is not asked for, and names the path', () => {
    const text = '{"profiles": [{"id": 1}, {"profileId": 12345678901234567, "x": 1}], "late": 1}';
    const failure = failureOf(() => parseJson(text, 'number'));
    expect(failure.code).toBe('number_too_large');
    expect(failure.where).toBe('profiles.1.profileId');
    expect(failureOf(() => parseJson('{"@odd.key": 12345678901234567}', 'number')).where).toBe('$["@odd.key"]');
    expect(failureOf(() => parseJson('12345678901234567', 'number')).where).toBe('$');
  });

  it('tells digits in strings, behind escapes, from numbers', () => {
    const text = '{"a": "x\\" 12345678901234567890", "b\\\\": 12345678901234567890, "c": "\\\\"}';
    expect(parseJson(text, 'text')).toEqual({ a: 'x" 12345678901234567890', 'b\\': '12345678901234567890', c: '\\' });
  });

  it('refuses numbers beyond every double, in both modes', () => {
    for (const mode of ['number', 'text'] as const) {
      expect(failureOf(() => parseJson('[1e400]', mode)).code).toBe('number_too_large');
      expect(parseJson('[1e300, 1e-400]', mode)).toEqual([1e300, 0]);
    }
  });

  it('does not mend broken JSON by its quotes', () => {
    for (const text of ['{12345678901234567890: 1}', '[012345678901234567890]', '[12345678901234567890x]', '[- 12345678901234567890]']) {
      expect(failureOf(() => parseJson(text, 'text')).code).toBe('response_malformed');
    }
  });

  it('says where it breaks, and quotes nothing of it', () => {
    const cases: [string, string][] = [
      ['{"a": 1,\n "b": tru}', 'line 2, column 7'],
      ['<html>private</html>', 'line 1, column 1'],
      ['{"private": "x"', 'ends too early'],
      ['{"a": "tab\there"}', 'line 1, column 11'],
      ['[1, 2,]', 'line 1, column 7'],
      ['{"a" 1}', 'line 1, column 6'],
      ['[1] 2', 'line 1, column 5'],
      ['', 'ends too early'],
      ['{"a": "\\x"}', 'line 1, column 8'],
    ];
    for (const [text, where] of cases) {
      const failure = failureOf(() => parseJson(text, 'number'));
      expect(failure.code).toBe('response_malformed');
      expect(failure.message).toContain(where);
      expect(failure.message).not.toContain('private');
    }
  });

  it('takes a thousand levels and refuses more, also where the text is broken', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(JSON.stringify(parseJson(nested(1000), 'number'))).toBe(nested(1000));
    for (const text of [nested(1001), nested(200_000), '['.repeat(200_000), '{"a":'.repeat(1500) + '1' + '}'.repeat(1500)]) {
      const failure = failureOf(() => parseJson(text, 'number'));
      expect(failure.code).toBe('response_malformed');
      expect(failure.message).toContain('deeper than 1000 levels');
    }
  });

  it('lets no key reach a prototype', () => {
    for (const text of ['{"__proto__": {"polluted": true}}', '{"__proto__": {"polluted": true}, "n": 12345678901234567890}']) {
      const value = parseJson(text, 'text') as Record<string, unknown>;
      expect(Object.hasOwn(value, '__proto__')).toBe(true);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    }
  });

  it('agrees with the platform wherever nothing would be rounded', () => {
    const value = { list: [1, -2.5, 1e-7, null, true, 'é "\\ \u2028 1234567890123456789'], deep: { '': {}, a: [] } };
    expect(parseJson(JSON.stringify(value), 'text')).toEqual(value);
    expect(parseJson(JSON.stringify(value, undefined, 3), 'number')).toEqual(value);
  });
});

describe('stringifyJson', () => {
  it('gives equal text for equal data when sorted', () => {
    expect(stringifyJson({ b: [{ d: 1, c: 2 }], a: null }, { sorted: true })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
    expect(stringifyJson({ b: 1, a: 2 })).toBe('{"b":1,"a":2}');
  });
});

describe('plainNumber', () => {
  it.each([
    [0, '0'],
    [-1.5, '-1.5'],
    [1e21, '1000000000000000000000'],
    [-1.25e22, '-12500000000000000000000'],
    [1e-7, '0.0000001'],
    [-1.5e-9, '-0.0000000015'],
    [9007199254740991, '9007199254740991'],
  ])('writes %p in plain digits', (value, text) => {
    expect(plainNumber(value)).toBe(text);
  });
});

it('sees a number of 16 digits wherever it stands', () => {
  for (let before = 0; before < 40; before++) {
    const space = ' '.repeat(before);
    for (const number of ['9007199254740993', '12345678901234567', `1${'0'.repeat(30)}`]) {
      expect(parseJson(`[${space}${number}]`, 'text')).toEqual([number]);
      expect(() => parseJson(`${space}${number}`, 'number')).toThrow(expect.objectContaining({ code: 'number_too_large' }));
    }
    // Exact as a double, and as long as one may be that is looked at no closer.
    expect(parseJson(`[${space}999999999999999]`, 'text')).toEqual([999_999_999_999_999]);
    expect(parseJson(`[${space}9007199254740991]`, 'text')).toEqual([9_007_199_254_740_991]);
  }
});
