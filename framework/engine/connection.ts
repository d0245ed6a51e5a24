import { ABSENT } from '../core/absent.ts';
import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { compilePath, readPath, readRequired } from '../core/path.ts';
import { compileCall, compileText } from '../core/render.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import type { Sink } from '../core/sink.ts';
import type { Column, SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import type { Json, JsonObject } from '../core/value.ts';
import type { Credential } from '../credentials/types.ts';
import type { Http } from '../http/types.ts';
import { planOf } from '../streams/plan.ts';
import { Progress } from '../streams/progress.ts';
import { type UnitPage, unitReader } from '../streams/read-unit.ts';
import { type CheckOptions, type CheckReport, check } from './check.ts';
import type { ExplainRequest, Explanation } from './explain.ts';
import { metricsAreOn, metricsFor } from './metrics.ts';
import type { ConnectionOptions } from './options.ts';
import { offered, readableStream, redacted } from './readable-stream.ts';
import type { RunOptions } from './run.ts';
import type { RunEvent, StreamOutcome } from './run-events.ts';
import type { Session } from './session.ts';
import { streamEnvironment } from './stream-environment.ts';

export interface StreamInfo {
  name: string;
  title: string;
  help?: string;
  parent?: string;
  primary_key: string[];
  /** Declared columns, of the types that their values leave the stream with. */
  columns: Record<string, Column>;
  /** A read can go on from the last one's state, and bring only what is new. */
  incremental: boolean;
  /** The path of the cursor in a record. */
  cursor?: string;
  /** False when the choices made, or the auth method, do not offer it. */
  available: boolean;
}

export interface ReadOptions {
  /** Records at most. */
  limit?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { stream: string; records: number; pages: number }) => void;
}

/** Records one by one; `pages()` gives them as they travel, a page at a time. */
export interface Reading extends AsyncIterable<JsonObject> {
  pages(): AsyncIterable<JsonObject[]>;
}

/** An authenticated client for one connector and one credential. Close it when done, or `await using`. */
export interface Connection<Stream extends string = string> extends AsyncDisposable {
  readonly connector: string;
  readonly method: string;
  /** got's call shape. Only hosts that the spec names get the credential; errors are FerruleErrors. */
  readonly http: Http;
  check(options?: CheckOptions): Promise<CheckReport>;
  /** The values that the provider offers for a field, such as the profiles of an account. */
  options(field: string, options?: { signal?: AbortSignal }): Promise<{ value: string; label: string }[]>;
  /**
   * Why a request is as it is: each part with the place in the spec that put it there, the token, retries, limits and hosts. Secrets are
   * masked, and nothing is sent.
   */
  explain(request: ExplainRequest): Promise<Explanation>;
  streams(): StreamInfo[];
  read(stream: Stream, options?: ReadOptions): Reading;
  /**
   * Reads streams into a destination, at the same time and within the provider's limits: what is new since the last read, where a stream has
   * a cursor. State is committed with the records, so that a read that was stopped goes on where it was. A stream that fails is in its outcome.
   */
  readInto(into: Sink, options?: Partial<Omit<RunOptions, 'into'>>): Promise<StreamOutcome[]>;
  /**
   * Renews the token now, whatever its age: also while renewals that failed are paused, and also when the provider was understood to have
   * ended the grant. False: the method has no token, and nothing was sent.
   */
  renew(options?: { signal?: AbortSignal }): Promise<boolean>;
  /**
   * Tells the provider that the grant or the session is over, as the spec's `revoke` and `logout` say; the tokens are then forgotten.
   * Throws not_supported where the spec has neither, and what the provider refuses.
   */
  revoke(options?: { signal?: AbortSignal }): Promise<void>;
  /** What would be stored: with the tokens of the moment. */
  readonly credential: Credential;
  close(): Promise<void>;
}

