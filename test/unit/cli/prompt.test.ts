import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stop } from '../../../framework/cli/io.ts';
import { main } from '../../../framework/cli/main.ts';
import { ask, askSecret, choose } from '../../../framework/cli/prompt.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { canary } from '../../canary.ts';
import { type FakeIo, fakeIo } from '../../cli-io.ts';

async function until(io: FakeIo, text: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (io.err().includes(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`"${text}" never came; there is:\n${io.err()}`);
}

describe('prompts', () => {
  it('shows nothing of a secret while it is typed, pasted or corrected', async () => {
    const io = fakeIo({ columns: 80 });
    const secret = canary('prompt');
    const asked = askSecret(io, 'Password: ');
    io.type('x\u007f');
    io.type('wrong\u0015');
    io.type(`${secret}\r`);
    expect((await asked).reveal()).toBe(secret);
    expect(io.err()).toBe('Password: \n');
  });

  it('ends a question when the run is aborted', async () => {
    const io = fakeIo({ columns: 80 });
    const asked = ask(io, 'Name: ');
    io.abort(new Stop('stopped', 130));
    await expect(asked).rejects.toThrow();
  });

  it('offers a numbered list: number, value, Enter for the preset, and again after a wrong answer', async () => {
    const choices = [
      { value: 'na', label: 'North America' },
      { value: 'eu', label: 'Europe' },
    ];
    for (const [typed, expected] of [
      ['2\r', 'eu'],
      ['eu\r', 'eu'],
      ['\r', 'na'],
    ] as const) {
      const io = fakeIo({ columns: 80 });
      const asked = choose(io, 'Region', choices, 'na');
      await until(io, 'Number');
      io.type(typed);
      expect(await asked).toBe(expected);
    }
    const io = fakeIo({ columns: 80 });
    const asked = choose(io, 'Region', choices);
    await until(io, 'Number');
    io.type('7\r');
    await until(io, 'from 1 to 2');
    io.type('1\r');
    expect(await asked).toBe('na');
  });

  it('shows twenty of a long list, and finds the others by part of a name, under their own numbers', async () => {
    const choices = Array.from({ length: 250 }, (_, index) => ({
      value: String(9000 + index),
      label: index === 230 ? 'Kelp (DE)' : `Shop ${index}`,
    }));
    const io = fakeIo({ columns: 80 });
    const asked = choose(io, 'Profile', choices);
    await until(io, '… and 230 more');
    expect(
      io
        .err()
        .split('\n')
        .filter((line) => line.includes('Shop')),
    ).toHaveLength(20);
    io.type('nothing such\r');
    await until(io, 'Type a number from 1 to 250, or part of a name.');
    io.type('kelp\r');
    await until(io, '  231  Kelp (DE)  9230\n');
    io.type('231\r');
    expect(await asked).toBe('9230');
  });

  it('tells a wrong name before it asks, and does not ask for a method that the fields decide', async () => {
    const wrong = fakeIo({ columns: 80 });
    expect(await main(['connect', 'jama-connect', '--field', 'sit=https://acme.jamacloud.com'], wrong)).toBe(2);
    expect(wrong.err()).toContain('There is no field or choice "sit".');
    expect(wrong.err()).not.toContain('How do you sign in?');

    const io = fakeIo({ columns: 80 });
    const running = main(['connect', 'jama-connect', '--field', 'username=ann'], io);
    await until(io, 'Jama Connect URL');
    expect(io.err()).not.toContain('How do you sign in?');
    io.abort(new Stop('stopped', 130));
    expect(await running).toBe(130);
  });

  it('asks for method, choices and fields of a connector, again where a value does not fit, and stores them', async () => {
    const home = mkdtempSync(join(tmpdir(), 'ferrule-prompt-'));
    try {
      const io = fakeIo({ env: { FERRULE_HOME: home }, columns: 80 });
      const password = canary('asked');
      const running = main(['connect', 'jama-connect', '--no-check', '--name', 'mine'], io);
      for (const [question, answer] of [
        ['Number (Enter for the default): ', 'basic\r'],
        ['Jama Connect URL (such as https://acme.jamacloud.com): ', 'http://evil.example\r'],
        ['The value ', 'https://acme.jamacloud.com\r'],
        ['Changes since (Enter to leave out): ', '\r'],
        ['User name: ', 'ann\r'],
        ['Password: ', `${password}\r`],
      ] as const) {
        await until(io, question);
        io.type(answer);
      }
      expect(await running).toBe(0);
      expect(io.err()).not.toContain(password);
      const credential = await encryptedFileStore({ folder: home, env: {} }).get('mine');
      expect(credential?.method).toBe('basic');
      expect(credential?.fields.site).toBe('https://acme.jamacloud.com');
      expect(credential?.fields.start_date).toBeUndefined();
      expect(String(credential?.fields.password)).toBe('[secret]');
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
