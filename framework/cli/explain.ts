import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import { anySelection } from '../docs/describe.ts';
import type { Connection } from '../engine/connection.ts';
import type { ExplainRequest, Explanation } from '../engine/explain.ts';
import type { ClientEvent } from '../http/types.ts';
import type { Origins } from '../spec/merge.ts';
import { resolve } from '../spec/resolve.ts';
import type { Arguments } from './arguments.ts';
import { type FoundSpec, findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { explanationText } from './explain-text.ts';
import type { Io } from './io.ts';
import { print } from './io.ts';
import { printJson } from './json-output.ts';
import { openConnection } from './open-connection.ts';
import { METHODS, requestOptions } from './request.ts';
import { type SpecLine, specLines } from './spec-line.ts';

/** What came of a request that was sent after all. */
export interface Sent {
  /** Of the last answer. */
  status?: number;
  /** Requests sent, retries and hops included. */
  requests: number;
  /** `good`, or how the failure was classed. */
  kind: string;
  code?: string;
  message?: string;
  next?: string;
  /** The entry of errors.rules that classed it, `built-in` where none did. */
  rule?: string;
  /** Retries, waits and renewals in between. */
  between: { type: 'retry' | 'wait' | 'renew'; wait?: number; reason?: string }[];
}

export const run: Run = async (args, io) => {
  const found = await findSpec(args, io, args.positionals[0] ?? '');
  const request = await requestIn(args, io, found.spec);
  const events: ClientEvent[] = [];
  await using opened = await openConnection(args, io, {
    methodOption: 'auth',
    everyCall: false,
    onEvent: (event) => void events.push(event),
  });
  const { connection } = opened;
  const sent = args.flag('send') ? await send(connection, request, events, io) : undefined;
  const explanation = await connection.explain(request);
  const where = lines(found, explanation, io);
  if (sent?.rule !== undefined) sent.rule = where(sent.rule);
  if (args.flag('json')) await printJson(io, { ...(withOrigins(explanation, where) as object), ...(sent && { sent }) });
  else await print(io.stdout, explanationText(explanation, sent, where, io));
  return sent === undefined || sent.kind === 'good' ? 0 : 1;
};

/** A stream by its name; else a path, with its method before it. */
async function requestIn(args: Arguments, io: Io, spec: SpecDocument): Promise<ExplainRequest> {
  const words = args.positionals.slice(1).flatMap((word) => word.trim().split(/\s+/));
  const method = METHODS.find((known) => known === words[0]?.toLowerCase());
  const rest = method === undefined ? words : words.slice(1);
  const [target, extra] = rest;
  if (target === undefined || extra !== undefined)
    throw usage('explain wants a stream, or a path such as /orders with its method before it');
  const options = await requestOptions(args, io, 'body');
  if (method !== undefined || target.includes('/')) {
    return { method: (method ?? 'get').toUpperCase() as 'GET', path: target, options };
  }
  if (!Object.hasOwn(spec.streams ?? {}, target)) {
    const meant = suggest(target, Object.keys(spec.streams ?? {}));
    throw new FerruleError('stream_unknown', `${spec.name} has no stream "${target}"`, {
      next: `${meant === undefined ? '' : `Did you mean "${meant}"? `}A path begins with /.`,
    });
  }
  const given = ['data', 'body', 'header', 'query'].find((option) => args.flag(option));
  if (given !== undefined) throw usage(`--${given} goes with a path: a stream has its own`);
  return { stream: target };
}

const usage = (message: string): FerruleError => new FerruleError('usage', message, { next: 'See `ferrule explain --help`.' });

/** Sends it once, as `request` or `read` would. */
async function send(connection: Connection, request: ExplainRequest, events: ClientEvent[], io: Io): Promise<Sent> {
  events.length = 0;
  const failure = await sending(connection, request, io).then(
    () => undefined,
    (error: unknown) => {
      if (!isFerruleError(error) || io.signal.aborted) throw error;
      return error;
    },
  );
  const name = 'stream' in request ? request.stream : undefined;
  const own = events.filter((event) => event.name === name || event.type === 'retry' || event.type === 'wait' || event.type === 'renew');
  const last = own.findLast((event) => event.type === 'response');
  const status = failure?.status ?? (last?.type === 'response' ? last.status : undefined);
  return {
    ...(status !== undefined && { status }),
    requests: own.filter(({ type }) => type === 'request').length,
    kind: failure?.kind ?? 'good',
    ...(failure && {
      code: failure.code,
      message: failure.message,
      next: failure.next,
      ...(failure.status !== undefined && { rule: failure.rule?.replace(/^call\./, `streams.${name}.`) ?? 'built-in' }),
    }),
    between: own.flatMap((event): Sent['between'] => {
      if (event.type === 'renew') return [{ type: 'renew' }];
      return event.type === 'retry' || event.type === 'wait' ? [{ type: event.type, wait: event.wait, reason: event.reason }] : [];
    }),
  };
}

async function sending({ http, read }: Connection, request: ExplainRequest, io: Io): Promise<void> {
  if ('stream' in request) {
    for await (const _page of read(request.stream, { limit: 1, signal: io.signal }).pages()) return;
    return;
  }
  const word = (request.method ?? 'GET').toLowerCase() as (typeof METHODS)[number];
  await http[word](request.path, { ...request.options, responseType: 'buffer', signal: io.signal });
}

/** Paths of the resolved spec as places in its file; words for what no file says. */
function lines(found: FoundSpec, { method, choices }: Explanation, io: Io): SpecLine {
  const origins: Origins = new Map();
  resolve(found.spec, { ...anySelection(found.spec, { method, choices }), origins });
  const line = specLines(found, origins, io.cwd);
  return (path) => {
    if (path === 'caller') return 'this request';
    if (path === 'option') return 'an option of the command';
    const place = line(path);
    return place.startsWith('type ') ? `${place} (${line(`auth.${method}.type`)})` : place;
  };
}

/** The same data with `origin` beside each `at`. */
function withOrigins(value: unknown, where: SpecLine): unknown {
  if (Array.isArray(value)) return value.map((item) => withOrigins(item, where));
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withOrigins(item, where)]));
  return 'at' in inner && typeof inner.at === 'string' ? { ...inner, origin: where(inner.at) } : inner;
}
