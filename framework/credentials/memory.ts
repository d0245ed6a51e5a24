import { type Clock, systemClock } from '../core/clock.ts';
import { checkSameName, copyCredential, credentialName, credentialUnknown, nextVersion, storeClosed, summarize } from './copy.ts';
import type { Credential, CredentialStore, NotedAnswer, Use } from './types.ts';
import { selectUses } from './use.ts';

/** It ends with the process, but a process may run for years. */
const MOST_USES = 10_000;

/** A store that ends with the process and touches no disk: for inputs given in code, for tests, and for `memory://` tokens. */
export function memoryStore({ clock = systemClock }: { clock?: Clock } = {}): CredentialStore {
  const records = new Map<string, Credential>();
  const uses: Use[] = [];
  const notes = new Map<string, NotedAnswer>();
  /** The last of those who wait for a name; each one starts when the one before has ended. */
  const queues = new Map<string, Promise<unknown>>();
  let closed = false;

  function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = queues.get(name) ?? Promise.resolve();
    // Whoever waits goes on whether the one before failed or not: its failure is its caller's.
    const mine = before.then(work, work);
    queues.set(name, mine);
    const forget = () => {
      if (queues.get(name) === mine) queues.delete(name);
    };
    mine.then(forget, forget);
    return mine;
  }
  const open = (name: string): string => {
    if (closed) throw storeClosed();
    return credentialName(name);
  };
  const write = (credential: Credential, expectVersion?: number): Credential => {
    if (closed) throw storeClosed();
    const next = nextVersion(credential, records.get(credentialName(credential.name)), clock.now(), expectVersion);
    records.set(next.name, next);
    return copyCredential(next);
  };

  return {
    async list() {
      if (closed) throw storeClosed();
      return [...records.keys()].sort().map((name) => summarize(records.get(name)!));
    },
    async get(name) {
      const found = records.get(open(name));
      return found && copyCredential(found);
    },
    async put(credential, options) {
      const own = copyCredential(credential);
      await locked(open(credential.name), async () => void write(own, options?.expectVersion));
    },
    async remove(name) {
      const key = open(name);
      return locked(key, async () => {
        notes.delete(key);
        return records.delete(key);
      });
    },
    async update(name, change) {
      const key = open(name);
      return locked(key, async () => {
        const current = records.get(key);
        if (!current) throw credentialUnknown(name);
        const keep = async (changed: Credential) => {
          checkSameName(key, changed);
          return write(changed);
        };
        const changed = await change(copyCredential(current), {
          keep,
          note: (answer) => void (answer === undefined ? notes.delete(key) : notes.set(key, { ...answer })),
          noted: async () => notes.get(key),
        });
        return changed === undefined ? copyCredential(records.get(key)!) : keep(changed);
      });
    },
    // There is nothing sealed.
    async rekey() {
      if (closed) throw storeClosed();
      return { sealed: 0, total: records.size };
    },
    async logUse(use) {
      if (closed) throw storeClosed();
      uses.push({ ...use });
      if (uses.length > MOST_USES) uses.shift();
    },
    async uses(filter) {
      if (closed) throw storeClosed();
      return selectUses(uses, filter).map((use) => ({ ...use }));
    },
    async close() {
      closed = true;
    },
  };
}
