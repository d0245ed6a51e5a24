import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../framework/core/secret.ts';
import { type EncryptedFileStoreOptions, encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import type { KeyringLibrary } from '../../../framework/credentials/keyring.ts';
import { canary } from '../../canary.ts';
import { sampleCredential } from './store-contract.ts';

/** What the operating system has; test/integration/keyring.test.ts has the real one. */
const entries = new Map<string, string>();
let locked = false;
const library = async (): Promise<KeyringLibrary> => ({
  AsyncEntry: class {
    readonly #name: string;
    constructor(service: string, account: string, options?: { linux?: { store?: string } }) {
      // The kernel's keyring would forget it.
      expect(options?.linux?.store).toBe('secret-service');
      if (locked) throw new Error('the prompt was dismissed');
      this.#name = `${service} ${account}`;
    }
    getPassword = async () => entries.get(this.#name) ?? null;
    setPassword = async (text: string) => void entries.set(this.#name, text);
    deletePassword = async () => entries.delete(this.#name);
  },
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-keyring-'));
  entries.clear();
  locked = false;
});
afterEach(() => rm(folder, { recursive: true }));

const open = (env: Record<string, string> = {}, more: EncryptedFileStoreOptions = {}) =>
  encryptedFileStore({ folder, env, keyring: library, ...more });
const keyFile = () => readFile(join(folder, 'key'), 'utf8');
const entry = async () =>
  `ferrule store-${createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 32)}`;
const keysIn = (text: string | undefined) => (text ?? '').split('\n').filter(Boolean);
const readable = async (store = open()) => {
  const secret = (await store.get('a'))?.fields.client_secret;
  return secret instanceof Secret && secret.reveal() === canary('store-secret');
};

it('FERRULE_KEY=keyring makes the key there, and the key file says so to all that come later', async () => {
  await Promise.all(
    [open({ FERRULE_KEY: 'keyring' }), open({}, { key: 'keyring' })].map((store, i) => store.put(sampleCredential('ab'[i]!))),
  );
  expect([await keyFile(), [...entries.keys()]]).toEqual(['keyring\n', [await entry()]]);
  expect(keysIn(entries.get(await entry()))).toEqual([expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/)]);
  expect([await readable(), (await open().list()).length]).toEqual([true, 2]);
  expect((await readdir(folder)).sort()).toEqual(['credentials', 'key']);
});

it('a rotation puts the new key before the old one, then takes the old one away', async () => {
  await open({ FERRULE_KEY: 'keyring' }).put(sampleCredential('a'));
  const [former] = keysIn(entries.get(await entry()));
  expect(await open().rekey()).toEqual({ sealed: 1, total: 1 });
  const now = keysIn(entries.get(await entry()));
  expect([now.length, now[0] === former, await keyFile(), await readable()]).toEqual([1, false, 'keyring\n', true]);
});

describe('moving the key', () => {
  it('into the keyring and back: each time with a new key, and none is left where it was', async () => {
    const store = open();
    await store.put(sampleCredential('a'));
    const [first] = keysIn(await keyFile());
    await expect(open({ FERRULE_KEY: 'keyring' }).get('a')).rejects.toMatchObject({
      code: 'store_key_wrong',
      next: expect.stringContaining('rekey --to keyring'),
    });
    // The same command goes on from what it is told.
    expect(await open({ FERRULE_KEY: 'keyring' }).rekey({ to: 'keyring' })).toEqual({ sealed: 1, total: 1 });
    const [second] = keysIn(entries.get(await entry()));
    expect([await keyFile(), second === first, await readable(store), await readable()]).toEqual(['keyring\n', false, true, true]);
    // There already: a rotation like any other.
    await open().rekey({ to: 'keyring' });
    const [third] = keysIn(entries.get(await entry()));
    await open().rekey({ to: 'file' });
    expect([entries.size, new Set([first, second, third, ...keysIn(await keyFile())]).size, await readable(store)]).toEqual([0, 4, true]);
    await open().rekey({ to: 'file' });
    expect([keysIn(await keyFile()).length, await readable(store)]).toEqual([1, true]);
  });

  it('killed between its two steps, it goes on with the same new key', async () => {
    await open().put(sampleCredential('a'));
    const made = Buffer.alloc(32, 7).toString('base64');
    entries.set(await entry(), `${made}\n${await keyFile()}`);
    await open().rekey({ to: 'keyring' });
    expect([entries.get(await entry()), await readable()]).toEqual([`${made}\n`, true]);
    // What another store has left there is no part of it.
    await open().rekey({ to: 'file' });
    entries.set(await entry(), `${made}\n${made}\n`);
    await open().rekey({ to: 'keyring' });
    expect(keysIn(entries.get(await entry()))).not.toContain(made);
    // Killed after the second: the keyring has both.
    const [key] = keysIn(entries.get(await entry()));
    entries.set(await entry(), `${made}\n${key}\n`);
    expect(await open().rekey({ to: 'file' })).toEqual({ sealed: 1, total: 1, resumed: undefined });
    expect([keysIn(await keyFile()), entries.size, await readable()]).toEqual([[made], 0, true]);
  });

  it('a key that a person gives can only be moved by the person; an empty store gets its key there', async () => {
    const given = open({ FERRULE_KEY: 'a1'.repeat(32) });
    await expect(given.rekey({ to: 'keyring' })).rejects.toMatchObject({ code: 'not_supported', where: 'FERRULE_KEY' });
    expect(await open().rekey({ to: 'keyring' })).toEqual({ sealed: 0, total: 0 });
    await open().put(sampleCredential('a'));
    expect([await keyFile(), entries.size]).toEqual(['keyring\n', 1]);
  });
});

describe('a keyring that does not give the key', () => {
  beforeEach(() => open({ FERRULE_KEY: 'keyring' }).put(sampleCredential('a')));

  it('locked, emptied, or asked for a copy of the folder: each says so, and none makes another key', async () => {
    locked = true;
    await expect(open().get('a')).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining('the prompt was dismissed'),
      where: `keyring: ${await entry()}`,
      next: expect.stringContaining('Unlock it'),
    });
    locked = false;
    const copy = join(folder, 'copy');
    await cp(join(folder, 'credentials'), join(copy, 'credentials'), { recursive: true });
    await writeFile(join(copy, 'key'), 'keyring\n', { mode: 0o600 });
    const missing = { code: 'store_key_wrong', message: "The keyring has no key for this store's folder." };
    await expect(open({}, { folder: copy }).put(sampleCredential('b'))).rejects.toMatchObject(missing);
    const [key] = entries.values();
    entries.clear();
    for (const env of [{}, { FERRULE_KEY: 'keyring' }] as Record<string, string>[]) {
      await expect(open(env).get('a')).rejects.toMatchObject(missing);
      await expect(open(env).put(sampleCredential('b'))).rejects.toMatchObject(missing);
      await expect(open(env).rekey()).rejects.toMatchObject(missing);
    }
    expect(entries.size).toBe(0);
    entries.set(await entry(), key!);
    expect(await readable()).toBe(true);
  });

  it('not installed: says what to install', async () => {
    const name = '@napi-rs/no-such-keyring';
    await expect(open({}, { keyring: () => import(name) }).get('a')).rejects.toMatchObject({
      code: 'not_supported',
      next: 'Run: npm install @napi-rs/keyring',
    });
  });
});
