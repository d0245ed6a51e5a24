import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, unlessMissing } from '../core/atomic-write.ts';
import type { Random } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Lock } from '../core/lock.ts';
import { reached } from '../core/moment.ts';
import { isSealedWith, type KeyRing, reseal } from './sealed.ts';
import { KEY_BYTES, type KeySource } from './store-key.ts';
import type { Rekeyed, RekeyOptions } from './types.ts';

/** A folder of sealed files, for whoever holds the store's own lock. */
export interface SealedFolder {
  folder: string;
  /** How a record's file ends. Beside it: `.answer`, what is noted; `.lock`, who holds it. */
  ending: string;
  /** The file of the key's check. */
  check: string;
  source: KeySource;
  /** Proved to be the store's. */
  keys: KeyRing;
  random: Random;
  acquire(path: string): Promise<Lock>;
}

/** Later passes find only what came while the folder was being listed. More than this many means that somebody still seals with an old key. */
const MOST_PASSES = 5;

/**
 * The rotation, in three steps, each of which leaves everything readable: the new key is put before the old ones; everything is
 * sealed with it; the old ones are dropped.
 *
 * Why nothing is left behind: every writer reads the keys under its record's lock. Who took a lock before the new key was there has a lock
 * file, or had written and gone, when the folder is listed after that: it is waited for. Who takes one later seals with the new key. A
 * listing may miss what changes while it runs, so passes are made until one finds nothing old.
 */
export async function rekeyFolder(sealed: SealedFolder, options: RekeyOptions = {}): Promise<Rekeyed> {
  reached('rekey_begun');
  const { ring, resumed } = await newRing(sealed, options);
  reached('rekey_keys_added');
  const renewed = new Set<string>();
  const failures: FerruleError[] = [];
  for (let pass = 1; failures.length === 0; pass += 1) {
    if (pass > MOST_PASSES) throw stillOld(sealed.folder);
    const found = await sealAll(sealed, ring, pass === 1);
    for (const path of found.sealed) renewed.add(path);
    failures.push(...found.failures);
    if (pass > 1 && found.sealed.length === 0) break;
  }
  const [first] = failures;
  if (first !== undefined) throw unfinished(first, failures.length);
  await resealFile(sealed.check, ring, sealed.random);
  reached('rekey_check_sealed');
  reached('rekey_before_drop');
  if (ring.length > 1) await sealed.source.replace?.([ring[0]]);
  reached('rekey_keys_dropped');
  const records = (await bases(sealed)).filter(({ record }) => record);
  const anew = [...renewed].filter((path) => path.endsWith(sealed.ending));
  return { sealed: anew.length, total: records.length, ...(resumed && { resumed }) };
}

/** Before anything is made: a key that a person gives has no other place. */
export function checkMove({ move, where }: KeySource, { to }: RekeyOptions = {}): void {
  if (to === undefined || move !== undefined) return;
  throw new FerruleError('not_supported', `The key comes from ${where}: only you can move it.`, {
    where,
    next: 'Unset it, and put its text into the file `key` of the store, for its owner alone; then run this again.',
  });
}

/** The keys with the one that seals from now on before all others; kept where they come from before anything is sealed. */
export async function newRing(
  { source, keys, random }: Pick<SealedFolder, 'source' | 'keys' | 'random'>,
  { key, to }: RekeyOptions,
): Promise<{ ring: KeyRing; resumed?: true }> {
  if (key !== undefined && key.length !== KEY_BYTES) {
    throw new FerruleError('input_malformed', `A key has ${KEY_BYTES} bytes, not ${key.length}.`, { where: 'key' });
  }
  if (to !== undefined) {
    const moved = await source.move?.(to, keys, key ?? random.bytes(KEY_BYTES));
    if (moved !== undefined) return { ring: moved };
  }
  if (key === undefined ? keys.length > 1 : Buffer.from(key).equals(keys[0])) {
    // Several: the first was put there by a rotation that was cut short, or by a person, whose FERRULE_KEY we cannot change.
    return { ring: keys, ...(source.make !== undefined && keys.length > 1 && { resumed: true }) };
  }
  if (source.replace === undefined || (key === undefined && source.make === undefined)) {
    throw new FerruleError('not_supported', `The key comes from ${source.where}, where only you can put a new one.`, {
      where: source.where,
      next:
        source.replace === undefined
          ? `Make one (openssl rand -base64 32), set ${source.where} to "NEW OLD" for all that use the store, and run this again.`
          : 'Pass { key }, and keep it.',
    });
  }
  const ring: KeyRing = [key ?? random.bytes(KEY_BYTES), ...keys];
  await source.replace(ring);
  return { ring };
}

/** What stands behind a record's ending: the record itself, its note, its lock, and what killed writers left half. */
const BESIDE = ['', '.answer', '.lock', '.new', '.answer.new'] as const;

/** Paths of records, whether they are there yet or only locked, in order. */
async function bases({ folder, ending }: SealedFolder): Promise<{ path: string; record: boolean }[]> {
  const files = (await readdir(folder)).sort();
  const nameOf = (file: string) => BESIDE.flatMap((end) => (file.endsWith(ending + end) ? [file.slice(0, -(ending + end).length)] : []));
  return [...new Set(files.flatMap(nameOf))].map((name) => ({ path: join(folder, name + ending), record: files.includes(name + ending) }));
}

/** The files that it sealed anew. What cannot be sealed is given back, and hinders no other. */
async function sealAll(sealed: SealedFolder, ring: KeyRing, first: boolean): Promise<{ sealed: string[]; failures: FerruleError[] }> {
  const anew: string[] = [];
  const failures: FerruleError[] = [];
  for (const { path } of await bases(sealed)) {
    try {
      // Once who held a lock in the first pass has gone, only the file itself has to be looked at.
      if (!first && !(await isOld(path, ring)) && !(await isOld(`${path}.answer`, ring))) continue;
      const lock = await sealed.acquire(`${path}.lock`);
      try {
        for (const file of [path, `${path}.answer`]) {
          await unlink(`${file}.new`).catch(unlessMissing);
          if (await resealFile(file, ring, sealed.random)) anew.push(file);
        }
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (!isFerruleError(error) || !['store_unreadable', 'store_key_wrong', 'store_locked'].includes(error.code)) throw error;
      failures.push(error);
    }
  }
  return { sealed: anew, failures };
}

async function isOld(path: string, ring: KeyRing): Promise<boolean> {
  const bytes = await readFile(path).catch(unlessMissing);
  return bytes !== undefined && !isSealedWith(ring[0], bytes, path);
}

async function resealFile(path: string, ring: KeyRing, random: Random): Promise<boolean> {
  const bytes = await readFile(path).catch(unlessMissing);
  const anew = bytes && reseal(bytes, ring, random, path);
  if (anew === undefined) return false;
  reached('rekey_before_record');
  await replaceFile(path, anew, `${path}.new`);
  reached('rekey_record_sealed');
  return true;
}

const unfinished = (first: FerruleError, count: number): FerruleError =>
  new FerruleError(
    first.code,
    `${count === 1 ? 'One file' : `${count} files`} could not be sealed anew, so the former key stays: ${first.message}`,
    {
      ...(first.where !== undefined && { where: first.where }),
      next: `${first.next} Then run this again: it goes on with the same new key.`,
      cause: first,
    },
  );

const stillOld = (folder: string): FerruleError =>
  new FerruleError('store_locked', 'Another process still seals with the former key, which stays.', {
    where: folder,
    next: 'End processes that run with the former FERRULE_KEY or an older Ferrule, and run this again.',
  });
