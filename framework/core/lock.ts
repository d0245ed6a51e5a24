import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { systemCode, unlessMissing } from './atomic-write.ts';
import type { Clock, Random } from './clock.ts';
import { FerruleError } from './errors.ts';
import { isElsewhere, isGone, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** What a lock file holds, as JSON. */
interface Holder extends ProcessIdentity {
  /** Random, another for each lock taken: tells two locks of one process apart. */
  token: string;
}

export interface Lock {
  /** Whether the file is still ours: false when somebody removed it by hand. */
  isHeld(): Promise<boolean>;
  /** Ends it. Leaves a lock that is not ours alone. */
  release(): Promise<void>;
}

export interface LockOptions {
  clock: Clock;
  random: Random;
  /** How long to wait for another holder. Milliseconds. */
  wait: number;
  signal?: AbortSignal;
  /** The error when the wait is over; `who` names the holder. Default: store_locked, of a credential. */
  locked?: (who: string) => FerruleError;
}

const SHORTEST_PAUSE = 2;
const LONGEST_PAUSE = 100;

/** So often a holder touches its lock, for those who cannot see its process. Milliseconds. */
const BEAT = 2000;
/** A lock that nobody has touched for so long, by the clock of the one who watches it, has lost its holder. */
const SILENCE = 30_000;

/**
 * Takes the lock file `path`, waiting for its holder with growing, random pauses. A lock is taken over only when its
 * holder is gone: its process is dead, or its number belongs to a process that began at another time. A holder on another host or in another
 * container is gone when it has been silent for half a minute; should it come back, it finds that the lock is another's.
 * `store_locked` when the wait is over.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const { clock, random, wait, signal } = options;
  const holder: Holder = { ...(await ownIdentity()), token: Buffer.from(random.bytes(8)).toString('hex') };
  // Linked or renamed into place, so that nobody ever reads a lock without its holder, and only one of many links succeeds.
  const prepared = `${path}.${holder.token}.new`;
  await writeFile(prepared, JSON.stringify(holder), { mode: 0o600, flag: 'wx' });
  const until = clock.now() + wait;
  const watched = watch(path, clock);
  try {
    for (let pause = SHORTEST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (await linkNew(prepared, path)) return lockOf(path, holder);
      const other = await readHolder(path);
      const gone = other !== undefined && ((await isGone(other)) || ((await isElsewhere(other)) && (await watched.isSilent(other))));
      if (gone && (await takeOver(path, other, prepared, options))) return lockOf(path, holder);
      if (clock.now() >= until) throw (options.locked ?? lockedBy(path, wait))(holderText(other));
      await clock.sleep(pause * (0.5 + random.float() / 2), signal);
    }
  } finally {
    // A takeover has renamed it.
    await unlink(prepared).catch(unlessMissing);
  }
}

async function linkNew(prepared: string, path: string): Promise<boolean> {
  try {
    await link(prepared, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function lockOf(path: string, holder: Holder): Lock {
  // In real time: it is other hosts that count it. What goes wrong here shows when the lock is used.
  const beat = setInterval(
    () =>
      void utimes(path, new Date(), new Date())
        .catch(unlessMissing)
        .catch(() => clearInterval(beat)),
    BEAT,
  );
  beat.unref();
  return {
    isHeld: async () => (await readHolder(path))?.token === holder.token,
    // Between reading and removing nobody can take it over: this process lives.
    release: async () => {
      clearInterval(beat);
      if ((await readHolder(path))?.token === holder.token) await unlink(path).catch(unlessMissing);
    },
  };
}

/** Watches whether one and the same lock is still touched. Another clock's times are compared with one another only. */
function watch(path: string, clock: Clock): { isSilent(holder: Holder): Promise<boolean> } {
  let seen = { token: '', touched: 0, at: 0 };
  return {
    async isSilent({ token }) {
      const touched = (await stat(path).catch(unlessMissing))?.mtimeMs ?? 0;
      if (token !== seen.token || touched !== seen.touched) seen = { token, touched, at: clock.now() };
      return clock.now() - seen.at >= SILENCE;
    },
  };
}

/**
 * Puts our lock in the place of a dead one. Two processes may find the same dead lock; were each to remove it, the second
 * would remove the first one's new lock. So the right to replace *this* dead lock is itself a lock, named after its token: who
 * has it looks again, and no one else may touch the file as long as the dead token stands in it.
 */
async function takeOver(path: string, dead: Holder, prepared: string, options: LockOptions): Promise<boolean> {
  const claim = await acquireLock(`${path}.${dead.token}`, options);
  try {
    if ((await readHolder(path))?.token !== dead.token) return false;
    await rename(prepared, path);
    return true;
  } finally {
    await claim.release();
  }
}

/** Undefined when there is no lock file, or nothing in it that could be judged (it is then never taken over). */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch(unlessMissing);
  if (text === undefined) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    // Nobody of ours writes such a file: who waits is told the file's name at the end.
    return undefined;
  }
  const holder = found as Partial<Holder> | null;
  const whole =
    typeof holder === 'object' &&
    holder !== null &&
    Number.isSafeInteger(holder.pid) &&
    holder.pid! > 0 &&
    typeof holder.started === 'string' &&
    typeof holder.host === 'string' &&
    /^[0-9a-f]{16}$/.test(holder.token ?? '');
  return whole ? (holder as Holder) : undefined;
}

const holderText = (other: Holder | undefined): string =>
  other ? `process ${other.pid} on ${other.host.split(' ')[0]}` : 'an unknown process';

const lockedBy =
  (path: string, wait: number) =>
  (who: string): FerruleError =>
    new FerruleError('store_locked', `The credential is locked by ${who}; it was not freed in ${wait / 1000} s.`, {
      where: path,
      next: 'Wait for that process, or end it. If it runs on no machine any more, remove the lock file.',
    });
