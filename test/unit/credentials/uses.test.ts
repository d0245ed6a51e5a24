import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../../framework/core/clock.ts';
import { FerruleError } from '../../../framework/core/errors.ts';
import { acquireLock } from '../../../framework/core/lock.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import type { Use } from '../../../framework/credentials/types.ts';
import { logged, useNow } from '../../../framework/credentials/use.ts';
import { useLog } from '../../../framework/credentials/use-log.ts';
import { connectStored } from '../../../framework/engine/connect.ts';
import { loadFile } from '../../../framework/spec/load.ts';
import { canary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-uses-'));
  path = join(folder, 'uses.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const open = (env: Record<string, string> = {}) => encryptedFileStore({ folder, env });
const use = (credential: string): Use => useNow({ action: 'opened', credential, outcome: 'ok' }, new FakeClock());
const small = (full: number) => useLog({ folder, audit: true, env: {}, clock: systemClock, random: systemRandom, full });

it('a line says when, what, which, by whom, how it ended; only its owner may read it', async () => {
  await open().logUse(use('work'));
  const by = `${userInfo().username}@${hostname()} `;
  const [line, rest] = (await readFile(path, 'utf8')).split('\n');
  expect([JSON.parse(line!), rest]).toEqual([
    { at: '2026-01-02T03:04:05.000Z', action: 'opened', credential: 'work', outcome: 'ok', by: expect.stringContaining(by) },
    '',
  ]);
  expect(JSON.parse(line!).by).toMatch(new RegExp(`\\S+\\[${process.pid}\\]$`));
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
});

it('lines of several processes never mix', async () => {
  const children = Array.from({ length: 2 }, () =>
    spawn(process.execPath, ['scripts/run.mjs', 'test/unit/credentials/count-up.ts', folder, 'log'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
  const stores = Array.from({ length: 5 }, () => open());
  const ends = Promise.all(children.map((child) => once(child, 'exit')));
  await Promise.all(Array.from({ length: 200 }, (_, i) => stores[i % 5]!.logUse(use(`mine ${i}`))));
  expect(await ends).toEqual([
    [0, null],
    [0, null],
  ]);
  const uses = await open().uses({
    skipped: (lines) => {
      throw new Error(`${lines} broken lines`);
    },
  });
  expect([uses.length, new Set(uses.map(({ by, credential }) => by + credential)).size]).toEqual([600, 600]);
});

it('a full file becomes the former one, once, however many find it full', async () => {
  const bytes = Buffer.byteLength(`${JSON.stringify(use('n000'))}\n`);
  // Full with the tenth line: of 19 none may be lost, and the former file not be replaced by a small one.
  const logs = Array.from({ length: 4 }, () => small(bytes * 10));
  for (let i = 0; i < 9; i += 1) await logs[0]!.append(use(`n${String(i).padStart(3, '0')}`));
  await Promise.all(Array.from({ length: 10 }, (_, i) => logs[i % 4]!.append(use(`n${String(i + 9).padStart(3, '0')}`))));
  const names = (await small(1e6).read()).map(({ credential }) => credential).sort();
  expect(names).toEqual(Array.from({ length: 19 }, (_, i) => `n${String(i).padStart(3, '0')}`));
  expect((await stat(join(folder, 'uses.former.jsonl'))).size).toBeGreaterThanOrEqual(bytes * 10);
});

it('whoever waited to roll a full file looks again: another has done it', async () => {
  const bytes = Buffer.byteLength(`${JSON.stringify(use('n0'))}\n`);
  const lock = await acquireLock(join(folder, 'uses.lock'), { clock: systemClock, random: systemRandom, wait: 1000 });
  await small(bytes * 10).append(use('n0'));
  const waiting = ['n1', 'n2'].map((name) => small(bytes * 2).append(use(name)));
  for (let tries = 0; tries < 1000 && (await stat(path)).size < 3 * bytes; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 1));
  await rename(path, join(folder, 'uses.former.jsonl'));
  await small(bytes * 10).append(use('n3'));
  await lock.release();
  await Promise.all(waiting);
  expect((await small(1e6).read()).map(({ credential }) => credential).sort()).toEqual(['n0', 'n1', 'n2', 'n3']);
});

it('a line that a killed writer left half is skipped, and harms none after it', async () => {
  const store = open();
  await store.logUse(use('before'));
  await appendFile(path, '{"at":"2026-01-02T03:04:05Z","act');
  await store.logUse(use('after'));
  await appendFile(path, '{"at":"2026-01-02T03:04:05Z","action":"danced","credential":"x","by":"x","outcome":"ok"}\n[]\nnull\n');
  let skipped = 0;
  const uses = await store.uses({
    skipped: (lines) => {
      skipped = lines;
    },
  });
  expect([uses.map(({ credential }) => credential), skipped]).toEqual([['before', 'after'], 4]);
});

describe('a use that cannot be written', () => {
  const unwritten = {
    code: 'store_unwritable',
    where: expect.stringContaining('uses.jsonl'),
    next: expect.stringContaining('FERRULE_AUDIT=off'),
  };

  it('fails, unless nothing is to be written down', async () => {
    // A disk without a free byte.
    await symlink('/dev/full', path);
    await expect(open().logUse(use('a'))).rejects.toMatchObject({ ...unwritten, message: expect.stringContaining('ENOSPC') });
    await expect(logged(open(), use('a'), {}, async () => 'the secret')).rejects.toMatchObject(unwritten);
    // What has failed already fails with its own error.
    const failing = logged(open(), use('a'), {}, async () => {
      throw new FerruleError('store_locked', 'held');
    });
    await expect(failing).rejects.toMatchObject({ code: 'store_locked' });
    await open({ FERRULE_AUDIT: 'off' }).logUse(use('a'));
    await encryptedFileStore({ folder, env: {}, audit: false }).logUse(use('a'));
    await expect(open({ FERRULE_AUDIT: 'no' }).logUse(use('a'))).rejects.toMatchObject({ code: 'input_malformed', where: 'FERRULE_AUDIT' });
  });

  it('opens no connection', async () => {
    const { spec } = await loadFile('connectors/jumpseller.yaml');
    const fields = { username: 'ann', password: new Secret(canary('uses-password')) };
    const inputs = { choices: {}, fields, captures: {}, expires: {}, version: 0, created: '', updated: '' };
    await open().put({ name: 'shop', connector: 'jumpseller', method: 'basic', ...inputs });
    const connection = await connectStored(spec!, 'shop', { store: open() });
    await connection.close();
    const [opened] = await open().uses();
    expect(opened).toMatchObject({ action: 'opened', credential: 'shop', connector: 'jumpseller', outcome: 'ok' });
    await rm(path);
    await symlink('/dev/full', path);
    await expect(connectStored(spec!, 'shop', { store: open() })).rejects.toMatchObject(unwritten);
  });

  it('is told of a folder that cannot be written, too', async () => {
    const blocked = join(folder, 'file');
    await writeFile(blocked, '');
    await expect(encryptedFileStore({ folder: blocked, env: {} }).logUse(use('a'))).rejects.toMatchObject({ code: 'store_unwritable' });
  });
});

it('what fails is written down with its code; a name that is not stored is no use of it', async () => {
  const store = open();
  for (const code of ['store_conflict', 'credential_unknown'] as const) {
    await expect(
      logged(store, { action: 'copied', credential: 'a' }, {}, async () => {
        throw new FerruleError(code, 'no');
      }),
    ).rejects.toMatchObject({ code });
  }
  expect((await store.uses()).map(({ action, outcome }) => [action, outcome])).toEqual([['copied', 'store_conflict']]);
});
