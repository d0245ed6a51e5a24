import { compileVars } from '../auth/variables.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import type { Resolved, ResolvedStream } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import { urlOf } from '../core/url.ts';
import type { Method, Patch } from '../core/value.ts';
import { streamScopes } from '../core/window-scope.ts';
import type { CaptureValue, Credential } from '../credentials/types.ts';
import { requestOf } from '../http/facade.ts';
import type { CallDraft, CallOptions, HttpOptions, Preview, SignatureAbout } from '../http/types.ts';
import { hostsUnder, PERSONS_SITE } from '../spec/hosts.ts';
import { firstVariables } from '../streams/plan.ts';
import { firstRequest } from '../streams/read-unit.ts';
import { type ExplainedPart, explainParts, MASK, type Subject } from './explain-parts.ts';
import { type ExplainedRetry, explainRetry } from './explain-retry.ts';
import { type ExplainedToken, explainToken } from './explain-token.ts';
import type { ConnectionOptions } from './options.ts';
import { openSession, prepare, type Session } from './session.ts';

/** A request to explain: one of the caller's own, or a stream's first page. */
export type ExplainRequest = { stream: string } | { method?: Method; path: string; options?: HttpOptions };

export interface ExplainedLimit {
  requests: number;
  /** Milliseconds. */
  per: number;
  scope: 'credential' | 'ip' | 'app';
  match?: string;
  /** Requests that may go at once, as far as this connection knows. */
  left: number;
  /** Milliseconds until the next may go. */
  wait: number;
  at: string;
}

/** Why a request is as it is. Secrets are masked; each `at` is a path in the resolved spec, or a word. */
export interface Explanation {
  connector: string;
  method: string;
  choices: Record<string, string>;
  stream?: string;
  request: {
    method: Method;
    url: string;
    /** Where the bytes would go instead: a sandbox stands in. */
    sandbox?: string;
    /** Of the body. */
    bytes: number;
  };
  parts: ExplainedPart[];
  signature?: SignatureAbout | { note: string };
  token?: ExplainedToken;
  retry: ExplainedRetry;
  limits: ExplainedLimit[];
  /** Hosts that the credential may go to, by what it goes there for. */
  hosts: { use: string; hosts: string[] }[];
}

/** Makes a request ready and says where each part of it comes from. Nothing is sent, not even for a token. */
export async function explain(session: Session, request: ExplainRequest, options: ConnectionOptions): Promise<Explanation> {
  const offline = await withoutSending(session, options);
  try {
    return await explained(session, offline ?? session, request, options);
  } finally {
    await offline?.close();
  }
}

/** A session of stand-ins for tokens that are not there or have ended: asking for them would be sending. */
async function withoutSending(session: Session, options: ConnectionOptions): Promise<Session | undefined> {
  const { tokens, resolved } = session;
  if (tokens.dueSteps.length === 0) return undefined;
  const { store: _store, onEvent: _onEvent, ...rest } = options;
  return await openSession(prepare(resolved, standIns(resolved, tokens.credential), rest), rest);
}

function standIns({ method }: Resolved, credential: Credential): Credential {
  const { state: _state, ...rest } = credential;
  const captures: Record<string, CaptureValue> = { ...credential.captures };
  const made = new Set(method.steps.flatMap((step) => (step.type === 'made' ? [step.name] : [])));
  const calls = method.steps.flatMap((step) =>
    step.type === 'call' ? [step] : step.type === 'token' && method.token ? [method.token] : [],
  );
  for (const { capture } of calls)
    for (const [name, one] of Object.entries(capture))
      if (captures[name] === undefined && !one.path.endsWith('?')) captures[name] = standIn(one.type, name);
  const expires = Object.fromEntries(Object.entries(credential.expires).filter(([key]) => made.has(key.replace(/\.renew$/, ''))));
  return { ...rest, version: 0, captures, expires };
}

function standIn(type: string | undefined, name: string): CaptureValue {
  if (type === 'number') return 0;
  if (type === 'url') return 'https://not-known-yet.invalid';
  return type === 'host' ? 'not-known-yet.invalid' : new Secret(`not-known-yet-${name}`);
}

