import type { ServerResponse } from 'node:http';
import { connectSpec } from '../../framework/engine/connect.ts';
import type { Connection } from '../../framework/engine/connection.ts';
import type { StreamOutcome } from '../../framework/engine/run-events.ts';
import { addresses, specOf } from '../acme.ts';
import { FakeClock } from '../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';
import { type MemorySink, memorySink } from '../sink.ts';

interface Setting {
  server: LocalServer;
  connection: Connection;
  clock: FakeClock;
  sink: MemorySink;
}

const open: Setting[] = [];
afterEach(async () => {
  for (const { connection, server } of open.splice(0)) {
    await connection.close();
    await server.close();
  }
});

/** A provider of these limits and streams. */
async function setting(
  http: string,
  streams: string,
  answer: (request: Received, response: ServerResponse) => Answer = () => ({ json: {} }),
): Promise<Setting> {
  const server = await serve(answer);
  const clock = new FakeClock();
  const spec = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { none: none }
http: { base_url: 'https://api.acme.test/v1'${http} }
check: { get: /me }
${streams}`);
  const connection = await connectSpec(spec, { fields: {} }, { ...addresses(server.origin), clock });
  const made = { server, connection, clock, sink: memorySink() };
  open.push(made);
  return made;
}

/** Sends so many requests one after the other: the waits in seconds before each. */
async function waits({ connection, clock }: Setting, count: number, path = '/things'): Promise<number[]> {
  const result: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    clock.slept = [];
    await connection.http.get(path).text();
    result.push(clock.slept.reduce((sum, ms) => sum + ms, 0) / 1000);
  }
  return result;
}

const none = (count: number): number[] => Array.from({ length: count }, () => 0);

test('B1 ten in any minute: the eleventh waits for the first to be a minute old; the strictest of several holds', async () => {
  const one = await setting(', rate_limit: { requests: 10, per: 1m }', '');
  expect(await waits(one, 11)).toEqual([...none(10), 60]);
  // The longer ago the first ones were, the shorter the wait.
  const later = await setting(', rate_limit: { requests: 10, per: 1m }', '');
  expect(await waits(later, 5)).toEqual(none(5));
  later.clock.advance(20_000);
  expect(await waits(later, 5)).toEqual(none(5));
  later.clock.advance(15_000);
  // 35 seconds after the first five, which go all at once; then 15 after the others, which are as old at 80.
  expect(await waits(later, 7)).toEqual([25, 0, 0, 0, 0, 20, 0]);
  const several = await setting(', rate_limit: [{ requests: 10, per: 1m }, { requests: 4, per: 1s }]', '');
  // Four a second until ten are gone, then until the first four are a minute old: at 60 seconds, of which two are over.
  expect(await waits(several, 12)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 58, 0]);
  // Each request counts as one; what costs more has a limit of its own, beside the one for all.
  const costly = await setting(', rate_limit: [{ requests: 10, per: 1m }, { requests: 1, per: 1m, match: /costly }]', '');
  expect(await waits(costly, 2)).toEqual([0, 0]);
  expect(await waits(costly, 2, '/costly')).toEqual([0, 60]);
});

test('B2 the provider counts fewer left than we do: that holds; more than that is not believed before the time is over', async () => {
  const told = ['2', '20', '20', '20'];
  const limited = await setting(', rate_limit: { requests: 10, per: 1m, remaining: X-Left }', '', () => {
    const left = told.shift();
    return { json: {}, ...(left !== undefined && { headers: { 'X-Left': left } }) };
  });
  // After the first answer two are left, whatever the second and third say.
  expect(await waits(limited, 4)).toEqual([0, 0, 0, 60]);
  // A minute later the limit is the spec's once more: nine besides the one just sent.
  expect(await waits(limited, 10)).toEqual([...none(9), 60]);
  // Nothing is left, and the provider says until when.
  let first = true;
  const reset = await setting(
    ', rate_limit: { requests: 10, per: 1m, remaining: X-Left, reset: { header: X-Reset, as: seconds } }',
    '',
    () => {
      const headers: Record<string, string> = first ? { 'X-Left': '0', 'X-Reset': '90' } : { 'X-Left': '20', 'X-Reset': '60' };
      first = false;
      return { json: {}, headers };
    },
  );
  expect(await waits(reset, 3)).toEqual([0, 90, 0]);
});

test('Y1 a job: done, failed three times, nothing to give, too late, refused for now', async () => {
  const STREAMS = `streams:
  report:
    each: { kind: [a, b] }
    primary_key: [id]
    records: rows
    job:
      create: { post: /reports, body: { kind: '\${each.kind}' }, capture: { id: id } }
      poll: { get: '/reports/\${job.id}', every: 10s, timeout: 1m }
      status: state
      states: { done: [ready], failed: [error], running: [queued], none: [empty] }
      download: { get: '/reports/\${job.id}/rows' }
      cancel: { delete: '/reports/\${job.id}' }`;
  /** Reads it from a provider whose jobs, by their number, have these states in turn, and then are done; refuses some first. */
  const read = async (states: Record<number, string[]>, refusals = 0): Promise<Setting & { outcome: StreamOutcome; lines: string[] }> => {
    let [jobs, refused] = [0, 0];
    const made = await setting('', STREAMS, ({ method, path }) => {
      if (method === 'POST' && refused < refusals) {
        refused += 1;
        return { status: 429, headers: { 'retry-after': '5' }, json: { message: 'too many jobs' } };
      }
      if (method === 'POST') {
        jobs += 1;
        return { json: { id: jobs } };
      }
      const [, , , id, rows] = path.split('/');
      if (rows !== undefined) return { json: { rows: [{ id: `row of ${id}` }] } };
      return { json: { state: states[Number(id)]?.shift() ?? 'ready' } };
    });
    const [outcome] = await made.connection.readInto(made.sink, { streams: ['report'] });
    const lines = made.server.received.map(({ method, path, body }) => `${method} ${path.slice(3)}${body === '' ? '' : ` ${body}`}`);
    return { ...made, outcome: outcome as StreamOutcome, lines };
  };
  const A = 'POST /reports {"kind":"a"}';
  const B = 'POST /reports {"kind":"b"}';
  const good = (id: number): string[] => [`GET /reports/${id}`, `GET /reports/${id}/rows`];

  const running = await read({ 1: ['queued', 'queued'] });
  expect(running.lines).toEqual([A, 'GET /reports/1', 'GET /reports/1', ...good(1), B, ...good(2)]);
  expect(running.clock.slept).toEqual([10_000, 15_000]);
  expect(running.outcome).toMatchObject({ complete: true, records: 2 });
  expect(running.sink.rows.report).toEqual([{ id: 'row of 1' }, { id: 'row of 2' }]);

  const failed = await read({ 1: ['error'], 2: ['error'], 3: ['error'] });
  expect(failed.lines).toEqual([A, 'GET /reports/1', A, 'GET /reports/2', A, 'GET /reports/3', B, ...good(4)]);
  expect(failed.outcome).toMatchObject({ complete: false, records: 1, errors: 1, error: { code: 'job_failed' } });
  const twice = await read({ 1: ['error'], 2: ['error'] });
  expect(twice.outcome).toMatchObject({ complete: true, records: 2 });

  const empty = await read({ 1: ['empty'] });
  expect(empty.lines).toEqual([A, 'GET /reports/1', B, ...good(2)]);
  expect(empty.outcome).toMatchObject({ complete: true, records: 1, errors: 0 });

  // Polled at 0, 10, 25, 47.5 seconds; the next poll would be at 81 or so, behind the minute.
  const late = await read({ 1: Array.from({ length: 20 }, () => 'queued') });
  expect(late.lines).toEqual([A, ...Array.from({ length: 4 }, () => 'GET /reports/1'), 'DELETE /reports/1', B, ...good(2)]);
  expect(late.outcome).toMatchObject({ complete: false, records: 1, error: { code: 'job_timeout' } });

  // One job at a time: the one that was refused keeps its turn, and none is made beside it.
  const refused = await read({}, 2);
  expect(refused.lines).toEqual([A, A, A, ...good(1), B, ...good(2)]);
  expect(refused.clock.slept).toEqual([5000, 5000]);
  expect(refused.outcome).toMatchObject({ complete: true, records: 2, errors: 0 });
});
