import { FerruleError } from '../core/errors.ts';
import { split } from '../core/expression/index.ts';
import type {
  Captures,
  ClientAuth,
  FieldType,
  Login,
  Resolved,
  ResolvedCall,
  ResolvedCheck,
  ResolvedField,
  ResolvedHttp,
  ResolvedMethod,
  ResolvedOptions,
  ResolvedRefresh,
  ResolvedStream,
} from '../core/resolved.ts';
import type { AuthMethod, Choice, Field, SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import { type AuthType, authTypeOf, renewalOf } from './auth-types.ts';
import { callOf, pick, resolveCall } from './call.ts';
import { endpoint, resolveSteps } from './login.ts';
import { isMap, type Layer, lay, type Origins, type Plain } from './merge.ts';
import { resolveJob, resolveReading } from './resolve-stream.ts';

export interface Selection {
  /** The auth method's name; left out: the first. */
  method?: string;
  /** Option per choice; left out: the default. */
  choices?: Record<string, string>;
  /** Collects where each resolved leaf is written. */
  origins?: Origins;
}

/** Lays everything inherited into the spec, for one auth method and one option per choice. Errors of kind input name what was asked for. */
export function resolve(spec: SpecDocument, selection: Selection = {}): Resolved {
  const { origins } = selection;
  const [methodName, method] = pickMethod(spec, selection.method);
  const options = pickOptions(spec, selection.choices ?? {});
  const overlays = (key: 'http' | 'defaults'): Layer[] => [
    { value: spec[key], from: key },
    ...options.map(({ choice, id, option }) => ({ value: option[key], from: `choices.${choice}.options.${id}.${key}` })),
    { value: method[key], from: `auth.${methodName}.${key}` },
  ];
  const defaults = overlays('defaults');
  refuseMuch(spec, defaults);
  const streams: Record<string, ResolvedStream> = {};
  for (const name of Object.keys(spec.streams ?? {})) streams[name] = resolveStream(spec, name, defaults, origins);
  return {
    name: spec.name,
    title: spec.title,
    method: resolveMethod(methodName, method, origins),
    choices: Object.fromEntries(options.map(({ choice, id, attributes }) => [choice, { ...attributes, id }])),
    fields: resolveFields(spec, methodName, method),
    http: resolveHttp(overlays('http'), origins),
    check: spec.check && resolveCheck(spec.check, origins),
    streams,
  };
}

/** The part of an auth method that names variables: the same whatever is chosen. */
export function resolveLogin(spec: SpecDocument, name: string): Login {
  const [, method] = pickMethod(spec, name);
  const type = authTypeOf(method);
  const own = method as AuthMethod & Plain;
  // An assertion that the type does not sign is what a rule reports; the rest is looked at all the same.
  const sound = type.assertion === undefined ? { ...own, steps: (own.steps as Plain[] | undefined)?.filter(isNoAssertion) } : own;
  const { steps, authorize } = resolveSteps(type, sound);
  const refresh = (own.refresh ?? [{}]) as Plain[];
  return {
    fields: resolveFields(spec, name, method),
    method: {
      vars: (method.vars ?? {}) as Record<string, string>,
      steps,
      ...(type.token !== undefined && { token: captures(TOKEN_ANSWER, type.token, own.token) }),
      ...((type.refresh ?? own.refresh) !== undefined && { refresh: refresh.map((amend) => captures(TOKEN_ANSWER, own.token, amend)) }),
      ...(authorize !== undefined && { authorize }),
    },
  };
}

const isNoAssertion = (step: Plain): boolean => step.type !== 'assertion';

/** What calls that lie over one another capture. */
function captures(...calls: unknown[]): Captures {
  const layers = calls.flatMap((call) =>
    isMap(call) && call.capture !== undefined ? [{ value: { capture: call.capture }, from: '' }] : [],
  );
  if (layers.length === 0) return NO_CAPTURES;
  return { capture: (lay(layers).capture ?? {}) as Captures['capture'] };
}

const NO_CAPTURES: Captures = Object.freeze({ capture: {} });

function pickMethod(spec: SpecDocument, wanted: string | undefined): [string, AuthMethod] {
  const names = Object.keys(spec.auth);
  const name = wanted ?? names[0] ?? '';
  const method = Object.hasOwn(spec.auth, name) ? spec.auth[name] : undefined;
  if (method === undefined) throw unknown('auth method', name, names, spec.name);
  return [name, method];
}

interface PickedOption {
  choice: string;
  id: string;
  option: NonNullable<Choice['options'][string]>;
  attributes: Record<string, string>;
}

function pickOptions(spec: SpecDocument, wanted: Record<string, string>): PickedOption[] {
  const choices = spec.choices ?? {};
  for (const name of Object.keys(wanted)) if (!Object.hasOwn(choices, name)) throw unknown('choice', name, Object.keys(choices), spec.name);
  return Object.entries(choices).map(([choice, { options, default: preset, title }]) => {
    const id = (Object.hasOwn(wanted, choice) ? wanted[choice] : undefined) ?? preset;
    if (id === undefined) {
      const message = `${title ?? choice} must be chosen: ${Object.keys(options).join(', ')}`;
      throw new FerruleError('input_missing', message, { where: `choices.${choice}`, next: `Pass ${choice}=<option>.` });
    }
    const option = Object.hasOwn(options, id) ? options[id] : undefined;
    if (option === undefined) throw unknown(`option of ${choice}`, id, Object.keys(options), spec.name);
    const { http: _http, defaults: _defaults, ...attributes } = option;
    return { choice, id, option, attributes: attributes as Record<string, string> };
  });
}

function unknown(what: string, name: string, known: string[], connector: string): FerruleError {
  const meant = suggest(name, known);
  const listed = known.length > 0 ? `It has: ${known.join(', ')}.` : 'It has none.';
  return new FerruleError('input_unknown', `${connector} has no ${what} "${name}"`, {
    where: name,
    next: meant === undefined ? listed : `Did you mean "${meant}"? ${listed}`,
  });
}

// ---- http

const RETRY = { max_retries: 5, backoff: 'exponential', longest: '5m', repeat: [] };
const TIMEOUT = { connect: '10s', response: '60s', total: '10m' };

function resolveHttp(layers: Layer[], origins: Origins | undefined): ResolvedHttp {
  const base = { hosts: [], headers: {}, query: {}, big_integers: 'number', rate_limit: [], errors: {}, retry: RETRY, timeout: TIMEOUT };
  return lay([{ value: base, from: 'built-in' }, ...layers], 'http', origins) as unknown as ResolvedHttp;
}

// ---- calls and streams

function resolveCheck(check: NonNullable<SpecDocument['check']>, origins: Origins | undefined): ResolvedCheck {
  const merged = lay([{ value: check, from: 'check' }], 'check', origins);
  return {
    ...callOf(merged),
    ...(pick(merged, 'expect', 'otherwise', 'account') as Pick<ResolvedCheck, 'expect' | 'otherwise' | 'account'>),
  };
}

/** Keys and values that streams inherit, all together. A small file with a large template in many streams would take minutes. */
const MOST_INHERITED = 250_000;

function refuseMuch(spec: SpecDocument, defaults: Layer[]): void {
  const streams = Object.values(spec.streams ?? {});
  const weights = new Map<unknown, number>();
  const each = defaults.reduce((sum, { value }) => sum + weightOf(value), 0);
  let all = 0;
  for (const { use } of streams) {
    const template = use === undefined ? undefined : templateOf(spec, use);
    const weight = weights.get(template) ?? weightOf(template);
    weights.set(template, weight);
    all += each + weight;
    if (all > MOST_INHERITED) {
      throw new FerruleError('spec_invalid', `Streams inherit more than ${MOST_INHERITED} keys and values`, {
        where: use === undefined ? 'defaults' : `templates.${use}`,
        next: 'Make the template smaller, or split the spec.',
      });
    }
  }
}

function weightOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce((sum: number, one) => sum + weightOf(one), 1) : 1;
}

