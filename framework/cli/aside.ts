import { appendFile, mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { FerruleError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import type { JsonObject } from '../core/value.ts';
import type { SinkAddress } from '../destinations/index.ts';
import type { RunOptions } from '../engine/run.ts';

/** Where records go that do not fit: beside the destination, a file for each stream. */
export function asidePath({ type, target }: SinkAddress, stream: string, fallback: string): string {
  const file = `${stream}.aside.jsonl`;
  if (type === 'postgres') return join(fallback, file);
  return type === 'duckdb' ? join(dirname(target), `${basename(target, extname(target))}.${file}`) : join(target, file);
}

/**
 * Puts records that do not fit into such files, each with what is wrong with it. They are written when they come, not with the state: after
 * a read that was stopped one may stand there twice.
 */
export function setAside(address: SinkAddress, fallback: string): NonNullable<RunOptions['aside']> {
  return async (stream, record, misfits) => {
    const path = asidePath(address, stream, fallback);
    const line = `${stringifyJson({ record, misfits: misfits as unknown as JsonObject[] })}\n`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await appendFile(path, line);
    } catch (cause) {
      throw new FerruleError('output_failed', `A record cannot be put aside (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, {
        where: path,
        cause,
      });
    }
  };
}
