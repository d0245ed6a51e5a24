import { FerruleError } from '../../core/errors.ts';
import type { CredentialStore } from '../../credentials/types.ts';
import type { Arguments } from '../arguments.ts';
import type { Io } from '../io.ts';

/** One word after `ferrule credentials`: a file of that name, loaded when it runs. The number is the exit code. */
export type Action = (store: CredentialStore, args: Arguments, io: Io) => Promise<number>;

/** The credential that the action is for. */
export function named({ positionals: [action, name] }: Arguments): string {
  if (name === undefined) throw new FerruleError('usage', `credentials ${action} wants the name of a credential`);
  return name;
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
