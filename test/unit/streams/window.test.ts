import type { ResolvedCursor } from '../../../framework/core/resolved.ts';
import { wallClockTime, zoneOffset } from '../../../framework/core/zone.ts';
import { resolve } from '../../../framework/spec/resolve.ts';
import { cursorPoints } from '../../../framework/streams/cursor.ts';
import { gaps, joined, pieces } from '../../../framework/streams/ranges.ts';
import { windowVariables } from '../../../framework/streams/read-unit.ts';
import { type WindowInput, windowsOf } from '../../../framework/streams/window.ts';
import { acme } from '../../acme.ts';

/** A cursor as a spec writes it, with all that is left out filled in. */
function cursorOf(text: string): ResolvedCursor {
  const spec = acme(`auth: { n: none }\nstreams: { s: { get: /s, primary_key: [id], cursor: { field: at, ${text} } } }`);
  return resolve(spec, { method: 'n', choices: {} }).streams.s?.cursor as ResolvedCursor;
}

const NONE: [from: number, to: number][] = [];

/** The windows as points. */
function windows(text: string, { done = NONE, ...input }: Partial<WindowInput>): [number | undefined, number | undefined][] {
  const cursor = cursorOf(text);
  const points = cursorPoints(cursor, 's');
  return windowsOf({ cursor, points, done, start: undefined, now: 0, ...input }).map(({ start, end }) => [start, end]);
}

/** The windows as a request has them. */
function asked(text: string, { done = NONE, ...input }: Partial<WindowInput>): string[] {
  const cursor = cursorOf(text);
  const points = cursorPoints(cursor, 's');
  const written = (at: number | undefined): string | null => (at === undefined ? null : points.text(at));
  return windowsOf({ cursor, points, done, start: undefined, now: 0, ...input }).map(({ start, end }) => {
    const window = { start: written(start), end: written(end) };
    const vars = windowVariables({ window }, points, { cursor } as Parameters<typeof windowVariables>[2]);
    return `${vars.start ?? ''} ${vars.end ?? ''}`;
  });
}

const at = (text: string): number => Date.parse(text);
const SECOND = 1000;

describe('ranges', () => {
  it('that touch or overlap are one; what is left between them; pieces', () => {
    const out = [
      [30, 40],
      [0, 10],
      [10, 20],
      [15, 18],
      [50, 50],
    ] as const;
    expect(joined(out)).toEqual([
      [0, 20],
      [30, 40],
    ]);
    expect(gaps([-5, 60], out)).toEqual([
      [-5, 0],
      [20, 30],
      [40, 60],
    ]);
    expect(gaps([5, 35], out)).toEqual([[20, 30]]);
    expect(gaps([12, 18], out)).toEqual([]);
    expect(pieces([0, 25], 10)).toEqual([
      [0, 10],
      [10, 20],
      [20, 25],
    ]);
    expect(pieces([Number.NEGATIVE_INFINITY, 25], 10)).toEqual([[Number.NEGATIVE_INFINITY, 25]]);
    expect(pieces([7, 7], 10)).toEqual([]);
  });
});

