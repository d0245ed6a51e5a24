import { ABSENT } from '../core/absent.ts';
import { compileOrThrow, type Place, type Scope, type Template, type Vars } from '../core/expression/index.ts';
import type { Resolved, ResolvedCall } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import type { Patch } from '../core/value.ts';
import type { Preview } from '../http/types.ts';
import type { Session } from './session.ts';

/** One part of a request, with what put it there. */
export interface ExplainedPart {
  part: 'method' | 'host' | 'path' | 'query' | 'header' | 'cookie' | 'body';
  /** Of a parameter, header, cookie or leaf of the body. */
  name?: string;
  /** As it is sent; what is secret in it is masked. */
  value: string;
  /** Path in the resolved spec, or `caller` (this request), `option` (every request of the connection), `built-in`. */
  at: string;
  /** What it is made from: `field api_key (entered)`, `token.access_token (captured by token)`, `region=eu`. */
  from: string[];
}

export const MASK = '••••';

/** What is explained: a stream's first page, or a request of the caller's own. */
export interface Subject {
  /** The stream's call as the spec has it; undefined: the caller's. */
  call?: ResolvedCall;
  /** Where the call stands: `streams.orders`, or `caller`. */
  at: string;
  patch: Patch;
  /** Names that somebody gave from outside the spec, in lower case for headers: `caller` for this request, `option` for every one. */
  given: Record<'caller' | 'option', { header: readonly string[]; query: readonly string[] }>;
}

type Entries = Readonly<Record<string, string | string[] | null>>;

/** Entries of one origin. Layers are looked through from the top. */
interface Layer {
  at: string;
  entries: Entries;
  scope: Scope;
}

/** Says of each part of a request where it comes from. */
export function explainParts(preview: Preview, subject: Subject, session: Session, vars: Vars): ExplainedPart[] {
  const explainer = new Explainer(preview, subject, session, vars);
  return [...explainer.target(), ...explainer.query(), ...explainer.headers(), ...explainer.cookies(), ...explainer.body()];
}

class Explainer {
  readonly #preview: Preview;
  readonly #subject: Subject;
  readonly #session: Session;
  readonly #vars: Vars;

  constructor(preview: Preview, subject: Subject, session: Session, vars: Vars) {
    this.#preview = preview;
    this.#subject = subject;
    this.#session = session;
    this.#vars = vars;
  }

