import { startChild } from './process.ts';
import { rotatingProvider } from './provider.ts';
import type { RenewalKills } from './renewal.ts';
import { killedCredential, killedSpec } from './spec.ts';
import { storeAt } from './store.ts';

export interface ElsewhereResult {
  /** Token requests while a holder elsewhere waited for longer than a lock may be silent: one. */
  issued: number;
  failed: string[];
  /** How long after the death of a holder elsewhere the next one went on. Seconds. */
  takenAfter: number;
}

/**
 * Two processes that cannot see one another, as in two containers, on one folder: one is in a process namespace of its own (needs `unshare` of
 * util-linux, and root). First it holds the lock for 40 s and lives; then it is killed while it holds it.
 */
export async function elsewhere(place: RenewalKills['place']): Promise<ElsewhereResult> {
  // The second renewal's answer dies with its process.
  const provider = await rotatingProvider({ grace: true });
  const { address, remove } = await place();
  const store = await storeAt(address);
  const failed: string[] = [];
  const options = { store: address, spec: killedSpec('plain') };
  try {
    await store.put(killedCredential(provider.origin, { due: false }));
    const [there, here] = [await startChild(options, { elsewhere: true }), await startChild(options)];
    try {
      provider.revokeAccess();
      provider.delay = 40_000;
      const first = there.answerTo({ go: 1 });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (const done of await Promise.all([first, here.answerTo({ go: 1 })])) if ('failed' in done) failed.push(done.failed);
      const { issued } = provider;
      provider.revokeAccess();
      const second = there.answerTo({ go: 2 }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 5000));
      there.kill();
      await second;
      provider.delay = 0;
      const died = Date.now();
      const done = await here.answerTo({ go: 2 });
      if ('failed' in done) failed.push(done.failed);
      return { issued, failed, takenAfter: (Date.now() - died) / 1000 };
    } finally {
      for (const child of [there, here]) child.kill();
      await Promise.all([there.ended, here.ended]);
    }
  } finally {
    await store.close();
    await remove();
    await provider.close();
  }
}
