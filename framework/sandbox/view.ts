import { FerruleError } from '../core/errors.ts';
import type { Captures, Resolved, ResolvedField } from '../core/resolved.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { resolve } from '../spec/resolve.ts';
import { fitting } from './fitting.ts';
import { generateFields } from './inputs.ts';
import { ABSENT, knownText, type Lookup, lookupsIn, type Read, read, splitText, UNKNOWN } from './reading.ts';

/**
 * The provider as one auth method and one set of choices see it. A sandbox serves all of them at once: a request is
 * taken by the views whose host and base path it has.
 */
export interface View {
  spec: SpecDocument;
  resolved: Resolved;
  choices: Record<string, string>;
  /** Values of a right credential, before what is asked for after auth. */
  fields: Record<string, string>;
  field(name: string): ResolvedField | undefined;
  /** What a right request holds of a field: fixed, entered, or its default. */
  value(name: string): string | undefined;
  /** What the sandbox knows without a request: choices, fixed fields, fields that stand in a host. */
  lookup: Lookup;
  /** Whether an entry that is exactly this look-up may be left out of a request. */
  mayBeAbsent(keys: readonly string[]): boolean;
  vars: Record<string, string>;
  /** Of base_url. */
  origin: string;
}

export interface Address {
  origin: string;
  path: string;
}

const MOST_VIEWS = 200;

/** Every combination of auth method and choice options. */
export function everyView(spec: SpecDocument, seed: string, given: Record<string, string>): View[] {
  let selections: Record<string, string>[] = [{}];
  for (const [choice, { options }] of Object.entries(spec.choices ?? {})) {
    selections = selections.flatMap((selection) => Object.keys(options).map((option) => ({ ...selection, [choice]: option })));
  }
  const methods = Object.keys(spec.auth).filter((method) => unsupported(spec, method) === undefined);
  if (methods.length === 0) refuse(spec, Object.keys(spec.auth)[0] ?? '');
  if (selections.length * methods.length > MOST_VIEWS) {
    throw new FerruleError('not_supported', `${spec.name} has more than ${MOST_VIEWS} combinations of methods and choices`);
  }
  return methods.flatMap((method) => selections.map((choices) => view(spec, method, choices, seed, given)));
}

/** Why a method has no stand-in. */
function unsupported(spec: SpecDocument, name: string): string | undefined {
  const method = spec.auth[name];
  const byCertificate = method?.type === 'mutual_tls' || (method !== undefined && 'tls' in method);
  return byCertificate ? 'shows a client certificate, and the sandbox speaks no TLS' : undefined;
}

/** @throws FerruleError not_supported for a method that the sandbox does not stand in for */
export function refuse(spec: SpecDocument, method: string): void {
  const why = unsupported(spec, method);
  if (why === undefined) return;
  throw new FerruleError('not_supported', `The auth method ${method} of ${spec.name} ${why}`, {
    where: `auth.${method}`,
    next: 'Choose another method, or try it with the provider itself.',
  });
}

function view(spec: SpecDocument, method: string, choices: Record<string, string>, seed: string, given: Record<string, string>): View {
  const resolved = resolve(spec, { method, choices });
  const inHosts = hostFields(resolved);
  const fields = generateFields(resolved, inHosts, seed, given);
  const byName = new Map(resolved.fields.map((field) => [field.name, field]));
  const lookup = lookupOf(resolved, fields, byName, inHosts);
  return {
    spec,
    resolved,
    choices,
    fields,
    field: (name) => byName.get(name),
    value: (name) => {
      const known = lookup(['fields', name]);
      const preset = byName.get(name)?.default;
      return typeof known === 'string' ? known : (fields[name] ?? (preset === undefined ? undefined : String(preset)));
    },
    lookup,
    vars: resolved.method.vars,
    mayBeAbsent: ([root, name]) => {
      if (root !== 'fields' || name === undefined) return false;
      const field = byName.get(name);
      return field !== undefined && !field.required && field.default === undefined;
    },
    origin: originOf(resolved.http.base_url, lookup, 'http.base_url'),
  };
}

const IN_HOSTS = new Set(['url', 'host', 'subdomain']);

/** Fields in the host of an address of the spec's own: it must be known before a request comes. */
function hostFields({ http, method }: Resolved): ReadonlySet<string> {
  const { token, authorize, device, steps } = method;
  const own = [
    http.base_url,
    token?.url,
    authorize?.url,
    device?.url,
    ...steps.map((step) => (step.type === 'call' ? step.url : undefined)),
  ];
  return new Set(own.flatMap((text = '') => lookupsIn(hostOf(text), 'fields').map(([name = '']) => name)));
}

