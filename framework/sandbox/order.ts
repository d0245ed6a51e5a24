import type { Resolved, ResolvedStream } from '../core/resolved.ts';
import type { Column } from '../core/spec-types.gen.ts';
import { day, keyMaker, stamp } from './column.ts';
import { type Data, segments } from './data.ts';
import { type Lookup, lookupsIn, read, splitText, UNKNOWN } from './reading.ts';

/** What a stream's records are sorted by where its paging asks for what comes after a record: another value for each index, in order. */
export interface Order {
  path: string[];
  make(index: number): Data;
  /** What a request says that asks for what comes after that record. */
  said(index: number): string;
}

const MINUTE = 60_000;
const FIRST = Date.UTC(2026, 0, 1);

/** Where the cursor stands, and what stands there: records that are sorted by their cursor. */
export interface Timed {
  at: string | undefined;
  make(index: number): Data;
}

export function orderOf({ paginate, columns }: ResolvedStream, { http }: Resolved, seed: string, timed: Timed): Order | undefined {
  const restart = 'restart' in paginate ? paginate.restart : undefined;
  const from = paginate.type === 'keyset' ? paginate.from : restart?.from;
  if (from === undefined) return undefined;
  const computed = from.startsWith('${');
  const path = computed ? (lookupsIn(from, 'last_record')[0] ?? lookupsIn(from, 'record')[0]) : segments(from);
  if (path === undefined || path.length === 0) return undefined;
  const name = path.join('.');
  const own = maker(name, columns[name]?.type ?? (/id$/i.test(name) ? 'integer' : 'text'), http.big_integers === 'text', seed);
  const make = name === timed.at ? timed.make : own;
  if (!computed) return { path, make, said: (index) => String(make(index)) };
  const [part] = splitText(from);
  const said = (index: number): string => {
    const lookup: Lookup = ([root, ...rest]) => (/^(last_)?record$/.test(root ?? '') && rest.join('.') === name ? make(index) : UNKNOWN);
    const value = part !== undefined && 'expr' in part ? read(part.expr, lookup) : UNKNOWN;
    return String(typeof value === 'symbol' ? make(index) : value);
  };
  return { path, make, said };
}

function maker(name: string, type: Column['type'], big: boolean, seed: string): (index: number) => Data {
  if (type === 'date') return (index) => day(FIRST + index * 1440 * MINUTE);
  if (type === 'datetime') return (index) => stamp(FIRST + index * MINUTE);
  return keyMaker(name, type, { big, seed });
}
