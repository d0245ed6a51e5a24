import { createHash } from 'node:crypto';
import { ABSENT } from '../core/absent.ts';
import { encodeQuery } from '../core/encode.ts';
import { isFerruleError } from '../core/errors.ts';
import type { Place, Vars } from '../core/expression/index.ts';
import { compileText } from '../core/render.ts';
import { capturing, type Scopes, scopesOf } from '../core/scope.ts';
import { reveal, type Text } from '../core/secret.ts';
import type { Issued } from './grants.ts';
import type { Incoming } from './request.ts';
import type { View } from './view.ts';

/** What a text is worked out with. */
export interface Known {
  issued?: Issued | undefined;
  /** Milliseconds since the epoch. */
  now?: number;
  uuid?: string;
  request?: Incoming;
}

const scopes = new WeakMap<View, Scopes>();

/**
 * Works out a text of the spec with the runtime's expressions. Everything else is read backwards from the request by code that is the
 * sandbox's own; a hash cannot be, and a second implementation of every function would be no better proof than the functions' own tests.
 * Undefined: it has no value, or not with what is known.
 */
export function computed(text: string, place: Place, view: View, known: Known): string | undefined {
  const all = scopes.get(view) ?? scopesOf(view.resolved);
  scopes.set(view, all);
  try {
    const scope = known.request === undefined ? all.auth : all.send;
    const vars = { ...variables(view, known), ...(known.request && { request: requestOf(known.request, view) }) };
    const value = compileText(text, place, scope)({ ...vars, vars: named(view, scope, vars) });
    return value === ABSENT ? undefined : reveal(value as Text);
  } catch (error) {
    if (isFerruleError(error)) return undefined;
    throw error;
  }
}

function variables(view: View, { issued, now, uuid }: Known): Vars {
  const { resolved } = view;
  const tokens = capturing(resolved.method).flatMap(({ capture }) =>
    Object.keys(capture).map((name): [string, unknown] => {
      const known = view.lookup(['token', name]);
      return [name, issued?.values[name] ?? (typeof known === 'symbol' ? undefined : known)];
    }),
  );
  return {
    ...resolved.choices,
    auth: { method: resolved.method.name },
    fields: Object.fromEntries(resolved.fields.map((field) => [field.name, typed(view.value(field.name), field.type)])),
    token: Object.fromEntries(tokens),
    oauth: { client_id: view.value('client_id') },
    ...(now !== undefined && { now: new Date(now) }),
    ...(uuid !== undefined && { uuid }),
  };
}

function typed(value: string | undefined, type: string): unknown {
  if (value === undefined || type === 'text') return value;
  if (type === 'integer' || type === 'number') return Number(value);
  return type === 'boolean' ? value === 'true' : value;
}

/** Each sees those before it; one that has no value here is left out. */
function named(view: View, scope: Scopes['send'], vars: Vars): Vars {
  const own: Record<string, string> = {};
  for (const [name, text] of Object.entries(view.vars)) {
    try {
      const value = compileText(text, 'plain', scope)({ ...vars, vars: own });
      if (value !== ABSENT) own[name] = reveal(value as Text);
    } catch (error) {
      if (!isFerruleError(error)) throw error;
    }
  }
  return own;
}

/** The request as it was before `send` was laid over it. */
function requestOf({ method, host, path, query, headers, bytes, body }: Incoming, { resolved }: View): Vars {
  const { send } = resolved.method;
  const sent = new Set(Object.keys(send.headers).map((name) => name.toLowerCase()));
  const own = query.filter(([name]) => !(name in send.query));
  const values: Record<string, string | string[]> = {};
  for (const [name, value] of own.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    values[name] = name in values ? [values[name]!, value].flat() : value;
  }
  return {
    ...{ method, host, path, query: values, params: encodeQuery(values), body: bytes, body_text: body, body_length: bytes.length },
    body_sha256: createHash('sha256').update(bytes).digest('hex'),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !sent.has(name))),
  };
}