/** Own keys only: `use: constructor` names none. */
const templateOf = ({ templates = {} }: SpecDocument, use: string) => (Object.hasOwn(templates, use) ? templates[use] : undefined);

function resolveStream(spec: SpecDocument, name: string, defaults: Layer[], origins: Origins | undefined): ResolvedStream {
  const stream = spec.streams?.[name] ?? {};
  const { use, with: literals = {}, ...own } = stream;
  const template = use === undefined ? undefined : templateOf(spec, use);
  const at = `streams.${name}`;
  // Lint finds it, and a spec may run that nobody has linted: without its template the stream would ask for something else.
  if (use !== undefined && template === undefined)
    throw new FerruleError('spec_invalid', `There is no template ${use}`, { where: `${at}.use` });
  const merged = lay(
    [
      { value: { records: '$', paginate: { type: 'none' } }, from: 'built-in' },
      ...defaults,
      { value: template === undefined ? undefined : substitute(template, literals), from: `templates.${use}` },
      { value: own, from: at },
    ],
    at,
    origins,
  );
  const job = isMap(merged.job) ? resolveJob(merged.job, at) : undefined;
  const call = job?.create ?? callOf({ ...merged, decode: undefined });
  return {
    ...call,
    ...(pick(merged, 'help', 'parent', 'when') as Pick<ResolvedStream, 'help' | 'parent' | 'when'>),
    name,
    title: String(merged.title ?? words(name)),
    source: (merged.source ?? []) as ResolvedStream['source'],
    columns: (merged.columns ?? {}) as ResolvedStream['columns'],
    records: String(merged.records ?? '$'),
    primary_key: (merged.primary_key ?? []) as string[],
    add: (merged.add ?? {}) as Record<string, unknown>,
    remove: (merged.remove ?? []) as string[],
    paginate: (merged.paginate ?? { type: 'none' }) as ResolvedStream['paginate'],
    ...resolveReading(merged),
    job,
  };
}

