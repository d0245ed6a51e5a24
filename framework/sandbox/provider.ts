import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { ResolvedCall } from '../core/resolved.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import { resolve } from '../spec/resolve.ts';
import { change } from './changes.ts';
import { Consent } from './consent.ts';
import { Dataset } from './dataset.ts';
import { Faults } from './faults.ts';
import { offeredValues } from './fields.ts';
import { type Gate, gate } from './gate.ts';
import { Grants } from './grants.ts';
import { resultOrigins } from './job-routes.ts';
import { Jobs } from './jobs.ts';
import { Limits } from './limits.ts';
import { metadataAddress } from './metadata.ts';
import { apiRoutes, offered, type Route, route } from './route.ts';
import { knowing } from './signed.ts';
import type { TokenCall } from './token-endpoint.ts';
import type { Change, Changed, SandboxInputs, SandboxOptions } from './types.ts';
import { type Address, address, everyView, refuse, type View } from './view.ts';

/** One view with what serves it. */
export interface Side {
  view: View;
  gate: Gate;
  dataset: Dataset;
  routes: Route[];
  /** Calls of the auth method's own steps. */
  steps: Route[];
}

/** A place of the auth methods' own. */
export interface Endpoint {
  address: Address;
  kind: 'authorize' | 'token' | 'device' | 'ending' | 'metadata' | 'registration';
  views: View[];
  /** token, device, ending: what may be called here. */
  calls: TokenCall[];
  /** metadata: what is asked. */
  call: ResolvedCall | undefined;
}

/** The whole provider: everything that the spec says of it, for all methods and choices. */
export class Provider {
  readonly spec: SpecDocument;
  readonly clock: Clock;
  readonly seed: string;
  readonly sides: readonly Side[];
  readonly endpoints: readonly Endpoint[];
  readonly grants: Grants;
  readonly consent: Consent;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly jobs: Jobs;
  readonly enforceLimits: boolean;
  readonly autoConsent: boolean;

  constructor(spec: SpecDocument, options: SandboxOptions) {
    this.spec = spec;
    this.clock = options.clock ?? systemClock;
    this.seed = options.seed ?? spec.name;
    this.autoConsent = options.autoConsent ?? false;
    this.enforceLimits = options.enforceLimits ?? false;
    this.grants = new Grants(this.clock, this.seed, { token: options.tokenLifetime ?? 3600, code: options.codeLifetime ?? 300 });
    this.consent = new Consent(this.grants, { auto: this.autoConsent, redirectUris: options.redirectUris, method: options.method });
    this.limits = new Limits(this.clock);
    this.jobs = new Jobs(this.clock, this.seed, options.jobs);
    const now = this.clock.now();
    this.faults = new Faults();
    this.faults.add(...(options.faults ?? []));
    const records = options.records ?? 250;
    checkNames(spec, records);
    const shared = { grants: this.grants, clock: this.clock, memories: new Map() };
    this.sides = everyView(spec, this.seed, options.fields ?? {}).map((view) => ({
      view,
      gate: gate(view, shared),
      dataset: new Dataset(view, { records, parents: options.parents, seed: this.seed, now, span: options.span }),
      routes: apiRoutes(view),
      steps: [
        ...view.resolved.method.steps.flatMap((step) =>
          step.type === 'call' && step.well_known === undefined && !registers(step) ? [route(view, 'step', step, undefined)] : [],
        ),
        ...view.resolved.method.ending.filter((call) => !showsClient(view, call)).map((call) => route(view, 'ending', call, undefined)),
      ],
    }));
    this.endpoints = endpoints(this.sides);
  }

  /** Every origin that a credential of the spec can reach. */
  get origins(): string[] {
    const found = new Set<string>();
    for (const { view, routes, steps } of this.sides) {
      found.add(view.origin);
      for (const one of [...routes, ...steps]) found.add(one.origin);
      for (const host of view.resolved.http.hosts)
        if (!host.includes('*')) found.add(host.includes('://') ? new URL(host).origin : `https://${host}`);
    }
    for (const { address: at } of this.endpoints) found.add(at.origin);
    for (const origin of this.resultOrigins) found.add(origin);
    return [...found];
  }

  /** Where the results of jobs lie. */
  get resultOrigins(): Set<string> {
    return new Set(this.sides.flatMap(({ view }) => Object.values(view.resolved.streams).flatMap((stream) => resultOrigins(stream, view))));
  }

  /** The side of a selection; left out: the first method, each choice's default or first option. */
  side(method?: string, choices: Record<string, string> = {}): Side {
    const wanted = Object.entries(this.spec.choices ?? {}).map(([name, choice]) => [
      name,
      choices[name] ?? choice.default ?? Object.keys(choice.options)[0],
    ]);
    const found = this.sides.find(
      ({ view }) =>
        view.resolved.method.name === (method ?? this.sides[0]?.view.resolved.method.name) &&
        wanted.every(([name, option]) => view.choices[name!] === option),
    );
    if (found !== undefined) return found;
    refuse(this.spec, method ?? Object.keys(this.spec.auth)[0] ?? '');
    // Says which name is wrong, and what there is.
    resolve(this.spec, { ...(method !== undefined && { method }), choices });
    throw new FerruleError('internal', `${this.spec.name} has no view for what was chosen`);
  }

