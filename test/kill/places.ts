import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RenewalKills } from './renewal.ts';

/** An encrypted file store in a folder of its own. Nothing but the record and the key's check may be left in it. */
export const inFiles: RenewalKills['place'] = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-kill-'));
  return {
    address: { folder },
    leftovers: async () => (await readdir(join(folder, 'credentials'))).filter((name) => !/^(work\.\w+\.sealed|key-check)$/.test(name)),
    remove: () => rm(folder, { recursive: true }),
  };
};
