import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../framework/cli/main.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { plainCanary } from '../../canary.ts';
import { type FakeIo, fakeIo } from '../../cli-io.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

let home: string;
let server: LocalServer;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ferrule-people-'));
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});

const SECRET = plainCanary('client of people');

/** A provider on this machine, whose only method is given. */
async function start(auth: string, answer: (request: Received) => Answer): Promise<void> {
  server = await serve(answer);
  writeFileSync(
    join(home, 'own.yaml'),
    `spec: 1
name: own
title: Own
version: 1.0.0
fields: { site: { type: url } }
${auth}
http: { base_url: '\${fields.site}', allow_http: loopback }
check: { get: /me }
`,
  );
  writeFileSync(join(home, 'secret.txt'), SECRET);
}

/** Runs a command until it ends; `during` sees what it prints. */
async function run(argv: string[], during?: (io: FakeIo) => Promise<void>, stdin?: string): Promise<FakeIo & { code: number }> {
  const io = fakeIo({ env: { FERRULE_HOME: home, BROWSER: 'none', NO_COLOR: '1' }, cwd: home, ...(stdin !== undefined && { stdin }) });
  // Nobody waits for a person who is not there.
  io.clock = { ...io.clock, now: Date.now, sleep: async () => {} };
  const running = main([...argv, '--allow-loopback'], io);
  await during?.(io);
  const code = await running;
  expect(io.out() + io.err()).not.toContain(SECRET);
  return { ...io, code };
}

