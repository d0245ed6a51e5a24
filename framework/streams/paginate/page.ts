import { FerruleError } from '../../core/errors.ts';
import type { PaginatePage } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { endReader, stopped, totalReader } from './reader.ts';
import { ceilingOf } from './restart.ts';
import type { PaginateStrategy } from './types.ts';

/** Numbered pages. An empty page is the end whatever `stop` says; any further sign ends it too, but at the ceiling of a restart. */
export const page: PaginateStrategy<PaginatePage> = {
  type: 'page',
  create({ page: target, size, page_size, start = 1, total, total_pages, more, restart, stop }, scope) {
    if (restart !== undefined && page_size === undefined)
      throw new FerruleError('spec_invalid', 'paginate.restart of type page needs page_size: rows are counted by it', {
        where: 'paginate.restart',
      });
    const patch = (number: number): Patch => ({
      [target]: number,
      ...(size !== undefined && page_size !== undefined && { [size]: page_size }),
    });
    const readTotal = totalReader(total, 'records', scope);
    const readPages = totalReader(total_pages, 'pages', scope);
    const ended = endReader(more, scope);
    const ceiling = ceilingOf(restart, scope);
    return {
      first: () => patch(start),
      next: (seen) => {
        const { size, patch: last, count } = seen;
        const number = Number(last[target]);
        const all = readTotal(seen) ?? Number.POSITIVE_INFINITY;
        const pages = readPages(seen) ?? Number.POSITIVE_INFINITY;
        const kept = ceiling.kept(last);
        // By what came, since servers cap page sizes; after a restart nobody knows how much of it the total counts.
        const whole = count >= all && Object.keys(kept).length === 0;
        const read = number - start + 1;
        const asked = page_size ?? 0;
        const reached = (read - 1) * asked + size;
        const sign = stopped(stop, size, page_size) || whole || read >= pages || ended(seen);
        if (size === 0 || (sign && ceiling.believes(reached, size, asked))) return undefined;
        if (ceiling.beyond((read + 1) * asked)) return { ...patch(start), ...ceiling.again(seen) };
        return { ...patch(number + 1), ...kept };
      },
    };
  },
};
