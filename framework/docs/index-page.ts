import type { SpecDocument } from '../core/spec-types.gen.ts';
import { cell, FROM_SPECS, markdownTable } from './markdown.ts';

/** The list of connectors, with a link to each one's page. `folder` is where those are, seen from this page. */
export function indexPage(specs: readonly SpecDocument[], folder = '.'): string {
  const rows = [...specs]
    .sort((a, b) => (a.title < b.title ? -1 : 1))
    .map(({ name, title, summary = '', categories = [], auth, streams = {} }) => [
      `[${cell(title)}](${folder}/${name}.md)`,
      cell(summary),
      cell(categories.join(', ')),
      Object.keys(auth).join(', '),
      String(Object.keys(streams).length),
    ]);
  return `${FROM_SPECS}\n# Connectors\n\n${markdownTable(['Connector', 'What it is', 'Categories', 'Methods', 'Streams'], rows)}`;
}
