import { readSource } from '../../../framework/spec/source.ts';
import type { SpecTree } from '../../../framework/spec/tree.ts';

const tree = (text: string | Uint8Array): SpecTree => {
  const { tree: made, findings } = readSource(text, 'acme.yaml');
  expect(findings).toEqual([]);
  if (made === undefined) throw new Error('no tree');
  return made;
};
const findings = (text: string | Uint8Array): string[] =>
  readSource(text, 'acme.yaml').findings.map(({ rule, start, message, hint }) =>
    `${start.line}:${start.column} ${rule}: ${message} ${hint ?? ''}`.trim(),
  );

describe('readSource', () => {
  it.each([
    ['brackets', `x: ${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['braces', `x: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}`],
    ['dashes', `x:\n  ${'- '.repeat(5000)}a`],
    ['indentation', Array.from({ length: 900 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
  ])('%s without end are told as what they are, where they go too deep', (_, text) => {
    const found = findings(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^\d+:\d+ yaml-syntax: More than 64 levels deep\.$/);
  });

  it('refuses a key that objects would lose', () => {
    expect(findings('a: { __proto__: 1 }\nb:\n  - __proto__: { x: 1 }\nconstructor: 1\n')).toEqual([
      '1:6 bad-name: Nothing can be called `__proto__`.',
      '3:5 bad-name: Nothing can be called `__proto__`.',
    ]);
  });

  it('keeps the characters of each scalar beside what YAML 1.2 reads', () => {
    const { root } = tree('a: 1.10\nb: 007\nc: true\nd: "1"\ne: ~\nf:\ng: 0x1F\nh: .inf\ni: 2022-11-28\nj: -3e2\nk: +5\n');
    const shown =
      root.kind === 'map' ? [...root.entries.values()].map(({ value }) => value.kind === 'scalar' && [value.value, value.text]) : [];
    expect(shown).toEqual([
      [1.1, '1.10'],
      [7, '007'],
      [true, 'true'],
      ['1', '1'],
      [null, '~'],
      [null, ''],
      ['0x1F', '0x1F'],
      ['.inf', '.inf'],
      ['2022-11-28', '2022-11-28'],
      [-300, '-3e2'],
      [5, '+5'],
    ]);
  });

  it('knows where keys and values stand, also behind a byte order mark, in CRLF files and beyond the BMP', () => {
    const text = tree('\uFEFFname: 𝒳 acme\r\nhttp:\r\n  base_url: x\r\nlist: [a, {b: c}]\r\n');
    const at = (path: (string | number)[], part?: 'key' | 'value'): string => {
      const { start, end } = text.range(path, part);
      return `${start.line}:${start.column}-${end.line}:${end.column}`;
    };
    expect(at(['name'], 'key')).toBe('1:1-1:5');
    // U+1D4B3 counts as two UTF-16 units.
    expect(at(['name'])).toBe('1:7-1:14');
    expect(at(['http', 'base_url'])).toBe('3:13-3:14');
    expect(at(['http', 'base_url'], 'key')).toBe('3:3-3:11');
    expect(at(['list', 1, 'b'])).toBe('4:15-4:16');
    // A missing path stands at the key of its nearest ancestor.
    expect(at(['http', 'headers', 'A'])).toBe('2:1-2:5');
    expect(at(['nothing'])).toBe('1:1-1:5');
    expect(tree(new TextEncoder().encode('\uFEFFa: b')).range(['a']).start).toEqual({ line: 1, column: 4, offset: 3 });
  });

  it.each([
    ['plain', 'a: xy${z}\n', 2, '1:6'],
    ['single quotes, doubled ones before it', "a: 'it''s ${z}'\n", 5, '1:11'],
    ['double quotes, escapes before it', 'a: "\\t\\u00e9\\x41\\U0001D4B3${z}"\n', 5, '1:27'],
    ['literal block', 'a: |\n  one\n   ${z}\n', 5, '3:4'],
    ['literal block in CRLF', 'a: |-\r\n  one\r\n  ${z}\r\n', 4, '3:3'],
    ['folded block: the start of the expression', 'a: >-\n  one\n  two ${z}\n', 8, '3:7'],
    ['folded block, second expression', 'a: >-\n  ${x}\n  two ${zz}\n', 11, '3:7'],
    ['plain on two lines', 'a: one\n  ${z}\n', 4, '2:3'],
  ])('finds an offset in a text: %s', (_name, source, offset, expected) => {
    const { start } = tree(source).within(['a'], offset, offset + 1);
    expect(`${start.line}:${start.column}`).toBe(expected);
  });

  it('refuses what is too large, not UTF-8, deeper than any spec, or no mapping', () => {
    expect(findings(`a: ${'x'.repeat(1024 * 1024)}`)).toEqual([
      expect.stringContaining('1:1 file-unreadable: The file has more than 1 MiB'),
    ]);
    expect(findings(new Uint8Array([0x61, 0x3a, 0x20, 0xff]))).toEqual(['1:1 file-unreadable: The file is not UTF-8. Save it as UTF-8.']);
    expect(findings(`a: ${'['.repeat(100)}${']'.repeat(100)}`)).toEqual([expect.stringContaining('More than 64 levels deep')]);
    expect(findings(`a: ${'['.repeat(50000)}`)).toHaveLength(1);
    for (const text of ['', '# nothing', 'word', '- a\n- b']) expect(findings(text)).toEqual([expect.stringContaining('1:')]);
  });

  it('keeps a key named __proto__ a plain key, which it refuses', () => {
    const value = readSource('a: { __proto__: { b: 1 } }', 'acme.yaml').tree?.value as { a: object };
    expect(Object.keys(value.a)).toEqual(['__proto__']);
    expect(({} as { b?: number }).b).toBeUndefined();
  });

  // Each with the place and the words by hand: where the mistake was made, not where the parser gave up.
  it.each([
    ['a: [1\nb: 2\n', '1:4 yaml-syntax: This `[` is never closed. Close it with `]`.'],
    ['a: {b: 1, c: [2}\n', '1:14 yaml-syntax: This `[` is never closed. Close it with `]`.'],
    ['a: "x\nb: "c"\n', '1:4 yaml-syntax: This `"` is never closed. Close it with `"`.'],
    ['a:\n  - "x\n    b: "c"\n', '2:5 yaml-syntax: This `"` is not closed on its line. Close it with `"`.'],
    ["help: 'it's fine'\n", "1:10 yaml-syntax: The quoted text ends here, but more follows. Inside '…' write '' for one '."],
    ['a: { p: /x/${x.y} }\n', '1:9 yaml-syntax: `${…}` inside `{ }` or `[ ]` must be quoted. Write "/x/${x.y}".'],
    ['a: ${x ? 1 : 2}\n', "1:4 yaml-syntax: `: ` inside an unquoted `${…}` ends the text there. Quote it: '${x ? 1 : 2}'."],
    ['help: a: b\n', '1:7 yaml-syntax: `help: …` holds a second `: `. If it is text, quote it: "a: b".'],
    ['b: 2\na:1\nc: 3\n', '2:2 yaml-syntax: A space is missing after `a:`. Write `a: 1`.'],
    ['a: {b:1}\n', '1:6 yaml-syntax: A space is missing after `b:`. Write `b: 1`.'],
    ['m:\n\ta: 1\n', '2:1 yaml-syntax: A tab stands where the line is indented. Indent with spaces.'],
    [
      'm:\n  a: 1\n b: 2\n',
      '3:2 yaml-syntax: This line is indented unlike its neighbours. Give all keys of one mapping the same indentation.',
    ],
    [
      'a: 1\n  b: 2\n',
      '2:3 yaml-syntax: This line is indented as if it belonged to the value above. Indent it like the key above, or give that key a mapping.',
    ],
    [
      'a: 1\nfoo bar\nb: 2\n',
      '2:1 yaml-syntax: `foo bar` is no `key: value`. A `: ` is missing, or the line belongs to the value above and must be indented.',
    ],
    [
      'a: { b: c: d }\n',
      '1:9 yaml-syntax: A second `: ` in one entry of `{ }` or `[ ]`. Quote the value, or put a comma between two entries.',
    ],
    ['a: - b\n', '1:4 yaml-syntax: A list begins on the line of its key. Write `key: [a, b]`, or each `- a` on a line of its own below.'],
    [
      'a: ["b" "c"]\n',
      '1:9 yaml-syntax: A comma is missing between two entries. Put `,` between them, or quote a value that holds `{ } [ ] ,`.',
    ],
    ['r: @odata\n', "1:4 yaml-syntax: A value can't begin with `@`. Quote it. As a path: '[\"@…\"]'."],
    ['r: *.product\n', "1:4 yaml-feature: A value can't begin with *: YAML takes `*.product` for an alias. Write `$.*.product`."],
    [
      'a: &x 1\n',
      '1:4 yaml-feature: Anchors (&name) are not part of the language. If the text itself is meant, quote it; else write the value out.',
    ],
    ['a: !!str 1\n', '1:4 yaml-feature: Tags (!!str) are not part of the language. Leave it out; quote the value if it is text.'],
    [
      '<<: {a: 1}\n',
      '1:1 yaml-feature: Merge keys (<<) are not part of the language. Use a template (`templates`, `use`), or write the keys out.',
    ],
    ['a: 1\nb: 2\na: 3\n', '3:1 duplicate-key: `a` stands here twice. The first is on line 1. Keep one.'],
    ['a: 1\n---\nb: 1\n', '2:1 yaml-syntax: A spec is one YAML document; here a second one begins. Put each spec in a file of its own.'],
    ['? [a]\n: 1\n', '1:3 yaml-syntax: A key is one plain word. Quote it if it is text with special characters.'],
  ])('%j', (text, expected) => {
    expect(findings(text)).toEqual([expected]);
  });
});
