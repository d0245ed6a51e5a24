/**
 * What a folder holds when its process ends at any moment, or when any step fails. A process that is killed leaves what the files hold at that
 * moment; so the folder is copied at each moment, and each copy is opened as the next process would.
 */
import { cpSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Moment, onMoment, SINK_MOMENTS } from '../../../framework/core/moment.ts';
import type { Sink, StreamSink } from '../../../framework/core/sink.ts';
import { openSink } from '../../../framework/destinations/index.ts';
import { FOLDER_TYPES, type FolderType, idsIn, streamOf, temporaryFolder } from './folder-rows.ts';

let base: string;
beforeEach(async () => {
  base = await temporaryFolder();
});
afterEach(async () => {
  onMoment(undefined);
  await rm(base, { recursive: true });
});

/** What a state `n` stands for: the rows that are there, and those that wait to take their place. */
const MEANS: Record<number, { rows: number[]; waiting: number[] }> = {
  0: { rows: [], waiting: [] },
  1: { rows: [1], waiting: [] },
  2: { rows: [1, 2], waiting: [] },
  3: { rows: [1, 2], waiting: [] },
  4: { rows: [1, 2], waiting: [] },
  101: { rows: [1, 2], waiting: [101] },
  102: { rows: [1, 2], waiting: [101, 102] },
  200: { rows: [101, 102], waiting: [] },
};

/** An append and an overwrite, each with a column that comes later. `began` hears of each state before it is committed. */
async function twoReads(folder: string, type: FolderType, began: (n: number) => void, ended: (n: number) => void): Promise<void> {
  const sink = await openSink({ type, target: folder });
  const step = async (n: number, work: () => Promise<unknown>) => {
    began(n);
    await work();
    ended(n);
  };
  try {
    let stream: StreamSink | undefined;
    await step(0, async () => (stream = await sink.open(streamOf({ state: { n: 0 } }))));
    await step(1, () => stream!.commit({ records: [{ id: 1 }], state: { n: 1 } }));
    await step(2, () => stream!.commit({ records: [{ id: 2, later: 'x' }], state: { n: 2 } }));
    await step(3, () => stream!.finish({ n: 3 }));
    await stream!.close();
    await step(4, async () => (stream = await sink.open(streamOf({ mode: 'overwrite', state: { n: 4 } }))));
    await step(101, () => stream!.commit({ records: [{ id: 101 }], state: { n: 101 } }));
    await step(102, () => stream!.commit({ records: [{ id: 102, other: true }], state: { n: 102 } }));
    await step(200, () => stream!.finish({ n: 200 }));
  } finally {
    await sink.close();
  }
}

const nIn = async (sink: Sink): Promise<number> => Number((await sink.state('users')).get('n') ?? 0);

/** Opens the folder as the next process does: the rows are those of its state, and it can be gone on with. Returns the state. */
async function checked(folder: string, type: FolderType): Promise<number> {
  const resumed = `${folder}-resumed`;
  cpSync(folder, resumed, { recursive: true });
  const n = await appended(folder, type);
  // Before that, no row can wait.
  if (n >= 4) await overwritten(resumed, type, MEANS[n]!);
  return n;
}

async function appended(folder: string, type: FolderType): Promise<number> {
  const sink = await openSink({ type, target: folder });
  const n = await nIn(sink);
  const { rows } = MEANS[n]!;
  const stream = await sink.open(streamOf());
  expect(await idsIn(folder, type)).toEqual(rows);
  await stream.commit({ records: [{ id: 9, third: 1 }], state: {} });
  await sink.close();
  expect(await idsIn(folder, type)).toEqual([...rows, 9]);
  expect(await leftovers(folder)).toEqual([]);
  return n;
}

async function overwritten(folder: string, type: FolderType, { rows, waiting }: { rows: number[]; waiting: number[] }): Promise<void> {
  const sink = await openSink({ type, target: folder });
  const stream = await sink.open(streamOf({ mode: 'overwrite', resumes: true }));
  expect(await idsIn(folder, type)).toEqual(rows);
  await stream.commit({ records: [{ id: 9, third: 1 }], state: {} });
  await stream.finish({});
  await sink.close();
  expect(await idsIn(folder, type)).toEqual([...waiting, 9]);
  expect(await leftovers(folder)).toEqual([]);
}

const leftovers = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => /new|old|wide/.test(name));

/** A copy at each moment that comes, with the states that it may have: the last that was committed, or the one that is about to be. */
function copying(folder: string): {
  copies: { copy: string; moment: Moment; allowed: number[] }[];
  began(n: number): void;
  ended(n: number): void;
} {
  const copies: { copy: string; moment: Moment; allowed: number[] }[] = [];
  let allowed = [0];
  onMoment((moment) => {
    const copy = `${folder}-${copies.length}-${moment}`;
    // The lock is this very process's.
    cpSync(folder, copy, { recursive: true, filter: (path) => !path.includes('.ferrule/lock') });
    copies.push({ copy, moment, allowed });
  });
  return {
    copies,
    began: (n) => {
      allowed = [allowed.at(-1)!, n];
    },
    ended: (n) => {
      allowed = [n];
    },
  };
}

