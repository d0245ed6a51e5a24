import { compile, type Scope, type ScopeEntry } from './expression/index.ts';
import type { Captures, Login, Resolved, ResolvedField } from './resolved.ts';
import type { Capture } from './spec-types.gen.ts';

/** The words of `x-scope` in the schemas: which variables stand where (LANGUAGE, A4). */
export type ScopeName =
  | 'connection'
  | 'auth'
  | 'authorize'
  | 'callback'
  | 'send'
  | 'api'
  | 'response'
  | 'stream'
  | 'job'
  | 'page'
  | 'record'
  | 'item';
export type Scopes = Readonly<Record<ScopeName, Scope>>;

const ANY: ScopeEntry = { type: 'any' };
const OPEN: ScopeEntry = { type: 'map' };
const TEXT: ScopeEntry = { type: 'text' };
const NUMBER: ScopeEntry = { type: 'number' };

const map = (members: Record<string, ScopeEntry>): ScopeEntry => ({ type: 'map', members });

/** Names that no choice may have, since they are variables. */
export const VARIABLES: readonly string[] = [
  ...['fields', 'auth', 'now', 'uuid', 'vars', 'token', 'oauth', 'callback', 'request', 'response', 'record', 'last_record', 'page'],
  ...['parent', 'each', 'window', 'job', 'item', 'with'],
];

const RESPONSE = map({ status: NUMBER, headers: OPEN, cookies: OPEN, body: ANY });
const REQUEST = map({
  ...{ method: TEXT, host: TEXT, path: TEXT, params: TEXT, query: OPEN, headers: OPEN, body: { type: 'bytes' }, body_text: TEXT },
  ...{ body_length: NUMBER, body_sha256: TEXT },
});
const MAYBE: ScopeEntry = { type: 'text', absent: true };
const MAYBE_SECRET: ScopeEntry = { ...MAYBE, secret: true };
const OAUTH = map({
  ...{ code: MAYBE_SECRET, code_verifier: MAYBE_SECRET, device_code: MAYBE_SECRET },
  ...{ client_id: MAYBE, redirect_uri: MAYBE, scope: MAYBE, resource: MAYBE, state: MAYBE, code_challenge: MAYBE },
});
const PAGE = map({ index: NUMBER, size: NUMBER, count: NUMBER });
/** A stream without a window has none of it, and one without `cursor.start` no beginning. */
const TIME: ScopeEntry = { type: 'time', absent: true };
const WINDOW = map({ start: MAYBE, end: MAYBE, start_time: TIME, end_time: TIME });
/** What a job's calls captured. A download's address is one of them: it may be a whole URL. */
const JOB: ScopeEntry = { type: 'map', others: { type: 'any', url: 'whole' } };
/** Which names there are differs from stream to stream; lint knows them. */
const EACH: ScopeEntry = { type: 'map', others: ANY };

/**
 * The variables of each place for one resolved spec, with what the load-time check needs to know of them: type,
 * secrecy, absence, whether they may stand in a host. Made once per resolved spec; expressions are cached by these objects.
 */
export function scopesOf(resolved: Resolved): Scopes {
  const choices: Scope = {};
  for (const [choice, attributes] of Object.entries(resolved.choices)) {
    choices[choice] = map(Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeEntry([value])])));
  }
  return scopesWith(resolved, choices);
}

