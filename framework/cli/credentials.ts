import { FerruleError, isFerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { connectionOf, toConnectionString } from '../credentials/connection-write.ts';
import { maskCredential } from '../credentials/mask.ts';
import { connectorShape } from '../credentials/shape.ts';
import type { CredentialStore } from '../credentials/types.ts';
import { connectStored } from '../engine/connect.ts';
import { consents } from '../spec/auth-types.ts';
import type { Arguments } from './arguments.ts';
import { behaviourOptions } from './behaviour.ts';
import { findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { errorText } from './error-text.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { say } from './say.ts';
import { openStore, storedCredential } from './store.ts';
import { styleOf } from './style.ts';
import { table, widthOf } from './table.ts';

const ACTIONS: Readonly<Record<string, (store: CredentialStore, args: Arguments, io: Io) => Promise<number>>> = {
  list,
  show,
  copy,
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
  const rows = all.map(({ name, connector, method, choices, sandbox, state, checked, updated, description = '' }) => [
    style.bold(name),
    connector,
    [method, ...Object.entries(choices).map(([choice, id]) => `${choice}=${id}`)].join(', '),
    `${state === 'reconnect' ? style.yellow('connect again') : 'ready'}${sandbox ? ', sandbox' : ''}`,
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
}

function named(args: Arguments): string {
  const [action, name] = args.positionals;
  if (name === undefined) throw new FerruleError('usage', `credentials ${action} wants the name of a credential`);
  return name;
}

async function show(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const credential = await storedCredential(store, named(args));
  const reveal = args.flag('reveal');
  if (args.flag('connection-string')) {
    const { spec } = await findSpec(args, io, credential.connector);
    const shape = connectorShape(spec);
    await print(io.stdout, `${toConnectionString(connectionOf(credential, shape), shape, { reveal })}\n`);
    if (!reveal) await say(io.stderr, 'Secrets are masked. --reveal writes them, so that the string can be read back.\n');
    if (credential.sandbox !== undefined) await say(io.stderr, 'It was made for a sandbox: the provider itself does not accept it.\n');
    return 0;
  }
  if (reveal) throw new FerruleError('usage', '--reveal goes with --connection-string');
  const { sandbox, ...masked } = maskCredential(credential);
  if (args.flag('json')) {
    await printJson(io, maskCredential(credential));
    return 0;
  }
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const rows = Object.entries(masked).flatMap(([key, value]): string[][] => {
    if (typeof value !== 'object' || value === null) return [[style.dim(key), String(value)]];
    const inner = key === 'expires' || key === 'obtained' ? times(value as Record<string, number>) : Object.entries(value);
    return inner.map(([name, item]) => [style.dim(`${key}.${name}`), typeof item === 'string' ? item : JSON.stringify(item)]);
  });
  if (sandbox !== undefined) rows.push([style.dim('sandbox'), [...new Set(Object.values(credential.sandbox?.addresses ?? {}))].join(' ')]);
  await print(io.stdout, table(['', ''], rows, { ...(width !== undefined && { width }) }));
  return 0;
}

const times = (value: Record<string, number>): [string, string][] =>
  Object.entries(value).map(([name, at]) => [name, new Date(at).toISOString()]);

/**
 * The same inputs under another name. Tokens are not copied: two credentials with one refresh token would end each other's
 * grant at a provider that rotates it.
 */
async function copy(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const name = named(args);
  const wanted = newName(args);
  const { scope: _granted, state: _state, checked: _checked, obtained: _obtained, ...credential } = await storedCredential(store, name);
  const { spec } = await findSpec(args, io, credential.connector);
  const method = spec.auth[credential.method];
  const personal = method !== undefined && consents(method);
  const empty = { captures: {}, expires: {}, ...(personal && { state: 'reconnect' as const }) };
  await store.put({ ...credential, ...empty, name: wanted, created: new Date(io.clock.now()).toISOString() }, { expectVersion: 0 });
  const next = personal ? ` It has no grant of its own yet: \`ferrule connect ${credential.connector} --name '${wanted}'\` gets one.` : '';
  await say(io.stderr, `"${wanted}" has the inputs of "${name}".${next}\n`);
  return 0;
}

async function rename(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const name = named(args);
  const wanted = newName(args);
  const credential = await storedCredential(store, name);

  // Only if the new name is free: nothing is lost when it is not.
  await store.put({ ...credential, name: wanted }, { expectVersion: 0 });
  await store.remove(name);
  await print(io.stderr, `"${name}" is now "${wanted}".\n`);
  return 0;
}

function newName({ positionals: [action, , name] }: Arguments): string {
  if (name === undefined) throw new FerruleError('usage', `credentials ${action} wants the new name too`);
  return name;
}

async function remove(store: CredentialStore, args: Arguments, io: Io): Promise<number> {
  const name = named(args);
  const { connector } = await storedCredential(store, name);
  if (!args.flag('revoke')) {
    if (args.flag('force')) throw new FerruleError('usage', '--force goes with --revoke');
    await store.remove(name);
    await print(io.stderr, `"${name}" is removed here. At the provider the key or grant stays valid until it is revoked there.\n`);
    return 0;
  }
  const failure = await revoked(store, name, connector, args, io);
  if (failure === undefined) {
    await store.remove(name);
    await print(io.stderr, `"${name}" is revoked at the provider and removed here.\n`);
    return 0;
  }
  if (!args.flag('force')) {
    await print(io.stderr, `"${name}" was not revoked, and stays. To remove it here all the same, pass --force.\n`);
    throw failure;
  }
  await store.remove(name);
  await print(io.stderr, errorText(failure, io));
  await print(io.stderr, `"${name}" is removed here. It was not revoked: at the provider it stays valid.\n`);
  return 1;
}

/** Undefined when the provider knows now that it is over. */
async function revoked(store: CredentialStore, name: string, connector: string, args: Arguments, io: Io): Promise<unknown> {
  try {
    const { spec } = await findSpec(args, io, connector);
    const shared = {
      ...(await behaviourOptions(args, io, { everyCall: false })),
      environment: io.env,
      clock: io.clock,
      random: io.random,
      signal: io.signal,
    };
    await using connection = await connectStored(spec, name, { ...shared, store });
    await connection.revoke({ signal: io.signal });
    return undefined;
  } catch (error) {
    if (io.signal.aborted || !isFerruleError(error)) throw error;
    return error;
  }
}