/** Puts a stream's literals where its template says ${with.x}: text stays text, whatever it holds; within an expression it is a quoted text. */
export function substitute(template: unknown, literals: Record<string, string>): unknown {
  if (typeof template === 'string') return template.includes('with.') ? filledIn(template, literals) : template;
  if (Array.isArray(template)) return template.map((item) => substitute(item, literals));
  if (isMap(template)) return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, substitute(value, literals)]));
  return template;
}

function filledIn(text: string, literals: Record<string, string>): string {
  const { pieces, problems } = split(text);
  if (problems.length > 0) return text;
  let result = '';
  let literal = '';
  for (const piece of pieces) {
    const name = 'source' in piece ? /^\s*with\.([a-z][a-z0-9_]*)\s*$/.exec(piece.source)?.[1] : undefined;
    if ('text' in piece) literal += piece.text;
    else if (name !== undefined && Object.hasOwn(literals, name)) literal += literals[name];
    else {
      result += `${escaped(literal)}\${${quotedIn(piece.source, literals)}}`;
      literal = '';
    }
  }
  return result + escaped(literal);
}

const escaped = (literal: string): string => literal.replaceAll('${', () => '$${');

/** Quoted texts are stepped over, so that only names are replaced. */
const quotedIn = (source: string, literals: Record<string, string>): string =>
  source.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\bwith\.([a-z][a-z0-9_]*)/g, (whole, name: string | undefined) =>
    name !== undefined && Object.hasOwn(literals, name) ? JSON.stringify(literals[name]) : whole,
  );

// ---- fields

