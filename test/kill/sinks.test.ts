import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { sinkKills } from './sinks.ts';

const seed = Number(process.env.FERRULE_KILL_SEED ?? Math.floor(Math.random() * 1_000_000));

it(`a DuckDB file: rows and state agree after 8 kills at any instant (FERRULE_KILL_SEED=${seed})`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-kill-duckdb-'));
  const target = join(folder, 'sink.duckdb');
  const sql = async (text: string) => {
    const instance = await DuckDBInstance.create(target);
    const connection = await instance.connect();
    try {
      return (await connection.runAndReadAll(text)).getRowObjectsJson();
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
  const { commits, wrong } = await sinkKills({ place: { module: 'duckdb', target, sql }, times: 8, seed });
  expect(wrong).toEqual([]);
  expect(commits).toBeGreaterThan(8);
  await rm(folder, { recursive: true });
});
