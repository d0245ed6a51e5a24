/**
 * Kills key rotations at each of their steps and looks whether anything is lost. `node scripts/run.mjs test/kill/rekey.ts TIMES [SEED]`
 * does it so often for each step; the seed makes a run again what it was.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REKEY_MOMENTS } from '../../framework/core/moment.ts';
import { Secret } from '../../framework/core/secret.ts';
import { encryptedFileStore } from '../../framework/credentials/encrypted-file.ts';
import { isSealedWith } from '../../framework/credentials/sealed.ts';
import { parseKeys } from '../../framework/credentials/store-key.ts';
import type { Credential, NotedAnswer } from '../../framework/credentials/types.ts';
import { canary } from '../canary.ts';

export interface RekeyKills {
  seed: number;
  /** How many rotations were killed, by step. */
  killed: Record<string, number>;
  /** What was not as it should be; empty when nothing was lost. */
  lost: string[];
}

/** The files that write in two steps pass these too, whatever they write: the key file, a record, the check. */
const WITHIN_A_WRITE = ['written', 'before_fsync', 'before_rename'] as const;
export const STEPS: readonly string[] = [...REKEY_MOMENTS, ...WITHIN_A_WRITE];

/** How often a step comes in one rotation: each record has a note, and there is the check; the key file is written first and last. */
function comings(step: string, records: number): number {
  if (step === 'rekey_before_record' || step === 'rekey_record_sealed') return 2 * records + 1;
  return step.startsWith('rekey_') ? 1 : 2 * records + 3;
}

/** Numbers from a seed, by a hash: below `most`. */
function dice(seed: number): (most: number) => number {
  let drawn = 0;
  return (most) => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${drawn}`).digest().readUInt32BE(0) % most;
  };
}

export async function rekeyKills({ times, seed }: { times: number; seed: number }): Promise<RekeyKills> {
  const result: RekeyKills = { seed, killed: {}, lost: [] };
  const draw = dice(seed);
  for (const step of STEPS) {
    for (let time = 1; time <= times; time += 1) {
      const records = 1 + draw(4);
      const nth = 1 + draw(comings(step, records));
      const problems = await oneKill(step, nth, records);
      result.killed[step] = (result.killed[step] ?? 0) + 1;
      result.lost.push(...problems.map((problem) => `seed ${seed}, ${step} for the ${nth}. time of ${records} records: ${problem}`));
    }
  }
  return result;
}

const secretOf = (name: string) => canary(`rekey ${name}`);
const answer = (name: string): NotedAnswer => ({
  step: 'token',
  spent: 'a hash',
  at: 1,
  answer: new Secret(canary(`rekey answer ${name}`)),
});

function credential(name: string): Credential {
  const now = '2026-01-02T03:04:05.000Z';
  const fields = { password: new Secret(secretOf(name)) };
  return {
    name,
    connector: 'acme',
    method: 'basic',
    choices: {},
    fields,
    captures: {},
    expires: {},
    version: 0,
    created: now,
    updated: now,
  };
}

async function oneKill(step: string, nth: number, count: number): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-rekey-'));
  try {
    const names = Array.from({ length: count }, (_, index) => `n${index}`);
    const store = encryptedFileStore({ folder, env: {} });
    for (const name of names) {
      await store.put(credential(name));
      await store.update(name, async (_, held) => void (await held.note(answer(name))));
    }
    const [former] = await keysIn(folder);
    const child = spawn(process.execPath, ['scripts/run.mjs', 'test/kill/rekey-child.ts', folder, step, String(nth)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (signal !== 'SIGKILL') return ['the step never came'];
    const [begun] = await keysIn(folder);
    const problems = await unread(folder, names, 'after the kill');
    // The store that was open all the while, and one that is opened anew, go on.
    const other = encryptedFileStore({ folder, env: {} });
    const { total } = await other.rekey();
    if (total !== count) problems.push(`${total} of ${count} records after the next rotation`);
    problems.push(...(await unread(folder, names, 'after the next rotation')));
    for (const name of names) if ((await store.get(name))?.version !== 1) problems.push(`${name} is not what the open store knew`);
    return [...problems, ...(await leftOver(folder, former!, begun!, step))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const keysIn = async (folder: string) => parseKeys(await readFile(join(folder, 'key'), 'utf8'), 'key');

async function unread(folder: string, names: readonly string[], when: string): Promise<string[]> {
  const store = encryptedFileStore({ folder, env: {} });
  const problems: string[] = [];
  for (const name of names) {
    const { password } = (await store.get(name))?.fields ?? {};
    if (!(password instanceof Secret) || password.reveal() !== secretOf(name)) problems.push(`${name} is lost ${when}`);
    await store.update(name, async (_, held) => {
      if ((await held.noted())?.answer.reveal() !== answer(name).answer.reveal())
        problems.push(`the answer noted for ${name} is lost ${when}`);
      return undefined;
    });
  }
  return problems;
}

/** Whether one key is left, the one that the killed rotation had begun with if it had, and all is sealed with it alone. */
async function leftOver(folder: string, former: Uint8Array, begun: Uint8Array, step: string): Promise<string[]> {
  const problems: string[] = [];
  const [key, ...others] = await keysIn(folder);
  if (others.length > 0) problems.push('a former key is left');
  if (Buffer.from(former).equals(key)) problems.push('the former key is still the key');
  // After its last step a rotation is over: the next one makes a key of its own.
  const over = step === 'rekey_keys_dropped';
  if (!over && !Buffer.from(begun).equals(former) && !Buffer.from(begun).equals(key)) problems.push('a third key was made');
  const records = join(folder, 'credentials');
  for (const file of await readdir(records)) {
    if (/\.(?:sealed|answer)$|^key-check$/.test(file)) {
      if (!isSealedWith(key, await readFile(join(records, file)), file)) problems.push(`${file} is sealed with another key`);
    } else problems.push(`${file} is left behind`);
  }
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  const [times, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);
  console.log(`seed ${seed}`);
  const { killed, lost } = await rekeyKills({ times: times ?? 1, seed });
  console.log(killed);
  for (const problem of lost) console.error(problem);
  process.exitCode = lost.length > 0 ? 1 : 0;
}
