import { checkText } from './check-text.ts';
import type { Run } from './commands.ts';
import { printJson } from './json-output.ts';
import { openConnection } from './open-connection.ts';
import { say } from './say.ts';
import { styleOf } from './style.ts';

export const run: Run = async (args, io) => {
  await using opened = await openConnection(args, io);
  const report = await opened.connection.check({ signal: io.signal, allChoices: args.flag('all-choices') });
  if (opened.credential !== undefined) await opened.remember(report);
  if (args.flag('json')) await printJson(io, { ...report, ...(opened.credential !== undefined && { credential: opened.credential }) });
  else await say(io.stdout, checkText(report, styleOf(io.stdout, io.env)));
  return report.ok ? 0 : 1;
};
