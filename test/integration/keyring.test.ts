/**
 * A store's key in the keyring of a Linux desktop: gnome-keyring on a message bus of its own, with secret-tool, which is not ours, as the
 * witness of what is in it. Each session is a program that dbus-run-session starts and ends.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canary, plainCanary } from '../canary.ts';

let home: string;
let account: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'ferrule-keyring-'));
  execFileSync('mkdir', ['-m', '700', join(home, 'store'), join(home, 'run')]);
  account = `store-${createHash('sha256')
    .update(realpathSync(join(home, 'store')))
    .digest('hex')
    .slice(0, 32)}`;
});
afterAll(() => rmSync(home, { recursive: true }));

const UNLOCK = `printf '%s' "$KEYRING_PASSWORD" | gnome-keyring-daemon --unlock --components=secrets > /dev/null`;
const FERRULE = `${process.execPath} ${join(process.cwd(), 'dist/cli.js')}`;
const LOOKUP = 'secret-tool lookup service ferrule username "$ACCOUNT"';

/** Runs a shell script in a session; a keyring that asks somebody must not wait for ever. */
function session(script: string, env: Record<string, string> = {}): { status: number | null; out: string; err: string } {
  const own = {
    ...{ PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), FERRULE_HOME: join(home, 'store'), ACCOUNT: account },
    ...{ KEYRING_PASSWORD: plainCanary('login keyring'), NO_COLOR: '1', FERRULE_JUMPSELLER_PASSWORD: plainCanary('kept by the keyring') },
  };
  const { status, stdout, stderr } = spawnSync('dbus-run-session', ['--', 'sh', '-ec', script], {
    env: { ...own, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: stdout, err: stderr };
}
const connect = (name: string) => `${FERRULE} connect jumpseller --method basic --field username=ann --name ${name} --no-check`;
const reveal = (name: string) => `${FERRULE} credentials show ${name} --connection-string --reveal`;
const keyFile = () => readFileSync(join(home, 'store/key'), 'utf8');
const KEY = /^[A-Za-z0-9+/]{43}=$/;

it('makes the key in the keyring, where secret-tool finds it, and no file has it', () => {
  const { status, out, err } = session(`${UNLOCK}; ${connect('one')}; ${reveal('one')}; ${LOOKUP}`, { FERRULE_KEY: 'keyring' });
  expect([status, err]).toEqual([0, expect.stringContaining('Stored credential "one".')]);
  const [revealed, key = '', ...rest] = out.split('\n');
  expect(revealed).toContain(plainCanary('kept by the keyring'));
  expect([key, rest]).toEqual([expect.stringMatching(KEY), ['']]);
  expect(keyFile()).toBe('keyring\n');
  expect(spawnSync('grep', ['-rlF', key, home]).stdout.toString()).toBe('');
});

it('the next session reads it without a word, and a rotation leaves one other key', () => {
  const { status, out, err } = session(`${UNLOCK}; ${LOOKUP}; ${FERRULE} credentials rekey; ${LOOKUP}; ${reveal('one')}`);
  expect([status, err]).toEqual([0, expect.stringContaining('1 of 1 credentials are sealed anew.')]);
  const [before, after, revealed] = out.split('\n');
  expect([before, after]).toEqual([expect.stringMatching(KEY), expect.stringMatching(KEY)]);
  expect(after).not.toBe(before);
  expect(revealed).toContain(plainCanary('kept by the keyring'));
});

it('goes to the key file and back', () => {
  const out = session(`${UNLOCK}; ${FERRULE} credentials rekey --to file; ${LOOKUP} || echo none; ${reveal('one')}`);
  expect([out.status, out.out]).toEqual([0, expect.stringMatching(/^none\n.*Password=/)]);
  const [inFile = ''] = keyFile().split('\n');
  expect(inFile).toMatch(KEY);
  const back = session(`${UNLOCK}; ${FERRULE} credentials rekey --to keyring; ${LOOKUP}; ${reveal('one')}`);
  expect([back.status, keyFile()]).toEqual([0, 'keyring\n']);
  expect(back.out.split('\n')[0]).toMatch(KEY);
  expect(back.out.split('\n')[0]).not.toBe(inFile);
});

it('a locked keyring, one that was emptied, and a machine without any: each says what it is, and makes nothing', () => {
  const password = canary('not the password');
  const locked = session(`gnome-keyring-daemon --start --components=secrets > /dev/null; ${reveal('one')} || echo failed $?`, {
    KEYRING_PASSWORD: password,
  });
  expect([locked.out, locked.err]).toEqual([
    'failed 2\n',
    expect.stringMatching(/error\[store_unreadable\]: The operating system's keyring cannot be used/),
  ]);
  const none = spawnSync(process.execPath, ['dist/cli.js', 'credentials', 'show', 'one'], {
    env: { PATH: process.env.PATH, HOME: home, FERRULE_HOME: join(home, 'store') },
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect([none.status, none.stderr]).toEqual([
    2,
    expect.stringMatching(/error\[store_unreadable\]: The operating system's keyring cannot be used[\s\S]*Unlock it/),
  ]);
  const emptied = session(
    `${UNLOCK}; secret-tool clear service ferrule username "$ACCOUNT"; ${connect('two')} || echo failed $?; ${LOOKUP} || echo none`,
  );
  expect([emptied.out, emptied.err]).toEqual([
    'failed 2\nnone\n',
    expect.stringContaining("error[store_key_wrong]: The keyring has no key for this store's folder."),
  ]);
});
