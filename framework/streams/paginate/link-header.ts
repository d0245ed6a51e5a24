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
      next: ({ response, size }) => {
        if (stopped(stop, size, page_size)) return undefined;
        const target = linkTarget(response.headers.link ?? '', rel);
        return target === undefined ? undefined : { url: resolveUrl(target, response.url, 'the Link header') };
      },
    };
  },
};

/**
 * The target of the first link with that relation (RFC 8288, 3). Reads as appendix B does, which goes on where a sender was careless: empty
 * list elements, a `;` with nothing behind it. Relation types compare without case; `rel` may list several. Looks at each character once.
 */
export function linkTarget(header: string, rel: string): string | undefined {
  const wanted = rel.toLowerCase();
  let at = 0;
  for (;;) {
    at = behind(/[ \t,]*/y, header, at);
    const end = header[at] === '<' ? header.indexOf('>', at) : -1;
    if (end < 0) return undefined;
    const { relation, next } = readParameters(header, end + 1);
    if (relation?.toLowerCase().split(/\s+/).includes(wanted)) return header.slice(at + 1, end);
    at = next;
  }
}

/** Appendix B.3. Only the first rel of a link counts (3.3). */
function readParameters(header: string, start: number): { relation: string | undefined; next: number } {
  let relation: string | undefined;
  let at = behind(SPACE, header, start);
  while (header[at] === ';') {
    const from = behind(SPACE, header, at + 1);
    const to = behind(/[^ \t=;,]*/y, header, from);
    const name = header.slice(from, to).toLowerCase();
    at = behind(SPACE, header, to);
    let value = '';
    if (header[at] === '=') {
      const opens = behind(SPACE, header, at + 1);
      const quoted = header[opens] === '"';
      at = behind(quoted ? /"(?:[^"\\]|\\[\s\S])*\\?"?/y : /[^;,]*/y, header, opens);
      value = quoted ? header.slice(opens + 1, at).replace(/\\([\s\S])|"/g, '$1') : header.slice(opens, at);
      at = behind(SPACE, header, at);
    }
    if (name === 'rel') relation ??= value.trim();
  }
  return { relation, next: at };
}

const SPACE = /[ \t]*/y;

/** Where a sticky pattern, which always matches, ends. */
function behind(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}
