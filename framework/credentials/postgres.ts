import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { reached } from '../core/moment.ts';
import { checkedServer, type PostgresServer, parsePostgresAddress } from '../core/postgres-address.ts';
import type { Text } from '../core/secret.ts';
import { checkSameName, copyCredential, credentialName, credentialUnknown, nextVersion, storeClosed, summarize } from './copy.ts';
import { Connections } from './postgres-connections.ts';
import type { Lease } from './postgres-lease.ts';
import { Leases } from './postgres-leases.ts';
import { openTables, type Tables, tablesOf } from './postgres-tables.ts';
import { checkMove, newRing } from './rekey.ts';
import { isSealedWith, type KeyRing, seal, unseal } from './sealed.ts';
import { environmentKeys, givenKeys, type KeySource } from './store-key.ts';
import type { Credential, CredentialStore, Held, NotedAnswer, PutOptions, Rekeyed, RekeyOptions, Use, UsesFilter } from './types.ts';
import { isAudited } from './use-log.ts';

type Environment = Record<string, string | undefined>;

export interface PostgresStoreOptions {
  /** `postgres://user@host/dbname`, as libpq takes it, or its parts. */
  url: Text | PostgresServer;
  /** The tables' schema. Default: the first of the role's search path. */
  schema?: string;
  /** What the tables' names begin with. Default `ferrule_`. */
  prefix?: string;
  /** The keys that credentials are sealed with, the same for all who use the store. Default: FERRULE_KEY of the environment. */
  keys?: KeySource | KeyRing;
  /** PEM text of the authority that has signed the server's certificate. */
  ca?: string;
  /** Whether uses are written down. Default: unless the environment has FERRULE_AUDIT=off. */
  audit?: boolean;
  env?: Environment;
  clock?: Clock;
  random?: Random;
  /** How long to wait for a credential that another process holds. Milliseconds, default 660,000: as long as a token request may take. */
  lockWait?: number;
  /** How long a holder may be away after the server started anew, before its lease goes to another. Milliseconds, default 600,000. */
  restartGrace?: number;
}

/** Sealed under a name that no credential can have; says which key the store is for, before it has any credential. */
const KEY_CHECK = '\0key-check';
const answerName = (name: string): string => `\0answer ${name}`;

/**
 * Credentials in a PostgreSQL database (12 or later), for several machines. Needs the package `pg`. The database sees names, versions and
 * times; the rest is sealed with AES-256-GCM before it leaves. Nothing is connected before the first call, which makes the tables if there are none.
 */
export function postgresStore(options: PostgresStoreOptions): CredentialStore {
  return new Store(options);
}

class Store implements CredentialStore {
  readonly #connections: Connections;
  readonly #tables: Tables;
  readonly #source: KeySource | undefined;
  readonly #audit: { audit: boolean | undefined; env: Environment };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waits: { wait: number; grace: number };
  /** Once the tables are there. */
  #leases: Promise<Leases> | undefined;
  /** Proved to be the store's. */
  #keys: KeyRing | undefined;
  #closed = false;

  constructor(options: PostgresStoreOptions) {
    const { url, ca, keys, schema, prefix = 'ferrule_', env = process.env, clock = systemClock, random = systemRandom } = options;
    const server = typeof url === 'string' || 'reveal' in url ? parsePostgresAddress(url) : checkedServer({ ...url });
    this.#connections = new Connections({ server, env, clock, ...(ca !== undefined && { ca }) });
    this.#tables = tablesOf(prefix, schema);
    const ofEnvironment = env.FERRULE_KEY === undefined ? undefined : environmentKeys(env.FERRULE_KEY);
    this.#source = keys === undefined ? ofEnvironment : 'read' in keys ? keys : givenKeys(keys);
    this.#audit = { audit: options.audit, env };
    this.#clock = clock;
    this.#random = random;
    this.#waits = { wait: options.lockWait ?? 660_000, grace: options.restartGrace ?? 600_000 };
  }

