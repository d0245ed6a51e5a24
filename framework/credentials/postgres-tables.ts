import { FerruleError } from '../core/errors.ts';
import type { Connections } from './postgres-connections.ts';

/** Grows when the tables change. A store made by a later Ferrule is left alone. */
const MIGRATION = 1;

/** Their names, quoted. */
export interface Tables {
  /** One row: the migration, and what the store's key is proved with. */
  store: string;
  credentials: string;
  /** A sequence: no two leases of the store ever have the same number, whatever is removed in between. */
  fences: string;
  uses: string;
}

/** `input_malformed` for anything but plain names: they become part of statements. */
export function tablesOf(prefix: string, schema: string | undefined): Tables {
  for (const [what, name] of Object.entries({ prefix, schema })) {
    if (name === undefined || /^[a-z_][a-z0-9_]{0,39}$/.test(name)) continue;
    throw new FerruleError('input_malformed', `The ${what} of the store's tables is no plain name.`, {
      where: what,
      next: 'Use at most 40 of a–z, 0–9 and _, and no digit first.',
    });
  }
  const named = (name: string) => `${schema === undefined ? '' : `"${schema}".`}"${prefix}${name}"`;
  return { store: named('store'), credentials: named('credentials'), fences: named('fences'), uses: named('uses') };
}

const statements = ({ store, credentials, fences, uses }: Tables): string => `
  CREATE SEQUENCE ${fences};
  CREATE TABLE ${credentials} (
    name text COLLATE "C" PRIMARY KEY,
    -- The credential; null while its first write or after its removal a lease is still there.
    sealed bytea,
    noted bytea,
    version bigint NOT NULL,
    fence bigint NOT NULL,
    -- Null: released. Else who holds the lease, or held it when it died; since when, and the start of the server that it was taken from.
    holder jsonb,
    taken timestamptz,
    server timestamptz
  );
  CREATE TABLE ${uses} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    action text NOT NULL,
    credential text NOT NULL,
    connector text,
    by text NOT NULL,
    outcome text NOT NULL
  );
  CREATE TABLE ${store} (one boolean PRIMARY KEY DEFAULT true CHECK (one), migration int NOT NULL, key_check bytea);
  INSERT INTO ${store} (migration) VALUES (${MIGRATION});`;

/**
 * Makes the tables unless they are there, and gives the number that the server knows the credentials' table by. Any number of processes
 * may come at once; a role that may make no tables is enough where they are made.
 */
export async function openTables(connections: Connections, tables: Tables): Promise<string> {
  const found = async () => {
    const text = 'SELECT to_regclass($1)::oid::text AS store, to_regclass($2)::oid::text AS oid, getdatabaseencoding() AS encoding';
    return (await connections.read(text, [tables.store, tables.credentials])).rows[0]!;
  };
  let { store, oid, encoding } = await found();
  if (encoding !== 'UTF8') {
    throw new FerruleError('not_supported', `The database keeps its text as ${encoding}, which has not every name.`, {
      where: connections.where,
      next: 'Use a database with the encoding UTF8.',
    });
  }
  if (store === null) {
    const failure = await makeTables(connections, tables).catch((error: unknown) => error);
    ({ store, oid } = await found());
    // Another process was faster: the server takes one of them, whole.
    if (store === null) throw failure;
  }
  const { rows } = await connections.read(`SELECT migration::text AS migration FROM ${tables.store}`);
  if (oid === null || rows[0]?.migration !== String(MIGRATION)) {
    throw new FerruleError('not_supported', "The store's tables are of another Ferrule.", {
      where: connections.where,
      next: 'Use the version that made them, or a newer one.',
    });
  }
  return oid as string;
}

/** One statement, so that it is all of it or nothing. Who comes second waits for the first, and fails. */
const makeTables = (connections: Connections, tables: Tables): Promise<unknown> =>
  connections.write(`DO $make$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ferrule tables', 0));
    ${statements(tables)}
  END $make$`);
