import { COMMANDS } from '../../../framework/cli/commands.ts';
import { EXPLAINED } from '../../../framework/cli/connection-string-reference.ts';
import { main } from '../../../framework/cli/main.ts';
import { cliPage } from '../../../framework/cli/reference.ts';
import { textWidth } from '../../../framework/cli/table.ts';
import { PROPERTIES } from '../../../framework/credentials/connection-properties.ts';
import { fakeIo } from '../../cli-io.ts';

describe('the reference of the command line', () => {
  it('explains every property of a connection string that is taken, and no other', () => {
    const taken = [...PROPERTIES.values()].filter(({ kind }) => kind !== 'unsupported').map(({ name }) => name);
    expect([...EXPLAINED].sort()).toEqual(taken.sort());
  });

  it('has every option of every command', () => {
    const page = cliPage();
    const missing = COMMANDS.flatMap(({ options }) => Object.keys(options)).filter((name) => !page.includes(`\`--${name}`));
    expect(missing).toEqual([]);
  });

  it.each(COMMANDS.map(({ name }) => name))('%s --help fits 80 columns', async (name) => {
    const io = fakeIo({ columns: 80 });
    expect(await main([name, '--help'], io)).toBe(0);
    expect(
      io
        .out()
        .split('\n')
        .filter((line) => textWidth(line) > 80),
    ).toEqual([]);
  });
});
