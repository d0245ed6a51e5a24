import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { maskCredential } from '../credentials/mask.ts';
import type { Credential, CredentialStore } from '../credentials/types.ts';
import type { Arguments } from './arguments.ts';
import type { Run } from './commands.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { openStore } from './store.ts';
import { styleOf } from './style.ts';
import { table, widthOf } from './table.ts';

const ACTIONS: Readonly<Record<string, (store: CredentialStore, args: Arguments, io: Io) => Promise<number>>> = {
  list,
  show,
  rename,
  remove,
};

export const run: Run = async (args, io) => {
  const [action = 'list'] = args.positionals;
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined) {
    const meant = suggest(action, Object.keys(ACTIONS));
    throw new FerruleError('usage', `credentials has no action "${action}"`, {
      next: `${meant === undefined ? '' : `Did you mean ${meant}? `}The actions are ${Object.keys(ACTIONS).join(', ')}.`,
    });
  }
  const store = openStore(args, io);
  try {
    return await act(store, args, io);
  } finally {
    await store.close();
  }
};

async function list(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
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
  const rows = all.map(({ name, connector, method, choices, sandbox, state, updated, description = '' }) => [
    style.bold(name),
    connector,
    [method, ...Object.entries(choices).map(([choice, id]) => `${choice}=${id}`)].join(', '),
    `${state === 'reconnect' ? style.yellow('connect again') : 'ready'}${sandbox ? ', sandbox' : ''}`,
    updated.slice(0, 10),
    description,
  ]);
  await print(
    io.stdout,
    table(['Name', 'Connector', 'Method', 'State', 'Updated', 'Description'], rows, {
      heading: style.dim,
      ...(width !== undefined && { width }),
    }),
  );
  return 0;
}

function named(args: Arguments): string {
  const [action, name] = args.positionals;
  if (name === undefined) throw new FerruleError('usage', `credentials ${action} wants the name of a credential`);
  return name;
}

async function mustGet(store: CredentialStore, name: string): Promise<Credential> {
  const credential = await store.get(name);
  if (credential !== undefined) return credential;
  const names = (await store.list()).map((one) => one.name);
  const meant = suggest(name, names);
  const listed = names.length === 0 ? 'There is none.' : `There are: ${names.join(', ')}.`;
  throw new FerruleError('credential_unknown', `No credential "${name}" is stored`, {
    where: name,
    next: meant === undefined ? listed : `Did you mean "${meant}"?`,
  });
}

async function show(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const credential = await mustGet(store, named(args));

  const masked = maskCredential(credential);
  if (args.flag('json')) {
    await printJson(io, masked);
    return 0;
  }
  const style = styleOf(io.stdout, io.env);
  const rows = Object.entries(masked).flatMap(([key, value]): string[][] => {
    if (typeof value !== 'object' || value === null) return [[style.dim(key), String(value)]];
    const inner = key === 'expires' ? times(value as Record<string, number>) : Object.entries(value);
    return inner.map(([name, item]) => [style.dim(`${key}.${name}`), typeof item === 'string' ? item : JSON.stringify(item)]);
  });
  await print(io.stdout, table(['', ''], rows));
  return 0;
}

const times = (value: Record<string, number>): [string, string][] =>
  Object.entries(value).map(([name, at]) => [name, new Date(at).toISOString()]);

async function rename(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const name = named(args);
  const [, , wanted] = args.positionals;
  if (wanted === undefined) throw new FerruleError('usage', 'credentials rename wants the new name too');
  const credential = await mustGet(store, name);

  // Only if the new name is free: nothing is lost when it is not.
  await store.put({ ...credential, name: wanted }, { expectVersion: 0 });
  await store.remove(name);
  await print(io.stderr, `"${name}" is now "${wanted}".\n`);
  return 0;
}

async function remove(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const name = named(args);
  await mustGet(store, name);
  await store.remove(name);
  await print(io.stderr, `"${name}" is removed here. At the provider the key or grant stays valid until it is revoked there.\n`);
  return 0;
}
