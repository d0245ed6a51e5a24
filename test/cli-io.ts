import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import type { Input, Io, Output } from '../framework/cli/io.ts';
import { systemClock, systemRandom } from '../framework/core/clock.ts';

/** An Io that keeps what is written, for commands run in this process. */
export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
  /** Types text at the fake terminal. */
  type(text: string): void;
  abort(reason: unknown): void;
}

export interface FakeIoOptions {
  cwd?: string;
  env?: Record<string, string>;
  stdin?: string;
  /** A terminal of that many columns on all three streams. */
  columns?: number;
}

export function fakeIo({ cwd = process.cwd(), env = {}, stdin, columns }: FakeIoOptions = {}): FakeIo {
  const controller = new AbortController();
  const [stdout, out] = capture(columns);
  const [stderr, err] = capture(columns);
  const input = new PassThrough() as PassThrough & Input;
  if (columns !== undefined) Object.assign(input, { isTTY: true, setRawMode: () => input });
  if (stdin !== undefined) input.end(stdin);
  else if (columns === undefined) input.end();
  return {
    stdin: input,
    stdout,
    stderr,
    // Runs are not logged into the home of whoever runs the tests.
    env: { XDG_STATE_HOME: join(tmpdir(), 'ferrule-tests-state'), ...env },
    cwd,
    signal: controller.signal,
    clock: systemClock,
    random: systemRandom,
    out,
    err,
    type: (text) => void input.write(text),
    abort: (reason) => controller.abort(reason),
  };
}

function capture(columns: number | undefined): [Output, () => string] {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  }) as Output;
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
  return [stream, () => Buffer.concat(chunks).toString('utf8')];
}
