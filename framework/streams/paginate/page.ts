import type { PaginatePage } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { endReader, stopped, totalReader } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** Numbered pages. An empty page is the end whatever `stop` says; any further sign ends it too. */
export const page: PaginateStrategy<PaginatePage> = {
  type: 'page',
  create({ page: target, size, page_size, start = 1, total, total_pages, more, stop }, scope) {
    const patch = (number: number): Patch => ({
      [target]: number,
      ...(size !== undefined && page_size !== undefined && { [size]: page_size }),
    });
    const readTotal = totalReader(total, 'records', scope);
    const readPages = totalReader(total_pages, 'pages', scope);
    const ended = endReader(more, scope);
    return {
      first: () => patch(start),
      next: (seen) => {
        const { records, patch: last, count } = seen;
        const number = Number(last[target]);
        const all = readTotal(seen) ?? Number.POSITIVE_INFINITY;
        const pages = readPages(seen) ?? Number.POSITIVE_INFINITY;
        // By what came, since servers cap page sizes.
        if (records.length === 0 || stopped(stop, records.length, page_size) || count >= all || number - start + 1 >= pages || ended(seen))
          return undefined;
        return patch(number + 1);
      },
    };
  },
};
