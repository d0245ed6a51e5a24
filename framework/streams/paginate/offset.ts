import { FerruleError } from '../../core/errors.ts';
import type { PaginateOffset } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { pageReader, stopped } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** By the number of records to skip: what came, not what was asked for, since servers cap page sizes. */
export const offset: PaginateStrategy<PaginateOffset> = {
  type: 'offset',
  create({ offset: target, size, page_size, total, stop }, scope) {
    const patch = (skip: number): Patch => ({
      [target]: skip,
      ...(size !== undefined && page_size !== undefined && { [size]: page_size }),
    });
    const readTotal = total === undefined ? undefined : pageReader(total, scope);
    return {
      first: () => patch(0),
      next: (seen) => {
        const { records, patch: last } = seen;
        const reached = Number(last[target]) + records.length;
        const all = readTotal?.(seen);
        if (readTotal !== undefined && (all === undefined || all === null || !Number.isFinite(Number(all)))) {
          throw new FerruleError('path_missing', `The total of records is not at ${total}`, { where: total ?? '' });
        }
        if (records.length === 0 || stopped(stop, records.length, page_size) || (all !== undefined && reached >= Number(all)))
          return undefined;
        return patch(reached);
      },
    };
  },
};
