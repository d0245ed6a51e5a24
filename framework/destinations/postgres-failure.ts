import { FerruleError, isFerruleError } from '../core/errors.ts';

type Reason = { code: 'output_failed' | 'output_locked' | 'record_refused' | 'connection_failed'; what: string; next?: string };

const LATER = 'Run again in a moment: what was committed is kept.';
const RECORD = 'Look at the table for what Ferrule has not made (constraints, triggers), and at the values of that column.';
const unwritten = (what: string, next?: string): Reason => ({ code: 'output_failed', what, ...(next !== undefined && { next }) });
const lost = (what: string): Reason => ({ code: 'connection_failed', what, next: LATER });

/** By SQLSTATE (PostgreSQL manual, appendix A), by its first three characters, or by its class. */
const REASONS: Readonly<Record<string, Reason>> = {
  '0A000': unwritten(
    'the table is used by something that forbids the change, such as a view of a column that gets another type',
    'Drop the view, run again, and make it anew.',
  ),
  '2BP01': unwritten('something else depends on the table', 'Drop what depends on it, run again, and make it anew.'),
  '22': { code: 'record_refused', what: 'it does not take a value of the batch', next: RECORD },
  '23': { code: 'record_refused', what: 'a constraint of the table does not take a record of the batch', next: RECORD },
  '54': { code: 'record_refused', what: 'a record of the batch is too large for it, or has too many columns', next: RECORD },
  '25006': unwritten('the server is a replica, or read-only', 'Give the address of the primary.'),
  '28': unwritten('it lets in no such user, or the password is wrong', "Check user and password, and the server's pg_hba.conf."),
  '3D': unwritten('there is no such database', 'Make it (createdb), or name another one in the address.'),
  '42501': unwritten('the role may not do that', 'Give the role CREATE and USAGE on the schema, or let it own the tables.'),
  '42703': unwritten('a column is gone since the stream was opened', LATER),
  '42P01': unwritten('a table is gone since the stream was opened', LATER),
  '53100': unwritten('its disk is full', 'Make room, and run again: what was committed is kept.'),
  '53300': lost('it has too many connections'),
  '53': unwritten('it has run out of memory or disk', "Look into the server's log."),
  '55P03': { code: 'output_locked', what: 'another session holds a table locked for longer than we wait', next: LATER },
  '57P': lost('it is shutting down or starting'),
  '57': lost('it ended the statement'),
  '40': lost('another transaction was in the way'),
  '08': lost('the connection broke'),
};

/** The driver has no code for what it finds itself; these texts are its own and constant. */
const WORDS: readonly [RegExp, Reason][] = [
  [
    /^The server does not support SSL connections$/,
    unwritten('it has no TLS', 'Turn ssl on in postgresql.conf. sslmode=disable in the address does without it.'),
  ],
  [/client password must be/, unwritten('it asks for a password, and none is given', 'Put it into the address, PGPASSWORD or PGPASSFILE.')],
  [/timeout/i, lost('it does not answer in time')],
  [/^Connection terminated|not queryable|connection error/i, lost('the connection broke')],
];

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|ERR_OSSL)/;
const UNTRUSTED = unwritten(
  'TLS with it failed',
  'Name the authority of its certificate (sslrootcert), and the host as the certificate has it.',
);
const NAMELESS = unwritten('its name does not resolve', 'Check the host.');

const textOf = (error: unknown, name: string): string => {
  const value = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
};

function reasonOf(error: unknown, code: string): Reason {
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) {
    const known = REASONS[code] ?? REASONS[code.slice(0, 3)] ?? REASONS[code.slice(0, 2)];
    return known ?? unwritten('it refused a statement', "Look into the server's log.");
  }
  if (TLS.test(code)) return UNTRUSTED;
  if (code === 'ENOTFOUND' || code === 'ENODATA') return NAMELESS;
  const words = WORDS.find(([pattern]) => pattern.test(textOf(error, 'message')))?.[1];
  if (words) return words;
  return code === '' ? unwritten('the driver failed', 'Check the version of pg: 8.16 or later.') : lost('it does not answer');
}

/**
 * What the driver threw, as one of ours. Only its code is kept: its message, detail and where may hold a record's values, and its other
 * properties the address. A transaction that met another one is transient; so is a lost connection.
 */
export function databaseFailure(error: unknown, where: string): FerruleError {
  if (isFerruleError(error)) return error;
  const state = textOf(error, 'code');
  const { code, what, next } = reasonOf(error, state);
  const shown = /^[A-Z0-9_]{2,60}$/.test(state) ? ` (${state})` : '';
  return new FerruleError(code, `The PostgreSQL database cannot be written to: ${what}${shown}.`, {
    where,
    ...(next !== undefined && { next }),
  });
}

/** Which line of a COPY the server refused, from 0. Its words hold the value too, so nothing but the number is taken. */
export function copyLineOf(error: unknown): number | undefined {
  const line = /^COPY .*?, line (\d+)/s.exec(textOf(error, 'where'))?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}
