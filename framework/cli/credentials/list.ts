import type { CredentialSummary } from '../../credentials/types.ts';
import { print } from '../io.ts';
import { printJson } from '../json-output.ts';
import { type Style, styleOf } from '../style.ts';
import { table, widthOf } from '../table.ts';
import { type Action, takes } from './action.ts';

export const run: Action = async (store, args, io) => {
  takes(0, args);
  const all = await store.list();
  if (args.flag('json')) {
    await printJson(io, { credentials: all });
    return 0;
  }
  if (all.length === 0) {
    await print(io.stderr, 'No credential is stored. `ferrule connect <connector>` makes one.\n');
    return 0;
  }
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const rows = all.map(({ name, connector, method, choices, sandbox, state, failing, checked, updated, description = '' }) => [
    style.bold(name),
    connector,
    [method, ...Object.entries(choices).map(([choice, id]) => `${choice}=${id}`)].join(', '),
    `${stateOf(state, failing, style)}${sandbox ? ', sandbox' : ''}`,
    checked === undefined ? '' : `${checked.at.slice(0, 10)} ${checked.ok ? style.green('works') : style.red(checked.code ?? 'fails')}`,
    updated.slice(0, 10),
    description,
  ]);
  await print(
    io.stdout,
    table(['Name', 'Connector', 'Method', 'State', 'Checked', 'Updated', 'Description'], rows, {
      heading: style.dim,
      ...(width !== undefined && { width }),
    }),
  );
  return 0;
};

function stateOf(state: CredentialSummary['state'], failing: CredentialSummary['failing'], style: Style): string {
  if (state === 'reconnect') return style.yellow('connect again');
  return failing === undefined ? 'ready' : style.yellow(`renewals fail (${failing.code})`);
}
