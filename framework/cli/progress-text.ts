import type { StreamProgress } from '../engine/run-events.ts';
import { seconds } from './read-summary.ts';

/** One line: how much there is of all streams, how fast it comes and, where it can be told, how long it will take. */
export function progressText(all: readonly StreamProgress[], streams: number): string {
  const sum = (of: (one: StreamProgress) => number): number => all.reduce((total, one) => total + of(one), 0);
  const [records, duration] = [sum((one) => one.records), Math.max(1, ...all.map((one) => one.duration))];
  const rate = Math.round((records * 1000) / duration);
  const last = all.at(-1);
  const shown = streams === 1 ? (last?.stream ?? '') : `${streams} streams`;
  return [
    `${shown}: ${records.toLocaleString('en-US')} records`,
    `${rate.toLocaleString('en-US')}/s`,
    seconds(duration),
    ...timeLeft(all, streams),
  ].join(', ');
}

/** From the share of units that are finished, when all of them are known and of each stream at least one is. */
function timeLeft(all: readonly StreamProgress[], streams: number): string[] {
  if (all.length < streams) return [];
  let longest = 0;
  for (const { units, duration } of all) {
    if (units.all === undefined || (units.finished === 0 && units.all > 0)) return [];
    longest = Math.max(longest, units.all === 0 ? 0 : (duration * (units.all - units.finished)) / units.finished);
  }
  return longest < 1000 ? [] : [`about ${seconds(longest)} left`];
}
