import { type Clock, systemClock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import { type PostgresServer, parsePostgresAddress, placeOf } from '../core/postgres-address.ts';
import type { OpenedSink, SinkOptions, SinkStream, StreamSink, StreamState } from '../core/sink.ts';
import { quoted } from './column-name.ts';
import { lockFor, openSession, type Session } from './postgres-session.ts';
import { columnsOf, postgresTable, STATE } from './postgres-table.ts';
import { openTableSink } from './table-sink.ts';

interface Place {
  server: PostgresServer;
  schema: string;
}

/**
 * A schema of a PostgreSQL database (12 or later): a table for each stream, and `_ferrule_state`, changed in the same transactions. Needs the
 * packages pg and pg-copy-streams. Times are timestamptz, maps and lists jsonb. Each stream has a connection of its own, which holds a lock
 * for it; a pooler in between must be one of sessions. An overwrite fills `<stream>__ferrule_new`; when it is complete, its rows are moved
 * into the old table, which keeps its views, grants, indexes and types.
 * @param target `postgres://user@host:5432/db?schema=ads`; the schema is `public` by default, and made if it is not there
 * @throws FerruleError input_malformed, not_supported, peer_missing, connection_failed, output_failed, output_unreadable
 */
export async function open(target: string, options: SinkOptions & { clock?: Clock } = {}): Promise<OpenedSink> {
  const { schema = 'public', ...server } = parsePostgresAddress(target, ['schema']);
  // The server would cut a longer name, and not find it again.
  if (schema === '' || Buffer.byteLength(schema) > 63) {
    throw new FerruleError('input_malformed', 'The schema in the address of the PostgreSQL server is empty or longer than 63 bytes.', {
      where: 'url',
      next: 'Write it as ?schema=name, or leave it out for public.',
    });
  }
  const place: Place = { server, schema };
  await using(place, (session) => session.transaction(() => openSchema(session, schema)));
  const streams = new Set<StreamSink>();
  let closed = false;
  const mustBeOpen = () => {
    if (closed) throw new FerruleError('closed', 'The destination was closed.', { where: placeOf(server) });
  };
  return {
    type: 'postgres',
    state: async (stream) => {
      mustBeOpen();
      return using(place, (session) => stateOf(session, schema, stream));
    },
    open: async (stream) => {
      mustBeOpen();
      const sink = await openStream(place, stream, options, () => streams.delete(sink));
      streams.add(sink);
      return sink;
    },
    close: async () => {
      closed = true;
      await Promise.all([...streams].map((sink) => sink.close()));
    },
  };
}

/** A connection for as long as the work takes. */
async function using<T>({ server }: Place, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(server);
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}

async function openStream(
  { server, schema }: Place,
  stream: SinkStream,
  { clock = systemClock, ...options }: SinkOptions & { clock?: Clock },
  closed: () => void,
) {
  const session = await openSession(server);
  try {
    await lockFor(session, `ferrule ${schema}.${stream.name}`, `The table ${schema}.${stream.name}`, clock);
    const close = async () => {
      closed();
      await session.end();
    };
    return await openTableSink(postgresTable(session, schema, close), stream, options);
  } catch (error) {
    await session.end();
    throw error;
  }
}

/** One process at a time: two that make the same thing at once would fail, whatever IF NOT EXISTS says. */
async function openSchema(session: Session, schema: string): Promise<void> {
  const { run } = session;
  await run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`ferrule ${schema}`]);
  // A role without the right to make schemas may use one that is there.
  const there = await run('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (there.length === 0) await run(`CREATE SCHEMA ${quoted(schema)}`);
  const columns = await columnsOf(session, schema, STATE);
  const made = 'stream text NOT NULL, key text NOT NULL, value text NOT NULL, PRIMARY KEY (stream, key)';
  if (columns === undefined) await run(`CREATE TABLE ${quoted(schema)}.${STATE} (${made})`);
  else if (!['stream', 'key', 'value'].every((name) => columns.get(name) === 'text')) {
    throw new FerruleError('output_unreadable', `The table ${schema}.${STATE} is not one that Ferrule has made.`, { where: session.where });
  }
}

async function stateOf({ run }: Session, schema: string, stream: string): Promise<StreamState> {
  const found = await run(`SELECT key, value FROM ${quoted(schema)}.${STATE} WHERE stream = $1`, [stream]);
  return new Map(found.map(({ key, value }) => [String(key), parseJson(String(value), 'text')]));
}
