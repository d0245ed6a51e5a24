import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintText } from '../../framework/spec/lint.ts';
import { RULES } from '../../framework/spec/rules/index.ts';

/**
 * Each fixture is a whole spec. What lint must find, and nothing else, is marked in it by hand: a comment line with a
 * caret below the place (`#   ^ rule-name`), or `#! rule-name line:column` where a caret can't stand.
 */
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const FIXTURES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .sort();
/** Found outside of lintText; tested with the catalogue. */
const ELSEWHERE = ['name-taken'];

function expected(text: string): string[] {
  const marks: string[] = [];
  let line = 0;
  for (const [at, each] of text.split(/\r?\n/).entries()) {
    const caret = /^\s*#\s*\^+ ([a-z-]+)\s*$/.exec(each);
    const said = /^\s*#! ([a-z-]+) (\d+:\d+)\s*$/.exec(each);
    if (caret !== null) marks.push(`${line}:${each.indexOf('^') + 1} ${caret[1]}`);
    else if (said !== null) marks.push(`${said[2]} ${said[1]}`);
    else line = at + 1;
  }
  return marks.sort();
}

describe('lint fixtures', () => {
  it.each(FIXTURES)('%s', (name) => {
    const bytes = readFileSync(join(FOLDER, name));
    const found = lintText(bytes, 'acme.yaml').map(({ rule, start }) => `${start.line}:${start.column} ${rule}`);
    expect(found.sort()).toEqual(expected(bytes.toString('latin1')));
  });

  it('has for each rule a fixture where it fires and one where it does not', () => {
    const lacking = RULES.filter(({ name }) => !ELSEWHERE.includes(name)).flatMap(({ name }) => {
      const own = FIXTURES.filter((file) => file.startsWith(`${name}/`)).map((file) =>
        expected(readFileSync(join(FOLDER, file), 'latin1')),
      );
      const fires = own.some((marks) => marks.some((mark) => mark.endsWith(` ${name}`)));
      const silent = own.some((marks) => marks.length === 0);
      return fires && silent ? [] : [name];
    });
    expect(lacking).toEqual([]);
  });
});
