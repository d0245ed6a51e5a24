import { ABSENT } from '../../core/absent.ts';
import { compileOrThrow, type Scope } from '../../core/expression/index.ts';
import { compilePath, readPath } from '../../core/path.ts';
import type { Json } from '../../core/value.ts';
import type { PageReader } from './types.ts';

/** A path from the body, or one ${…} over response, record, last_record and page. Nothing there gives undefined. */
export function pageReader(text: string, scope: Scope): PageReader {
  if (!text.includes('${')) {
    const path = compilePath(text);
    return ({ response }) => readPath(path, response.body);
  }
  const template = compileOrThrow(text, 'computed_path', 'data', scope);
  return ({ response, records, vars, index, count }) => {
    const last = records.at(-1);
    const page = { index, size: records.length, count };
    const value = template.evaluate({ ...vars, response, record: last, last_record: last, page });
    return value === ABSENT ? undefined : (value as Json);
  };
}

/** The signs of the last page that any paginator may be given. */
export function stopped(stop: readonly string[] | undefined, size: number, pageSize: number | undefined): boolean {
  if (stop?.includes('empty_page') && size === 0) return true;
  return stop?.includes('short_page') === true && size < (pageSize ?? 1);
}

/** Null, false, 0 and "" say "no more" as well as nothing at all does. */
export const hasMore = (flag: Json | undefined): boolean =>
  flag !== undefined && flag !== null && flag !== false && flag !== 'false' && flag !== 0 && flag !== '';
