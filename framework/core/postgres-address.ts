import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { systemCode } from './atomic-write.ts';
import type { ErrorCode } from './error-table.ts';
import { FerruleError } from './errors.ts';
import { reveal, Secret, type Text } from './secret.ts';

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;

/** Where a PostgreSQL server is and who asks. The names are libpq's own (PostgreSQL manual, 34.1.2 "Parameter Key Words"). */
export interface PostgresServer {
  /** A name, an address, or the folder of a socket (begins with `/`). Default: localhost. */
  host?: string;
  /** Default: 5432. */
  port?: number;
  /** Default: PGUSER, else the name of the system's user. */
  user?: string;
  /** A function is asked for each new connection (tokens that end soon). Default: PGPASSWORD. */
  password?: Text | (() => Text | Promise<Text>);
  /** Default: as the user's name. */
  dbname?: string;
  /** Missing, `allow`, `prefer`: verified TLS, and none to this machine. `require` verifies too; `no-verify` encrypts alone. */
  sslmode?: (typeof MODES)[number];
  /** PEM file of the authority that has signed the server's certificate, or `system`. */
  sslrootcert?: string;
  /** PEM files of a client certificate and its key. */
  sslcert?: string;
  sslkey?: string;
  /** Seconds, default 10. */
  connect_timeout?: number;
}

export const isPostgresAddress = (address: string): boolean => /^postgres(ql)?:\/\//i.test(address);

/** `host:port/dbname`, for messages: neither user nor password. */
export function placeOf({ host = 'localhost', port = 5432, dbname }: PostgresServer): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${name}:${port}${dbname === undefined ? '' : `/${dbname}`}`;
}

const malformed = (what: string, next = 'Write it as postgres://user@host:5432/dbname, with %40 for an @ inside a part.') =>
  // The text may hold a password, so no part of it is shown.
  new FerruleError('input_malformed', `The address of the PostgreSQL server ${what}.`, { where: 'url', next });

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('has a % that begins no escape');
  }
}

/** user:password · host:port · dbname · parameters. The last @ ends the password, as in other URLs. */
const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?(\[[^\]/?#]*\]|[^:/?#]*)(?::(\d*))?(?:\/([^/?#]*))?(?:\?([^#]*))?$/i;

/**
 * A connection URI of libpq (PostgreSQL manual, 34.1.1.2). `more`: parameters that are the caller's own. `input_malformed`, and
 * `not_supported` for a parameter that would do nothing.
 */
export function parsePostgresAddress<More extends string = never>(
  url: Text,
  more: readonly More[] = [],
): PostgresServer & { [name in More]?: string } {
  const parts = URL_PARTS.exec(reveal(url).trim());
  if (!parts) throw malformed('cannot be read');
  const [, who = '', host = '', port = '', dbname = '', query = ''] = parts;
  const colon = who.indexOf(':');
  const user = decoded(colon === -1 ? who : who.slice(0, colon));
  const found: Record<string, string> = {
    ...(user !== '' && { user }),
    ...(colon !== -1 && { password: decoded(who.slice(colon + 1)) }),
    ...(host !== '' && { host: decoded(host.replace(/^\[|\]$/g, '')) }),
    ...(port !== '' && { port }),
    ...(dbname !== '' && { dbname: decoded(dbname) }),
  };
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const equals = pair.indexOf('=');
    if (equals === -1) throw malformed('has a parameter without a value');
    const key = decoded(pair.slice(0, equals));
    if (!PARAMETERS.includes(key) && !more.some((one) => one === key)) throw unknownParameter(key, more);
    found[key] = decoded(pair.slice(equals + 1));
  }
  return serverOf(found) as PostgresServer & { [name in More]?: string };
}

const PARAMETERS: readonly string[] = 'host port user password dbname sslmode sslrootcert sslcert sslkey connect_timeout'.split(' ');

function unknownParameter(key: string, more: readonly string[]): FerruleError {
  // Only what is surely a word is shown: a password with an unescaped ? ends up here.
  const named = /^[a-z_]{1,40}$/.test(key) ? ` "${key}"` : '';
  return new FerruleError('not_supported', `The address of the PostgreSQL server has a parameter${named} that Ferrule does not know.`, {
    where: 'url',
    next: `Leave it out. There are: ${[...PARAMETERS, ...more].join(', ')}.`,
  });
}

function serverOf({ port, connect_timeout, password, sslmode, ...texts }: Record<string, string>): PostgresServer {
  const server: PostgresServer = { ...texts };
  if (port !== undefined) server.port = wholeNumber(port, 65_535, 'port');
  if (connect_timeout !== undefined) server.connect_timeout = wholeNumber(connect_timeout, 3600, 'connect_timeout');
  if (password !== undefined) server.password = new Secret(password);
  if (sslmode !== undefined) server.sslmode = sslmode as PostgresServer['sslmode'] & string;
  return checkedServer(server);
}

function wholeNumber(text: string, most: number, what: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw malformed(`has a ${what} that is none`);
  return number;
}

/** What types alone do not keep out, from a URL or from JavaScript. */
export function checkedServer(server: PostgresServer): PostgresServer {
  const { sslmode, host, sslrootcert } = server;
  if (sslmode !== undefined && !MODES.includes(sslmode)) throw malformed('has an sslmode that is none', `One of: ${MODES.join(', ')}.`);
  if (host?.includes(',')) throw malformed('names several hosts', 'Name one: the primary, or a name that leads to it.');
  if (sslmode === 'disable' && sslrootcert !== undefined) throw malformed('has an authority for TLS and turns TLS off', 'Leave out one.');
  if ((server.sslcert === undefined) !== (server.sslkey === undefined)) throw malformed('has one of sslcert and sslkey', 'Give both.');
  return server;
}

const isSocket = (host: string): boolean => host.startsWith('/');
const isThisMachine = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);

/**
 * The TLS of a connection, or false for none. Who says nothing gets the strictest where the traffic leaves this machine; what is said is
 * never made weaker: libpq's `require` asks for no proof of who the server is, ours does. `ca` is PEM text; `unreadable` the code
 * of the error when a file of them cannot be read.
 */
export async function tlsOf(
  server: PostgresServer,
  ca?: string,
  unreadable: ErrorCode = 'store_unreadable',
): Promise<false | ConnectionOptions> {
  const { host = 'localhost', sslmode = 'prefer', sslrootcert, sslcert, sslkey } = server;
  if (sslmode === 'disable' && ca !== undefined) throw malformed('turns TLS off, and an authority for it is given', 'Leave out one.');
  if (isSocket(host) || sslmode === 'disable') return false;
  const authority = ca ?? (sslrootcert === undefined || sslrootcert === 'system' ? undefined : await pem(sslrootcert, unreadable));
  const asked = sslrootcert !== undefined || ca !== undefined || sslcert !== undefined || !['allow', 'prefer'].includes(sslmode);
  if (!asked && isThisMachine(host)) return false;
  return {
    // Otherwise a certificate for "localhost" would do for an address: Node compares with what is here.
    host,
    rejectUnauthorized: sslmode !== 'no-verify',
    ...(authority !== undefined && { ca: authority }),
    ...(sslcert !== undefined && { cert: await pem(sslcert, unreadable), key: await pem(sslkey!, unreadable) }),
    // Of this authority, whatever name it is for.
    ...(sslmode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}

async function pem(path: string, unreadable: ErrorCode): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FerruleError(unreadable, `A file for TLS with the database server cannot be read (${systemCode(error)}).`, {
      where: path,
      cause: error,
    });
  }
}
