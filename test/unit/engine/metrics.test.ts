import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { metricsAreOn } from '../../../framework/engine/metrics.ts';
import { acme, addresses } from '../../acme.ts';
import { canary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type LocalServer, serve } from '../../server.ts';
import { memorySink } from '../../sink.ts';

let server: LocalServer;
let provider: MeterProvider | undefined;

afterEach(async () => {
  await server.close();
  metrics.disable();
  await provider?.shutdown();
  provider = undefined;
});

const STREAMS = `auth: { key: { type: api_key, send: { query: { api_key: '\${fields.api_key}' } } } }
streams:
  items:
    get: /items
    primary_key: [id]
    keep: '\${record.id != 2}'
    columns: { id: integer, size: integer }
  refused: { get: /refused }
`;

/** Reads both streams: three items, one of them left out and one that does not fit, after one 503; and a refusal. */
async function read(): Promise<void> {
  let busy = 1;
  server = await serve(({ path }) => {
    if (path === '/v1/refused') return { status: 403, json: {} };
    if (busy-- > 0) return { status: 503, json: {} };
    return { json: [{ id: 1, size: 5 }, { id: 2 }, { id: 3, size: 'large' }] };
  });
  const options = { ...addresses(server.origin), clock: new FakeClock() };
  await using connection = await connectSpec(acme(STREAMS), { fields: { api_key: canary('metrics') } }, options);
  await connection.readInto(memorySink(), { concurrency: 1 });
  await connection.http.get('/items', { searchParams: { page: 'secret page' } });
}

describe('metrics', () => {
  it('are counted by the provider that the program has registered, without a URL or a value', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] });
    metrics.setGlobalMeterProvider(provider);
    await read();
    await provider.forceFlush();
    const [{ scopeMetrics } = { scopeMetrics: [] }] = exporter.getMetrics();
    expect(scopeMetrics.map(({ scope }) => scope.name)).toEqual(['ferrule']);
    const all = new Map(scopeMetrics[0]!.metrics.map((metric) => [metric.descriptor.name, metric]));
    const points = (name: string): [unknown, unknown][] =>
      (all.get(name) as MetricData).dataPoints.map(({ attributes, value }) => [
        attributes,
        typeof value === 'number' ? value : (value as { count: number }).count,
      ]);
    const items = { 'ferrule.connector': 'acme', 'ferrule.stream': 'items' };
    const refused = { ...items, 'ferrule.stream': 'refused' };
    const get = { 'http.request.method': 'GET' };
    const requests = [
      [{ ...items, ...get, 'http.response.status_code': 503, 'error.type': '503' }, 1],
      [{ ...items, ...get, 'http.response.status_code': 200 }, 1],
      [{ ...refused, ...get, 'http.response.status_code': 403, 'error.type': '403' }, 1],
      // A request of the person's own.
      [{ 'ferrule.connector': 'acme', ...get, 'http.response.status_code': 200 }, 1],
    ];
    expect(points('ferrule.requests')).toHaveLength(4);
    expect(points('ferrule.requests')).toEqual(expect.arrayContaining(requests));
    expect(points('ferrule.request.duration')).toEqual(expect.arrayContaining(requests));
    expect(points('ferrule.retries')).toEqual([[items, 1]]);
    expect(points('ferrule.records')).toEqual(expect.arrayContaining([[items, 2]]));
    expect(points('ferrule.skipped')).toEqual([[items, 1]]);
    expect(points('ferrule.misfits')).toEqual([[items, 1]]);
    expect(points('ferrule.commit.duration')).toEqual(expect.arrayContaining([[items, 1]]));
    // Both have begun and ended.
    expect(points('ferrule.streams.active')).toEqual(expect.arrayContaining([[items, 0]]));
    expect([...all.values()].map(({ descriptor }) => `${descriptor.name} ${descriptor.unit}`).sort()).toEqual([
      'ferrule.commit.duration s',
      'ferrule.misfits {misfit}',
      'ferrule.records {record}',
      'ferrule.request.duration s',
      'ferrule.requests {request}',
      'ferrule.retries {retry}',
      'ferrule.skipped {record}',
      'ferrule.streams.active {stream}',
    ]);
    const told = JSON.stringify(scopeMetrics);
    expect(told).not.toContain('CANARY');
    expect(told).not.toContain('acme.test');
    expect(told).not.toContain('secret page');
  });

  it('are off where none is registered', async () => {
    expect(metricsAreOn()).toBe(false);
    await read();
    expect(server.received).toHaveLength(4);
  });
});
