import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { createFile, replaceFile, syncFolder, systemCode, unlessMissing } from './atomic-write.ts';
import { checkSameName, copyCredential, credentialName, credentialUnknown, nextVersion, storeClosed, summarize } from './copy.ts';
import { acquireLock, type Lock } from './lock.ts';
import { seal, sealedName, unseal } from './sealed.ts';
import { makeKeyFile, parseKey, readKeyFile } from './store-key.ts';
import type { Credential, CredentialStore } from './types.ts';

type Environment = Record<string, string | undefined>;

export interface EncryptedFileStoreOptions {
  /** Holds `key` and `credentials/`. Default: see `storeFolder`. Made with rights for its owner alone. */
  folder?: string;
  /** 32 bytes. Default: FERRULE_KEY of the environment, else the folder's key file, which the first write makes. */
  key?: Uint8Array;
  env?: Environment;
  clock?: Clock;
  random?: Random;
  /** How long to wait for a credential that another process holds. Milliseconds, default 60,000: a refresh may take that long. */
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

/** Credentials in files, one each, sealed with AES-256-GCM, safe against other processes and against being killed. */
export function encryptedFileStore(options: EncryptedFileStoreOptions = {}): CredentialStore {
  return new EncryptedFileStore(options);
}

class EncryptedFileStore implements CredentialStore {
  readonly #home: string;
  readonly #folder: string;
  readonly #env: Environment;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lockWait: number;
  #key: Uint8Array | undefined;
  #checked = false;
  #closed = false;

  constructor({
    folder,
    key,
    env = process.env,
    clock = systemClock,
    random = systemRandom,
    lockWait = 60_000,
  }: EncryptedFileStoreOptions) {
    this.#env = env;
    this.#home = folder ?? storeFolder(env);
    this.#folder = join(this.#home, 'credentials');
    this.#key = key;
    this.#clock = clock;
    this.#random = random;
    this.#lockWait = lockWait;
  }

