import { connectionVariables } from '../auth/variables.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { compileOrThrow, evaluateCondition } from '../core/expression/index.ts';
import type { Resolved, ResolvedField } from '../core/resolved.ts';
import { scopesOf } from '../core/scope.ts';
import { type InputShape, inputError, readInputs } from '../credentials/inputs.ts';
import { inputField } from '../credentials/shape.ts';
import type { FieldValue } from '../credentials/types.ts';

/** The fields that are asked for under what is known so far: those whose `when` holds. */
export function applicableFields(
  resolved: Resolved,
  values: Readonly<Record<string, FieldValue>>,
  time: { clock?: Clock; random?: Random } = {},
): ResolvedField[] {
  const { clock = systemClock, random = systemRandom } = time;
  const conditional = resolved.fields.some((field) => field.when !== undefined);
  if (!conditional) return resolved.fields;
  const scopes = scopesOf(resolved);
  const vars = connectionVariables({
    resolved: { ...resolved, fields: resolved.fields.filter(({ value }) => value === undefined) },
    scopes,
    fields: values,
    clock,
    random,
  })();
  return resolved.fields.filter(
    (field) => field.when === undefined || evaluateCondition(compileOrThrow(field.when, 'condition', 'data', scopes.connection), vars),
  );
}

export function inputShape(resolved: Resolved, values: Readonly<Record<string, FieldValue>> = {}): InputShape {
  return { connector: resolved.name, fields: applicableFields(resolved, values).map(inputField) };
}

/** Field values given in code, checked: every mistake at once, in one error. */
export function checkedFields(resolved: Resolved, fields: Readonly<Record<string, FieldValue>>): Record<string, FieldValue> {
  const { values, problems } = readInputs(inputShape(resolved, fields), [{ name: 'inputs', values: fields }], {
    ...(resolved.http.allow_http === 'loopback' && { allowHttpLoopback: true }),
  });
  const error = inputError(problems);
  if (error !== undefined) throw error;
  return values;
}
