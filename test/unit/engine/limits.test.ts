import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import type { StreamOutcome } from '../../../framework/engine/run-events.ts';
import type { ClientEvent } from '../../../framework/http/types.ts';
import { acme, addresses } from '../../acme.ts';
import { fixedRandom } from '../../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';
import { type MemorySink, memorySink } from '../../sink.ts';
import { WaitingClock } from '../../waiting-clock.ts';

/** Many workers of one credential against a server that counts by the same clock. */
let server: LocalServer;
let connection: Connection;
let clock: WaitingClock;
let sink: MemorySink;
/** When each request came, in seconds since the beginning, and what it was. */
let arrived: { at: number; path: string; status: number }[];
let events: ClientEvent[];

const UNITS = 40;
const BEGIN = Date.parse('2026-01-10T00:00:00Z');
const items = (name: string, from = 1, to = UNITS): string =>
  `${name}: { each: { n: [${Array.from({ length: to - from + 1 }, (_, at) => from + at).join(', ')}] }, get: '/${name}/\${each.n}', primary_key: [id] }`;

afterEach(async () => {
  clock.stop();
  await connection.close();
  await server.close();
});

async function open(
  http: string,
  streams: string,
  answer: (at: number, request: Received) => Answer | undefined = () => undefined,
): Promise<void> {
  [arrived, events, sink] = [[], [], memorySink()];
  let [answered, underWay] = [0, 0];
  server = await serve((request) => {
    const at = (clock.now() - BEGIN) / 1000;
    const reply = answer(at, request) ?? { json: [{ id: request.path }] };
    arrived.push({ at, path: request.path, status: reply.status ?? 200 });
    answered += 1;
    return reply;
  });
  clock = new WaitingClock(BEGIN, () => underWay === 0 && answered === server.received.length);
  const spec = acme(`auth: { none: none }\nstreams:\n  ${streams}`);
  const more = acme(`auth: { none: none }\nchoices: { c: { default: o, options: { o: { http: { ${http} } } } } }`).choices?.c?.options.o
    ?.http;
  connection = await connectSpec(
    { ...spec, http: { ...spec.http, ...more } },
    { fields: {} },
    {
      ...addresses(server.origin),
      clock,
      random: fixedRandom(),
      onEvent: (event) => {
        events.push(event);
        if (event.type === 'request') underWay += 1;
        if (event.type === 'response' || event.type === 'failure') underWay -= 1;
      },
    },
  );
}

const run = (streams: string[], concurrency = 8): Promise<StreamOutcome[]> => connection.readInto(sink, { streams, concurrency });

/** Second → how many came in it. */
function perMoment(): [number, number][] {
  const counts = new Map<number, number>();
  for (const { at } of arrived) counts.set(at, (counts.get(at) ?? 0) + 1);
  return [...counts];
}

/** The most that came in any `per` seconds, the end not in it. */
const most = (per: number): number =>
  Math.max(...arrived.map(({ at }) => arrived.filter((one) => one.at > at - per && one.at <= at).length));

const allCame = (stream: string, count = UNITS): void => expect(new Set(sink.rows[stream]?.map(({ id }) => id)).size).toBe(count);

describe('limits of a spec', () => {
  it('hold at once for eight workers: none is ever exceeded, and nothing waits longer than they ask', async () => {
    await open('rate_limit: [{ requests: 5, per: 1s }, { requests: 12, per: 10s }]', items('things'));
    expect(await run(['things'])).toMatchObject([{ complete: true, records: UNITS }]);
    allCame('things');
    expect([most(1), most(10)]).toEqual([5, 12]);
    // By hand: five a second until twelve are gone, then until the first of them are ten seconds old.
    expect(perMoment()).toEqual([
      ...[0, 10, 20].flatMap((begin) => [
        [begin, 5],
        [begin + 1, 5],
        [begin + 2, 2],
      ]),
      [30, 4],
    ]);
  });

  it('for some paths hold up no others', async () => {
    await open('rate_limit: [{ requests: 2, per: 1m, match: /slow/* }]', `${items('slow', 1, 6)}\n  ${items('fast')}`);
    expect(await run(['slow', 'fast'])).toMatchObject([
      { complete: true, records: 6 },
      { complete: true, records: UNITS },
    ]);
    expect(arrived.filter(({ path }) => path.startsWith('/v1/fast')).every(({ at }) => at === 0)).toBe(true);
    expect(arrived.filter(({ path }) => path.startsWith('/v1/slow')).map(({ at }) => at)).toEqual([0, 0, 60, 60, 120, 120]);
  });
});

