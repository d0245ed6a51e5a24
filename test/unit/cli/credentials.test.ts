import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../framework/cli/main.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import type { Credential, CredentialStore } from '../../../framework/credentials/types.ts';
import { editCredential } from '../../../framework/index.ts';
import { canary } from '../../canary.ts';
import { type FakeIo, fakeIo } from '../../cli-io.ts';

let home: string;
let store: CredentialStore;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ferrule-credentials-'));
  store = encryptedFileStore({ folder: home, env: {} });
});
afterEach(() => rmSync(home, { recursive: true }));

/** With everything on it that a copy must not take along. */
function granted(name: string): Credential {
  const [client, token] = [new Secret(canary('granted client')), new Secret(canary('granted token'))];
  return {
    ...{ name, connector: 'jumpseller', method: 'oauth', choices: {}, fields: { client_id: 'app', client_secret: client } },
    ...{ captures: { access_token: token, refresh_token: token }, expires: { token: 1 }, obtained: { token: 1 }, scope: 'read' },
    ...{ checked: { at: '2026-01-01T00:00:00Z', ok: true }, state: 'ready', description: 'mine' },
    failing: { since: '2026-01-01T00:00:00Z', count: 2, at: 1, until: 9e15, code: 'timeout', kind: 'transient', message: 'too long' },
    ...{ version: 0, created: '2026-01-01T00:00:00Z', updated: '2026-01-01T00:00:00Z' },
  };
}

/** At a terminal; each question is answered once it stands at the end of what is shown. */
async function at(
  argv: readonly string[],
  answers: readonly (readonly [question: string, typed: string])[],
): Promise<FakeIo & { code: number }> {
  const io = fakeIo({ columns: 200, cwd: home, env: { FERRULE_HOME: home, NO_COLOR: '1' } });
  const running = main(argv, io);
  for (const [question, typed] of answers) {
    for (let tries = 0; tries < 500 && !io.err().endsWith(question); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(io.err()).toMatch(new RegExp(`${question.replace(/[()]/g, '.')}$`));
    io.type(`${typed}\r`);
  }
  const code = await running;
  for (const [, typed] of answers) if (typed.startsWith('CANARY')) expect(io.err()).not.toContain(typed);
  return { ...io, code };
}
const uses = async () => (await store.uses()).map(({ action, credential }) => `${action} ${credential}`);

it('copy takes the inputs alone: no token, no check, no failure, and a grant of its own must come', async () => {
  await store.put(granted('one'));
  const { code, err } = await at(['credentials', 'copy', 'one', 'two'], []);
  expect([code, err()]).toEqual([0, expect.stringContaining("`ferrule connect jumpseller --name 'two'` gets one.")]);
  const { created, updated, ...copy } = (await store.get('two'))!;
  expect(copy).toEqual({
    ...{ name: 'two', connector: 'jumpseller', method: 'oauth', choices: {}, description: 'mine', version: 1, state: 'reconnect' },
    ...{ fields: { client_id: 'app', client_secret: new Secret(canary('granted client')) }, captures: {}, expires: {} },
  });
  expect((copy.fields.client_secret as Secret).reveal()).toBe(canary('granted client'));
  expect([created.slice(0, 4), await uses()]).toEqual([updated.slice(0, 4), ['copied two', 'copied one']]);
});

describe('export', () => {
  it('asks for a new passphrase until both are the same; the file is for its owner alone', async () => {
    await store.put(granted('one'));
    const passphrase = canary('typed-passphrase');
    const { code, err } = await at(
      ['credentials', 'export', 'out'],
      [
        ['Passphrase: ', passphrase],
        ['Once more: ', 'not the same'],
        ['They differ.\nPassphrase: ', passphrase],
        ['Once more: ', passphrase],
      ],
    );
    expect([code, err()]).toEqual([0, expect.stringMatching(/Refresh tokens are in it[\s\S]*Exported 1 credential to out\.\n$/)]);
    expect((statSync(join(home, 'out')).mode & 0o777).toString(8)).toBe('600');
    expect(await uses()).toEqual(['exported one']);

    const other = fakeIo({ cwd: home, env: { FERRULE_HOME: join(home, 'other'), FERRULE_PASSPHRASE: passphrase } });
    expect([await main(['credentials', 'import', 'out'], other), other.err()]).toEqual([0, 'Imported "one".\n']);
    const found = (await encryptedFileStore({ folder: join(home, 'other'), env: {} }).get('one'))!;
    expect([(found.captures.refresh_token as Secret).reveal(), found.failing?.count]).toEqual([canary('granted token'), 2]);
  });
});

describe('edit', () => {
  it('asks for a field that is only named, until a value fits, and shows none', async () => {
    await store.put(granted('one'));
    const { code, err } = await at(
      ['credentials', 'edit', 'one', '--field', 'client_secret'],
      [
        ['Client secret: ', ''],
        ['A value is needed.\nClient secret: ', canary('typed client')],
      ],
    );
    expect([code, err()]).toEqual([0, expect.stringContaining('Changed in "one": client_secret. A new access token is asked for')]);
    const found = (await store.get('one'))!;
    expect([(found.fields.client_secret as Secret).reveal(), found.failing, found.checked]).toEqual([
      canary('typed client'),
      undefined,
      undefined,
    ]);
    expect([(found.captures.refresh_token as Secret).reveal(), await uses()]).toEqual([canary('granted token'), ['changed one']]);
  });

  it('says when a consent must be given again; in code the connector is found by the credential', async () => {
    await store.put(granted('one'));
    const { err } = await at(['credentials', 'edit', 'one', '--field', 'client_id=other'], []);
    expect(err()).toContain(
      "Its tokens belonged to the old values and are gone: connect again: `ferrule connect jumpseller --name 'one'`.",
    );
    expect(await editCredential(store, 'one', { fields: { client_id: 'third' } })).toEqual({
      ...{ changed: ['client_id'], tokens: 'dropped', reconnect: true },
    });
    await expect(editCredential(store, 'nobody', {})).rejects.toMatchObject({ code: 'credential_unknown' });
  });
});

it('uses tells of lines that a killed writer left half, and shows nothing that moves a cursor', async () => {
  await store.put(granted('one'));
  await at(['credentials', 'edit', 'one', '--description', 'x'], []);
  const forged = JSON.stringify({ at: '2026', action: 'opened', credential: '\u001b[2Jone', by: 'x', outcome: 'ok' });
  appendFileSync(join(home, 'uses.jsonl'), `${forged}\n{"at":`);
  const { code, out, err } = await at(['credentials', 'uses'], []);
  expect([code, err()]).toEqual([0, 'Skipped 1 broken line in the log.\n']);
  expect(out()).toMatch(/changed +one +jumpseller +ok/);
  expect(out()).not.toContain('\u001b[2J');
});
