import type { SinkStream } from '../../../framework/core/sink.ts';
import type { JsonObject } from '../../../framework/core/value.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { type RecordedRequest, type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { loadFile } from '../../../framework/spec/load.ts';
import { FakeClock } from '../../clock.ts';
import { type MemorySink, memorySink } from '../../sink.ts';

/** A Monday. In -08:00, by which Amazon's days are told, it is the same day. */
export const NOW = '2026-06-15T10:00:00Z';
export const DAY = 86_400_000;

/** One read into a destination: what it brought, and only that. */
export interface Read {
  rows: Record<string, JsonObject[]>;
  counts: Record<string, number>;
}

/** A connector that is connected to its sandbox, by a clock that stands at NOW. */
export interface Provider {
  sandbox: Sandbox;
  clock: FakeClock;
  connection: Connection;
  /** Reads streams (default: all that are offered) on from where the last read was. Fails the test where one fails, or where records do not fit. */
  read(...streams: string[]): Promise<Read>;
  /** What reached a stream since the last read began, as `wire` writes it, sorted. */
  asked(stream: string, headers?: readonly string[]): string[];
}

const open: Provider[] = [];

export async function provider(connector: string, { fields, ...options }: SandboxOptions = {}): Promise<Provider> {
  const { spec } = await loadFile(`connectors/${connector}.yaml`);
  const clock = new FakeClock(Date.parse(NOW));
  // The clock moves on by every wait of every stream that is read at the same time: nothing may end by it.
  const lasting = { tokenLifetime: 10_000_000, jobs: { polls: 1, urlLifetime: 10_000_000 } };
  const sandbox = await startSandbox(spec!, { ...lasting, autoConsent: true, clock, ...options, ...(fields && { fields }) });
  const connection = await connectSpec(spec!, sandbox.inputs, {
    sandbox: { addresses: sandbox.addresses },
    environment: {},
    rateLimits: false,
    clock,
    redirectUri: 'http://localhost:9/callback',
    consent: async ({ authorizeUrl }) => {
      const { origin, pathname, search } = new URL(authorizeUrl);
      const answer = await fetch(`${sandbox.addresses[origin]}${pathname}${search}`, { redirect: 'manual' });
      return answer.headers.get('location')!;
    },
  });
  let sink = memorySink();
  let begun = 0;
  const own: Provider = {
    sandbox,
    clock,
    connection,
    async read(...streams) {
      begun = sandbox.requests.length;
      sink = onFrom(sink);
      const outcomes = await connection.readInto(sink, { ...(streams.length > 0 && { streams }) });
      const bad = outcomes.filter(({ complete, misfits }) => !complete || misfits > 0);
      expect(bad.map(({ stream, misfits, error }) => `${stream}: ${misfits} misfits, ${error?.message ?? 'complete'}`)).toEqual([]);
      const rows = Object.fromEntries(outcomes.map(({ stream }) => [stream, sink.rows[stream] ?? []]));
      for (const { name, primary_key } of sink.opened) {
        const named = new Set(keysOf(rows[name]!, primary_key));
        expect({ stream: name, keys: named.size }).toEqual({ stream: name, keys: rows[name]!.length });
      }
      return { rows, counts: Object.fromEntries(outcomes.map(({ stream, records }) => [stream, records])) };
    },
    asked: (stream, headers = []) =>
      sandbox.requests
        .slice(begun)
        .filter((request) => request.stream === stream)
        .map((request) => arrived(request, headers))
        .sort(),
  };
  open.push(own);
  return own;
}

export async function closeProviders(): Promise<void> {
  for (const { connection, sandbox } of open.splice(0)) {
    await connection.close();
    await sandbox.close();
  }
}

/** The same destination, as the next read finds it, with nothing in it. */
function onFrom(before: MemorySink): MemorySink {
  const after = memorySink();
  after.states = before.states;
  return after;
}

export const keysOf = (rows: readonly JsonObject[], key: SinkStream['primary_key']): string[] =>
  rows.map((row) => JSON.stringify(Object.fromEntries(key.map((column) => [column, row[column] ?? null])))).sort();

/** How a request is written here: its query sorted, its body as JSON with sorted names, GraphQL without needless space. */
export interface Wire {
  query?: [string, string | number][];
  json?: unknown;
  headers?: Record<string, string>;
}

/** `target`: the method and the whole address without a query. */
export function wire(target: string, { query = [], json, headers = {} }: Wire = {}): string {
  const pairs = query.map(([name, value]) => `${name}=${value}`).sort();
  const lines = Object.entries(headers).map(([name, value]) => `\n  ${name}: ${value}`);
  return [target, pairs.length === 0 ? '' : `?${pairs.join('&')}`, json === undefined ? '' : ` ${canonical(json)}`, ...lines].join('');
}

function arrived({ method, origin, path, query, headers, body }: RecordedRequest, names: readonly string[]): string {
  const json: unknown = body === '' ? undefined : JSON.parse(body);
  const shown = Object.fromEntries(names.map((name) => [name, headers[name] ?? 'none']));
  return wire(`${method} ${origin}${path}`, { query, json: masked(json), headers: shown });
}

/** A token of the sandbox's own making. */
export const TOKEN = '<token>';
function masked(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || !('nextToken' in json)) return json;
  return { ...json, nextToken: typeof json.nextToken === 'string' && json.nextToken !== '' ? TOKEN : json.nextToken };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (name, item: unknown) => {
    if (name === 'query' && typeof item === 'string') return item.replace(/\s+/g, ' ').trim();
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
