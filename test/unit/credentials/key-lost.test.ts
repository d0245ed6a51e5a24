import { cp, mkdtemp, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../framework/core/secret.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import type { CredentialStore } from '../../../framework/credentials/types.ts';
import { exportCredentials, importCredentials, useNow } from '../../../framework/index.ts';
import { canary } from '../../canary.ts';
import { failureIn } from '../../failure.ts';
import { sampleCredential } from './store-contract.ts';

let folder: string;
let key: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'ferrule-lost-')), 'store');
  key = join(folder, 'key');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const open = (env: Record<string, string> = {}) => encryptedFileStore({ folder, env });
const OLD = 'a1'.repeat(32);
const OTHER = 'b2'.repeat(32);

/** Every file with its content. */
async function content(): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.sort().map(async (file) => [file, await readFile(file, 'hex')] as const)));
}

async function readable(store: CredentialStore): Promise<void> {
  const secret = (await store.get('one'))?.fields.client_secret;
  expect(secret instanceof Secret && secret.reveal()).toBe(canary('store-secret'));
}

/** Nothing is read and nothing written, and the error is one of those that docs/stores.md lists. */
async function nothingGoes(env: Record<string, string>, message: string | RegExp): Promise<void> {
  const before = await content();
  const tries: ((store: CredentialStore) => Promise<unknown>)[] = [
    (store) => store.get('one'),
    (store) => store.list(),
    (store) => store.put(sampleCredential('two')),
    (store) => store.update('one', async (current) => current),
    (store) => store.remove('one'),
    (store) => store.rekey(),
  ];
  for (const attempt of tries) {
    const { code, message: said } = await failureIn(() => attempt(open(env)));
    expect([code, said]).toEqual(['store_key_wrong', expect.stringMatching(message)]);
  }
  expect(await content()).toEqual(before);
  expect((await open(env).uses()).map(({ action }) => action)).toEqual(['stored']);
}

const stored = async (env: Record<string, string> = {}) => {
  await open(env).put(sampleCredential('one'));
  await open(env).logUse(useNow({ action: 'stored', credential: 'one', outcome: 'ok' }));
};
const NOT_HERE = 'The store has credentials, but its key is not here.';
const ANOTHER = 'The credential store was sealed with another key.';

it('the key file was deleted: nothing goes until it is put back, and then all is as it was', async () => {
  await stored();
  const kept = await readFile(key);
  await unlink(key);
  await nothingGoes({}, NOT_HERE);
  await writeFile(key, kept, { mode: 0o600 });
  await readable(open());
});

it.each([
  ['is empty', ''],
  ['has 29 bytes, not 32', Buffer.alloc(29).toString('base64')],
  [ANOTHER, Buffer.alloc(32).toString('base64')],
])('the key file is another: %s', async (message, text) => {
  await stored();
  const kept = await readFile(key);
  await writeFile(key, text);
  await nothingGoes({}, message);
  await writeFile(key, kept);
  await readable(open());
});

it('FERRULE_KEY is not set any more, or is another', async () => {
  await stored({ FERRULE_KEY: OLD });
  await nothingGoes({}, NOT_HERE);
  await nothingGoes({ FERRULE_KEY: OTHER }, ANOTHER);
  // A key in the variable goes before a key file.
  await writeFile(key, `${OLD}\n`, { mode: 0o600 });
  await nothingGoes({ FERRULE_KEY: OTHER }, ANOTHER);
  await readable(open());
});

it('after a rotation the former key file opens nothing, but for the copy of the folder that it came with', async () => {
  await stored();
  const copy = `${folder}.copy`;
  await cp(folder, copy, { recursive: true });
  await open().rekey();
  const kept = await readFile(key);
  await writeFile(key, await readFile(join(copy, 'key')));
  await nothingGoes({}, ANOTHER);
  await writeFile(key, kept);
  await readable(open());
  await readable(encryptedFileStore({ folder: copy, env: {} }));
});

it('it does not come back: the folder is moved away, and an export comes into a new one', async () => {
  await stored();
  const bytes = await exportCredentials(open(), ['one'], canary('lost-passphrase'));
  await unlink(key);
  await rename(folder, `${folder}.lost`);
  await importCredentials(open(), bytes, canary('lost-passphrase'));
  await readable(open());
  const [file] = await readdir(join(`${folder}.lost`, 'credentials'));
  expect(file).toMatch(/^(one\.|key-check)/);
  expect(await readFile(join(`${folder}.lost`, 'uses.jsonl'), 'utf8')).toContain('"credential":"one"');
});

it('docs/stores.md says it in the same words, and names all variables and files', async () => {
  const page = (await readFile('docs/stores.md', 'utf8')).replace(/\s+/g, ' ');
  const keyring = "The keyring has no key for this store's folder.";
  for (const words of [NOT_HERE, ANOTHER, 'The key in … has N bytes, not 32.', keyring, "The operating system's keyring cannot be used"]) {
    expect(page).toContain(words);
  }
  await stored();
  for (const file of await readdir(folder)) expect(page).toContain(file);
  const source = await readFile('framework/credentials/encrypted-file.ts', 'utf8');
  for (const [variable] of source.matchAll(/FERRULE_[A-Z]+/g)) expect(page).toContain(variable);
});
