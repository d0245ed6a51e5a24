import { appendFileSync } from 'node:fs';
import { FerruleError } from '../core/errors.ts';
import type { ClientEvent } from '../http/types.ts';

/** 1 failures; 2 also retries, waits, renewals and redirects; 3 also requests and statuses; 4 also headers; 5 also bodies. */
export type Verbosity = 1 | 2 | 3 | 4 | 5;

/** What a connection without a word about it logs. */
const USUAL: Verbosity = 3;

/**
 * Appends a connection's events to a file, one JSON object a line, for `onEvent`. Texts are redacted before they are
 * events. Each line is written at once and whole, so that nothing is lost when the process ends, and several
 * connections may share a file. Readable by its owner alone. Throws output_failed.
 */
export function eventLog(path: string, verbosity: Verbosity = USUAL): (event: ClientEvent) => void {
  write(path, '');
  return (event) => {
    const line = logged(event, verbosity);
    if (line !== undefined) write(path, `${JSON.stringify(line)}\n`);
  };
}

function write(path: string, text: string): void {
  try {
    appendFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    throw new FerruleError('output_failed', `The log ${path} cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      where: path,
      cause,
    });
  }
}

/** The event as far as the verbosity goes; undefined when it says nothing of it. */
export function logged(event: ClientEvent, verbosity: Verbosity): object | undefined {
  if (verbosity < levelOf(event)) return undefined;
  const { at, type, ...rest } = event;
  const { headers, body, ...plain } = rest as Record<string, unknown>;
  return {
    time: new Date(at).toISOString(),
    type,
    ...plain,
    ...(verbosity >= 4 && headers !== undefined && { headers }),
    ...(verbosity >= 5 && body !== undefined && { body }),
  };
}

function levelOf(event: ClientEvent): Verbosity {
  if (event.type === 'failure' || (event.type === 'response' && event.status >= 400)) return 1;
  return event.type === 'request' || event.type === 'response' ? 3 : 2;
}
