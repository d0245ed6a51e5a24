import type { ClientBase, ClientConfig, Pool, PoolClient } from 'pg';
import { systemCode } from '../core/atomic-write.ts';
import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { type PostgresServer, placeOf, tlsOf } from '../core/postgres-address.ts';
import { reveal } from '../core/secret.ts';
import { storeClosed } from './copy.ts';
import { databaseFailure, isConnectionLost } from './postgres-failure.ts';

type Environment = Record<string, string | undefined>;
type Doing = 'read' | 'write';
type Driver = typeof import('pg');

export interface Answer {
  rows: Record<string, unknown>[];
  /** Rows that were found or written. */
  count: number;
}

export type Run = (text: string, values?: unknown[]) => Promise<Answer>;

/** A connection of one's own, for what the server ties to it. */
export interface Session {
  /** One statement after the other, in the order of the calls. */
  run: Run;
  /** The server's process is not the one that the connection began with: something in between hands them out. */
  readonly pooled: boolean;
  /** Called once, when the connection is gone for whatever reason. */
  onEnd(listen: () => void): void;
  /** Whether it keeps the process from ending. */
  hold(on: boolean): void;
  end(): Promise<void>;
}

const MOST = 4;
const IDLE = 10_000;
/** None of our statements waits for anybody: one that takes longer has a dead server or a dead way to it. Milliseconds. */
const LONGEST_STATEMENT = 30_000;
/** As long as a server may take to start anew. Milliseconds. */
export const RECOVERY = 30_000;

/**
 * For each connection, before its first use. A machine that died sends nothing, so the server has to ask: it notices within a minute, and
 * frees what the machine held. The rest undoes settings of a database that would break what the store promises.
 */
const SETTINGS = `SELECT set_config(s.name, v.value, false) FROM (VALUES
  ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '50000'),
  ('statement_timeout', '${LONGEST_STATEMENT}'), ('idle_session_timeout', '0'),
  ('default_transaction_isolation', 'read committed'),
  ('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END)
) AS v (name, value) JOIN pg_settings AS s USING (name)`;

async function loadDriver(): Promise<Driver> {
  try {
    return (await import('pg')).default as unknown as Driver;
  } catch (error) {
    if (!/MODULE_NOT_FOUND$/.test(systemCode(error) ?? '')) throw error;
    throw new FerruleError('not_supported', 'A store in PostgreSQL needs the package pg, which is not installed.', {
      where: 'pg',
      next: 'Run: npm install pg',
    });
  }
}

export interface ConnectionSource {
  server: PostgresServer;
  ca?: string;
  env: Environment;
  clock: Clock;
}

/** The connections of one store: a few for statements that stand alone, and sessions. What they throw is ours. */
export class Connections {
  readonly where: string;
  readonly #source: ConnectionSource;
  #ready: Promise<{ driver: Driver; pool: Pool; config: ClientConfig }> | undefined;
  readonly #prepared = new WeakSet<ClientBase>();
  #ended = false;

  constructor(source: ConnectionSource) {
    this.#source = source;
    this.where = placeOf(source.server);
  }

  /** Tried again on another connection when one that lay idle has died. */
  async read(text: string, values?: unknown[]): Promise<Answer> {
    return this.persist(() => this.using('read', (run) => run(text, values)), 0, 1);
  }

  /** One statement, which the server does whole or not at all; when the connection breaks nobody knows which. */
  write(text: string, values?: unknown[]): Promise<Answer> {
    return this.using('write', (run) => run(text, values));
  }

  /** Several statements on one connection. */
  async using<T>(doing: Doing, work: (run: Run) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined;
    // Unless all went well: whatever it was in the middle of ends with it.
    let broken = true;
    // The statement that runs is told as well; without a listener the event would end the process.
    const heard = () => {};
    try {
      const { pool } = await this.#open();
      client = await pool.connect();
      client.on('error', heard);
      await this.#prepare(client);
      const found = await work(runOn(client));
      broken = false;
      return found;
    } catch (error) {
      throw this.#ended ? storeClosed() : databaseFailure(error, doing, this.where);
    } finally {
      client?.off('error', heard);
      client?.release(broken);
    }
  }

  /** Does it again, with pauses, for as long as the connection is what fails: for what must not be lost, and is the same when done twice. */
  async persist<T>(work: () => Promise<T>, ms = RECOVERY, least = 0): Promise<T> {
    const { clock } = this.#source;
    const until = clock.now() + ms;
    for (let tried = 0, pause = 20; ; tried += 1, pause = Math.min(pause * 2, 1000)) {
      try {
        return await work();
      } catch (error) {
        if (!isConnectionLost(error) || (tried >= least && clock.now() >= until)) throw error;
      }
      if (tried >= least) await clock.sleep(pause);
    }
  }

