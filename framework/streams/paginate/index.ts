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
  return strategy.create(options, scope);
}