/** Cases of another implementation's own tests; its seconds are epoch seconds here. */
describe('the windows of a read', () => {
  const range = (...pairs: [number, number][]): [number, number][] => pairs.map(([from, to]) => [from * SECOND, to * SECOND]);

  it('from the start, or from what is done, until now (C1)', () => {
    const cursor = 'format: epoch, window: { end: exclusive }';
    expect(windows(cursor, { start: 10 * SECOND, now: 50 * SECOND })).toEqual(range([10, 50]));
    expect(windows(cursor, { start: 0, done: range([0, 20]), now: 50 * SECOND })).toEqual(range([20, 50]));
  });

  it('in pieces; where the end is included the next begins a step later (C2)', () => {
    const cursor = (end: string) => `format: epoch, window: { max: 10s, end: ${end} }`;
    const state = { start: 0, done: range([0, 20]), now: 50 * SECOND };
    expect(windows(cursor('exclusive'), state)).toEqual(range([20, 30], [30, 40], [40, 50]));
    // There the last one is 40 to 50, eleven seconds; ours keeps to `max`, so that the second that has just begun is one of its own.
    expect(asked(cursor('inclusive'), state)).toEqual(['20 29', '30 39', '40 49', '50 50']);
  });

  it('fill a gap, and read the look-back in one piece with what is new (C3)', () => {
    const state = { start: 0, done: range([0, 20], [30, 40]), now: 50 * SECOND };
    expect(windows('format: epoch, window: { end: exclusive }, lookback: 10s', state)).toEqual(range([20, 30], [30, 50]));
    // Late data: a look-back that reaches over the gap takes it along.
    expect(windows('format: epoch, window: { end: exclusive }, lookback: 15s', state)).toEqual(range([20, 25], [25, 50]));
    expect(windows('format: epoch, window: { end: exclusive }, lookback: 100s', state)).toEqual(range([0, 50]));
  });

  it.each<[string, string, Partial<WindowInput>, string[]]>([
    [
      'no start: without a beginning, uncut',
      'format: date, window: { max: 1d, end: inclusive }',
      { now: at('2026-01-03T05:00Z') },
      [' 2026-01-03'],
    ],
    [
      'nothing older than the provider keeps',
      'format: date, window: { max: 2d, end: inclusive }, oldest: 3d',
      { start: at('2020-01-01'), now: at('2026-01-05T05:00Z') },
      ['2026-01-02 2026-01-03', '2026-01-04 2026-01-05'],
    ],
    [
      'a state older than that',
      'format: date, window: { end: exclusive }, oldest: 2d',
      { start: at('2025-12-01'), done: [[at('2025-12-01'), at('2025-12-20')]], now: at('2026-01-05T05:00Z') },
      ['2026-01-03 2026-01-05'],
    ],
    [
      'today once more, while it is not over',
      'format: date, window: { end: inclusive }',
      { start: at('2026-01-01'), done: [[at('2026-01-01'), at('2026-01-05T05:00Z')]], now: at('2026-01-05T09:00Z') },
      ['2026-01-05 2026-01-05'],
    ],
    [
      'a step of its own: hours, each end included',
      'format: "%Y-%m-%dT%H", window: { max: 12h, end: inclusive }',
      { start: at('2026-01-01T00:00Z'), now: at('2026-01-01T13:30Z') },
      ['2026-01-01T00 2026-01-01T11', '2026-01-01T12 2026-01-01T13'],
    ],
    [
      'a step that the author names',
      'format: iso, window: { max: 1d, end: inclusive, step: 1m }',
      { start: at('2026-01-01T00:00:30Z'), now: at('2026-01-01T00:10:45Z') },
      ['2026-01-01T00:00:00Z 2026-01-01T00:10:00Z'],
    ],
    [
      'a longest that is no whole number of days is kept all the same',
      'format: date, window: { max: 36h, end: inclusive }',
      { start: at('2026-01-01'), now: at('2026-01-02T12:00Z') },
      ['2026-01-01 2026-01-01', '2026-01-02 2026-01-02'],
    ],
    [
      'the past range that is asked for, whatever is done',
      'format: date, window: { max: 2d, end: inclusive }, lookback: 9d, start: 900d',
      {
        start: 0,
        done: [[0, at('2026-02-01')]],
        now: at('2026-02-01'),
        range: { since: at('2026-01-02T14:00Z'), until: at('2026-01-05') },
      },
      ['2026-01-02 2026-01-03', '2026-01-04 2026-01-04'],
    ],
    [
      'without a window: from the last point less the look-back, no end',
      'format: iso, lookback: 1h',
      { done: [[0, at('2026-01-02T03:04:05Z')]] },
      ['2026-01-02T02:04:05Z '],
    ],
    ['filtered here: one, from the last point', 'format: iso, filter: client', { start: 0, done: [[0, 5000]] }, ['1970-01-01T00:00:05Z ']],
    ['integers: no now to end at', 'format: integer, window: { max: 100, end: inclusive }, lookback: 5', { done: [[1, 40]] }, ['35 ']],
    [
      'integers in a range',
      'format: integer, window: { max: 100, end: inclusive }',
      { range: { since: 1, until: 251 } },
      ['1 100', '101 200', '201 250'],
    ],
  ])('%s', (_, cursor, input, expected) => {
    expect(asked(cursor, input)).toEqual(expected);
  });
});

