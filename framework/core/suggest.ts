/**
 * The number of edits (insert, delete, replace, swap of two neighbours) that turn one word into the other:
 * Damerau–Levenshtein in its restricted form, where no part is edited twice.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** Case and the separators that people mix up (`client-id`, `clientId`, `client_id`) are no difference. */
const plain = (word: string): string => word.toLowerCase().replace(/[-_ .]/g, '');

/**
 * "Did you mean": the candidate nearest to `word`, or nothing when none is near. Words of up to 4 letters may differ
 * in one edit, up to 8 in two, longer ones in three. The first of several equally near candidates wins. Words longer
 * than 64 characters are no typos and get no answer, so that hostile input costs nothing.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const wanted = plain(word);
  const limit = wanted.length <= 4 ? 1 : wanted.length <= 8 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const other = plain(candidate);
    if (candidate === word || Math.abs(other.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, other);
    // Everything changed is no likeness: `ab` is not `cd` with two typos.
    if (distance < bestDistance && distance < Math.max(wanted.length, 2)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
