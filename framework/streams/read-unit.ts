import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { stringifyJson } from '../core/json.ts';
import { compileCall } from '../core/render.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import { applyPatch } from '../core/target.ts';
import type { Json, JsonObject, Patch, RequestDraft, Response } from '../core/value.ts';
import { streamScopes } from '../core/window-scope.ts';
import type { CallDraft } from '../http/types.ts';
import { type CursorPoints, cursorPoints } from './cursor.ts';
import { decodeStream, isStreamed } from './decode/index.ts';
import { isGzip } from './decode/recognise.ts';
import type { Fetched, StreamEnvironment } from './environment.ts';
import { jobDownload } from './job.ts';
import { createPaginator } from './paginate/index.ts';
import type { Paginator } from './paginate/types.ts';
import { compileExtract, type Extract } from './records.ts';
import { compileShape, type Misfit } from './shape.ts';
import { type Looks, Tally } from './tally.ts';
import type { Unit, UnitState } from './unit.ts';
import { compileVerbatim, type ReadVerbatim } from './verbatim.ts';

/** Some records of a unit, in the order in which they came, and how far the unit is when they are written. */
export interface UnitPage {
  records: JsonObject[];
  /** In their place: the records as the provider wrote them, each the bytes of one JSON object. */
  verbatim?: Uint8Array[];
  /** Records of the page that came and are not among them: `keep`, or they came with the last read. */
  skipped: number;
  misfits: { record: JsonObject; of: Misfit[] }[];
  /** What asked for them. */
  patch: Patch;
  /** Of the page in its unit, from 0. */
  index: number;
  /** About so many came for it. */
  bytes: number;
  state: UnitState;
  /** The unit is finished. */
  last: boolean;
  /** To be written at once: a job was created. */
  urgent?: true;
}

/** A stream made ready to read its units. Nothing of a unit is kept in it. */
export interface UnitReader {
  read(unit: Unit, state: UnitState): AsyncGenerator<UnitPage>;
}

/** How many came to be written. */
export const sizeOf = ({ records, verbatim }: Pick<UnitPage, 'records' | 'verbatim'>): number => (verbatim ?? records).length;

/** @param verbatim the records may come as the provider wrote them, where nothing about them is changed */
export function unitReader(stream: ResolvedStream, environment: StreamEnvironment, verbatim = false): UnitReader {
  const scopes = streamScopes(environment.scopes, stream.cursor);
  const compiled: Compiled = {
    stream,
    environment: { ...environment, scopes },
    call: compileCall(stream, scopes.stream),
    extract: compileExtract(stream, scopes.response),
    shape: compileShape(stream, scopes),
    paginator: createPaginator(stream.paginate, scopes.page),
    points: stream.cursor && cursorPoints(stream.cursor, stream.name),
    verbatim: verbatim ? compileVerbatim(stream, scopes.record) : undefined,
  };
  return { read: (unit, state) => readUnit(compiled, unit, state) };
}

interface Compiled extends Looks {
  environment: StreamEnvironment;
  call: ReturnType<typeof compileCall>;
  extract: Extract;
  paginator: Paginator;
  verbatim: ReadVerbatim | undefined;
}

async function* readUnit(compiled: Compiled, unit: Unit, state: UnitState): AsyncGenerator<UnitPage> {
  const { stream } = compiled;
  const tally = new Tally(compiled, unit, state);
  if (stream.job === undefined) {
    yield* pages(compiled, state, tally, requestOf(compiled, unit));
    return;
  }
  yield* jobPages(compiled, unit, state, tally);
}

/** A job that failed is created anew so often in all. */
const MOST_JOBS = 3;

async function* jobPages(compiled: Compiled, unit: Unit, state: UnitState, tally: Tally): AsyncGenerator<UnitPage> {
  const { stream, environment } = compiled;
  const job = jobDownload(stream, environment, () => unitVariables(compiled, unit));
  let known = state.job;
  for (let attempt = 1; ; attempt += 1) {
    const begun = known ?? (await job.create());
    if (known === undefined) yield { ...NOTHING, state: { job: begun }, last: false, urgent: true };
    let request: PageRequest | undefined;
    try {
      request = await job.result(begun);
    } catch (error) {
      const isGone = job.isGone(error) && (state.count ?? 0) === 0;
      if (!isGone) throw error;
      // The next read must not ask for it again.
      yield { ...NOTHING, state: {}, last: false, urgent: true };
      // One of an earlier read that the provider has forgotten does not count.
      if (known === undefined && (attempt >= MOST_JOBS || !job.mayRepeat(error))) throw error;
      known = undefined;
      continue;
    }
    if (request === undefined) {
      yield { ...NOTHING, state: {}, last: true };
      return;
    }
    for await (const page of pages(compiled, state, tally, request)) {
      // What is cleaned up at the provider must be written first.
      if (page.last) yield { ...page, ...(stream.job?.clean_up && { urgent: true }) };
      else yield { ...page, state: { ...page.state, job: begun } };
    }
    await job.cleanUp(begun);
    return;
  }
}

