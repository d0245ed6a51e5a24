import { FerruleError } from '../core/errors.ts';
import { type RunRecord, readRun, runFolder, runNames, withEvents } from '../engine/run-record.ts';
import type { Arguments } from './arguments.ts';
import type { Run } from './commands.ts';
import { print } from './io.ts';
import { printJson } from './json-output.ts';
import { runText } from './run-text.ts';
import { runsText } from './runs-text.ts';

const USUAL = 20;

export const run: Run = async (args, io) => {
  const folder = runFolder(io.env);
  const [wanted] = args.positionals;
  const names = await runNames(folder);
  if (wanted === undefined) {
    const most = args.flag('all') ? Number.POSITIVE_INFINITY : USUAL;
    const { runs, more } = await listed(folder, names, most, args);
    if (args.flag('json')) await printJson(io, { runs });
    else await print(io.stdout, runsText(runs, io, { more, folder }));
    return 0;
  }
  const found = await oneRun(folder, names, wanted, args);
  const whole = await withEvents(folder, found);
  if (args.flag('json')) await printJson(io, { runs: [whole] });
  else await print(io.stdout, runText(whole, io, folder));
  return 0;
};

function isWanted(run: RunRecord, args: Arguments): boolean {
  const connector = args.text('connector');
  if (connector !== undefined && run.connector !== connector) return false;
  return !args.flag('failed') || run.state === 'failed' || run.state === 'killed';
}

/** The latest first. `more`: whether there are others. */
async function listed(
  folder: string,
  names: readonly string[],
  most: number,
  args: Arguments,
): Promise<{ runs: RunRecord[]; more: boolean }> {
  const runs: RunRecord[] = [];
  for (const name of names) {
    const one = await readRun(folder, name);
    if (one === undefined || !isWanted(one, args)) continue;
    if (runs.length >= most) return { runs, more: true };
    runs.push(one);
  }
  return { runs, more: false };
}

/** `last`, a whole name, or a beginning that only one has. @throws FerruleError input_unknown */
async function oneRun(folder: string, names: readonly string[], wanted: string, args: Arguments): Promise<RunRecord> {
  const isLast = wanted === 'last';
  const found = names.filter((name) => isLast || name.startsWith(wanted) || name.endsWith(`-${wanted}`));
  if (!isLast && found.length > 1 && !found.includes(wanted)) {
    throw new FerruleError('input_unknown', `${found.length} runs begin with "${wanted}"`, {
      where: wanted,
      next: `Name one of them: ${found.slice(0, 5).join(', ')}${found.length > 5 ? '…' : ''}`,
    });
  }
  for (const name of found.includes(wanted) ? [wanted] : found) {
    const one = await readRun(folder, name);
    // With `last` the options say of which.
    if (one !== undefined && (!isLast || isWanted(one, args))) return one;
  }
  throw new FerruleError('input_unknown', isLast ? 'No such run is logged' : `No run "${wanted}" is logged`, {
    where: wanted,
    next: 'Run `ferrule runs --all` to see their names.',
  });
}
