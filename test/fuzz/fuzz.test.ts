import type { Failure } from './target.ts';
import { TARGETS } from './targets.ts';

/**
 * A slice of the long run (run.ts): the same cases each time, so that a change is what makes it fail. FERRULE_FUZZ_SEED takes others: a
 * number, or `new`; the long run looks for what is new.
 */
const { FERRULE_FUZZ_SEED: wanted = '20261127' } = process.env;
const SEED = wanted === 'new' ? Math.floor(Math.random() * 2 ** 31) : Number(wanted);
const CASES = 600;

const told = ({ seed, path, input, message }: Failure, name: string): string =>
  `${name}: again with FERRULE_FUZZ_SEED=${SEED}, or alone with ` +
  `node scripts/run.mjs test/fuzz/run.ts --only ${name} --seed ${seed} --path ${path}\ninput: ${input.slice(0, 4000)}\n${message}`;

describe(`fuzz, seed ${SEED}`, () => {
  it.each(TARGETS)(
    '$name',
    async (target) => {
      const failures: Failure[] = [];
      let through = 0;
      const report = {
        begins: () => {},
        done: (count: number) => {
          through += count;
          return failures.length === 0;
        },
        failed: (failure: Failure) => void failures.push(failure),
      };
      await target.run(SEED, CASES, report);
      if (failures.length > 0) throw new Error(failures.map((one) => told(one, target.name)).join('\n\n'));
      expect(through).toBeGreaterThanOrEqual(CASES);
    },
    60_000,
  );

  it('a seed gives the same cases each time, and a path one of them', async () => {
    for (const { show } of TARGETS) {
      expect(await show(7, '3')).toBe(await show(7, '3'));
      expect(await show(7, '3')).not.toBe(await show(8, '3'));
    }
  });
});
