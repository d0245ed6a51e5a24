import type { Attributes, Meter } from '@opentelemetry/api';
import { VERSION } from '../core/version.ts';
import { isNotInstalled, peerMissing } from '../destinations/table-failure.ts';
import type { ClientEvent } from '../http/types.ts';
import type { RunEvent } from './run-events.ts';

/** Counts what happens, as it happens. One for each run: it knows which streams of it are under way. */
export interface Metrics {
  seeHttp(event: ClientEvent): void;
  seeRun(event: RunEvent): void;
}

const PACKAGE = '@opentelemetry/api@1.9.1';
/** Where that package keeps what was registered, in all its versions of major 1. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/** Whether this program has registered a MeterProvider. Costs one look. */
export function metricsAreOn(): boolean {
  return (globalThis as { [REGISTERED]?: { metrics?: object } })[REGISTERED]?.metrics !== undefined;
}

/** Bounds of requests in seconds, as the semantic conventions have them for HTTP clients; commits are of the same size. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

function instruments(meter: Meter) {
  const advice = { advice: { explicitBucketBoundaries: SECONDS } };
  return {
    records: meter.createCounter('ferrule.records', { unit: '{record}', description: 'Records that were committed to a destination.' }),
    requests: meter.createCounter('ferrule.requests', { unit: '{request}', description: 'Requests that were sent.' }),
    retries: meter.createCounter('ferrule.retries', { unit: '{retry}', description: 'Requests that were sent again.' }),
    skipped: meter.createCounter('ferrule.skipped', { unit: '{record}', description: 'Records that were left out.' }),
    misfits: meter.createCounter('ferrule.misfits', {
      unit: '{misfit}',
      description: 'Values that do not fit the declared columns.',
    }),
    request: meter.createHistogram('ferrule.request.duration', { unit: 's', description: 'Time of one request.', ...advice }),
    commit: meter.createHistogram('ferrule.commit.duration', { unit: 's', description: 'Time of one commit.', ...advice }),
    active: meter.createUpDownCounter('ferrule.streams.active', { unit: '{stream}', description: 'Streams that are being read.' }),
  };
}

type Instruments = ReturnType<typeof instruments>;

let warned = false;

/**
 * Metrics for one connector, by the MeterProvider that is registered. Attributes: `ferrule.connector`, `ferrule.stream`, and of requests
 * `http.request.method`, `http.response.status_code`, `error.type`. Neither URLs nor values are among them. Undefined, with one warning,
 * where the package is not to be found: metrics are no reason to read nothing.
 */
export async function metricsFor(connector: string, streams: readonly string[]): Promise<Metrics | undefined> {
  try {
    const { metrics } = await import('@opentelemetry/api');
    return counting(instruments(metrics.getMeter('ferrule', VERSION)), connector, new Set(streams));
  } catch (error) {
    if (!isNotInstalled(error)) throw error;
    const { message, next, code } = peerMissing('Counting with OpenTelemetry', [PACKAGE]);
    if (!warned) process.emitWarning(`${message} ${next}`, { code });
    warned = true;
    return undefined;
  }
}

function counting(to: Instruments, connector: string, streams: ReadonlySet<string>): Metrics {
  const active = new Set<string>();
  const about = (stream: string | undefined): Attributes => ({
    'ferrule.connector': connector,
    ...(stream !== undefined && { 'ferrule.stream': stream }),
  });
  // A job's calls are named `<stream> poll`; a token's call belongs to no stream.
  const streamOf = ({ name = '' }: ClientEvent): string | undefined => [name, name.split(' ', 1)[0] ?? ''].find((one) => streams.has(one));
  return {
    seeHttp: (event) => countHttp(to, event, about(streamOf(event))),
    seeRun: (event) => {
      const { stream } = event;
      if (event.type === 'start' && !active.has(stream)) {
        active.add(stream);
        to.active.add(1, about(stream));
      }
      // A stream that could not begin ends too.
      if (event.type === 'end' && active.delete(stream)) to.active.add(-1, about(stream));
      countRun(to, event, about(stream));
    },
  };
}

function countHttp(to: Instruments, event: ClientEvent, about: Attributes): void {
  if (event.type === 'retry') to.retries.add(1, about);
  if (event.type !== 'response' && event.type !== 'failure') return;
  const how = event.type === 'response' ? statusOf(event.status) : { 'error.type': event.code };
  const all = { ...about, 'http.request.method': event.method, ...how };
  to.requests.add(1, all);
  to.request.record(event.duration / 1000, all);
}

/** The conventions want `error.type` for what is an error to a client. */
const statusOf = (status: number): Attributes => ({
  'http.response.status_code': status,
  ...(status >= 400 && { 'error.type': String(status) }),
});

function countRun(to: Instruments, event: RunEvent, about: Attributes): void {
  if (event.type === 'commit') {
    to.records.add(event.records, about);
    to.commit.record(event.duration / 1000, about);
  }
  if (event.type === 'page' && event.skipped > 0) to.skipped.add(event.skipped, about);
  if (event.type !== 'misfit') return;
  to.misfits.add(
    event.misfits.reduce((sum, { records }) => sum + records, 0),
    about,
  );
}
