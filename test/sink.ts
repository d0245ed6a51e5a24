import type { Batch, Sink, SinkStream, StreamState } from '../framework/core/sink.ts';
import type { Json, JsonObject } from '../framework/core/value.ts';

/** A destination in memory that shows what it was given; `fail` makes a commit fail before anything of it is kept. */
export interface MemorySink extends Sink {
  readonly type: 'memory';
  rows: Record<string, JsonObject[]>;
  states: Record<string, Record<string, Json>>;
  opened: SinkStream[];
  batches: { stream: string; records: number; state: Batch['state'] }[];
  finished: string[];
  fail?: (stream: string, batch: Batch) => Error | undefined;
}

export function memorySink(): MemorySink {
  const change = (stream: string, state: Batch['state']): void => {
    sink.states[stream] ??= {};
    for (const [key, value] of Object.entries(state)) {
      if (value === null) delete sink.states[stream][key];
      else sink.states[stream][key] = JSON.parse(JSON.stringify(value)) as Json;
    }
  };
  const sink: MemorySink = {
    type: 'memory',
    changes: [],
    rows: {},
    states: {},
    opened: [],
    batches: [],
    finished: [],
    state: async (stream): Promise<StreamState> => new Map(Object.entries(sink.states[stream] ?? {})),
    async open(stream) {
      sink.opened.push(stream);
      change(stream.name, stream.state);
      const staged = `${stream.name}.new`;
      const into = stream.mode === 'overwrite' ? staged : stream.name;
      if (!stream.resumes) delete sink.rows[staged];
      sink.rows[into] ??= [];
      let records = 0;
      return {
        totals: {
          get records() {
            return records;
          },
          bytes: 0,
          place: `memory ${stream.name}`,
        },
        async commit(batch) {
          const failure = sink.fail?.(stream.name, batch);
          if (failure) throw failure;
          let rows = sink.rows[into] ?? [];
          if (stream.mode === 'upsert') {
            const key = (row: JsonObject): string => JSON.stringify(stream.primary_key.map((column) => row[column] ?? null));
            const coming = new Set(batch.records.map(key));
            rows = rows.filter((row) => !coming.has(key(row)));
          }
          sink.rows[into] = [...rows, ...batch.records];
          records += batch.records.length;
          change(stream.name, batch.state);
          sink.batches.push({ stream: stream.name, records: batch.records.length, state: batch.state });
        },
        async finish(state) {
          if (stream.mode === 'overwrite') {
            sink.rows[stream.name] = sink.rows[staged] ?? [];
            delete sink.rows[staged];
          }
          change(stream.name, state);
          sink.finished.push(stream.name);
        },
        close: async () => {},
      };
    },
    close: async () => {},
  };
  return sink;
}
