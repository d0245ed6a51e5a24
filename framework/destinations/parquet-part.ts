import { parquetWriteBuffer } from 'hyparquet-writer';
import { FerruleError } from '../core/errors.ts';
import type { ColumnType } from '../core/resolved.ts';
import type { SinkChange, SinkStream } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import { columnValue, flatRecord } from './flat-record.ts';
import { columnOf, declaredType, type ParquetType, type ParquetValue } from './parquet-column.ts';

/** Name and type. A list of pairs, since any name may be a column's. */
export type ParquetColumn = readonly [name: string, type: ParquetType];

export interface Part {
  bytes: Uint8Array;
  /** Those of this part and of the ones before. */
  columns: ParquetColumn[];
  changes: SinkChange[];
}

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>[number];

const ELEMENTS: Record<ParquetType, Omit<SchemaElement, 'name'>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  date: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
};

const ROWS_A_GROUP = 100_000;

/**
 * Records as one Parquet file. `known` are the columns of the parts before, which come first.
 * @throws FerruleError record_refused
 */
export function encodePart(batch: readonly JsonObject[], known: readonly ParquetColumn[], stream: SinkStream, flat: boolean): Part {
  const records = flat ? batch.map(flatRecord) : batch;
  const columns = new Map<string, ParquetType>(known);
  const changes: SinkChange[] = [];
  const written: { name: string; type: ParquetType; values: ParquetValue[] }[] = [];
  for (const name of namesIn(records, known, stream, flat)) {
    const before = columns.get(name);
    const { type, values } = columnOf(
      records.map((record) => columnValue(record, name)),
      before,
      declaredOf(stream, name),
    );
    // No value yet: a later part knows better what it is.
    if (type === undefined) continue;
    written.push({ name, type, values });
    columns.set(name, type);
    const change = changeOf(stream, name, before, type, known.length > 0);
    if (change !== undefined) changes.push(change);
  }
  if (written.length === 0) written.push(...emptyColumns(records));
  return { bytes: encode(written), columns: [...columns], changes };
}

function namesIn(records: readonly JsonObject[], known: readonly ParquetColumn[], stream: SinkStream, flat: boolean): Set<string> {
  const names = new Set(known.map(([name]) => name));
  // A declared map has no column of its own when its leaves have.
  for (const [name, type] of Object.entries(stream.columns)) if (!flat || type !== 'object') names.add(name);
  for (const record of records) for (const name in record) names.add(name);
  return names;
}

const declaredOf = ({ columns }: SinkStream, name: string): ColumnType | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

function changeOf(
  stream: SinkStream,
  column: string,
  before: ParquetType | undefined,
  to: ParquetType,
  later: boolean,
): SinkChange | undefined {
  const declared = declaredOf(stream, column);
  const from = before ?? (declared === undefined ? undefined : declaredType(declared));
  if (from !== undefined && from !== to) return { stream: stream.name, column, change: 'widened', from, to };
  return before === undefined && later ? { stream: stream.name, column, change: 'added', to } : undefined;
}

/** A file has at least one column: where there is no value at all, one is as good as another. */
function emptyColumns(records: readonly JsonObject[]): { name: string; type: ParquetType; values: ParquetValue[] }[] {
  const at = records.findIndex((record) => Object.keys(record).length > 0);
  if (at >= 0) return [{ name: Object.keys(records[at]!)[0]!, type: 'text', values: records.map(() => null) }];
  throw new FerruleError('record_refused', 'No record of the batch has a column; a Parquet file cannot hold them.', {
    next: 'Declare columns in the spec, or write JSON Lines.',
  });
}

function encode(columns: readonly { name: string; type: ParquetType; values: ParquetValue[] }[]): Uint8Array {
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }];
  for (const { name, type } of columns) schema.push({ name, repetition_type: 'OPTIONAL', ...ELEMENTS[type] });
  const buffer = parquetWriteBuffer({
    columnData: columns.map(({ name, values }) => ({ name, data: values })),
    schema,
    rowGroupSize: ROWS_A_GROUP,
    createdBy: 'ferrule',
  });
  return new Uint8Array(buffer);
}
