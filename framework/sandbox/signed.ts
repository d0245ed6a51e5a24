import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { type Verdict, worst } from './authenticate.ts';
import type { Grants, Issued } from './grants.ts';
import { ABSENT, knownText, type Lookup, UNKNOWN } from './reading.ts';
import type { Incoming } from './request.ts';
import type { Scheme, SchemeContext } from './scheme.ts';
import { SCHEMES } from './schemes/index.ts';
import type { View } from './view.ts';

type Texts = Record<string, string | undefined>;

/** Of a provider whose requests are signed one by one. */
export interface Signed {
  check(request: Incoming): Verdict;
  /** A call of the method's own: `settings` stand over the method's. What it was signed with, if that is something that was issued. */
  checkCall(request: Incoming, settings: Readonly<Record<string, string>>): { verdict: Verdict; issued: Issued | undefined };
  challenge(verdict: Verdict, request: Incoming): string | undefined;
  /** Headers besides Authorization that belong to it. */
  reads: readonly string[];
  /** Names in the request's query that belong to its signature. */
  queryNames(request: Incoming): string[];
}

/** What all views of a provider share. */
export interface Shared {
  grants: Grants;
  clock: Clock;
  /** Memory of the schemes, by auth method. */
  memories: Map<string, Map<string, unknown>>;
}

export function signedBy(view: View, shared: Shared): Signed | undefined {
  const { signer, type, name } = view.resolved.method;
  const scheme = SCHEMES.get(signer?.type ?? type);
  const written = Object.entries(view.spec.auth[name]?.send?.headers ?? {});
  // Whose header the spec writes itself, as Emarsys' digest of hex text, is no more than what is written.
  const own = signer === undefined && written.some(([key, text]) => text !== null && scheme?.reads?.includes(key.toLowerCase()));
  return own ? undefined : scheme && new Verifier(view, scheme, shared);
}

class Verifier implements Signed {
  readonly #view: View;
  readonly #scheme: Scheme;
  readonly #shared: Shared;
  /** A request is judged once for each route that it may mean, and a nonce must not be spent by that. */
  readonly #judged = new WeakMap<Incoming, Verdict>();
  readonly #calls = new WeakMap<Incoming, Map<object, Verdict>>();

  constructor(view: View, scheme: Scheme, shared: Shared) {
    this.#view = view;
    this.#scheme = scheme;
    this.#shared = shared;
  }

  get reads(): readonly string[] {
    return this.#scheme.reads ?? [];
  }

  check(request: Incoming): Verdict {
    const issued = this.#issuedIn(request);
    let verdict = this.#judged.get(request);
    if (verdict === undefined) {
      verdict = this.#scheme.verify(request, this.#context(issued?.values ?? {}, {}, issued));
      this.#judged.set(request, verdict);
    }
    const { grants } = this.#shared;
    return verdict === 'good' ? worst([issued === undefined ? 'good' : grants.standingOf(issued), this.#withdrawn()]) : verdict;
  }

  checkCall(request: Incoming, settings: Readonly<Record<string, string>>): { verdict: Verdict; issued: Issued | undefined } {
    const issued = this.#issuedIn(request);
    const known = this.#calls.get(request)?.get(settings);
    const verdict = known ?? this.#scheme.verify(request, this.#context({}, settings, issued, request));
    this.#calls.set(request, new Map(this.#calls.get(request)).set(settings, verdict));
    return { verdict: verdict === 'good' ? this.#withdrawn() : verdict, issued };
  }

  queryNames({ query }: Incoming): string[] {
    return query.map(([name]) => name).filter((name) => /^(X-Amz-|oauth_)/.test(name));
  }

  challenge(verdict: Verdict, request: Incoming): string | undefined {
    return this.#scheme.challenge?.(verdict, request, this.#context({}, {}, undefined));
  }

  /** A signed request names in the open what it is signed with. */
  #issuedIn(request: Incoming): Issued | undefined {
    return issuedIn(request, this.#view, this.#shared.grants);
  }

  #withdrawn(): Verdict {
    const { resolved, fields } = this.#view;
    const secrets = resolved.fields.filter(({ secret, of }) => secret && of === 'method').map(({ name }) => fields[name] ?? '');
    return secrets.some((text) => this.#shared.grants.withdrawn(text)) ? 'revoked' : 'good';
  }

  #context(captures: Texts, over: Readonly<Record<string, string>>, issued: Issued | undefined, request?: Incoming): SchemeContext {
    const { resolved } = this.#view;
    const { name, signer } = resolved.method;
    const { memories, clock } = this.#shared;
    const lookup = knowing(this.#view, issued);
    const values: Texts = {
      ...Object.fromEntries(resolved.fields.map((field) => [field.name, this.#view.value(field.name)])),
      ...captures,
    };
    for (const [key, text] of Object.entries({ ...signer?.settings, ...over })) values[key] = textOf(text, lookup) ?? sentAs(key, request);
    const memory = memories.get(name) ?? new Map<string, unknown>();
    memories.set(name, memory);
    return { values, now: clock.now(), fresh: (bytes) => randomBytes(bytes).toString('hex'), memory };
  }
}

/** The view's own knowledge, with the values of its fields and what was issued. */
export function knowing(view: View, issued: Issued | undefined): Lookup {
  return (keys) => {
    const [root, name = ''] = keys;
    if (root === 'token') return issued?.values[name] ?? view.lookup(keys);
    if (root === 'oauth' && name === 'code') return issued?.code ?? UNKNOWN;
    if (root === 'oauth' && name === 'client_id') return view.value(name) ?? UNKNOWN;
    const known = view.lookup(keys);
    if (root !== 'fields' || known !== UNKNOWN) return known;
    return view.value(name) ?? ABSENT;
  };
}

/** Empty text takes away what lies under it. */
function textOf(text: string, lookup: Lookup): string | undefined {
  const known = knownText(text, lookup);
  return known === '' ? undefined : known;
}

/** What only the client knows beforehand, such as its callback: as it says it (RFC 5849, 3.5.1). */
export function sentAs(name: string, request: Incoming | undefined): string | undefined {
  const found = new RegExp(`\\boauth_${name}="([^"]*)"`).exec(request?.headers.authorization ?? '')?.[1];
  return found === undefined ? request?.query.find(([key]) => key === `oauth_${name}`)?.[1] : decoded(found);
}

/** What was issued to whoever sends this, if anything: one of its values stands in the request. */
export function issuedIn({ headers, search, body }: Incoming, view: View, grants: Grants): Issued | undefined {
  const shown = decoded([...Object.values(headers), search, body].join(' '));
  return grants.issuedFor(view.resolved.method.name, (text) => shown.includes(text));
}

/** Percent-decoded as far as it goes. */
function decoded(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}
