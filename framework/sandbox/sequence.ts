import { firstNotBelow } from './shares.ts';

/** Records in the order in which a request gets them, made when they are asked for. */
export interface Sequence {
  count: number;
  /** The record's index, for a position from 0. */
  at(position: number): number;
  /** The position behind a record; undefined when it is not here. */
  behind(index: number): number | undefined;
}

export interface SequenceParts {
  /** The first index, and how many of them there were from the beginning. */
  start: number;
  count: number;
  /** Indexes of these that are gone from there, ascending. */
  gone: readonly number[];
  /** Indexes that came in besides, in order. */
  extra: readonly number[];
  /** How many of the first ones come before an extra one. */
  before(extra: number): number;
  order: 'asc' | 'desc' | 'mixed';
}

/** Two sorted lists as one, neither of which is walked: the first is only counted, the other is short. */
export function sequence({ start, count, gone, extra, before, order }: SequenceParts): Sequence {
  const within = gone.filter((index) => index >= start && index < start + count);
  const all = count - within.length + extra.length;
  // How many of the first ones that are still there come before each that is gone.
  const left = within.map((index, place) => index - start - place);
  const ranks = extra.map((index, place) => {
    const first = before(index);
    return first - firstNotBelow(start + first, within.length, (at) => within[at]!) + place;
  });
  const below = (rank: number): number => firstNotBelow(rank, ranks.length, (at) => ranks[at]!);
  const sorted = (rank: number): number => {
    const place = below(rank);
    if (ranks[place] === rank) return extra[place]!;
    const base = rank - place;
    return start + base + firstNotBelow(base + 1, left.length, (at) => left[at]!);
  };
  const rankOf = (index: number): number | undefined => {
    const place = extra.indexOf(index);
    if (place >= 0) return ranks[place];
    if (index < start || index >= start + count || within.includes(index)) return undefined;
    const base = index - start - firstNotBelow(index, within.length, (at) => within[at]!);
    // An extra one with so many of the first before it stands before it as well.
    return base + firstNotBelow(base + 1, ranks.length, (at) => ranks[at]! - at);
  };
  const { to, from } = ORDERS[order](all);
  return {
    count: all,
    at: (position) => sorted(to(position)),
    behind: (index) => {
      const rank = rankOf(index);
      return rank === undefined ? undefined : from(rank) + 1;
    },
  };
}

interface Turning {
  /** Position → rank. */
  to(position: number): number;
  /** Rank → position. */
  from(rank: number): number;
}

const ORDERS: Record<SequenceParts['order'], (count: number) => Turning> = {
  asc: () => ({ to: (position) => position, from: (rank) => rank }),
  desc: (count) => ({ to: (position) => count - 1 - position, from: (rank) => count - 1 - rank }),
  mixed,
};

/** Out of order, yet every one once: steps of a length that shares no divisor with the count. */
function mixed(count: number): Turning {
  let step = Math.max(1, Math.round(count * 0.618));
  while (count > 1 && divisor(step, count) !== 1) step++;
  const to = (position: number): number => (position * step + Math.floor(count / 3)) % Math.max(1, count);
  // Only who pages by a key asks back, and then the list is in that key's order.
  const from = (rank: number): number => Array.from({ length: count }, (_, position) => to(position)).indexOf(rank);
  return { to, from };
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