export function createConnection(spec: SpecDocument, session: Session, options: ConnectionOptions): Connection {
  const { limit } = options;
  const { resolved, client, tokens } = session;
  const connection: Connection = {
    connector: resolved.name,
    method: resolved.method.name,
    http: client.http,
    get credential() {
      return tokens.credential;
    },
    check: (how) => check(spec, session, options, how),
    options: (field, { signal } = {}) => fieldOptions(session, field, signal).catch((error) => Promise.reject(redacted(error, session))),
    explain: async (request) => (await import('./explain.ts')).explain(session, request, options),
    streams: () => Object.values(resolved.streams).map((stream) => streamInfo(stream, session)),
    read: (name, how = {}) => createReading(session, name, { ...(limit !== undefined && { limit }), ...how }),
    readInto: async (into, how = {}) => {
      const streams = how.streams ?? connection.streams().flatMap(({ name, available }) => (available ? [name] : []));
      const { runStreams } = await import('./run.ts');
      if (!metricsAreOn()) return await runStreams(session, { ...how, streams, into });
      const metrics = await metricsFor(resolved.name, Object.keys(resolved.streams));
      const onEvent = (event: RunEvent): void => {
        metrics?.seeRun(event);
        how.onEvent?.(event);
      };
      return await runStreams(session, { ...how, streams, into, onEvent });
    },
    renew: ({ signal } = {}) => tokens.renewNow(signal),
    revoke: ({ signal } = {}) => tokens.end(signal),
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
  return connection;
}

function streamInfo(stream: ResolvedStream, session: Session): StreamInfo {
  const { name, title, help, parent, primary_key, columns, types, cursor, parents } = stream;
  return {
    name,
    title,
    ...(help !== undefined && { help }),
    ...(parent !== undefined && { parent }),
    primary_key,
    columns: { ...columns, ...Object.fromEntries(Object.entries(types).map(([column, type]) => [column, { ...columns[column], type }])) },
    incremental: cursor !== undefined || parents === 'changed',
    ...(cursor !== undefined && { cursor: cursor.field }),
    available: offered(stream, session),
  };
}

function createReading(session: Session, name: string, options: ReadOptions): Reading {
  const open = () => redacting(limited(readPages(session, name, options), name, options), session);
  return {
    pages: open,
    async *[Symbol.asyncIterator]() {
      for await (const records of open()) yield* records;
    },
  };
}

async function* redacting<T>(pages: AsyncIterable<T>, session: Session): AsyncGenerator<T> {
  try {
    yield* pages;
  } catch (error) {
    throw redacted(error, session);
  }
}

/** All of a stream, one unit after the other. A stream that is not there is told of before anybody asks for a page. */
function readPages(session: Session, name: string, { signal }: ReadOptions): AsyncGenerator<UnitPage> {
  return unitPages(session, readableStream(session, name), signal);
}

async function* unitPages(session: Session, stream: ResolvedStream, signal: AbortSignal | undefined): AsyncGenerator<UnitPage> {
  const now = session.clock.now();
  const environment = streamEnvironment(session, now, signal);
  const reader = unitReader(stream, environment);
  const entries = new Map();
  const plan = planOf(stream, environment, new Progress(stream, entries), { entries, prefix: '' }, { now });
  for await (const unit of plan.units()) yield* reader.read(unit, {});
}

async function* limited(
  pages: AsyncGenerator<UnitPage>,
  stream: string,
  { limit = Number.POSITIVE_INFINITY, onProgress }: ReadOptions,
): AsyncGenerator<JsonObject[]> {
  let records = 0;
  let count = 0;
  if (limit <= 0) return;
  for await (const page of pages) {
    const wanted = page.records.length > limit - records ? page.records.slice(0, limit - records) : page.records;
    records += wanted.length;
    count += 1;
    yield wanted;
    onProgress?.({ stream, records, pages: count });
    if (records >= limit) return;
  }
}

async function fieldOptions(session: Session, name: string, signal: AbortSignal | undefined): Promise<{ value: string; label: string }[]> {
  const { resolved, scopes } = session;
  const field = resolved.fields.find((one) => one.name === name);
  if (field === undefined) {
    const meant = suggest(
      name,
      resolved.fields.map((one) => one.name),
    );
    throw new FerruleError('input_unknown', `${resolved.name} has no field "${name}"`, {
      where: name,
      ...(meant !== undefined && { next: `Did you mean "${meant}"?` }),
    });
  }
  const { options } = field;
  if (options === undefined) throw new FerruleError('input_unknown', `Field ${name} has no options`, { where: `fields.${name}` });
  if (options.list !== undefined) return options.list.map(({ value, label }) => ({ value, label: label ?? value }));
  if (options.call === undefined) throw new FerruleError('internal', `options of ${name} have neither list nor call`);
  const vars: Vars = await session.apiVariables(signal);
  const response = await session.send({ ...options.call, name: `options of ${name}` }, compileCall(options.call, scopes.api).render(vars), {
    signal,
  });
  const found = readRequired(compilePath(options.records), response.body, `fields.${name}.options.records`);
  const items = Array.isArray(found) ? found : found === undefined || found === null ? [] : [found];
  const label = compileText(options.label, 'label', scopes.item);
  const path = compilePath(options.value);
  return items.map((item: Json) => {
    const value = readPath(path, item);
    if (value === undefined || value === null || typeof value === 'object') {
      throw new FerruleError('path_missing', `An option of ${name} has nothing at ${options.value}`, {
        where: `fields.${name}.options.value`,
      });
    }
    const shown = label({ ...vars, item });
    return { value: String(value), label: shown === ABSENT ? String(value) : String(shown) };
  });
}
