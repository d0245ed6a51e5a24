import { inspect } from 'node:util';
import fc from 'fast-check';

/** A case that failed, with all that is needed to see it again: `run.ts --only NAME --seed SEED --path PATH`. */
export interface Failure {
  seed: number;
  path: string;
  /** The smallest input that still fails. */
  input: string;
  message: string;
}

/** Who runs a target hears of it here. */
export interface Report {
  /** Before each case: where it stands, for whoever has to kill a run that hangs or dies. */
  begins(seed: number, path: string): void;
  /** So many cases more are through. False ends the run. */
  done(cases: number): boolean;
  failed(failure: Failure): void;
}

/** One door of the program at which strangers' texts arrive. */
export interface Target {
  name: string;
  /** Runs so many cases, always the same ones for a seed. With `path`: that one alone. */
  run(seed: number, cases: number, report: Report, path?: string): Promise<void>;
  /** The input of one case, without running it. */
  show(seed: number, path: string): Promise<string>;
}

export interface Property<T> {
  name: string;
  input: fc.Arbitrary<T>;
  /** Throws when the property does not hold. */
  check(input: T): void | Promise<void>;
  /** How many cases one input is, where several go at once, and how many that is on the average. */
  batch?: { count(input: T): number; average: number };
  /** Called before the first case and, with what it gave, after the last; throws when something was left behind. */
  open?(): Promise<() => Promise<void>>;
}

/** A slice has one seed: small enough that a failure is found again soon. */
const SLICE = 500;
/** A case that takes longer hangs, for all that a caller can tell. Milliseconds of processor time. */
const SLOWEST = 2000;
/** A slice may take so long, and the search for a smaller input that fails too. Milliseconds. */
const SLICE_TIME = 120_000;
const SHRINK_TIME = 15_000;

export function target<T>({ name, input, check, batch, open }: Property<T>): Target {
  return {
    name,
    async run(seed, cases, report, path) {
      const close = await open?.();
      try {
        if (path !== undefined) await slice(seed, 1, path);
        else await slices(seed, cases);
      } finally {
        await close?.();
      }

      async function slices(first: number, wanted: number): Promise<void> {
        let through = 0;
        for (let number = 0; through < wanted; number++) {
          const ran = await slice(sliceSeed(first, number), Math.min(SLICE, wanted - through));
          through += ran;
          if (!report.done(ran) || ran === 0) return;
        }
      }

      async function slice(own: number, wanted: number, at?: string): Promise<number> {
        let index = 0;
        let ran = 0;
        let failedAt: number | undefined;
        const property = fc.asyncProperty(input, async (value) => {
          // Whatever comes now is taken for sound: what has failed until here is small enough.
          if (failedAt !== undefined && performance.now() - failedAt > SHRINK_TIME) return;
          report.begins(own, at ?? String(index++));
          if (failedAt === undefined) ran += batch?.count(value) ?? 1;
          try {
            await timed(() => check(value));
          } catch (error) {
            failedAt ??= performance.now();
            throw error;
          }
        });
        const numRuns = Math.ceil(wanted / (batch?.average ?? 1));
        const limit = { interruptAfterTimeLimit: SLICE_TIME, markInterruptAsFailure: true };
        const found = await fc.check(property, { seed: own, numRuns, ...limit, ...(at !== undefined && { path: at, endOnFailure: true }) });
        if (found.failed) {
          const { counterexample, counterexamplePath, errorInstance } = found;
          const message = errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : inspect(errorInstance);
          const text = found.interrupted && counterexample === null ? `a slice took longer than ${SLICE_TIME} ms` : message;
          report.failed({ seed: own, path: counterexamplePath ?? String(index), input: shown(counterexample?.[0]), message: text });
        }
        return ran;
      }
    },
    async show(seed, path) {
      let text = '';
      const property = fc.property(input, (value) => {
        text = shown(value);
      });
      fc.check(property, { seed, numRuns: 1, path });
      return text;
    },
  };
}

const shown = (value: unknown): string => fc.stringify(value);

/** Neighbouring seeds would begin alike; the first slice has the run's own. */
function sliceSeed(seed: number, number: number): number {
  if (number === 0) return seed | 0;
  let mixed = (seed ^ Math.imul(number, 0x9e3779b1)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) | 0;
}

async function timed(run: () => void | Promise<void>): Promise<void> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const result = run();
  if (result !== undefined) await result;
  if (performance.now() - began < SLOWEST) return;
  // Others use this machine too: only what the case itself used counts.
  const { user, system } = process.cpuUsage(cpu);
  const used = Math.round((user + system) / 1000);
  if (used >= SLOWEST) throw new Error(`it took ${used} ms of processor time`);
}

/** Fails with what is wrong, in place of an assertion library that a run of millions would wait for. */
export function must(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Error(message());
}

/** What a function throws; undefined when it throws nothing. */
export const thrownBy = (run: () => unknown): { error: unknown } | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return { error };
  }
};
