import { ABSENT } from '../core/absent.ts';
import { FerruleError } from '../core/errors.ts';
import { compileOrThrow, type Scope, type Vars } from '../core/expression/index.ts';
import { compilePath, type Path, readRequired } from '../core/path.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { Json, JsonObject, Response } from '../core/value.ts';

/** Takes the records out of an answer: a list gives its items, an object one record. */
export type Extract = (response: Response, vars: Vars) => JsonObject[];

/** Whose records they are, for messages. */
export interface RecordsPlace {
  /** `orders: records (data.rows)` */
  label: string;
  /** `streams.orders.records` */
  where: string;
}

export const recordsPlace = (name: string, records: string): RecordsPlace => ({
  label: `${name}: records (${records})`,
  where: `streams.${name}.records`,
});

/**
 * The records at a path. `seen`: where the root is a piece of a longer list, how many elements and records came before it.
 * @throws FerruleError records_missing
 */
export function recordsAt(
  path: Path,
  root: Json | undefined,
  place: RecordsPlace,
  seen: { elements: number; records: number } = { elements: 0, records: 0 },
): JsonObject[] {
  try {
    const found = readRequired(path, root, place.where, seen.elements);
    if ((found === null || found === undefined) && path.optional) return [];
    return asRecords(found, place, seen.records);
  } catch (error) {
    if (error instanceof FerruleError && error.code === 'path_missing') throw missing(place, error.message);
    throw error;
  }
}

export function compileExtract(stream: ResolvedStream, scope: Scope): Extract {
  const place = recordsPlace(stream.name, stream.records);
  if (stream.records.includes('${')) {
    const template = compileOrThrow(stream.records, 'computed_path', 'data', scope);
    return (response, vars) => asRecords(template.evaluate({ ...vars, response }) as Json | typeof ABSENT, place);
  }
  const path = compilePath(stream.records);
  return (response) => recordsAt(path, response.body, place);
}

function asRecords(found: Json | undefined | typeof ABSENT, place: RecordsPlace, first = 0): JsonObject[] {
  if (found === undefined || found === null || found === ABSENT)
    throw missing(place, `${place.label} finds ${found === null ? 'null' : 'nothing'}`);
  const list = Array.isArray(found) ? found : [found];
  const odd = list.findIndex((item) => typeof item !== 'object' || item === null || Array.isArray(item));
  if (odd !== -1) {
    const what = list[odd] === null ? 'null' : Array.isArray(list[odd]) ? 'a list' : `a ${typeof list[odd]}`;
    throw missing(place, `${place.label} finds ${what}${Array.isArray(found) ? ` at index ${first + odd}` : ''}, not an object`);
  }
  return list as JsonObject[];
}

const missing = (place: RecordsPlace, message: string): FerruleError =>
  new FerruleError('records_missing', message, { where: place.where });
