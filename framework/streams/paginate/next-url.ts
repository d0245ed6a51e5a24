import { FerruleError } from '../../core/errors.ts';
import type { PaginateNextUrl } from '../../core/spec-types.gen.ts';
import { urlOf } from '../../core/url.ts';
import type { Patch } from '../../core/value.ts';
import { endReader, pageReader, stopped } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** Each answer brings the next URL, absolute or relative to the one that answered. It brings its own query. */
export const nextUrl: PaginateStrategy<PaginateNextUrl> = {
  type: 'next_url',
  create({ from, more, size, page_size, stop }, scope) {
    const first: Patch = size !== undefined && page_size !== undefined ? { [size]: page_size } : {};
    const url = pageReader(from, scope);
    const ended = endReader(more, scope);
    return {
      first: () => first,
      next: (seen) => {
        if (stopped(stop, seen.size, page_size) || ended(seen)) return undefined;
        const value = url(seen);
        if (value === undefined || value === null || value === '') return undefined;
        return { url: resolveUrl(value, seen.response.url, from) };
      },
    };
  },
};

export function resolveUrl(value: unknown, base: string, where: string): string {
  const url = typeof value === 'string' ? urlOf(value, base) : undefined;
  if (url === undefined) throw new FerruleError('path_missing', `The next URL at ${where} is no URL`, { where });
  url.hash = '';
  // Without slashes (javascript:, data:) it would be taken for a path.
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new FerruleError('host_refused', `The next URL at ${where} is not https`, { where, next: 'Only https URLs are called.' });
  // The first page was asked for in other words (path and query), so the read loop cannot tell.
  if (url.href === base)
    throw new FerruleError('page_repeated', `The next URL at ${where} is the URL of the page that it stands on`, { where });
  return url.href;
}
