import type { PaginateLinkHeader } from '../../core/spec-types.gen.ts';
import type { Patch } from '../../core/value.ts';
import { resolveUrl } from './next-url.ts';
import { stopped } from './reader.ts';
import type { PaginateStrategy } from './types.ts';

/** The Link header names the next page (RFC 8288), absolute or relative to the URL that answered. */
export const linkHeader: PaginateStrategy<PaginateLinkHeader> = {
  type: 'link_header',
  create({ rel = 'next', size, page_size, stop }) {
    const first: Patch = size !== undefined && page_size !== undefined ? { [size]: page_size } : {};
    return {
      first: () => first,
      next: ({ response, records }) => {
        if (stopped(stop, records.length, page_size)) return undefined;
        const target = linkTarget(response.headers.link ?? '', rel);
        return target === undefined ? undefined : { url: resolveUrl(target, response.url, 'the Link header') };
      },
    };
  },
};

/** RFC 8288, 3: `<target>; param=value; param="quoted", <target> …`. Relation types compare without case; `rel` may list several. */
export function linkTarget(header: string, rel: string): string | undefined {
  const link = /\s*<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s";,]*))?)*)\s*(?:,|$)/y;
  while (link.lastIndex < header.length) {
    const found = link.exec(header);
    if (found === null) return undefined;
    const [, target = '', parameters = ''] = found;
    // Only the first rel of a link counts (RFC 8288, 3.3).
    const relation = [...parameters.matchAll(/;\s*([^\s=;,]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*)))?/g)].find(
      ([, name = '']) => name.toLowerCase() === 'rel',
    );
    const words = (relation?.[2] ?? relation?.[3] ?? '').toLowerCase().split(/\s+/);
    if (words.includes(rel.toLowerCase())) return target;
  }
  return undefined;
}
