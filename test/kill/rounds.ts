import { type Killable, seeded, startChild } from './process.ts';
import { rotatingProvider } from './provider.ts';
import type { RenewalKills } from './renewal.ts';
import { killedCredential, killedSpec } from './spec.ts';
import { storeAt } from './store.ts';

export interface Rounds {
  processes: number;
  rounds: number;
  place: RenewalKills['place'];
  /** How long the token endpoint takes. Milliseconds. */
  delay?: number;
  /** Kills one process in this part of the rounds, at any instant. */
  killing?: { share: number; seed: number };
}

export interface RoundsResult {
  rounds: number;
  processes: number;
  /** Token requests that the provider answered with a token: one a round. */
  issued: number;
  /** Spent refresh tokens that came again: none. */
  reused: number;
  /** Processes killed on the way, and answers that were lost with one. */
  killed: number;
  forgiven: number;
  /** Requests of processes that lived and failed. */
  failed: string[];
}

/** In each round the provider refuses the token of the moment, and all processes that share the credential ask at once. */
export async function refreshRounds({ processes, rounds, place, delay = 0, killing }: Rounds): Promise<RoundsResult> {
  // A process that is killed at any instant may be killed between the provider's answer and its own eyes.
  const provider = await rotatingProvider({ grace: killing !== undefined });
  const { address, remove } = await place();
  const store = await storeAt(address);
  const random = seeded(killing?.seed ?? 0);
  const result: RoundsResult = { rounds, processes, issued: 0, reused: 0, killed: 0, forgiven: 0, failed: [] };
  const children: Killable[] = [];
  try {
    await store.put(killedCredential(provider.origin, { due: false }));
    const start = () => startChild({ store: address, spec: killedSpec('plain') });
    children.push(...(await Promise.all(Array.from({ length: processes }, start))));
    provider.delay = delay;
    for (let round = 0; round < rounds; round += 1) {
      provider.revokeAccess();
      const victim = killing !== undefined && random() < killing.share ? Math.floor(random() * processes) : -1;
      const answers = children.map(async (child, index) => {
        const done = await child.answerTo({ go: round }).catch((error: Error) => ({ done: round, failed: error.message }));
        if (index !== victim && 'failed' in done) result.failed.push(`round ${round}, process ${index}: ${done.failed}`);
      });
      if (victim >= 0) {
        await new Promise((resolve) => setTimeout(resolve, random() * 15));
        children[victim]?.kill();
        result.killed += 1;
      }
      await Promise.all(answers);
      if (victim >= 0) {
        await children[victim]?.ended;
        children[victim] = await start();
      }
    }
  } finally {
    for (const child of children) child.kill();
    await Promise.all(children.map(({ ended }) => ended));
    await store.close();
    await remove();
    await provider.close();
  }
  return { ...result, issued: provider.issued, reused: provider.reused, forgiven: provider.forgiven };
}