describe('a state file that is written anew', () => {
  /** 150 commits of some 620 bytes: beyond 65,536 bytes the file is written anew, at the 106th or so. */
  async function grow(folder: string, ended: (n: number) => void): Promise<void> {
    const sink = await openSink({ type: 'jsonl', target: folder });
    const stream = await sink.open(streamOf());
    for (let n = 1; n <= 150; n++) {
      await stream.commit({ records: [], state: { n, text: 'x'.repeat(550) } });
      ended(n);
    }
    await sink.close();
  }
  const stateOf = async (folder: string): Promise<number> => {
    const sink = await openSink({ type: 'jsonl', target: folder });
    const n = await nIn(sink);
    const stream = await sink.open(streamOf({ state: { n: n + 1 } }));
    await stream.close();
    expect(await nIn(sink)).toBe(n + 1);
    await sink.close();
    return n;
  };
  const steps: Moment[] = ['written', 'before_fsync', 'before_rename'];

  it('says the same, killed at any moment of that', async () => {
    const folder = join(base, 'out');
    let last = 0;
    const copies: { copy: string; n: number }[] = [];
    onMoment((moment) => {
      if (!steps.includes(moment) && !(moment === 'sink_state_written' && last > 100 && last < 112)) return;
      const copy = `${folder}-${copies.length}`;
      cpSync(folder, copy, { recursive: true, filter: (path) => !path.includes('.ferrule/lock') });
      copies.push({ copy, n: moment === 'sink_state_written' ? last : last + 1 });
    });
    await grow(folder, (n) => (last = n));
    onMoment(undefined);
    expect(copies).toHaveLength(steps.length + 11);
    for (const { copy, n } of copies) expect([n, n + 1]).toContain(await stateOf(copy));
  });

  it('stays long when that fails, and the commit counts', async () => {
    const folder = join(base, 'out');
    let failed = 0;
    onMoment((moment) => {
      if (moment !== steps[failed % 3]) return;
      failed += 1;
      throw Object.assign(new Error('made up'), { code: 'ENOSPC' });
    });
    await grow(folder, () => undefined);
    onMoment(undefined);
    // It is tried again when the file has doubled, not at each commit.
    expect(failed).toBe(1);
    expect(await stateOf(folder)).toBe(150);
  });
});

describe.each(FOLDER_TYPES)('a folder of %s', (type) => {
  it('killed at any moment, holds the rows of its state when it is opened again', async () => {
    const folder = join(base, 'out');
    const { copies, began, ended } = copying(folder);
    await twoReads(folder, type, began, ended);
    onMoment(undefined);
    const passed = new Set(copies.map(({ moment }) => moment));
    expect(SINK_MOMENTS.filter((moment) => !passed.has(moment))).toEqual(type === 'parquet' ? [] : ['sink_moved_aside']);
    for (const { copy, allowed } of copies) expect(allowed).toContain(await checked(copy, type));
    expect(await checked(folder, type)).toBe(200);
  });

  it('killed again while it is opened after that, too', async () => {
    const folder = join(base, 'out');
    const { copies, began, ended } = copying(folder);
    await twoReads(folder, type, began, ended);
    // Where the most has to be put right: between the line that names what is renamed, and the renaming.
    for (const { copy, moment } of copies.filter((one) => /state_flushed|before_replace|moved_aside/.test(one.moment)).slice(-3)) {
      const second = copying(copy);
      const sink = await openSink({ type, target: copy });
      const before = await nIn(sink);
      await sink.open(streamOf({ mode: 'overwrite', resumes: true }));
      await sink.close();
      onMoment(undefined);
      expect(second.copies.length).toBeGreaterThan(moment === 'sink_replaced' ? 1 : 2);
      for (const one of second.copies) expect(await checked(one.copy, type)).toBe(before);
    }
  });

  it('takes back what fails at any step, and says so', async () => {
    // Behind a renaming nothing can fail that could still be taken back.
    const steps = SINK_MOMENTS.filter((moment) => moment !== 'sink_replaced' && moment !== 'sink_opened');
    for (const step of steps) {
      for (let occurrence = 1; ; occurrence++) {
        const folder = join(base, `${step}-${occurrence}`);
        let left = occurrence;
        let last = 0;
        onMoment((moment) => {
          if (moment === step && --left === 0) throw Object.assign(new Error('made up'), { code: 'ENOSPC' });
        });
        const failed = await twoReads(
          folder,
          type,
          () => undefined,
          (n) => (last = n),
        ).catch((error: unknown) => error);
        onMoment(undefined);
        if (left > 0) break;
        expect(failed).toMatchObject({
          code: 'output_failed',
          message: expect.stringContaining('no space is left on the device') as string,
        });
        // Opening adds no rows; whether its state came to count does not matter then.
        const allowed = last === 0 || last === 3 ? [last, last === 0 ? 0 : 4] : [last];
        // Without opening it again: no row is there that was not committed.
        if (last < 100 && step !== 'sink_moved_aside') expect(await idsIn(folder, type)).toEqual(MEANS[last]!.rows);
        expect(allowed).toContain(await appended(folder, type));
      }
    }
  });
});
