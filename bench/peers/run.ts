/**
 * The same three readings by Ferrule, Airbyte's low-code CDK, dlt and the Singer SDK: node scripts/run.mjs bench/peers/run.ts
 *
 * Needs npm run build, Python 3.10 with venv, PyPI, taskset and two processors: one has the provider, the other one the reader. Each run is a whole process, in turn;
 * the first round warms up. PEERS=FOLDER keeps what is installed, ROUNDS=n, ONLY=ferrule,singer picks.
 */
import { spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hasRecord, linesOf, type Place, TOOLS, type Tool } from './tools.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** What the provider has; SHARE=0.1 reads a tenth. */
const SHARE = Number(process.env.SHARE ?? 1);
const ITEMS = 400_000 * SHARE;
const ORDERS = 3000 * SHARE;
const DAYS = 300 * SHARE;
const LONGEST = 600_000;
const CASES = {
  'offset pages': { streams: ['items'], records: ITEMS },
  'cursor pages with a child stream': { streams: ['orders', 'lines'], records: ORDERS * 41 },
  'date windows': { streams: ['events'], records: DAYS * 400 },
};

interface Figures {
  /** Records in a second of the whole process. */
  rate: number;
  /** Seconds from the start of the process until a record is in the file. */
  first: number;
  /** Peak of the resident memory in MiB, and of it what is the process's own: not the code in its program's files. */
  memory: number;
  own: number;
  requests: number;
}

async function startServer(): Promise<{ site: string; stop: () => void }> {
  const child = spawn('taskset', ['-c', '0', process.execPath, 'bench/peers/server.mjs'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ITEMS: `${ITEMS}`, ORDERS: `${ORDERS}`, DAYS: `${DAYS}` },
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.once('data', (data) => resolve(String(data).trim()));
  });
  return { site: `http://127.0.0.1:${port}`, stop: () => child.kill() };
}

/** Lines with a record, in whatever files they are. */
async function countRecords(tool: Tool, place: Place, streams: readonly string[], stdout: string): Promise<number> {
  const files = tool.messages
    ? [stdout]
    : (await Promise.all(streams.map(async (stream) => (await tool.files?.(place, stream)) ?? []))).flat();
  let count = 0;
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      if (!tool.messages || line.startsWith('{"type":"RECORD"')) count += 1;
    }
  }
  return count;
}

async function measure(
  tool: Tool,
  { streams, records }: (typeof CASES)[keyof typeof CASES],
  site: string,
  installed: string,
): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'));
  const place = { site, folder, start: new Date(Date.now() - DAYS * 86_400_000).toISOString().slice(0, 10) };
  const stdout = join(folder, 'stdout');
  await tool.prepare?.(place, streams, installed);
  await fetch(`${site}/seen`); // counts anew
  const file = openSync(stdout, 'w');
  const errors = openSync(join(folder, 'stderr'), 'w');
  const env = { ...withoutPython(process.env), HOME: folder, RUNTIME__DLTHUB_TELEMETRY: 'false', DATA_WRITER__DISABLE_COMPRESSION: 'true' };
  const began = performance.now();
  const child = spawn('taskset', ['-c', '1', ...tool.command(place, streams, installed)], { stdio: ['ignore', file, errors], env });
  const limit = setTimeout(() => child.kill('SIGKILL'), LONGEST);
  let first = 0;
  let [memory, own] = [0, 0];
  let over = false;
  const watching = (async () => {
    while (!over) {
      // The system keeps the peak of the first; the second one is a sample every few milliseconds.
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      own = Math.max(own, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      if (first === 0 && (await hasRecord(tool, place, streams, stdout))) first = (performance.now() - began) / 1000;
      await new Promise((resolve) => setTimeout(resolve, first === 0 ? 4 : 20));
    }
  })();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  const seconds = (performance.now() - began) / 1000;
  over = true;
  clearTimeout(limit);
  await watching;
  closeSync(file);
  closeSync(errors);
  const found = code === 0 ? await countRecords(tool, place, streams, stdout) : 0;
  if (found !== records) {
    console.error((await readFile(join(folder, 'stderr'), 'utf8')).slice(-2000), (await readFile(stdout, 'utf8')).slice(-2000));
    throw new Error(`${tool.title} ended with ${code} and ${found} of ${records} records`);
  }
  const { requests } = (await (await fetch(`${site}/seen`)).json()) as { requests: number };
  await rm(folder, { recursive: true });
  return { rate: records / seconds, first: first || seconds, memory, own, requests };
}

/** Settings of the person's own that slow Python down: output that is not gathered, modules that are not kept compiled. */
const withoutPython = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PYTHON')));

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

if (availableParallelism() < 2) throw new Error('bench/peers needs two processors: one has the provider, one the reader');
const only = process.env.ONLY?.split(',');
const tools = TOOLS.filter(({ file }) => only === undefined || only.some((name) => file.startsWith(name)));
const installed = process.env.PEERS ?? (await mkdtemp(join(tmpdir(), 'peers-installed-')));
await mkdir(installed, { recursive: true });
for (const tool of tools) tool.install(installed);
const { site, stop } = await startServer();
try {
  for (const [name, one] of Object.entries(CASES)) {
    const found = new Map(tools.map((tool) => [tool, [] as Figures[]]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const tool of tools) {
        const figures = await measure(tool, one, site, installed);
        if (round > 0) found.get(tool)?.push(figures);
      }
    }
    console.log(`\n**${name}** (${one.records} records)\n`);
    console.log('| | records/s | first record | peak memory | of it its own | requests |\n|---|---|---|---|---|---|');
    for (const [tool, figures] of found) {
      const of = (key: keyof Figures): number => median(figures.map((figure) => figure[key]));
      console.log(
        `| ${tool.title} | ${Math.round(of('rate'))} | ${of('first').toFixed(2)} s | ${of('memory').toFixed(0)} MiB | ${of('own').toFixed(0)} MiB | ${of('requests')} |`,
      );
    }
  }
  console.log('\nlines of configuration:');
  for (const { title, file } of tools) console.log(`  ${title}: ${linesOf(await readFile(`bench/peers/${file}`, 'utf8'))}`);
} finally {
  stop();
  if (process.env.PEERS === undefined) await rm(installed, { recursive: true });
}
