import { FerruleError } from '../core/errors.ts';
import type { StreamState } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import type { StreamInfo } from '../engine/connection.ts';
import { streamSchema, topLevel } from './json-schema.ts';
import { isObject, readStreamState, unusable } from './state-entries.ts';

/** The CATALOG message: the streams that are offered under the configuration. */
export function catalogMessage(streams: readonly StreamInfo[]): object {
  return { type: 'CATALOG', catalog: { streams: streams.filter(({ available }) => available).map(airbyteStream) } };
}

function airbyteStream(stream: StreamInfo): JsonObject {
  const { name, primary_key, incremental, cursor } = stream;
  return {
    name,
    json_schema: streamSchema(stream),
    supported_sync_modes: incremental ? ['full_refresh', 'incremental'] : ['full_refresh'],
    // This is about whole reads: one that was stopped begins anew, since half of one and half of another are no snapshot.
    is_resumable: false,
    // Where it is left out, Airbyte asks the person for a column.
    ...(incremental && { source_defined_cursor: true }),
    ...(topLevel(cursor) !== undefined && { default_cursor_field: topLevel(cursor) as string[] }),
    ...(primary_key.length > 0 && { source_defined_primary_key: primary_key.map((column) => [column]) }),
  };
}

export type SyncMode = 'full_refresh' | 'incremental';

/**
 * Which streams are to be read, and how, of a ConfiguredAirbyteCatalog.
 * @throws FerruleError input_malformed; stream_unknown is told of each stream when it is read
 */
export function readConfiguredCatalog(catalog: unknown, known: readonly StreamInfo[]): ReadonlyMap<string, SyncMode> {
  const streams = isObject(catalog) ? catalog.streams : undefined;
  if (!Array.isArray(streams)) throw malformed('The configured catalog has no list "streams"');
  return new Map(
    streams.map((entry) => {
      const name = isObject(entry) && isObject(entry.stream) ? entry.stream.name : undefined;
      if (!isObject(entry) || typeof name !== 'string') throw malformed('A stream of the configured catalog has no name');
      const { sync_mode: mode } = entry;
      if (mode !== 'full_refresh' && mode !== 'incremental') throw malformed(`${name}: sync_mode is neither full_refresh nor incremental`);
      if (mode === 'incremental' && known.some((stream) => stream.name === name && !stream.incremental)) {
        throw malformed(`${name} has no cursor: it cannot be read incrementally`, 'Choose full_refresh for it.');
      }
      return [name, mode];
    }),
  );
}

const malformed = (message: string, next?: string): FerruleError =>
  new FerruleError('input_malformed', message, { where: 'catalog', ...(next !== undefined && { next }) });

/**
 * The state that `read --state` gets: a list of STATE messages' states of type STREAM. Streams that are not read now may be in it.
 * @throws FerruleError state_unusable: of another type, or of another connector
 */
export function readAirbyteState(state: unknown, wanted: ReadonlyMap<string, SyncMode>): ReadonlyMap<string, StreamState> {
  if (state === undefined || (isObject(state) && Object.keys(state).length === 0)) return new Map();
  if (!Array.isArray(state)) throw unusable('the connection', 'is of the old form, for all streams together');
  const found = state.map((entry): [string, unknown] => {
    // Some keep the whole message.
    const own = isObject(entry) && entry.type === 'STATE' ? entry.state : entry;
    const stream = isObject(own) && own.type === 'STREAM' ? own.stream : undefined;
    const descriptor = isObject(stream) ? stream.stream_descriptor : undefined;
    if (!isObject(stream) || !isObject(descriptor) || typeof descriptor.name !== 'string')
      throw unusable('the connection', 'is not of type STREAM');
    return [descriptor.name, stream.stream_state];
  });
  return new Map(found.filter(([name]) => wanted.get(name) === 'incremental').map(([name, value]) => [name, readStreamState(name, value)]));
}