/** The text of a URL up to the first slash behind its host that is no part of an expression. */
const hostOf = (text: string): string => /^(?:https?:\/\/)?(?:\$\{(?:"[^"]*"|[^}"])*\}|[^/$])*/.exec(text)?.[0] ?? '';

function lookupOf(
  resolved: Resolved,
  fields: Record<string, string>,
  byName: Map<string, ResolvedField>,
  inHosts: ReadonlySet<string>,
): Lookup {
  const lookup: Lookup = ([root = '', name = '', ...more]): Read => {
    const choice = Object.hasOwn(resolved.choices, root) ? resolved.choices[root] : undefined;
    if (choice !== undefined) return choice[name] ?? UNKNOWN;
    if (root === 'auth' && name === 'method') return resolved.method.name;
    if (root === 'vars') return variable(resolved.method.vars[name]);
    if (root === 'token') return captured(resolved, name, lookup);
    if (root === 'oauth' && name === 'resource') return knownText(resolved.method.resource ?? '${unknown}', lookup) ?? UNKNOWN;
    if (root !== 'fields' || more.length > 0) return UNKNOWN;
    const field = byName.get(name);
    if (field === undefined) return UNKNOWN;
    if (field.value !== undefined) return knownText(field.value, lookup) ?? UNKNOWN;
    if (!IN_HOSTS.has(field.type) && !inHosts.has(name)) return UNKNOWN;
    return fields[name] ?? (field.default === undefined ? UNKNOWN : String(field.default));
  };
  const variable = (text: string | undefined): Read => {
    const parts = text === undefined ? [] : splitText(text);
    const [part] = parts;
    if (parts.length === 1 && part !== undefined && 'expr' in part) return read(part.expr, lookup);
    return text === undefined ? UNKNOWN : (knownText(text, lookup) ?? UNKNOWN);
  };
  return lookup;
}

/** A captured host is one that its patterns allow, or the one that answers; any other capture is made when it is issued. */
function captured({ method }: Resolved, name: string, lookup: Lookup): Read {
  const calls: (Captures & { url?: string; well_known?: string })[] = [
    ...method.steps.flatMap((step) => (step.type === 'token' ? [] : [step])),
    ...(method.token === undefined ? [] : [method.token]),
    ...(method.authorize === undefined ? [] : [method.authorize]),
  ];
  const call = calls.find(({ capture }) => capture[name] !== undefined && capture[name] !== null);
  const capture = call?.capture[name];
  if (call === undefined || capture === undefined) return UNKNOWN;
  if (capture.type !== 'url' && capture.type !== 'host') {
    // One installation for all, as its place among the token's addresses is.
    const inAddress = lookupsIn(method.token?.url, 'token').some(([one]) => one === name);
    if (call === method.authorize && inAddress) return fitting(capture.pattern ?? '^[a-z]{12}$', name) ?? UNKNOWN;
    return capture.path.endsWith('?') ? ABSENT : UNKNOWN;
  }
  const same = knownText(call.url ?? '', lookup);
  if (call.well_known !== undefined && same !== undefined) return wellKnownUrl(same, name);
  const host =
    capture.hosts?.find((one) => one !== 'same')?.replace(/^\*/, 'sandbox') ?? (same === undefined ? undefined : new URL(same).host);
  if (host === undefined) return UNKNOWN;
  return capture.type === 'url' ? `https://${host}` : host;
}

/** What an issuer's metadata name (RFC 8414, 2), or a resource's (RFC 9728, 2: an issuer on the same host). */
function wellKnownUrl(of: string, name: string): string {
  const { origin } = new URL(of);
  return name === 'issuer' ? origin : `${origin}/oauth/${name.replace(/_endpoint$/, '')}`;
}

/** Origin of a URL whose path may hold what is known only when a request comes. */
function originOf(text: string, lookup: Lookup, where: string): string {
  const match = /^https?:\/\/[^/?#]+(?=[/?#]|$)/.exec(knownText(hostOf(text), lookup) ?? '');
  if (match === null) throw new FerruleError('not_supported', `The sandbox can't work out the address in ${where}`, { where });
  return new URL(match[0]).origin;
}

/** Origin and path of a URL whose part before the query the spec's text gives without a request. */
export function address(text: string, lookup: Lookup, where: string): Address {
  const known = knownText(text.replace(/^((?:\$\{[^}]*\}|[^?${])*)\?.*$/s, '$1'), lookup);
  const match = known === undefined ? null : /^(https?:\/\/[^/?#]+)([^?#]*)/.exec(known);
  if (match === null) throw new FerruleError('not_supported', `The sandbox can't work out the address in ${where}`, { where });
  return { origin: new URL(match[1]!).origin, path: match[2]!.replace(/\/+$/, '') };
}
