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

/**
 * Field values given in code, checked: every mistake at once, in one error. `app`: values that the product has for all its accounts. `renewed: false`: what only a token request
 * needs may be left out, since none will be sent.
 */
export function checkedFields(
  resolved: Resolved,
  fields: Readonly<Record<string, FieldValue>>,
  { renewed = true, app = {} }: { renewed?: boolean; app?: Readonly<Record<string, FieldValue>> } = {},
): Record<string, FieldValue> {
  const shape = inputShape(resolved, fields);
  const idle = new Set([...Object.keys(app), ...(renewed ? [] : signInFields(resolved))]);
  const wanted = { ...shape, fields: shape.fields.map((field) => (idle.has(field.name) ? { ...field, required: false } : field)) };
  const { values, problems } = readInputs(wanted, [{ name: 'inputs', values: fields }], {
    ...(resolved.http.allow_http === 'loopback' && { allowHttpLoopback: true }),
  });
  const error = inputError(problems);
  if (error !== undefined) throw error;
  return values;
}

/** Whether a token request can ever be sent: not with an access token that may not be renewed (InitiateOAuth=OFF). */
export const renewable = (tokens: { access_token?: unknown } | undefined, oauth: { refresh?: boolean } | undefined): boolean =>
  tokens?.access_token === undefined || oauth?.refresh !== false;

/** The method's fields that only its token requests mention: the client's ID and secret, mostly. */
export function signInFields({ fields, http, method, check, streams }: Resolved): Set<string> {
  const elsewhere = JSON.stringify([http, method.send, method.vars, check, streams]);
  const own = fields.filter(({ of, options }) => of === 'method' && options === undefined);
  return new Set(own.map(({ name }) => name).filter((name) => !new RegExp(`fields\\.${name}\\b`).test(elsewhere)));
}
