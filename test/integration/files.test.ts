/** Files that we write, read by programs that are not ours; and a disk that is really full. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../framework/core/value.ts';
import { openSink } from '../../framework/destinations/index.ts';
import { FOLDER_TYPES, idsIn, streamOf } from '../unit/destinations/folder-rows.ts';
import { installed } from './programs.ts';

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'ferrule-files-'));
});
afterEach(() => rm(out, { recursive: true }));

const read = (how: 'csv' | 'parquet' | 'duckdb', path: string): unknown =>
  JSON.parse(execFileSync(installed('python/bin/python3'), ['test/integration/rows.py', how, path], { encoding: 'utf8' }));

const COLUMNS = { id: 'integer', price: 'number', on: 'boolean', day: 'date', at: 'datetime', map: 'object' } as const;
const FIRST: JsonObject[] = [
  { id: '9007199254740993', price: 1.25, on: true, day: '2024-02-29', at: '2024-01-01T01:00:00.123456+02:00', map: { a: [1, 'é'] } },
  { id: -1, price: null, on: false, day: '1969-12-31', at: '1969-12-31T23:59:59Z', note: 'a,"b"\r\nc' },
];
const SECOND: JsonObject[] = [{ id: 3, price: 2, note: '', late: 7 }];

async function write(type: 'csv' | 'parquet'): Promise<void> {
  const sink = await openSink({ type, target: out });
  const stream = await sink.open(streamOf({ columns: COLUMNS }));
  await stream.commit({ records: FIRST, state: {} });
  await stream.commit({ records: SECOND, state: {} });
  await sink.close();
}

describe('files', () => {
  it('CSV as Python and DuckDB read it', async () => {
    await write('csv');
    const path = join(out, 'users.csv');
    expect(read('csv', path)).toEqual([
      ['id', 'price', 'on', 'day', 'at', 'map', 'note', 'late'],
      ['9007199254740993', '1.25', 'true', '2024-02-29', '2024-01-01T01:00:00.123456+02:00', '{"a":[1,"é"]}', '', ''],
      ['-1', '', 'false', '1969-12-31', '1969-12-31T23:59:59Z', '', 'a,"b"\r\nc', ''],
      ['3', '2', '', '', '', '', '', '7'],
    ]);
    const { rows } = read('duckdb', `read_csv('${path}', all_varchar = true, allow_quoted_nulls = false)`) as { rows: JsonObject[] };
    // An empty text and no value are two things to a reader that looks.
    expect(rows.map(({ id, note, late }) => [id, note, late])).toEqual([
      ['9007199254740993', null, null],
      ['-1', 'a,"b"\r\nc', null],
      ['3', '', '7'],
    ]);
  });

  it('Parquet as Arrow and DuckDB read it', async () => {
    await write('parquet');
    const rows = [
      {
        id: '9007199254740993',
        price: 1.25,
        on: true,
        day: '2024-02-29',
        at: '2023-12-31T23:00:00.123456+00:00',
        map: '{"a":[1,"é"]}',
        note: null,
      },
      { id: -1, price: null, on: false, day: '1969-12-31', at: '1969-12-31T23:59:59+00:00', map: null, note: 'a,"b"\r\nc' },
    ];
    expect(read('parquet', join(out, 'users', 'part-00001.parquet'))).toEqual({
      types: { id: 'int64', price: 'double', on: 'bool', day: 'date32[day]', at: 'timestamp[us, tz=UTC]', map: 'string', note: 'string' },
      rows,
    });
    expect(read('duckdb', `read_parquet('${out}/users/*.parquet', union_by_name = true) ORDER BY price`)).toEqual({
      types: {
        ...{ id: 'BIGINT', price: 'DOUBLE', on: 'BOOLEAN', day: 'DATE', at: 'TIMESTAMP WITH TIME ZONE', map: 'VARCHAR', note: 'VARCHAR' },
        late: 'BIGINT',
      },
      rows: [
        { ...rows[0], late: null },
        { id: 3, price: 2, on: null, day: null, at: null, map: null, note: '', late: 7 },
        { ...rows[1], late: null },
      ],
    });
  });

  it('DuckDB joins parts whose types differ', async () => {
    const sink = await openSink({ type: 'parquet', target: out });
    const stream = await sink.open(streamOf({ columns: {} }));
    for (const n of [1, 1.5, 'x']) await stream.commit({ records: [{ n }], state: {} });
    await sink.close();
    const found = read('duckdb', `read_parquet('${out}/users/*.parquet', union_by_name = true)`);
    expect(found).toEqual({ types: { n: 'VARCHAR' }, rows: [{ n: '1' }, { n: '1.5' }, { n: 'x' }] });
  });

  it.each(FOLDER_TYPES)('a full disk: %s keeps what was committed, and goes on when there is room', async (type) => {
    if (process.getuid?.() !== 0) throw new Error('Mounting a small disk needs root.');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', out]);
    try {
      let sink = await openSink({ type, target: out });
      const stream = await sink.open(streamOf());
      const batch = (n: number) => Array.from({ length: 100 }, (_, id) => ({ id: n * 100 + id, text: `${n * 100 + id}`.repeat(20) }));
      let n = 0;
      const failed = await (async () => {
        for (; n < 1000; n++) await stream.commit({ records: batch(n), state: { n: n + 1 } });
      })().catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'output_failed', message: expect.stringContaining('ENOSPC') as string });
      expect(n).toBeGreaterThan(2);
      await sink.close();
      const ids = Array.from({ length: n * 100 }, (_, id) => id);
      expect(await idsIn(out, type)).toEqual(ids);
      execFileSync('mount', ['-o', 'remount,size=2m', out]);
      sink = await openSink({ type, target: out });
      expect([...(await sink.state('users'))]).toEqual([['n', n]]);
      const again = await sink.open(streamOf());
      await again.commit({ records: batch(n), state: { n: n + 1 } });
      await sink.close();
      expect(await idsIn(out, type)).toEqual([...ids, ...batch(n).map(({ id }) => id)]);
    } finally {
      execFileSync('umount', [out]);
    }
  });
});
