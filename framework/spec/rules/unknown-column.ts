import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
import { hasName, inherited, inheritedNames, isWhole } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unknown-column',
  severity: 'warning',
  summary: 'A column of a parent, or of a primary key, that the stream does not list.',
  why: 'A misspelt column is found only when data comes, and then ends the read.',
  bad: 'streams: { orders: { columns: { id: integer } }, lines: { parent: orders, get: "/orders/${parent.idd}/lines" } }',
  good: 'streams: { orders: { columns: { id: integer } }, lines: { parent: orders, get: "/orders/${parent.id}/lines" } }',
  check: (context, report) => {
    const { spec, partial } = context;
    // With parts left out a column may be among them.
    if (partial) return;
    const known = new Map<string, string[]>();
    const columnsOf = (stream: string): string[] => {
      const columns = known.get(stream) ?? inheritedNames(spec, stream, 'columns');
      const all = known.has(stream) || columns.length === 0 ? columns : [...columns, ...inheritedNames(spec, stream, 'add')];
      known.set(stream, all);
      return all;
    };
    const isListed = (stream: string, column: string): boolean => {
      if (hasName(spec, stream, 'columns', column)) return true;
      const columns = columnsOf(stream);
      return columns.length === 0 || columns.includes(column);
    };
    for (const { path, template } of context.mentioning('parent')) {
      const [part, name] = path;
      if (template === undefined) continue;
      if (part !== 'streams' || !isWhole(spec, String(name))) continue;
      const parent = inherited(spec, String(name), 'parent');
      if (parent === undefined) continue;
      for (const each of template.parts) {
        if (!('lookup' in each) || each.lookup?.[0] !== 'parent') continue;
        const column = each.lookup[1];
        if (column === undefined || isListed(parent, column)) continue;
        const meant = suggest(column, columnsOf(parent));
        report(path, `\`${parent}\` lists no column \`${column}\`.`, {
          within: [each.start, each.end],
          hint: meant === undefined ? `List it under \`streams.${parent}.columns\`.` : `Did you mean \`parent.${meant}\`?`,
        });
      }
    }
    for (const name of Object.keys(spec.streams ?? {})) {
      if (!isWhole(spec, name) || hasKeys(spec, name)) continue;
      for (const [at, key] of (inherited(spec, name, 'primary_key') ?? []).entries()) {
        const first = /^[^.[]*/.exec(key)?.[0] ?? '';
        if (first === '' || first === '$' || isListed(name, first)) continue;
        const own = spec.streams?.[name]?.primary_key !== undefined;
        const meant = suggest(first, columnsOf(name));
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

/** Nearly every stream: its primary key is made of columns that it lists by these names. */
function hasKeys(spec: SpecDocument, stream: string): boolean {
  const keys = inherited(spec, stream, 'primary_key') ?? [];
  return keys.every((key) => !/[.[]/.test(key) && hasName(spec, stream, 'columns', key));
}
