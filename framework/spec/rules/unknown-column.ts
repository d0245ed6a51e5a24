import type { ResolvedStream } from '../../core/resolved.ts';
import { suggest } from '../../core/suggest.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unknown-column',
  severity: 'warning',
  summary: 'A column of a parent, or of a primary key, that the stream does not list.',
  why: 'A misspelt column is found only when data comes, and then ends the read.',
  bad: 'streams: { orders: { columns: { id: integer } }, lines: { parent: orders, get: "/orders/${parent.idd}/lines" } }',
  good: 'streams: { orders: { columns: { id: integer } }, lines: { parent: orders, get: "/orders/${parent.id}/lines" } }',
  check: ({ spec, expressions, resolved }, report) => {
    const [any] = Object.values(resolved);
    if (any === undefined) return;
    const columnsOf = (stream: ResolvedStream | undefined): string[] =>
      stream === undefined || Object.keys(stream.columns).length === 0 ? [] : [...Object.keys(stream.columns), ...Object.keys(stream.add)];
    for (const { path, template } of expressions) {
      const [part, name] = path;
      if (part !== 'streams') continue;
      const parent = any.streams[String(name)]?.parent;
      const columns = parent === undefined ? [] : columnsOf(any.streams[parent]);
      for (const each of template?.parts ?? []) {
        if (!('lookup' in each) || each.lookup?.[0] !== 'parent') continue;
        const column = each.lookup[1];
        if (column === undefined || columns.length === 0 || columns.includes(column)) continue;
        const meant = suggest(column, columns);
        report(path, `\`${parent}\` lists no column \`${column}\`.`, {
          within: [each.start, each.end],
          hint: meant === undefined ? `List it under \`streams.${parent}.columns\`.` : `Did you mean \`parent.${meant}\`?`,
        });
      }
    }
    for (const [name, stream] of Object.entries(any.streams)) {
      const columns = columnsOf(stream);
      for (const [at, key] of stream.primary_key.entries()) {
        const first = key.split(/[.[]/)[0] ?? '';
        if (columns.length === 0 || first === '' || first === '$' || columns.includes(first)) continue;
        const own = spec.streams?.[name]?.primary_key !== undefined;
        const meant = suggest(first, columns);
        report(
          own ? ['streams', name, 'primary_key', at] : ['streams', name],
          `The primary key \`${key}\` is no listed column of \`${name}\`.`,
          {
            ...(!own && { part: 'key' as const }),
            hint: meant === undefined ? `List it under \`streams.${name}.columns\`.` : `Did you mean \`${meant}\`?`,
          },
        );
      }
    }
  },
};
