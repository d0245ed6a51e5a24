import { encryptedFileStore } from '../credentials/encrypted-file.ts';
import type { CredentialStore } from '../credentials/types.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import type { Io } from './io.ts';

/** The credential store of --store, FERRULE_HOME or the person's configuration folder. */
export function openStore(args: Arguments, io: Io): CredentialStore {
  const folder = args.text('store');
  return encryptedFileStore({
    ...(folder !== undefined && { folder: pathOf(io, folder) }),
    env: { ...io.env },
    clock: io.clock,
    random: io.random,
  });
}
