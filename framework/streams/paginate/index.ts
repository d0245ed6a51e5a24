import { FerruleError } from '../../core/errors.ts';
import type { Scope } from '../../core/expression/index.ts';
import type { Paginate } from '../../core/spec-types.gen.ts';
import { keyset } from './keyset.ts';
import { linkHeader } from './link-header.ts';
import { nextToken } from './next-token.ts';
import { nextUrl } from './next-url.ts';
import { none } from './none.ts';
import { offset } from './offset.ts';
import { page } from './page.ts';
import type { PaginateStrategy, Paginator } from './types.ts';

const ALL = [none, page, offset, nextToken, nextUrl, linkHeader, keyset] as unknown as PaginateStrategy[];

/** Every paginator by its word in the YAML. */
export const PAGINATORS: ReadonlyMap<string, PaginateStrategy> = new Map(ALL.map((strategy) => [strategy.type, strategy]));
if (PAGINATORS.size !== ALL.length) throw new FerruleError('internal', 'two paginators have one name');

export function createPaginator(options: Paginate, scope: Scope): Paginator {
  const strategy = PAGINATORS.get(options.type);
  if (strategy === undefined)
    throw new FerruleError('spec_invalid', `paginate.type ${options.type} is unknown; known: ${[...PAGINATORS.keys()].join(', ')}`, {
      where: 'paginate.type',
    });
  // Lint finds it where no choice or method brings a size; here one was chosen that does not.
  if ('size' in options && options.size !== undefined && options.page_size === undefined)
    throw new FerruleError('spec_invalid', `paginate.size says where the page size goes (${options.size}), and there is no page_size`, {
      where: 'paginate.page_size',
      next: 'Write page_size for this choice and method, or leave out size.',
    });
  return strategy.create(options, scope);
}
