import type { Rule } from './rule.ts';

const PAGES = /(?:pages|last_?page|total_?page|pages?_?count)\W*$/i;

export const rule: Rule = {
  name: 'total-of-pages',
  severity: 'warning',
  summary: 'A `total` that reads a number of pages by its name.',
  why: '`total` is a number of records: a read would end after as many records as there are pages, and miss the rest without a sound.',
  bad: 'paginate: { type: page, page: query.page, total: meta.total_pages }',
  good: 'paginate: { type: page, page: query.page, total_pages: meta.total_pages }',
  check: ({ leaves }, report) => {
    for (const leaf of leaves) {
      const { node, key, up, shape } = leaf;
      // A body may well have such a key too.
      if (key !== 'total' || up?.key !== 'paginate' || shape.kind !== 'path' || typeof node.value !== 'string' || !PAGES.test(node.value))
        continue;
      report(leaf.path, '`total` is a number of records; this looks like one of pages.', {
        hint: 'Write `total_pages` (type `page`), or the place of the number of records.',
      });
    }
  },
};
