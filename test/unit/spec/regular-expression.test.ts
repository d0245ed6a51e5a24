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
    ['^((a{0,50}){0,50}){0,50}b$', '((a{0,50}){0,50}){0,50}'],
    ['^(a+){30}b$', '(a+){30}'],
    ['^(a?){30}a{30}$', '(a?){30}'],
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
    '^([a-z0-9]{1,63}\\.){1,127}[a-z]{2,63}$',
    '^(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$',
    '^([0-9]{1,12},?)$',
    '^(?:(?:ab){10})*$',
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

  it('does not give the engine one that would end the process', () => {
    expect(regularExpression(`^${'(a'.repeat(5000)}${')'.repeat(5000)}$`).problem).toBe('it is longer than 1000 characters');
    expect(regularExpression(`^${'('.repeat(51)}a${')'.repeat(51)}$`).problem).toBe('its groups are nested deeper than 50 levels');
    expect(regularExpression(`^${'[(]\\('.repeat(60)}${'(a)'.repeat(60)}$`).problem).toBeUndefined();
  });

  it('says what is wrong with one that does not parse', () => {
    expect(regularExpression('^[a-z').problem).toContain('class');
    expect(regularExpression('(a').problem).toContain('group');
    expect(regularExpression('^a$').problem).toBeUndefined();
  });
});
