import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile, replaceFile } from '../core/atomic-write.ts';
import type { Clock, Random } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { acquireLock } from '../core/lock.ts';
import type { KeyRing } from './sealed.ts';
import { KEY_BYTES, type KeySource, keyFile, keyText, parseKeys, readKeyText } from './store-key.ts';

/** What is used of the package @napi-rs/keyring: macOS Keychain, Windows Credential Manager, Secret Service of Linux desktops. */
export interface KeyringLibrary {
  AsyncEntry: new (
    service: string,
    account: string,
    options?: { linux?: { store?: 'secret-service' } },
  ) => {
    getPassword(): Promise<string | null>;
    setPassword(text: string): Promise<void>;
    deletePassword(): Promise<boolean>;
  };
}

export interface OwnKeysOptions {
  /** The store's folder. */
  home: string;
  /** Where the first key is made. Default: in the key file. */
  wanted: 'keyring' | undefined;
  random: Random;
  clock: Clock;
  /** Gives the library. Default: the package @napi-rs/keyring, loaded when it is first needed. */
  library?: (() => Promise<KeyringLibrary>) | undefined;
}

const SERVICE = 'ferrule';
/** The key file's whole text where the keyring has the key: the store itself says so, and no process can miss a variable. */
const POINTER = 'keyring';
/** A keyring that is locked may ask a person. Milliseconds. */
const LONGEST_WAIT = 120_000;
const LONGEST_MAKE = 10_000;

/**
 * The keys that a store has for itself: in its key file, or in the operating system's keyring, which the key file then names.
 *
 * The entry's account is a hash of the folder's real path, not a number of its own: a copy of the folder has no key, and so cannot change
 * the one that the original needs.
 */
export function ownKeys(options: OwnKeysOptions): KeySource {
  const { home, wanted, random } = options;
  const path = join(home, 'key');
  const file = keyFile(path, random);
  const isPointer = async () => (await readKeyText(path))?.trim() === POINTER;
  const inKeyring = () => entryOf(options);
  const point = Buffer.from(`${POINTER}\n`);

  return {
    where: path,
    async read() {
      const text = await readKeyText(path);
      if (text === undefined) return undefined;
      if (text.trim() !== POINTER) {
        if (wanted === undefined) return parseKeys(text, path);
        throw new FerruleError('store_key_wrong', 'The key is to be in the keyring, but the store has it in its key file.', {
          where: path,
          next: 'Move it there with `ferrule credentials rekey --to keyring`, or unset FERRULE_KEY.',
        });
      }
      const entry = await inKeyring();
      const found = await entry.get();
      if (found !== undefined) return parseKeys(found, entry.where);
      throw new FerruleError('store_key_wrong', "The keyring has no key for this store's folder.", {
        where: entry.where,
        next: 'Restore the keyring, or put the folder back where it was. Without its key nobody can read a store.',
      });
    },
    async make() {
      if (wanted === undefined) return file.make!();
      const entry = await inKeyring();
      // A keyring replaces without asking: of two that begin together one would lose its key.
      const lock = await acquireLock(`${path}.lock`, { ...options, wait: LONGEST_MAKE });
      try {
        if ((await entry.get()) === undefined) await entry.set(keyText([random.bytes(KEY_BYTES)]));
        await createFile(path, point, `${path}.${Buffer.from(random.bytes(8)).toString('hex')}.new`);
      } finally {
        await lock.release();
      }
      return (await this.read())!;
    },
    replace: async (keys) => ((await isPointer()) ? (await inKeyring()).set(keyText(keys)) : file.replace!(keys)),
    async move(to, keys, fresh) {
      if ((await isPointer()) === (to === 'keyring')) return undefined;
      const entry = await inKeyring();
      if (to === 'keyring') {
        // One that was killed between its two steps has left its new key there.
        const left = await entry.get();
        const begun = left === undefined ? undefined : parseKeys(left, entry.where);
        const ring: KeyRing = begun !== undefined && same(begun.slice(1), keys) ? begun : [fresh, ...keys];
        await entry.set(keyText(ring));
        await replaceFile(path, point, `${path}.new`);
        return ring;
      }
      const ring: KeyRing = keys.length > 1 ? keys : [fresh, ...keys];
      await file.replace!(ring);
      await entry.remove();
      return ring;
    },
  };
}

const same = (some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean =>
  some.length === others.length && some.every((key, at) => Buffer.from(key).equals(others[at]!));

interface Entry {
  /** For messages. */
  where: string;
  get(): Promise<string | undefined>;
  set(text: string): Promise<void>;
  remove(): Promise<void>;
}

async function entryOf({ home, library = () => import('@napi-rs/keyring') }: OwnKeysOptions): Promise<Entry> {
  const account = `store-${createHash('sha256')
    .update(await realpath(home))
    .digest('hex')
    .slice(0, 32)}`;
  const where = `keyring: ${SERVICE} ${account}`;
  const { AsyncEntry } = await load(library);
  // Without this word Linux would fall back to the kernel's keyring, which forgets everything at the next start.
  const made = () => new AsyncEntry(SERVICE, account, { linux: { store: 'secret-service' } });
  const reach = async <T>(work: (entry: InstanceType<KeyringLibrary['AsyncEntry']>) => Promise<T>): Promise<T> => {
    try {
      return await inTime(work(made()));
    } catch (error) {
      throw isFerruleError(error) ? error : unreachable(error, where);
    }
  };
  return {
    where,
    get: () => reach(async (entry) => (await entry.getPassword()) ?? undefined),
    set: (text) => reach((entry) => entry.setPassword(text)),
    remove: () => reach(async (entry) => void (await entry.deletePassword())),
  };
}

async function load(library: () => Promise<KeyringLibrary>): Promise<KeyringLibrary> {
  try {
    return await library();
  } catch (error) {
    throw new FerruleError('not_supported', 'The keyring needs the package @napi-rs/keyring, which cannot be loaded.', {
      where: 'keyring',
      next: 'Run: npm install @napi-rs/keyring',
      cause: error,
    });
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer in ${LONGEST_WAIT / 1000} s`)), LONGEST_WAIT);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(error: unknown, where: string): FerruleError {
  // The library's own words name the service and what it did, never the key.
  const why = typeof error === 'object' && error !== null && 'message' in error ? String(error.message).slice(0, 200) : 'no reason given';
  return new FerruleError('store_unreadable', `The operating system's keyring cannot be used: ${why}`, {
    where,
    next: 'Unlock it, or run this in a session that has one. Where there is none, keep the key in a file or in FERRULE_KEY.',
  });
}
