import { FerruleError } from '../core/errors.ts';
import type { StreamState } from '../core/sink.ts';
import type { Json, JsonObject } from '../core/value.ts';
import type { StreamInfo } from '../engine/connection.ts';
import { streamSchema, topLevel } from './json-schema.ts';
import { isObject, readStreamState, unusable } from './state-entries.ts';

/** What `--discover` prints: the streams that are offered under the configuration. */
export function singerCatalog(streams: readonly StreamInfo[]): JsonObject {
  return { streams: streams.filter(({ available }) => available).map(catalogEntry) };
}

function catalogEntry(stream: StreamInfo): JsonObject {
  const { name, primary_key, incremental, cursor } = stream;
  const schema = streamSchema(stream);
  const key = topLevel(cursor) ?? [];
  const method = incremental ? 'INCREMENTAL' : 'FULL_TABLE';
  const columns = Object.keys(schema.properties as JsonObject);
  return {
    tap_stream_id: name,
    stream: name,
    schema,
    key_properties: [...primary_key],
    replication_method: method,
    ...(key.length > 0 && { replication_key: key[0] as string }),
    metadata: [
      {
        breadcrumb: [],
        metadata: {
          inclusion: 'available',
          'table-key-properties': [...primary_key],
          'valid-replication-keys': key,
          // Without this a person may choose FULL_TABLE for a stream that could be incremental; the other way round nothing can be done.
          ...(incremental ? {} : { 'forced-replication-method': method }),
        },
      },
      ...columns.map(
        (column): JsonObject => ({
          breadcrumb: ['properties', column],
          metadata: isKept(column, stream) ? { inclusion: 'automatic' } : { inclusion: 'available', 'selected-by-default': true },
        }),
      ),
    ],
  };
}

/** Keys and cursors cannot be left out. */
const isKept = (column: string, { primary_key, cursor }: Pick<StreamInfo, 'primary_key' | 'cursor'>): boolean =>
  primary_key.includes(column) || topLevel(cursor)?.[0] === column;

/** A stream that was chosen. */
export interface SingerSelection {
  incremental: boolean;
  /** Columns that were left out. */
  without: ReadonlySet<string>;
}

/**
 * What a catalog chooses, by stream: those with `selected: true` in their metadata, or in their schema as older tools have it. Without a catalog: all that are
 * offered.
 * @throws FerruleError input_malformed
 */
export function readSingerCatalog(catalog: unknown, known: readonly StreamInfo[]): ReadonlyMap<string, SingerSelection> {
  if (catalog === undefined) {
    return new Map(
      known.flatMap(({ name, available, incremental }) => (available ? [[name, { incremental, without: new Set<string>() }]] : [])),
    );
  }
  const streams = isObject(catalog) ? catalog.streams : undefined;
  if (!Array.isArray(streams)) throw malformed('The catalog has no list "streams"');
  return new Map(streams.flatMap((entry) => chosen(entry, known)));
}

function chosen(entry: Json, known: readonly StreamInfo[]): [string, SingerSelection][] {
  if (!isObject(entry)) throw malformed('A stream of the catalog is no JSON object');
  const name = entry.tap_stream_id ?? entry.stream;
  if (typeof name !== 'string') throw malformed('A stream of the catalog has no tap_stream_id');
  const metadata = metadataOf(entry);
  const own = metadata.get('') ?? {};
  const schema = isObject(entry.schema) ? entry.schema : {};
  if ((own.selected ?? schema.selected) !== true) return [];
  const stream = known.find((one) => one.name === name);
  const method = own['replication-method'] ?? entry.replication_method ?? (stream?.incremental ? 'INCREMENTAL' : 'FULL_TABLE');
  if (method !== 'INCREMENTAL' && method !== 'FULL_TABLE')
    throw malformed(`${name}: its replication method is neither INCREMENTAL nor FULL_TABLE`);
  if (method === 'INCREMENTAL' && stream?.incremental === false) {
    throw malformed(`${name} has no cursor: it cannot be read incrementally`, 'Choose FULL_TABLE for it.');
  }
  const properties = isObject(schema.properties) ? schema.properties : {};
  const names = new Set([...metadata.keys(), ...Object.keys(properties)]);
  names.delete('');
  const isLeftOut = (column: string): boolean => {
    const { inclusion, selected, 'selected-by-default': preset } = metadata.get(column) ?? {};
    if (inclusion === 'automatic' || (stream !== undefined && isKept(column, stream))) return false;
    const inSchema = properties[column];
    return (selected ?? (isObject(inSchema) ? inSchema.selected : undefined) ?? preset ?? true) === false || inclusion === 'unsupported';
  };
  return [[name, { incremental: method === 'INCREMENTAL', without: new Set([...names].filter(isLeftOut)) }]];
}

/** By column; the stream's own under the empty name. */
function metadataOf({ metadata }: JsonObject): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  for (const item of Array.isArray(metadata) ? metadata : []) {
    if (!isObject(item) || !Array.isArray(item.breadcrumb) || !isObject(item.metadata)) continue;
    const [kind, column] = item.breadcrumb;
    if (item.breadcrumb.length === 0) found.set('', item.metadata);
    else if (item.breadcrumb.length === 2 && kind === 'properties' && typeof column === 'string') found.set(column, item.metadata);
  }
  return found;
}

const malformed = (message: string, next?: string): FerruleError =>
  new FerruleError('input_malformed', message, { where: 'catalog', ...(next !== undefined && { next }) });

/**
 * Bookmarks by stream, as the last STATE had them. Those of streams that are not read now stay in the state.
 * @throws FerruleError state_unusable: another tap has written it
 */
export function readSingerState(state: unknown): ReadonlyMap<string, StreamState> {
  if (state === undefined || state === null) return new Map();
  if (!isObject(state)) throw unusable('the tap', 'is no JSON object');
  const { bookmarks = {} } = state;
  if (!isObject(bookmarks)) throw unusable('the tap', 'has no bookmarks');
  return new Map(Object.entries(bookmarks).map(([name, value]) => [name, readStreamState(name, value)]));
}
