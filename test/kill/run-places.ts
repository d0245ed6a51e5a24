import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SinkType } from '../../framework/destinations/index.ts';
import { askedOf } from './run-rows.ts';
import type { FreshPlace, RunKills } from './runs.ts';

/** A folder, or a file in one. */
export const inFolder = (type: Exclude<SinkType, 'postgres'>): RunKills['place'] => {
  return async (): Promise<FreshPlace> => {
    const folder = await mkdtemp(join(tmpdir(), `ferrule-run-kill-${type}-`));
    const into = { type, target: type === 'duckdb' ? join(folder, 'out.duckdb') : join(folder, 'out') };
    return { into, ask: askedOf(into), remove: () => rm(folder, { recursive: true }) };
  };
};

let made = 0;

/** A schema of its own on a server. */
export const inSchema = (
  url: (part: { query: string }) => string,
  sql: (text: string) => Promise<Record<string, unknown>[]>,
): RunKills['place'] => {
  return async (): Promise<FreshPlace> => {
    const schema = `run_kills_${++made}`;
    return {
      into: { type: 'postgres', target: url({ query: `?schema=${schema}` }) },
      ask: (stream) => sql(`SELECT id, text, amount, at FROM ${schema}.${stream}`),
      remove: () => sql(`DROP SCHEMA ${schema} CASCADE`),
    };
  };
};
