/** Minutes that a zone is ahead of UTC at one moment. `zone`: an IANA name, `UTC`, or an offset such as +05:30. */
export function zoneOffset(zone: string, at: number): number {
  if (zone === 'UTC') return 0;
  const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (offset) return (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3]));
  const shown = formatterOf(zone).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(shown.find((one) => one.type === type)?.value);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return Math.round((local - at) / 60_000);
}

const DAY = 86_400_000;

/**
 * The moment at which a clock on the wall shows this (`local`: as if it were UTC). Where it shows it twice, the earlier; where it skips it, as
 * far behind the gap as this lies in it.
 */
export function wallClockTime(zone: string, local: number): number {
  if (zone === 'UTC') return local;
  // No zone changes its clock twice within two days.
  const moments = [local - DAY, local + DAY].map((near) => local - zoneOffset(zone, near) * 60_000) as [number, number];
  if (moments[0] === moments[1]) return moments[0];
  const right = moments.filter((at) => at + zoneOffset(zone, at) * 60_000 === local);
  return right.length > 0 ? Math.min(...right) : Math.max(...moments);
}

/** Whether it is a zone at all. */
export function isZone(zone: string): boolean {
  if (zone === 'UTC' || /^[+-]\d{2}:?\d{2}$/.test(zone)) return true;
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false; // Intl says RangeError for a name that it does not know
  }
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let known = formatters.get(zone);
  if (known === undefined) {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    known = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', calendar: 'gregory', era: undefined, ...parts });
    formatters.set(zone, known);
  }
  return known;
}
