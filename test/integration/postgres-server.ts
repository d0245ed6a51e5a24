/** A PostgreSQL cluster of the test's own: passwords asked for on every way in, on a loopback port and a socket in its folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { canary, plainCanary } from '../canary.ts';
import { findServerProgram, freePort } from './programs.ts';
import { folderFor } from './servers.ts';

export function serverProgram(name: string): string {
  const found = findServerProgram(name);
  if (found === undefined) throw new Error(`${name} is not installed; npm run test:integration installs it`);
  return found;
}

/** The server refuses to run as root. */
function notRoot(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (what: string) => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export interface Postgres {
  port: number;
  /** Of the socket. */
  folder: string;
  /** The superuser's. */
  password: string;
  /** An address of it, by default the superuser's. */
  url(part?: { user?: string; password?: string; host?: string; dbname?: string; port?: number; query?: string }): string;
  /** As superuser, on a connection of its own. */
  sql(text: string, dbname?: string): Promise<Record<string, unknown>[]>;
  /** All that it has logged. */
  log(): string;
  /** SIGINT: "fast" shutdown. SIGQUIT: as after a crash. */
  stop(signal?: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  start(): Promise<void>;
  /** Ends it for good. */
  remove(): Promise<void>;
}

export interface PostgresOptions {
  /** Lines of postgresql.conf. */
  settings?: string[];
  /** Files of the data folder, readable for the server alone. */
  files?: Record<string, string>;
}

export async function postgres({ settings = [], files = {} }: PostgresOptions = {}): Promise<Postgres> {
  const folder = await folderFor('postgres');
  const data = join(folder, 'data');
  const port = await freePort();
  const password = canary('postgres superuser');
  const owner = notRoot();
  const own = (path: string, text: string) => {
    writeFileSync(path, text, { mode: 0o600 });
    if (owner.uid !== undefined) chownSync(path, owner.uid, owner.gid!);
  };
  mkdirSync(data);
  if (owner.uid !== undefined) for (const path of [folder, data]) chownSync(path, owner.uid, owner.gid!);
  own(join(folder, 'pw'), `${password}\n`);
  const cluster = ['-D', data, '-U', 'admin', '-A', 'scram-sha-256', `--pwfile=${join(folder, 'pw')}`, '-E', 'UTF8', '--locale=C', '-N'];
  execFileSync(serverProgram('initdb'), cluster, { ...owner, cwd: folder, stdio: 'pipe' });
  for (const [name, text] of Object.entries(files)) own(join(data, name), text);
  const lines = ["listen_addresses = '127.0.0.1,127.0.0.2'", `port = ${port}`, `unix_socket_directories = '${folder}'`, 'fsync = off'];
  own(join(data, 'postgresql.auto.conf'), `${[...lines, ...settings].join('\n')}\n`);

  let server: ChildProcess | undefined;
  let output = '';
  const sql = async (text: string, dbname = 'postgres') => {
    const client = new pg.Client({ host: folder, port, user: 'admin', password, database: dbname });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async () => {
    const child = spawn(serverProgram('postgres'), ['-D', data], { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    server = child;
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    for (const deadline = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`PostgreSQL does not start:\n${output}`);
      if (await sql('SELECT 1').catch(() => undefined)) return;
    }
  };
  const stop = async (signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT') => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill(signal);
    await exit;
  };
  await start();
  return {
    ...{ port, folder, password, sql, start, stop, log: () => output },
    url: ({ user = 'admin', password: given = password, host = '127.0.0.1', dbname = 'postgres', port: other = port, query = '' } = {}) =>
      `postgres://${user}:${encodeURIComponent(given)}@${host}:${other}/${dbname}${query}`,
    remove: async () => {
      await stop('SIGQUIT');
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Pooler {
  url: string;
  stop(): Promise<void>;
}

/** pgbouncer before the server, with its default of one server process for whoever asks next. */
export async function pooler(server: Postgres, mode: 'session' | 'transaction'): Promise<Pooler> {
  const folder = await folderFor('pgbouncer');
  const port = await freePort();
  const password = plainCanary('pgbouncer');
  const owner = notRoot();
  await server.sql(`DO $$ BEGIN CREATE ROLE pooled SUPERUSER LOGIN; EXCEPTION WHEN duplicate_object THEN END $$`);
  await server.sql(`ALTER ROLE pooled PASSWORD '${password}'`);
  writeFileSync(join(folder, 'users'), `"pooled" "${password}"\n`);
  const settings = [
    `listen_port = ${port}`,
    'listen_addr = 127.0.0.1',
    'unix_socket_dir =',
    `pool_mode = ${mode}`,
    'auth_type = scram-sha-256',
  ];
  const lines = [
    '[databases]',
    `* = host=127.0.0.1 port=${server.port}`,
    '[pgbouncer]',
    ...settings,
    `auth_file = ${join(folder, 'users')}`,
  ];
  writeFileSync(join(folder, 'ini'), `${lines.join('\n')}\n`);
  if (owner.uid !== undefined)
    for (const path of [folder, join(folder, 'users'), join(folder, 'ini')]) chownSync(path, owner.uid, owner.gid!);
  const child = spawn(serverProgram('pgbouncer'), [join(folder, 'ini')], { ...owner, cwd: folder, stdio: 'ignore' });
  const client = () => new pg.Client({ host: '127.0.0.1', port, user: 'pooled', password, database: 'postgres' });
  for (const deadline = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const one = client();
    one.on('error', () => {});
    const there = await one.connect().then(
      () => true,
      () => false,
    );
    await one.end();
    if (there) break;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('pgbouncer does not start');
  }
  return {
    url: `postgres://pooled:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      rmSync(folder, { recursive: true });
    },
  };
}
