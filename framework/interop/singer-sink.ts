import type { Sink, SinkStream, StreamSink, StreamState } from '../core/sink.ts';
import type { StreamInfo } from '../engine/connection.ts';
import { streamSchema, topLevel } from './json-schema.ts';
import { recordLines, writeLines } from './record-lines.ts';
import { recordText, safeLines } from './record-text.ts';
import type { SingerSelection } from './singer-catalog.ts';
import { type StateEntries, stateEntries, statePace } from './state-entries.ts';

export interface SingerSinkOptions {
  streams: ReadonlyMap<string, SingerSelection>;
  known: readonly StreamInfo[];
  /** What the last STATE held. */
  states: ReadonlyMap<string, StreamState>;
  /** Whole lines; calls are kept in order. */
  write(lines: string | Uint8Array): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * Singer's format as a destination: SCHEMA when a stream is opened, RECORDs with each commit, and behind them a STATE with the bookmarks of all streams.
 * A stream that is read whole has none.
 */
export function singerSink(options: SingerSinkOptions): Sink {
  const { streams, states, write, now } = options;
  const bookmarks = new Map([...states].map(([name, state]) => [name, stateEntries(state)]));
  const pace = statePace(now);
  let isBehind = false;
  const writeState = async (): Promise<void> => {
    isBehind = false;
    pace.written();
    const texts = [...bookmarks].map(([name, entries]) => `${JSON.stringify(name)}:${entries.text()}`);
    await write(safeLines(`{"type":"STATE","value":{"bookmarks":{${texts.join(',')}}}}\n`));
  };
  const shared: SharedState = {
    async moved(records) {
      const size = [...bookmarks.values()].reduce((sum, entries) => sum + entries.size, 0);
      isBehind = true;
      if (pace.isDue(records, size)) await writeState();
    },
    async settled() {
      if (isBehind) await writeState();
    },
  };
  const stateOf = (name: string): StreamState => (streams.get(name)?.incremental ? (states.get(name) ?? new Map()) : new Map());
  return {
    type: 'singer',
    changes: [],
    state: async (name) => stateOf(name),
    async open(stream) {
      const { name, state } = stream;
      const { incremental = false, without = new Set<string>() } = streams.get(name) ?? {};
      const entries = stateEntries(stateOf(name));
      entries.apply(state);
      if (incremental) bookmarks.set(name, entries);
      await write(schemaLine(stream, options, without));
      return openStream(stream, { entries: incremental ? entries : undefined, shared, without }, options);
    },
    // Also without streams, or where none has moved: whoever reads on has one.
    close: writeState,
  };
}

/** The one STATE that all streams share. */
interface SharedState {
  moved(records: number): Promise<void>;
  settled(): Promise<void>;
}

interface OneStream {
  /** Undefined where it is read whole. */
  entries: StateEntries | undefined;
  shared: SharedState;
  without: ReadonlySet<string>;
}

function schemaLine({ name, primary_key }: SinkStream, { known }: SingerSinkOptions, without: ReadonlySet<string>): string {
  const stream = known.find((one) => one.name === name) ?? { columns: {}, primary_key };
  const { cursor } = stream as Partial<StreamInfo>;
  const bookmark = topLevel(cursor);
  const message = {
    type: 'SCHEMA',
    stream: name,
    schema: streamSchema(stream, without),
    key_properties: primary_key,
    ...(bookmark && { bookmark_properties: bookmark }),
  };
  return safeLines(`${JSON.stringify(message)}\n`);
}

function openStream({ name, columns }: SinkStream, { entries, shared, without }: OneStream, { write, now }: SingerSinkOptions): StreamSink {
  const record = recordText(columns, without);
  const front = `{"type":"RECORD","stream":${JSON.stringify(name)},"record":`;
  const totals = { records: 0, bytes: 0, place: 'standard output' };
  return {
    pack(records) {
      const back = `,"time_extracted":"${new Date(now()).toISOString()}"}`;
      return recordLines(records, (one) => front + record(one) + back);
    },
    async commit({ packed = [], state }) {
      const count = await writeLines(packed, totals, write);
      if (entries === undefined) return;
      entries.apply(state);
      await shared.moved(count);
    },
    async finish(state) {
      if (entries === undefined) return;
      entries.apply(state);
      await shared.moved(0);
    },
    totals,
    close: () => shared.settled(),
  };
}
