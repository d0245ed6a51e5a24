import type { Credential, CredentialStore } from '../credentials/types.ts';

/**
 * A store that tells of each change of a credential when it is kept, and waits until it was told: the token source sends nothing with a new token
 * before. So whoever keeps the tokens elsewhere has them first.
 */
export function tellingStore(store: CredentialStore, onChange: (credential: Credential) => Promise<void>): CredentialStore {
  return {
    ...store,
    update: (name, change) =>
      store.update(name, async (current, held) => {
        const changed = await change(current, {
          ...held,
          async keep(credential) {
            const kept = await held.keep(credential);
            await onChange(kept);
            return kept;
          },
        });
        if (changed !== undefined) await onChange(changed);
        return changed;
      }),
  };
}