const NOTHING = { records: [], skipped: 0, misfits: [], patch: {}, index: 0, bytes: 0 } satisfies Partial<UnitPage>;

/** What one page is asked with. */
export interface PageRequest {
  variables(): Promise<Vars>;
  draft(vars: Vars): CallDraft;
  fetch(draft: CallDraft, redraft: () => Promise<CallDraft>): Promise<Fetched>;
  chain: ResolvedStream['chain'];
}

function requestOf(compiled: Compiled, unit: Unit): PageRequest {
  const { stream, environment, call } = compiled;
  return {
    variables: () => unitVariables(compiled, unit),
    draft: (vars) => call.render(vars),
    fetch: (draft, redraft) => environment.fetch(draft, stream, { redraft, anyType: stream.chain.length > 0 }),
    chain: stream.chain,
  };
}

async function unitVariables({ environment, points, stream }: Compiled, unit: Unit): Promise<Vars> {
  const { parent, each, now } = unit;
  return {
    ...(await environment.variables(now)),
    window: windowVariables(unit, points, stream),
    ...(parent && { parent }),
    each: each ?? {},
  };
}

/** window.start and window.end as the provider wants them; what is absent is left out. */
export function windowVariables({ window }: Pick<Unit, 'window'>, points: CursorPoints | undefined, { cursor }: ResolvedStream): Vars {
  if (window === undefined || points === undefined) return {};
  const result: Record<string, unknown> = {};
  const put = (name: 'start' | 'end', point: number): void => {
    result[name] = points.write(point);
    if (points.isTime) result[`${name}_time`] = new Date(point);
  };
  if (window.start !== null) put('start', points.parse(window.start) as number);
  if (window.end !== null) {
    const end = points.parse(window.end) as number;
    put('end', cursor?.window?.end === 'inclusive' ? points.round(points.floor(end) - cursor.window.step) : end);
  }
  return result;
}

async function* pages(compiled: Compiled, state: UnitState, tally: Tally, request: PageRequest): AsyncGenerator<UnitPage> {
  const { stream, environment, paginator } = compiled;
  const asked = new Set<string>();
  let { patch = paginator.first(), skip = 0, count = 0 } = state;
  for (let index = state.index ?? 0; ; index += 1) {
    environment.signal?.throwIfAborted();
    refuseRepeat(asked, patch, stream);
    refuseCap(index, stream);
    const current = patch;
    const vars = await request.variables();
    const draft = (of: Vars): CallDraft => patched(request.draft(of), current);
    const fetch = (): Promise<Fetched> => request.fetch(draft(vars), async () => draft(await request.variables()));
    const before = count;
    let next: Patch | undefined;
    for await (const part of steadyParts(compiled, request, fetch, vars)) {
      // Of a page that was half done when the read was stopped, what is done comes again.
      const fresh = skip === 0 ? part : behind(part, skip);
      const passed = part.raw.length - fresh.raw.length;
      skip -= passed;
      count += part.raw.length;
      const page = fresh.verbatim === undefined ? tally.page(fresh.raw, vars) : tally.verbatim(fresh.raw, fresh.verbatim);
      if (part.response === undefined) {
        if (sizeOf(page) > 0 || page.skipped > 0)
          yield {
            ...page,
            bytes: part.bytes,
            patch: current,
            index,
            state: tally.state({ patch: current, index, count: before, skip: count - before }),
            last: false,
          };
        continue;
      }
      const seen = { response: part.response, size: count - before, last: part.last, patch: current, index, count, vars };
      next = part.empty ? undefined : paginator.next(seen);
      const after = next === undefined ? {} : { patch: next, index: index + 1, count };
      yield { ...page, bytes: part.bytes, patch: current, index, state: tally.state(after), last: next === undefined };
    }
    if (next === undefined) return;
    patch = next;
    // The page has become shorter since it was half done.
    skip = 0;
  }
}

