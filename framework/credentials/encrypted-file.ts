import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createFile, replaceFile, syncFolder, systemCode, unlessMissing } from '../core/atomic-write.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { acquireLock, type Lock } from '../core/lock.ts';
import { reached } from '../core/moment.ts';
import { checkSameName, copyCredential, credentialName, credentialUnknown, nextVersion, storeClosed, summarize } from './copy.ts';
import { type KeyringLibrary, ownKeys } from './keyring.ts';
import { checkMove, rekeyFolder } from './rekey.ts';
import { type KeyRing, seal, sealedName, unseal } from './sealed.ts';
import { environmentKeys, givenKeys, type KeySource } from './store-key.ts';
import type { Credential, CredentialStore, Held, NotedAnswer, Rekeyed, RekeyOptions, Use, UsesFilter } from './types.ts';
import { useLog } from './use-log.ts';

type Environment = Record<string, string | undefined>;

export interface EncryptedFileStoreOptions {
  /** Holds `key` and `credentials/`. Default: see `storeFolder`. Made with rights for its owner alone. */
  folder?: string;
  /**
   * 32 bytes; of several the first seals and all of them open. Default: FERRULE_KEY of the environment, else the folder's own: in its key
   * file, or in the operating system's keyring, which the key file then says. The first write makes it, in the keyring for `keyring`
   * (also FERRULE_KEY=keyring).
   */
  key?: Uint8Array | KeyRing | 'keyring';
  /** Gives the keyring. Default: the package @napi-rs/keyring, which has to be installed. */
  keyring?: () => Promise<KeyringLibrary>;
  env?: Environment;
  clock?: Clock;
  random?: Random;
  /** Whether uses are written down. Default: unless the environment has FERRULE_AUDIT=off. */
  audit?: boolean;
  /** How long to wait for a credential that another process holds. Milliseconds, default 660,000: as long as a token request may take. */
  lockWait?: number;
}

/** `FERRULE_HOME`, else `ferrule` under `XDG_CONFIG_HOME`, else `~/.config/ferrule`. */
export function storeFolder(env: Environment = process.env): string {
  return env.FERRULE_HOME || join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'ferrule');
}

const ENDING = '.sealed';
/** Sealed under a name that no credential can have; says which key the store is for, before it has any credential. */
const KEY_CHECK = { file: 'key-check', name: '\0key-check' };

/** A file name that every file system takes, with case told apart: a readable part, then the name's hash. */
function fileName(name: string): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return `${readable}.${createHash('sha256').update(name).digest('hex').slice(0, 32)}${ENDING}`;
}

/** A rotation that ends between two reads makes them disagree; that it does so again and again does not happen. */
const MOST_TRIES = 3;

/** What the holder of a record's lock writes with. */
interface Holding {
  lock: Lock;
  /** As they are under the lock: who seals the store anew waits for it, so they stay good until it ends. */
  keys: KeyRing;
}

/** Where an answer waits that has not been stored yet. */
const notePath = (path: string): string => `${path}.answer`;

/** Credentials in files, one each, sealed with AES-256-GCM, safe against other processes and against being killed. */
export function encryptedFileStore(options: EncryptedFileStoreOptions = {}): CredentialStore {
  return new EncryptedFileStore(options);
}

class EncryptedFileStore implements CredentialStore {
  readonly #home: string;
  readonly #folder: string;
  #source: KeySource;
  /** The same, wherever they are: for moving them to where they are wanted. */
  readonly #ownKeys: () => KeySource;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lockWait: number;
  readonly #log: ReturnType<typeof useLog>;
  /** Proved to be the store's. */
  #keys: KeyRing | undefined;
  #closed = false;

