import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../../framework/core/secret.ts';
import { type EncryptedFileStoreOptions, encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import { canary } from '../../canary.ts';
import { rekeyKills, STEPS } from '../../kill/rekey.ts';
import { sampleCredential } from './store-contract.ts';

let folder: string;
let records: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-rekey-'));
  records = join(folder, 'credentials');
});
const stopped: ChildProcess[] = [];
afterEach(async () => {
  for (const child of stopped.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const OLD = 'a1'.repeat(32);
const NEW = 'b2'.repeat(32);
const open = (env: Record<string, string> = {}, more: EncryptedFileStoreOptions = {}) => encryptedFileStore({ folder, env, ...more });
/** Something that one waits for and another lets come. */
function gate(): { opened: Promise<void>; open: () => void } {
  let letGo = () => {};
  const opened = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { opened, open: () => letGo() };
}
const keyLines = async () => (await readFile(join(folder, 'key'), 'utf8')).split('\n').filter(Boolean);
async function twoKeys(): Promise<void> {
  for (let tries = 0; (await keyLines()).length < 2; tries += 1) {
    if (tries === 2000) throw new Error('no second key came');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
const fileOf = async (start: string) => join(records, (await readdir(records)).find((name) => name.startsWith(`${start}.`))!);
const secretOf = async (store: ReturnType<typeof open>, name: string) => {
  const value = (await store.get(name))?.fields.client_secret;
  return value instanceof Secret ? value.reveal() : value;
};

it('killed at any of its steps: all is readable, and the next one goes on with the same new key', async () => {
  const { killed, lost } = await rekeyKills({ times: 2, seed: Date.now() % 2 ** 31 });
  expect(lost).toEqual([]);
  expect(killed).toEqual(Object.fromEntries(STEPS.map((step) => [step, 2])));
}, 60_000);

describe('a rotation', () => {
  it('seals everything with a new key, after which the former one opens nothing', async () => {
    const store = open();
    for (const name of ['a', 'b', 'c']) await store.put(sampleCredential(name));
    const [former] = await keyLines();
    // What writers left that were killed, one before its record was ever there.
    for (const left of [`${await fileOf('a')}.new`, `${await fileOf('b')}.answer.new`, join(records, 'late.0.sealed.new')])
      await writeFile(left, 'half');
    const before = await readFile(await fileOf('a'));
    expect(await store.rekey()).toEqual({ sealed: 3, total: 3 });
    expect(await keyLines()).toHaveLength(1);
    expect((await keyLines())[0]).not.toBe(former);
    // The header says which key: bytes 8 to 16.
    expect((await readFile(await fileOf('a'))).subarray(8, 16)).not.toEqual(before.subarray(8, 16));
    await expect(open({ FERRULE_KEY: former! }).get('a')).rejects.toMatchObject({ code: 'store_key_wrong' });
    for (const one of [store, open()]) {
      expect([await secretOf(one, 'a'), (await one.get('a'))!.version, (await one.list()).length]).toEqual([canary('store-secret'), 1, 3]);
    }
    expect((await readdir(records)).filter((name) => !/\.sealed$/.test(name))).toEqual(['key-check']);
  });

  it('goes on under a process that reads and writes throughout, and under an open store that knows the former key', async () => {
    const store = open();
    await store.put({ ...sampleCredential('shared'), expires: { n: 0 } });
    const child = spawn(process.execPath, ['scripts/run.mjs', 'test/unit/credentials/count-up.ts', folder, '150'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const ended = once(child, 'exit');
    const keys = new Set<string | undefined>();
    let reads = 0;
    while (child.exitCode === null && reads < 2000) {
      if (reads % 20 === 0) await open().rekey();
      keys.add((await keyLines())[0]);
      // One that has long had a key, and one that reads it between any two steps.
      for (const one of [store, open()]) expect(await secretOf(one, 'shared')).toBe(canary('store-secret'));
      reads += 1;
    }
    expect(await ended).toEqual([0, null]);
    expect((await store.get('shared'))!.expires.n).toBe(150);
    expect(keys.size).toBeGreaterThan(2);
  });

  it('waits for who holds a record, and holds up nobody else', async () => {
    const store = open();
    await store.put(sampleCredential('held'));
    const [begun, goesOn] = [gate(), gate()];
    const holding = store.update('held', async (current, held) => {
      await held.keep({ ...current, scope: 'first' });
      begun.open();
      await goesOn.opened;
      held.note({ step: 'token', spent: 'x', at: 1, answer: new Secret(canary('rekey-note')) });
      return { ...current, scope: 'last' };
    });
    await begun.opened;
    const rotation = open().rekey();
    await twoKeys();
    // New ones and other names are not held up.
    await open().put(sampleCredential('other'));
    expect(await keyLines()).toHaveLength(2);
    goesOn.open();
    expect((await holding).scope).toBe('last');
    await rotation;
    expect(await keyLines()).toHaveLength(1);
    let noted: string | undefined;
    await open().update('held', async (_, { noted: read }) => {
      noted = (await read())?.answer.reveal();
      return undefined;
    });
    expect([noted, (await open().get('held'))!.scope, (await open().list()).length]).toEqual([canary('rekey-note'), 'last', 2]);
  });

  it('waits for a writer that has the former key in hand, and whose record is not there yet', async () => {
    await open().put(sampleCredential('a'));
    const child = spawn(process.execPath, ['scripts/run.mjs', 'test/unit/credentials/count-up.ts', folder, 'put'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    stopped.push(child);
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    const rotation = open().rekey();
    await twoKeys();
    expect(await Promise.race([rotation, new Promise((resolve) => setTimeout(resolve, 200, 'waiting'))])).toBe('waiting');
    child.kill('SIGCONT');
    expect(await ended).toEqual([0, null]);
    expect(await rotation).toEqual({ sealed: 2, total: 2 });
    expect([(await keyLines()).length, await secretOf(open(), 'late')]).toEqual([1, canary('store-secret')]);
  });

  it('two at once: one waits, and both end well', async () => {
    await open().put(sampleCredential('a'));
    expect(await Promise.all([open().rekey(), open().rekey()])).toEqual([
      { sealed: 1, total: 1 },
      { sealed: 1, total: 1 },
    ]);
    expect([(await keyLines()).length, await secretOf(open(), 'a')]).toEqual([1, canary('store-secret')]);
  });

  it('keeps the former key while one file cannot be sealed anew, and ends once that is mended', async () => {
    for (const name of ['bad', 'good']) await open().put(sampleCredential(name));
    const path = await fileOf('bad');
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, 80));
    await expect(open().rekey()).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining('the former key stays'),
      where: path,
      next: expect.stringContaining('it goes on with the same new key'),
    });
    const [made] = await keyLines();
    expect([(await keyLines()).length, await secretOf(open(), 'good')]).toEqual([2, canary('store-secret')]);
    await writeFile(path, whole);
    expect(await open().rekey()).toEqual({ sealed: 1, total: 2, resumed: true });
    expect([await keyLines(), await secretOf(open(), 'bad')]).toEqual([[made], canary('store-secret')]);
  });

  it('a store that was never written to stays nothing', async () => {
    expect(await open().rekey()).toEqual({ sealed: 0, total: 0 });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a key that is not the file’s', () => {
  it('FERRULE_KEY: seals with the first of two, makes none, and tells how', async () => {
    await open({ FERRULE_KEY: OLD }).put(sampleCredential('a'));
    await expect(open({ FERRULE_KEY: OLD }).rekey()).rejects.toMatchObject({
      code: 'not_supported',
      where: 'FERRULE_KEY',
      next: expect.stringMatching(/openssl rand -base64 32.*"NEW OLD"/),
    });
    await expect(open({ FERRULE_KEY: OLD }).rekey({ key: Buffer.from(NEW, 'hex') })).rejects.toMatchObject({ code: 'not_supported' });
    const both = { FERRULE_KEY: `${NEW} ${OLD}` };
    expect(await open(both).rekey()).toEqual({ sealed: 1, total: 1 });
    expect(await open(both).rekey()).toEqual({ sealed: 0, total: 1 });
    expect(await secretOf(open({ FERRULE_KEY: NEW }), 'a')).toBe(canary('store-secret'));
    await expect(open({ FERRULE_KEY: OLD }).get('a')).rejects.toMatchObject({ code: 'store_key_wrong' });
    expect(await readdir(folder)).toEqual(['credentials']);
  });

  it('one given in code: changed for one that is given, never for one that nobody would have', async () => {
    const [old, next] = [Buffer.from(OLD, 'hex'), Buffer.from(NEW, 'hex')];
    const store = open({}, { key: old });
    await store.put(sampleCredential('a'));
    await expect(store.rekey()).rejects.toMatchObject({ code: 'not_supported', next: 'Pass { key }, and keep it.' });
    await expect(store.rekey({ key: next.subarray(1) })).rejects.toMatchObject({ code: 'input_malformed' });
    expect(await store.rekey({ key: next })).toEqual({ sealed: 1, total: 1 });
    expect([await secretOf(store, 'a'), await secretOf(open({}, { key: [next, old] }), 'a')]).toEqual(
      Array(2).fill(canary('store-secret')),
    );
    await expect(open({}, { key: old }).get('a')).rejects.toMatchObject({ code: 'store_key_wrong' });
  });

  it('a key file takes one that is given, too', async () => {
    await open().put(sampleCredential('a'));
    await open().rekey({ key: Buffer.from(NEW, 'hex') });
    expect(await keyLines()).toEqual([Buffer.from(NEW, 'hex').toString('base64')]);
  });

  it('in memory nothing is sealed', async () => {
    const store = memoryStore();
    await store.put(sampleCredential('a'));
    expect(await store.rekey()).toEqual({ sealed: 0, total: 1 });
    await store.close();
    await expect(store.rekey()).rejects.toMatchObject({ code: 'closed' });
  });
});
