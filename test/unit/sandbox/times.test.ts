import { floorTime, nextUnit, readTime, unitOf, writeTime } from '../../../framework/sandbox/times.ts';

const at = (text: string): number => Date.parse(text);
const NEW_YORK = 'America/New_York';
const SAO_PAULO = 'America/Sao_Paulo';

describe('times as a provider writes them', () => {
  // What `TZ=<zone> date -d` says.
  it.each([
    ['2026-07-01T03:30:00Z', 'date', NEW_YORK, '2026-06-30'],
    ['2026-01-01T03:30:00Z', '%Y-%m-%d %H:%M:%S', NEW_YORK, '2025-12-31 22:30:00'],
    ['2026-07-01T03:30:00Z', '%Y-%m-%d %H:%M:%S', 'Asia/Kathmandu', '2026-07-01 09:15:00'],
    ['2026-07-01T03:30:00Z', 'date', '+23:00', '2026-07-02'],
    // These name their zone, or need none.
    ['2026-07-01T03:30:00Z', 'iso', NEW_YORK, '2026-07-01T03:30:00Z'],
    ['2026-07-01T03:30:00Z', 'epoch', NEW_YORK, '1782876600'],
    ['2026-07-01T03:30:00Z', '%d/%m/%Y %H:%M %z', NEW_YORK, '01/07/2026 03:30 +0000'],
  ])('%s as %s in %s', (time, format, zone, text) => {
    expect(writeTime(at(time), { format, zone })).toBe(text);
    if (format !== 'date') expect(readTime(text, { format, zone })).toBe(at(time));
  });

  it('reads a day from its first moment, also where midnight is skipped', () => {
    expect(readTime('2026-03-08', { format: 'date', zone: NEW_YORK })).toBe(at('2026-03-08T05:00:00Z'));
    expect(readTime('2026-03-09', { format: 'date', zone: NEW_YORK })).toBe(at('2026-03-09T04:00:00Z'));
    // On 4 November 2018 clocks went from 0:00 to 1:00.
    expect(readTime('2018-11-04', { format: 'date', zone: SAO_PAULO })).toBe(at('2018-11-04T03:00:00Z'));
    expect(floorTime(at('2018-11-04T12:00:00Z'), { format: 'date', zone: SAO_PAULO })).toBe(at('2018-11-04T03:00:00Z'));
  });

  it('takes the earlier of two hours of one name, and an hour that there is not as the one behind it', () => {
    const written = { format: '%Y-%m-%d %H:%M', zone: NEW_YORK };
    expect(readTime('2026-11-01 01:30', written)).toBe(at('2026-11-01T05:30:00Z'));
    expect(readTime('2026-03-08 02:30', written)).toBe(at('2026-03-08T07:30:00Z'));
  });

  it('refuses what the format does not write', () => {
    const zone = 'UTC';
    expect(readTime('2026-07-01T03:30:00.000Z', { format: 'iso', zone })).toBeUndefined();
    expect(readTime('2026-07-01', { format: 'iso', zone })).toBeUndefined();
    expect(readTime('2026-7-1', { format: '%Y-%m-%d', zone })).toBeUndefined();
    expect(readTime('1782876600.5', { format: 'epoch', zone })).toBeUndefined();
    expect(readTime('2026-02-30', { format: 'date', zone })).toBeUndefined();
    expect([readTime('12', { format: 'integer', zone }), readTime('1e3', { format: 'integer', zone })]).toEqual([12, undefined]);
  });

  it('knows the smallest unit of a format, and where the next begins', () => {
    const formats = ['iso_ms', 'epoch', 'iso', '%Y-%m-%d %H:%M', '%Y%m%d%H', 'date', '%Y-%m', '%Y', 'integer'];
    const day = 86_400_000;
    expect(formats.map(unitOf)).toEqual([1, 1000, 1000, 60_000, 3_600_000, day, 32 * day, 367 * day, 1]);
    const next = (time: string, format: string): string => new Date(nextUnit(at(time), { format, zone: NEW_YORK })).toISOString();
    expect(next('2026-03-08T05:00:00Z', 'date')).toBe('2026-03-09T04:00:00.000Z');
    expect(next('2026-11-01T04:00:00Z', 'date')).toBe('2026-11-02T05:00:00.000Z');
    expect(next('2026-01-31T12:00:00Z', '%Y-%m')).toBe('2026-02-01T05:00:00.000Z');
    expect(next('2026-12-31T12:00:00Z', '%Y')).toBe('2027-01-01T05:00:00.000Z');
  });
});