/** The connection's fields, then the method's: implied ones as its own words amend them, then new ones. */
export function resolveFields(
  spec: SpecDocument,
  methodName: string,
  method: AuthMethod = spec.auth[methodName] as AuthMethod,
): ResolvedField[] {
  const implied = impliedFields(method);
  const { fields: merged } = lay([
    { value: { fields: implied }, from: '' },
    { value: { fields: method.fields ?? {} }, from: '' },
  ]) as { fields: Record<string, Field> };
  // The person meets the credential first, then what is asked for the connection, then what needs a token.
  const connection = Object.entries(spec.fields ?? {}).map(([name, field]) => resolveField(name, field, 'connection'));
  const own = Object.entries(merged).map(([name, field]) => resolveField(name, field, 'method'));
  return [...connection.filter((field) => field.after === undefined), ...own, ...connection.filter((field) => field.after !== undefined)];
}

/** A client that shows itself otherwise has no secret; one that is registered by itself needs nothing of the person's. */
function impliedFields(method: AuthMethod): Record<string, Field> {
  const { fields } = authTypeOf(method);
  const { client_auth } = method as { client_auth?: ClientAuth };
  const secretless = client_auth === 'none' || client_auth === 'private_key_jwt';
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !(secretless && name === 'client_secret'))
      .map(([name, field]) => [
        name,
        'registration' in method && /^client_(id|secret)$/.test(name) ? { ...field, required: false } : field,
      ]),
  );
}

function resolveField(name: string, field: Field, of: ResolvedField['of']): ResolvedField {
  const { options, aliases, type, ...rest } = field;
  const kind: FieldType = type ?? (options === undefined ? 'text' : 'choice');
  return {
    ...rest,
    name,
    title: field.title ?? words(name),
    type: kind,
    required: field.required ?? true,
    secret: field.secret ?? kind === 'pem',
    aliases: aliases ?? [],
    owner: field.owner ?? 'person',
    ...(options !== undefined && { options: resolveOptions(options) }),
    of,
  };
}

function resolveOptions(options: NonNullable<Field['options']>): ResolvedOptions {
  const { list, records = '$', value = '$', label, ...call } = options;
  const shared = { records, value, label: label ?? '${item}' };
  return list === undefined ? { ...shared, call: resolveCall(call as Plain) } : { ...shared, list };
}

