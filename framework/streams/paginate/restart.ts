import { FerruleError } from '../../core/errors.ts';
import type { Scope } from '../../core/expression/index.ts';
import type { PaginateRestart } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { keyReader } from './key.ts';
import type { PageSeen } from './types.ts';

/** The rows of one list that a provider gives, and how paging goes on behind them. */
export interface Ceiling {
  /** Whether a page that ends with that row lies beyond. */
  beyond(row: number): boolean;
  /**
   * Whether a sign of the last page is one, with so many rows read up to this page, which has `came` of `size`. Where the next page would lie
   * beyond, it may only say that the provider counts no further; a short page before the ceiling is the end all the same.
   */
  believes(read: number, came: number, size: number): boolean;
  /** What the pages after a restart go on asking with. */
  kept(last: Patch): Patch;
  /** What the first page of the next restart asks with besides. */
  again(page: PageSeen): Patch;
}

export function ceilingOf(restart: PaginateRestart | undefined, scope: Scope): Ceiling {
  if (restart === undefined) return { beyond: () => false, believes: () => true, kept: () => ({}), again: () => ({}) };
  const { at, from, into } = restart;
  const key = keyReader(from, scope);
  const kept = (last: Patch): Patch => (last[into] === undefined ? {} : { [into]: last[into] });
  return {
    beyond: (row) => row > at,
    believes: (read, came, size) => read - came + 2 * size <= at || (came < size && read < at),
    kept,
    again: (seen) => {
      const begin = key(seen);
      if (seen.patch[into] === begin)
        throw new FerruleError(
          'page_cap',
          `All rows up to the ceiling of ${at} have the same key at ${from}: the next restart would read them again`,
          {
            where: 'paginate.restart',
            next: 'Restart from a key that fewer rows share (an id, a time to the millisecond), or narrow the read.',
          },
        );
      return { [into]: begin };
    },
  };
}
