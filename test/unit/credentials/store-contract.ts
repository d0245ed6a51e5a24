import { inspect } from 'node:util';
import { Secret } from '../../../framework/core/secret.ts';
import type { Credential, CredentialStore, Use } from '../../../framework/credentials/types.ts';
import { canary } from '../../canary.ts';

/** A credential with every kind of content that a store must give back unchanged. */
export function sampleCredential(name: string): Credential {
  return {
    name,
    description: 'for tests',
    connector: 'acme',
    method: 'oauth',
    choices: { region: 'eu' },
    fields: {
      site: 'https://acme.example',
      client_secret: new Secret(canary('store-secret')),
      tags: ['a', 'b'],
      on: true,
      ratio: 0.5,
      id: '9007199254740993',
    },
    captures: {
      access_token: new Secret(canary('store-access')),
      odd: { $secret: 'not one', $$x: [1, null], ['__proto__']: 'own' },
      host: 'eu.acme.example',
    },
    expires: { access_token: 1_700_000_000_000 },
    scope: 'read write',
    sandbox: { addresses: { 'https://api.acme.example': 'http://127.0.0.1:4010' } },
    version: 0,
    created: '2026-01-02T03:04:05.000Z',
    updated: '2026-01-02T03:04:05.000Z',
  };
}

const code = (error: unknown): unknown => (error as { code?: unknown }).code;
const revealed = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value);