describe('points of a cursor', () => {
  it.each<[string, string, string | number, string, string]>([
    // C5: whole seconds, milliseconds, fractions, and times that name no zone.
    ['seconds', 'format: epoch', 1646006400, '2022-02-28T00:00:00.000Z', '1646006400'],
    ['seconds as text', 'format: epoch', '1646006400', '2022-02-28T00:00:00.000Z', '1646006400'],
    ['seconds by strftime', 'format: "%s"', '1646006400', '2022-02-28T00:00:00.000Z', '1646006400'],
    ['milliseconds', 'format: epoch_ms', 1646006400123, '2022-02-28T00:00:00.123Z', '1646006400123'],
    ['seconds with a fraction', 'format: epoch', 1646006400.5, '2022-02-28T00:00:00.500Z', '1646006400'],
    [
      'milliseconds by strftime',
      'format: "%Y-%m-%dT%H:%M:%S.%L"',
      '2022-02-28T01:02:03.004',
      '2022-02-28T01:02:03.004Z',
      '2022-02-28T01:02:03.004',
    ],
    ['no zone: UTC', 'format: "%Y-%m-%d %H:%M:%S"', '2022-02-28 01:02:03', '2022-02-28T01:02:03.000Z', '2022-02-28 01:02:03'],
    ['RFC 3339 with an offset', 'format: iso', '2022-02-28T01:02:03.456+05:30', '2022-02-27T19:32:03.456Z', '2022-02-27T19:32:03Z'],
    ['RFC 3339 where the request has a date', 'format: date', '2022-02-28T23:30:00-05:00', '2022-03-01T04:30:00.000Z', '2022-03-01'],
    [
      'another format in the record',
      'format: iso_ms, record_format: "%d/%m/%Y"',
      '28/02/2022',
      '2022-02-28T00:00:00.000Z',
      '2022-02-28T00:00:00.000Z',
    ],
    [
      'a zone by offset',
      'format: "%Y-%m-%d %H:%M:%S", time_zone: "+05:30"',
      '2022-02-28 01:02:03',
      '2022-02-27T19:32:03.000Z',
      '2022-02-28 01:02:03',
    ],
    [
      'a zone by name',
      'format: "%d.%m.%Y %H:%M", time_zone: Europe/Berlin',
      '01.07.2026 12:00',
      '2026-07-01T10:00:00.000Z',
      '01.07.2026 12:00',
    ],
    [
      'a zone, and a time that names its own',
      'format: iso, time_zone: Europe/Berlin',
      '2026-07-01T12:00:00Z',
      '2026-07-01T12:00:00.000Z',
      '2026-07-01T12:00:00Z',
    ],
    [
      'a zone, and RFC 3339 without one',
      'format: iso, time_zone: Europe/Berlin',
      '2026-07-01T12:00:00',
      '2026-07-01T10:00:00.000Z',
      '2026-07-01T10:00:00Z',
    ],
    ['a day of a zone', 'format: date, time_zone: America/Los_Angeles', '2026-07-01', '2026-07-01T07:00:00.000Z', '2026-07-01'],
  ])('%s', (_, text, value, moment, written) => {
    const points = cursorPoints(cursorOf(text), 's');
    const point = points.of({ at: value });
    expect([points.text(point), points.write(point)]).toEqual([moment, written]);
    expect(points.parse(moment)).toBe(point);
  });

  it('integers, as microseconds since the epoch may be; large ones exactly, none beyond 2^53', () => {
    const points = cursorPoints(cursorOf('format: integer'), 's');
    expect(points.of({ at: '1646006400123456' })).toBe(1646006400123456);
    expect(points.write(1646006400123456)).toBe('1646006400123456');
    expect(points.of({ at: -3 })).toBe(-3);
    expect(points.isTime).toBe(false);
    for (const value of ['9007199254740993', 1.5, '12a', true, ''])
      expect(() => points.of({ at: value })).toThrow(/not in the format integer/);
  });

  it.each<[string, string, unknown, RegExp]>([
    ['missing', 'format: iso', undefined, /^s: the cursor at of a record is missing$/],
    ['null', 'format: iso', null, /is null$/],
    ['a list', 'format: iso', [], /\(a object\) is not in the format iso$/],
    ['what is no date', 'format: date', '31-12-2026 noon', /\(a string\) is not in the format date$/],
    ['RFC 3339 where the record format says otherwise', 'format: iso, record_format: epoch', '2026-01-01T00:00:00Z', /format epoch$/],
    ['30 February', 'format: date', '2026-02-30', /format date$/],
  ])('%s is none, and its value is not told', (_, text, value, message) => {
    const points = cursorPoints(cursorOf(text), 's');
    expect(() => points.of(value === undefined ? {} : { at: value as string })).toThrow(message);
  });
});