  /** For leases, and so for writing. */
  async session(): Promise<Session> {
    const { driver, config } = await this.#open();
    const client = new driver.Client(config);
    let gone = false;
    const listeners: (() => void)[] = [];
    const over = () => {
      if (gone) return;
      gone = true;
      for (const listen of listeners) listen();
    };
    client.on('error', over);
    client.on('end', over);
    try {
      await client.connect();
      await this.#prepare(client);
      const pid = (await runOn(client)('SELECT pg_backend_pid()::text AS pid')).rows[0]!.pid;
      const session = this.#sessionOf(client, String(pid) !== String((client as unknown as { processID: number }).processID));
      return { ...session, onEnd: (listen) => (gone ? listen() : void listeners.push(listen)) };
    } catch (error) {
      void client.end();
      throw databaseFailure(error, 'write', this.where);
    }
  }

  #sessionOf(client: InstanceType<Driver['Client']>, pooled: boolean): Omit<Session, 'onEnd'> {
    const run = runOn(client);
    // The driver wants one at a time.
    let last: Promise<unknown> = Promise.resolve();
    return {
      pooled,
      run: (text, values) => {
        const mine = last.then(async () => {
          try {
            return await run(text, values);
          } catch (error) {
            const own = databaseFailure(error, 'write', this.where);
            // One that did not answer in time is of no more use, and what it holds must be free.
            if (isConnectionLost(own)) void client.end();
            throw own;
          }
        });
        last = mine.catch(() => {});
        return mine;
      },
      hold: (on) => {
        const socket = client as unknown as { ref(): void; unref(): void };
        if (on) socket.ref();
        else socket.unref();
      },
      end: () => awaited(() => client.end()),
    };
  }

  async end(): Promise<void> {
    this.#ended = true;
    const ready = await this.#ready?.catch(() => undefined);
    this.#ready = undefined;
    if (ready) await awaited(() => ready.pool.end());
  }

  async #prepare(client: ClientBase): Promise<void> {
    if (this.#prepared.has(client)) return;
    await client.query(SETTINGS);
    this.#prepared.add(client);
  }

  #open(): Promise<{ driver: Driver; pool: Pool; config: ClientConfig }> {
    if (this.#ended) throw storeClosed();
    this.#ready ??= this.#made().catch((error) => {
      // A package that is installed or a file that is put there later is found.
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #made(): Promise<{ driver: Driver; pool: Pool; config: ClientConfig }> {
    const driver = await loadDriver();
    const { server, ca, env } = this.#source;
    const { host = 'localhost', port = 5432, user = env.PGUSER, dbname = env.PGDATABASE, connect_timeout = 10 } = server;
    const config: ClientConfig = {
      host,
      port,
      ...(user !== undefined && { user }),
      ...(dbname !== undefined && { database: dbname }),
      password: () => this.#password(),
      ssl: await tlsOf(server, ca),
      application_name: 'ferrule',
      connectionTimeoutMillis: connect_timeout * 1000,
      query_timeout: LONGEST_STATEMENT + 5000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 20_000,
    };
    const pool = new driver.Pool({ ...config, max: MOST, idleTimeoutMillis: IDLE, allowExitOnIdle: true });
    // One that lies idle has died: the pool has dropped it.
    pool.on('error', () => {});
    return { driver, pool, config };
  }

  /** Given only when the server asks, so that no object of the driver holds it before. */
  async #password(): Promise<string> {
    const { server, env } = this.#source;
    let given = server.password;
    if (typeof given === 'function') {
      try {
        given = await given();
      } catch (cause) {
        throw new FerruleError('store_unreadable', 'The function that gives the password of the database failed.', {
          where: this.where,
          cause,
        });
      }
    }
    // The driver's own word for none. Undefined would send it to look for a .pgpass file.
    return reveal(given ?? env.PGPASSWORD ?? '');
  }
}

/** An idle connection does not keep the process from ending, so it would end in the middle of its caller's `await`. */
async function awaited(end: () => Promise<void>): Promise<void> {
  const awake = setInterval(() => {}, 1000);
  try {
    await end();
  } finally {
    clearInterval(awake);
  }
}

const runOn =
  (client: ClientBase): Run =>
  async (text, values) => {
    const { rows, rowCount } = await client.query(text, values);
    return { rows, count: rowCount ?? 0 };
  };
