import { ABSENT } from '../core/absent.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Scope, Vars } from '../core/expression/index.ts';
import { compileText } from '../core/render.ts';
import type { Resolved, ResolvedField } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { Secret } from '../core/secret.ts';
import type { CaptureValue, FieldValue } from '../credentials/types.ts';

export interface VariableSource {
  resolved: Resolved;
  scopes: Scopes;
  fields: Readonly<Record<string, FieldValue>>;
  clock: Clock;
  random: Random;
}

/** Makes the variables that stand everywhere: fields, choices, auth, now, uuid. Work out `fields` once, the rest per attempt. */
export function connectionVariables(source: VariableSource): (now?: number) => Vars {
  const { resolved, clock, random } = source;
  const fixed = { ...resolved.choices, auth: { method: resolved.method.name } };
  const fields = fieldVariables(source, fixed);
  return (now = clock.now()) => {
    let uuid: string | undefined;
    return {
      ...fixed,
      fields,
      now: new Date(now),
      get uuid() {
        uuid ??= random.uuid();
        return uuid;
      },
    };
  };
}

function fieldVariables({ resolved, scopes, fields }: VariableSource, fixed: Vars): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const field of resolved.fields) {
    if (field.value === undefined) result[field.name] = typed(fields[field.name] ?? field.default, field);
  }
  // Fixed fields may be made from what the person entered, so they come after.
  for (const field of resolved.fields) {
    if (field.value === undefined) continue;
    const text = compileText(field.value, 'plain', scopes.connection)({ ...fixed, fields: result });
    result[field.name] = text === ABSENT ? undefined : field.secret ? Secret.of(text) : text;
  }
  return result;
}

/** Whole numbers are stored as text so that none is rounded; they are numbers again where that loses nothing. */
function typed(value: FieldValue | undefined, field: ResolvedField): unknown {
  if (value === undefined) return undefined;
  if (field.secret && typeof value === 'string') return new Secret(value);
  if ((field.type === 'integer' || field.type === 'number') && typeof value === 'string') {
    const number = Number(value);
    return field.type === 'integer' && !Number.isSafeInteger(number) ? value : number;
  }
  return value;
}

/** What calls captured, as `token.<name>`. A null stands for nothing. */
export function tokenVariables(captures: Readonly<Record<string, CaptureValue>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(captures).filter(([, value]) => value !== null));
}

/** A method's `vars`, compiled once. Each is worked out when it is first asked for, since a step may come before there is a request to sign. */
export function compileVars(resolved: Resolved, scope: Scope): (vars: Vars) => Vars {
  const texts = Object.entries(resolved.method.vars).map(([name, text]) => [name, compileText(text, 'plain', scope)] as const);
  return (vars) => {
    const own: Record<string, unknown> = {};
    for (const [name, text] of texts) {
      let value: { known: unknown } | undefined;
      const get = (): unknown => {
        if (value === undefined) {
          const made = text({ ...vars, vars: own });
          value = { known: made === ABSENT ? undefined : made };
        }
        return value.known;
      };
      Object.defineProperty(own, name, { get, enumerable: true });
    }
    return own;
  };
}
