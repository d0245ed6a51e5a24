import { type Io, print } from './io.ts';

/** What `--json` prints: indented on a terminal, where a person reads it, else one line. */
export function printJson(io: Io, value: unknown): Promise<void> {
  return print(io.stdout, `${JSON.stringify(value, undefined, io.stdout.isTTY ? 2 : undefined)}\n`);
}
