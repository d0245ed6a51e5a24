import { say } from '../say.ts';
import { storedCredential } from '../store.ts';
import { type Action, connectionOf, named, takes } from './action.ts';

/** A new token now: also while renewals that failed are paused, and when the grant was taken for ended. */
export const run: Action = async (store, args, io) => {
  takes(1, args);
  const name = named(args);
  const { connector } = await storedCredential(store, name);
  await using connection = await connectionOf(name, connector, store, args, io);
  const renewed = await connection.renew({ signal: io.signal });
  if (!renewed) {
    await say(io.stderr, `"${name}" has no token to renew: its method sends what was entered.\n`);
    return 0;
  }
  const ends = Math.min(...Object.entries(connection.credential.expires).flatMap(([key, at]) => (key.endsWith('.renew') ? [] : [at])));
  const until = Number.isFinite(ends) ? `, good until ${new Date(ends).toISOString()}` : '';
  await say(io.stderr, `"${name}" has a new token${until}.\n`);
  return 0;
};
