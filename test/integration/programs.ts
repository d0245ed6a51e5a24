/** Starts programs that are not ours, on free loopback ports, and ends them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface Program {
  /** Everything it has printed so far, both outputs. */
  output(): string;
  stop(): Promise<void>;
}

/** Where run.ts has installed the servers. */
export function installed(...path: string[]): string {
  const folder = process.env.FERRULE_INTEGRATION;
  if (folder === undefined)
    throw new Error('These tests need servers that npm run test:integration installs and names in FERRULE_INTEGRATION');
  return join(folder, ...path);
}

const POSTGRES = '/usr/lib/postgresql';

/** A server's program, wherever a system keeps it; of several versions of PostgreSQL the latest. */
export function findServerProgram(name: string): string | undefined {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(POSTGRES, version, 'bin')), ...(process.env.PATH ?? '').split(':'), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(existsSync);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface StartOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** It is ready when this address answers, whatever the status. */
  address: string;
}

/** Resolves once it answers; rejects with what it printed when it ends or takes more than a minute. */
export async function start(command: string, args: string[], options: StartOptions): Promise<Program> {
  const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  const deadline = Date.now() + 60_000;
  while (!(await answers(options.address))) {
    const ended = child.exitCode !== null || child.signalCode !== null || failure !== undefined;
    if (ended || Date.now() > deadline) {
      child.kill();
      throw new Error(`${command} ${ended ? 'ended' : 'does not answer'}: ${failure?.message ?? ''}\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { output: () => output, stop: () => end(child) };
}

async function answers(address: string): Promise<boolean> {
  try {
    await (await fetch(address, { signal: AbortSignal.timeout(2000) })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(hard);
}