  inputs(method?: string, choices?: Record<string, string>): SandboxInputs {
    const { view, dataset } = this.side(method, choices);
    const fields = { ...view.fields };
    for (const field of view.resolved.fields) {
      // Like every optional field, one that is asked for after auth stays empty unless the caller gives it.
      const isLeft = field.after === 'auth' && field.required && fields[field.name] === undefined;
      const [first] = isLeft ? (offeredValues(view, field.name, dataset) ?? []) : [];
      if (first !== undefined) fields[field.name] = first;
    }
    return { method: view.resolved.method.name, choices: { ...view.choices }, fields };
  }

  expected(method?: string, choices?: Record<string, string>): Record<string, number> {
    const { view, dataset } = this.side(method, choices);
    const streams = Object.values(view.resolved.streams).filter((stream) => offered(stream, view));
    return Object.fromEntries(streams.map(({ name }) => [name, dataset.expected(name)]));
  }

  /**
   * Changes a stream's records, for every method and choice alike. Gives the keys as the selection sees them.
   * @throws FerruleError input_unknown for a stream that there is not, usage for counts that cannot be
   */
  change(wanted: Change, method?: string, choices?: Record<string, string>): Changed {
    checkNames(this.spec, { [wanted.stream]: 0 });
    const at = typeof wanted.at === 'string' ? Date.parse(wanted.at) : (wanted.at ?? this.clock.now());
    if (Number.isNaN(at))
      throw new FerruleError('usage', `${String(wanted.at)} is no time`, { where: 'at', next: 'Give RFC 3339, or milliseconds.' });
    const own = this.side(method, choices);
    const changed = change(own.dataset, wanted, at);
    for (const side of this.sides) if (side !== own) change(side.dataset, wanted, at);
    return changed;
  }

  revoke(text: string): boolean {
    const secrets = this.sides.flatMap(({ view }) =>
      view.resolved.fields.filter(({ secret }) => secret).map(({ name }) => view.fields[name]),
    );
    if (secrets.includes(text)) this.grants.withdraw(text);
    return this.grants.revoke(text) || secrets.includes(text);
  }
}

function checkNames(spec: SpecDocument, records: number | Record<string, number>): void {
  const known = Object.keys(spec.streams ?? {});
  const stray = typeof records === 'number' ? undefined : Object.keys(records).find((name) => name !== '*' && !known.includes(name));
  if (stray === undefined) return;
  const meant = suggest(stray, known);
  const next = meant === undefined ? `It has: ${known.join(', ')}.` : `Did you mean "${meant}"?`;
  throw new FerruleError('input_unknown', `${spec.name} has no stream "${stray}"`, { where: stray, next });
}

function endpoints(sides: readonly Side[]): Endpoint[] {
  const found: Endpoint[] = [];
  const put = (kind: Endpoint['kind'], at: Address, view: View, more: { call?: TokenCall; asked?: ResolvedCall } = {}): void => {
    const same = found.find((one) => one.kind === kind && one.address.origin === at.origin && one.address.path === at.path);
    const endpoint = same ?? { address: at, kind, views: [], calls: [], call: more.asked };
    if (same === undefined) found.push(endpoint);
    endpoint.views.push(view);
    if (more.call !== undefined) endpoint.calls.push(more.call);
  };
  for (const { view, gate } of sides) {
    const { token, refresh = [], authorize, device, steps, ending } = view.resolved.method;
    const lookup = knowing(view, undefined);
    const calls: Omit<TokenCall, 'view' | 'gate'>[] = [
      ...(token === undefined ? [] : [{ call: token, purpose: 'token' as const }]),
      ...refresh.map((call) => ({ call, purpose: 'refresh' as const })),
      ...(device === undefined ? [] : [{ call: device, purpose: 'device' as const }]),
      ...ending.filter((call) => showsClient(view, call)).map((call) => ({ call, purpose: 'ending' as const })),
    ];
    for (const one of calls) {
      const at = address(underBase(one.call.url, view), lookup, 'token_url');
      put(one.purpose === 'refresh' ? 'token' : one.purpose, at, view, { call: { view, gate, ...one } });
    }
    if (authorize !== undefined) put('authorize', address(authorize.url, lookup, 'authorize_url'), view);
    for (const step of steps) {
      if (step.type !== 'call') continue;
      if (step.well_known !== undefined) put('metadata', metadataAddress(view, step), view, { asked: step });
      else if (registers(step)) put('registration', address(step.url, lookup, 'registration'), view);
    }
  }
  return found;
}

/** RFC 7009, 2.1: as at the token endpoint. What ends a session is no such request. */
const showsClient = ({ resolved }: View, { encode }: ResolvedCall): boolean => resolved.method.token !== undefined && encode === 'form';

/** RFC 7591, 3: the step that a spec's `registration` stands for. */
const registers = ({ url }: ResolvedCall): boolean => url === '${token.registration_endpoint}';

const underBase = (url: string, { resolved }: View): string =>
  /^(https?:|\$\{)/.test(url) ? url : `${resolved.http.base_url.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
