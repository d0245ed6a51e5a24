import { isFerruleError } from '../../../framework/core/errors.ts';
import { clientFor, closeAll, json, rejection, serve } from './servers.ts';

afterEach(closeAll);

/** Answers with each status in turn, then 200. */
const failing = (statuses: number[], headers: Record<string, string> = {}) =>
  serve((_, response, count) => {
    const status = statuses[count];
    json(response, status ?? 200, { count }, status === undefined ? {} : headers);
  });
const get = { method: 'GET', url: '/x' } as const;
const post = { method: 'POST', url: '/x', body: { a: 1 } } as const;

describe('what is tried again', () => {
  it.each([408, 425, 429, 500, 502, 503, 504])('%i, with growing waits', async (status) => {
    const server = await failing([status, status, status]);
    const { client, clock } = clientFor(server.origin);
    expect(await client.call(get)).toMatchObject({ status: 200, attempts: 4, body: { count: 3 } });
    expect(clock.waits).toEqual([500, 1000, 2000]); // half of 1 s, 2 s, 4 s: the random number is 0.5
  });

  it.each([400, 402, 404, 409, 410, 422])('%i is not', async (status) => {
    const server = await failing([status]);
    expect(await rejection(clientFor(server.origin).client.call(get))).toMatchObject({ status });
    expect(server.seen).toHaveLength(1);
  });

  it('at most max_retries times, then the last error', async () => {
    const server = await failing(new Array(10).fill(503));
    const { client, clock } = clientFor(server.origin);
    expect(await rejection(client.call(get))).toMatchObject({ code: 'server_failed', kind: 'transient', status: 503 });
    expect([server.seen.length, clock.waits.length]).toEqual([6, 5]);
  });

  it('a POST only when the spec says so or the server asked', async () => {
    const plain = await failing([503]);
    expect(await rejection(clientFor(plain.origin).client.call(post))).toMatchObject({ status: 503 });
    const repeat = await failing([503]);
    expect(await clientFor(repeat.origin, { retry: { repeat: ['POST'] } }).client.call(post)).toMatchObject({ attempts: 2 });
    const limited = await failing([429]);
    expect(await clientFor(limited.origin).client.call(post)).toMatchObject({ attempts: 2 });
    const asked = await failing([503], { 'retry-after': '2' });
    const { client, clock } = clientFor(asked.origin);
    expect(await client.call(post)).toMatchObject({ attempts: 2 });
    expect(clock.waits).toEqual([2000]);
    const ruled = await failing([409]);
    expect(
      await clientFor(ruled.origin, { errors: { rules: [{ status: [409], kind: 'transient', then: 'retry' }] } }).client.call(post),
    ).toMatchObject({ attempts: 2 });
  });

  it('a cut connection: a GET is sent again, a POST is not', async () => {
    const server = await serve((_, response, count) => (count % 2 === 0 ? response.destroy() : json(response, 200, {})));
    const { client } = clientFor(server.origin);
    expect(await client.call(get)).toMatchObject({ attempts: 2 });
    expect(await rejection(client.call(post))).toMatchObject({ code: 'connection_failed', message: expect.stringContaining('ECONNRESET') });
  });

  it('linear and constant, and a call’s own policy', async () => {
    const server = await failing([500, 500, 500, 200, 500, 500]);
    const { client, clock } = clientFor(server.origin, { retry: { backoff: 'linear' } });
    await client.call(get);
    await client.call(get, { retry: { backoff: 'constant' } });
    expect(clock.waits).toEqual([1000, 2000, 3000, 1000, 1000]);
  });
});

describe('how long the server asks to wait', () => {
  it('Retry-After as a date, by the client’s clock', async () => {
    const server = await failing([429], { 'retry-after': 'Fri, 02 Jan 2026 03:04:47 GMT' }); // the clock stands at 03:04:05
    const { client, clock } = clientFor(server.origin);
    await client.call(get);
    expect(clock.waits).toEqual([42_000]);
  });

  it('a reset header of the spec', async () => {
    const server = await failing([429], { 'X-Reset': '2026-01-02T03:04:15Z' });
    const { client, clock } = clientFor(server.origin, { limits: [{ requests: 100, per: 1000, reset: { header: 'x-reset', as: 'iso' } }] });
    await client.call(get);
    expect(clock.waits).toEqual([10_000]);
  });

  it('longer than the longest wait: it fails at once and says how long', async () => {
    const server = await failing([429], { 'retry-after': '3600' });
    const { client, clock } = clientFor(server.origin);
    const error = await rejection(client.call(get));
    expect(error).toMatchObject({ code: 'rate_limited', kind: 'rate_limit', retryAfter: 3_600_000, next: 'Try again in 3600 s.' });
    expect([server.seen.length, clock.waits.length]).toEqual([1, 0]);
    // The other callers of the credential know it too, without asking.
    expect(await rejection(client.call(get))).toMatchObject({ code: 'rate_limited', retryAfter: 3_600_000 });
    expect(server.seen).toHaveLength(1);
  });

  it('longer than what is left of the total', async () => {
    const server = await failing([503], { 'retry-after': '60' });
    const { client } = clientFor(server.origin);
    expect(await rejection(client.call(get, { timeout: 30_000 }))).toMatchObject({ status: 503, retryAfter: 60_000 });
    expect(server.seen).toHaveLength(1);
  });
});

describe('the four options of a connection', () => {
  it('RetryMode None', async () => {
    const server = await failing([503]);
    expect(await rejection(clientFor(server.origin, { retry: { mode: 'None' } }).client.call(get))).toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });

  it('RetryWhenStatusCodeMatch with RetryStatusCodeList narrows, also for cut connections', async () => {
    const server = await serve((_, response, count) =>
      [() => json(response, 429, {}), () => json(response, 503, {}), () => response.destroy()][count]?.(),
    );
    const { client } = clientFor(server.origin, { retry: { mode: 'RetryWhenStatusCodeMatch', statuses: [429] } });
    expect(await rejection(client.call(get))).toMatchObject({ status: 503 });
    expect(await rejection(client.call(get))).toMatchObject({ code: 'connection_failed' });
    expect(server.seen).toHaveLength(3);
  });

  it('a status in the list that is no passing fault stays a failure', async () => {
    const server = await failing([404]);
    const error = await rejection(
      clientFor(server.origin, { retry: { mode: 'RetryWhenStatusCodeMatch', statuses: [404] } }).client.call(get),
    );
    expect(isFerruleError(error) && error.status).toBe(404);
  });

  it('RetryCountMax and RetryMultiplyWaitTime', async () => {
    const server = await failing(new Array(9).fill(500));
    const { client, clock } = clientFor(server.origin, { retry: { max_retries: 2, multiplyWaitTime: false } });
    await rejection(client.call(get));
    expect(clock.waits).toEqual([1000, 1000]);
  });
});

it('events tell of retries and of waits for a turn', async () => {
  const server = await failing([503]);
  const { client, events } = clientFor(server.origin, { limits: [{ requests: 1, per: 2000 }] });
  await client.call(get);
  expect(events.map((event) => [event.type, 'wait' in event ? event.wait : undefined])).toEqual([
    ['request', undefined],
    ['response', undefined],
    ['retry', 500],
    ['wait', 1500],
    ['request', undefined],
    ['response', undefined],
  ]);
});
