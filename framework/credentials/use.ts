import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { systemCode } from '../core/atomic-write.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { isFerruleError } from '../core/errors.ts';
import type { CredentialStore, Use, UsesFilter } from './types.ts';

/** Who uses: what a person needs to find the process, and nothing of its command line, in which a secret may stand. */
function whoUses(): string {
  const program = basename(process.argv[1] ?? process.argv0);
  return `${userName()}@${hostname()} ${program}[${process.pid}]`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A container may run under a number that has no name.
    if (systemCode(error) === undefined) throw error;
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** A use that has just been made. */
export const useNow = (
  { action, credential, connector, outcome }: Omit<Use, 'at' | 'by'>,
  clock: Pick<Clock, 'now'> = systemClock,
): Use => ({
  at: new Date(clock.now()).toISOString(),
  action,
  // As stores keep it.
  credential: credential.normalize('NFC'),
  ...(connector !== undefined && { connector }),
  outcome,
  by: whoUses(),
});

/**
 * Does the work and writes down how it ended; `store_unwritable` when that cannot be written. Work that hands out something secret ends
 * before anybody has it, so that nobody gets what is not written down. A name that is not stored is no use.
 */
export async function logged<T>(
  store: Pick<CredentialStore, 'logUse'>,
  use: Omit<Use, 'at' | 'by' | 'outcome'>,
  { clock }: { clock?: Pick<Clock, 'now'> },
  work: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    const code = isFerruleError(error) ? error.code : 'internal';
    // The use has failed already, and its own error says why.
    if (code !== 'credential_unknown') await store.logUse(useNow({ ...use, outcome: code }, clock)).catch(() => undefined);
    throw error;
  }
  await store.logUse(useNow({ ...use, outcome: 'ok' }, clock));
  return result;
}

export function selectUses(uses: readonly Use[], { name, limit }: UsesFilter = {}): Use[] {
  const some = uses.filter(({ credential }) => name === undefined || credential === name.normalize('NFC'));
  return limit === undefined ? some : some.slice(Math.max(0, some.length - limit));
}
