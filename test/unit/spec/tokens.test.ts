import { readdirSync, readFileSync } from 'node:fs';
import { Parser } from 'yaml';
import { compose } from '../../../framework/spec/source.ts';
import { treeOfTokens } from '../../../framework/spec/tokens.ts';
import type { SpecNode } from '../../../framework/spec/tree.ts';

/** The short way must agree with yaml's own composer in all it accepts, and accept all that is usual. */
const SPECS = readdirSync('connectors')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(`connectors/${name}`, 'utf8'));
const FIXTURES = readdirSync('test/lint', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(`test/lint/${name}`, 'utf8'));

const plain = (node: SpecNode | undefined): unknown => {
  if (node?.kind === 'map')
    return { ...node, entries: [...node.entries.values()].map((entry) => ({ ...entry, value: plain(entry.value) })) };
  return node?.kind === 'list' ? { ...node, items: node.items.map(plain) } : node;
};

function both(text: string): { short: unknown; long: unknown; problems: string[] } {
  const tokens = [...new Parser().parse(text)];
  const problems: string[] = [];
  const long = compose(text, tokens, (_rule, message) => problems.push(message));
  return { short: plain(treeOfTokens(text, tokens)), long: plain(long), problems };
}

/** A linear congruential generator (Numerical Recipes): the same mangled files on every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const BITS =
  '"|\'|{|}|[|]|:|: |- |\n|\n  |\t| #| # x|#|, |,|&a |*a|!t |>-\n|?|? |---\n|...\n|%|@|\\|  | |${|a: b|\r\n|- - a|<<: x\n|"a": b|{a: b, c}|[a: b]| :x|~|""|\'\'|"\\x"|é'
    .split('|')
    .concat('|', '| ', '|\n');

function mangle(text: string, next: (below: number) => number): string {
  const from = text.lastIndexOf('\n', next(text.length)) + 1;
  let mangled = text.length > 800 ? text.slice(from, from + next(700)) : text;
  for (let edits = next(3); edits >= 0; edits--) {
    const at = next(mangled.length + 1);
    const way = next(10);
    if (way < 6) mangled = mangled.slice(0, at) + BITS[next(BITS.length)] + mangled.slice(at);
    else if (way < 9) mangled = mangled.slice(0, at) + mangled.slice(at + 1 + next(4));
    else {
      const lines = mangled.split('\n');
      const line = next(lines.length);
      lines[line] = ' '.repeat(next(4)) + (lines[line] ?? '').trim();
      mangled = lines.join('\n');
    }
  }
  return mangled;
}

describe('treeOfTokens', () => {
  it('takes every bundled spec, and gives what the composer gives', () => {
    for (const text of SPECS) {
      const { short, long } = both(text);
      expect(short).toBeDefined();
      expect(short).toEqual(long);
    }
  });

  it.each([
    'a: &x 1\n',
    'a: *x\n',
    'a: !t 1\n',
    '? a\n: 1\n',
    'a: 1\na: 2\n',
    '<<: { a: 1 }\n',
    'a: 1\n---\nb: 1\n',
    '%YAML 1.2\n---\na: 1\n',
    'a: {b}\n',
    'a: [b: c]\n',
    'a: [1\n',
    'a: "x\n',
    'a:\tb\n',
    '- a\n-\n',
    '',
  ])('leaves %j to the composer', (text) => {
    expect(both(text).short).toBeUndefined();
  });

  it('agrees with the composer on 1,000 mangled files wherever it takes them', () => {
    const next = random(20260131);
    const sources = [...SPECS.map((text) => text.slice(0, 6000)), ...FIXTURES];
    let taken = 0;
    for (let count = 0; count < 1000; count++) {
      const text = mangle(sources[next(sources.length)] as string, next);
      const { short, long, problems } = both(text);
      if (short === undefined) continue;
      taken++;
      if (problems.length > 0 || JSON.stringify(short) !== JSON.stringify(long))
        expect({ text, short, problems }).toEqual({ text, short: long, problems: [] });
    }
    // Enough for the comparison to mean something.
    expect(taken).toBeGreaterThan(150);
  });
});
