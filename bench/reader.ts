import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { SpecDocument } from '../framework/core/spec-types.gen.ts';
import { loadText } from '../framework/spec/load.ts';
import type { ReaderOptions, ReaderResult } from './memory-reader.ts';

export interface BenchServer {
  origin: string;
  stop(): void;
}

/** bench/memory-server.mjs in a process of its own. */
export async function benchServer(records: number, bytes: number): Promise<BenchServer> {
  const child = fork('bench/memory-server.mjs', [String(records), String(bytes)]);
  const [port] = await once(child, 'message');
  return { origin: `http://127.0.0.1:${Number(port)}`, stop: () => void child.kill() };
}

export function benchSpec(streams: string): SpecDocument {
  const text = `spec: 1
name: bench
title: Bench
version: 1.0.0
auth: { none: none }
http: { base_url: 'https://api.bench.test', timeout: { total: 1h } }
streams:
${streams}`;
  const { spec, findings } = loadText(text, 'bench.yaml');
  if (spec === undefined) throw new Error(findings.map(({ message, start }) => `${start.line}: ${message}`).join('\n'));
  return spec;
}

let file: Promise<string> | undefined;

/** As one file: what strips types from sources takes memory of its own. */
function readerFile(): Promise<string> {
  file ??= (async () => {
    await mkdir('node_modules/.cache', { recursive: true });
    const outfile = join('node_modules/.cache', `bench-reader-${process.pid}.mjs`);
    process.once('exit', () => rmSync(outfile, { force: true }));
    const entryPoints = ['bench/memory-reader.ts'];
    await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'warning' });
    return outfile;
  })();
  return file;
}

/** Reads in a process of its own. @throws when the read failed */
export async function readApart(options: ReaderOptions): Promise<ReaderResult> {
  const child = spawn(process.execPath, [await readerFile(), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  const result = JSON.parse(text) as ReaderResult;
  if (result.error !== undefined) throw new Error(result.error);
  return result;
}
