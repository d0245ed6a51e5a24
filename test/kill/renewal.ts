import { MOMENTS, type Moment } from '../../framework/core/moment.ts';
import { connectStored } from '../../framework/engine/connect.ts';
import { type Killable, seeded, startChild } from './process.ts';
import { rotatingProvider } from './provider.ts';
import { killedCredential, killedSpec, SHAPES, type Shape } from './spec.ts';
import { type StoreAddress, storeAt } from './store.ts';

export interface RenewalKills {
  /** So often at each moment. */
  times: number;
  seed: number;
  /** A store for one run, and what is left to do when that is over; the moments that exist in it. */
  place: () => Promise<{ address: StoreAddress; leftovers: () => Promise<string[]>; remove: () => Promise<void> }>;
  moments?: readonly Moment[];
}

export interface MomentResult {
  moment: Moment;
  killed: number;
  /** The credential was of no use afterwards, or a spent token was sent. Each with its run, so that it can be played again. */
  lost: string[];
}

/** Kills a process at each moment of a renewal, and looks whether the next process can go on with what the provider issued. */
export async function renewalKills({ times, seed, place, moments = MOMENTS }: RenewalKills): Promise<MomentResult[]> {
  const results: MomentResult[] = [];
  for (const moment of moments) {
    const result: MomentResult = { moment, killed: 0, lost: [] };
    for (let run = 0; run < times; run += 1) {
      const random = seeded(seed * 1000 + run);
      const setting = {
        shape: SHAPES[Math.floor(random() * SHAPES.length)] ?? 'plain',
        due: random() < 0.5,
        before: Math.floor(random() * 3),
        occurrence: 1 + Math.floor(random() * 2),
      };
      const lost = await killedRun(moment, setting, place);
      result.killed += 1;
      if (lost !== undefined) result.lost.push(`${moment}, seed ${seed}, run ${run}, ${JSON.stringify(setting)}: ${lost}`);
    }
    results.push(result);
  }
  return results;
}

interface Setting {
  shape: Shape;
  /** The token has ended; else the provider refuses it. */
  due: boolean;
  /** Renewals that go well before. */
  before: number;
  occurrence: number;
}

/** What was lost, or undefined. */
async function killedRun(
  moment: Moment,
  { shape, due, before, occurrence }: Setting,
  place: RenewalKills['place'],
): Promise<string | undefined> {
  const provider = await rotatingProvider();
  const { address, leftovers, remove } = await place();
  const store = await storeAt(address);
  let child: Killable | undefined;
  try {
    await store.put(killedCredential(provider.origin, { due }));
    child = await startChild({ store: address, spec: killedSpec(shape) });
    for (let renewal = 0; renewal < before; renewal += 1) {
      const done = await child.answerTo({ renew: renewal });
      if ('failed' in done) return `renewal ${renewal} failed: ${done.failed}`;
    }
    if (!due || before > 0) provider.revokeAccess();
    const issued = provider.issued;
    child.send({ kill: moment, occurrence });
    let lived = await answered(child, 100);
    if (lived !== undefined && occurrence > 1) {
      // This moment does not come a second time in one renewal: then in the next one.
      provider.revokeAccess();
      lived = await answered(child, 101);
    }
    if (lived !== undefined) return `it was not killed: ${JSON.stringify(lived)}`;
    if ((await child.ended) !== 'SIGKILL') return `it ended by ${await child.ended}`;
    const spent = provider.issued - issued;
    if (spent < 1 || spent > 2) return `${spent} tokens were issued`;
    return (await goesOn(shape, store, provider)) ?? ((await leftovers()).length > 0 ? `left behind: ${await leftovers()}` : undefined);
  } finally {
    child?.kill();
    await child?.ended;
    await store.close();
    await remove();
    await provider.close();
  }
}

/** What it answers; undefined: it has ended before. */
const answered = (child: Killable, go: number) =>
  child.answerTo({ go }).then(
    (done) => done,
    () => undefined,
  );

/** What keeps the next process from its work; undefined: nothing, and it needed no other token for it. */
async function goesOn(shape: Shape, store: Awaited<ReturnType<typeof storeAt>>, provider: Awaited<ReturnType<typeof rotatingProvider>>) {
  const issued = provider.issued;
  const next = await connectStored(killedSpec(shape), 'work', { store });
  try {
    const answers = await Promise.all([1, 2, 3].map(() => next.http.get('me').json()));
    if (answers.some((answer) => (answer as { token?: number }).token !== issued)) return `it got ${JSON.stringify(answers)}`;
    if (provider.issued !== issued) return 'another token was asked for, though one had been received';
    // The stored refresh token is the newest: a strict provider takes no other.
    await next.renew();
    if (provider.issued !== issued + 1) return 'the next renewal did not happen';
    return provider.reused > 0 ? 'a spent refresh token was sent' : undefined;
  } catch (error) {
    return `the next process failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await next.close();
  }
}
