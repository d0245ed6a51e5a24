import { ABSENT } from '../core/absent.ts';
import { compileOrThrow, type Scope, type Vars } from '../core/expression/index.ts';
import { compilePath, readPath } from '../core/path.ts';
import type { Json, Response } from '../core/value.ts';

/** Reads an answer by a path from its body, or by one ${…} over what `scope` names. Nothing there gives undefined. */
export function responsePath(text: string, scope: Scope): (response: Response, vars: Vars) => Json | undefined {
  if (!text.includes('${')) {
    const path = compilePath(text);
    return (response) => readPath(path, response.body);
  }
  const template = compileOrThrow(text, 'computed_path', 'data', scope);
  return (response, vars) => {
    const value = template.evaluate({ ...vars, response });
    return value === ABSENT ? undefined : (value as Json);
  };
}