export const words = (name: string): string => {
  const spaced = name.replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

// ---- auth

function resolveMethod(name: string, method: AuthMethod, origins: Origins | undefined): ResolvedMethod {
  const type = authTypeOf(method);
  const own = method as AuthMethod & Plain;
  const at = `auth.${name}`;
  const from = `type ${method.type}`;
  const send = lay(
    [
      { value: withBlanks(type, method), from: `${from}.send` },
      { value: own.send, from: `${at}.send` },
    ],
    `${at}.send`,
    origins,
  );
  const tokenUrl = endpoint(own, 'token_url');
  const tokenCall = (label: string, layers: Layer[]): ResolvedCall => {
    const all = [{ value: TOKEN_ANSWER, from: `${from}.${label}` }, ...layers];
    const call = callOf(lay(all, `${at}.${label}`, origins), { method: 'POST', url: tokenUrl });
    const without = CLIENT_PARAMETERS.filter((parameter) => isTakenOut(parameter, layers));
    return {
      ...call,
      name: label,
      // A GET has no body: what a form would hold goes into the query.
      ...(call.method === 'GET' && { encode: 'query' as const }),
      ...(without.length > 0 && { without }),
    };
  };
  const token: Layer = { value: own.token, from: `${at}.token` };
  const typed: Layer[] = [
    { value: type.token, from: `${from}.token` },
    { value: own.subject_token_type && { body: { subject_token_type: own.subject_token_type } }, from: at },
  ];
  // The type says what renews a token; one that knows of none is renewed where the author says how.
  const renewal = type.refresh ?? (own.refresh === undefined ? undefined : renewalOf(method));
  const refresh = (own.refresh ?? [{}]) as Plain[];
  const login = resolveSteps(type, own);
  return {
    name,
    type: method.type,
    title: method.title ?? words(name),
    ...(method.help !== undefined && { help: method.help }),
    vars: (method.vars ?? {}) as Record<string, string>,
    steps: login.steps,
    send: { headers: {}, query: {}, cookies: {}, ...send } as ResolvedMethod['send'],
    ...(type.token !== undefined && { token: tokenCall('token', [...typed, token]) }),
    ...(renewal !== undefined && {
      refresh: refresh.map(
        ({ rotates, from: needed = 'refresh_token', ...amend }): ResolvedRefresh => ({
          // What the author changed for the first token holds for a renewal too, but not the grant itself.
          ...tokenCall('refresh', [
            { value: renewal, from: `${from}.refresh` },
            token,
            { value: { body: renewal.body }, from: `${from}.refresh` },
            { value: amend, from: `${at}.refresh` },
          ]),
          rotates: rotates === true,
          from: String(needed),
        }),
      ),
    }),
    client_auth: (own.client_auth ?? 'post') as ClientAuth,
    client_assertion: (own.client_assertion ?? {}) as Plain,
    scopes: (own.scopes ?? []) as string[] | string,
    scope_separator: String(own.scope_separator ?? ' '),
    ...(login.authorize !== undefined && { authorize: login.authorize }),
    ...(type.device !== undefined && {
      device: callOf(
        lay([
          { value: type.device, from: `${from}.device` },
          { value: { capture: {} }, from: at },
        ]),
        { method: 'POST', url: endpoint(own, 'device_authorization_url') },
      ),
    }),
    ...(typeof own.resource === 'string' && { resource: own.resource }),
    ...(type.signer !== undefined && { signer: { type: method.type, settings: signerSettings(type.signer, own) } }),
    ...((own.tls ?? type.tls) !== undefined && {
      tls: lay([
        { value: type.tls, from },
        { value: own.tls, from: at },
      ]),
    }),
    ending: [revocation(own.revoke, type), own.logout].flatMap((call) => (isMap(call) ? [resolveCall(call)] : [])),
  };
}

/** RFC 7009, 2.1: the longest-lived token, as a form; what the author writes of a body stands alone. */
function revocation(call: unknown, { token }: AuthType): unknown {
  if (!isMap(call) || token === undefined || call.body !== undefined || call.encode !== undefined) return call;
  return { encode: 'form', body: { token: '${default(token.refresh_token, token.access_token)}' }, ...call };
}

const CLIENT_PARAMETERS = ['client_id', 'client_secret'];

/** Whether the last layer that speaks of a parameter, in body or query, says null. */
function isTakenOut(name: string, layers: readonly Layer[]): boolean {
  const said = layers.flatMap(({ value }) =>
    isMap(value) ? [value.body, value.query].flatMap((part) => (isMap(part) && name in part ? [part[name]] : [])) : [],
  );
  return said.length > 0 && said.at(-1) === null;
}

/** RFC 6749, 5.1: what a token answer holds. */
const TOKEN_ANSWER: Plain = {
  capture: {
    access_token: { path: 'access_token' },
    refresh_token: { path: 'refresh_token?' },
    token_type: { path: 'token_type?', secret: false },
    scope: { path: 'scope?', secret: false },
    id_token: { path: 'id_token?' },
  },
  expires: { in: 'expires_in?' },
};

/** What a signer reads of the method, as text. */
function signerSettings(keys: readonly string[], own: Plain): Record<string, string> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = own[key];
      if (value === undefined || value === null) return [];
      return [[key, Array.isArray(value) ? value.join(' ') : String(value)]];
    }),
  );
}

/** The type's send, with "" where an expression names an implied field that the method drops (a blank half of Basic). */
function withBlanks(type: AuthType, method: AuthMethod): Plain {
  const dropped = Object.keys(type.fields).filter((name) => (method.fields as Plain | undefined)?.[name] === null);
  if (dropped.length === 0) return { ...type.send };
  const text = dropped.reduce((json, name) => json.replace(new RegExp(`fields\\.${name}\\b`, 'g'), '\\"\\"'), JSON.stringify(type.send));
  return JSON.parse(text) as Plain;
}