/** What every store must do: run it over your own. `open` gives a new, empty store. */
export function storeContract(open: () => Promise<CredentialStore>): void {
  let store: CredentialStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  it('gives back what was put, with secrets as Secret', async () => {
    await store.put(sampleCredential('Acme EU'));
    const found = (await store.get('Acme EU'))!;
    const wanted = sampleCredential('Acme EU');
    expect(revealed(found.fields.client_secret)).toBe(canary('store-secret'));
    expect(revealed(found.captures.access_token)).toBe(canary('store-access'));
    expect(found.fields.client_secret).toBeInstanceOf(Secret);
    expect(found.captures.odd).toEqual(wanted.captures.odd);
    expect(Object.keys(found.captures.odd as object)).toContain('__proto__');
    expect({ ...found, version: 0, updated: '' }).toEqual({ ...wanted, updated: '' });
    expect(inspect(found, { showHidden: true, depth: 9 })).not.toContain(canary('store-secret'));
  });

  it('counts versions itself, keeps the first created, sets updated', async () => {
    await store.put({ ...sampleCredential('a'), version: 17 });
    expect((await store.get('a'))!.version).toBe(1);
    await store.put({ ...sampleCredential('a'), created: '2027-01-01T00:00:00.000Z' });
    const found = (await store.get('a'))!;
    expect([found.version, found.created]).toEqual([2, '2026-01-02T03:04:05.000Z']);
    expect(found.updated).not.toBe('2026-01-02T03:04:05.000Z');
  });

  it('refuses a write when expectVersion does not hold', async () => {
    await expect(store.put(sampleCredential('a'), { expectVersion: 1 })).rejects.toMatchObject({ code: 'store_conflict' });
    expect(await store.get('a')).toBeUndefined();
    await store.put(sampleCredential('a'), { expectVersion: 0 });
    await expect(store.put(sampleCredential('a'), { expectVersion: 0 })).rejects.toMatchObject({ code: 'store_conflict' });
    await store.put(sampleCredential('a'), { expectVersion: 1 });
    expect((await store.get('a'))!.version).toBe(2);
  });

  it('hands out copies', async () => {
    const mine = sampleCredential('a');
    await store.put(mine);
    mine.fields.site = 'changed';
    const found = (await store.get('a'))!;
    expect(found.fields.site).toBe('https://acme.example');
    (found.fields.tags as string[]).push('c');
    found.choices.region = 'na';
    const again = (await store.get('a'))!;
    expect([again.fields.tags, again.choices]).toEqual([['a', 'b'], { region: 'eu' }]);
  });

  it('lists by name, without fields and captures', async () => {
    for (const name of ['b', 'É', 'a', 'B']) await store.put(sampleCredential(name));
    const listed = await store.list();
    expect(listed.map(({ name }) => name)).toEqual(['B', 'a', 'b', 'É']);
    expect(Object.keys(listed[0]!).sort()).toEqual(
      ['choices', 'connector', 'created', 'description', 'method', 'name', 'sandbox', 'state', 'updated', 'version'].sort(),
    );
    expect(listed[0]).toMatchObject({ sandbox: true, state: 'ready', version: 1 });
  });

  it('takes any name that can be read, and no other', async () => {
    // Ends of paths, equal but for case or for the way an accent is written.
    const names = ['../../etc/passwd', 'con', '.', 'a/b', 'A/B', '名前', 'x'.repeat(200)];
    for (const name of names) await store.put({ ...sampleCredential(name), description: name });
    for (const name of names) expect((await store.get(name))?.description).toBe(name);
    await store.put(sampleCredential('Cafe\u0301'));
    expect((await store.get('Caf\u00e9'))?.name).toBe('Caf\u00e9');
    for (const name of ['', ' a', 'a\n', 'a\0b', 'x'.repeat(201)]) {
      await expect(store.get(name)).rejects.toMatchObject({ code: 'input_malformed' });
      await expect(store.put(sampleCredential(name))).rejects.toMatchObject({ code: 'input_malformed' });
    }
  });

  it('removes, and says whether there was one', async () => {
    expect(await store.remove('a')).toBe(false);
    await store.put(sampleCredential('a'));
    expect(await store.remove('a')).toBe(true);
    expect(await store.get('a')).toBeUndefined();
    expect(await store.list()).toEqual([]);
    await store.put(sampleCredential('a'));
    expect((await store.get('a'))!.version).toBe(1);
  });

  it('updates under a lock: none of many changes is lost, and what one wrote the next one sees', async () => {
    await store.put({ ...sampleCredential('a'), expires: { n: 0 } });
    const seen: number[] = [];
    await Promise.all(
      Array.from({ length: 12 }, () =>
        store.update('a', async (current) => {
          seen.push(current.expires.n!);
          await new Promise((resolve) => setImmediate(resolve));
          return { ...current, expires: { n: current.expires.n! + 1 } };
        }),
      ),
    );
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await store.get('a'))!.expires).toEqual({ n: 12 });
    expect((await store.get('a'))!.version).toBe(13);
  });

  it('an update that gives nothing or fails writes nothing, and frees the lock', async () => {
    await store.put(sampleCredential('a'));
    expect((await store.update('a', async () => undefined)).version).toBe(1);
    const failure = new Error('the refresh failed');
    await expect(store.update('a', () => Promise.reject(failure))).rejects.toBe(failure);
    await store.update('a', async (current) => {
      current.fields.site = 'changed in place, then dropped';
      return undefined;
    });
    expect((await store.get('a'))!.fields.site).toBe('https://acme.example');
    expect((await store.update('a', async (current) => ({ ...current, state: 'reconnect' }))).version).toBe(2);
    expect((await store.list())[0]!.state).toBe('reconnect');
  });

  it('an update may write before it ends: others see it while the lock is held, and it stays when the update fails', async () => {
    await store.put(sampleCredential('a'));
    const failure = new Error('the second step failed');
    const update = store.update('a', async (current, held) => {
      const kept = await held.keep({ ...current, scope: 'first' });
      expect([kept.version, kept.scope, (await store.get('a'))!.scope]).toEqual([2, 'first', 'first']);
      kept.fields.site = 'the copy is mine';
      expect((await held.keep({ ...current, scope: 'second' })).version).toBe(3);
      await expect(held.keep({ ...current, name: 'b' })).rejects.toMatchObject({ code: 'input_malformed' });
      throw failure;
    });
    await expect(update).rejects.toBe(failure);
    const found = (await store.get('a'))!;
    expect([found.version, found.scope, found.fields.site]).toEqual([3, 'second', 'https://acme.example']);
    // What is given back counts on from what was kept; without it the kept one is the current one.
    expect((await store.update('a', async (current, held) => held.keep({ ...current, scope: 'third' }))).version).toBe(5);
    const current = await store.update('a', async (c, held) => void (await held.keep({ ...c, scope: 'fourth' })));
    expect([current.version, current.scope]).toEqual([6, 'fourth']);
  });

  it('notes an answer beside the credential: it survives the update and other writes, and goes when it is dropped or with its credential', async () => {
    await store.put(sampleCredential('a'));
    await store.put(sampleCredential('b'));
    const answer = { step: 'token', spent: 'hash', at: 5, answer: new Secret(canary('noted answer')) };
    const failure = new Error('died');
    await expect(
      store.update('a', async (_, held) => {
        expect(await held.noted()).toBeUndefined();
        await held.note({ ...answer, at: 4 });
        await held.note(answer);
        throw failure;
      }),
    ).rejects.toBe(failure);
    const notedIn = async (name: string) => {
      let found: unknown = 'never asked';
      await store.update(name, async (_, held) => {
        found = await held.noted();
        return undefined;
      });
      return found;
    };
    await store.put(sampleCredential('a'));
    const found = (await notedIn('a')) as typeof answer;
    expect({ ...found, answer: revealed(found.answer) }).toEqual({ ...answer, answer: canary('noted answer') });
    expect(found.answer).toBeInstanceOf(Secret);
    expect([await notedIn('b'), (await store.list()).length]).toEqual([undefined, 2]);
    await store.update('a', async (_, held) => void (await held.note(undefined)));
    expect(await notedIn('a')).toBeUndefined();
    await store.update('a', async (_, held) => void (await held.note(answer)));
    await store.remove('a');
    await store.put(sampleCredential('a'));
    expect(await notedIn('a')).toBeUndefined();
  });

  it('an update needs the credential, and may not rename it', async () => {
    await expect(store.update('a', async (current) => current)).rejects.toMatchObject({ code: 'credential_unknown' });
    await store.put(sampleCredential('a'));
    await expect(store.update('a', async (current) => ({ ...current, name: 'b' }))).rejects.toMatchObject({ code: 'input_malformed' });
    expect((await store.list()).map(({ name }) => name)).toEqual(['a']);
  });

  it('does nothing more after close', async () => {
    await store.put(sampleCredential('a'));
    await store.close();
    await store.close();
    const calls = [store.list(), store.get('a'), store.put(sampleCredential('a')), store.remove('a'), store.update('a', async (c) => c)];
    const results = await Promise.allSettled(calls);
    expect(results.map((result) => (result.status === 'rejected' ? code(result.reason) : 'done'))).toEqual(Array(5).fill('closed'));
  });

  it('writes uses down and gives them back, the latest last', async () => {
    const use = (action: Use['action'], credential: string, more: object = {}): Use => ({
      ...{ at: '2026-01-02T03:04:05.000Z', action, credential, by: 'ann@laptop ferrule[1]', outcome: 'ok', ...more },
    });
    const all = [use('stored', 'é', { connector: 'acme' }), use('rekeyed', ''), use('opened', 'é', { outcome: 'unauthorized' })];
    for (const one of all) await store.logUse(one);
    expect(await store.uses()).toEqual(all);
    // Another way to write the same name.
    expect(await store.uses({ name: 'e\u0301' })).toEqual([all[0], all[2]]);
    expect(await store.uses({ limit: 1 })).toEqual([all[2]]);
    await store.close();
    await expect(store.logUse(all[0]!)).rejects.toMatchObject({ code: 'closed' });
    await expect(store.uses()).rejects.toMatchObject({ code: 'closed' });
  });
}
