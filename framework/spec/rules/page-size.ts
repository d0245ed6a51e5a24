import type { SpecDocument } from '../../core/spec-types.gen.ts';
import type { SpecPath } from '../tree.ts';
import { isWhole, layersOf } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'page-size',
  severity: 'error',
  summary: 'A place for the page size (`size`), and no `page_size` to put there.',
  why: "Nothing would be sent: each page has the provider's own size, and a read takes many times the requests that it was meant to.",
  bad: 'paginate: { type: page, page: query.page, size: query.limit }',
  good: 'paginate: { type: page, page: query.page, size: query.limit, page_size: 100 }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    const told = new Set<string>();
    for (const name of Object.keys(spec.streams ?? {})) {
      const place = isWhole(spec, name) ? unsized(spec, name) : undefined;
      // What many streams inherit is one mistake.
      if (place === undefined || told.has(place.join('\n'))) continue;
      told.add(place.join('\n'));
      report(place, '`size` says where the page size goes, and there is no `page_size`.', {
        part: 'key',
        hint: 'Write `page_size`: how many records one page is asked for. Or leave out `size`.',
      });
    }
  },
};

/** Where a stream's `size` is written, if nothing that it is made of has a `page_size`. Under one choice alone the runtime tells. */
function unsized(spec: SpecDocument, name: string): SpecPath | undefined {
  let size: { place: SpecPath } | undefined;
  let type: string | undefined;
  for (const { part, path } of layersOf(spec, name)) {
    const { paginate } = part as { paginate?: Partial<Record<'type' | 'size' | 'page_size', unknown>> | null };
    if (paginate === undefined || (type !== undefined && paginate?.type !== undefined && paginate.type !== type)) continue;
    if (typeof paginate?.page_size === 'number') return undefined;
    if (typeof paginate?.size === 'string') size ??= { place: [...path, 'paginate', 'size'] };
    if (path[0] === 'auth' || path[0] === 'choices') continue;
    // Whatever lies below is removed.
    if (paginate === null) return size?.place;
    type ??= typeof paginate.type === 'string' ? paginate.type : undefined;
  }
  return size?.place;
}
