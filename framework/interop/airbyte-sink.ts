import type { Sink, SinkStream, StreamSink, StreamState } from '../core/sink.ts';
import type { SyncMode } from './airbyte-catalog.ts';
import { line } from './airbyte-messages.ts';
import { recordLines, writeLines } from './record-lines.ts';
import { recordText, safeLines } from './record-text.ts';
import { stateEntries, statePace } from './state-entries.ts';

export interface AirbyteSinkOptions {
  streams: ReadonlyMap<string, SyncMode>;
  /** What the platform gave back. */
  states: ReadonlyMap<string, StreamState>;
  /** Whole lines; calls are kept in order. */
  write(lines: string | Uint8Array): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * Airbyte's protocol as a destination: a commit writes its records and, behind them, the state that they stand for. A stream that is read whole has
 * one state, at its end: half a read is no snapshot that another read could complete.
 */
export function airbyteSink(options: AirbyteSinkOptions): Sink {
  const { streams, states } = options;
  const stateOf = (name: string): StreamState => (streams.get(name) === 'incremental' ? (states.get(name) ?? new Map()) : new Map());
  return {
    type: 'airbyte',
    changes: [],
    state: async (name) => stateOf(name),
    open: async (stream) => openStream(stream, stateOf(stream.name), options),
    close: async () => {},
  };
}

function openStream(
  { name, columns, state: begun }: SinkStream,
  known: StreamState,
  { streams, write, now }: AirbyteSinkOptions,
): StreamSink {
  const entries = stateEntries(known);
  entries.apply(begun);
  const pace = statePace(now);
  const record = recordText(columns);
  const front = `{"type":"RECORD","record":{"stream":${JSON.stringify(name)},"data":`;
  const descriptor = JSON.stringify({ name });
  let isBehind = false;
  const totals = { records: 0, bytes: 0, place: 'standard output' };
  const writeState = async (): Promise<void> => {
    isBehind = false;
    const stats = line({ recordCount: pace.written() }).trim();
    const stream = `{"stream_descriptor":${descriptor},"stream_state":${entries.text()}}`;
    await write(safeLines(`{"type":"STATE","state":{"type":"STREAM","stream":${stream},"sourceStats":${stats}}}\n`));
  };
  return {
    pack(records) {
      const back = `,"emitted_at":${now()}}}`;
      return recordLines(records, (one) => front + record(one) + back);
    },
    async commit({ packed = [], state }) {
      const count = await writeLines(packed, totals, write);
      entries.apply(state);
      const isDue = pace.isDue(count, entries.size);
      if (streams.get(name) !== 'incremental') return;
      isBehind = true;
      if (isDue) await writeState();
    },
    async finish(state) {
      entries.apply(state);
      await writeState();
    },
    totals,
    async close() {
      // A stream that failed has a state all the same: the next read goes on from it.
      if (isBehind) await writeState();
    },
  };
}
