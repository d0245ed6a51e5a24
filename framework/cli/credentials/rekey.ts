import type { KeyPlace } from '../../credentials/types.ts';
import { logged } from '../../credentials/use.ts';
import { say } from '../say.ts';
import { type Action, takes } from './action.ts';

/** Everything is sealed with a new key, and the former one forgotten. */
export const run: Action = async (store, args, io) => {
  takes(0, args);
  const to = args.text('to') as KeyPlace | undefined;
  const options = to === undefined ? {} : { to };
  const { sealed, total, resumed } = await logged(store, { action: 'rekeyed', credential: '' }, io, () => store.rekey(options));
  if (resumed) await say(io.stderr, 'A rotation had been cut short: this one went on with its key. For another key, run it again.\n');
  await say(io.stderr, `${sealed} of ${total} credentials are sealed anew. The former key opens nothing any more.\n`);
  if (to !== undefined)
    await say(io.stderr, `The key is in ${to === 'file' ? 'the key file of the store' : "the operating system's keyring"}.\n`);
  if (![undefined, '', 'keyring'].includes(io.env.FERRULE_KEY))
    await say(io.stderr, 'Take all keys but the first out of FERRULE_KEY, everywhere.\n');
  return 0;
};
