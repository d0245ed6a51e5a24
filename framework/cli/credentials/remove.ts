import { FerruleError, isFerruleError } from '../../core/errors.ts';
import type { CredentialStore } from '../../credentials/types.ts';
import { logged } from '../../credentials/use.ts';
import type { Arguments } from '../arguments.ts';
import { errorText } from '../error-text.ts';
import { type Io, print } from '../io.ts';
import { storedCredential } from '../store.ts';
import { type Action, connectionOf, named, takes } from './action.ts';

export const run: Action = async (store, args, io) => {
  takes(1, args);
  const name = named(args);
  const { connector } = await storedCredential(store, name);
  const forget = () => logged(store, { action: 'removed', credential: name, connector }, io, () => store.remove(name));
  if (!args.flag('revoke')) {
    if (args.flag('force')) throw new FerruleError('usage', '--force goes with --revoke');
    await forget();
    await print(io.stderr, `"${name}" is removed here. At the provider the key or grant stays valid until it is revoked there.\n`);
    return 0;
  }
  const failure = await revoked(store, name, connector, args, io);
  if (failure === undefined) {
    await forget();
    await print(io.stderr, `"${name}" is revoked at the provider and removed here.\n`);
    return 0;
  }
  if (!args.flag('force')) {
    await print(io.stderr, `"${name}" was not revoked, and stays. To remove it here all the same, pass --force.\n`);
    throw failure;
  }
  await forget();
  await print(io.stderr, errorText(failure, io));
  await print(io.stderr, `"${name}" is removed here. It was not revoked: at the provider it stays valid.\n`);
  return 1;
};

/** Undefined when the provider knows now that it is over. */
async function revoked(store: CredentialStore, name: string, connector: string, args: Arguments, io: Io): Promise<unknown> {
  try {
    await using connection = await connectionOf(name, connector, store, args, io);
    await logged(store, { action: 'revoked', credential: name, connector }, io, () => connection.revoke({ signal: io.signal }));
    return undefined;
  } catch (error) {
    if (io.signal.aborted || !isFerruleError(error)) throw error;
    return error;
  }
}