/** New York: on 8 March 2026 02:00 becomes 03:00 (07:00 UTC), on 1 November 02:00 becomes 01:00 (06:00 UTC). By the zone's rules, by hand. */
describe('days of 23 and of 25 hours', () => {
  const zone = 'America/New_York';

  it.each<[string, string]>([
    ['2026-03-08T00:00', '2026-03-08T05:00Z'],
    ['2026-03-08T01:59', '2026-03-08T06:59Z'],
    ['2026-03-08T03:00', '2026-03-08T07:00Z'],
    ['2026-03-08T04:00', '2026-03-08T08:00Z'],
    ['2026-03-09T00:00', '2026-03-09T04:00Z'],
    // Skipped: half an hour into the gap, so half an hour behind it.
    ['2026-03-08T02:30', '2026-03-08T07:30Z'],
    ['2026-11-01T00:30', '2026-11-01T04:30Z'],
    // Shown twice: the earlier.
    ['2026-11-01T01:30', '2026-11-01T05:30Z'],
    ['2026-11-01T02:00', '2026-11-01T07:00Z'],
    ['2026-11-02T00:00', '2026-11-02T05:00Z'],
  ])('a clock in New York shows %s at %s', (local, utc) => {
    expect(wallClockTime(zone, at(`${local}Z`))).toBe(at(utc));
  });

  it('says how far a zone is ahead at each moment', () => {
    expect([zoneOffset(zone, at('2026-03-08T06:59:59Z')), zoneOffset(zone, at('2026-03-08T07:00:00Z'))]).toEqual([-300, -240]);
    expect([zoneOffset('Asia/Kathmandu', 0), zoneOffset('+05:30', 0), zoneOffset('-0330', 0), zoneOffset('UTC', 0)]).toEqual([
      330, 330, -210, 0,
    ]);
  });

  it('a record of the morning after the change is at its own hour', () => {
    const points = cursorPoints(cursorOf(`format: "%Y-%m-%d %H:%M:%S", time_zone: ${zone}`), 's');
    expect(points.text(points.of({ at: '2026-03-08 04:00:00' }))).toBe('2026-03-08T08:00:00.000Z');
    expect(points.text(points.of({ at: '2026-11-01 04:00:00' }))).toBe('2026-11-01T09:00:00.000Z');
    expect(points.write(at('2026-11-01T09:00:00Z'))).toBe('2026-11-01 04:00:00');
  });

  it.each<[string, string, string, string[]]>([
    [
      '23 hours, days',
      '2026-03-07',
      '2026-03-10T15:00Z',
      ['2026-03-07 2026-03-07', '2026-03-08 2026-03-08', '2026-03-09 2026-03-09', '2026-03-10 2026-03-10'],
    ],
    ['25 hours, days', '2026-10-31', '2026-11-02T15:00Z', ['2026-10-31 2026-10-31', '2026-11-01 2026-11-01', '2026-11-02 2026-11-02']],
    // Noon of the day itself: its own beginning lies before the change.
    ['23 hours, the day itself', '2026-03-08', '2026-03-08T16:00Z', ['2026-03-08 2026-03-08']],
    ['25 hours, the day itself', '2026-11-01', '2026-11-01T17:00Z', ['2026-11-01 2026-11-01']],
  ])('%s: every day once, none left out', (_, start, now, expected) => {
    const begin = wallClockTime(zone, at(start));
    expect(asked(`format: date, time_zone: ${zone}, window: { max: 1d, end: inclusive }`, { start: begin, now: at(now) })).toEqual(
      expected,
    );
  });

  it('over half a year of windows the days stay days', () => {
    const cursor = `format: date, time_zone: ${zone}, window: { max: 30d, end: exclusive }`;
    const input = { start: at('2025-09-05T04:00Z'), now: at('2026-04-10T12:00Z') };
    // 30 days each, counted on a calendar.
    const days = [
      '2025-09-05',
      '2025-10-05',
      '2025-11-04',
      '2025-12-04',
      '2026-01-03',
      '2026-02-02',
      '2026-03-04',
      '2026-04-03',
      '2026-04-10',
    ];
    expect(asked(cursor, input)).toEqual(days.slice(1).map((day, index) => `${days[index]} ${day}`));
  });

  it('the hour that comes twice is in one window, and a window that ends in it ends at the first', () => {
    const cursor = `format: "%Y-%m-%d %H:%M:%S", time_zone: ${zone}, window: { max: 1h, end: exclusive }`;
    const input = { start: at('2026-11-01T04:00Z'), now: at('2026-11-01T08:00Z') };
    expect(asked(cursor, input)).toEqual([
      '2026-11-01 00:00:00 2026-11-01 01:00:00',
      '2026-11-01 01:00:00 2026-11-01 02:00:00',
      '2026-11-01 02:00:00 2026-11-01 03:00:00',
    ]);
    // 06:30 UTC is the second 01:30: asked for until the first, so that nothing between them is taken for done.
    expect(windows(cursor, { ...input, now: at('2026-11-01T06:30Z') }).at(-1)).toEqual([at('2026-11-01T05:00Z'), at('2026-11-01T05:30Z')]);
    // What names its zone has no such hour.
    expect(windows(`format: iso, time_zone: ${zone}, window: { end: exclusive }`, { ...input, now: at('2026-11-01T06:30Z') })).toEqual([
      [at('2026-11-01T04:00Z'), at('2026-11-01T06:30Z')],
    ]);
  });

  it('a look-back of days begins with a whole day', () => {
    const cursor = `format: date, time_zone: ${zone}, window: { end: inclusive }, lookback: 2d`;
    const done: [number, number][] = [[at('2026-01-01T05:00Z'), at('2026-03-09T13:00Z')]];
    expect(asked(cursor, { start: at('2026-01-01T05:00Z'), done, now: at('2026-03-10T13:00Z') })).toEqual(['2026-03-07 2026-03-10']);
  });
});
