/** Whose a credential is: against processes that are killed or stopped, sessions that end, and a server that starts anew. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { Secret } from '../../framework/core/secret.ts';
import { type PostgresStoreOptions, postgresStore } from '../../framework/credentials/postgres.ts';
import type { Credential, Held } from '../../framework/credentials/types.ts';
import { connectSpec, connectStored } from '../../framework/engine/connect.ts';
import { acme, addresses } from '../acme.ts';
import { canary, plainCanary } from '../canary.ts';
import { serve } from '../server.ts';
import { sampleCredential } from '../unit/credentials/store-contract.ts';
import { type Postgres, pooler, postgres } from './postgres-server.ts';

const KEY = Buffer.alloc(32, 7);
let server: Postgres;
beforeAll(async () => {
  server = await postgres();
});
afterAll(() => server?.remove());

let made = 0;
let prefix: string;
const open: ReturnType<typeof postgresStore>[] = [];
const children: ChildProcess[] = [];
function storeOf(options: Partial<PostgresStoreOptions> = {}) {
  const store = postgresStore({ url: server.url(), keys: [KEY], prefix, env: {}, ...options });
  open.push(store);
  return store;
}
beforeEach(async () => {
  made += 1;
  prefix = `t${made}_`;
  await storeOf().put({ ...sampleCredential('shared'), expires: { n: 0 } });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const store of open.splice(0)) await store.close();
});

function worker(...args: string[]): ChildProcess {
  const env = { ...process.env, STORE_URL: server.url(), STORE_PREFIX: prefix, FERRULE_KEY: KEY.toString('base64') };
  // The driver warns of uses that it will not allow in its next version.
  const command = ['--throw-deprecation', 'scripts/run.mjs', 'test/integration/postgres-worker.ts', ...args];
  const child = spawn(process.execPath, command, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

const line = async (child: ChildProcess): Promise<string> => String((await once(child.stdout!, 'data'))[0]).trim();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const addOne = async (current: Credential) => ({ ...current, expires: { n: current.expires.n! + 1 } });
const answer = { step: 'token', spent: 'hash', at: 5, answer: new Secret(canary('lease answer')) };

async function holder(): Promise<ChildProcess> {
  const child = worker('hold');
  expect(await line(child)).toBe('held');
  return child;
}

/** As if the holder were on another machine, where nobody can look whether its process lives. */
const onAnotherHost = () =>
  server.sql(`UPDATE ${prefix}credentials SET holder = jsonb_set(holder, '{host}', '"elsewhere 1"') WHERE holder IS NOT NULL`);

