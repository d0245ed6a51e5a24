/** The first parent has none, the second half of them (so that there are pages), the others the rest. */
export function startsOf(parents: number, total: number): number[] {
  const half = parents <= 2 ? total : Math.ceil(total / 2);
  const starts = [0];
  for (let index = 0; index < parents; index++) {
    if (parents === 1) starts.push(total);
    else if (index === 0) starts.push(0);
    else starts.push(half + Math.floor(((total - half) * (index - 1)) / Math.max(1, parents - 2)));
  }
  return starts;
}

/** The last place whose value is not above the wanted one, among ascending ones. */
export function lastNotAbove(values: readonly number[], wanted: number, last: number): number {
  let [low, high] = [0, last];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle]! <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first place whose value is not below the wanted one; `count` when there is none. */
export function firstNotBelow(wanted: number, count: number, at: (place: number) => number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
