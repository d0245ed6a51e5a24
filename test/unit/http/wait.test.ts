import { askedWait, backoff, parseReset, retryAfter } from '../../../framework/http/wait.ts';
import { fixedRandom } from './servers.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5); // Fri, 02 Jan 2026 03:04:05 GMT

describe('backoff', () => {
  const waits = (kind: 'exponential' | 'linear' | 'constant', extra = {}) =>
    [1, 2, 3, 4, 5].map((retry) => backoff({ backoff: kind, longest: 10_000, ...extra }, retry, fixedRandom(0.5)));
  it('exponential takes a random part of a doubling step', () => expect(waits('exponential')).toEqual([500, 1000, 2000, 4000, 5000]));
  it('linear and constant are exact', () => {
    expect(waits('linear')).toEqual([1000, 2000, 3000, 4000, 5000]);
    expect(waits('constant')).toEqual([1000, 1000, 1000, 1000, 1000]);
  });
  it('RetryMultiplyWaitTime false keeps the first wait', () =>
    expect(waits('exponential', { multiplyWaitTime: false })).toEqual([1000, 1000, 1000, 1000, 1000]));
  it('never exceeds the longest', () => expect(waits('linear', { longest: 2500 })).toEqual([1000, 2000, 2500, 2500, 2500]));
});

describe('Retry-After', () => {
  it.each([
    ['7', 7000],
    ['0', 0],
    ['1.5', 1500],
    ['Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
    ['Friday, 02-Jan-26 03:04:35 GMT', 30_000],
    ['Fri Jan  2 03:04:35 2026', 30_000],
    ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
    ['soon', undefined],
    ['2026-01-02', undefined],
    ['', undefined],
    // RFC 9110, 5.6.7: two digits of a year are at most 50 years ahead.
    ['Saturday, 01-Jan-50 00:00:00 GMT', Date.UTC(2050, 0, 1) - NOW],
    ['Sunday, 01-Jan-78 00:00:00 GMT', 0],
    ['Sun 5', undefined],
    // RFC 9111, 1.2.2: what is longer counts as 2^31 seconds.
    ['9'.repeat(400), 2 ** 31 * 1000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 2 ** 31 * 1000],
  ])('%j', (text, expected) => expect(retryAfter({ 'retry-after': text }, NOW)).toBe(expected));
});

describe('parseReset', () => {
  it.each([
    ['30', 'seconds', NOW + 30_000],
    ['1767323075', 'epoch', 1_767_323_075_000],
    ['1767323075123', 'epoch_ms', 1_767_323_075_123],
    ['2026-01-02T03:04:35Z', 'iso', NOW + 30_000],
    ['2026-01-02 03:04:35 UTC', 'iso', NOW + 30_000],
    ['2026-01-02T03:04:35', 'iso', NOW + 30_000],
    ['2026-01-02T05:04:35+0200', 'iso', NOW + 30_000],
    ['Fri, 02 Jan 2026 03:04:35 GMT', 'http_date', NOW + 30_000],
    ['1m30.5s', 'duration', NOW + 90_500],
    ['250ms', 'duration', NOW + 250],
    ['2h', 'duration', NOW + 7_200_000],
    ['x', 'seconds', undefined],
    ['', 'iso', undefined],
    ['9'.repeat(400), 'seconds', NOW + 2 ** 31 * 1000],
    ['9'.repeat(400), 'epoch_ms', NOW + 2 ** 31 * 1000],
    [`${'9'.repeat(400)}d`, 'duration', NOW + 2 ** 31 * 1000],
  ] as const)('%s as %s', (text, as, expected) => expect(parseReset(text, as, NOW)).toBe(expected));
});

describe('askedWait', () => {
  const minute = { requests: 800, per: 60_000, remaining: 'X-Minute-Left' };
  const ban = { requests: 20, per: 1000, remaining: 'X-Second-Left', reset: { header: 'X-Ban-Reset', as: 'iso' as const } };
  it('prefers Retry-After', () =>
    expect(askedWait({ 'retry-after': '3', 'x-ban-reset': '2026-01-02T03:05:05Z' }, [minute, ban], NOW)).toBe(3000));
  it('takes the reset that the spec names', () =>
    expect(askedWait({ 'x-ban-reset': '2026-01-02T03:05:05Z' }, [minute, ban], NOW)).toBe(60_000));
  it('leaves a limit aside that has some left', () =>
    expect(askedWait({ 'x-second-left': '4', 'x-ban-reset': '2026-01-02T03:05:05Z' }, [minute, ban], NOW)).toBeUndefined());
  it('leaves a reset aside that has passed, and takes a Retry-After of nothing at its word', () => {
    expect(askedWait({ 'x-ban-reset': '2026-01-02T03:04:05Z' }, [minute, ban], NOW)).toBeUndefined();
    expect(askedWait({ 'x-ban-reset': '2026-01-02T03:00:00Z' }, [minute, ban], NOW)).toBeUndefined();
    expect(askedWait({ 'retry-after': '0' }, [minute, ban], NOW)).toBe(0);
  });
  it('is undefined when nothing was said', () => expect(askedWait({}, [minute, ban], NOW)).toBeUndefined());
});