/** Ends the sessions that hold a lock: the server's administrator could. */
const endSessions = () =>
  server.sql(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid <> pg_backend_pid()`);

/** An update that is under way until `finish` is called; its callback is in `held` while it is. */
async function underWay(store = storeOf()) {
  let finish = (_: 'write' | 'nothing'): void => {};
  let held: Held | undefined;
  let current: Credential | undefined;
  let began = () => {};
  const beginning = new Promise<void>((resolve) => {
    began = resolve;
  });
  const update = store.update('shared', async (found, lease) => {
    [held, current] = [lease, found];
    began();
    const how = await new Promise<string>((resolve) => {
      finish = resolve;
    });
    return how === 'write' ? { ...found, expires: { n: found.expires.n! + 1 } } : undefined;
  });
  update.catch(() => {});
  await Promise.race([beginning, update]);
  return { update, held: held!, current: current!, finish: (how: 'write' | 'nothing') => finish(how) };
}

/** A second store's update, and when it came in. */
function taker(options: Partial<PostgresStoreOptions> = {}) {
  const state = { in: false, after: 0, seen: -1 };
  const began = Date.now();
  const update = storeOf(options).update('shared', async (current) => {
    Object.assign(state, { in: true, after: Date.now() - began, seen: current.expires.n });
    return addOne(current);
  });
  update.catch(() => {});
  return Object.assign(state, { update });
}

it('two processes that add one 100 times each make 200', async () => {
  const ends = await Promise.all([worker('count', '100'), worker('count', '100')].map((child) => once(child, 'exit')));
  expect(ends).toEqual([
    [0, null],
    [0, null],
  ]);
  const found = (await storeOf().get('shared'))!;
  expect([found.expires.n, found.version]).toEqual([200, 201]);
  expect(await server.sql(`SELECT holder FROM ${prefix}credentials`)).toEqual([{ holder: null }]);
});

it('a living holder is waited for, and named', async () => {
  const child = await holder();
  for (const call of [storeOf({ lockWait: 100 }).update('shared', addOne), storeOf({ lockWait: 100 }).remove('shared')]) {
    await expect(call).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining(`process ${child.pid} on ${hostname()}`),
    });
  }
  // In the same store as well.
  const own = storeOf({ lockWait: 100 });
  child.stdin!.write('\n');
  expect(await line(child)).toBe('done done done');
  const under = await underWay(own);
  await expect(own.put(sampleCredential('shared'))).rejects.toMatchObject({
    code: 'store_locked',
    message: expect.stringContaining(`process ${process.pid} `),
  });
  under.finish('nothing');
  await under.update;
});

it.each([
  ['on this machine', async () => {}, 600],
  ['on another machine', onAnotherHost, 1200],
])('a holder that is killed, %s, is noticed at once, by one of many', async (_, change, most) => {
  const child = await holder();
  await change();
  const waiting = Array.from({ length: 8 }, () => taker());
  await pause(300);
  expect(waiting.some((one) => one.in)).toBe(false);
  child.kill('SIGKILL');
  const killed = Date.now();
  await Promise.any(waiting.map(({ update }) => update));
  expect(Date.now() - killed).toBeLessThan(most);
  await Promise.all(waiting.map(({ update }) => update));
  expect((await storeOf().get('shared'))!.expires.n).toBe(8);
});

it.each([
  ['before_write', 1, 'read write'],
  ['written', 2, 'written'],
])('a holder that is killed at %s has written nothing or all, and its lease is free', async (moment, version, scope) => {
  const child = worker('die', moment);
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  const other = taker();
  await other.update;
  expect(other.after).toBeLessThan(500);
  expect(await storeOf().get('shared')).toMatchObject({ version: version + 1, scope });
});

it('a stopped holder keeps its lease, however long it is stopped', async () => {
  const child = await holder();
  await onAnotherHost();
  child.kill('SIGSTOP');
  await expect(storeOf({ lockWait: 2500 }).update('shared', addOne)).rejects.toMatchObject({ code: 'store_locked' });
  child.kill('SIGCONT');
  child.stdin!.write('\n');
  expect(await line(child)).toBe('done done done');
});

it('a holder whose session is ended takes its lock back, before anybody else has it', async () => {
  const under = await underWay();
  const other = taker();
  // The last ones after longer than a holder may take to come back: each time counts anew.
  for (const wait of [100, 100, 800, 800]) {
    await pause(wait);
    expect((await endSessions()).length).toBe(1);
  }
  await pause(1000);
  expect(other.in).toBe(false);
  under.finish('write');
  expect((await under.update).expires.n).toBe(1);
  await other.update;
  expect(other.seen).toBe(1);
});

it('one that is slow in coming back has its time each time', async () => {
  const child = await holder();
  const other = taker();
  for (let time = 0; time < 3; time += 1) {
    child.kill('SIGSTOP');
    expect((await endSessions()).length).toBe(1);
    // The other one tries five times a second: it has found the lock free.
    await pause(300);
    child.kill('SIGCONT');
    await pause(400);
  }
  expect(other.in).toBe(false);
  child.stdin!.write('\n');
  expect(await line(child)).toBe('done done done');
  await other.update;
});

it('one that cannot come back loses its lease, and writes nothing over what others wrote', async () => {
  const child = await holder();
  child.kill('SIGSTOP');
  expect((await endSessions()).length).toBe(1);
  const other = taker();
  const written = await other.update;
  expect(other.after).toBeLessThan(1200);
  child.kill('SIGCONT');
  child.stdin!.write('\n');
  expect(await line(child)).toBe('store_locked store_locked store_locked');
  const found = (await storeOf().get('shared'))!;
  expect([found.version, found.expires.n, found.scope]).toEqual([written.version, 1, 'read write']);
  expect(await server.sql(`SELECT noted, holder FROM ${prefix}credentials`)).toEqual([{ noted: null, holder: null }]);
});

it('nor over a credential that was removed and put anew: its version and all else may be the same', async () => {
  const child = await holder();
  child.kill('SIGSTOP');
  await endSessions();
  const other = storeOf();
  await other.remove('shared');
  await other.put({ ...sampleCredential('shared'), scope: 'another one' });
  // As many leases as there were before: their numbers must not begin anew with the row.
  await other.update('shared', async () => undefined);
  child.kill('SIGCONT');
  child.stdin!.write('\n');
  expect(await line(child)).toBe('store_locked store_locked store_locked');
  expect(await other.get('shared')).toMatchObject({ version: 1, scope: 'another one' });
});

describe('a server that starts anew', () => {
  const restart = async (signal: 'SIGINT' | 'SIGQUIT', down = 0) => {
    await server.stop(signal);
    await pause(down);
    await server.start();
  };

  it.each(['SIGINT', 'SIGQUIT'] as const)(
    'in the middle of an update (%s): the holder goes on, nobody comes in between',
    async (signal) => {
      const under = await underWay();
      const other = taker();
      await pause(100);
      await restart(signal);
      await pause(800);
      expect(other.in).toBe(false);
      expect((await under.held.keep({ ...under.current, scope: 'after the restart' })).version).toBe(2);
      await under.held.note(answer);
      under.finish('write');
      await under.update;
      await other.update;
      const found = (await storeOf().get('shared'))!;
      expect([other.seen, found.version]).toEqual([1, 4]);
    },
  );

  it('an answer that comes while it is down is written when it is back', async () => {
    const under = await underWay();
    await server.stop('SIGINT');
    const noting = under.held.note(answer);
    const keeping = under.held.keep({ ...under.current, scope: 'kept while it was down' });
    await pause(1500);
    await server.start();
    await noting;
    expect((await keeping).scope).toBe('kept while it was down');
    under.finish('nothing');
    await under.update;
    const found = (await storeOf().get('shared'))!;
    expect([found.version, found.scope]).toEqual([2, 'kept while it was down']);
  });

  it('a holder that died with it is free at once where that can be seen', async () => {
    const child = await holder();
    await server.stop('SIGINT');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await server.start();
    const other = taker();
    await other.update;
    expect(other.after).toBeLessThan(600);
  });

  it('and elsewhere after the grace, not before', async () => {
    const child = await holder();
    await onAnotherHost();
    await server.stop('SIGINT');
    child.kill('SIGKILL');
    await server.start();
    const began = Date.now();
    await expect(storeOf({ lockWait: 1000 }).update('shared', addOne)).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining(`process ${child.pid} on elsewhere`),
    });
    const other = taker({ restartGrace: 3000 });
    await other.update;
    expect(Date.now() - began).toBeGreaterThan(2000);
    expect(Date.now() - began).toBeLessThan(4500);
  });

  it('another server that was there before the lease (a replica that took over): the grace counts from when it is noticed', async () => {
    const child = await holder();
    await onAnotherHost();
    await server.sql(`UPDATE ${prefix}credentials SET server = server - interval '1 hour'`);
    child.kill('SIGKILL');
    const other = taker({ restartGrace: 1500 });
    await other.update;
    expect(other.after).toBeGreaterThan(1400);
    expect(other.after).toBeLessThan(2600);
  });
});

it('a token endpoint that is slow is asked once, whatever happens to sessions and server meanwhile', async () => {
  let asked = 0;
  const provider = await serve(async ({ path }) => {
    if (path !== '/token') return { json: {} };
    asked += 1;
    await pause(4000);
    const token = { access_token: plainCanary('slow access'), refresh_token: plainCanary('slow refresh 2'), token_type: 'Bearer' };
    return { json: { ...token, expires_in: 3600 } };
  });
  const spec = acme(`auth: { oauth: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize',
    token_url: 'https://auth.acme.test/token', refresh: { rotates: true } } }`);
  const fields = { client_id: 'app', client_secret: plainCanary('slow client') };
  const tokens = { access_token: plainCanary('slow old'), refresh_token: plainCanary('slow refresh 1'), expires_at: 0 };
  const options = { ...addresses(provider.origin), store: storeOf() };
  await (await connectSpec(spec, { fields, tokens }, { ...options, name: 'oauth' })).close();
  try {
    // As many machines, each with connections and a session of its own.
    const machines = [1, 2, 3].map(async () => {
      await using connection = await connectStored(spec, 'oauth', { ...options, store: storeOf() });
      return await connection.http.get('me').json();
    });
    await pause(800);
    expect((await endSessions()).length).toBeGreaterThan(0);
    await pause(800);
    await server.stop('SIGQUIT');
    await server.start();
    expect(await Promise.all(machines)).toEqual([{}, {}, {}]);
    expect(asked).toBe(1);
    const stored = (await storeOf().get('oauth'))!;
    expect((stored.captures.refresh_token as Secret).reveal()).toBe(plainCanary('slow refresh 2'));
  } finally {
    await provider.close();
  }
});

/** Passes all on, but cuts the connection when the server has answered a statement with these words. */
async function cutting(words: string) {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const proxy = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    let cut = false;
    client.on('data', (chunk: Buffer) => {
      cut ||= cuts === 0 && chunk.includes(words);
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (!cut) return void client.write(chunk);
      cuts += 1;
      client.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as { port: number }).port,
    cuts: () => cuts,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

it.each(['sealed = $4 WHERE', 'noted = $4', 'sealed = NULL', 'nextval', 'holder = NULL', 'pg_advisory_unlock'])(
  'a statement whose answer is lost (%s) counts once',
  async (words) => {
    const proxy = await cutting(words);
    const store = storeOf({ url: server.url({ port: proxy.port }) });
    try {
      const changed = await store.update('shared', async (current, held) => {
        await held.note(answer);
        await held.keep({ ...current, scope: 'kept' });
        return addOne(current);
      });
      expect([changed.version, changed.expires.n, changed.scope]).toEqual([3, 1, 'read write']);
      expect((await storeOf().get('shared'))!.version).toBe(3);
      await storeOf().update('shared', addOne);
      expect(await store.remove('shared')).toBe(true);
      expect(proxy.cuts()).toBe(1);
      expect(await server.sql(`SELECT name FROM ${prefix}credentials`)).toEqual([]);
    } finally {
      await store.close();
      proxy.stop();
    }
  },
);

it('many leases at once need few connections, and another name may be updated inside', async () => {
  const store = storeOf();
  const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => store.put(sampleCredential(name))));
  let inside = 0;
  let most = 0;
  await Promise.all(
    names.map((name) =>
      store.update(name, async (current) => {
        inside += 1;
        while (inside < names.length) await pause(5);
        const text = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'ferrule'`;
        if (name === 'n0') most = (await server.sql(text))[0]!.n as number;
        if (name === 'n1') await store.update('shared', addOne);
        return { ...current, scope: 'all were inside together' };
      }),
    ),
  );
  // Four that write and one that holds, for this store and the one that prepared the test.
  expect(most).toBeLessThanOrEqual(10);
  expect((await store.list()).filter(({ version }) => version === 2)).toHaveLength(61);
});