describe('a server that says 429', () => {
  it('with Retry-After: no worker sends before it, and all records come', async () => {
    let count = 0;
    await open('', items('things'), () => {
      count += 1;
      return count === 12 ? { status: 429, headers: { 'retry-after': '7' }, json: { message: 'slow down' } } : undefined;
    });
    expect(await run(['things'])).toMatchObject([{ complete: true, records: UNITS, errors: 0 }]);
    allCame('things');
    expect(arrived).toHaveLength(UNITS + 1);
    // What was under way when it came was sent before; of the 28 others none.
    const times = perMoment();
    expect(times.map(([at]) => at)).toEqual([0, 7]);
    expect(times[0]?.[1]).toBeLessThanOrEqual(12 + 7);
  });

  it('without it: all wait as long as the one that was refused', async () => {
    let count = 0;
    await open('', items('things'), () => {
      count += 1;
      return count === 12 ? { status: 429, json: { message: 'slow down' } } : undefined;
    });
    expect(await run(['things'])).toMatchObject([{ complete: true, records: UNITS, errors: 0 }]);
    const [retry, ...others] = events.filter((event) => event.type === 'retry');
    expect(others).toEqual([]);
    const { wait } = retry as { wait: number };
    expect(wait).toBeGreaterThan(0);
    const times = perMoment();
    expect(times.map(([at]) => at)).toEqual([0, wait / 1000]);
    expect(times[0]?.[1]).toBeLessThanOrEqual(12 + 7);
  });

  it('by a limit that the spec does not know, in whatever second: all records come, none is given up', async () => {
    const good: number[] = [];
    await open('', items('things'), (at) => {
      if (good.filter((one) => one > at - 1).length >= 3)
        return { status: 429, headers: { 'retry-after': '1' }, json: { message: 'three a second' } };
      good.push(at);
      return undefined;
    });
    expect(await run(['things'])).toMatchObject([{ complete: true, records: UNITS, errors: 0 }]);
    allCame('things');
    // Each second brings what the server allows: none is lost by waiting too long.
    expect(perMoment().map(([at]) => at)).toEqual(Array.from({ length: 14 }, (_, second) => second));
  });

  it('with a limit of the spec besides: both hold', async () => {
    let count = 0;
    await open('rate_limit: [{ requests: 4, per: 1s }]', items('things'), () => {
      count += 1;
      return count === 6 ? { status: 429, headers: { 'retry-after': '5' }, json: {} } : undefined;
    });
    expect(await run(['things'])).toMatchObject([{ complete: true, records: UNITS }]);
    expect(most(1)).toBe(4);
    // The sixth came after one second.
    expect(arrived.filter(({ at }) => at > 1 && at < 6)).toEqual([]);
    allCame('things');
  });
});

describe('several streams', () => {
  it('have their turns alike, under one limit', async () => {
    await open('rate_limit: [{ requests: 3, per: 1s }]', [items('a'), items('b'), items('c')].join('\n  '));
    const outcomes = await run(['a', 'b', 'c'], 3);
    expect(outcomes.map(({ records, complete }) => [records, complete])).toEqual([
      [UNITS, true],
      [UNITS, true],
      [UNITS, true],
    ]);
    // Of any thirty in a row none has much more than its share.
    const names = arrived.map(({ path }) => path[4] as string);
    for (let from = 0; from + 30 <= names.length; from += 1) {
      const part = names.slice(from, from + 30);
      for (const name of ['a', 'b', 'c']) {
        const count = part.filter((one) => one === name).length;
        expect(count).toBeGreaterThanOrEqual(7);
        expect(count).toBeLessThanOrEqual(13);
      }
    }
  });

  it('a short one ends among the first turns of a long one', async () => {
    await open('', `${items('long', 1, 200)}\n  ${items('short', 1, 3)}`);
    expect(await run(['long', 'short'], 2)).toMatchObject([{ records: 200 }, { records: 3 }]);
    const last = arrived.findLastIndex(({ path }) => path.startsWith('/v1/short'));
    expect(last).toBeLessThan(12);
  });
});
