import type { PaginateOffset } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { endReader, stopped, totalReader } from './reader.ts';
import { ceilingOf } from './restart.ts';
import type { PaginateStrategy } from './types.ts';

/** By the number of records to skip: what came, not what was asked for, since servers cap page sizes. */
export const offset: PaginateStrategy<PaginateOffset> = {
  type: 'offset',
  create({ offset: target, size, page_size, total, more, restart, stop }, scope) {
    const patch = (skip: number): Patch => ({
      [target]: skip,
      ...(size !== undefined && page_size !== undefined && { [size]: page_size }),
    });
    const readTotal = totalReader(total, 'records', scope);
    const ended = endReader(more, scope);
    const ceiling = ceilingOf(restart, scope);
    return {
      first: () => patch(0),
      next: (seen) => {
        const { size, patch: last } = seen;
        const reached = Number(last[target]) + size;
        const all = readTotal(seen) ?? Number.POSITIVE_INFINITY;
        const sign = stopped(stop, size, page_size) || reached >= all || ended(seen);
        const asked = page_size ?? size;
        if (size === 0 || (sign && ceiling.believes(reached, size, asked))) return undefined;
        if (ceiling.beyond(reached + asked)) return { ...patch(0), ...ceiling.again(seen) };
        return { ...patch(reached), ...ceiling.kept(last) };
      },
    };
  },
};
