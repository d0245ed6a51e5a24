import { createCipheriv, createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { systemRandom } from '../../../framework/core/clock.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import type { Credential, CredentialStore } from '../../../framework/credentials/types.ts';
import { exportCredentials, importCredentials } from '../../../framework/index.ts';
import { canary } from '../../canary.ts';
import { sampleCredential } from './store-contract.ts';

const PASSPHRASE = canary('export-passphrase');
const MEMORY = { maxmem: 2 ** 28 };

async function storeWith(...credentials: Credential[]): Promise<CredentialStore> {
  const store = memoryStore();
  for (const credential of credentials) await store.put(credential);
  return store;
}
const names = async (store: CredentialStore) => (await store.list()).map(({ name }) => name);
const shop = (name: string, method = 'oauth'): Credential => ({
  ...sampleCredential(name),
  ...{
    connector: 'jumpseller',
    method,
    choices: {},
    obtained: { token: 1 },
    state: 'ready',
    checked: { at: '2026-01-01T00:00:00Z', ok: true },
  },
});

// One sealing for many tests: each costs what a guess is to cost.
let sealed: Buffer;
beforeAll(async () => {
  sealed = Buffer.from(await exportCredentials(await storeWith(sampleCredential('a'), sampleCredential('b')), ['a', 'b', 'a'], PASSPHRASE));
});

/** The file as its description says, opened by nothing of ours. */
function openByHand(bytes: Buffer, passphrase: string): { header: Record<string, unknown>; text: string } {
  const end = bytes.indexOf('\n') + 1;
  const header = JSON.parse(bytes.toString('utf8', 0, end)) as Record<string, string & number>;
  const key = scryptSync(passphrase.normalize('NFC'), Buffer.from(header.salt!, 'base64'), 48, {
    N: header.n!,
    r: header.r!,
    p: header.p!,
    ...MEMORY,
  });
  const decipher = createDecipheriv('aes-256-gcm', key.subarray(0, 32), Buffer.from(header.nonce!, 'base64'));
  decipher.setAAD(bytes.subarray(0, end));
  decipher.setAuthTag(bytes.subarray(-48, -32));
  expect(createHash('sha256').update(bytes.subarray(0, -32)).digest()).toEqual(bytes.subarray(-32));
  expect(key.subarray(32).toString('base64')).toBe(header.check);
  return { header, text: decipher.update(bytes.subarray(end, -48), undefined, 'utf8') + decipher.final('utf8') };
}

/** A file whose content is ours to choose, sealed by hand. */
function sealByHand(content: string, change: Record<string, unknown> = {}): Buffer {
  const [salt, nonce] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)];
  const cost = { n: 1024, r: 8, p: 1 };
  const key = scryptSync(PASSPHRASE.normalize('NFC'), salt, 48, { N: cost.n, r: cost.r, p: cost.p });
  const [s, n, check] = [salt, nonce, key.subarray(32)].map((bytes) => bytes.toString('base64'));
  const head = Buffer.from(
    `${JSON.stringify({ ferrule_export: 1, kdf: 'scrypt', ...cost, cipher: 'aes-256-gcm', salt: s, nonce: n, check, ...change })}\n`,
  );
  const cipher = createCipheriv('aes-256-gcm', key.subarray(0, 32), nonce);
  cipher.setAAD(head);
  const all = Buffer.concat([head, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([all, createHash('sha256').update(all).digest()]);
}

describe('the file', () => {
  it('is what is described: scrypt as OWASP has it, AES-256-GCM over the header, each name once', () => {
    const { header, text } = openByHand(sealed, PASSPHRASE);
    expect(header).toMatchObject({ ferrule_export: 1, kdf: 'scrypt', n: 131072, r: 8, p: 1, cipher: 'aes-256-gcm' });
    const { credentials } = JSON.parse(text) as { credentials: Credential[] };
    expect(credentials.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(credentials[0]!.fields.client_secret).toEqual({ $secret: canary('store-secret') });
    expect(sealed.toString('latin1')).not.toContain('acme');
  });

  it('comes back as it was, with secrets as Secret, the sandbox mark, and versions that start anew', async () => {
    const store = memoryStore();
    expect(await importCredentials(store, sealed, new Secret(PASSPHRASE))).toEqual({ added: ['a', 'b'], replaced: [] });
    const found = (await store.get('a'))!;
    expect(found.fields.client_secret).toBeInstanceOf(Secret);
    expect((found.captures.access_token as Secret).reveal()).toBe(canary('store-access'));
    expect({ ...found, updated: '' }).toEqual({ ...sampleCredential('a'), version: 1, updated: '' });
  });

  it('a passphrase under 12 characters is refused with the reason; so are a name that is not stored, and no name', async () => {
    const store = await storeWith(sampleCredential('a'));
    await expect(exportCredentials(store, ['a'], 'elf letters')).rejects.toMatchObject({
      code: 'input_malformed',
      message: 'The passphrase has fewer than 12 characters.',
      next: expect.stringContaining('as many as they like'),
    });
    await expect(exportCredentials(store, ['a', 'x'], PASSPHRASE)).rejects.toMatchObject({ code: 'credential_unknown', where: 'x' });
    await expect(exportCredentials(store, [], PASSPHRASE)).rejects.toMatchObject({ code: 'input_malformed' });
    expect((await store.uses()).map(({ action, outcome }) => [action, outcome])).toEqual([['exported', 'input_malformed']]);
  });

  it('without tokens: inputs alone, and what a person consented to waits for the person', async () => {
    const store = await storeWith(shop('consented'), shop('password', 'basic'));
    const bytes = Buffer.from(await exportCredentials(store, ['consented', 'password'], PASSPHRASE, { tokens: false }));
    const { credentials } = JSON.parse(openByHand(bytes, PASSPHRASE).text) as { credentials: Record<string, unknown>[] };
    for (const one of credentials)
      expect(one).toMatchObject({ captures: {}, expires: {}, fields: { client_secret: { $secret: canary('store-secret') } } });
    for (const part of ['scope', 'checked', 'obtained']) expect(credentials.some((one) => part in one)).toBe(false);
    expect(credentials.map(({ state }) => state)).toEqual(['reconnect', undefined]);
    expect((await store.uses()).map(({ action, credential, outcome }) => [action, credential, outcome])).toEqual([
      ['exported', 'consented', 'ok'],
      ['exported', 'password', 'ok'],
    ]);
  });
});

describe('what does not open', () => {
  const tried = async (bytes: Uint8Array, passphrase = PASSPHRASE) => {
    const store = memoryStore();
    const error = await importCredentials(store, bytes, passphrase).catch((one: unknown) => one);
    expect(await names(store)).toEqual([]);
    return error;
  };
  const unreadable = (what: string) => ({ code: 'export_unreadable', message: expect.stringContaining(what) });
  const rehashed = (bytes: Buffer) => {
    const all = bytes.subarray(0, -32);
    return Buffer.concat([all, createHash('sha256').update(all).digest()]);
  };

  it('a wrong passphrase, damage and a change on purpose are told apart', async () => {
    expect(await tried(sealed, `${PASSPHRASE}.`)).toMatchObject({ code: 'passphrase_wrong' });
    for (const at of [40, 300, sealed.length - 40, sealed.length - 1]) {
      const damaged = Buffer.from(sealed);
      damaged[at]! ^= 1;
      expect(await tried(damaged)).toMatchObject({ code: 'export_unreadable' });
    }
    const cut = sealed.subarray(0, -100);
    expect(await tried(cut)).toMatchObject(unreadable('checksum'));
    const changed = Buffer.from(sealed);
    changed[400]! ^= 1;
    expect(await tried(rehashed(changed))).toMatchObject(unreadable('was changed after it was made'));
    // The header counts too, to the last space.
    const relabelled = sealByHand('{}');
    const at = relabelled.indexOf('"cipher"');
    expect(await tried(rehashed(Buffer.concat([relabelled.subarray(0, at), Buffer.from(' '), relabelled.subarray(at)])))).toMatchObject(
      unreadable('was changed after it was made'),
    );
  });

  it.each([
    ['', 'none of Ferrule'],
    ['{"ferrule_export":1}', 'none of Ferrule'],
    [`${'x'.repeat(2000)}\n${'x'.repeat(100)}`, 'none of Ferrule'],
    [`{}\n${'x'.repeat(100)}`, 'none of Ferrule'],
    [`null\n${'x'.repeat(100)}`, 'none of Ferrule'],
    [`[}\n${'x'.repeat(100)}`, 'none of Ferrule'],
  ])('%#: other files', async (text, what) => {
    expect(await tried(Buffer.from(text))).toMatchObject(unreadable(what));
  });

  it.each([
    [{ n: 2 ** 30 }, 'more memory'],
    [{ n: 2 ** 17, r: 64 }, 'more memory'],
    [{ n: 2 ** 17, p: 1000 }, 'more memory or time'],
    [{ n: 1000 }, 'more memory'],
    [{ n: -2 }, 'more memory'],
    [{ r: 0 }, 'more memory'],
    [{ p: '1' }, 'more memory'],
    [{ n: 1e300 }, 'more memory'],
    [{ salt: '' }, 'broken header'],
    [{ ferrule_export: 2 }, 'does not know'],
    [{ kdf: 'none' }, 'does not know'],
  ])('a header with %j is refused before anything is worked out', async (change, what) => {
    const began = process.cpuUsage();
    expect(await tried(sealByHand('{}', change))).toMatchObject(unreadable(what));
    // sealByHand itself takes a few milliseconds; 2^17 rounds take a quarter of a second.
    expect(process.cpuUsage(began).user).toBeLessThan(150_000);
  });

  it.each([
    ['no json', 'holds no JSON'],
    ['[]', 'lists no credentials'],
    ['{"credentials":[]}', 'lists no credentials'],
    ['{"credentials":[7]}', 'credential 1 is none'],
    ['{"credentials":[{"name":"x"}]}', 'credential "x" has no connector'],
    ['{"credentials":[{"name":7}]}', 'name of credential 1'],
    ['{"credentials":[{"name":"x","fields":{"a":{}}}]}', 'fields of credential "x"'],
    ['{"credentials":[{"name":"x","expires":{"a":"soon"}}]}', 'expires of'],
    ['{"credentials":[{"name":"x","toString":"y"}]}', 'toString'],
    ['{"credentials":[{"name":"x","sandbox":{"addresses":{"https://api.acme.example":"https://evil.example"}}}]}', 'sandbox of'],
  ])('%#: sealed, but no credentials: %s', async (content, what) => {
    expect(await tried(sealByHand(content))).toMatchObject(unreadable(what));
  });
});

describe('names that are there', () => {
  it('are told all together, and nothing is written, unless they may be replaced or get other names', async () => {
    const store = await storeWith(sampleCredential('b'), { ...sampleCredential('c'), connector: 'other' });
    await store.put({ ...sampleCredential('b'), connector: 'other' });
    const refused = {
      code: 'store_conflict',
      message: 'Nothing was imported: "b" is stored already.',
      next: expect.stringContaining('--as PREFIX'),
    };
    await expect(importCredentials(store, sealed, PASSPHRASE)).rejects.toMatchObject(refused);
    expect([await names(store), (await store.get('b'))!.connector]).toEqual([['b', 'c'], 'other']);
    expect(await importCredentials(store, sealed, PASSPHRASE, { prefix: 'old-' })).toEqual({ added: ['old-a', 'old-b'], replaced: [] });
    expect(await importCredentials(store, sealed, PASSPHRASE, { replace: true })).toEqual({ added: ['a'], replaced: ['b'] });
    expect([(await store.get('b'))!.connector, (await store.get('b'))!.version]).toEqual(['acme', 3]);
    expect((await store.uses()).map(({ action, credential }) => `${action} ${credential}`)).toEqual([
      ...['imported old-a', 'imported old-b', 'imported a', 'imported b'],
    ]);
    await expect(importCredentials(store, sealed, PASSPHRASE, { prefix: 'x'.repeat(200) })).rejects.toMatchObject({
      code: 'input_malformed',
    });
  });

  it('what was written before a write failed is taken back', async () => {
    const one = {
      name: 'a',
      connector: 'acme',
      method: 'm',
      choices: {},
      fields: {},
      captures: {},
      expires: {},
      created: '2026-01-01T00:00:00Z',
    };
    const bytes = sealByHand(JSON.stringify({ credentials: [one, { ...one, name: 'b' }, { ...one, name: 'c' }] }));
    const inner = await storeWith(sampleCredential('b'));
    // A store whose disk is full when the third one comes.
    const store: CredentialStore = {
      ...inner,
      put: async (credential, options) => {
        if (credential.name === 'c') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        await inner.put(credential, options);
      },
    };
    await expect(importCredentials(store, bytes, PASSPHRASE, { replace: true })).rejects.toThrow('ENOSPC');
    expect(await names(inner)).toEqual(['b']);
    expect((await inner.get('b'))!.method).toBe('oauth');
    await expect(importCredentials(inner, sealByHand(JSON.stringify({ credentials: [one, one] })), PASSPHRASE)).rejects.toMatchObject({
      message: expect.stringContaining('two credentials have one name'),
    });
  });
});

it('two exports of the same share no bytes that say so', async () => {
  const again = Buffer.from(
    await exportCredentials(await storeWith(sampleCredential('a'), sampleCredential('b')), ['a', 'b'], PASSPHRASE, {
      random: systemRandom,
    }),
  );
  const bodies = [sealed, again].map((bytes) => bytes.subarray(bytes.indexOf('\n') + 1, -48));
  expect(bodies[0]!.length).toBe(bodies[1]!.length);
  expect(bodies[0]!.equals(bodies[1]!)).toBe(false);
});
