import { FerruleError } from '../../core/errors.ts';
import type { CredentialStore } from '../../credentials/types.ts';
import { connectStored } from '../../engine/connect.ts';
import type { Connection } from '../../engine/connection.ts';
import type { Arguments } from '../arguments.ts';
import { behaviourOptions } from '../behaviour.ts';
import { findSpec } from '../catalogue.ts';
import type { Io } from '../io.ts';

/** One word after `ferrule credentials`: a file of that name, loaded when it runs. The number is the exit code. */
export type Action = (store: CredentialStore, args: Arguments, io: Io) => Promise<number>;

/** The credential that the action is for. */
export function named({ positionals: [action, name] }: Arguments): string {
  if (name === undefined) throw new FerruleError('usage', `credentials ${action} wants the name of a credential`);
  return name;
}

/** The provider's side of it: its connection, as the options say. */
export async function connectionOf(name: string, connector: string, store: CredentialStore, args: Arguments, io: Io): Promise<Connection> {
  const { spec } = await findSpec(args, io, connector);
  return connectStored(spec, name, {
    ...(await behaviourOptions(args, io, { everyCall: false })),
    environment: io.env,
    clock: io.clock,
    random: io.random,
    signal: io.signal,
    store,
  });
}

export function newName({ positionals: [action, , name] }: Arguments): string {
  if (name === undefined) throw new FerruleError('usage', `credentials ${action} wants the new name too`);
  return name;
}

/** The file that is written or read. */
export function fileOf({ positionals: [action, file] }: Arguments): string {
  if (file === undefined) throw new FerruleError('usage', `credentials ${action} wants the name of a file`);
  return file;
}

/** @throws FerruleError usage, for words after those that the action takes */
export function takes(most: number, { positionals }: Arguments): void {
  const [action] = positionals;
  const extra = positionals[most + 1];
  if (extra !== undefined) throw new FerruleError('usage', `credentials ${action} takes no further argument "${extra}"`);
}
