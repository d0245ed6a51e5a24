import { type SequenceParts, sequence } from '../../../framework/sandbox/sequence.ts';

/** Repeatable numbers from 0 to below `most` (Numerical Recipes' generator). */
function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * most);
  };
}

/** A case: first ones with values 10, 20, …; some gone; extra ones with values between, before and behind. Gives the indexes in order. */
function made(seed: number): { parts: Omit<SequenceParts, 'order'>; expected: number[] } {
  const random = numbers(seed);
  const [start, count] = [random(50), random(30)];
  const gone = Array.from({ length: start + count + 10 }, (_, index) => index).filter(() => random(4) === 0);
  const extra = Array.from({ length: random(12) }, (_, place) => ({ index: 1000 + place, value: random((count + 2) * 10) + 0.5 }));
  extra.sort((a, b) => a.value - b.value || a.index - b.index);
  const first = Array.from({ length: count }, (_, place) => ({ index: start + place, value: (place + 1) * 10 }));
  const all = [...first.filter(({ index }) => !gone.includes(index)), ...extra].sort((a, b) => a.value - b.value);
  const before = (index: number): number => first.filter(({ value }) => value < extra.find((one) => one.index === index)!.value).length;
  return { parts: { start, count, gone, extra: extra.map(({ index }) => index), before }, expected: all.map(({ index }) => index) };
}

describe('two sorted lists as one', () => {
  it('is what sorting them gives, and finds each again, in any order', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { parts, expected } = made(seed);
      for (const order of ['asc', 'desc', 'mixed'] as const) {
        const list = sequence({ ...parts, order });
        const found = Array.from({ length: list.count }, (_, position) => list.at(position));
        const wanted = order === 'desc' ? expected.toReversed() : expected;
        expect([seed, order, order === 'mixed' ? found.toSorted((a, b) => a - b) : found]).toEqual([
          seed,
          order,
          order === 'mixed' ? wanted.toSorted((a, b) => a - b) : wanted,
        ]);
        expect(found.map((index) => list.behind(index))).toEqual(found.map((_, position) => position + 1));
        for (const index of parts.gone) expect(list.behind(index)).toBeUndefined();
      }
    }
  });
});
