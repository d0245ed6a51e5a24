import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Moment } from '../../framework/core/moment.ts';
import type { RenewalKills } from './renewal.ts';

const KEY = 'c3'.repeat(32);

/** An encrypted file store in a folder of its own. Nothing but the record, the key's check and the audit may be left in it. */
export const inFiles: RenewalKills['place'] = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-kill-'));
  return {
    address: { at: folder, key: KEY },
    leftovers: async () => (await readdir(join(folder, 'credentials'))).filter((name) => !/^(work\.\w+\.sealed|key-check)$/.test(name)),
    remove: () => rm(folder, { recursive: true }),
  };
};

/** The moments that exist where a database writes. */
export const POSTGRES_MOMENTS: readonly Moment[] = ['answer_read', 'before_write', 'written', 'before_use'];

/** One database for all runs: the credential of the one before is written over. */
export const inPostgres = (url: string, sql: (text: string) => Promise<Record<string, unknown>[]>): RenewalKills['place'] => {
  return async () => ({
    address: { at: url, key: KEY },
    leftovers: async () => {
      const left = await sql('SELECT name FROM ferrule_credentials WHERE noted IS NOT NULL OR holder IS NOT NULL');
      return left.map(({ name }) => `noted or held: ${name}`);
    },
    remove: async () => void (await sql('DELETE FROM ferrule_credentials')),
  });
};
