import { FerruleError } from '../../core/errors.ts';
import type { Scope } from '../../core/expression/index.ts';
import type { Json } from '../../core/value.ts';
import { responsePath } from '../response-path.ts';
import type { PageReader, PageSeen } from './types.ts';

/** A path from the body, or one ${…} over response, record, last_record and page. Nothing there gives undefined. */
export function pageReader(text: string, scope: Scope): PageReader {
  const read = responsePath(text, scope);
  return ({ response, last, size, vars, index, count }) =>
    read(response, { ...vars, record: last, last_record: last, page: { index, size, count } });
}

/** How many there are in all, as a whole number or its text; undefined when the spec names no place for it. Anything else there would end a read too soon. */
export function totalReader(from: string | undefined, of: 'records' | 'pages', scope: Scope): (page: PageSeen) => number | undefined {
  if (from === undefined) return () => undefined;
  const read = pageReader(from, scope);
  return (seen) => {
    const total = read(seen);
    const whole = typeof total === 'number' ? Number.isInteger(total) && total >= 0 : typeof total === 'string' && /^\d+$/.test(total);
    if (!whole) throw new FerruleError('path_missing', `The total of ${of} is not at ${from}`, { where: from });
    return Number(total);
  };
}

/** Whether the flag, if the spec names one, says that nothing comes after this page. */
export function endReader(from: string | undefined, scope: Scope): (page: PageSeen) => boolean {
  if (from === undefined) return () => false;
  const read = pageReader(from, scope);
  return (seen) => !hasMore(read(seen));
}

/** The signs of the last page that any paginator may be given. */
export function stopped(stop: readonly string[] | undefined, size: number, pageSize: number | undefined): boolean {
  if (stop?.includes('empty_page') && size === 0) return true;
  return stop?.includes('short_page') === true && size < (pageSize ?? 1);
}

/** Null, false, 0 and "" say "no more" as well as nothing at all does. */
const hasMore = (flag: Json | undefined): boolean =>
  flag !== undefined && flag !== null && flag !== false && flag !== 'false' && flag !== 0 && flag !== '';
