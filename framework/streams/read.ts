import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { stringifyJson } from '../core/json.ts';
import { compileCall } from '../core/render.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { applyPatch } from '../core/target.ts';
import type { JsonObject, Patch, RequestDraft, Response } from '../core/value.ts';
import type { CallDraft } from '../http/types.ts';
import { createPaginator } from './paginate/index.ts';
import type { Paginator } from './paginate/types.ts';
import { compileExtract, compileTransform } from './records.ts';

/** Sends one request of a stream. `empty`: a rule said that the answer stands for no records. */
/** `redraft` makes the draft anew, with the token that a renewal brought. */
export type Send = (draft: CallDraft, stream: ResolvedStream, redraft: () => Promise<CallDraft>) => Promise<Response & { empty: boolean }>;

export interface ReadContext {
  streams: Readonly<Record<string, ResolvedStream>>;
  scopes: Scopes;
  /** fields, choices, auth, now, uuid, token. */
  variables: () => Promise<Vars>;
  send: Send;
  signal?: AbortSignal;
}

/** One page of records, and the patch that asked for it. Pages are what travels inside; nobody waits for one record. */
export interface Page {
  stream: string;
  records: JsonObject[];
  patch: Patch;
  /** 0 for the first page of its partition. */
  index: number;
}

/** Reads a stream to its end, page by page: its parent's records first where it has one, and its own pages for each. */
export async function* readStream(name: string, context: ReadContext): AsyncGenerator<Page> {
  const stream = Object.hasOwn(context.streams, name) ? context.streams[name] : undefined;
  if (stream === undefined) throw new FerruleError('stream_unknown', `There is no stream "${name}"`, { where: name });
  const pages = compileStream(stream, context);
  if (stream.parent === undefined) {
    yield* pages(undefined);
    return;
  }
  for await (const page of readStream(stream.parent, context)) {
    for (const parent of page.records) yield* pages(parent);
  }
}

/** The request for a stream's first page, and what paging put on it. */
export function firstRequest(stream: ResolvedStream, scopes: Scopes, vars: Vars): { draft: CallDraft; patch: Patch } {
  const patch = createPaginator(stream.paginate, scopes.page).first();
  return { draft: patched(compileCall(stream, scopes.stream).render(vars), patch), patch };
}

function compileStream(stream: ResolvedStream, context: ReadContext): (parent: JsonObject | undefined) => AsyncGenerator<Page> {
  const { scopes, variables, send, signal } = context;
  const call = compileCall(stream, scopes.stream);
  const extract = compileExtract(stream, scopes.response);
  const transform = compileTransform(stream, scopes);
  const paginator: Paginator = createPaginator(stream.paginate, scopes.page);

  return async function* pages(parent) {
    const asked = new Set<string>();
    let patch: Patch | undefined = paginator.first();
    for (let index = 0, count = 0; patch !== undefined; index += 1) {
      signal?.throwIfAborted();
      refuseRepeat(asked, patch, stream);
      refuseCap(index, stream);
      const current: Patch = patch;
      const now = async (): Promise<Vars> => ({ ...(await variables()), ...(parent && { parent }) });
      const vars = await now();
      const response = await send(patched(call.render(vars), current), stream, async () => patched(call.render(await now()), current));
      const raw = response.empty ? [] : extract(response, vars);
      count += raw.length;
      patch = response.empty ? undefined : paginator.next({ response, records: raw, patch: current, index, count, vars });
      yield { stream: stream.name, records: raw.map((record) => transform(record, vars)), patch: current, index };
    }
  };
}

/** A next URL brings its own query: what the stream puts there would stand twice. */
function patched(draft: CallDraft, patch: Patch): CallDraft {
  const own = 'url' in patch ? { ...draft, query: {} } : draft;
  return applyPatch(own as RequestDraft, patch);
}

function refuseRepeat(asked: Set<string>, patch: Patch, stream: ResolvedStream): void {
  const key = stringifyJson(patch, { sorted: true });
  if (asked.has(key)) {
    const what = Object.keys(patch).join(', ') || 'nothing';
    throw new FerruleError('page_repeated', `${stream.name}: the provider led back to a page that was read already (${what} repeats)`, {
      where: `streams.${stream.name}.paginate`,
    });
  }
  asked.add(key);
}

function refuseCap(index: number, stream: ResolvedStream): void {
  const cap = 'max_pages' in stream.paginate ? stream.paginate.max_pages : undefined;
  if (cap !== undefined && index >= cap) {
    throw new FerruleError('page_cap', `${stream.name}: there are more than ${cap} pages`, {
      where: `streams.${stream.name}.paginate.max_pages`,
    });
  }
}
