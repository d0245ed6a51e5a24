import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../framework/cli/main.ts';
import { reveal, type Text } from '../../../framework/core/secret.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import type { Credential } from '../../../framework/credentials/types.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { loadFile } from '../../../framework/spec/load.ts';
import { type FakeIo, fakeIo } from '../../cli-io.ts';
import { misfits } from '../../scenarios/json-schemas.ts';

let home: string;
let sandbox: Sandbox;

async function start(connector: string, file = `connectors/${connector}.yaml`): Promise<void> {
  const { spec } = await loadFile(file);
  sandbox = await startSandbox(spec!, { records: 4, parents: 2 });
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ferrule-consent-'));
});
afterEach(async () => {
  await sandbox.close();
  rmSync(home, { recursive: true });
});

/** Resolves when the text is on standard error. */
async function until(io: FakeIo, pattern: RegExp): Promise<RegExpExecArray> {
  for (let tries = 0; tries < 500; tries += 1) {
    const found = pattern.exec(io.err());
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${pattern} never came; there is:\n${io.err()}`);
}

/** What a person does in the browser: opens the page and presses a button. Gives the address that they end on. */
async function answerPage(url: string, decision: 'accept' | 'deny'): Promise<string> {
  const page = await (await fetch(url)).text();
  const id = /name="id" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const action = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? '', url);
  const answer = await fetch(action, { method: 'POST', body: new URLSearchParams({ id, decision }), redirect: 'manual' });
  return answer.headers.get('location') ?? '';
}

const refreshToken = (credential: Credential | undefined): string => reveal(credential?.captures.refresh_token as Text);

const stored = (name: string) => encryptedFileStore({ folder: home, env: {} }).get(name);

describe('connect through consent', () => {
  it('listens on the redirect port, lets the person choose a profile, and stores it all', async () => {
    await start('amazon-ads');
    const env = { FERRULE_HOME: home, BROWSER: 'none', NO_COLOR: '1' };
    const io = fakeIo({ env, columns: 100 });
    const running = main(['connect', 'amazon-ads', '--sandbox', sandbox.origin, '--redirect', '18765', '--name', 'ads'], io);
    const [url] = await until(io, /http:\/\/127\.0\.0\.1:\d+\/ap\/oa\S+/);
    expect(new URL(url).searchParams.get('redirect_uri')).toBe('http://localhost:18765/callback');
    expect(new URL(url).searchParams.get('code_challenge_method')).toBe('S256');
    expect((await fetch(await answerPage(url, 'accept'))).ok).toBe(true);
    const [, profile] = await until(io, /^ *2 {2}.* {2}(\S+)$/m);
    await until(io, /Number \(Enter to leave out\): /);
    io.type('2\r');
    expect(await running).toBe(0);
    expect((await stored('ads'))?.fields.profile_id).toBe(profile);

    const read = fakeIo({ env, cwd: home });
    expect(await main(['read', 'amazon-ads', 'sp_campaigns', '--out', '-'], read)).toBe(0);
    expect(read.out().trim().split('\n')).toHaveLength(4);
    // Enter alone chooses none: then all are read.
    const again = fakeIo({ env, columns: 100 });
    const leaving = main(['connect', 'amazon-ads', '--sandbox', sandbox.origin, '--redirect', '18767', '--name', 'all'], again);
    const [next] = await until(again, /http:\/\/127\.0\.0\.1:\d+\/ap\/oa\S+/);
    expect((await fetch(await answerPage(next, 'accept'))).ok).toBe(true);
    await until(again, /Number \(Enter to leave out\): /);
    again.type('\r');
    expect(await leaving).toBe(0);
    expect((await stored('all'))?.fields).not.toHaveProperty('profile_id');

    for (const secret of [...sandbox.tokens.access, ...sandbox.tokens.refresh, sandbox.inputs.fields.client_secret!]) {
      for (const text of [io.err(), io.out(), read.err(), read.out()]) expect(text).not.toContain(secret);
    }
  });

  it('says what can be chosen where nobody can be asked, and takes it later without another consent', async () => {
    // As Amazon Ads is, but for a profile that must be chosen, and that the check does not look for.
    const folder = join(home, 'specs');
    mkdirSync(folder);
    const text = readFileSync('connectors/amazon-ads.yaml', 'utf8');
    writeFileSync(
      join(folder, 'amazon-ads.yaml'),
      text.replace('    after: auth\n    required: false\n', '    after: auth\n').replace(/ {2}expect: .*exists.*\n/, ''),
    );
    await start('amazon-ads', join(folder, 'amazon-ads.yaml'));
    const env = { FERRULE_HOME: home, FERRULE_CONNECTORS: folder, BROWSER: 'none' };
    const first = fakeIo({ env });
    const running = main(['connect', 'amazon-ads', '--sandbox', sandbox.origin, '--redirect', '18766', '--name', 'ads'], first);
    const [url] = await until(first, /http:\/\/127\.0\.0\.1:\d+\/ap\/oa\S+/);
    await fetch(await answerPage(url, 'accept'));
    expect(await running).toBe(0);
    const store = encryptedFileStore({ folder: home, env: {} });
    await store.update('ads', async ({ fields: { profile_id: _gone, ...fields }, ...rest }) => ({ ...rest, fields }));
    const before = await store.get('ads');

    const io = fakeIo({ env });
    expect(await main(['connect', 'amazon-ads', '--name', 'ads', '--description', 'EU', '--json'], io)).toBe(0);
    const output = JSON.parse(io.out()) as { missing: { field: string; options: { value: string }[] }[] };
    expect(misfits('connect', io.out())).toEqual([]);
    expect(output.missing).toHaveLength(1);
    expect(output.missing[0]?.field).toBe('profile_id');
    expect(output.missing[0]?.options).toHaveLength(sandbox.expected.profiles!);
    expect(io.err()).toContain("Choose with `ferrule connect amazon-ads --name 'ads' --field profile_id=…`.");

    const profile = output.missing[0]?.options[1]?.value ?? '';
    const again = fakeIo({ env });
    expect(await main(['connect', 'amazon-ads', '--name', 'ads', '--field', `profile_id=${profile}`], again)).toBe(0);
    const after = await store.get('ads');
    expect(after?.fields.profile_id).toBe(profile);
    const stranger = fakeIo({ env });
    expect(await main(['connect', 'amazon-ads', '--name', 'ads', '--field', 'profile_id=12'], stranger)).toBe(0);
    expect(stranger.err()).toContain('Profile: 12 is not among what the provider offers: ');
    expect(after?.description).toBe('EU');
    expect(refreshToken(after)).toBe(refreshToken(before));
    expect(sandbox.requests.filter(({ path }) => path === '/auth/o2/token')).toHaveLength(1);
    await store.close();
  });

  it('takes a pasted address on a terminal, and stores nothing when the person refuses', async () => {
    await start('jumpseller');
    const argv = ['connect', 'jumpseller', '--method', 'oauth', '--sandbox', sandbox.origin, '--paste'];
    const inputs = sandbox.inputsFor('oauth').fields;
    const fields = Object.entries(inputs).flatMap(([name, value]) => ['--field', `${name}=${value}`]);
    const io = fakeIo({ env: { FERRULE_HOME: home, NO_COLOR: '1' }, columns: 100 });
    const running = main([...argv, ...fields], io);
    const [url] = await until(io, /http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\S+/);
    await until(io, /Paste the address/);
    io.type(`${await answerPage(url, 'accept')}\r`);
    expect(await running).toBe(0);
    expect(io.err()).toContain('Stored credential "jumpseller"');

    const refused = fakeIo({ env: { FERRULE_HOME: home, NO_COLOR: '1' }, columns: 100 });
    const second = main([...argv, ...fields, '--name', 'other'], refused);
    const [page] = await until(refused, /http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\S+/);
    await until(refused, /Paste the address/);
    refused.type(`${await answerPage(page, 'deny')}\r`);
    expect(await second).toBe(1);
    expect(refused.err()).toContain('error[consent_denied]');
    expect(await stored('other')).toBeUndefined();
  });

  it('says which port is taken', async () => {
    await start('amazon-ads');
    const port = new URL(sandbox.origin).port;
    const io = fakeIo({ env: { FERRULE_HOME: home } });
    expect(await main(['connect', 'amazon-ads', '--sandbox', sandbox.origin, '--redirect', port], io)).toBe(2);
    expect(io.err()).toContain(`error[callback_port_taken]: The callback port ${port} is taken by another program`);
  });
});
