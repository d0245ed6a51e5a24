import { outage } from './outage.ts';
import { inFiles } from './places.ts';
import { renewalKills } from './renewal.ts';
import { refreshRounds } from './rounds.ts';

const seed = Number(process.env.FERRULE_KILL_SEED ?? Math.floor(Math.random() * 1_000_000));

describe(`kill -9 at each moment of a renewal (FERRULE_KILL_SEED=${seed})`, () => {
  it('loses no token that was received, and sends none twice: 5 kills at each', async () => {
    const results = await renewalKills({ times: 5, seed, place: inFiles });
    expect(results.map(({ moment, killed, lost }) => [moment, killed, lost])).toEqual(
      ['answer_read', 'before_write', 'written', 'before_fsync', 'before_rename', 'before_use'].map((moment) => [moment, 5, []]),
    );
  });
});

describe('eight processes with one credential', () => {
  it('ask for one token a round, and spend none twice', async () => {
    expect(await refreshRounds({ processes: 8, rounds: 25, place: inFiles })).toMatchObject({ issued: 25, reused: 0, failed: [] });
  });

  it('go on when one of them is killed at any instant', async () => {
    const result = await refreshRounds({ processes: 4, rounds: 12, place: inFiles, killing: { share: 0.5, seed } });
    expect(result).toMatchObject({ issued: 12, reused: 0, failed: [] });
    expect(result.killed).toBeGreaterThan(0);
  });

  it('share a failure: one asks, all are told, and what one renews then is all the others need', async () => {
    const { refused, said, after } = await outage(8, inFiles);
    expect([refused, said]).toEqual([1, Array(8).fill('server_failed')]);
    expect(after).toEqual(Array(8).fill({ token: 1 }));
  });

  it('wait for a slow token endpoint: none asks a second time', async () => {
    const result = await refreshRounds({ processes: 8, rounds: 2, place: inFiles, delay: 3000 });
    expect(result).toMatchObject({ issued: 2, reused: 0, failed: [] });
  });
});
