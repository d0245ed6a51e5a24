import type { ResolvedField, ResolvedStream } from '../core/resolved.ts';
import type { LeftOut, RateLimit, Source, SpecDocument } from '../core/spec-types.gen.ts';
import { hostsOf } from '../spec/hosts.ts';
import { resolve, resolveFields, words } from '../spec/resolve.ts';

/**
 * What a connector is, as plain data: the one source of its page, of `ferrule show` and of `ferrule streams`. Keys are
 * those of `--json` (schemas/cli).
 */
export interface ConnectorDescription {
  name: string;
  title: string;
  version: string;
  summary?: string;
  categories: string[];
  links: Record<string, string>;
  choices: ChoiceDescription[];
  methods: MethodDescription[];
  /** Asked for whatever the method. */
  fields: FieldDescription[];
  hosts: { use: string; hosts: string[] }[];
  rate_limits: RateLimit[];
  streams: StreamDescription[];
  left_out: LeftOut[];
}

export interface ChoiceDescription {
  name: string;
  title: string;
  help?: string;
  default?: string;
  options: { id: string; title: string; attributes: Record<string, string> }[];
}

export interface MethodDescription {
  name: string;
  type: string;
  title: string;
  help?: string;
  default: boolean;
  scopes: string[];
  /** Ferrule gets and renews a token. */
  token: boolean;
  /** A person consents in a browser. */
  consent: boolean;
  fields: FieldDescription[];
}

export interface FieldDescription {
  name: string;
  title: string;
  type: string;
  required: boolean;
  secret: boolean;
  default?: string;
  help?: string;
  example?: string;
  aliases: string[];
  /** Asked for once a token is there. */
  after_auth: boolean;
  /** Who has the value: the person, or whoever runs the product. */
  owner: 'person' | 'app';
  /** Listed values; `loaded` when they come from the API. */
  options?: { value: string; label: string }[] | 'loaded';
}

export interface StreamDescription {
  name: string;
  title: string;
  help?: string;
  request: string;
  parent?: string;
  when?: string;
  primary_key: string[];
  paginate: string;
  columns: { name: string; type: string; help?: string; example?: string }[];
  source: Source[];
}

export interface Selection {
  method?: string;
  choices?: Record<string, string>;
}

/** Choices that have no default take their first option: a page has to show something. */
export function anySelection(spec: SpecDocument, selection: Selection = {}): Selection {
  const first = Object.entries(spec.choices ?? {}).map(([name, choice]) => [name, choice.default ?? Object.keys(choice.options)[0] ?? '']);
  return { ...selection, choices: { ...Object.fromEntries(first), ...selection.choices } };
}

/** @throws FerruleError input_unknown when the selection names what the spec does not have */
export function describe(spec: SpecDocument, selection: Selection = {}): ConnectorDescription {
  const chosen = anySelection(spec, selection);
  const resolved = resolve(spec, chosen);
  const methods = Object.keys(spec.auth).map((name, position) => describeMethod(spec, name, position === 0, chosen));
  return {
    name: spec.name,
    title: spec.title,
    version: spec.version,
    ...(spec.summary !== undefined && { summary: spec.summary }),
    categories: spec.categories ?? [],
    links: spec.links ?? {},
    choices: Object.entries(spec.choices ?? {}).map(([name, { title, help, default: preset, options }]) => ({
      name,
      title: title ?? words(name),
      ...(help !== undefined && { help }),
      ...(preset !== undefined && { default: preset }),
      options: Object.entries(options).map(([id, { title: label, http: _http, defaults: _defaults, ...attributes }]) => ({
        id,
        title: label ?? words(id),
        attributes: attributes as Record<string, string>,
      })),
    })),
    methods,
    fields: resolveFields(spec, resolved.method.name)
      .filter((field) => field.of === 'connection' && field.value === undefined)
      .map(describeField),
    hosts: hostsOf(spec),
    rate_limits: resolved.http.rate_limit,
    streams: Object.values(resolved.streams).map(describeStream),
    left_out: spec.left_out ?? [],
  };
}

function describeMethod(spec: SpecDocument, name: string, first: boolean, chosen: Selection): MethodDescription {
  const { method } = resolve(spec, { ...chosen, method: name });
  return {
    name,
    type: method.type,
    title: method.title,
    ...(method.help !== undefined && { help: method.help }),
    default: first,
    scopes: typeof method.scopes === 'string' ? [method.scopes] : [...method.scopes],
    token: method.token !== undefined,
    consent: method.authorize !== undefined,
    fields: resolveFields(spec, name)
      .filter((field) => field.of === 'method' && field.value === undefined)
      .map(describeField),
  };
}

export function describeField(field: ResolvedField): FieldDescription {
  const { name, title, type, required, secret, help, example, aliases, owner, after, options } = field;
  const listed = options?.list?.map(({ value, label }) => ({ value, label: label ?? value }));
  return {
    name,
    title,
    type,
    required,
    secret,
    ...(field.default !== undefined && { default: String(field.default) }),
    ...(help !== undefined && { help }),
    ...(example !== undefined && { example }),
    aliases: [...aliases],
    after_auth: after === 'auth',
    owner,
    ...(options !== undefined && { options: listed ?? ('loaded' as const) }),
  };
}

function describeStream(stream: ResolvedStream): StreamDescription {
  const { name, title, help, method, url, parent, when, primary_key, paginate, columns, source } = stream;
  return {
    name,
    title,
    ...(help !== undefined && { help }),
    request: `${method} ${url}`,
    ...(parent !== undefined && { parent }),
    ...(when !== undefined && { when }),
    primary_key: [...primary_key],
    paginate: paginate.type,
    columns: Object.entries(columns).map(([column, { type, help: meaning, example }]) => ({
      name: column,
      type,
      ...(meaning !== undefined && { help: meaning }),
      ...(example !== undefined && { example: String(example) }),
    })),
    source: source.map((item) => ({ ...item })),
  };
}
