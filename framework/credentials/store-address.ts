import type { Clock, Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { isPostgresAddress } from '../core/postgres-address.ts';
import { reveal, type Text } from '../core/secret.ts';
import { encryptedFileStore } from './encrypted-file.ts';
import { postgresStore } from './postgres.ts';
import type { CredentialStore } from './types.ts';

export interface StoreOptions {
  /** For FERRULE_KEY, FERRULE_HOME, and what the driver of a database takes from it. */
  env?: Record<string, string | undefined>;
  clock?: Clock;
  random?: Random;
}

/** The store at an address: `postgres://…` is one in a database, anything else a folder. Nothing given: the person's own folder. */
export function storeOf(address: Text | undefined, options: StoreOptions = {}): CredentialStore {
  if (address === undefined) return encryptedFileStore(options);
  const text = reveal(address);
  if (isPostgresAddress(text)) return postgresStore({ ...options, url: address });
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme === undefined) return encryptedFileStore({ ...options, folder: text });
  throw new FerruleError('not_supported', `There is no credential store at addresses of the scheme ${scheme}.`, {
    where: 'store',
    next: 'Give a folder, or postgres://user@host/dbname.',
  });
}
