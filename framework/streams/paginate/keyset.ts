import type { PaginateKeyset } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { keyReader } from './key.ts';
import { endReader, stopped } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** What comes after the last record's key. An empty page is the end whatever `stop` says: it has no key to go on from. */
export const keyset: PaginateStrategy<PaginateKeyset> = {
  type: 'keyset',
  create({ from, into, more, size, page_size, stop }, scope) {
    const sized: Patch = size !== undefined && page_size !== undefined ? { [size]: page_size } : {};
    const key = keyReader(from, scope);
    const ended = endReader(more, scope);
    return {
      first: () => sized,
      next: (seen) => {
        const { size } = seen;
        if (size === 0 || stopped(stop, size, page_size) || ended(seen)) return undefined;
        return { ...sized, [into]: key(seen) };
      },
    };
  },
};