/** A large answer that breaks off is asked for so often in all. */
const MOST_FETCHES = 3;

/** The parts of an answer; one that is cut off in the middle is asked for again, and goes on behind the records that are out. */
async function* steadyParts(compiled: Compiled, request: PageRequest, fetch: () => Promise<Fetched>, vars: Vars): AsyncGenerator<Part> {
  let given = 0;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch();
    let known = given;
    try {
      for await (const part of parts(compiled, request, answer, vars)) {
        const fresh = known === 0 ? part : behind(part, known);
        known -= part.raw.length - fresh.raw.length;
        given += fresh.raw.length;
        yield fresh;
      }
      return;
    } catch (error) {
      const wasCut = answer.body !== undefined && isFerruleError(error) && error.kind === 'transient';
      if (!wasCut || attempt >= MOST_FETCHES || compiled.environment.signal?.aborted) throw error;
    }
  }
}

/** Of a large answer, read at a time. */
const BATCH_BYTES = 256 * 1024;

interface Part {
  /** With `verbatim` only what is to be known of them. */
  raw: JsonObject[];
  verbatim?: Uint8Array[];
  bytes: number;
  /** With the last part of an answer: all of it but the records. */
  response?: Response;
  last?: JsonObject | undefined;
  /** A rule said that the answer stands for no records. */
  empty?: true;
}

/** Without its first records. */
const behind = (part: Part, count: number): Part => ({
  ...part,
  raw: part.raw.slice(count),
  ...(part.verbatim && { verbatim: part.verbatim.slice(count) }),
});

/** An answer's records: at once where it is whole, else as they come. */
async function* parts(
  { stream, environment, extract, verbatim }: Compiled,
  request: PageRequest,
  answer: Fetched,
  vars: Vars,
): AsyncGenerator<Part> {
  const about = (body: Json): Response => {
    const { status, headers, bytes = new Uint8Array() } = answer;
    return {
      ...{ status, headers, body, bytes },
      get cookies() {
        return answer.cookies;
      },
      get url() {
        return answer.url;
      },
    };
  };
  if (answer.empty) {
    yield { raw: [], bytes: 0, response: about(null), empty: true };
    return;
  }
  const contentType = answer.headers['content-type'];
  // A small answer may be packed without a word, as a large one may.
  const streamed = answer.body !== undefined || isStreamed(request.chain, contentType) || isGzip(answer.bytes);
  if (!streamed) {
    const page = answer.bytes && verbatim?.(answer.bytes, contentType, vars);
    if (page !== undefined) {
      const { known, records, rest, last } = page;
      yield { raw: known, verbatim: records, bytes: answer.bytes?.length ?? 0, response: about(rest), last };
      return;
    }
    const response = about(answer.json());
    const raw = extract(response, vars);
    yield { raw, bytes: response.bytes.length, response, last: raw.at(-1) };
    return;
  }
  refuseComputed(stream);
  const batches = decodeStream(answer.body ?? whole(answer.bytes), {
    chain: request.chain,
    contentType,
    records: stream.records,
    bigIntegers: environment.bigIntegers,
    where: `streams.${stream.name}.records`,
    batchBytes: BATCH_BYTES,
  });
  let last: JsonObject | undefined;
  for (;;) {
    const { value, done } = await batches.next();
    if (done) {
      yield { raw: [], bytes: 0, response: about(value), last };
      return;
    }
    last = value.at(-1) ?? last;
    yield { raw: value, bytes: BATCH_BYTES };
  }
}

async function* whole(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}

function refuseComputed({ records, name }: ResolvedStream): void {
  if (!records.includes('${')) return;
  throw new FerruleError('records_missing', `${name}: an answer that is read as it comes needs a plain path to its records`, {
    where: `streams.${name}.records`,
    next: 'Write a path in place of ${…}.',
  });
}

/** A next URL brings its own query: what the stream puts there would stand twice. */
function patched(draft: CallDraft, patch: Patch): CallDraft {
  const own = 'url' in patch ? { ...draft, query: {} } : draft;
  return applyPatch(own as RequestDraft, patch);
}

/** The request for a stream's first page, and what paging put on it. */
export function firstRequest(stream: ResolvedStream, scopes: StreamEnvironment['scopes'], vars: Vars): { draft: CallDraft; patch: Patch } {
  const own = streamScopes(scopes, stream.cursor);
  const patch = createPaginator(stream.paginate, own.page).first();
  return { draft: patched(compileCall(stream, own.stream).render(vars), patch), patch };
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
