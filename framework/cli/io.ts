import type { Readable, Writable } from 'node:stream';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { reason } from '../destinations/output-failure.ts';

/** A stream as the CLI sees it: `columns` and `isTTY` exist on terminals only. */
export type Output = Writable & { isTTY?: boolean; columns?: number };
export type Input = Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** Everything outside the process that a command may touch, so that tests run commands without starting processes. */
export interface Io {
  stdin: Input;
  /** Data only. */
  stdout: Output;
  /** Progress, summaries, prompts, errors. */
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
  clock: Clock;
  random: Random;
}

/** What to leave with, when the reader of our output has gone or the person pressed Ctrl-C. */
export class Stop extends Error {
  override readonly name = 'Stop';
  readonly exitCode: number;
  /** Set when our own output failed: then a run that came to its end has failed all the same. */
  readonly failure: FerruleError | undefined;

  constructor(message: string, exitCode: number, failure?: FerruleError) {
    super(message);
    this.exitCode = exitCode;
    this.failure = failure;
  }
}

/** The real process: signals abort, a closed pipe ends quietly, a full disk is an error. */
export function processIo(): Io {
  const controller = new AbortController();
  const onSignal = (name: 'SIGINT' | 'SIGTERM', exitCode: number) => {
    process.on(name, () => {
      // The second time the person means it.
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Stop(`stopped by ${name}`, exitCode));
    });
  };
  onSignal('SIGINT', 130);
  onSignal('SIGTERM', 143);
  for (const [stream, name] of [
    [process.stdout, 'standard output'],
    [process.stderr, 'standard error'],
  ] as const) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return controller.abort(new Stop('the reader of the output has gone', 0));
      const failure = new FerruleError('output_failed', `Writing to ${name} failed: ${reason(error)}`, { where: name, cause: error });
      controller.abort(new Stop(failure.message, 2, failure));
    });
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
    clock: systemClock,
    random: systemRandom,
  };
}

/** Writes and waits until the stream takes more; a terminal or a file is ready at once. */
export function print(output: Output, text: string): Promise<void> {
  return new Promise((resolve) => {
    // The stream's own error event decides what a failed write means; the command only must not hang on it.
    output.write(text, () => resolve());
  });
}
