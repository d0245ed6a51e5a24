import { startChild } from './process.ts';
import { rotatingProvider } from './provider.ts';
import type { RenewalKills } from './renewal.ts';
import { killedCredential, killedSpec } from './spec.ts';
import { storeAt } from './store.ts';

/** Processes that share a credential ask all at once while the token endpoint is down; then it is up, and one of them is told to try. */
export async function outage(
  processes: number,
  place: RenewalKills['place'],
): Promise<{ refused: number; said: string[]; after: unknown[] }> {
  const provider = await rotatingProvider();
  const { address, remove } = await place();
  const store = await storeAt(address);
  try {
    await store.put(killedCredential(provider.origin, { due: true }));
    const start = () => startChild({ store: address, spec: killedSpec('plain') });
    const children = await Promise.all(Array.from({ length: processes }, start));
    try {
      provider.down = true;
      const said = await Promise.all(children.map(async (child) => child.answerTo({ go: 1 })));
      const { refused } = provider;
      provider.down = false;
      await children[0]?.answerTo({ renew: 2 });
      const after = await Promise.all(children.map((child) => child.answerTo({ go: 3 })));
      return {
        refused,
        said: said.map((done) => ('failed' in done ? (done.failed.split(':')[0] ?? '') : 'no failure')),
        after: after.map((done) => ('answer' in done ? done.answer : done.failed)),
      };
    } finally {
      for (const child of children) child.kill();
      await Promise.all(children.map(({ ended }) => ended));
    }
  } finally {
    await store.close();
    await remove();
    await provider.close();
  }
}