describe('behind pgbouncer', () => {
  it('in session mode all is as without it', async () => {
    const between = await pooler(server, 'session');
    const store = storeOf({ url: between.url });
    try {
      const under = await underWay(store);
      await expect(storeOf({ lockWait: 800 }).update('shared', addOne)).rejects.toMatchObject({ code: 'store_locked' });
      under.finish('write');
      expect((await under.update).expires.n).toBe(1);
    } finally {
      await store.close();
      await between.stop();
    }
  });

  it('in transaction mode nobody can hold a lease, so none is given', async () => {
    const between = await pooler(server, 'transaction');
    const store = storeOf({ url: between.url });
    try {
      expect((await store.get('shared'))?.version).toBe(1);
      const refused = { code: 'not_supported', next: expect.stringContaining('pool_mode = session') };
      await expect(store.update('shared', addOne)).rejects.toMatchObject(refused);
      await expect(store.put(sampleCredential('other'))).rejects.toMatchObject(refused);
      expect(await server.sql(`SELECT name, version::int FROM ${prefix}credentials`)).toEqual([{ name: 'shared', version: 1 }]);
    } finally {
      await store.close();
      await between.stop();
    }
  });
});

it('close lets an update that is under way keep its lease, and write no more', async () => {
  const store = storeOf();
  const under = await underWay(store);
  await store.close();
  await expect(storeOf({ lockWait: 800 }).update('shared', addOne)).rejects.toMatchObject({ code: 'store_locked' });
  under.finish('write');
  await expect(under.update).rejects.toMatchObject({ code: 'closed' });
  const other = taker();
  await other.update;
  expect(other.after).toBeLessThan(500);
  await expect(store.get('shared')).rejects.toMatchObject({ code: 'closed' });
});
