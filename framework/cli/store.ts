import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { encryptedFileStore } from '../credentials/encrypted-file.ts';
import type { Credential, CredentialStore } from '../credentials/types.ts';
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

/** @throws FerruleError credential_unknown, with the nearest name or all there are */
export async function storedCredential(store: CredentialStore, name: string): Promise<Credential> {
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
