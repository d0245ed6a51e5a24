import { inFolder } from './run-places.ts';
import { runKills } from './runs.ts';

const seed = Number(process.env.FERRULE_KILL_SEED ?? Math.floor(Math.random() * 1_000_000));

describe(`a read of all kinds of streams, killed at any instant and run again (FERRULE_KILL_SEED=${seed})`, () => {
  it.each(['duckdb', 'jsonl'] as const)('%s: nothing is lost and nothing doubled after 5 kills', async (type) => {
    const result = await runKills({ place: inFolder(type), times: 5, seed });
    expect(result.wrong).toEqual([]);
    expect(result.killed).toBe(5);
    // Between its creation and the commit that knows it, or between the last commit and its end: two run at a time.
    expect(result.jobsLeft).toBeLessThanOrEqual(10);
  });
});