  get #resolved(): Resolved {
    return this.#session.resolved;
  }

  /** Method, host and path. */
  target(): ExplainedPart[] {
    const { url, draft } = this.#preview;
    const { base_url } = this.#resolved.http;
    const { at, call } = this.#subject;
    const [, origin = '', path = ''] = /^(\w+:\/\/[^/?#]*)([^?#]*)/.exec(url) ?? [];
    const base = this.#text(base_url, 'url', this.#session.scopes.api);
    const root = (/^\w+:\/\/[^/?#]*([^?#]*)/.exec(base.value)?.[1] ?? '').replace(/\/+$/, '');
    const own =
      call === undefined ? { at, from: [] } : { at: `${at}.url`, from: this.#text(call.url, 'url', this.#session.scopes.stream).from };
    const below = base.value.startsWith(origin) && path.startsWith(root);
    const host: ExplainedPart = { part: 'host', value: origin, ...(below ? { at: 'http.base_url', from: base.from } : own) };
    const rest = below ? path.slice(root.length) : path;
    return [
      { part: 'method', value: draft.method, at: call === undefined ? at : `${at}.method`, from: [] },
      host,
      ...(below && root !== '' ? [{ part: 'path' as const, value: root, at: 'http.base_url', from: base.from }] : []),
      ...(rest === '' ? [] : [{ part: 'path' as const, value: rest, ...own }]),
    ];
  }

  query(): ExplainedPart[] {
    const search = /\?([^#]*)/.exec(this.#preview.url)?.[1] ?? '';
    const { call, at, patch } = this.#subject;
    const { method, http } = this.#resolved;
    const { scopes } = this.#session;
    const layers = [
      ...(call === undefined ? [] : [{ at: `${at}.query`, entries: call.query, scope: scopes.stream }]),
      { at: `auth.${method.name}.send.query`, entries: method.send.query, scope: scopes.send },
      { at: 'http.query', entries: http.query, scope: scopes.api },
    ];
    return search.split('&').flatMap((pair): ExplainedPart[] => {
      if (pair === '') return [];
      const [written = '', ...value] = pair.split('=');
      const name = decoded(written);
      const shown = decoded(value.join('=')).replaceAll('[secret]', MASK);
      if (`query.${name}` in patch) return [{ part: 'query', name, value: shown, at: `${at}.paginate`, from: ['the first page'] }];
      if (this.#preview.draft.query[name] === undefined && this.#preview.signature?.inQuery === true)
        return [this.#signed('query', name, shown)];
      return [{ part: 'query', name, ...this.#layered(layers, 'query', shown, (key) => key === name) }];
    });
  }

  headers(): ExplainedPart[] {
    const { headers, signature } = this.#preview;
    const { call, at, patch } = this.#subject;
    const { method, http } = this.#resolved;
    const { scopes } = this.#session;
    const layers = [
      ...(call === undefined ? [] : [{ at: `${at}.headers`, entries: call.headers, scope: scopes.stream }]),
      { at: `auth.${method.name}.send.headers`, entries: method.send.headers, scope: scopes.send },
      { at: 'http.headers', entries: http.headers, scope: scopes.api },
    ];
    return Object.entries(headers).flatMap(([name, value]): ExplainedPart[] => {
      if (name === 'cookie') return [];
      const shown = value.replaceAll('[secret]', MASK);
      if (signature?.headers.includes(name)) return [this.#signed('header', name, shown)];
      const key = Object.keys(patch).find((one) => one.toLowerCase() === `headers.${name}`);
      if (key !== undefined) return [{ part: 'header', name, value: shown, at: `${at}.paginate`, from: ['the first page'] }];
      const found = this.#layered(layers, 'header', shown, (one) => one.toLowerCase() === name);
      const media = call?.media_type !== undefined && found.at === 'built-in' && (name === 'accept' || name === 'content-type');
      const encode = call !== undefined && found.at === 'built-in' && name === 'content-type';
      return [{ part: 'header', name, ...found, ...(media ? { at: `${at}.media_type` } : encode ? { at: `${at}.encode` } : {}) }];
    });
  }

  cookies(): ExplainedPart[] {
    const { call, at } = this.#subject;
    const { method } = this.#resolved;
    const { scopes } = this.#session;
    const layers = [
      ...(call === undefined ? [] : [{ at: `${at}.cookies`, entries: call.cookies, scope: scopes.stream }]),
      { at: `auth.${method.name}.send.cookies`, entries: method.send.cookies, scope: scopes.send },
    ];
    return Object.entries(this.#preview.draft.cookies).map(([name, value]) => ({
      part: 'cookie' as const,
      name,
      ...this.#layered(layers, 'cookie', this.#shown(value), (key) => key === name),
    }));
  }

  /** Leaf by leaf where the body is data; else as it is sent. */
  body(): ExplainedPart[] {
    const { draft, body } = this.#preview;
    const { call, at, patch } = this.#subject;
    if (typeof draft.body !== 'object' || draft.body === null || draft.body instanceof Secret)
      return body === undefined ? [] : [{ part: 'body', value: body, at: call === undefined ? at : `${at}.body`, from: [] }];
    const { method } = this.#resolved;
    const { scopes } = this.#session;
    return leaves(draft.body).map(([path, value]) => {
      const name = path.join('.');
      const own: ExplainedPart = { part: 'body', name, value: this.#shown(value), at, from: [] };
      if (`body.${name}` in patch) return { ...own, at: `${at}.paginate`, from: ['the first page'] };
      for (const [written, place, scope] of [
        [call?.body, `${at}.body`, scopes.stream],
        [method.send.body, `auth.${method.name}.send.body`, scopes.send],
      ] as const) {
        const text = path.reduce<unknown>(
          (node, key) => (typeof node === 'object' && node !== null ? (node as Vars)[key] : undefined),
          written,
        );
        if (text === undefined) continue;
        const found = typeof text === 'string' ? this.#text(text, 'body', scope) : { value: own.value, from: [] };
        return { ...own, at: `${place}.${name}`, value: value instanceof Secret ? found.value : own.value, from: found.from };
      }
      return own;
    });
  }

  #signed(part: ExplainedPart['part'], name: string, value: string): ExplainedPart {
    const { name: method, type } = this.#resolved.method;
    const about = this.#preview.signature?.about?.algorithm;
    return { part, name, value, at: `auth.${method}.type`, from: [`signed: ${about ?? type}`] };
  }

  /** The topmost layer that has the name; what none has is the caller's, or built in. */
  #layered(
    layers: readonly Layer[],
    place: Place,
    shown: string,
    same: (key: string) => boolean,
  ): Pick<ExplainedPart, 'value' | 'at' | 'from'> {
    const { caller, option } = this.#subject.given;
    const kind = place === 'header' || place === 'query' ? place : undefined;
    if (kind !== undefined && caller[kind].some(same)) return { value: shown, at: 'caller', from: [] };
    for (const { at, entries, scope } of layers) {
      const [key, text] = Object.entries(entries).find(([one]) => same(one)) ?? [];
      if (key === undefined || text === undefined || text === null) continue;
      const texts = (Array.isArray(text) ? text : [text]).map((one) => this.#text(one, place, scope));
      // An entry that is exactly one absent expression is left out: what lies below it stands.
      if (texts.every(({ absent }) => absent)) continue;
      const masked = shown.includes(MASK) && texts.length === 1 ? texts[0]!.value : shown;
      return { value: masked, at: `${at}.${key}`, from: [...new Set(texts.flatMap(({ from }) => from))] };
    }
    if (kind !== undefined && option[kind].some(same)) return { value: shown, at: 'option', from: [] };
    return { value: shown, at: this.#subject.call === undefined && place !== 'header' ? 'caller' : 'built-in', from: [] };
  }

  /** A text as it comes out, secrets in it masked, and what it is made from. */
  #text(text: string, place: Place, scope: Scope): { value: string; from: string[]; absent: boolean } {
    const template = compileOrThrow(text, 'text', place, scope);
    const parts = template.parts.map((part) => {
      if ('text' in part) return part.text;
      return this.#value(compileOrThrow(`\${${part.source}}`, 'text', place === 'url' ? 'plain' : place, scope));
    });
    const absent = template.parts.length === 1 && parts[0] === ABSENT;
    const value = parts.map((part) => (part === ABSENT ? '' : String(part))).join('');
    return { value: this.#session.redactor.redact(value).replaceAll('[secret]', MASK), from: this.#sources(template), absent };
  }

  #value(template: Template): unknown {
    if (template.secret) return MASK;
    try {
      const value = template.evaluate(this.#vars);
      return value instanceof Secret ? MASK : value;
    } catch {
      // It is made from the request itself.
      return '…';
    }
  }

  #sources(template: Template): string[] {
    return [...new Set(template.mentions.flatMap((mention) => sourceOf(mention, this.#session)))];
  }

  #shown(value: unknown): string {
    if (value instanceof Secret) return MASK;
    return this.#session.redactor.redact(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('[secret]', MASK);
  }
}

/** What a name in an expression stands for, in words. */
function sourceOf([root = '', name = '']: readonly string[], { resolved, tokens, scopes }: Session): string[] {
  const { method, choices, fields } = resolved;
  const choice = choices[root];
  if (choice !== undefined) return [`${root}=${choice.id}`];
  if (root === 'fields') {
    const field = fields.find((one) => one.name === name);
    const entered = tokens.credential.fields[name] !== undefined;
    const how = field?.value !== undefined ? 'fixed' : entered ? 'entered' : field?.default !== undefined ? 'default' : 'not given';
    return [`field ${name} (${how})`];
  }
  if (root === 'token') return [`token.${name} (${capturedBy(name, resolved)})`];
  if (root === 'vars') {
    const text = method.vars[name] ?? '';
    const inner = compileOrThrow(text, 'text', 'plain', scopes.send).mentions.flatMap((mention) =>
      sourceOf(mention, { resolved, tokens, scopes } as Session),
    );
    return [`var ${name}`, ...inner];
  }
  if (root === 'parent') return ["the parent's record"];
  if (root === 'request') return ['the request itself'];
  return [root === 'now' ? 'the time' : root === 'uuid' ? 'a fresh ID' : [root, name].filter(Boolean).join('.')];
}

/** Who brings a capture: a step, the token request, or the callback of a page. */
export function capturedBy(name: string, { method }: Resolved): string {
  const { authorize, token, refresh = [], steps } = method;
  if (authorize?.capture[name] !== undefined) return 'from the callback';
  for (const step of steps) {
    if (step.type === 'made' && step.capture[name] !== undefined) return 'signed here';
    if (step.type === 'call' && step.capture[name] !== undefined) return `captured by step ${step.name ?? ''}`.trim();
    if (step.type === 'token' && (token?.capture[name] !== undefined || refresh.some((one) => one.capture[name] !== undefined)))
      return 'captured by token';
  }
  return 'given';
}

function leaves(value: unknown, path: readonly string[] = []): [readonly string[], unknown][] {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return [[path, value]];
  const inner = Object.entries(value);
  return inner.length === 0 ? [[path, value]] : inner.flatMap(([key, item]) => leaves(item, [...path, key]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
