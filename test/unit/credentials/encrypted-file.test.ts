import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readdir, readFile, rename, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../../framework/core/clock.ts';
import { encryptedFileStore, storeFolder } from '../../../framework/credentials/encrypted-file.ts';
import { seal, unseal } from '../../../framework/credentials/sealed.ts';
import { parseKeys } from '../../../framework/credentials/store-key.ts';
import { canary } from '../../canary.ts';
import { sampleCredential } from './store-contract.ts';

let folder: string;
let records: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-sealed-'));
  records = join(folder, 'credentials');
});
afterEach(() => rm(folder, { recursive: true }));

const HEX = 'a1'.repeat(32);
const OTHER = 'b2'.repeat(32);
const open = (env: Record<string, string> = {}) => encryptedFileStore({ folder, env });
const fileOf = async (start: string) => join(records, (await readdir(records)).find((name) => name.startsWith(`${start}.`))!);

describe('on the disk', () => {
  it('nothing secret is readable, and only its owner has rights', async () => {
    await open().put(sampleCredential('one'));
    for (const path of [folder, records]) expect(((await stat(path)).mode & 0o777).toString(8)).toBe('700');
    const files = [join(folder, 'key'), await fileOf('one'), join(records, 'key-check')];
    for (const path of files) {
      expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
      const text = await readFile(path, 'latin1');
      for (const label of ['store-secret', 'store-access']) expect(text).not.toContain(canary(label).slice(0, 20));
      expect(text).not.toContain('acme.example');
    }
  });

  it('the layout is the one that is documented, under a fresh nonce each time', async () => {
    const store = open({ FERRULE_KEY: HEX });
    await store.put(sampleCredential('one'));
    const first = await readFile(await fileOf('one'));
    await store.put(sampleCredential('one'));
    const second = await readFile(await fileOf('one'));
    // magic 7, format 1, key id 8, length 2, "one"
    expect(first.toString('latin1', 0, 8)).toBe('FERRULE\x01');
    expect([first.readUInt16BE(16), first.toString('utf8', 18, 21)]).toEqual([3, 'one']);
    expect(first.subarray(0, 21).equals(second.subarray(0, 21))).toBe(true);
    expect(first.subarray(21, 33).equals(second.subarray(21, 33))).toBe(false);
    expect((await readdir(folder)).includes('key')).toBe(false);
  });

  it('reading an empty store makes nothing', async () => {
    const none = join(folder, 'none');
    const store = encryptedFileStore({ folder: none, env: {} });
    expect([await store.list(), await store.get('x'), await store.remove('x')]).toEqual([[], undefined, false]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('two processes that begin together agree on one key', async () => {
    const stores = Array.from({ length: 6 }, () => open());
    await Promise.all(stores.map((store, i) => store.put(sampleCredential(`n${i}`))));
    expect((await open().list()).map(({ name }) => name)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5']);
  });
});

describe('keys', () => {
  it('takes hexadecimal and both forms of base64', () => {
    const bytes = Buffer.alloc(32, 0xfb);
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), `${bytes.toString('base64url')}\n`]) {
      expect(parseKeys(text, 'FERRULE_KEY')).toEqual([bytes]);
    }
  });

  it.each([
    ['', 'is empty'],
    ['not_base64!', 'is neither base64 nor hexadecimal'],
    ['a1'.repeat(16), 'has 24 bytes, not 32'],
    [Buffer.alloc(31).toString('base64'), 'has 31 bytes, not 32'],
  ])('refuses %j', async (text, what) => {
    await expect(open({ FERRULE_KEY: text }).put(sampleCredential('a'))).rejects.toMatchObject({
      code: 'store_key_wrong',
      message: `The key in FERRULE_KEY ${what}.`,
    });
    expect(await readdir(records)).toEqual([]);
  });

  it('a wrong key is told apart, reads nothing and adds nothing', async () => {
    await open({ FERRULE_KEY: HEX }).put(sampleCredential('one'));
    const before = await readdir(records);
    const wrong = { code: 'store_key_wrong', message: 'The credential store was sealed with another key.' };
    await expect(open({ FERRULE_KEY: OTHER }).get('one')).rejects.toMatchObject(wrong);
    await expect(open({ FERRULE_KEY: OTHER }).list()).rejects.toMatchObject(wrong);
    await expect(open({ FERRULE_KEY: OTHER }).put(sampleCredential('two'))).rejects.toMatchObject(wrong);
    // Without the key in the environment no key file is made beside what it cannot open.
    await expect(open().put(sampleCredential('two'))).rejects.toMatchObject({
      code: 'store_key_wrong',
      message: expect.stringContaining('not here'),
    });
    expect([await readdir(records), await readdir(folder)]).toEqual([before, ['credentials']]);
  });

  it('a lost check is made again only by the right key', async () => {
    await open({ FERRULE_KEY: HEX }).put(sampleCredential('one'));
    await unlink(join(records, 'key-check'));
    await expect(open({ FERRULE_KEY: OTHER }).put(sampleCredential('two'))).rejects.toMatchObject({ code: 'store_key_wrong' });
    await expect(open().put(sampleCredential('two'))).rejects.toMatchObject({ code: 'store_key_wrong' });
    await open({ FERRULE_KEY: HEX }).put(sampleCredential('two'));
    expect((await readdir(records)).includes('key-check')).toBe(true);
  });

  it('refuses a key file or a folder that others have rights to', async () => {
    const key = join(folder, 'key');
    await open().put(sampleCredential('one'));
    await chmod(key, 0o640);
    await expect(open().get('one')).rejects.toMatchObject({ code: 'store_unreadable', next: expect.stringContaining(`chmod 600 ${key}`) });
    await chmod(key, 0o600);
    await chmod(records, 0o770);
    await expect(open().put(sampleCredential('two'))).rejects.toMatchObject({
      code: 'store_unreadable',
      next: `Run: chmod 700 ${records}`,
    });
  });
});

describe('damage', () => {
  const unreadable = (what: string) => ({ code: 'store_unreadable', message: expect.stringContaining(what) });

  it('half-written, cut, changed: each says so, and none is "not there"', async () => {
    const store = open();
    await store.put(sampleCredential('one'));
    const path = await fileOf('one');
    const whole = await readFile(path);
    for (const [bytes, what] of [
      [whole.subarray(0, whole.length / 2), 'checksum'],
      [whole.subarray(0, 30), 'written half'],
      [Buffer.alloc(0), 'written half'],
      [Buffer.from(whole).fill(0, 60, 61), 'checksum'],
    ] as const) {
      await writeFile(path, bytes);
      await expect(store.get('one')).rejects.toMatchObject(unreadable(what));
      await expect(store.list()).rejects.toMatchObject(unreadable(what));
      await expect(store.put(sampleCredential('one'))).rejects.toMatchObject(unreadable(what));
    }
    // The way out that the error names.
    expect(await store.remove('one')).toBe(true);
    await store.put(sampleCredential('one'));
    expect((await store.get('one'))!.version).toBe(1);
  });

  it('a record copied over another name does not open', async () => {
    const store = open();
    await store.put(sampleCredential('rich'));
    await store.put(sampleCredential('poor'));
    await copyFile(await fileOf('rich'), await fileOf('poor'));
    await expect(store.get('poor')).rejects.toMatchObject(unreadable('copied'));
    await expect(store.list()).rejects.toMatchObject(unreadable('not the one that it is named for'));
    await rename(await fileOf('poor'), join(records, 'copy.sealed'));
    await expect(store.list()).rejects.toMatchObject(unreadable('not the one that it is named for'));
  });

  it('the name is under the tag: a header that was rewritten, checksum and all, does not open', () => {
    const key = Buffer.from(HEX, 'hex');
    const forged = seal('abc', { owner: 'abc' }, key, systemRandom);
    const target = seal('xyz', {}, key, systemRandom);
    const parts = Buffer.concat([target.subarray(0, 21), forged.subarray(21, -8)]);
    expect(() => unseal('xyz', parts, [key], 'f')).toThrow('checksum');

    const summed = Buffer.concat([parts, createHash('sha256').update(parts).digest().subarray(0, 8)]);
    expect(() => unseal('xyz', summed, [key], 'f')).toThrow('was changed, or copied');
  });

  it('a file that a killed writer left half-written beside it replaces nothing', async () => {
    const store = open();
    await store.put(sampleCredential('one'));
    const path = await fileOf('one');
    await writeFile(`${path}.new`, 'half');
    expect((await store.get('one'))!.version).toBe(1);
    expect((await store.list()).length).toBe(1);
    await store.put(sampleCredential('one'));
    expect((await readdir(records)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('a lock removed by hand during an update stops the write', async () => {
    const store = open();
    await store.put(sampleCredential('one'));
    const path = await fileOf('one');
    const update = store.update('one', async (current) => {
      await unlink(`${path}.lock`);
      return { ...current, scope: 'changed' };
    });
    await expect(update).rejects.toMatchObject({ code: 'store_locked' });
    expect((await store.get('one'))!.scope).toBe('read write');
  });

  it('system errors name the file and their code', async () => {
    const blocked = join(folder, 'file');
    await writeFile(blocked, '');
    await expect(encryptedFileStore({ folder: blocked, env: {} }).put(sampleCredential('a'))).rejects.toMatchObject({
      code: 'store_unwritable',
      where: join(blocked, 'credentials'),
      message: expect.stringContaining('ENOTDIR'),
    });
    await open().put(sampleCredential('one'));
    await truncate(join(folder, 'key'), 10);
    await expect(open().get('one')).rejects.toMatchObject({ code: 'store_key_wrong' });
  });
});

it('finds its folder by FERRULE_HOME, then XDG_CONFIG_HOME', () => {
  expect(storeFolder({ FERRULE_HOME: '/f', XDG_CONFIG_HOME: '/x' })).toBe('/f');
  expect(storeFolder({ FERRULE_HOME: '', XDG_CONFIG_HOME: '/x' })).toBe('/x/ferrule');
  expect(storeFolder({})).toMatch(/[/\\]\.config[/\\]ferrule$/);
});
