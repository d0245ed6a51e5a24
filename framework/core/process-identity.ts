import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { systemCode, unlessMissing } from './atomic-write.ts';

/**
 * Which process holds a lock. A process number alone comes again after a while, and means another process in another
 * container or on another machine that shares the folder.
 */
export interface ProcessIdentity {
  pid: number;
  /** When the process began, as its system says it; with the boot's id on Linux. Compared, never read. */
  started: string;
  /** The host, and on Linux the process namespace, in which `pid` counts. */
  host: string;
}

/** When a process began; undefined when there is none of that number, or only its remains (a zombie). */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: unknown) => {
      // ESRCH: it ended between opening and reading.
      if (systemCode(error) === 'ESRCH') return undefined;
      return unlessMissing(error);
    });
    if (stat === undefined) return undefined;
    // proc(5): the name in parentheses may hold anything, so count after the last one. Field 3 is the state, 22 the start in ticks since boot.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${(await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()} ${fields[19]}`;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if (systemCode(error) === 'ESRCH') return undefined;
    if (systemCode(error) !== 'EPERM') throw error;
  }
  if (process.platform === 'win32') return 'alive';
  const found = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], {
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  }).catch(
    // ps ends with 1 when it finds none.
    (error: { code?: unknown }) => {
      if (error.code === 1) return { stdout: '' };
      throw error;
    },
  );
  return found.stdout.trim() || undefined;
}

let own: Promise<ProcessIdentity> | undefined;

/** This process. It stays the same for its whole life, so it is found out once. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= (async () => {
    const namespace = process.platform === 'linux' ? ` ${await readlink('/proc/self/ns/pid')}` : '';
    return { pid: process.pid, started: (await processStart(process.pid)) ?? '', host: hostname() + namespace };
  })();
  return own;
}

/** Whether it is on another host or in another container, so that nothing here can tell whether it lives. */
export const isElsewhere = async ({ host }: ProcessIdentity): Promise<boolean> => host !== (await ownIdentity()).host;

/** Whether the process is surely gone. One that cannot be judged counts as there. */
export async function isGone(holder: ProcessIdentity): Promise<boolean> {
  if (await isElsewhere(holder)) return false;
  return (await processStart(holder.pid)) !== holder.started;
}