  async list() {
    this.#mustBeOpen();
    await this.#open();
    const { rows } = await this.#connections.read(`SELECT name, sealed FROM ${this.#tables.credentials} WHERE sealed IS NOT NULL`);
    const found: Credential[] = [];
    for (const row of rows) found.push(await this.#unsealed(row.name as string, row.sealed as Buffer));
    // Not by the server: its order is that of code points.
    return found.map(summarize).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async get(name: string) {
    this.#mustBeOpen();
    const key = credentialName(name);
    await this.#open();
    return this.#read(key);
  }

  async put(credential: Credential, options?: PutOptions) {
    this.#mustBeOpen();
    const own = copyCredential(credential);
    const name = credentialName(own.name);
    await this.#leased(name, async (lease) => {
      const current = lease.taken.sealed && (await this.#unsealed(name, lease.taken.sealed));
      await this.#write(nextVersion(own, current, this.#clock.now(), options?.expectVersion), lease);
      return true;
    });
  }

  async remove(name: string) {
    this.#mustBeOpen();
    const key = credentialName(name);
    await this.#open();
    if (!(await this.#isThere(key))) return false;
    let removed = false;
    await this.#leased(key, async (lease) => {
      removed = lease.taken.sealed !== undefined;
      if (removed) await lease.erase();
      return false;
    });
    return removed;
  }

  async update(name: string, change: (current: Credential, held: Held) => Promise<Credential | undefined>) {
    this.#mustBeOpen();
    const key = credentialName(name);
    await this.#open();
    // Without this, a name that was never stored would make a row for its lease.
    if (!(await this.#isThere(key))) throw credentialUnknown(name);
    let current: Credential | undefined;
    await this.#leased(key, async (lease) => {
      if (lease.taken.sealed === undefined) return false;
      current = await this.#unsealed(key, lease.taken.sealed);
      const keep = async (changed: Credential) => {
        checkSameName(key, changed);
        const next = nextVersion(changed, current, this.#clock.now());
        await this.#write(next, lease);
        current = next;
        return copyCredential(next);
      };
      const changed = await change(copyCredential(current), { keep, ...this.#notes(key, lease) });
      if (changed !== undefined) await keep(changed);
      return true;
    });
    if (current === undefined) throw credentialUnknown(name);
    return copyCredential(current);
  }

  async rekey(options: RekeyOptions = {}): Promise<Rekeyed> {
    this.#mustBeOpen();
    await this.#open();
    const keys = await this.#storeKeys(true);
    const source = this.#source ?? givenKeys(keys);
    checkMove(source, options);
    const { resumed } = await newRing({ source, keys, random: this.#random }, options);
    const first = await this.#resealAll();
    const [key] = await this.#storeKeys(true);
    const check = await this.#keyCheck();
    if (check && !isSealedWith(key, check, this.#where())) {
      const made = seal(KEY_CHECK, {}, key, this.#random);
      await this.#connections.write(`UPDATE ${this.#tables.store} SET key_check = $1 WHERE key_check = $2`, [made, check]);
    }
    // Until then who has only a former key could write with it; from then on the check turns them away.
    const then = await this.#resealAll();
    await source.replace?.([key]);
    return { sealed: first.sealed + then.sealed, total: then.total, ...(resumed && { resumed }) };
  }

  async logUse({ at, action, credential, connector, by, outcome }: Use) {
    this.#mustBeOpen();
    if (!isAudited(this.#audit)) return;
    await this.#open();
    const text = `INSERT INTO ${this.#tables.uses} (at, action, credential, connector, by, outcome) VALUES ($1, $2, $3, $4, $5, $6)`;
    await this.#connections.write(text, [at, action, credential, connector ?? null, by, outcome]);
  }

  async uses({ name, limit }: UsesFilter = {}): Promise<Use[]> {
    this.#mustBeOpen();
    await this.#open();
    const columns = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, action, credential, connector, by, outcome`;
    const text = `SELECT ${columns} FROM ${this.#tables.uses} WHERE $1::text IS NULL OR credential = $1 ORDER BY id DESC LIMIT $2`;
    const { rows } = await this.#connections.read(text, [name?.normalize('NFC') ?? null, limit ?? null]);
    return rows.reverse().map(({ connector, ...row }) => ({ ...row, ...(connector !== null && { connector }) }) as Use);
  }

  async close() {
    this.#closed = true;
    this.#keys = undefined;
    const leases = await this.#leases?.catch(() => undefined);
    await (leases === undefined ? this.#connections.end() : leases.close());
  }

  #mustBeOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  /** For messages: a record of the database, by the credential's name. */
  #where(name?: string): string {
    return name === undefined ? this.#connections.where : `${this.#connections.where} "${name}"`;
  }

  #open(): Promise<Leases> {
    this.#leases ??= this.#openLeases().catch((error) => {
      // The next call tries again: the server may be there then.
      this.#leases = undefined;
      throw error;
    });
    return this.#leases;
  }

  async #openLeases(): Promise<Leases> {
    const oid = await openTables(this.#connections, this.#tables);
    return new Leases(this.#connections, this.#tables, oid, { clock: this.#clock, random: this.#random, ...this.#waits });
  }

  async #isThere(name: string): Promise<boolean> {
    const text = `SELECT 1 FROM ${this.#tables.credentials} WHERE name = $1 AND sealed IS NOT NULL`;
    return (await this.#connections.read(text, [name])).count === 1;
  }

  async #read(name: string): Promise<Credential | undefined> {
    const text = `SELECT sealed FROM ${this.#tables.credentials} WHERE name = $1 AND sealed IS NOT NULL`;
    const [row] = (await this.#connections.read(text, [name])).rows;
    return row && this.#unsealed(name, row.sealed as Buffer);
  }

  async #unsealed(name: string, bytes: Buffer): Promise<Credential> {
    return (await this.#unseal(name, bytes, name)) as Credential;
  }

  async #unseal(sealedAs: string, bytes: Buffer, name: string): Promise<unknown> {
    const known = this.#keys;
    try {
      return unseal(sealedAs, bytes, await this.#storeKeys(), this.#where(name));
    } catch (error) {
      // The store may have been sealed anew since its keys were read.
      if (known === undefined || !isFerruleError(error) || error.code !== 'store_key_wrong') throw error;
      return unseal(sealedAs, bytes, await this.#storeKeys(true), this.#where(name));
    }
  }

  async #write(credential: Credential, lease: Lease): Promise<void> {
    this.#mustBeOpen();
    reached('before_write');
    const bytes = seal(credential.name, credential, (await this.#storeKeys())[0], this.#random);
    await lease.keep(bytes, credential.version);
    reached('written');
  }

  #notes(name: string, lease: Lease): Pick<Held, 'note' | 'noted'> {
    return {
      note: async (answer) => {
        this.#mustBeOpen();
        await lease.note(answer === undefined ? null : seal(answerName(name), answer, (await this.#storeKeys())[0], this.#random));
      },
      noted: async () => {
        const bytes = await lease.noted();
        return bytes && ((await this.#unseal(answerName(name), bytes, name)) as NotedAnswer);
      },
    };
  }

  async #resealAll(): Promise<{ sealed: number; total: number }> {
    const [key] = await this.#storeKeys(true);
    const { rows } = await this.#connections.read(`SELECT name, sealed, noted FROM ${this.#tables.credentials} WHERE sealed IS NOT NULL`);
    let sealed = 0;
    for (const row of rows) {
      const name = row.name as string;
      const isNew = (bytes: unknown) => bytes === null || isSealedWith(key, bytes as Buffer, this.#where(name));
      if (isNew(row.sealed) && isNew(row.noted)) continue;
      await this.#leased(name, async (lease) => {
        if (await this.#reseal(name, lease)) sealed += 1;
        return lease.taken.sealed !== undefined;
      });
    }
    return { sealed, total: rows.length };
  }

  async #reseal(name: string, lease: Lease): Promise<boolean> {
    const { sealed } = lease.taken;
    if (sealed === undefined) return false;
    const noted = await lease.noted();
    const [key] = await this.#storeKeys();
    const isNew = (bytes: Buffer | undefined) => bytes === undefined || isSealedWith(key, bytes, this.#where(name));
    if (isNew(sealed) && isNew(noted)) return false;
    const again = async (sealedAs: string, bytes: Buffer) => seal(sealedAs, await this.#unseal(sealedAs, bytes, name), key, this.#random);
    await lease.reseal(await again(name, sealed), noted === undefined ? null : await again(answerName(name), noted));
    return true;
  }

  /** `work` says whether there is a credential when it has ended; when it throws, there is what there was. */
  async #leased(name: string, work: (lease: Lease) => Promise<boolean>): Promise<void> {
    const leases = await this.#open();
    // Before anything is locked or written: a wrong key must change nothing.
    await this.#storeKeys();
    const lease = await leases.take(name);
    let there = lease.taken.sealed !== undefined;
    try {
      // Under the lease they stay what they are: who seals a store anew waits for it.
      await this.#storeKeys(true);
      there = await work(lease);
    } finally {
      await lease.release(!there);
    }
  }

  /** The keys, after they were proved to be the store's. */
  async #storeKeys(again = false): Promise<KeyRing> {
    this.#mustBeOpen();
    if (this.#keys && !again) return this.#keys;
    const keys = await this.#source?.read();
    if (!keys) {
      throw new FerruleError('store_key_wrong', 'A store in PostgreSQL has no key of its own: all who use it must be given the same.', {
        where: this.#source?.where ?? 'FERRULE_KEY',
        next: 'Set FERRULE_KEY to 32 bytes as base64 (openssl rand -base64 32), the same on each machine.',
      });
    }
    unseal(KEY_CHECK, (await this.#keyCheck()) ?? (await this.#makeKeyCheck(keys)), keys, this.#where());
    this.#keys = keys;
    return keys;
  }

  async #keyCheck(): Promise<Buffer | undefined> {
    const { rows } = await this.#connections.read(`SELECT key_check FROM ${this.#tables.store}`);
    return (rows[0]?.key_check as Buffer | null | undefined) ?? undefined;
  }

  /** Gives the one that holds: another process may have been faster, perhaps with another key. */
  async #makeKeyCheck(keys: KeyRing): Promise<Buffer> {
    const { credentials, store } = this.#tables;
    const [first] = (await this.#connections.read(`SELECT name, sealed FROM ${credentials} WHERE sealed IS NOT NULL LIMIT 1`)).rows;
    // The check was lost. Any credential that this key opens will do in its place.
    if (first) unseal(first.name as string, first.sealed as Buffer, keys, this.#where(first.name as string));
    await this.#connections.write(`UPDATE ${store} SET key_check = $1 WHERE key_check IS NULL`, [
      seal(KEY_CHECK, {}, keys[0], this.#random),
    ]);
    const made = await this.#keyCheck();
    if (made) return made;
    throw new FerruleError('store_unreadable', 'The row that says what the store is made with was removed.', { where: this.#where() });
  }
}