  constructor(options: EncryptedFileStoreOptions) {
    const { folder, key, env = process.env, clock = systemClock, random = systemRandom, lockWait = 660_000 } = options;
    this.#home = folder ?? storeFolder(env);
    this.#folder = join(this.#home, 'credentials');
    const given = key ?? env.FERRULE_KEY;
    const own = (wanted: 'keyring' | undefined) => ownKeys({ home: this.#home, wanted, random, clock, library: options.keyring });
    if (given === undefined || given === 'keyring') this.#source = own(given);
    else this.#source = typeof given === 'string' ? environmentKeys(given) : givenKeys(given instanceof Uint8Array ? [given] : given);
    this.#ownKeys = given === 'keyring' ? () => own(undefined) : () => this.#source;
    this.#clock = clock;
    this.#random = random;
    this.#lockWait = lockWait;
    this.#log = useLog({ folder: this.#home, audit: options.audit, env, clock, random });
  }

  async list() {
    this.#mustBeOpen();
    return this.#io('read', this.#folder, async () => {
      const names = (await readdir(this.#folder).catch(unlessMissing)) ?? [];
      const found: Credential[] = [];
      for (const file of names.filter((name) => name.endsWith(ENDING))) {
        const path = join(this.#folder, file);
        const bytes = await readFile(path).catch(unlessMissing);
        const name = bytes && sealedName(bytes, path);
        // Under its own file name it can be found by its name; under any other it is a copy.
        if (name !== undefined && fileName(name) !== file) throw misplaced(path, name);
        const credential = name === undefined ? undefined : await this.#read(name);
        // Else it was removed since the folder was read.
        if (credential !== undefined) found.push(credential);
      }
      return found.map(summarize).sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  async get(name: string) {
    this.#mustBeOpen();
    return this.#read(credentialName(name));
  }

  async put(credential: Credential, options?: { expectVersion?: number }) {
    this.#mustBeOpen();
    const own = copyCredential(credential);
    const name = credentialName(own.name);
    await this.#locked(name, async (holding) => {
      await this.#write(nextVersion(own, await this.#read(name), this.#clock.now(), options?.expectVersion), holding);
    });
  }

  async remove(name: string) {
    this.#mustBeOpen();
    const key = credentialName(name);
    const path = this.#path(key);
    if (!(await this.#io('read', path, () => stat(path).catch(unlessMissing)))) return false;
    return this.#locked(key, () =>
      this.#io('write', path, async () => {
        try {
          await unlink(path);
        } catch (error) {
          if (systemCode(error) === 'ENOENT') return false;
          throw error;
        }
        await unlink(notePath(path)).catch(unlessMissing);
        await syncFolder(this.#folder);
        return true;
      }),
    );
  }

  async update(name: string, change: (current: Credential, held: Held) => Promise<Credential | undefined>) {
    this.#mustBeOpen();
    const key = credentialName(name);
    // Without this, a name that was never stored would make the folder for its lock.
    if (!(await this.#io('read', this.#path(key), () => stat(this.#path(key)).catch(unlessMissing)))) throw credentialUnknown(name);
    return this.#locked(key, async (holding) => {
      let current = await this.#read(key);
      if (!current) throw credentialUnknown(name);
      const keep = async (changed: Credential) => {
        checkSameName(key, changed);
        const next = nextVersion(changed, current, this.#clock.now());
        await this.#write(next, holding);
        current = next;
        return copyCredential(next);
      };
      const changed = await change(copyCredential(current), { keep, ...this.#notes(key, holding) });
      return changed === undefined ? copyCredential(current) : keep(changed);
    });
  }

  async close() {
    this.#closed = true;
    this.#keys = undefined;
  }

  async rekey(options?: RekeyOptions): Promise<Rekeyed> {
    this.#mustBeOpen();
    if (options?.to !== undefined) this.#source = this.#ownKeys();
    checkMove(this.#source, options);
    const key = await this.#io('read', this.#source.where, () => this.#source.read());
    // A store that has never been written to has no key to change.
    if (key === undefined && options?.to === undefined && (await this.#records()).length === 0) return { sealed: 0, total: 0 };
    await this.#makeFolders();
    await this.#storeKeys();
    const lock = await this.#acquire(join(this.#folder, 'rekey.lock'));
    try {
      return await this.#io('write', this.#folder, async () => {
        const sealed = { folder: this.#folder, ending: ENDING, check: this.#check, source: this.#source, random: this.#random };
        return rekeyFolder({ ...sealed, keys: await this.#storeKeys(true), acquire: (path) => this.#acquire(path) }, options);
      });
    } finally {
      await lock.release();
    }
  }

  async logUse(use: Use): Promise<void> {
    this.#mustBeOpen();
    await this.#log.append(use);
  }

  async uses(filter?: UsesFilter): Promise<Use[]> {
    this.#mustBeOpen();
    return this.#io('read', this.#home, () => this.#log.read(filter));
  }

  get #check(): string {
    return join(this.#folder, KEY_CHECK.file);
  }

  #path(name: string): string {
    return join(this.#folder, fileName(name));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  async #read(name: string): Promise<Credential | undefined> {
    const path = this.#path(name);
    const found = (await this.#unseal(name, path)) as Credential | undefined;
    if (found !== undefined && found.name !== name) throw misplaced(path, found.name);
    return found;
  }

  /** What the file holds; undefined when there is none. */
  async #unseal(name: string, path: string): Promise<unknown> {
    for (let tries = 1; ; tries += 1) {
      const bytes = await this.#io('read', path, () => readFile(path).catch(unlessMissing));
      if (bytes === undefined) return undefined;
      try {
        return unseal(name, bytes, await this.#storeKeys(tries > 1), path);
      } catch (error) {
        // The store may have been sealed anew since its keys, or the file, were read.
        if (!isFerruleError(error) || error.code !== 'store_key_wrong' || tries === MOST_TRIES) throw error;
      }
    }
  }

  async #write(credential: Credential, { lock, keys }: Holding): Promise<void> {
    this.#mustBeOpen();
    reached('before_write');
    const path = this.#path(credential.name);
    const bytes = seal(credential.name, credential, keys[0], this.#random);
    await this.#io('write', path, async () => {
      // The lock is proof enough while it stands; the version, that nobody wrote while it did not.
      const stored = (await lock.isHeld()) ? ((await this.#read(credential.name))?.version ?? 0) : -1;
      if (stored !== credential.version - 1) {
        throw new FerruleError(
          'store_locked',
          `The lock of credential "${credential.name}" was removed while it was held; nothing was written.`,
          {
            where: `${path}.lock`,
            next: 'Try again, and leave lock files alone while Ferrule runs.',
          },
        );
      }
      await replaceFile(path, bytes, `${path}.new`);
    });
  }

  /** Written in one go, without giving way to anything: an answer that was read must not wait for its turn to be safe. */
  #notes(name: string, { keys }: Holding): Pick<Held, 'note' | 'noted'> {
    const path = notePath(this.#path(name));
    const sealedAs = `\0answer ${name}`;
    return {
      note: (answer) => {
        if (answer === undefined) return this.#io('write', path, () => unlink(path).catch(unlessMissing));
        this.#mustBeOpen();
        const bytes = seal(sealedAs, answer, keys[0], this.#random);
        try {
          writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
          renameSync(`${path}.new`, path);
        } catch (error) {
          throw ownFailure(error, 'write', path);
        }
      },
      noted: async () => (await this.#unseal(sealedAs, path)) as NotedAnswer | undefined,
    };
  }

  async #locked<T>(name: string, work: (holding: Holding) => Promise<T>): Promise<T> {
    await this.#makeFolders();
    // Before anything is locked or written: a wrong key must change nothing.
    await this.#storeKeys();
    const path = `${this.#path(name)}.lock`;
    const lock = await this.#acquire(path);
    try {
      return await work({ lock, keys: await this.#storeKeys(true) });
    } finally {
      await this.#io('write', path, () => lock.release());
    }
  }

  #acquire(path: string): Promise<Lock> {
    return this.#io('write', path, () => acquireLock(path, { clock: this.#clock, random: this.#random, wait: this.#lockWait }));
  }

  async #makeFolders(): Promise<void> {
    await this.#io('write', this.#folder, () => mkdir(this.#folder, { recursive: true, mode: 0o700 }));
    if (process.platform === 'win32') return;
    for (const folder of [this.#home, this.#folder]) {
      const { mode } = await this.#io('read', folder, () => stat(folder));
      if ((mode & 0o022) === 0) continue;
      throw new FerruleError('store_unreadable', 'Others may write in the folder of the credential store.', {
        where: folder,
        next: `Run: chmod 700 ${folder}`,
      });
    }
  }

  /** The keys, after they were proved to be the store's. Makes a key only for a store that has never had one. */
  async #storeKeys(again = false): Promise<KeyRing> {
    this.#mustBeOpen();
    if (this.#keys && !again) return this.#keys;
    for (let tries = 1; ; tries += 1) {
      const sealed = await this.#io('read', this.#check, () => readFile(this.#check).catch(unlessMissing));
      try {
        const keys = await this.#findKeys(sealed === undefined);
        if (sealed) unseal(KEY_CHECK.name, sealed, keys, this.#check);
        else await this.#makeKeyCheck(this.#check, keys);
        this.#keys = keys;
        return keys;
      } catch (error) {
        if (!isFerruleError(error) || error.code !== 'store_key_wrong' || tries === MOST_TRIES) throw error;
      }
    }
  }

  async #findKeys(mayMake: boolean): Promise<KeyRing> {
    const source = this.#source;
    const keys = await this.#io('read', source.where, () => source.read());
    if (keys) return keys;
    if (mayMake && source.make !== undefined && (await this.#records()).length === 0)
      return this.#io('write', source.where, () => source.make!());
    throw new FerruleError('store_key_wrong', 'The store has credentials, but its key is not here.', {
      where: source.where,
      next: 'Put the key file back, or set FERRULE_KEY to the key that the store was made with. Without it nobody can read the store: see docs/stores.md.',
    });
  }

  #records(): Promise<string[]> {
    return this.#io('read', this.#folder, async () => {
      const files = (await readdir(this.#folder).catch(unlessMissing)) ?? [];
      return files.filter((file) => file.endsWith(ENDING)).sort();
    });
  }

  async #makeKeyCheck(check: string, keys: KeyRing): Promise<void> {
    const [first] = await this.#records();
    if (first) {
      // The check was lost. Any credential that this key opens will do in its place.
      const path = join(this.#folder, first);
      const bytes = await this.#io('read', path, () => readFile(path));
      unseal(sealedName(bytes, path), bytes, keys, path);
    }
    const temporary = `${check}.${Buffer.from(this.#random.bytes(8)).toString('hex')}.new`;
    const made = await this.#io('write', check, () => createFile(check, seal(KEY_CHECK.name, {}, keys[0], this.#random), temporary));
    // Another process was faster: perhaps with another key.
    if (!made) unseal(KEY_CHECK.name, await this.#io('read', check, () => readFile(check)), keys, check);
  }

  async #io<T>(doing: 'read' | 'write', where: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw ownFailure(error, doing, where);
    }
  }
}

/** System errors become ours, with the file; all others go through. */
function ownFailure(error: unknown, doing: 'read' | 'write', where: string): unknown {
  const code = isFerruleError(error) ? undefined : systemCode(error);
  if (code === undefined) return error;
  const message = doing === 'read' ? `The credential store cannot be read (${code}).` : `The credential store cannot be written (${code}).`;
  return new FerruleError(doing === 'read' ? 'store_unreadable' : 'store_unwritable', message, { where, cause: error });
}

const misplaced = (path: string, name: string): FerruleError =>
  new FerruleError('store_unreadable', `The file holds credential "${name}", which is not the one that it is named for.`, {
    where: path,
    next: 'Remove the copied file.',
  });
