import { broken, hasTest, references, textOf } from './references.ts';

interface Promised {
  what: string;
  against: string[];
  code: ReturnType<typeof references>;
  tests: ReturnType<typeof references>;
}

const PAGE = textOf('docs/security.md');
const rows = (head: string): string[][] =>
  PAGE.split(`\n${head}\n`)
    .slice(1)
    .flatMap((part) => (part.split('\n\n')[0] ?? '').split('\n').slice(1))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' |')
        .map((cell) => cell.trim()),
    );

const WHO = rows('| | Who | What they can do |').map(([letter = '']) => letter);
const PROMISES: Promised[] = rows('| Promise | Against | Code | Test |').map((cells) => {
  if (cells.length !== 4) throw new Error(`${cells.length} cells: ${cells[0]}`);
  const [what = '', against = '', code = '', tests = ''] = cells;
  return { what, against: against.split(' '), code: references(code), tests: references(tests) };
});

describe('docs/security.md', () => {
  it('promises something against each who is named, and nothing against others', () => {
    expect(PROMISES.length).toBeGreaterThan(20);
    expect([...new Set(PROMISES.flatMap(({ against }) => against))].sort()).toEqual([...WHO].sort());
  });

  it('names for each promise code and a test that are there', () => {
    expect(PROMISES.filter(({ code, tests }) => code.length === 0 || tests.length === 0).map(({ what }) => what)).toEqual([]);
    expect(broken(PROMISES.flatMap(({ code, tests }) => [...code, ...tests]))).toEqual([]);
    expect(PROMISES.flatMap(({ tests }) => tests).filter(({ file }) => !/^test\/.*\.test\.ts$/.test(file))).toEqual([]);
  });

  it('every test that it names by its title has that title', () => {
    const titled = PROMISES.flatMap(({ tests }) => tests).filter(({ named }) => named !== undefined);
    expect(titled.length).toBeGreaterThan(20);
    expect(titled.filter((test) => !hasTest(test))).toEqual([]);
  });

  it('every command that it names is there', () => {
    const scripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: object }).scripts);
    const named = [...PAGE.matchAll(/`npm (?:run )?([a-z:]+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThanOrEqual(5);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});
