import type { Connection } from '../engine/connection.ts';
import type { RunEvent } from '../engine/run-events.ts';
import { errorMessage, line, logMessage, sentence, statusMessage } from './airbyte-messages.ts';
import { type AirbyteSinkOptions, airbyteSink } from './airbyte-sink.ts';

export interface AirbyteReadOptions extends AirbyteSinkOptions {
  signal?: AbortSignal;
}

/**
 * `read`: streams into messages, with the status of each. A stream that fails is told in a TRACE and the others go on; false when there was one.
 */
export async function airbyteRead(connection: Connection, options: AirbyteReadOptions): Promise<boolean> {
  const { streams, signal, write, now } = options;
  const say = (message: object): void => void write(line(message));
  const statuses = statusTeller(say, now);
  const outcomes = await connection.readInto(airbyteSink(options), {
    streams: [...streams.keys()],
    ...(signal && { signal }),
    onEvent: (event) => {
      statuses(event);
      for (const message of logsOf(event)) say(message);
    },
  });
  return outcomes.every(({ complete }) => complete);
}

/** STARTED, RUNNING with the first records, COMPLETE or INCOMPLETE: each once, and in this order. */
function statusTeller(say: (message: object) => void, now: () => number): (event: RunEvent) => void {
  const reached = new Map<string, 'STARTED' | 'RUNNING'>();
  const start = (stream: string): void => {
    if (reached.has(stream)) return;
    reached.set(stream, 'STARTED');
    say(statusMessage(stream, 'STARTED', now()));
  };
  return (event) => {
    const { stream } = event;
    if (event.type === 'start') start(stream);
    if (event.type === 'commit' && event.records > 0 && reached.get(stream) === 'STARTED') {
      reached.set(stream, 'RUNNING');
      say(statusMessage(stream, 'RUNNING', now()));
    }
    if (event.type !== 'end') return;
    start(stream);
    const { complete, error } = event.outcome;
    if (error !== undefined && error.code !== 'aborted') say(errorMessage(error, now(), stream));
    say(statusMessage(stream, complete ? 'COMPLETE' : 'INCOMPLETE', now()));
  };
}

function* logsOf(event: RunEvent): Generator<object> {
  if (event.type === 'failure') yield logMessage('WARN', `${event.stream}: ${sentence(event.error)}`);
  if (event.type !== 'end') return;
  const { stream, outcome } = event;
  if (outcome.misfits > 0) yield logMessage('WARN', `${stream}: ${outcome.misfits} records do not fit the declared columns`);
  const how = outcome.complete ? 'complete' : 'not complete';
  yield logMessage(
    'INFO',
    `${stream}: ${outcome.records} records in ${outcome.pages} pages, ${how}${outcome.resumed ? '; it went on with a read that was stopped' : ''}`,
  );
}
