import type { Batch, StreamSink } from '../../../framework/core/sink.ts';
import { StreamWriter } from '../../../framework/engine/stream-writer.ts';

/** A destination whose commits end when the test says so. */
function slowSink(): { sink: StreamSink; batches: Batch[]; through: ((error?: Error) => void)[]; most: () => number } {
  const batches: Batch[] = [];
  const through: ((error?: Error) => void)[] = [];
  let [under, most] = [0, 0];
  const sink: StreamSink = {
    totals: { records: 0, bytes: 0, place: 'nowhere' },
    commit(batch) {
      batches.push(batch);
      under += 1;
      most = Math.max(most, under);
      return new Promise((resolve, reject) => {
        through.push((error) => {
          under -= 1;
          if (error) reject(error);
          else resolve();
        });
      });
    },
    finish: async () => {},
    close: async () => {},
  };
  return { sink, batches, through, most: () => most };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const writerOf = (sink: StreamSink, records?: number): StreamWriter =>
  new StreamWriter({ sink, now: () => 0, ...(records !== undefined && { records }), onCommit: () => {} });

it('what is urgent is through when its call resolves, also when another one has committed it', async () => {
  const { sink, batches, through } = slowSink();
  const writer = writerOf(sink);
  const ended: string[] = [];
  const urgent = (name: string): void =>
    void writer.write({ records: [{ name }], bytes: 10, urgent: true }, { [name]: 1 }).then(() => ended.push(name));
  urgent('first');
  await settle();
  // Both wait for the first; the second then commits the third's records along with its own.
  urgent('second');
  urgent('third');
  through[0]?.();
  await settle();
  expect([batches.map(({ records }) => records.map(({ name }) => name)), ended]).toEqual([[['first'], ['second', 'third']], ['first']]);
  through[1]?.();
  await settle();
  expect(ended).toEqual(['first', 'second', 'third']);
});

it('commits never overlap, whoever waits, and each record goes once', async () => {
  const { sink, batches, through, most } = slowSink();
  const writer = writerOf(sink, 2);
  let next = 0;
  // Eight workers bring single records; some of them are urgent.
  const work = async (worker: number): Promise<void> => {
    for (let page = 0; page < 20; page += 1) {
      const urgent = (worker + page) % 5 === 0 && ({ urgent: true } as const);
      await writer.write({ records: [{ id: next++ }], bytes: 1, ...urgent }, { [`w${worker}`]: page });
      if (page % 3 === 0) await settle();
    }
  };
  let isOver = false;
  const all = Promise.all(Array.from({ length: 8 }, (_, worker) => work(worker))).then(() => writer.flush());
  void all.then(() => {
    isOver = true;
  });
  for (let round = 0; round < 1000 && !isOver; round += 1) {
    for (const end of through.splice(0)) end();
    await settle();
  }
  await all;
  expect(most()).toBe(1);
  expect(batches.flatMap(({ records }) => records.map(({ id }) => id)).sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 160 }, (_, id) => id),
  );
});

it('behind a commit that failed nothing is written: its state would be ahead of the records', async () => {
  const { sink, batches, through } = slowSink();
  const writer = writerOf(sink, 1);
  await writer.write({ records: [{ id: 1 }], bytes: 1 }, {});
  const waiting = [writer.write({ records: [{ id: 2 }], bytes: 1 }, {}), writer.flush()].map((one) =>
    one.catch(({ message }: Error) => message),
  );
  through[0]?.(new Error('full'));
  expect(await Promise.all(waiting)).toEqual(['full', 'full']);
  await expect(writer.write({ records: [{ id: 3 }], bytes: 1 }, {})).rejects.toThrow('full');
  expect(batches).toHaveLength(1);
});

it('first records that need no others go at once, and only those', async () => {
  for (const packs of [true, false]) {
    const { sink, batches, through } = slowSink();
    if (packs) sink.pack = (records) => ({ bytes: Buffer.from(JSON.stringify(records)), records: records.length });
    const writer = writerOf(sink);
    await writer.write({ records: [], bytes: 1 }, { u: 1 });
    expect(batches).toHaveLength(0);
    await writer.write({ records: [{ id: 1 }], bytes: 1 }, {});
    expect(batches).toHaveLength(packs ? 1 : 0);
    await writer.write({ records: [{ id: 2 }], bytes: 1 }, {});
    expect(batches).toHaveLength(packs ? 1 : 0);
    const flushed = writer.flush();
    for (let round = 0; round < 3; round += 1) {
      for (const end of through.splice(0)) end();
      await settle();
    }
    await flushed;
  }
});
