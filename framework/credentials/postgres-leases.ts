import { createHash } from 'node:crypto';
import type { Clock, Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { isGone, ownIdentity, type ProcessIdentity } from '../core/process-identity.ts';
import { storeClosed } from './copy.ts';
import { type Connections, RECOVERY, type Session } from './postgres-connections.ts';
import { isConnectionLost } from './postgres-failure.ts';
import { Lease, type Taken } from './postgres-lease.ts';
import type { Tables } from './postgres-tables.ts';

/*
 * Whose a credential is, in two parts.
 *
 * The *lock* is an advisory lock of a database session: it says who works now. It has no time limit, so that a token request may take as
 * long as it likes, and the server frees it when the session's connection closes, which for a killed process is at once. All leases of a store share one session.
 *
 * The *fence* is a number in the credential's row, new with each lease. Each write names it, in the statement that writes. So the lock may be
 * lost (a server that starts anew frees them all, an administrator ends a session, a network breaks) and nothing wrong is written: as long as nobody took
 * the lease the fence stands, and the holder can write over any connection; once somebody did, the holder's write finds no row.
 *
 * What a lost lock could cause is a second refresh. So a holder whose session ends connects anew and takes its locks back, and a taker that
 * finds the lock free but the row not released asks why:
 * - the holder's process is gone from this machine: it died. Taken at once.
 * - the lease is of this run of the server: a session ended, most likely with its process. Who lives is back within RETURN.
 * - it is of an earlier run, or of another server: everybody lost their locks, the living ones too, and a living one may be as long in
 *   coming back as the network likes. Taken after the grace, which is as long as a token request may take.
 */

/** How long a holder whose session alone ended may take to come back. Milliseconds. */
const RETURN = 500;
const SHORTEST_PAUSE = 2;
const LONGEST_PAUSE = 200;

interface Holder extends ProcessIdentity {
  /** Random, another for each store that was opened. */
  store: string;
}

export interface LeaseOptions {
  clock: Clock;
  random: Random;
  /** How long to wait for another holder. Milliseconds. */
  wait: number;
  /** How long a holder may be away when the server started anew. Milliseconds. */
  grace: number;
}

/** A name that somebody of this process works on or waits for: two of one session would both get the lock. */
interface Place {
  name: string;
  lock: string;
  /** From when the lease is ours. */
  fence?: string;
  /** The session that has the lock. */
  session: Session | undefined;
  retaking?: Promise<void>;
  /** When the lock was first found free with a row that is not released: of which lease, taken or taken back when. */
  doubted?: { lease: string; since: number };
  over: boolean;
  ended: Promise<void>;
  end(): void;
}

export class Leases {
  readonly #connections: Connections;
  readonly #tables: Tables;
  readonly #oid: string;
  readonly #options: LeaseOptions;
  readonly #id: string;
  readonly #places = new Map<string, Place>();
  #session: Promise<Session> | undefined;
  #closed = false;

  constructor(connections: Connections, tables: Tables, oid: string, options: LeaseOptions) {
    this.#connections = connections;
    this.#tables = tables;
    this.#oid = oid;
    this.#options = options;
    this.#id = Buffer.from(options.random.bytes(8)).toString('hex');
  }

  /** `store_locked` when the wait is over. */
  async take(name: string): Promise<Lease> {
    const until = this.#options.clock.now() + this.#options.wait;
    const place = await this.#place(name, until);
    try {
      const taken = await this.#acquire(place, until);
      return new Lease(this.#connections, this.#tables, { name, fence: place.fence!, ...taken }, (drop) => this.#release(place, drop));
    } catch (error) {
      await this.#leave(place);
      throw error;
    }
  }

  /** Leases that are held go on, so that nobody else takes them while their holders work; the connections end with the last one. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#places.size === 0) await this.#end();
  }

  async #place(name: string, until: number): Promise<Place> {
    const { clock } = this.#options;
    for (let other = this.#places.get(name); other !== undefined; other = this.#places.get(name)) {
      const left = until - clock.now();
      if (left <= 0) throw lockedBy(name, await this.#holderOf(name), this.#options.wait, this.#connections.where);
      const stop = new AbortController();
      await Promise.race([other.ended, clock.sleep(left, stop.signal)]).finally(() => stop.abort());
    }
    if (this.#closed) throw storeClosed();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const place: Place = { name, lock: lockNumber(this.#oid, name), session: undefined, over: false, ended, end };
    this.#places.set(name, place);
    return place;
  }

  async #acquire(place: Place, until: number): Promise<Taken> {
    const { clock, random, wait } = this.#options;
    for (let pause = SHORTEST_PAUSE, first = true; ; pause = Math.min(pause * 2, LONGEST_PAUSE), first = false) {
      if (this.#closed) throw storeClosed();
      // Who has waited goes on over a server's start; who begins is told at once that there is none.
      const taken = await this.#connections.persist(() => this.#try(place), first ? 0 : RECOVERY, 1);
      if (taken !== undefined) return taken;
      if (clock.now() >= until) throw lockedBy(place.name, await this.#holderOf(place.name), wait, this.#connections.where);
      await clock.sleep(pause * (0.5 + random.float() / 2));
    }
  }

  /** Undefined: somebody else has it, or may come back for it. */
  async #try(place: Place): Promise<Taken | undefined> {
    const session = await this.#open();
    session.hold(true);
    if (!(await tryLock(session, place))) return undefined;
    let taken = await this.#claim(session, place, null);
    if (taken === undefined) {
      const fence = await this.#abandoned(session, place);
      if (fence !== undefined) taken = await this.#claim(session, place, fence);
    }
    // Let go meanwhile: its holder must be able to take it back.
    if (taken === undefined) await unlock(place);
    return taken;
  }

  /** Makes the row ours where it is released, or still of the lease that was judged. */
  async #claim(session: Session, place: Place, judged: string | null): Promise<Taken | undefined> {
    const { credentials, fences } = this.#tables;
    const holder: Holder = { ...(await ownIdentity()), store: this.#id };
    const { rows } = await session.run(
      `INSERT INTO ${credentials} AS c (name, version, fence, holder, taken, server)
        VALUES ($1, 0, nextval('${fences}'), $2::jsonb, clock_timestamp(), pg_postmaster_start_time())
        ON CONFLICT (name) DO UPDATE SET fence = excluded.fence, holder = excluded.holder, taken = excluded.taken, server = excluded.server
        WHERE c.holder IS NULL OR c.fence = $3::bigint
        RETURNING fence::text AS fence, version::text AS version, sealed`,
      [place.name, JSON.stringify(holder), judged],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    if (session.pooled && !(await holds(session, place))) throw sharedSession(this.#connections.where);
    // From here on it is taken back when its session ends: not before, or whoever tries again would have the lock twice.
    place.fence = row.fence as string;
    return { sealed: (row.sealed as Buffer | null) ?? undefined, version: Number(row.version) };
  }

  /** The fence of a lease whose holder will not come back. */
  async #abandoned(session: Session, place: Place): Promise<string | undefined> {
    const { rows } = await session.run(
      `SELECT fence::text AS fence, holder::text AS holder, taken::text AS taken, server = pg_postmaster_start_time() AS same, taken < pg_postmaster_start_time() AS before,
        (extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) * 1000)::bigint::text AS up
        FROM ${this.#tables.credentials} WHERE name = $1 AND holder IS NOT NULL`,
      [place.name],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const fence = row.fence as string;
    const holder = JSON.parse(row.holder as string) as Holder;
    // Of this store: its release did not get through. Of a dead process: nothing comes any more.
    if (holder.store === this.#id || (await isGone(holder))) return fence;
    const now = this.#options.clock.now();
    const lease = `${fence} ${row.taken}`;
    if (place.doubted?.lease !== lease) place.doubted = { lease, since: now };
    const doubted = now - place.doubted.since;
    if (row.same) return doubted >= RETURN ? fence : undefined;
    return (row.before ? Number(row.up) : doubted) >= this.#options.grace ? fence : undefined;
  }

  async #holderOf(name: string): Promise<Holder | undefined> {
    const { rows } = await this.#connections.read(`SELECT holder::text AS holder FROM ${this.#tables.credentials} WHERE name = $1`, [name]);
    const holder = rows[0]?.holder as string | null | undefined;
    return typeof holder === 'string' ? (JSON.parse(holder) as Holder) : undefined;
  }

  #open(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const opening = this.#connect(() => {
      if (this.#session === opening) this.#session = undefined;
      void this.#comeBack();
    });
    this.#session = opening;
    opening.catch(() => {
      if (this.#session === opening) this.#session = undefined;
    });
    return opening;
  }

  async #connect(lost: () => void): Promise<Session> {
    const session = await this.#connections.session();
    try {
      if (session.pooled) await refuseSharing(session, this.#connections);
    } catch (error) {
      await session.end();
      throw error;
    }
    session.onEnd(() => {
      for (const place of this.#places.values()) if (place.session === session) place.session = undefined;
      lost();
    });
    session.hold(this.#places.size > 0);
    for (const place of this.#places.values()) if (place.fence !== undefined) place.retaking = this.#retake(place, session);
    return session;
  }

  /** As long as there is something to take back. What fails here, the holder's next write meets too. */
  async #comeBack(): Promise<void> {
    const held = () => [...this.#places.values()].some(({ fence, over }) => fence !== undefined && !over);
    for (let pause = SHORTEST_PAUSE; held(); pause = Math.min(pause * 2, 1000)) {
      try {
        return void (await this.#open());
      } catch {
        await this.#options.clock.sleep(pause);
      }
    }
  }

  async #retake(place: Place, session: Session): Promise<void> {
    try {
      for (let pause = SHORTEST_PAUSE; !place.over; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
        const locked = await tryLock(session, place);
        // Also without the lock, which another may have for the moment of judging: is the lease still ours?
        const { count } = await session.run(
          `UPDATE ${this.#tables.credentials} SET taken = clock_timestamp(), server = pg_postmaster_start_time() WHERE name = $1 AND fence = $2`,
          [place.name, place.fence],
        );
        if (count === 0) return void (await unlock(place));
        if (locked) return;
        await this.#options.clock.sleep(pause);
      }
    } catch {
      // Lost again, and the next session tries it again; or what the holder's next write meets too.
      await unlock(place);
    }
  }

  /** `drop`: there is no credential in the row, so the row goes as well. */
  async #release(place: Place, drop: boolean): Promise<void> {
    place.over = true;
    const { credentials } = this.#tables;
    const text = drop
      ? `DELETE FROM ${credentials} WHERE name = $1 AND fence = $2 AND sealed IS NULL`
      : `UPDATE ${credentials} SET holder = NULL WHERE name = $1 AND fence = $2`;
    try {
      await place.retaking;
      await this.#connections.persist(() => this.#connections.write(text, [place.name, place.fence]), RECOVERY / 3);
    } catch (error) {
      // What was to be written is written. Others will find the row as after a death, and this store takes it back by its name.
      if (!isConnectionLost(error)) throw error;
    } finally {
      await this.#leave(place);
    }
  }

  async #leave(place: Place): Promise<void> {
    place.over = true;
    await unlock(place);
    this.#places.delete(place.name);
    place.end();
    if (this.#places.size === 0) await this.#rest();
  }

  async #rest(): Promise<void> {
    if (this.#closed) return this.#end();
    const session = await this.#session?.catch(() => undefined);
    if (this.#places.size === 0) session?.hold(false);
  }

  async #end(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    await session?.end();
    await this.#connections.end();
  }
}

/** By the table and the name. Two names of one number would only wait for one another. */
const lockNumber = (oid: string, name: string): string =>
  createHash('sha256').update(`ferrule ${oid} ${name}`).digest().readBigInt64BE().toString();

async function tryLock(session: Session, place: Place): Promise<boolean> {
  const { rows } = await session.run('SELECT pg_try_advisory_lock($1::bigint) AS locked', [place.lock]);
  if (rows[0]!.locked !== true) return false;
  place.session = session;
  return true;
}

async function unlock(place: Place): Promise<void> {
  const { session } = place;
  place.session = undefined;
  try {
    await session?.run('SELECT pg_advisory_unlock($1::bigint)', [place.lock]);
  } catch {
    // A lock that cannot be let go ends with its session; the others of that session are taken back.
    await session?.end();
  }
}

async function holds(session: Session, { lock }: Place): Promise<boolean> {
  const { count } = await session.run(
    `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_backend_pid()
      AND (classid::bigint << 32) | objid::bigint = $1::bigint`,
    [lock],
  );
  return count === 1;
}

const sharedSession = (where: string): FerruleError =>
  new FerruleError(
    'not_supported',
    'Something between here and the database gives one session to several clients, so nobody can hold a lease.',
    {
      where,
      next: "Give the server's own address, or a pooler's in session mode (pgbouncer: pool_mode = session).",
    },
  );

/** A pooler that hands out the session's server process while the session lives hands it to the next one who asks, or another to the session. */
async function refuseSharing(session: Session, connections: Connections): Promise<void> {
  const pid = 'SELECT pg_backend_pid()::text AS pid';
  const own = (await session.run(pid)).rows[0]!.pid;
  const other = await connections.using('read', async (run) => {
    await run('BEGIN');
    const found = (await run(pid)).rows[0]!.pid;
    // Asked while the other is in a transaction: it has its process for itself.
    const again = (await session.run(pid)).rows[0]!.pid;
    await run('ROLLBACK');
    return [found, again];
  });
  if (other[0] === own || other[1] !== own) throw sharedSession(connections.where);
}

function lockedBy(name: string, holder: ProcessIdentity | undefined, wait: number, where: string): FerruleError {
  const who = holder ? `process ${holder.pid} on ${holder.host.split(' ')[0]}` : 'another process';
  return new FerruleError('store_locked', `Credential "${name}" is locked by ${who}; it was not freed in ${wait / 1000} s.`, {
    where,
    next: 'Wait for that process, or end it.',
  });
}
