import { inPostgres, POSTGRES_MOMENTS } from '../kill/places.ts';
import { renewalKills } from '../kill/renewal.ts';
import { refreshRounds } from '../kill/rounds.ts';
import { inSchema } from '../kill/run-places.ts';
import { runKills } from '../kill/runs.ts';
import { type Postgres, postgres } from './postgres-server.ts';

const seed = Number(process.env.FERRULE_KILL_SEED ?? Math.floor(Math.random() * 1_000_000));

let server: Postgres;
beforeAll(async () => {
  server = await postgres();
});
afterAll(() => server.remove());

const place = () => inPostgres(server.url(), (text) => server.sql(text));

it(`kill -9 at each moment of a renewal loses nothing (FERRULE_KILL_SEED=${seed})`, async () => {
  const results = await renewalKills({ times: 5, seed, place: place(), moments: POSTGRES_MOMENTS });
  expect(results).toEqual(POSTGRES_MOMENTS.map((moment) => ({ moment, killed: 5, lost: [] })));
});

it('eight processes ask for one token a round, also when one of them is killed at any instant', async () => {
  expect(await refreshRounds({ processes: 8, rounds: 25, place: place() })).toMatchObject({ issued: 25, reused: 0, failed: [] });
  const killing = { share: 0.5, seed };
  expect(await refreshRounds({ processes: 4, rounds: 12, place: place(), killing })).toMatchObject({ issued: 12, reused: 0, failed: [] });
});

it(`a read of all kinds of streams, killed 5 times at any instant, loses and doubles nothing (FERRULE_KILL_SEED=${seed})`, async () => {
  const result = await runKills({ place: inSchema(server.url, (text) => server.sql(text)), times: 5, seed });
  expect(result.wrong).toEqual([]);
  expect(result.killed).toBe(5);
  expect(result.jobsLeft).toBeLessThanOrEqual(10);
});
