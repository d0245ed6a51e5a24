import { ABSENT } from '../core/absent.ts';
import { FerruleError } from '../core/errors.ts';
import { compileOrThrow, type Scope, type Vars } from '../core/expression/index.ts';
import { compilePath, readRequired } from '../core/path.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { Json, JsonObject, Response } from '../core/value.ts';

/** Takes the records out of an answer: a list gives its items, an object one record. */
export type Extract = (response: Response, vars: Vars) => JsonObject[];

export function compileExtract(stream: ResolvedStream, scope: Scope): Extract {
  const where = `${stream.name}: records`;
  if (stream.records.includes('${')) {
    const template = compileOrThrow(stream.records, 'computed_path', 'data', scope);
    return (response, vars) => asRecords(template.evaluate({ ...vars, response }) as Json | typeof ABSENT, stream, where);
  }
  const path = compilePath(stream.records);
  return (response) => {
    try {
      const found = readRequired(path, response.body, where);
      if ((found === null || found === undefined) && path.optional) return [];
      return asRecords(found, stream, where);
    } catch (error) {
      if (error instanceof FerruleError && error.code === 'path_missing')
        throw new FerruleError('records_missing', error.message, { where: `streams.${stream.name}.records` });
      throw error;
    }
  };
}

function asRecords(found: Json | undefined | typeof ABSENT, stream: ResolvedStream, where: string): JsonObject[] {
  if (found === undefined || found === null || found === ABSENT)
    throw missing(stream, `${where} (${stream.records}) finds ${found === null ? 'null' : 'nothing'}`);
  const list = Array.isArray(found) ? found : [found];
  const odd = list.findIndex((item) => typeof item !== 'object' || item === null || Array.isArray(item));
  if (odd !== -1) {
    const what = list[odd] === null ? 'null' : Array.isArray(list[odd]) ? 'a list' : `a ${typeof list[odd]}`;
    throw missing(stream, `${where} (${stream.records}) finds ${what}${Array.isArray(found) ? ` at index ${odd}` : ''}, not an object`);
  }
  return list as JsonObject[];
}

const missing = (stream: ResolvedStream, message: string): FerruleError =>
  new FerruleError('records_missing', message, { where: `streams.${stream.name}.records` });
