import { broken, defines, hasTest, type Reference, references, textOf } from './references.ts';

/** `docs/security-oauth.md`, written by hand: each row as the page has it. */
interface Row {
  section: string;
  verdict: string;
  what: string;
  code: Reference[];
  tests: Reference[];
}

const PAGE = textOf('docs/security-oauth.md');
const VERDICTS = ['done', 'partly', 'not ours', 'not done'];
/** The sections of RFC 9700 with rules in them, from its table of contents. */
const SECTIONS = ['2.1', '2.1.1', '2.1.2', '2.2.1', '2.2.2', '2.3', '2.4', '2.5', '2.6'];
const ATTACKS = Array.from({ length: 17 }, (_, index) => `4.${index + 1}`);

function rowsUnder(heading: string): Row[] {
  const [, part = ''] = PAGE.split(`## ${heading}`);
  const lines = (part.split(/^## /m)[0] ?? '').split('\n').filter((line) => /^\| \d/.test(line));
  return lines.map((line) => {
    const cells = line.slice(1, -1).split(' |');
    if (cells.length !== 6) throw new Error(`${cells.length} cells: ${line}`);
    const [section = '', , verdict = '', what = '', code = '', tests = ''] = cells.map((cell) => cell.trim());
    return { section, verdict, what, code: references(code), tests: references(tests) };
  });
}

const BCP = rowsUnder('RFC 9700');
const ROWS = [...BCP, ...rowsUnder('RFC 8252'), ...rowsUnder('RFC 8628')];

describe('docs/security-oauth.md', () => {
  it('has every section of RFC 9700 that has rules, and rows of the two others', () => {
    const sections = BCP.map(({ section }) => section);
    expect(SECTIONS.filter((one) => !sections.includes(one))).toEqual([]);
    expect(ATTACKS.filter((one) => !sections.some((section) => section === one || section.startsWith(`${one}.`)))).toEqual([]);
    expect([rowsUnder('RFC 8252').length, rowsUnder('RFC 8628').length].every((count) => count >= 5)).toBe(true);
  });

  it('says of each rule how it stands; what is done or half done has code and a test, all else a reason', () => {
    expect(ROWS.filter(({ verdict }) => !VERDICTS.includes(verdict))).toEqual([]);
    const claimed = ROWS.filter(({ verdict }) => verdict === 'done' || verdict === 'partly');
    expect(claimed.filter(({ code, tests }) => code.length === 0 || tests.length === 0)).toEqual([]);
    expect(ROWS.filter(({ what }) => what.length < 10)).toEqual([]);
  });

  it('every file that it names is there, and is the one that it links to', () => {
    const named = ROWS.flatMap(({ code, tests }) => [...code, ...tests]);
    expect(broken(named)).toEqual([]);
    expect(ROWS.flatMap(({ code }) => code).filter(({ file }) => !file.startsWith('framework/'))).toEqual([]);
    expect(ROWS.flatMap(({ tests }) => tests).filter(({ file }) => !file.startsWith('test/'))).toEqual([]);
  });

  it('every file of code defines what is named of it', () => {
    const named = ROWS.flatMap(({ code }) => code).flatMap(({ file, named }) => (named === undefined ? [] : [{ file, named }]));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(({ file, named }) => !defines(file, named))).toEqual([]);
  });

  it('every test has the title that is named, and every fixture marks its finding', () => {
    const lacking = ROWS.flatMap(({ tests }) => tests).filter((test) => {
      const { file, named } = test;
      if (named !== undefined) return !hasTest(test);
      const [, rule] = /^test\/lint\/([^/]+)\/bad\.yaml$/.exec(file) ?? [];
      return rule === undefined ? !file.startsWith('test/auth/tricky/') : !textOf(file).includes(`^ ${rule}\n`);
    });
    expect(lacking).toEqual([]);
  });
});
