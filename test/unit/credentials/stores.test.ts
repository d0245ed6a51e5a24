import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import { storeContract } from './store-contract.ts';

describe('memory store', () => storeContract(async () => memoryStore()));

describe('encrypted file store', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));
  storeContract(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ferrule-store-'));
    folders.push(folder);
    return encryptedFileStore({ folder, env: {} });
  });
});
