import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import type { SinkChange, SinkOptions } from '../../../framework/core/sink.ts';
import { openSink } from '../../../framework/destinations/index.ts';
import { parquetRows, streamOf, temporaryFolder } from './folder-rows.ts';

let out: string;
let changes: string[];
beforeEach(async () => {
  out = await temporaryFolder();
  changes = [];
});
afterEach(() => rm(out, { recursive: true }));

const onChange = ({ column, change, from, to }: SinkChange) => void changes.push(`${column} ${change} ${from ?? ''}→${to}`);
const opened = (options: SinkOptions = {}) => openSink({ type: 'parquet', target: out }, { onChange, ...options });
const part = (number: number) => asyncBufferFromFile(join(out, 'users', `part-0000${number}.parquet`));

/** Name → physical type, with what it stands for. */
async function typesOf(number: number): Promise<Record<string, string>> {
  const { schema } = await parquetMetadataAsync(await part(number));
  return Object.fromEntries(
    schema.slice(1).map(({ name, type, converted_type }) => [name, [type, converted_type].filter(Boolean).join(' ')]),
  );
}

describe('parquet', () => {
  it('takes types from declared columns, else from values', async () => {
    const sink = await opened();
    const columns = {
      id: 'integer',
      price: 'number',
      on: 'boolean',
      day: 'date',
      at: 'datetime',
      map: 'object',
      never: 'integer',
    } as const;
    const stream = await sink.open(streamOf({ columns }));
    await stream.commit({
      records: [
        {
          id: '9223372036854775807',
          price: 1,
          on: true,
          day: '2024-02-29',
          at: '2024-01-01T01:00:00.123456+02:00',
          map: { a: [1] },
          whole: 1,
          half: 1,
        },
        {
          id: -5,
          price: 0.5,
          on: null,
          day: '1969-12-31',
          at: '1969-12-31 23:59:59.9',
          map: [],
          whole: 2,
          half: 0.5,
          list: [1],
          like: '2024-01-01',
        },
        { constructor: 'x', ['__proto__']: 'y', nothing: null, flag: false },
      ],
      state: {},
    });
    await sink.close();
    expect(await typesOf(1)).toEqual({
      id: 'INT64',
      price: 'DOUBLE',
      on: 'BOOLEAN',
      day: 'INT32 DATE',
      at: 'INT64 TIMESTAMP_MICROS',
      map: 'BYTE_ARRAY UTF8',
      never: 'INT64',
      whole: 'INT64',
      half: 'DOUBLE',
      list: 'BYTE_ARRAY UTF8',
      like: 'BYTE_ARRAY UTF8',
      constructor: 'BYTE_ARRAY UTF8',
      ['__proto__']: 'BYTE_ARRAY UTF8',
      flag: 'BOOLEAN',
    });
    const [first, second, third] = await parquetReadObjects({
      file: await part(1),
      parsers: { timestampFromMicroseconds: (micros: bigint) => micros } as never,
    });
    expect(first).toMatchObject({ id: 9223372036854775807n, price: 1, on: true, map: '{"a":[1]}', whole: 1n, half: 1, list: null });
    // 2023-12-31T23:00:00.123456Z; 2024-02-29 is 19,782 days after 1970-01-01 (date -d).
    expect(first!.at).toBe(1_704_063_600_123_456n);
    expect(first!.day).toEqual(new Date(19_782 * 86_400_000));
    expect(second).toMatchObject({
      id: -5n,
      on: null,
      at: -100_000n,
      day: new Date(-86_400_000),
      map: '[]',
      like: '2024-01-01',
      never: null,
    });
    expect(third).toMatchObject({ id: null, constructor: 'x', flag: false });
    expect(changes).toEqual([]);
  });

  it.each([
    ['a fraction among whole numbers', { n: 1 }, { n: 1.5 }, 'n widened int64→double', [1, 1.5]],
    ['a whole number among fractions', { n: 1.5 }, { n: 1 }, undefined, [1.5, 1]],
    ['a text among whole numbers', { n: 1 }, { n: '5' }, 'n widened int64→text', [1, '5']],
    ['a whole number beyond 2^63', { id: 1 }, { id: '9223372036854775808' }, 'id widened int64→text', [1, '9223372036854775808']],
    ['a number with a leading zero', { id: 1 }, { id: '007' }, 'id widened int64→text', [1, '007']],
    ['a map among booleans', { n: true }, { n: { a: null } }, 'n widened boolean→text', [true, '{"a":null}']],
    ['no date', { day: '2024-01-01' }, { day: '2024-02-30' }, 'day widened date→text', [new Date('2024-01-01'), '2024-02-30']],
    ['nanoseconds', { at: '2024-01-01T00:00:00Z' }, { at: '2024-01-01T00:00:00.1234567Z' }, 'at widened timestamp→text', undefined],
    ['a number for a time', { at: '2024-01-01T00:00:00Z' }, { at: 1704067200 }, 'at widened timestamp→text', undefined],
  ])('keeps what does not fit: %s', async (_, first, second, change, wanted) => {
    const sink = await opened();
    const stream = await sink.open(streamOf({ columns: { id: 'integer', day: 'date', at: 'datetime' } }));
    await stream.commit({ records: [first], state: {} });
    await stream.commit({ records: [second], state: {} });
    const [column] = Object.keys(first);
    expect(changes).toEqual(change === undefined ? [] : [change]);
    const rows = await parquetRows(join(out, 'users'));
    const plain = rows.map((row) => (typeof row[column!] === 'bigint' ? Number(row[column!]) : row[column!]));
    expect(plain).toEqual(wanted ?? [new Date('2024-01-01'), String((second as Record<string, unknown>)[column!])]);
    // It stays so, also when the stream is opened again.
    await sink.close();
    const again = await opened();
    const third = await again.open(streamOf({ columns: { id: 'integer', day: 'date', at: 'datetime' } }));
    await third.commit({ records: [first], state: {} });
    await again.close();
    expect((await typesOf(3))[column!]).toBe((await typesOf(2))[column!]);
    expect(changes).toHaveLength(change === undefined ? 0 : 1);
  });

  it('adds columns as they come, makes one of each leaf if asked, and refuses records without any', async () => {
    const sink = await opened({ nested: 'flat' });
    const stream = await sink.open(streamOf({ columns: {} }));
    await expect(stream.commit({ records: [{}], state: {} })).rejects.toMatchObject({ code: 'record_refused' });
    await stream.commit({ records: [{ none: null }], state: {} });
    await stream.commit({ records: [{ none: null, a: { b: 1, c: { d: 'x' } } }], state: {} });
    await stream.commit({ records: [{ e: true }], state: {} });
    await sink.close();
    expect(changes).toEqual(['e added →boolean']);
    expect(await parquetRows(join(out, 'users'))).toEqual([{ none: null }, { a_b: 1n, a_c_d: 'x' }, { a_b: null, a_c_d: null, e: true }]);
    expect(await readdir(join(out, 'users'))).toEqual(['part-00001.parquet', 'part-00002.parquet', 'part-00003.parquet']);
  });

  it('holds many rows of all lengths in one part', async () => {
    const sink = await opened();
    const stream = await sink.open(streamOf());
    const rows = Array.from({ length: 120_000 }, (_, id) => ({ id, text: id % 3 === 0 ? null : 'é'.repeat(id % 50) }));
    await stream.commit({ records: rows, state: {} });
    await sink.close();
    const found = await parquetRows(join(out, 'users'));
    expect(found.length).toBe(120_000);
    expect(found.every((row, id) => row.id === BigInt(id) && row.text === rows[id]!.text)).toBe(true);
  });
});
