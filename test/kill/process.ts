import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import type { ChildOptions, Done, Order } from './child.ts';

const bundles = new Map<string, Promise<string>>();

/** A program of these tests as one file, made once, since most of such a process's life would be the reading of three hundred. */
export function bundled(entry: string): Promise<string> {
  let bundle = bundles.get(entry);
  if (bundle === undefined) {
    bundle = (async () => {
      const folder = join('node_modules', '.cache');
      await mkdir(folder, { recursive: true });
      // As deep as the sources lie, which look for package.json above them.
      const outfile = join(folder, `kill-${basename(entry, '.ts')}-${process.pid}.mjs`);
      process.once('exit', () => rmSync(outfile, { force: true }));
      await build({
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'esm',
        packages: 'external',
        logLevel: 'warning',
      });
      return outfile;
    })();
    bundles.set(entry, bundle);
  }
  return bundle;
}

export interface Killable {
  pid: number;
  send(order: Order): void;
  /** The answer to one order; rejects when the process has ended before it gave one. */
  answerTo(order: Exclude<Order, { kill: unknown }>): Promise<Done>;
  /** How it ended: a signal's name, or its exit code. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  kill(signal?: NodeJS.Signals): void;
}

const LONGEST = 120_000;

/** With `elsewhere` in a process namespace of its own, as in a container. */
export async function startChild(options: ChildOptions, { elsewhere = false } = {}): Promise<Killable> {
  const command = [process.execPath, await bundled('test/kill/child.ts'), JSON.stringify(options)];
  const [program = '', ...args] = elsewhere ? ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...command] : command;
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as NodeJS.Signals | number | null);
  const waiting = new Map<number, (done: Done | undefined) => void>();
  child.on('message', (message: Done | { ready: true }) => {
    if ('done' in message) waiting.get(message.done)?.(message);
  });
  void ended.then(() => {
    for (const finish of waiting.values()) finish(undefined);
  });
  const died = await Promise.race([once(child, 'message').then(() => false), ended.then(() => true)]);
  if (died) throw new Error(`the process ended before it was ready: ${await ended}`);
  return {
    pid: child.pid ?? 0,
    send: (order) => void child.send(order),
    answerTo: (order) => {
      const key = 'go' in order ? order.go : order.renew;
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(order)} in ${LONGEST} ms`)), LONGEST);
        waiting.set(key, (done) => {
          clearTimeout(late);
          waiting.delete(key);
          if (done === undefined) reject(new Error('the process ended'));
          else resolve(done);
        });
        child.send(order);
      });
    },
    ended,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  };
}

/** A generator of numbers in [0, 1) that one seed fixes (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
