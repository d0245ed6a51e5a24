import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
import type { SpecPath } from '../tree.ts';
import type { RuleContext } from './context.ts';
import { hasName, inherited, inheritedMap, inheritedNames, isWhole, ownPlace } from './inherited.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unknown-column',
  severity: 'warning',
  summary: 'A column of a parent, of a primary key, or of a cursor, that the stream does not list.',
  why: 'A misspelt column is found only when data comes, and then ends the read.',
  bad: 'streams: { orders: { columns: { id: integer } }, lines: { parent: orders, get: "/orders/${parent.idd}/lines" } }',
  good: 'streams: { orders: { columns: { id: integer } }, lines: { parent: orders, get: "/orders/${parent.id}/lines" } }',
  check: (context, report) => {
    const { spec, partial } = context;
    // With parts left out a column may be among them.
    if (partial) return;
    const listed = listedIn(spec);
    lookAtParents(context, listed, report);
    for (const name of Object.keys(spec.streams ?? {})) {
      if (!isWhole(spec, name)) continue;
      lookAtKeys(spec, name, listed, report);
      lookAtCursor(spec, name, listed, report);
    }
  },
};

interface Listed {
  /** A stream's columns and what it adds; none where it lists no columns. */
  of(stream: string): readonly string[];
  has(stream: string, column: string): boolean;
}

function listedIn(spec: SpecDocument): Listed {
  const known = new Map<string, string[]>();
  const of = (stream: string): string[] => {
    const columns = known.get(stream) ?? inheritedNames(spec, stream, 'columns');
    const all = known.has(stream) || columns.length === 0 ? columns : [...columns, ...inheritedNames(spec, stream, 'add')];
    known.set(stream, all);
    return all;
  };
  const has = (stream: string, column: string): boolean => {
    if (hasName(spec, stream, 'columns', column)) return true;
    const columns = of(stream);
    return columns.length === 0 || columns.includes(column);
  };
  return { of, has };
}

function lookAtParents(context: RuleContext, listed: Listed, report: Report): void {
  const { spec } = context;
  for (const { path, template } of context.mentioning('parent')) {
    const [part, name] = path;
    if (template === undefined) continue;
    if (part !== 'streams' || !isWhole(spec, String(name))) continue;
    const parent = inherited(spec, String(name), 'parent');
    if (parent === undefined) continue;
    for (const each of template.parts) {
      if (!('lookup' in each) || each.lookup?.[0] !== 'parent') continue;
      const column = each.lookup[1];
      if (column === undefined || listed.has(parent, column)) continue;
      const meant = suggest(column, listed.of(parent));
      report(path, `\`${parent}\` lists no column \`${column}\`.`, {
        within: [each.start, each.end],
        hint: meant === undefined ? `List it under \`streams.${parent}.columns\`.` : `Did you mean \`parent.${meant}\`?`,
      });
    }
  }
}

function lookAtKeys(spec: SpecDocument, name: string, listed: Listed, report: Report): void {
  if (hasKeys(spec, name)) return;
  for (const [at, key] of (inherited(spec, name, 'primary_key') ?? []).entries()) {
    const first = /^[^.[]*/.exec(key)?.[0] ?? '';
    if (first === '' || first === '$' || listed.has(name, first) || isReshaped(spec, name, key)) continue;
    const meant = suggest(first, listed.of(name));
    tell(ownPlace(spec, name, ['primary_key', at]), `The primary key \`${key}\` is no listed column of \`${name}\`.`, name, meant, report);
  }
}

/** The columns are those of the record as it leaves the stream, the cursor's is the one as it comes. */
function lookAtCursor(spec: SpecDocument, name: string, listed: Listed, report: Report): void {
  const field = inheritedMap(spec, name, 'cursor')?.field;
  if (typeof field !== 'string' || !/^[^.[$?]/.test(field)) return;
  const flatten = inheritedMap(spec, name, 'flatten');
  const rename = (inheritedMap(spec, name, 'rename') ?? {}) as Record<string, string>;
  // With a depth only some of the way is one name.
  if (flatten?.depth !== undefined && field.includes('.')) return;
  const raw = flatten === undefined ? (/^[^.[?]*/.exec(field)?.[0] ?? '') : field.replaceAll('.', String(flatten.separator ?? '_'));
  const column = Object.hasOwn(rename, raw) ? (rename[raw] as string) : raw;
  const leaves = (inherited(spec, name, 'remove') ?? []).includes(column);
  if (leaves || listed.has(name, column) || Object.values(rename).includes(raw)) return;
  // Where a flattened name was cut before cannot be told.
  const meant = flatten === undefined ? suggest(column, listed.of(name)) : undefined;
  const raws = Object.fromEntries(Object.entries(rename).map(([old, fresh]) => [fresh, old]));
  tell(
    ownPlace(spec, name, ['cursor', 'field']),
    `The cursor \`${field}\` is no listed column of \`${name}\`.`,
    name,
    meant && (raws[meant] ?? meant),
    report,
  );
}

function tell(path: SpecPath, message: string, stream: string, meant: string | undefined, report: Report): void {
  report(path, message, {
    ...(path.length === 2 && { part: 'key' as const }),
    hint: meant === undefined ? `List it under \`streams.${stream}.columns\`.` : `Did you mean \`${meant}\`?`,
  });
}

/** Nearly every stream: its primary key is made of columns that it lists by these names. */
function hasKeys(spec: SpecDocument, stream: string): boolean {
  const keys = inherited(spec, stream, 'primary_key') ?? [];
  return keys.every((key) => !/[.[]/.test(key) && hasName(spec, stream, 'columns', key));
}

/** What `rename` or `flatten` makes of a key is told by a rule of its own. */
const isReshaped = (spec: SpecDocument, stream: string, key: string): boolean =>
  Object.hasOwn(inheritedMap(spec, stream, 'rename') ?? {}, key) ||
  (key.includes('.') && inheritedMap(spec, stream, 'flatten') !== undefined);
