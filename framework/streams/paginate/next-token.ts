import { FerruleError } from '../../core/errors.ts';
import type { PaginateNextToken } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { endReader, pageReader, stopped } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** A token from each answer. A page without records but with a token is not the end: some providers filter late. */
export const nextToken: PaginateStrategy<PaginateNextToken> = {
  type: 'next_token',
  create({ from, into, more, size, page_size, stop }, scope) {
    const sized: Patch = size !== undefined && page_size !== undefined ? { [size]: page_size } : {};
    const token = pageReader(from, scope);
    const ended = endReader(more, scope);
    return {
      first: () => sized,
      next: (seen) => {
        if (stopped(stop, seen.size, page_size) || ended(seen)) return undefined;
        const value = token(seen);
        if (value === undefined || value === null || value === '') return undefined;
        if (typeof value === 'object' || typeof value === 'boolean')
          throw new FerruleError('path_missing', `The page token at ${from} is no text or number`, { where: from });
        return { ...sized, [into]: value };
      },
    };
  },
};