/** The same where the choices are known by name only, as when no option is chosen yet. */
export function scopesWith(resolved: Login, choices: Scope): Scopes {
  const connection: Scope = {
    fields: map(Object.fromEntries(resolved.fields.map((field) => [field.name, fieldEntry(field)]))),
    auth: map({ method: TEXT }),
    now: { type: 'time' },
    uuid: TEXT,
    ...choices,
  };
  const token = map(tokenEntries(resolved, { ...connection, token: OPEN, response: RESPONSE, callback: OPEN }));
  const api: Scope = { ...connection, token };
  const { all: vars, unsigned } = varEntries(resolved, { ...api, oauth: OAUTH, request: REQUEST });
  const auth: Scope = { ...api, oauth: OAUTH, vars: unsigned, response: RESPONSE };
  const stream: Scope = { ...api, parent: ANY, each: EACH, window: WINDOW };
  const response: Scope = { ...stream, response: RESPONSE };
  return {
    connection,
    auth,
    authorize: { ...api, oauth: OAUTH },
    callback: { ...api, callback: OPEN },
    send: { ...api, vars, request: REQUEST },
    api,
    response,
    stream,
    job: { ...stream, job: JOB },
    page: { ...response, page: PAGE, record: ANY, last_record: ANY },
    record: { ...stream, record: ANY },
    item: { ...api, item: ANY },
  };
}

/** An attribute of a choice: a whole URL where each option says one, else what may stand in a host. */
export const attributeEntry = (values: readonly string[]): ScopeEntry => ({
  type: 'text',
  trusted: true,
  ...(values.every((value) => value.startsWith('https://')) ? { url: true } : { host: true }),
});

function fieldEntry(field: ResolvedField): ScopeEntry {
  const absent =
    (!field.required && field.default === undefined && field.value === undefined) || field.after === 'auth' || field.when !== undefined;
  return {
    type: FIELD_TYPES[field.type] ?? 'text',
    ...(field.secret && { secret: true }),
    ...(absent && { absent: true }),
    ...(field.type === 'url' && { url: true }),
    ...(field.type === 'host' && { host: true }),
    ...(field.type === 'subdomain' && { host: 'label' as const }),
  };
}

const FIELD_TYPES: Partial<Record<ResolvedField['type'], ScopeEntry['type']>> = {
  integer: 'any',
  number: 'number',
  boolean: 'bool',
  list: 'list',
};

function tokenEntries(resolved: Login, answered: Scope): Record<string, ScopeEntry> {
  const entries: Record<string, ScopeEntry> = {};
  for (const call of capturing(resolved.method))
    for (const [name, capture] of Object.entries(call.capture)) entries[name] ??= captureEntry(capture, answered);
  return entries;
}

/** Everything in a method that captures, in the order in which it comes. */
export function capturing(method: Login['method']): Captures[] {
  const { steps, token, refresh = [], authorize } = method;
  return [...(authorize ? [authorize] : []), ...steps.flatMap((step) => (step.type === 'token' ? (token ?? []) : step)), ...refresh];
}

function captureEntry(capture: Capture, answered: Scope): ScopeEntry {
  const type = capture.type ?? 'text';
  const computed = capture.path.includes('${') ? compile(capture.path, 'computed_path', 'data', answered).template : undefined;
  const secret = capture.secret ?? (type !== 'url' && type !== 'host');
  return {
    type: type === 'number' ? 'number' : type === 'map' ? 'map' : 'text',
    ...(secret && { secret: true }),
    ...((capture.path.endsWith('?') || computed?.canBeAbsent) && { absent: true }),
    ...(type === 'url' && { url: true }),
    ...(type === 'host' && { host: true }),
  };
}

/** Each var sees those before it; it is secret when its expression mentions a secret. Those that mention the request stand in `send` only. */
function varEntries(resolved: Login, scope: Scope): { all: ScopeEntry; unsigned: ScopeEntry } {
  const members: Record<string, ScopeEntry> = {};
  const unsigned: Record<string, ScopeEntry> = {};
  for (const [name, text] of Object.entries(resolved.method.vars)) {
    const { template } = compile(text, 'text', 'plain', { ...scope, vars: map({ ...members }) });
    const entry: ScopeEntry = { type: 'text', ...(template?.secret && { secret: true }), ...(template?.canBeAbsent && { absent: true }) };
    const signs = template?.mentions.some(([root, of = '']) => root === 'request' || (root === 'vars' && !Object.hasOwn(unsigned, of)));
    members[name] = entry;
    if (signs !== true) unsigned[name] = entry;
  }
  return { all: map(members), unsigned: map(unsigned) };
}
