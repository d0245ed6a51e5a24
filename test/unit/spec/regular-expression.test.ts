import { explodes, isAnchored, regularExpression } from '../../../framework/spec/rules/regular-expression.ts';

describe('regular expressions, looked at without running them', () => {
  // Each of these takes exponential time in a backtracking engine: 30 matching characters and one that does not.
  it.each([
    ['^(a+)+$', '(a+)+'],
    ['^([a-z]+)*$', '([a-z]+)*'],
    ['^(a|a)*$', '(a|a)*'],
    ['^(a|aa)+$', '(a|aa)+'],
    ['^(?:\\w+\\s?)*$', '(?:\\w+\\s?)*'],
    ['^(\\d+|[0-9a-f]+)*$', '(\\d+|[0-9a-f]+)*'],
    ['^(.*)*$', '(.*)*'],
    ['^((a|b)*)*$', '((a|b)*)*'],
    ['^(a*b?)*c$', '(a*b?)*'],
    ['^x(?<name>y+){2,}$', '(?<name>y+){2,}'],
  ])('%s explodes', (pattern, part) => {
    expect(explodes(pattern)).toBe(part);
  });

  it.each([
    '^[a-z]+$',
    '^([a-z]+\\.)+[a-z]{2,}$',
    '^[a-z0-9]+(-[a-z0-9]+)*$',
    '^(ab|cd)*$',
    '^(a+b)+$',
    '^(?:\\d{1,3}\\.){3}\\d{1,3}$',
    '^(\\d+,)*\\d+$',
    '^(a+){3}$',
    '^[0-9a-f]{24}:[0-9a-f]{64}$',
    '^\\u{1F600}+(?=x)(?!y)$',
    '^[\\]\\-+*(]+$',
    '^(',
  ])('%s does not', (pattern) => {
    expect(explodes(pattern)).toBeUndefined();
  });

  it('agrees with the engine: what it calls harmless is fast on hostile text', () => {
    for (const pattern of ['^([a-z]+\\.)+[a-z]{2,}$', '^[a-z0-9]+(-[a-z0-9]+)*$', '^(a+b)+$', '^(\\d+,)*\\d+$']) {
      const expression = new RegExp(pattern, 'u');
      const start = performance.now();
      for (const hostile of ['a', '1', 'a-', '1,', 'a.']) expression.test(`${hostile.repeat(2000)}!`);
      expect(performance.now() - start).toBeLessThan(500);
    }
  });

  it.each([
    ['^a$', true],
    ['a$', false],
    ['^a', false],
    ['^a\\$', false],
    ['^a\\\\$', true],
    ['^a|b$', false],
    ['^(a|b)$', true],
    ['^[|]$', true],
    ['^a\\|b$', true],
  ])('%s is anchored: %s', (pattern, expected) => {
    expect(isAnchored(pattern)).toBe(expected);
  });

  it('says what is wrong with one that does not parse', () => {
    expect(regularExpression('^[a-z').problem).toContain('class');
    expect(regularExpression('(a').problem).toContain('group');
    expect(regularExpression('^a$').problem).toBeUndefined();
  });
});
