import { type ErrorKind, FerruleError, isFerruleError } from '../core/errors.ts';

interface Reason {
  /** Follows "The credential store cannot be read: ". */
  what: string;
  next?: string;
  kind?: ErrorKind;
}

const GRANTS = 'Give the role its rights; docs/stores-postgres.md lists them.';
const LATER = 'Try again in a moment.';

/** By SQLSTATE (PostgreSQL manual, appendix A) or by class, its first two characters. */
const REASONS: Readonly<Record<string, Reason>> = {
  '28': {
    what: 'the server lets in no such user, or the password is wrong',
    next: "Check user and password, and the server's pg_hba.conf.",
  },
  '3D': { what: 'there is no such database', next: 'Make it (createdb), or name another one in the address.' },
  '3F': { what: 'there is no such schema', next: 'Make it (CREATE SCHEMA), or name another one.' },
  '42501': { what: 'the role may not do that', next: GRANTS },
  '42P01': { what: 'a table of it is gone', next: 'Put the tables back, or open the store anew to have them made.' },
  '42P07': { what: 'something else has the name of one of its tables', next: 'Choose another prefix.' },
  '25006': { what: 'the server is a replica, or read-only', next: 'Give the address of the primary.' },
  '53300': { what: 'the server has too many connections', next: 'Raise max_connections, or end some.', kind: 'transient' },
  '53': { what: 'the server has run out of memory or disk', next: "Look into the server's log." },
  '57P': { what: 'the server is shutting down or starting', next: LATER, kind: 'transient' },
  '57': { what: 'the server ended the statement', next: LATER, kind: 'transient' },
  '40': { what: 'another transaction was in the way', next: LATER, kind: 'transient' },
  '08': { what: 'the connection broke', next: LATER, kind: 'transient' },
};

/** The driver has no code for what it finds itself; these texts are its own and constant. */
const WORDS: readonly [RegExp, Reason & { lost?: boolean }][] = [
  [
    /^The server does not support SSL connections$/,
    { what: 'the server has no TLS', next: 'Turn ssl on in postgresql.conf. sslmode=disable in the address does without it.' },
  ],
  [
    /client password must be/,
    { what: 'the server asks for a password, and none is given', next: 'Put it into the address or PGPASSWORD.' },
  ],
  // Before the next: that one too may say that it was for want of time.
  [/timeout/i, { what: 'the server does not answer in time', next: LATER, kind: 'transient', lost: true }],
  [/^Connection terminated|not queryable$/, { what: 'the connection broke', next: LATER, kind: 'transient', lost: true }],
];

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|ERR_OSSL)/;
const UNREACHABLE: Reason = {
  what: 'the server does not answer',
  next: 'Check host and port, and whether it runs.',
  kind: 'transient',
};
const NAMELESS: Reason = { what: "the server's name does not resolve", next: 'Check the host.' };
const UNTRUSTED: Reason = {
  what: 'TLS with the server failed',
  next: 'Name the authority of its certificate (sslrootcert in the address), and the host as it is written in the certificate.',
};

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{2,60}$/.test(error.code)
    ? error.code
    : '';
const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string' ? error.message : '';

function reasonOf(error: unknown, code: string): Reason & { lost?: boolean } {
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) {
    const known = REASONS[code] ?? REASONS[code.slice(0, 3)] ?? REASONS[code.slice(0, 2)];
    return {
      ...(known ?? { what: 'the server refused the statement', next: "Look into the server's log." }),
      lost: /^(08|57P|53300)/.test(code),
    };
  }
  if (TLS.test(code)) return UNTRUSTED;
  if (code === 'ENOTFOUND' || code === 'ENODATA') return NAMELESS;
  // Node's own for a use of it that is wrong: that is no connection's fault.
  if (code !== '' && !/^ERR_(?!SOCKET|STREAM)/.test(code)) return { ...UNREACHABLE, lost: true };
  return (
    WORDS.find(([words]) => words.test(messageOf(error)))?.[1] ?? {
      what: 'the driver failed',
      next: 'Check the version of pg: 8.16 or later.',
    }
  );
}

/** Ours whose connection was lost: the same may hold on another one. */
const lost = new WeakSet<FerruleError>();

export const isConnectionLost = (error: unknown): boolean => isFerruleError(error) && lost.has(error);

/**
 * What the driver threw, as one of ours. Only its code is kept: its message, detail and where may hold what was to be stored, and its
 * other properties the address.
 */
export function databaseFailure(error: unknown, doing: 'read' | 'write', where: string): FerruleError {
  if (isFerruleError(error)) return error;
  const code = codeOf(error);
  const { what, next, kind, lost: gone } = reasonOf(error, code);
  const message = `The credential store cannot be ${doing === 'read' ? 'read' : 'written'}: ${what}${code === '' ? '' : ` (${code})`}.`;
  const own = new FerruleError(doing === 'read' ? 'store_unreadable' : 'store_unwritable', message, {
    where,
    ...(next !== undefined && { next }),
    ...(kind !== undefined && { kind }),
  });
  if (gone) lost.add(own);
  return own;
}
