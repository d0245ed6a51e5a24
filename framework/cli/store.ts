import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { storeOf } from '../credentials/store-address.ts';
import type { Credential, CredentialStore } from '../credentials/types.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import type { Io } from './io.ts';

/** The credential store of --store, FERRULE_STORE, FERRULE_HOME or the person's configuration folder. */
export function openStore(args: Arguments, io: Io): CredentialStore {
  const address = args.text('store') ?? (io.env.FERRULE_STORE || undefined);
  const options = { env: { ...io.env }, clock: io.clock, random: io.random };
  // An address of a database stays what it is; a folder counts from where the person is.
  return storeOf(address === undefined || address.includes('://') ? address : pathOf(io, address), options);
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
