/** From its start to its end, the end not in it. A start of -Infinity: from the beginning, wherever that is. */
export type Range = readonly [from: number, to: number];

/** Ranges in order, those that touch or overlap as one. */
export function joined(ranges: readonly Range[]): Range[] {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.filter(([start, end]) => end > start).sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

/** What of `whole` no range of `taken` covers. */
export function gaps(whole: Range, taken: readonly Range[]): Range[] {
  const result: Range[] = [];
  let [at] = whole;
  for (const [from, to] of joined(taken)) {
    if (to <= at) continue;
    if (from >= whole[1]) break;
    if (from > at) result.push([at, from]);
    at = Math.max(at, to);
  }
  if (at < whole[1]) result.push([at, whole[1]]);
  return result;
}

/**
 * Cut into pieces of at most `most`, each but the last so long, as near as `round` has a place to cut. One without a beginning stays whole.
 */
export function pieces([from, to]: Range, most: number | undefined, round: (at: number) => number = (at) => at): Range[] {
  if (most === undefined || !Number.isFinite(from)) return [[from, to]];
  const result: Range[] = [];
  for (let at = from; at < to; ) {
    let next = round(at + most);
    // In the hour that a wall clock shows twice there is no place behind this one.
    for (let length = 2 * most; next <= at; length += most) next = round(at + length);
    result.push([at, Math.min(next, to)]);
    at = next;
  }
  return result;
}