  async list() {
    this.#mustBeOpen();
    return this.#io('read', this.#folder, async () => {
      const names = (await readdir(this.#folder).catch(unlessMissing)) ?? [];
      const found: Credential[] = [];
      for (const file of names.filter((name) => name.endsWith(ENDING))) {
        const path = join(this.#folder, file);
        const bytes = await readFile(path).catch(unlessMissing);
        // Removed since the folder was read.
        if (!bytes) continue;
        const name = sealedName(bytes, path);
        // Under its own file name it can be found by its name; under any other it is a copy.
        if (fileName(name) !== file) throw misplaced(path, name);
        found.push(await this.#open(name, bytes, path));
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
    await this.#locked(name, async (lock) => {
      await this.#write(nextVersion(own, await this.#read(name), this.#clock.now(), options?.expectVersion), lock);
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
        await syncFolder(this.#folder);
        return true;
      }),
    );
  }

  async update(name: string, change: (current: Credential) => Promise<Credential | undefined>) {
    this.#mustBeOpen();
    const key = credentialName(name);
    // Without this, a name that was never stored would make the folder for its lock.
    if (!(await this.#io('read', this.#path(key), () => stat(this.#path(key)).catch(unlessMissing)))) throw credentialUnknown(name);
    return this.#locked(key, async (lock) => {
      const current = await this.#read(key);
      if (!current) throw credentialUnknown(name);
      const changed = await change(copyCredential(current));
      if (changed === undefined) return current;
      checkSameName(key, changed);
      const next = nextVersion(changed, current, this.#clock.now());
      await this.#write(next, lock);
      return next;
    });
  }

  async close() {
    this.#closed = true;
    this.#key = undefined;
  }

  #path(name: string): string {
    return join(this.#folder, fileName(name));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  async #read(name: string): Promise<Credential | undefined> {
    const path = this.#path(name);
    const bytes = await this.#io('read', path, () => readFile(path).catch(unlessMissing));
    return bytes && this.#open(name, bytes, path);
  }

  async #open(name: string, bytes: Buffer, path: string): Promise<Credential> {
    const found = unseal(name, bytes, await this.#storeKey(), path) as Credential;
    if (found.name !== name) throw misplaced(path, found.name);
    return found;
  }

  async #write(credential: Credential, lock: Lock): Promise<void> {
    this.#mustBeOpen();
    const path = this.#path(credential.name);
    const bytes = seal(credential.name, credential, await this.#storeKey(), this.#random);
    await this.#io('write', path, async () => {
      if (!(await lock.isHeld())) {
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

  async #locked<T>(name: string, work: (lock: Lock) => Promise<T>): Promise<T> {
    const path = `${this.#path(name)}.lock`;
    await this.#makeFolders();
    // Before anything is locked or written: a wrong key must change nothing.
    await this.#storeKey();
    const lock = await this.#io('write', path, () => acquireLock(path, { clock: this.#clock, random: this.#random, wait: this.#lockWait }));
    try {
      return await work(lock);
    } finally {
      await this.#io('write', path, () => lock.release());
    }
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

  /** The key, after it was proved to be the store's. Makes a key file only for a store that has never had a key. */
  async #storeKey(): Promise<Uint8Array> {
    this.#mustBeOpen();
    if (this.#key && this.#checked) return this.#key;
    const check = join(this.#folder, KEY_CHECK.file);
    const sealed = await this.#io('read', check, () => readFile(check).catch(unlessMissing));
    const key = this.#key ?? (await this.#findKey(sealed === undefined));
    if (sealed) unseal(KEY_CHECK.name, sealed, key, check);
    else await this.#makeKeyCheck(check, key);
    this.#key = key;
    this.#checked = true;
    return key;
  }

  async #findKey(mayMake: boolean): Promise<Uint8Array> {
    if (this.#env.FERRULE_KEY !== undefined) return parseKey(this.#env.FERRULE_KEY, 'FERRULE_KEY');
    const path = join(this.#home, 'key');
    const key = await this.#io('read', path, () => readKeyFile(path));
    if (key) return key;
    if (mayMake && (await this.#records()).length === 0) return this.#io('write', path, () => makeKeyFile(path, this.#random));
    throw new FerruleError('store_key_wrong', 'The store has credentials, but its key is not here.', {
      where: path,
      next: 'Put the key file back, or set FERRULE_KEY to the key that the store was made with.',
    });
  }

  #records(): Promise<string[]> {
    return this.#io('read', this.#folder, async () => {
      const files = (await readdir(this.#folder).catch(unlessMissing)) ?? [];
      return files.filter((file) => file.endsWith(ENDING)).sort();
    });
  }

  async #makeKeyCheck(check: string, key: Uint8Array): Promise<void> {
    const [first] = await this.#records();
    if (first) {
      // The check was lost. Any credential that this key opens will do in its place.
      const path = join(this.#folder, first);
      const bytes = await this.#io('read', path, () => readFile(path));
      unseal(sealedName(bytes, path), bytes, key, path);
    }
    const temporary = `${check}.${Buffer.from(this.#random.bytes(8)).toString('hex')}.new`;
    const made = await this.#io('write', check, () => createFile(check, seal(KEY_CHECK.name, {}, key, this.#random), temporary));
    // Another process was faster: perhaps with another key.
    if (!made) unseal(KEY_CHECK.name, await this.#io('read', check, () => readFile(check)), key, check);
  }

  /** System errors become ours, with the file; ours go through. */
  async #io<T>(doing: 'read' | 'write', where: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isFerruleError(error)) throw error;
      const code = systemCode(error);
      if (code === undefined) throw error;
      const message =
        doing === 'read' ? `The credential store cannot be read (${code}).` : `The credential store cannot be written (${code}).`;
      throw new FerruleError(doing === 'read' ? 'store_unreadable' : 'store_unwritable', message, { where, cause: error });
    }
  }
}

const misplaced = (path: string, name: string): FerruleError =>
  new FerruleError('store_unreadable', `The file holds credential "${name}", which is not the one that it is named for.`, {
    where: path,
    next: 'Remove the copied file.',
  });
