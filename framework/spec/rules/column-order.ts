import type { SpecDocument } from '../../core/spec-types.gen.ts';
import type { SpecPath } from '../tree.ts';
import { hasName, inherited, inheritedMap, isWhole, ownPlace, saidAt } from './inherited.ts';
import type { Rule } from './rule.ts';

interface Mistake {
  /** Below the stream. */
  at: SpecPath;
  message: string;
  hint: string;
}

export const rule: Rule = {
  name: 'column-order',
  severity: 'error',
  summary: 'Words for columns that miss one another: a name that `rename` or `flatten` has changed, or a column that `remove` takes out.',
  why: 'A record is flattened, then renamed, then typed, then columns are removed and added. A word with the old name does nothing without a sound, and a primary key is lost.',
  bad: 'rename: { Id: id }\nprimary_key: [Id]',
  good: 'rename: { Id: id }\nprimary_key: [id]',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    /** What a template has wrong by itself is told once, there. */
    const told = new Set<string | undefined>();
    for (const [name, stream] of Object.entries(spec.streams ?? {})) {
      if (!isWhole(spec, name)) continue;
      const isOwn = WORDS.some((word) => stream[word] !== undefined);
      if (!isOwn && told.has(stream.use)) continue;
      if (!isOwn) told.add(stream.use);
      const columns = columnsOf(spec, name);
      for (const { at, message, hint } of [...renamed(columns), ...removed(columns), ...flattened(columns)]) {
        const path = isOwn ? ownPlace(spec, name, at) : (saidAt(spec, name, at) ?? ['streams', name]);
        report(path, message, { ...(path.length === 2 && { part: 'key' as const }), hint });
      }
    }
  },
};

const WORDS = ['rename', 'types', 'remove', 'flatten', 'primary_key', 'add', 'cursor'] as const;

interface Columns {
  /** Old name → new name. */
  rename: Record<string, string>;
  types: string[];
  remove: string[];
  primaryKey: string[];
  cursor: string;
  separator: string | undefined;
  isAdded(column: string): boolean;
}

function columnsOf(spec: SpecDocument, stream: string): Columns {
  const flatten = inheritedMap(spec, stream, 'flatten');
  return {
    rename: (inheritedMap(spec, stream, 'rename') ?? {}) as Record<string, string>,
    types: Object.keys(inheritedMap(spec, stream, 'types') ?? {}),
    remove: inherited(spec, stream, 'remove') ?? [],
    primaryKey: inherited(spec, stream, 'primary_key') ?? [],
    cursor: firstOf(String(inheritedMap(spec, stream, 'cursor')?.field ?? '')),
    separator: flatten && String(flatten.separator ?? '_'),
    isAdded: (column) => hasName(spec, stream, 'add', column),
  };
}

const firstOf = (path: string): string => /^[^.[?]*/.exec(path)?.[0] ?? '';

interface Given {
  /** New name → old name. */
  names: Map<string, string>;
  /** Old names whose new name another column has. */
  twice: [old: string, other: string][];
}

/** Streams that say nothing of it themselves share one map. */
const GIVEN = new WeakMap<Columns['rename'], Given>();

function givenBy(rename: Columns['rename']): Given {
  const known = GIVEN.get(rename);
  if (known !== undefined) return known;
  const names = new Map<string, string>();
  const twice: Given['twice'] = [];
  for (const [old, fresh] of Object.entries(rename)) {
    const other = names.get(fresh);
    if (other !== undefined) twice.push([old, other]);
    names.set(fresh, old);
  }
  GIVEN.set(rename, { names, twice });
  return { names, twice };
}

function renamed({ rename, primaryKey, types, remove, cursor, isAdded }: Columns): Mistake[] {
  const { names: given, twice } = givenBy(rename);
  const mistakes = twice.map(([old, other]): Mistake => {
    const message = `\`${other}\` and \`${old}\` are both renamed to \`${rename[old]}\`.`;
    return { at: ['rename', old], message, hint: 'Give one of them another name: it would overwrite the other.' };
  });
  // A name that is free again may have been given to another column.
  const isGone = (column: string): boolean => Object.hasOwn(rename, column) && !given.has(column);
  const miss = (at: SpecPath, old: string, hint = `Write \`${rename[old]}\`.`): void => {
    if (isGone(old)) mistakes.push({ at, message: `\`${old}\` is called \`${rename[old]}\` by then.`, hint });
  };
  for (const [at, path] of primaryKey.entries()) if (!isAdded(firstOf(path))) miss(['primary_key', at], firstOf(path));
  for (const old of types) miss(['types', old], old);
  for (const [at, old] of remove.entries()) miss(['remove', at], old, 'Leave it out of `remove`, or out of `rename`.');
  const raw = given.get(cursor);
  if (raw !== undefined && !Object.hasOwn(rename, cursor)) {
    const message = `A cursor is read in the record as it comes, where \`${cursor}\` is still called \`${raw}\`.`;
    mistakes.push({ at: ['cursor', 'field'], message, hint: `Write \`${raw}\`.` });
  }
  return mistakes;
}

function removed({ rename, types, remove, primaryKey, isAdded }: Columns): Mistake[] {
  if (remove.length === 0) return [];
  const out = new Set(remove);
  const mistakes: Mistake[] = [];
  const look = (at: SpecPath, column: string, hint: string): void => {
    if (out.has(column)) mistakes.push({ at, message: `\`remove\` takes \`${column}\` out.`, hint });
  };
  for (const column of types) look(['types', column], column, 'Leave it out here, or out of `remove`.');
  for (const [old, fresh] of Object.entries(rename)) look(['rename', old], fresh, 'Leave it out here, or out of `remove`.');
  for (const [at, path] of primaryKey.entries()) {
    if (!isAdded(firstOf(path))) look(['primary_key', at], firstOf(path), 'A primary key must be in the record: leave it out of `remove`.');
  }
  return mistakes;
}

function flattened({ separator, primaryKey }: Columns): Mistake[] {
  if (separator === undefined) return [];
  return [...primaryKey.entries()]
    .filter(([, path]) => /^[^.[$]+\./.test(path))
    .map(([at, path]) => ({
      at: ['primary_key', at],
      message: `\`flatten\` makes \`${path}\` a column of its own.`,
      hint: `Write \`${path.replaceAll('.', separator)}\`, or the name that \`rename\` gives it.`,
    }));
}
