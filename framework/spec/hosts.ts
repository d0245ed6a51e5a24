import { compile, type Part } from '../core/expression/index.ts';
import type { Resolved, ResolvedCall } from '../core/resolved.ts';
import { capturing, type Scopes, scopesOf } from '../core/scope.ts';
import type { Capture, SpecDocument } from '../core/spec-types.gen.ts';
import { resolve } from './resolve.ts';

/** Where a credential may go in one use: `api`, `authorize`, `token`, `refresh`, `step <name>`; and where jobs' results come from without it. */
export interface HostUse {
  use: string;
  /** Host names, `*.acme.com` patterns, or ‹…› for what only the person knows. */
  hosts: string[];
}

/** What a host is called when only the person knows it. */
export const PERSONS_SITE = "‹the person's site›";
const LABEL = '‹label›';
/** A result that lies elsewhere, at a signed address as a rule: nothing of the credential goes along. */
const BARE_DOWNLOAD = 'download, without the credential';
const NAMED_BY_ANSWER = '‹a host that an answer names›';
/** More combinations of choices than this are taken one choice at a time. */
const MOST_COMBINATIONS = 64;

/** Every host that a credential of this spec may go to, from its text alone, over all methods and choices. */
export function hostsOf(spec: SpecDocument): HostUse[] {
  const uses = new Map<string, Set<string>>();
  for (const method of Object.keys(spec.auth)) {
    for (const choices of combinations(spec)) collect(resolve(spec, { method, choices }), uses);
  }
  return [...uses].map(([use, hosts]) => ({ use, hosts: [...hosts] }));
}

/** The same for one method and one set of choices. */
export function hostsUnder(resolved: Resolved): HostUse[] {
  const uses = new Map<string, Set<string>>();
  collect(resolved, uses);
  return [...uses].map(([use, hosts]) => ({ use, hosts: [...hosts] }));
}

function combinations(spec: SpecDocument): Record<string, string>[] {
  const choices = Object.entries(spec.choices ?? {}).map(([name, { options }]) => [name, Object.keys(options)] as const);
  // Counted before they are made: sixty choices of two have more than there is memory.
  if (choices.reduce((count, [, ids]) => count * ids.length, 1) <= MOST_COMBINATIONS) {
    return choices.reduce<Record<string, string>[]>(
      (sets, [name, ids]) => sets.flatMap((set) => ids.map((id) => ({ ...set, [name]: id }))),
      [{}],
    );
  }
  const first = Object.fromEntries(choices.map(([name, ids]) => [name, ids[0] as string]));
  return choices.flatMap(([name, ids]) => ids.map((id) => ({ ...first, [name]: id })));
}

function collect(resolved: Resolved, uses: Map<string, Set<string>>): void {
  const scopes = scopesOf(resolved);
  const { method, http } = resolved;
  const api = hostOf(http.base_url, resolved, scopes);
  const add = (use: string, hosts: readonly string[]) => {
    const known = uses.get(use) ?? new Set();
    for (const host of hosts) known.add(host);
    uses.set(use, known);
  };
  const addCall = (use: string, call: ResolvedCall) => add(use, call.url.startsWith('/') ? api : hostOf(call.url, resolved, scopes));
  add('api', [...api, ...http.hosts]);
  if (method.authorize !== undefined) add('authorize', hostOf(method.authorize.url, resolved, scopes));
  for (const step of method.steps) {
    if (step.type === 'call') addCall(`step ${step.name ?? ''}`.trim(), step);
    else if (step.type === 'token' && method.token !== undefined) addCall('token', method.token);
  }
  if (method.device !== undefined) addCall('device', method.device);
  for (const call of method.ending) addCall('ending', call);
  for (const call of method.refresh ?? []) addCall('token', call);
  for (const { job } of Object.values(resolved.streams)) {
    const url = job?.download?.url ?? '/';
    const elsewhere = url.startsWith('/') ? [] : hostOf(url, resolved, scopes, scopes.job).filter((host) => !api.includes(host));
    if (elsewhere.length > 0) add(BARE_DOWNLOAD, elsewhere);
  }
}

function hostOf(text: string | undefined, resolved: Resolved, scopes: Scopes, scope = scopes.auth): string[] {
  // Without a text (a spec with that mistake) there is no host.
  const template = text === undefined ? undefined : compile(text, 'text', 'url', scope).template;
  if (template === undefined) return [];
  let urls: string[] = [''];
  for (const part of template.parts) {
    const values = 'text' in part ? [part.text] : valuesOf(part, resolved, scopes);
    urls = urls.flatMap((url) => values.map((value) => url + value));
  }
  return [...new Set(urls.map((url) => /^(?:https?:\/\/)?([^/?#]+)/.exec(url)?.[1] ?? '').filter((host) => host !== ''))];
}

type Expression = Exclude<Part, { text: string }>;

function valuesOf(part: Expression, resolved: Resolved, scopes: Scopes): string[] {
  const [root, name] = part.lookup ?? [];
  if (root === undefined || name === undefined) return [LABEL];
  const choice = resolved.choices[root];
  if (choice !== undefined) return [choice[name] ?? LABEL];
  if (root === 'fields') return fieldHosts(name, resolved, scopes);
  if (root === 'job') return [NAMED_BY_ANSWER];
  if (root === 'token') return captureHosts(name, resolved, scopes);
  return [LABEL];
}

function fieldHosts(name: string, resolved: Resolved, scopes: Scopes): string[] {
  const field = resolved.fields.find((one) => one.name === name);
  if (field?.value !== undefined) return hostOf(field.value, resolved, scopes);
  if (field?.type === 'url') return field.hosts ?? [PERSONS_SITE];
  return field?.type === 'host' ? (field.hosts ?? [`‹${field.title}›`]) : [LABEL];
}

function captureHosts(name: string, resolved: Resolved, scopes: Scopes): string[] {
  const call = capturing(resolved.method).find((one) => one.capture[name] !== undefined);
  const capture: Capture | undefined = call?.capture[name];
  if (call === undefined || capture === undefined) return [LABEL];
  const same = (): string[] => ('url' in call && typeof call.url === 'string' ? hostOf(call.url, resolved, scopes) : [LABEL]);
  return (capture.hosts ?? [LABEL]).flatMap((host) => (host === 'same' ? same() : host));
}
