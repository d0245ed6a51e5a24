import type { PaginatePage } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { stopped } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** Numbered pages. An empty page is the end whatever `stop` says; any further sign ends it too. */
export const page: PaginateStrategy<PaginatePage> = {
  type: 'page',
  create({ page: target, size, page_size, start = 1, stop }) {
    const patch = (number: number): Patch => ({
      [target]: number,
      ...(size !== undefined && page_size !== undefined && { [size]: page_size }),
    });
    return {
      first: () => patch(start),
      next: ({ records, patch: last }) =>
        records.length === 0 || stopped(stop, records.length, page_size) ? undefined : patch(Number(last[target]) + 1),
    };
  },
};