async function until(io: FakeIo, pattern: RegExp): Promise<void> {
  for (let tries = 0; tries < 500 && !pattern.test(io.err()); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

const connecting = (...more: string[]): string[] => ['connect', 'own.yaml', '--field', `site=${server.origin}`, ...more];
const stored = () => encryptedFileStore({ folder: home, env: {} }).get('own');
const CLIENT = ['--field', 'client_id=app', '--field', 'client_secret=@secret.txt'];
const DEVICE = `auth: { tv: { type: oauth2_device, device_authorization_url: '\${fields.site}/device', token_url: '\${fields.site}/token', revoke: { post: '\${fields.site}/revoke' } } }`;

const device = ({ path }: Received): Answer => {
  if (path === '/token') return { json: { access_token: plainCanary('tv token'), expires_in: 60 } };
  if (path !== '/device') return { json: {} };
  const page = 'https://own.example/go';
  const code = { device_code: plainCanary('device of people'), user_code: 'WDJB-MJHT', expires_in: 600, interval: 1 };
  return { json: { ...code, verification_uri: page, verification_uri_complete: `${page}?user_code=WDJB-MJHT` } };
};

describe('a code to enter on another device', () => {
  it('is printed with its page, and the credential stored once it was entered', async () => {
    await start(DEVICE, device);
    const { code, err } = await run(connecting(...CLIENT));
    expect(err()).toContain(`Open this address on any device, and enter the code:

  https://own.example/go
  code: WDJB-MJHT

With the code filled in: https://own.example/go?user_code=WDJB-MJHT
Waiting for your consent; the code holds for 10 minutes (Ctrl-C ends).
`);
    expect([code, await stored()]).toMatchObject([0, { method: 'tv' }]);
    expect(err()).not.toContain(plainCanary('device of people'));
  });
});

describe('credentials remove --revoke', () => {
  it('tells the provider, and then forgets', async () => {
    await start(DEVICE, device);
    await run(connecting(...CLIENT));
    const { code, err } = await run(['credentials', 'remove', 'own', '--revoke', '--catalogue', home]);
    expect([code, err(), await stored()]).toEqual([0, '"own" is revoked at the provider and removed here.\n', undefined]);
    expect(new URLSearchParams(server.received.at(-1)?.body).get('token')).toBe(plainCanary('tv token'));
  });

  it('keeps what the provider did not take, unless --force', async () => {
    await start(DEVICE, (request) => (request.path === '/revoke' ? { status: 400, json: { error: 'invalid_client' } } : device(request)));
    await run(connecting(...CLIENT));
    const kept = await run(['credentials', 'remove', 'own', '--revoke', '--catalogue', home]);
    expect(kept.err()).toContain('"own" was not revoked, and stays.');
    expect(kept.err()).toContain('error[token_refused]: revoke: refused (invalid_client');
    expect([kept.code, (await stored())?.name]).toEqual([1, 'own']);
    const forced = await run(['credentials', 'remove', 'own', '--revoke', '--force', '--catalogue', home]);
    expect(forced.err()).toContain('"own" is removed here. It was not revoked');
    expect([forced.code, await stored()]).toEqual([1, undefined]);
  });
});

const INSTALL = `auth: { app: { type: custom, install: { url: 'https://own.example/install', state: false, capture: { shop: { path: '\${callback.shop_id}', pattern: '^[0-9]+$', secret: false } } }, send: { headers: { X-Shop: '\${token.shop}' } } } }`;

describe('an installation page', () => {
  const shop = () => server.received.find(({ path }) => path === '/me')?.headers['x-shop'];

  it('comes back to the port that is listened on', async () => {
    await start(INSTALL, () => ({ json: {} }));
    const { code } = await run(connecting('--redirect', '18771'), async (io) => {
      await until(io, /Waiting for the answer/);
      await fetch('http://localhost:18771/callback?shop_id=7&setup_action=install');
    });
    expect([code, shop()]).toEqual([0, '7']);
  });

  it.each(['http://localhost:8765/callback?shop_id=7', '?shop_id=7&setup_action=install', 'shop_id=7'])(
    '%s can be pasted',
    async (text) => {
      await start(INSTALL, () => ({ json: {} }));
      const { code } = await run(connecting('--paste'), undefined, `${text}\n`);
      expect([code, shop()]).toEqual([0, '7']);
    },
  );
});

const OAUTH1 = `auth: { one: { type: oauth1, request_url: '\${fields.site}/request', authorize_url: 'https://own.example/authorize', token_url: '\${fields.site}/access' } }`;
const KEYS = ['--field', 'consumer_key=app', '--field', 'consumer_secret=@secret.txt'];
const oauth1 = ({ path }: Received): Answer => {
  if (path === '/request') return { text: `oauth_token=temp&oauth_token_secret=${SECRET}&oauth_callback_confirmed=true` };
  return path === '/access' ? { text: `oauth_token=lasting&oauth_token_secret=${SECRET}` } : { json: {} };
};

describe('OAuth 1.0a (RFC 5849, 2)', () => {
  it.each([
    ['the address', 'http://localhost:8765/callback?oauth_token=temp&oauth_verifier=v1', []],
    ['the query', 'oauth_token=temp&oauth_verifier=v1', []],
    ['the code alone, out of band', 'v1', ['--redirect', 'oob']],
  ])('takes %s', async (_, text, more) => {
    await start(OAUTH1, oauth1);
    const { code, err } = await run(connecting('--paste', ...KEYS, ...more), undefined, `${text}\n`);
    expect(err()).toContain('https://own.example/authorize?oauth_token=temp');
    expect(code).toBe(0);
    const access = server.received.find(({ path }) => path === '/access')?.headers.authorization;
    expect(access).toContain('oauth_verifier="v1"');
  });

  it('comes back to the port that is listened on', async () => {
    await start(OAUTH1, oauth1);
    const { code } = await run(connecting(...KEYS, '--redirect', '18772'), async (io) => {
      await until(io, /Waiting for the answer/);
      await fetch('http://localhost:18772/callback?oauth_token=temp&oauth_verifier=v2');
    });
    expect(code).toBe(0);
  });

  it.each([
    ['denied=temp', 'consent_denied'],
    ['denied=other', 'state_mismatch'],
    ['oauth_token=temp&oauth_problem=user_refused', 'consent_denied'],
  ])('%s ends it', async (text, error) => {
    await start(OAUTH1, oauth1);
    const { code, err } = await run(connecting('--paste', ...KEYS), undefined, `?${text}\n`);
    expect([code, err()]).toEqual([1, expect.stringContaining(`error[${error}]`)]);
  });
});
