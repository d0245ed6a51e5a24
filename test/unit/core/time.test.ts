import { durationText, parseDuration } from '../../../framework/core/duration.ts';
import { formatTime, parseTime, timeFormatProblem, timeText } from '../../../framework/core/time.ts';

// 1994-11-06T08:49:37Z is the example of RFC 9110, section 5.6.7; as epoch seconds 784111777.
const RFC = 784111777000;

describe('durations', () => {
  it.each([
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['500ms', 500],
    ['0s', 0],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(durationText(ms)).toBe(text);
  });

  it.each(['', '5', '5 m', '-5m', '1.5h', '1h30m', 'P1D', '5M', '5x'])('%p is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('writes the largest unit that fits', () => {
    expect(durationText(90_000)).toBe('90s');
    expect(durationText(1234)).toBe('1234ms');
  });
});

describe('formatTime', () => {
  it.each([
    ['iso', '1994-11-06T08:49:37Z'],
    ['iso_ms', '1994-11-06T08:49:37.000Z'],
    ['date', '1994-11-06'],
    ['epoch', '784111777'],
    ['epoch_ms', '784111777000'],
    ['http_date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['%Y-%m-%dT%H:%M:%S%z', '1994-11-06T08:49:37+0000'],
    ['%a, %d %b %Y', 'Sun, 06 Nov 1994'],
    ['%A %B %e %y, %I:%M %p %%', 'Sunday November  6 94, 08:49 AM %'],
    ['%j %F %T %s.%L %f', '310 1994-11-06 08:49:37 784111777.000 000000'],
  ])('%s', (format, text) => {
    expect(formatTime(RFC, format)).toBe(text);
  });

  it('has a fraction in free text only when there is one', () => {
    expect(timeText(RFC)).toBe('1994-11-06T08:49:37Z');
    expect(timeText(new Date(RFC + 5))).toBe('1994-11-06T08:49:37.005Z');
  });
});

describe('parseTime', () => {
  it.each<[string | number, string, number | undefined]>([
    ['1994-11-06T08:49:37Z', 'iso', RFC],
    ['1994-11-06t08:49:37z', 'iso', RFC],
    ['1994-11-06T09:49:37+01:00', 'iso', RFC],
    ['1994-11-06 03:49:37.25-0500', 'iso_ms', RFC + 250],
    ['1994-11-06T08:49:37.123456789Z', 'iso', RFC + 123],
    ['1994-11-06 08:49:37 UTC', 'iso', RFC],
    ['1994-11-06T08:49:37', 'iso', RFC],
    ['1994-11-06', 'iso', RFC - 31_777_000],
    ['1994-11-06', 'date', RFC - 31_777_000],
    ['1994-11-06T00:00:00Z', 'date', undefined],
    ['2024-02-30T00:00:00Z', 'iso', undefined],
    ['2024-01-01T25:00:00Z', 'iso', undefined],
    ['yesterday', 'iso', undefined],
    [784111777, 'epoch', RFC],
    ['784111777.5', 'epoch', RFC + 500],
    ['784111777000', 'epoch_ms', RFC],
    ['12x', 'epoch', undefined],
    [1e300, 'epoch', undefined],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 'http_date', RFC],
    ['06/11/1994 08:49:37 AM', '%d/%m/%Y %I:%M:%S %p', RFC],
    ['12:30 AM 06.11.1994', '%I:%M %p %d.%m.%Y', RFC - 31_777_000 + 1_800_000],
    ['13:30 PM 06.11.1994', '%I:%M %p %d.%m.%Y', undefined],
    ['310/1994', '%j/%Y', RFC - 31_777_000],
    ['1994-11-06T09:49:37+0100', '%Y-%m-%dT%H:%M:%S%z', RFC],
    ['6 november 94', '%d %B %y', RFC - 31_777_000],
    ['1994.11.06', '%Y-%m-%d', undefined],
    ['x', '%Q', undefined],
  ])('%s as %s', (text, format, expected) => {
    expect(parseTime(text, format)).toBe(expected);
  });

  it('reads back all that it writes', () => {
    for (const format of ['iso', 'iso_ms', 'epoch', 'epoch_ms', 'http_date', '%F %T', '%d %b %Y %I.%M.%S %p', '%s']) {
      for (const time of [0, RFC, 1_709_210_096_000, 4_102_444_799_000]) expect(parseTime(formatTime(time, format), format)).toBe(time);
    }
  });
});

describe('timeFormatProblem', () => {
  it('knows names and conversions', () => {
    for (const format of ['iso', 'epoch', '%Y%m%d']) expect(timeFormatProblem(format)).toBeUndefined();
    expect(timeFormatProblem('yyyy-MM-dd')).toContain('no time format');
    expect(timeFormatProblem('%Y-%Q')).toContain('%Q');
    expect(timeFormatProblem('%Y-%')).toContain('no conversion');
  });
});