async function explained(session: Session, ready: Session, request: ExplainRequest, options: ConnectionOptions): Promise<Explanation> {
  const { resolved, scopes } = session;
  const stream = 'stream' in request ? streamOf(request.stream, resolved) : undefined;
  const vars = await variables(ready, stream);
  const { draft, more, patch } = made(request, stream, vars, session);
  const preview = await ready.client.preview(draft, more);
  const subject: Subject = {
    ...(stream && { call: stream }),
    at: stream ? `streams.${stream.name}` : 'caller',
    patch,
    given: givenIn(request, options),
  };
  const named = { ...vars, vars: compileVars(resolved, scopes.send)(vars) };
  const parts = explainParts(
    preview,
    subject,
    { ...session, scopes: streamScopes(scopes, stream?.cursor), redactor: ready.redactor },
    named,
  );
  const signature = signatureOf(preview, session);
  const token = explainToken(session, options.oauth);
  return {
    connector: resolved.name,
    method: resolved.method.name,
    choices: Object.fromEntries(Object.entries(resolved.choices).map(([choice, { id = '' }]) => [choice, id])),
    ...(stream && { stream: stream.name }),
    request: {
      method: draft.method,
      url: preview.url.replaceAll('[secret]', MASK),
      ...(preview.mapped && { sandbox: preview.wire }),
      bytes: preview.bytes,
    },
    parts,
    ...(signature && { signature }),
    ...(token && { token }),
    retry: explainRetry(preview, resolved, stream),
    limits: limitsOf(preview, resolved),
    hosts: hostsOf(preview, session),
  };
}

function streamOf(name: string, { streams, name: connector }: Resolved): ResolvedStream {
  const stream = Object.hasOwn(streams, name) ? streams[name] : undefined;
  if (stream !== undefined) return stream;
  throw new FerruleError('stream_unknown', `${connector} has no stream "${name}"`, { where: name });
}

/** What the API's expressions see. A parent's record is not read: its values are named instead. */
async function variables(session: Session, stream: ResolvedStream | undefined): Promise<Vars> {
  const vars = await session.apiVariables();
  if (stream === undefined) return vars;
  const first = firstVariables(stream, session, vars, session.clock.now());
  return { ...vars, ...first, ...(stream.parent !== undefined && { parent: parentOf(stream) }) };
}

function parentOf(stream: ResolvedStream): object {
  const parent: Record<string, unknown> = {};
  for (const [, path = ''] of JSON.stringify(stream).matchAll(/\bparent\.([a-z_][\w.]*)/gi)) {
    const keys = path.split('.');
    let node = parent;
    for (const key of keys.slice(0, -1)) {
      node[key] ??= {};
      node = node[key] as Record<string, unknown>;
    }
    // Of characters that stand in a path as they are.
    node[keys.at(-1) ?? ''] ??= `~parent.${path}~`;
  }
  return parent;
}

function made(
  request: ExplainRequest,
  stream: ResolvedStream | undefined,
  vars: Vars,
  { scopes }: Session,
): { draft: CallDraft; more: CallOptions; patch: Patch } {
  if (stream !== undefined) return { ...firstRequest(stream, scopes, vars), more: { name: stream.name } };
  const { method = 'GET', path, options = {} } = request as Exclude<ExplainRequest, { stream: string }>;
  return { ...requestOf(method, path, options), patch: {} };
}

function givenIn(request: ExplainRequest, { network }: ConnectionOptions): Subject['given'] {
  const { headers = {}, searchParams } = 'stream' in request ? {} : (request.options ?? {});
  const names = typeof searchParams === 'string' ? new URLSearchParams(searchParams) : (searchParams ?? {});
  const query = names instanceof URLSearchParams ? [...names.keys()] : Object.keys(names);
  const lower = (entries: object): string[] => Object.keys(entries).map((name) => name.toLowerCase());
  return {
    caller: { header: lower(headers), query },
    option: { header: lower(network?.headers ?? {}), query: Object.keys(network?.query ?? {}) },
  };
}

function signatureOf({ signature }: Preview, { resolved, redactor }: Session): Explanation['signature'] {
  const { signer } = resolved.method;
  if (signer === undefined) return undefined;
  const about = signature?.about;
  if (about === undefined) return { note: 'unsigned until the server has sent its challenge' };
  const show = (text: string): string => redactor.redact(text).replaceAll('[secret]', MASK);
  return { ...about, ...(about.base !== undefined && { base: show(about.base) }) };
}

function limitsOf({ limits }: Preview, { http }: Resolved): ExplainedLimit[] {
  return limits.map(({ index, match, ...state }) => ({
    ...state,
    ...(match !== undefined && { match }),
    at: index < http.rate_limit.length ? `http.rate_limit.${index}` : 'option',
  }));
}

/** As the spec names them; where only the person knew the host, the one that was entered. */
function hostsOf({ url }: Preview, { resolved, tokens }: Session): Explanation['hosts'] {
  const { host: api } = new URL(url);
  const entered = resolved.fields.flatMap(({ name, type }) => {
    const value = type === 'url' ? tokens.credential.fields[name] : undefined;
    const url = typeof value === 'string' ? urlOf(value) : undefined;
    return url === undefined ? [] : [url.host];
  });
  const known = (use: string, host: string): string =>
    host === PERSONS_SITE && entered.length === 1 ? String(entered[0]) : host.includes('\u2039') && use === 'api' ? api : host;
  return hostsUnder(resolved).map(({ use, hosts }) => ({ use, hosts: [...new Set(hosts.map((host) => known(use, host)))] }));
}
