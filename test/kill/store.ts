import { storeOf } from '../../framework/credentials/store-address.ts';
import type { CredentialStore } from '../../framework/credentials/types.ts';

/** Where a killed process's credential is kept, so that another process finds it. */
export interface StoreAddress {
  /** A folder, or the address of a database. */
  at: string;
  /** FERRULE_KEY. */
  key: string;
}

export const storeAt = async ({ at, key }: StoreAddress): Promise<CredentialStore> => storeOf(at, { env: { FERRULE_KEY: key } });
