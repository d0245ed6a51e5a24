import { encryptedFileStore } from '../../framework/credentials/encrypted-file.ts';
import type { CredentialStore } from '../../framework/credentials/types.ts';

/** Where a killed process's credential is kept, so that another process finds it. */
export interface StoreAddress {
  folder: string;
}

export const storeAt = async ({ folder }: StoreAddress): Promise<CredentialStore> => encryptedFileStore({ folder, env: {} });
