import { logged } from '../../credentials/use.ts';
import { print } from '../io.ts';
import { storedCredential } from '../store.ts';
import { type Action, named, newName, takes } from './action.ts';

export const run: Action = async (store, args, io) => {
  takes(2, args);
  const name = named(args);
  const wanted = newName(args);
  const credential = await storedCredential(store, name);
  const use = { action: 'renamed', connector: credential.connector } as const;

  // Only if the new name is free: nothing is lost when it is not.
  await logged(store, { ...use, credential: wanted }, io, () => store.put({ ...credential, name: wanted }, { expectVersion: 0 }));
  await logged(store, { ...use, credential: name }, io, () => store.remove(name));
  await print(io.stderr, `"${name}" is now "${wanted}".\n`);
  return 0;
};
