import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type Clock, systemClock, systemRandom } from '../../../framework/core/clock.ts';
import { acquireLock } from '../../../framework/core/lock.ts';
import { ownIdentity } from '../../../framework/core/process-identity.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { FakeClock } from '../../clock.ts';
import { sampleCredential } from '../credentials/store-contract.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-lock-'));
});
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const options = { clock: systemClock, random: systemRandom, wait: 150 };
function run(...args: string[]): ChildProcess {
  const command = ['scripts/run.mjs', 'test/unit/credentials/count-up.ts', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function withShared() {
  const store = encryptedFileStore({ folder, env: {} });
  await store.put({ ...sampleCredential('shared'), expires: { n: 0 } });
  return store;
}

describe('between processes', () => {
  it('two that add one 200 times each make 400', async () => {
    const store = await withShared();
    const ends = await Promise.all([run(folder, '200'), run(folder, '200')].map((child) => once(child, 'exit')));
    expect(ends).toEqual([
      [0, null],
      [0, null],
    ]);
    const found = (await store.get('shared'))!;
    expect([found.expires.n, found.version]).toEqual([400, 401]);
    // Nothing is left behind but the record, the key's check, and no lock.
    expect((await readdir(join(folder, 'credentials'))).filter((name) => !name.endsWith('.sealed'))).toEqual(['key-check']);
  });

  it('a killed holder is taken over at once, by one of many; a living one is waited for and named', async () => {
    const store = await withShared();
    const holder = run(folder, 'hold');
    await once(holder.stdout!, 'data');
    const impatient = encryptedFileStore({ folder, env: {}, lockWait: 100 });
    await expect(impatient.update('shared', async (c) => c)).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining(`process ${holder.pid} on ${hostname()}`),
    });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const began = Date.now();
    // Twelve find the same dead lock together.
    await Promise.all(Array.from({ length: 12 }, () => store.update('shared', async (c) => ({ ...c, expires: { n: c.expires.n! + 1 } }))));
    expect((await store.get('shared'))!.expires.n).toBe(12);
    expect(Date.now() - began).toBeLessThan(2000);
  });
});

describe('whose lock it is', () => {
  const path = () => join(folder, 'x.lock');
  const plant = async (change: object) =>
    writeFile(path(), JSON.stringify({ ...(await ownIdentity()), token: '0123456789abcdef', ...change }));

  it('a number that another process has now is a holder that is gone', async () => {
    await plant({ started: 'another boot 1' });
    const lock = await acquireLock(path(), options);
    expect(await lock.isHeld()).toBe(true);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('a living process, another host and a file that says nothing are never taken over', async () => {
    for (const change of [{}, { host: 'elsewhere', pid: 999_999_999, started: 'x' }, { token: 'no token' }]) {
      await plant(change);
      const before = await readFile(path(), 'utf8');
      await expect(acquireLock(path(), options)).rejects.toMatchObject({ code: 'store_locked', where: path() });
      expect(await readFile(path(), 'utf8')).toBe(before);
    }
    await writeFile(path(), '');
    await expect(acquireLock(path(), options)).rejects.toMatchObject({ message: expect.stringContaining('an unknown process') });
  });

  it('a holder elsewhere is gone when it has been silent for 30 s, by the clock of who waits, and not before', async () => {
    const clock = new FakeClock();
    const waiting = { clock, random: systemRandom, wait: 60_000 };
    await plant({ host: 'elsewhere' });
    const lock = await acquireLock(path(), waiting);
    expect(await lock.isHeld()).toBe(true);
    const waited = clock.slept.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThanOrEqual(30_000);
    expect(waited).toBeLessThan(30_200);
    await lock.release();

    // One that is touched now and then lives, however wrong its clock.
    await plant({ host: 'elsewhere' });
    let beats = 0;
    const beating: Clock = {
      now: () => clock.now(),
      sleep: async (ms) => {
        await clock.sleep(ms);
        const past = new Date(1_000_000 + beats * 1000);
        if (clock.slept.length % 100 === 0) await utimes(path(), past, past);
        beats += 1;
      },
    };
    await expect(acquireLock(path(), { ...waiting, clock: beating, wait: 120_000 })).rejects.toMatchObject({ code: 'store_locked' });
  });

  it('a lock says that its holder lives as long as it is held', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const lock = await acquireLock(path(), options);
      const old = new Date(5_000_000);
      await utimes(path(), old, old);
      jest.advanceTimersByTime(2000);
      for (let tries = 0; (await stat(path())).mtimeMs === old.getTime() && tries < 200; tries += 1)
        await new Promise((resolve) => setImmediate(resolve));
      expect((await stat(path())).mtimeMs).toBeGreaterThan(old.getTime());
      await lock.release();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('leaves a lock alone that is not its own any more', async () => {
    const lock = await acquireLock(path(), options);
    await plant({});
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
    expect(await readdir(folder)).toEqual(['x.lock']);
  });

  it('stops waiting when its signal aborts', async () => {
    await plant({});
    const stop = new AbortController();
    const reason = new Error('stopped');
    setTimeout(() => stop.abort(reason), 20);
    await expect(acquireLock(path(), { ...options, wait: 10_000, signal: stop.signal })).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual(['x.lock']);
  });

  it('a dead claim on a dead lock is taken over too', async () => {
    await plant({ started: 'gone 1' });
    const claim = { ...(await ownIdentity()), started: 'gone 2', token: 'fedcba9876543210' };
    await writeFile(`${path()}.0123456789abcdef`, JSON.stringify(claim));
    const lock = await acquireLock(path(), options);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });
});
