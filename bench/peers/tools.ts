// The four readers of bench/peers: how each is installed and run, and where its records come out.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../../framework/core/atomic-write.ts';

export interface Place {
  /** The provider's address. */
  site: string;
  /** First day of the events, as 2026-01-31. */
  start: string;
  /** An empty folder, this run's own. */
  folder: string;
}

export interface Tool {
  title: string;
  /** The file in which the four streams are described. */
  file: string;
  /** Installs it into a folder, unless it is there. */
  install(folder: string): void;
  /** Before the run, which does not count. */
  prepare?(place: Place, streams: readonly string[], installed: string): Promise<void>;
  command(place: Place, streams: readonly string[], installed: string): string[];
  /** Whether its records are messages among others on standard output. */
  messages?: true;
  /** Files that hold a stream's records; default: standard output. */
  files?(place: Place, stream: string): Promise<string[]>;
}

/** A Python package in an environment of its own. */
function python(name: string, requirement: string): (folder: string) => void {
  return (folder) => {
    const home = join(folder, name);
    if (existsSync(join(home, 'installed'))) return;
    console.error(`installing ${requirement}`);
    execFileSync('python3', ['-m', 'venv', home], { stdio: 'inherit' });
    execFileSync(join(home, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', requirement], { stdio: 'inherit' });
    execFileSync('touch', [join(home, 'installed')]);
  };
}

const TOKEN = 'not-secret';
const json = (file: string, value: unknown): Promise<void> => writeFile(file, JSON.stringify(value));

const ferrule: Tool = {
  title: 'Ferrule',
  file: 'peers.yaml',
  install: () => {
    if (!existsSync('dist/cli.js')) throw new Error('dist/ is missing: npm run build');
  },
  command: ({ site, start, folder }, streams) => [
    ...[process.execPath, 'dist/cli.js', 'read', 'bench/peers/peers.yaml', ...streams, '--out', `jsonl:${folder}/out`],
    ...['--field', `site=${site}`, '--field', `token=${TOKEN}`, '--field', `start=${start}`, '--allow-loopback', '--mode', 'append'],
  ],
  files: async ({ folder }, stream) => [join(folder, 'out', `${stream}.jsonl`)],
};

const airbyte: Tool = {
  title: "Airbyte's low-code CDK",
  file: 'airbyte.yaml',
  install: python('airbyte', 'airbyte-cdk==7.39.1'),
  prepare: async ({ site, start, folder }, streams) => {
    await json(join(folder, 'config.json'), { site, start, token: TOKEN });
    const modes = { supported_sync_modes: ['full_refresh', 'incremental'] };
    const configured = streams.map((name) => ({
      stream: { name, json_schema: { type: 'object' }, ...modes },
      sync_mode: name === 'events' ? 'incremental' : 'full_refresh',
      destination_sync_mode: 'append',
    }));
    await json(join(folder, 'catalog.json'), { streams: configured });
  },
  command: ({ folder }, _, installed) => [
    ...[join(installed, 'airbyte/bin/source-declarative-manifest'), 'read', '--manifest-path', 'bench/peers/airbyte.yaml'],
    ...['--config', join(folder, 'config.json'), '--catalog', join(folder, 'catalog.json')],
  ],
  messages: true,
};

const dlt: Tool = {
  title: 'dlt `rest_api`',
  file: 'dlt_pipeline.py',
  install: python('dlt', 'dlt==1.31.0'),
  command: ({ site, start, folder }, streams, installed) => [
    ...[join(installed, 'dlt/bin/python'), 'bench/peers/dlt_pipeline.py', site, TOKEN, start, folder, ...streams],
  ],
  files: async ({ folder }, stream) => {
    const of = join(folder, 'out', stream);
    const names = (await readdir(of).catch(unlessMissing)) ?? [];
    return names.map((name) => join(of, name));
  },
};

const singer: Tool = {
  title: 'Singer SDK',
  file: 'singer_tap.py',
  install: python('singer', 'singer-sdk==0.54.9'),
  prepare: async ({ site, start, folder }, streams, installed) => {
    const config = join(folder, 'config.json');
    await json(config, { site, token: TOKEN, start_date: start });
    const args = ['bench/peers/singer_tap.py', '--config', config, '--discover'];
    const catalog = JSON.parse(
      execFileSync(join(installed, 'singer/bin/python'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    for (const { tap_stream_id, metadata } of catalog.streams) {
      for (const one of metadata) if (one.breadcrumb.length === 0) one.metadata.selected = streams.includes(tap_stream_id);
    }
    await json(join(folder, 'catalog.json'), catalog);
  },
  command: ({ folder }, _, installed) => [
    ...[join(installed, 'singer/bin/python'), 'bench/peers/singer_tap.py'],
    ...['--config', join(folder, 'config.json'), '--catalog', join(folder, 'catalog.json')],
  ],
  messages: true,
};

export const TOOLS: readonly Tool[] = [ferrule, airbyte, dlt, singer];

/** What is there of a tool's records when it has none out yet: nothing, or messages about other things. */
export async function hasRecord(tool: Tool, place: Place, streams: readonly string[], stdout: string): Promise<boolean> {
  if (tool.messages) return (await head(stdout)).includes('"type":"RECORD"');
  for (const stream of streams) {
    for (const file of (await tool.files?.(place, stream)) ?? []) if ((await head(file)).includes('}\n')) return true;
  }
  return false;
}

async function head(file: string): Promise<string> {
  const handle = await open(file).catch(unlessMissing);
  if (handle === undefined) return '';
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16384), 0, 16384, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Lines of a file that say something: neither empty nor a comment alone. */
export const linesOf = (text: string): number => text.split('\n').filter((line) => /^\s*[^\s#]/.test(line)).length;
