import type { Client, ClientConfig } from 'pg';
import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { type PostgresServer, placeOf, tlsOf } from '../core/postgres-address.ts';
import { reveal } from '../core/secret.ts';
import { databaseFailure } from './postgres-failure.ts';
import { isNotInstalled, peerMissing } from './table-failure.ts';

/** The packages and the versions that they were tested with. */
export const PACKAGES = ['pg@8.23.1', 'pg-copy-streams@7.0.0'] as const;

export type Row = Record<string, unknown>;

/** A connection of one's own. What it throws is ours. */
export interface Session {
  readonly where: string;
  run(text: string, values?: unknown[]): Promise<Row[]>;
  /** Rows of COPY's text format, each with its line end, into what `text` names. */
  copy(text: string, rows: Iterable<string>): Promise<void>;
  /** All of `work` or nothing of it. After a lost connection nobody knows which, and no more can be done with this one. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/**
 * For each connection. Our times are in UTC, our transactions may be long (a whole table is moved in one), a server must notice soon when
 * we are gone, and what it has said to be written is.
 */
const SETTINGS = `SELECT set_config(s.name, v.value, false) FROM (VALUES
  ('timezone', 'UTC'), ('datestyle', 'ISO'), ('lock_timeout', '300000'),
  ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),
  ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
  ('client_connection_check_interval', '1000'), ('default_transaction_isolation', 'read committed'),
  ('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END)
) AS v (name, value) JOIN pg_settings AS s ON lower(s.name) = v.name`;

async function loadDriver() {
  try {
    const [pg, copies, { pipeline }, { Readable }] = await Promise.all([
      import('pg'),
      import('pg-copy-streams'),
      import('node:stream/promises'),
      import('node:stream'),
    ]);
    return { Client: pg.default.Client, from: copies.from ?? copies.default.from, pipeline, Readable };
  } catch (error) {
    throw isNotInstalled(error) ? peerMissing('A destination in PostgreSQL', PACKAGES) : error;
  }
}

type Driver = Awaited<ReturnType<typeof loadDriver>>;

/** @throws FerruleError peer_missing, connection_failed, output_failed */
export async function openSession(server: PostgresServer): Promise<Session> {
  const driver = await loadDriver();
  const where = placeOf(server);
  const client = new driver.Client(await configOf(server));
  // Whoever waits for an answer is told as well; without a listener the event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(SETTINGS);
  } catch (error) {
    void client.end().catch(() => undefined);
    throw databaseFailure(error, where);
  }
  return sessionOf(driver, client, where);
}

/** Without a password of its own pg takes PGPASSWORD, or looks into PGPASSFILE. */
async function configOf(server: PostgresServer): Promise<ClientConfig> {
  const { host, port, user, password, dbname, connect_timeout = 10 } = server;
  const given = typeof password === 'function' ? password : password && (() => password);
  return {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(dbname !== undefined && { database: dbname }),
    // Given only when the server asks, so that no object of the driver holds it before.
    ...(given && { password: async () => reveal(await given()) }),
    ssl: await tlsOf(server, undefined, 'input_malformed'),
    application_name: 'ferrule',
    connectionTimeoutMillis: connect_timeout * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 20_000,
  };
}

function sessionOf(driver: Driver, client: Client, where: string): Session {
  const run = async (text: string, values?: unknown[]): Promise<Row[]> => {
    try {
      return (await client.query(text, values)).rows;
    } catch (error) {
      throw databaseFailure(error, where);
    }
  };
  return {
    where,
    run,
    copy: async (text, rows) => {
      const stream = client.query(driver.from(text));
      await driver.pipeline(driver.Readable.from(rows), stream);
    },
    transaction: async (work) => {
      await run('BEGIN');
      try {
        const done = await work();
        await run('COMMIT');
        return done;
      } catch (error) {
        // A connection that is gone has rolled back by itself.
        await client.query('ROLLBACK').catch(() => undefined);
        throw databaseFailure(error, where);
      }
    },
    end: () => client.end().catch(() => undefined),
  };
}

/** A second writer is told at once; one that was killed a moment ago may still be on its way out. Milliseconds. */
const TRIES = 5;
const PAUSE = 100;

/** Who holds an advisory lock of 64 bits (PostgreSQL manual, 54.12 "pg_locks"). */
const HOLDER = `SELECT a.pid, a.client_addr::text AS address FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.datname = current_database()
  AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended($1, 0)`;

/** Takes the lock named `name` for as long as the session lasts. @throws FerruleError output_locked */
export async function lockFor(session: Session, name: string, what: string, clock: Clock): Promise<void> {
  for (let tried = 1; ; tried++) {
    const [answer] = await session.run('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS mine', [name]);
    if (answer?.mine === true) return;
    if (tried === TRIES) break;
    await clock.sleep(PAUSE);
  }
  const [holder] = await session.run(HOLDER, [name]);
  const who =
    holder === undefined ? 'another session' : `the server's process ${holder.pid}, of a client at ${holder.address ?? 'its socket'}`;
  throw new FerruleError('output_locked', `${what} is being written by ${who}.`, { where: session.where });
}
