import { print } from '../io.ts';
import { printJson } from '../json-output.ts';
import { say } from '../say.ts';
import { styleOf } from '../style.ts';
import { table, widthOf } from '../table.ts';
import { type Action, takes } from './action.ts';

/** Enough for a terminal. */
const DEFAULT_LIMIT = 50;

/** Who used what, and when. */
export const run: Action = async (store, args, io) => {
  takes(1, args);
  const [, name] = args.positionals;
  let unreadable = 0;
  const skipped = (lines: number) => {
    unreadable = lines;
  };
  const limit = args.count('limit', 1) ?? (args.flag('json') ? undefined : DEFAULT_LIMIT);
  const uses = await store.uses({ ...(name !== undefined && { name }), ...(limit !== undefined && { limit }), skipped });
  if (unreadable > 0) await say(io.stderr, `Skipped ${unreadable} broken ${unreadable === 1 ? 'line' : 'lines'} in the log.\n`);
  if (args.flag('json')) {
    await printJson(io, { uses });
    return 0;
  }
  if (uses.length === 0) {
    await print(io.stderr, 'No use is written down.\n');
    return 0;
  }
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const rows = uses.map(({ at, action, credential, connector = '', by, outcome }) => [
    at,
    action,
    style.bold(credential),
    connector,
    outcome === 'ok' ? style.green(outcome) : style.red(outcome),
    by,
  ]);
  const options = { heading: style.dim, ...(width !== undefined && { width }) };
  await print(io.stdout, table(['At', 'Action', 'Credential', 'Connector', 'Outcome', 'By'], rows, options));
  return 0;
};
