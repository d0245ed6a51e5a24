import { logged } from '../../credentials/use.ts';
import { withoutTokens } from '../../credentials/without-tokens.ts';
import { findSpec } from '../catalogue.ts';
import { say } from '../say.ts';
import { storedCredential } from '../store.ts';
import { type Action, named, newName, takes } from './action.ts';

/**
 * The same inputs under another name. Tokens are not copied: two credentials with one refresh token would end each other's
 * grant at a provider that rotates it.
 */
export const run: Action = async (store, args, io) => {
  takes(2, args);
  const name = named(args);
  const wanted = newName(args);
  const credential = await storedCredential(store, name);
  const { spec } = await findSpec(args, io, credential.connector);
  const copy = { ...withoutTokens(credential, spec), name: wanted, created: new Date(io.clock.now()).toISOString() };
  for (const one of [wanted, name]) {
    const use = { action: 'copied', credential: one, connector: credential.connector } as const;
    await logged(store, use, io, async () => (one === wanted ? store.put(copy, { expectVersion: 0 }) : undefined));
  }
  const next =
    copy.state === 'reconnect'
      ? ` It has no grant of its own yet: \`ferrule connect ${credential.connector} --name '${wanted}'\` gets one.`
      : '';
  await say(io.stderr, `"${wanted}" has the inputs of "${name}".${next}\n`);
  return 0;
};
