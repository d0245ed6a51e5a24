/** One target in a process of its own, for run.ts: `run NAME SEED CASES FILE [PATH]` or `show NAME SEED PATH`. */
import { openSync, writeSync } from 'node:fs';
import type { Message } from './run.ts';
import { TARGETS } from './targets.ts';

/** More failures than one mends at a time. */
const MOST_FAILURES = 10;

const [, , task, name, seed, ...rest] = process.argv;
const target = TARGETS.find((one) => one.name === name);
if (target === undefined) throw new Error(`there is no target ${name}`);
// The parser asks process.env at every token, which is a call out of JavaScript.
process.env = { ...process.env };

// Nobody is left to tell.
process.once('disconnect', () => process.exit(1));
const tell = (message: Message): void => {
  process.send?.(message);
};

if (task === 'show') console.log(await target.show(Number(seed), rest[0] ?? ''));
else {
  const [cases, file = '', path] = rest;
  // What is written survives a process that hangs or dies; the width keeps an older, longer line from showing through.
  const place = openSync(file, 'r+');
  let failures = 0;
  const report = {
    begins: (own: number, at: string) => void writeSync(place, `${own} ${at}`.padEnd(60), 0),
    done: (count: number) => {
      tell({ done: count });
      return failures < MOST_FAILURES;
    },
    failed: (failed: Parameters<Parameters<typeof target.run>[2]['failed']>[0]) => {
      failures += 1;
      tell({ failed });
    },
  };
  await target.run(Number(seed), Number(cases), report, path);
  await new Promise((resolve) => process.send?.({ ended: true } satisfies Message, resolve));
}
process.exit(0);
