import { compile, type Scope, type ScopeEntry } from './expression/index.ts';
import type { Scopes } from './scope.ts';

/** What of a stream's cursor decides which members of `window` each request has. As the spec says it, or resolved. */
export interface WindowSource {
  format?: unknown;
  filter?: unknown;
  window?: unknown;
  start?: unknown;
  oldest?: unknown;
}

/** Of the window's members, those that every request of a stream has: they may stand within a text, where nothing can be left out. */
interface Known {
  start: boolean;
  end: boolean;
  isTime: boolean;
}

/** `api`: the scope in which `cursor.start` is worked out; an optional field there leaves a read without a beginning. */
function knownOf({ format, filter, window, start, oldest }: WindowSource, api: Scope): Known {
  const isTime = format !== 'integer';
  const begins = isSaid(start) && compile(String(start), 'text', 'plain', api).template?.canBeAbsent !== true;
  return {
    start: begins || (isSaid(oldest) && isTime),
    // Nobody knows where integers end, and who filters here asks for all.
    end: isSaid(window) && isTime && filter !== 'client',
    isTime,
  };
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null;

/** Expressions are cached by scopes, so that each scope has one of each kind. */
const made = new WeakMap<Scope, Map<string, Scope>>();

function narrowed(scope: Scope, known: Known): Scope {
  const { window } = scope;
  if (window?.members === undefined || !(known.start || known.end)) return scope;
  const variants = made.get(scope) ?? new Map<string, Scope>();
  made.set(scope, variants);
  const key = JSON.stringify(known);
  const before = variants.get(key);
  if (before !== undefined) return before;
  const member = (name: 'start' | 'end'): Record<string, ScopeEntry> => ({
    ...(known[name] && { [name]: { type: 'text' } }),
    ...(known[name] && known.isTime && { [`${name}_time`]: { type: 'time' } }),
  });
  const result: Scope = { ...scope, window: { ...window, members: { ...window.members, ...member('start'), ...member('end') } } };
  variants.set(key, result);
  return result;
}

/** The scopes of one stream: its window's members are no longer taken for absent where they never are. */
export function streamScopes(scopes: Scopes, cursor: WindowSource | undefined): Scopes {
  if (cursor === undefined) return scopes;
  const known = knownOf(cursor, scopes.api);
  const of = (name: 'stream' | 'response' | 'job' | 'page' | 'record'): Scope => narrowed(scopes[name], known);
  return { ...scopes, stream: of('stream'), response: of('response'), job: of('job'), page: of('page'), record: of('record') };
}

/** A scope for what several streams share: what each of them has. */
export function sharedScope(scope: Scope, cursors: readonly (WindowSource | undefined)[], api: Scope): Scope {
  if (cursors.length === 0) return scope;
  const all = cursors.map((cursor) => knownOf(cursor ?? {}, api));
  return narrowed(scope, {
    start: all.every(({ start }) => start),
    end: all.every(({ end }) => end),
    isTime: all.every(({ isTime }) => isTime),
  });
}
