import { FerruleError, isFerruleError } from '../core/errors.ts';
import { parsePostgresAddress, placeOf } from '../core/postgres-address.ts';
import type { SinkAddress } from '../destinations/index.ts';
import type { RunEvent } from '../engine/run-events.ts';
import { type RunLog, runLog } from '../engine/run-log.ts';
import { type RunRequest, runFolder } from '../engine/run-record.ts';
import type { ClientEvent } from '../http/types.ts';
import type { Arguments } from './arguments.ts';
import { errorText } from './error-text.ts';
import type { Io } from './io.ts';
import { say } from './say.ts';

/** Written down as they were given; none of them can hold a secret. */
const TEXTS = ['mode', 'since', 'until', 'bad-records', 'nested', 'retry-statuses', 'retry-wait', 'timeout', 'throttle'] as const;
const NUMBERS = ['concurrency', 'limit', 'retries'] as const;

/** Events before the run, which for standard output never begins. */
const MOST_EARLY = 200;

/** What `read` tells of itself, kept until it is known which run it is. */
export interface ReadLog {
  see(event: RunEvent): void;
  seeHttp(event: ClientEvent): void;
  /** Does the work and logs it, unless --no-run-log. Where no log can be written, one warning says so. */
  around<T>(about: Omit<RunRequest, 'options'>, work: () => Promise<T>): Promise<T>;
}

export function readLog(args: Arguments, io: Io): ReadLog {
  // Signing in comes before the run; it belongs to it.
  const early: ClientEvent[] = [];
  let log: RunLog | undefined;
  return {
    see: (event) => log?.onEvent(event),
    seeHttp: (event) => {
      if (log !== undefined) log.onHttp(event);
      else if (early.length < MOST_EARLY) early.push(event);
    },
    around: async (about, work) => {
      if (!args.flag('no-run-log')) log = await begin({ ...about, options: optionsOf(args) }, io);
      if (log !== undefined) for (const event of early.splice(0)) log.onHttp(event);
      let error: FerruleError | undefined;
      try {
        return await work();
      } catch (thrown) {
        error = isFerruleError(thrown) ? thrown : new FerruleError('internal', 'A bug in Ferrule');
        throw thrown;
      } finally {
        await end(log, error, io);
      }
    },
  };
}

async function begin(request: RunRequest, io: Io): Promise<RunLog | undefined> {
  try {
    return await runLog(runFolder(io.env), request, { clock: io.clock, random: io.random });
  } catch (error) {
    await warn(error, io);
    return undefined;
  }
}

async function end(log: RunLog | undefined, error: FerruleError | undefined, io: Io): Promise<void> {
  if (log === undefined) return;
  try {
    await log.end({ ...(error && { error }), stopped: io.signal.aborted });
    if (log.problem !== undefined) await warn(log.problem, io);
  } catch (problem) {
    await warn(log.problem ?? problem, io);
  }
}

/** The read goes on: its log is no reason to have no data. */
async function warn(problem: unknown, io: Io): Promise<void> {
  await say(
    io.stderr,
    errorText(problem, io).replace(/^\S*error\[/, (found) => found.replace('error', 'warning')),
  );
}

function optionsOf(args: Arguments): RunRequest['options'] {
  const given: Record<string, string | number | boolean> = {};
  for (const name of TEXTS) given[name] = args.text(name) ?? '';
  for (const name of NUMBERS) given[name] = args.count(name) ?? '';
  given['from-start'] = args.flag('from-start') || '';
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
}

/** Of a database neither user nor password. */
export function destinationText({ type, target }: SinkAddress): string {
  if (type !== 'postgres') return `${type}:${target}`;
  try {
    const { schema = 'public', ...server } = parsePostgresAddress(target, ['schema']);
    return `postgres://${placeOf(server)}, schema ${schema}`;
  } catch {
    // What is wrong with it is told when it is opened.
    return 'postgres';
  }
}
