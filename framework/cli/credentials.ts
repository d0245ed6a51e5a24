import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import type { Run } from './commands.ts';
import type { Action } from './credentials/action.ts';
import { openStore } from './store.ts';

const ACTIONS: Readonly<Record<string, () => Promise<{ run: Action }>>> = {
  list: () => import('./credentials/list.ts'),
  show: () => import('./credentials/show.ts'),
  edit: () => import('./credentials/edit.ts'),
  copy: () => import('./credentials/copy.ts'),
  rename: () => import('./credentials/rename.ts'),
  renew: () => import('./credentials/renew.ts'),
  remove: () => import('./credentials/remove.ts'),
  export: () => import('./credentials/export.ts'),
  import: () => import('./credentials/import.ts'),
  uses: () => import('./credentials/uses.ts'),
  rekey: () => import('./credentials/rekey.ts'),
};

export const run: Run = async (args, io) => {
  const [action = 'list'] = args.positionals;
  const load = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (load === undefined) {
    const meant = suggest(action, Object.keys(ACTIONS));
    throw new FerruleError('usage', `credentials has no action "${action}"`, {
      next: `${meant === undefined ? '' : `Did you mean ${meant}? `}The actions are ${Object.keys(ACTIONS).join(', ')}.`,
    });
  }
  const { run: act } = await load();
  const store = openStore(args, io);
  try {
    return await act(store, args, io);
  } finally {
    await store.close();
  }
};
