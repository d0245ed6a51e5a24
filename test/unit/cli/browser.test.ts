import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browserCommand, openBrowser } from '../../../framework/cli/browser.ts';
import { fakeIo } from '../../cli-io.ts';

describe("the person's own browser, outside of this program (RFC 8252, 6)", () => {
  it.each<[string, Record<string, string>, NodeJS.Platform, readonly string[] | undefined]>([
    ['a Mac', {}, 'darwin', ['open']],
    ['Windows, without a shell', {}, 'win32', ['rundll32', 'url.dll,FileProtocolHandler']],
    ['a desktop', { DISPLAY: ':0' }, 'linux', ['xdg-open']],
    ['no desktop', {}, 'linux', undefined],
    ['a Mac by SSH', { SSH_TTY: 'x' }, 'darwin', undefined],
    ['what the person has chosen', { BROWSER: 'lynx', DISPLAY: ':0' }, 'linux', ['lynx']],
    ['who wants none', { BROWSER: 'none', DISPLAY: ':0' }, 'linux', undefined],
  ])('%s', (_, env, platform, command) => {
    expect(browserCommand({ env }, platform)).toEqual(command);
  });

  it('is given the address as it is: no shell reads it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ferrule-browser-'));
    const program = join(folder, 'browser');
    writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$#" "$@" > "$0.part" && mv "$0.part" "$0.seen"\n');
    chmodSync(program, 0o700);
    try {
      const url = 'https://auth.acme.test/a?x=$(id)&y=`id`;z="1\'%20|&state=s';
      expect(await openBrowser(fakeIo({ env: { BROWSER: program } }), url)).toBe(true);
      expect(await written(`${program}.seen`)).toBe(`1\n${url}\n`);
      expect(await openBrowser(fakeIo({ env: { BROWSER: join(folder, 'none') } }), url)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function written(path: string): Promise<string> {
  for (let tries = 0; tries < 500; tries += 1) {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the browser was never started');
}
