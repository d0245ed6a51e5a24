import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSink, parseSinkAddress } from '../../../framework/destinations/index.ts';
import { streamOf, temporaryFolder } from './folder-rows.ts';

describe('the address of a destination', () => {
  it.each([
    ['jsonl:out', 'jsonl', 'out'],
    ['csv:/a b/c', 'csv', '/a b/c'],
    ['CSV:x', 'csv', 'x'],
    ['parquet:./x:y', 'parquet', './x:y'],
    ['duckdb:x', 'duckdb', 'x'],
    ['out', 'jsonl', 'out'],
    ['./a:b', 'jsonl', './a:b'],
    ['a/b.duckdb', 'duckdb', 'a/b.duckdb'],
    ['a.DB', 'duckdb', 'a.DB'],
    ['jsonl:a.db', 'jsonl', 'a.db'],
    ['C:\\out', 'jsonl', 'C:\\out'],
    ['postgres://me@host/db', 'postgres', 'postgres://me@host/db'],
    ['postgresql://me@host/db?x=1', 'postgres', 'postgresql://me@host/db?x=1'],
  ])('%s', (text, type, target) => {
    expect(parseSinkAddress(text)).toEqual({ type, target });
  });

  it.each([
    ['jsnl:out', 'There is no destination of type jsnl. Did you mean jsonl?'],
    ['s3://bucket/x', 'There is no destination of type s3.'],
    ['', 'No destination was named.'],
    ['csv:', 'csv: names no place.'],
    ['postgres:db', 'A PostgreSQL database is named by its URL.'],
  ])('refuses %j', (text, message) => {
    let error: unknown;
    try {
      parseSinkAddress(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'usage', message, next: expect.stringContaining('parquet:FOLDER') as string });
  });
});

describe('jsonl', () => {
  it('keeps records as they came, or flat', async () => {
    const out = await temporaryFolder();
    const record = { id: '9007199254740993', name: 'é\n', map: { a: { b: null } }, list: [{ c: 1 }] };
    for (const nested of ['json', 'flat'] as const) {
      const sink = await openSink({ type: 'jsonl', target: join(out, nested) }, { nested });
      const stream = await sink.open(streamOf());
      await stream.commit({ records: [record, {}], state: {} });
      await sink.close();
    }
    expect(await readFile(join(out, 'json', 'users.jsonl'), 'utf8')).toBe(
      '{"id":"9007199254740993","name":"é\\n","map":{"a":{"b":null}},"list":[{"c":1}]}\n{}\n',
    );
    expect(await readFile(join(out, 'flat', 'users.jsonl'), 'utf8')).toBe(
      '{"id":"9007199254740993","name":"é\\n","map_a_b":null,"list":[{"c":1}]}\n{}\n',
    );
    await rm(out, { recursive: true });
  });
});
