import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, sep } from 'node:path';
import { listenForCallback } from '../auth/callback-server.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { ResolvedMethod } from '../core/resolved.ts';
import type { Sink } from '../core/sink.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { memoryStore } from '../credentials/memory.ts';
import { duckdbMissing, openSink, type SinkAddress } from '../destinations/index.ts';
import { anySelection } from '../docs/describe.ts';
import { type Consent, connectSpec, connectStored } from '../engine/connect.ts';
import type { Connection } from '../engine/connection.ts';
import type { StreamOutcome, StreamProgress } from '../engine/run-events.ts';
import { type Sandbox, startSandbox } from '../sandbox/index.ts';
import { resolve } from '../spec/resolve.ts';
import { loadAll, openCatalogue, pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { Traffic } from './counting.ts';
import { errorText } from './error-text.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { Progress } from './progress.ts';
import { seconds } from './read-summary.ts';
import { say } from './say.ts';
import { styleOf } from './style.ts';
import { paragraph, table, widthOf } from './table.ts';

/** What became of one connector. `duration` in milliseconds. */
interface DemoRow {
  connector: string;
  method: string;
  /** How the token was got. */
  flow: string;
  /** False for further methods of a connector: they are connected and checked, and its streams read once only. */
  read: boolean;
  streams: number;
  records: number;
  expected: number;
  requests: number;
  duration: number;
  /** Streams whose count is not the sandbox's. */
  wrong: { stream: string; records: number; expected: number; error?: string }[];
}

export const run: Run = async (args, io) => {
  const out = pathOf(io, args.text('out') ?? join('out', 'demo'));
  const records = args.count('records', 1) ?? 250;
  const specs = await loadAll(openCatalogue(args, io));
  const began = io.clock.now();
  const progress = new Progress(io);
  const kind = await demoSink(io);
  // All at once: what takes time is waiting, as some providers allow few requests a second.
  const done = await Promise.allSettled(
    specs.flatMap((spec) => {
      const reads = showcase(spec);
      const work = { into: addressIn(out, spec.name, kind), records, progress };
      return Object.keys(spec.auth).map((method) => demonstrate(spec, { ...work, method, read: method === reads }, io));
    }),
  );
  progress.clear();
  const rows = done.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const wrong = rows.flatMap((row) => row.wrong.map((one) => ({ connector: row.connector, ...one })));
  if (args.flag('json')) await printJson(io, { ok: wrong.length === 0, folder: out, connectors: rows });
  else await print(io.stdout, summary(rows, io.clock.now() - began, io) + whereText(out, kind, io));
  for (const { connector, stream, records: got, expected, error } of wrong) {
    await print(
      io.stderr,
      `${connector} ${stream}: ${got} records, the sandbox has ${expected}${error === undefined ? '' : ` (${error})`}\n`,
    );
  }
  return wrong.length === 0 ? 0 : 1;
};

/** Streams that are read once for each record of another: enough parents to show it, few enough to stay short. */
const PARENTS = 3;

interface DemoWork {
  method: string;
  read: boolean;
  into: SinkAddress;
  records: number;
  progress: Progress;
}

/** The method that streams are read with: one with consent shows the most, else the first. */
function showcase(spec: SpecDocument): string {
  const names = Object.keys(spec.auth);
  return names.find((name) => resolve(spec, { ...anySelection(spec), method: name }).method.authorize !== undefined) ?? names[0] ?? '';
}

async function demonstrate(spec: SpecDocument, { method: name, read, into, records, progress }: DemoWork, io: Io): Promise<DemoRow> {
  const parents = Math.min(records, PARENTS);
  // Reports are done when they are first asked for: real ones take minutes, which shows nothing.
  const sandbox = await startSandbox(spec, { method: name, records, parents, jobs: { polls: 0 }, clock: io.clock });
  const traffic = new Traffic();
  const began = io.clock.now();
  const { method } = resolve(spec, sandbox.inputs);
  const row: DemoRow = {
    connector: spec.name,
    method: method.name,
    flow: flowOf(method),
    read,
    streams: 0,
    records: 0,
    expected: 0,
    requests: 0,
    duration: 0,
    wrong: [],
  };
  try {
    const connection = await connectInSandbox(spec, sandbox, traffic, io);
    try {
      const offered = connection.streams().filter(({ available }) => read && available);
      const streams = offered.map((stream) => stream.name);
      // As if an hour had gone by: what holds a token has to renew it on the way.
      if (read && method.steps.length > 0) sandbox.expire();
      const sink = streams.length === 0 ? undefined : await openSink(into, { clock: io.clock, random: io.random });
      const outcomes =
        sink &&
        (await readAll(
          connection,
          sink,
          streams,
          (one) => progress.update(() => `${spec.name} ${one.stream}: ${one.records} records`),
          io,
        ));
      io.signal.throwIfAborted();
      const counts = sandbox.expected;
      for (const { stream, records: got, error } of outcomes ?? []) {
        const expected = counts[stream] ?? 0;
        row.streams += 1;
        row.records += got;
        row.expected += expected;
        if (got !== expected || error !== undefined)
          row.wrong.push({ stream, records: got, expected, ...(error && { error: `${error.code}: ${error.message}` }) });
      }
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (io.signal.aborted || !isFerruleError(error)) throw error;
    progress.clear();
    await say(io.stderr, `${spec.name}: ${errorText(error, io)}`);
    row.wrong.push({
      stream: '*',
      records: 0,
      expected: Object.values(sandbox.expected).reduce((sum, count) => sum + count, 0),
      error: error.code,
    });
  } finally {
    await sandbox.close();
  }
  return { ...row, requests: traffic.requests, duration: io.clock.now() - began };
}

/** A demo begins anew each time. */
async function readAll(
  connection: Connection,
  sink: Sink,
  streams: readonly string[],
  onProgress: (one: StreamProgress) => void,
  io: Io,
): Promise<StreamOutcome[]> {
  try {
    return await connection.readInto(sink, { streams, mode: 'overwrite', fromStart: true, signal: io.signal, onProgress });
  } finally {
    await sink.close();
  }
}

/** As a person connects, but for the browser: consent, check, choice of what is asked for after sign-in. */
async function connectInSandbox(spec: SpecDocument, sandbox: Sandbox, traffic: Traffic, io: Io): Promise<Connection> {
  const options = {
    sandbox: { addresses: sandbox.addresses },
    environment: {},
    // The sandbox is ours: nobody's limit has to be kept.
    rateLimits: false,
    clock: io.clock,
    random: io.random,
    signal: io.signal,
    onEvent: traffic.see,
  };
  const redirectUri = `http://127.0.0.1:${await freePort()}/callback`;
  const store = memoryStore({ clock: io.clock });
  const connection = await connectSpec(spec, sandbox.inputs, {
    ...options,
    store,
    name: spec.name,
    redirectUri,
    consent: headlessConsent(sandbox, io),
  });
  try {
    const report = await connection.check({ signal: io.signal });
    const failed = report.steps.find(({ ok }) => !ok);
    if (failed !== undefined)
      throw new FerruleError('unauthorized', `The check failed: ${failed.message}`, {
        next: 'Run `ferrule lint` and look at auth and check.',
      });
    const later = resolve(spec, sandbox.inputs).fields.filter(({ after, required }) => after === 'auth' && required);
    if (later.length === 0) return connection;
    const fields = { ...connection.credential.fields };
    for (const { name } of later) {
      const [first] = await connection.options(name, { signal: io.signal });
      if (first !== undefined) fields[name] = first.value;
    }
    await store.update(spec.name, async (current) => ({ ...current, fields }));
    await connection.close();
    return await connectStored(spec, spec.name, { ...options, store });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** How the method signs in, in a word or two. */
function flowOf({ authorize, refresh, steps, token }: ResolvedMethod): string {
  if (authorize !== undefined) {
    if (refresh === undefined) return 'consent';
    return refresh.some(({ rotates }) => rotates) ? 'consent, rotation' : 'consent, refresh';
  }
  if (token !== undefined && steps.length > 0) return 'client credentials';
  return steps.length > 0 ? 'login call' : 'each request';
}

/** What a person does in the browser: opens the page, presses Accept; the redirect then comes to our own listener. */
function headlessConsent(sandbox: Sandbox, io: Io): Consent {
  return async ({ authorizeUrl, redirectUri }) => {
    const server = await listenForCallback(redirectUri, { timeout: 30_000, signal: io.signal });
    try {
      const url = new URL(authorizeUrl);
      const page = await fetch(`${sandbox.addresses[url.origin] ?? url.origin}${url.pathname}${url.search}`, { signal: io.signal });
      const html = await page.text();
      const id = /name="id" value="([^"]+)"/.exec(html)?.[1];
      const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
      if (id === undefined || action === undefined) {
        throw new FerruleError('consent_denied', `The sandbox shows no page to consent on (HTTP ${page.status})`);
      }
      await fetch(new URL(action, sandbox.origin), {
        method: 'POST',
        body: new URLSearchParams({ id, decision: 'accept' }),
        signal: io.signal,
      });
      return await server.wait();
    } finally {
      await server.close();
    }
  };
}

/** A port that nobody listens on now; the listener itself reports if somebody was faster. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function summary(rows: readonly DemoRow[], duration: number, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const cells = rows.map((row) => [
    row.wrong.length === 0 ? style.green('✓') : style.red('✗'),
    style.bold(row.connector),
    row.method,
    row.flow,
    row.read ? String(row.streams) : '',
    row.records !== row.expected ? style.red(`${row.records} of ${row.expected}`) : row.read ? String(row.records) : 'checked',
    String(row.requests),
    seconds(row.duration),
  ]);
  const total = (key: 'streams' | 'records' | 'requests'): number => rows.reduce((sum, row) => sum + row[key], 0);
  const failed = rows.filter((row) => row.wrong.length > 0).length;
  return [
    table(['', 'Connector', 'Method', 'Sign-in', 'Streams', 'Records', 'Requests', 'Time'], cells, {
      right: [4, 5, 6, 7],
      heading: style.dim,
      ...(width !== undefined && { width }),
    }),
    '\n',
    paragraph(
      `${total('records')} records of ${total('streams')} streams in ${total('requests')} requests and ${seconds(duration)}, ${
        failed === 0 ? 'every count as the sandbox has it.' : `${failed} of ${rows.length} not as they should be.`
      }`,
      io.stdout,
    ),
  ].join('');
}

type DemoSink = 'duckdb' | 'jsonl';

/** A database that can be queried at once, where its driver is installed. */
async function demoSink(io: Io): Promise<DemoSink> {
  const missing = await duckdbMissing();
  if (missing !== undefined) await say(io.stderr, `${missing.message}; the demo writes JSON Lines instead. ${missing.next}`);
  return missing === undefined ? 'duckdb' : 'jsonl';
}

const addressIn = (out: string, name: string, type: DemoSink): SinkAddress => ({
  type,
  target: join(out, type === 'duckdb' ? `${name}.duckdb` : name),
});

function whereText(out: string, kind: DemoSink, io: Io): string {
  const folder = relative(io.cwd, out) || '.';
  return kind === 'duckdb'
    ? `The records are in ${folder}${sep}<connector>.duckdb, a table for each stream\n`
    : `The records are in ${folder}${sep}<connector>${sep}<stream>.jsonl\n`;
}
