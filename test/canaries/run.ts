/**
 * `npm run test:canaries`: does any secret of the tests show anywhere? Runs the whole unit suite with a recorder in it,
 * then searches all output, every file that was written (deleted ones too), every error (hidden fields and causes) and
 * every event of every client for each secret that was in use, in every escaped form. Before that it proves on leaks
 * put in on purpose that it finds them.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { type Canary, type Hit, searcher } from './search.ts';

interface Leak extends Hit {
  /** Kind and place, as a person would look for it. */
  where: string;
}

interface Outcome {
  status: number | null;
  output: string;
  canaries: Canary[];
  leaks: Leak[];
  /** How much was searched. */
  bytes: number;
}

/**
 * The recorder sees each error when it is made. These are caught inside and told anew, since a provider's keys, or its words about a
 * job, stand in them; their own test looks at what comes out.
 */
const TOLD_ANEW =
  /^error, in (unit\/engine\/read\.test\.ts: .*a credential that comes back as a key is not shown|peers\/leak\.test\.ts: L1 )/;

/** The suite takes a minute or two. Milliseconds. */
const LONGEST = 600_000;

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

async function runSuite(folder: string, leaking: boolean, args: string[]): Promise<{ status: number | null; output: string }> {
  for (const name of ['tmp', 'home', 'records/deleted']) await mkdir(join(folder, name), { recursive: true });
  const home = join(folder, 'home');
  const { FERRULE_LEAK: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    TMPDIR: join(folder, 'tmp'),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    // Native code that the compiler of the tests unpacks: nothing of ours.
    XDG_CACHE_HOME: join(folder, 'cache'),
    FERRULE_HOME: join(home, 'ferrule'),
    FERRULE_CANARY_LOG: join(folder, 'canaries.jsonl'),
    FERRULE_CANARY_RECORDS: join(folder, 'records'),
    FERRULE_CANARY_WATCH: [join(folder, 'tmp'), home].join(':'),
    ...(leaking && { FERRULE_LEAK: '1' }),
  };
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '-c',
    'test/canaries/jest.config.mjs',
    '--cacheDirectory=node_modules/.cache/jest-canaries',
  ];
  const child = spawn(process.execPath, [...jest, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1');
    stream.on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const watchdog = setTimeout(() => child.kill('SIGKILL'), LONGEST);
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(watchdog);
  if (signal !== null) output += `\nended by ${signal}: a test may have left something open`;
  return { status, output };
}

/** Everything that was recorded, printed or written, piece by piece. */
async function* pieces(folder: string, output: string): AsyncGenerator<{ where: string; text: string }> {
  yield { where: 'output of the test run', text: output };
  const given = new Set(lines(await readFile(join(folder, 'records/given'), 'utf8').catch(() => '')));
  for (const part of ['tmp', 'home', 'records/deleted']) {
    const entries = await readdir(join(folder, part), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      if (given.has(createHash('sha256').update(bytes).digest('hex'))) continue;
      yield { where: `file ${relative(folder, join(entry.parentPath, entry.name))}`, text: bytes.toString('latin1') };
    }
  }
  for (const name of await readdir(join(folder, 'records'))) {
    if (!name.endsWith('.jsonl')) continue;
    for await (const line of createInterface({ input: createReadStream(join(folder, 'records', name)) })) {
      const { kind, test, file, text } = JSON.parse(line) as { kind: string; test: string; file: string; text: string };
      yield { where: `${kind}, in ${file}: ${test}`, text };
    }
  }
}

async function hunt(leaking: boolean, args: string[] = []): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'ferrule-canaries-'));
  try {
    const { status, output } = await runSuite(folder, leaking, args);
    const logged = await readFile(join(folder, 'canaries.jsonl'), 'utf8').catch(() => '');
    const canaries = [...new Map(lines(logged).map((line) => [line, JSON.parse(line) as Canary])).values()];
    const search = searcher(canaries);
    const leaks: Leak[] = [];
    let bytes = 0;
    for await (const { where, text } of pieces(folder, output)) {
      bytes += text.length;
      if (!TOLD_ANEW.test(where)) for (const hit of search(text)) leaks.push({ ...hit, where });
    }
    return { status, output, canaries, leaks, bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every leak that was put in is found; without it the same search finds nothing there. */
async function proveItself(): Promise<boolean> {
  const { status, output, canaries, leaks } = await hunt(true);
  const planted = canaries.filter(({ label }) => label.startsWith('leak: '));
  const missed = planted.filter(({ label }) => !leaks.some((leak) => leak.label === label));
  const reported = new Set(leaks.map((leak) => leak.where.split(',')[0]?.split(' ')[0])).size;
  console.log(
    `self-test: ${planted.length - missed.length} of ${planted.length} leaks put in on purpose were found, in ${reported} kinds of places`,
  );
  for (const { label } of missed) console.error(`not found: ${label}`);
  if (status !== 0) console.error(output);
  return status === 0 && planted.length >= 25 && missed.length === 0;
}

async function searchSuite(args: string[]): Promise<boolean> {
  const { status, output, canaries, leaks, bytes } = await hunt(false, args);
  const one = new Map(leaks.map((leak) => [`${leak.label} ${leak.form} ${leak.where}`, leak]));
  for (const { label, form, where } of one.values()) console.error(`LEAK  "${label}" (${form})\n      ${where}`);
  if (status !== 0) console.error(output);
  console.log(`${canaries.length} secrets searched for in ${(bytes / 1e6).toFixed(1)} MB: ${one.size} leaks`);
  if (canaries.length === 0) console.error('The suite used no canary at all');
  return status === 0 && one.size === 0 && canaries.length > 0;
}

const proved = await proveItself();
const clean = await searchSuite(process.argv.slice(2));
process.exitCode = proved && clean ? 0 : 1;
