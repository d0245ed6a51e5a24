import { hanging } from '../../../framework/cli/say.ts';
import { styleOf, visible } from '../../../framework/cli/style.ts';
import { table, textWidth, wrap } from '../../../framework/cli/table.ts';
import { fakeIo } from '../../cli-io.ts';

describe('what is said to a person', () => {
  it('is broken at spaces, and goes on two columns further in', () => {
    // 20 columns: "  next: Check the" is 17 wide, "path." would make it 23; below there are 20 - 2 - 2 columns.
    expect(hanging('error: no\n  next: Check the path. It is not there.\n', 20)).toBe(
      'error: no\n  next: Check the\n    path. It is not\n    there.\n',
    );
    expect(hanging('a long line stays whole in a file', undefined)).toBe('a long line stays whole in a file');
  });
});

describe('tables', () => {
  it('aligns, numbers at the right, nothing after the last word of a line', () => {
    expect(
      table(
        ['Name', 'Records', 'File'],
        [
          ['a', '5', 'x'],
          ['longer', '1200', ''],
        ],
        { right: [1], indent: ' ' },
      ),
    ).toBe(' Name    Records  File\n a             5  x\n longer     1200\n');
  });

  it('breaks the widest columns at spaces where the terminal is narrow', () => {
    const rows = [['key', 'one two three four five', 'alpha beta gamma delta']];
    // 30 less 3 and two gaps of 2 leaves 23: both give in turn, from 23 and 22 down to 11 and 12.
    expect(table(['K', 'First', 'Second'], rows, { width: 30 })).toBe(
      'K    First        Second\nkey  one two      alpha beta\n     three four   gamma delta\n     five\n',
    );
  });

  it('keeps a word whole that is wider than the terminal', () => {
    expect(table(['', ''], [['a', 'https://example.com/long']], { width: 10 })).toBe('a  https://example.com/long\n');
  });

  it('counts wide characters as two, accents and colours as none', () => {
    expect(textWidth('東京')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
    expect(textWidth('\u001b[1mab\u001b[22m')).toBe(2);
    expect(
      table(
        ['', ''],
        [
          ['東京', 'x'],
          ['abcd', 'y'],
        ],
      ),
    ).toBe('東京  x\nabcd  y\n');
  });

  it('shows control characters of providers and specs, and colours a broken cell line by line', () => {
    expect(table(['', ''], [['a\u0007b', 'c\nd']])).toBe('a\\x07b  c d\n');
    expect(visible('\u001b[2Jx')).toBe('\\x1b[2Jx');
    const red = styleOf(fakeIo({ columns: 80 }).stdout, {}).red;
    expect(table([''], [[red('a\u001b[2Jb')], ['\u001b[2Jc']])).toBe(`${red('a\\x1b[2Jb')}\n\\x1b[2Jc\n`);
    expect(table([''], [[red('one two')]], { width: 3 })).toBe(`${red('one')}\n${red('two')}\n`);
  });

  it('wraps at spaces', () => {
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
  });
});

describe('colours', () => {
  it('only on a terminal, and not with NO_COLOR or a dumb one', () => {
    const terminal = fakeIo({ columns: 80 }).stdout;
    expect(styleOf(terminal, {}).color).toBe(true);
    expect(styleOf(terminal, { NO_COLOR: '1' }).color).toBe(false);
    expect(styleOf(terminal, { NO_COLOR: '' }).color).toBe(true);
    expect(styleOf(terminal, { TERM: 'dumb' }).color).toBe(false);
    expect(styleOf(fakeIo().stdout, {}).color).toBe(false);
  });
});
