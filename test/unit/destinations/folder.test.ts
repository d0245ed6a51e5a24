import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Sink } from '../../../framework/core/sink.ts';
import { openSink } from '../../../framework/destinations/index.ts';
import { FOLDER_TYPES, type FolderType, idsIn, streamOf, temporaryFolder } from './folder-rows.ts';

let base: string;
let out: string;
let open: Sink[] = [];
beforeEach(async () => {
  base = await temporaryFolder();
  out = join(base, 'out');
});
afterEach(async () => {
  for (const sink of open) await sink.close();
  open = [];
  await rm(base, { recursive: true });
});

async function opened(type: FolderType = 'jsonl', target = out): Promise<Sink> {
  const sink = await openSink({ type, target });
  open.push(sink);
  return sink;
}

const statePath = () => join(out, '.ferrule', 'users.state.jsonl');
const records = (from: number, count: number) => Array.from({ length: count }, (_, index) => ({ id: from + index, text: 'x'.repeat(16) }));

describe.each(FOLDER_TYPES)('a folder of %s', (type) => {
  it('goes on where it was left, with several streams open at once', async () => {
    let sink = await opened(type);
    const [users, teams] = await Promise.all([sink.open(streamOf()), sink.open(streamOf({ name: 'teams', state: { of: 'teams' } }))]);
    await Promise.all([
      users.commit({ records: records(1, 3), state: { n: 3, gone: [1] } }),
      teams.commit({ records: records(7, 1), state: { n: 1 } }),
    ]);
    await users.commit({ records: [], state: {} });
    expect(users.totals).toMatchObject({ records: 3, place: join(out, type === 'parquet' ? 'users' : `users.${type}`) });
    expect(users.totals.bytes).toBeGreaterThan(20);
    await expect(sink.open(streamOf())).rejects.toMatchObject({ code: 'output_locked' });
    await sink.close();
    await sink.close();
    await expect(users.commit({ records: [], state: { n: 4 } })).rejects.toMatchObject({ code: 'output_failed' });
    await expect(sink.state('users')).rejects.toMatchObject({ code: 'output_failed' });

    sink = await opened(type);
    expect(sink.type).toBe(type);
    expect([...(await sink.state('users'))]).toEqual([
      ['n', 3],
      ['gone', [1]],
    ]);
    expect([...(await sink.state('teams'))]).toEqual([
      ['of', 'teams'],
      ['n', 1],
    ]);
    expect((await sink.state('others')).size).toBe(0);
    // Upsert puts new versions behind the old ones.
    const again = await sink.open(streamOf({ mode: 'upsert', resumes: true, state: { gone: null } }));
    await again.commit({ records: records(3, 2), state: { n: 5 } });
    expect([...(await sink.state('users'))]).toEqual([['n', 5]]);
    await again.finish({ n: 6 });
    expect(again.totals.records).toBe(2);
    await again.close();
    expect([...(await sink.state('users'))]).toEqual([['n', 6]]);
    expect(await idsIn(out, type)).toEqual([1, 2, 3, 3, 4]);
  });

  it('an overwrite shows when it is finished; a new read throws away what waits, an append too', async () => {
    const sink = await opened(type);
    const first = await sink.open(streamOf());
    await first.commit({ records: records(1, 2), state: {} });
    await first.close();
    const given = await sink.open(streamOf({ mode: 'overwrite' }));
    await given.commit({ records: records(50, 2), state: {} });
    await given.close();
    const resumed = await sink.open(streamOf({ mode: 'overwrite', resumes: true }));
    expect(await idsIn(out, type)).toEqual([1, 2]);
    await resumed.commit({ records: records(52, 1), state: {} });
    await resumed.finish({ whole: true });
    expect(await idsIn(out, type)).toEqual([50, 51, 52]);
    await expect(resumed.commit({ records: records(1, 1), state: {} })).rejects.toMatchObject({ code: 'internal' });
    await resumed.close();
    const given2 = await sink.open(streamOf({ mode: 'overwrite' }));
    await given2.commit({ records: records(70, 2), state: {} });
    await given2.close();
    const anew = await sink.open(streamOf({ mode: 'overwrite', resumes: false }));
    await anew.commit({ records: records(80, 1), state: {} });
    await anew.close();
    const appended = await sink.open(streamOf());
    await appended.commit({ records: records(90, 1), state: {} });
    await appended.close();
    expect(await idsIn(out, type)).toEqual([50, 51, 52, 90]);
    expect((await readdir(out)).filter((name) => name.endsWith('.new'))).toEqual([]);
    const empty = await sink.open(streamOf({ mode: 'overwrite' }));
    await empty.finish({});
    expect(await idsIn(out, type)).toEqual([]);
    expect([...(await sink.state('users'))]).toEqual([['whole', true]]);
  });

  it('refuses what is not ours, of another type, or shorter than its state says', async () => {
    const path = join(out, type === 'parquet' ? 'users' : `users.${type}`);
    const rows = type === 'parquet' ? join(path, 'part-00001.parquet') : path;
    await mkdir(type === 'parquet' ? path : out, { recursive: true });
    await writeFile(rows, 'mine');
    let sink = await opened(type);
    await expect(sink.open(streamOf())).rejects.toMatchObject({ code: 'output_unreadable', where: path });
    expect(await readFile(rows, 'utf8')).toBe('mine');
    await rm(rows);
    const stream = await sink.open(streamOf());
    await stream.commit({ records: records(1, 3), state: {} });
    await sink.close();

    sink = await opened(FOLDER_TYPES.find((other) => other !== type)!);
    const asOther = { code: 'output_unreadable', message: expect.stringContaining(`as ${type}, not as`) as string };
    await expect(sink.state('users')).rejects.toMatchObject(asOther);
    await expect(sink.open(streamOf())).rejects.toMatchObject(asOther);
    await sink.close();

    const { size } = await stat(rows);
    await truncate(rows, size - 1);
    sink = await opened(type);
    const short = {
      code: 'output_unreadable',
      message: expect.stringMatching(/shortened: it has \d+ bytes of|changed: they have/) as string,
    };
    await expect(sink.open(streamOf())).rejects.toMatchObject(short);
    expect((await stat(rows)).size).toBe(size - 1);
    await rm(rows);
    const missing = { code: 'output_unreadable', message: expect.stringContaining('is missing') as string };
    await expect(sink.open(streamOf({ mode: 'overwrite' }))).rejects.toMatchObject(missing);
  });
});

describe('the state file', () => {
  async function withStates(count: number): Promise<void> {
    const sink = await opened();
    const stream = await sink.open(streamOf());
    for (let n = 1; n <= count; n++) await stream.commit({ records: records(n, 1), state: { n } });
    await sink.close();
  }

  it.each([
    ['half a line', `{"rows":{"main":{"length":99}},"set":{"long":"${'x'.repeat(200)}`],
    ['a whole one but for its newline', '{"rows":{"main":{"length":1}},"set":{"n":9}}'],
    ['the zeros that a power cut leaves', '\0\0\0\0'],
    ['zeros and a newline', '\0\0\n'],
  ])('loses a torn last line: %s', async (_, torn) => {
    await withStates(2);
    const whole = await readFile(statePath(), 'utf8');
    await appendFile(statePath(), torn);
    // Rows that no line counts.
    await appendFile(join(out, 'users.jsonl'), '{"id":3}\n{"id"');
    const sink = await opened();
    expect([...(await sink.state('users'))]).toEqual([['n', 2]]);
    const stream = await sink.open(streamOf({ state: { again: true } }));
    expect(await readFile(statePath(), 'utf8')).toBe(`${whole}{"rows":{"main":{"length":70}},"set":{"again":true}}\n`);
    expect(await idsIn(out, 'jsonl')).toEqual([1, 2]);
    await stream.close();
  });

  it('refuses one that is damaged in the middle, or newer', async () => {
    await withStates(2);
    const whole = await readFile(statePath(), 'utf8');
    await writeFile(statePath(), whole.replace('"set":{"n":1}', '"set":{"n":'));
    const sink = await opened();
    const damaged = { code: 'output_unreadable', message: expect.stringContaining('is damaged behind byte 69') as string };
    await expect(sink.state('users')).rejects.toMatchObject(damaged);
    await expect(sink.open(streamOf())).rejects.toMatchObject(damaged);
    await writeFile(statePath(), whole.replace('"ferrule":1', '"ferrule":2'));
    await expect(sink.state('users')).rejects.toMatchObject({ message: expect.stringContaining('newer Ferrule') as string });
  });

  it('holds little more than it says when a read has ended, however often its keys have changed', async () => {
    const sink = await opened();
    // 1000 keys of 110 bytes or so, each written three times: less than ten times what they say.
    const keys = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`partition ${n}`, { at: 'x'.repeat(80) }]));
    const stream = await sink.open(streamOf());
    for (let n = 0; n < 3; n++) await stream.commit({ records: [{ id: n }], state: keys });
    const during = (await stat(statePath())).size;
    await stream.finish({ last: 1 });
    const { size } = await stat(statePath());
    expect([during > 300_000, size > 100_000, size < 125_000]).toEqual([true, true, true]);
    expect((await sink.state('users')).size).toBe(1001);
    await stream.close();
    await sink.close();
    expect((await (await opened()).state('users')).get('partition 999')).toEqual({ at: 'x'.repeat(80) });
  });

  it('is written anew when it has grown to ten times what it holds, and says the same then', async () => {
    const sink = await opened();
    const stream = await sink.open(streamOf());
    let largest = 0;
    let shrunk = 0;
    let before = 0;
    for (let n = 1; n <= 500; n++) {
      await stream.commit({ records: [], state: { [`k${n % 20}`]: { n, text: 'x'.repeat(400) } } });
      const { size } = await stat(statePath());
      if (size < before) shrunk += 1;
      before = size;
      largest = Math.max(largest, size);
    }
    await stream.finish({ k0: null, ['__proto__']: 'odd' });
    const expected = Array.from({ length: 19 }, (_, index) => [`k${index + 1}`, { n: 481 + index, text: 'x'.repeat(400) }]);
    const found = async () => new Map([...(await (open.at(-1) as Sink).state('users'))]);
    expect([...(await found())].sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1))).filter(([key]) => key !== '__proto__')).toEqual(
      expected,
    );
    expect(shrunk).toBe(2);
    // 20 × 426 bytes are live.
    expect(largest).toBeLessThan(87_000);
    await sink.close();
    await opened();
    expect((await found()).get('__proto__')).toBe('odd');
    expect((await found()).size).toBe(20);
    expect((await stat(statePath())).mode & 0o777).toBe(0o600);
  });

  it('is fine with 100,000 keys', async () => {
    let sink = await opened();
    const stream = await sink.open(streamOf());
    const key = (n: number) => `partition/${String(n).padStart(50, '0')}`;
    const all = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [key(n), { cursor: '2024-01-01T00:00:00Z' }]));
    const began = performance.now();
    await stream.commit({ records: [], state: all });
    for (let n = 0; n < 20; n++) await stream.commit({ records: [], state: { [key(n)]: { cursor: 'later' } } });
    await sink.close();
    sink = await opened();
    const state = await sink.state('users');
    expect(state.size).toBe(100_000);
    expect(state.get(key(19))).toEqual({ cursor: 'later' });
    expect(state.get(key(20))).toEqual({ cursor: '2024-01-01T00:00:00Z' });
    // 0.6 s where it was measured.
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});

/** A process with a sink of its own. `script` sees `openSink`, `streamOf`, `records` and `out`. */
async function child(script: string, limit = ''): Promise<{ said: Promise<string>; end: Promise<void>; kill(): void }> {
  const file = join(base, 'child.ts');
  const here = process.cwd();
  await writeFile(
    file,
    `import { openSink } from '${here}/framework/destinations/index.ts';
     const out = ${JSON.stringify(out)};
     const records = (from: number, count: number) => Array.from({ length: count }, (_, index) => ({ id: from + index, text: 'x'.repeat(16) }));
     const streamOf = (more = {}) => ({ name: 'users', mode: 'append', primary_key: ['id'], columns: { id: 'integer' }, resumes: false, state: {}, ...more }) as any;
     ${script}`,
  );
  const running = spawn('bash', ['-c', `${limit} exec "${process.execPath}" scripts/run.mjs "${file}"`], { cwd: here });
  let text = '';
  running.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const said = new Promise<string>((resolve) => {
    running.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text);
    });
    running.once('close', () => resolve(text));
  });
  return { said, end: once(running, 'close').then(() => undefined), kill: () => void running.kill('SIGKILL') };
}

describe('another process', () => {
  it('has the folder for itself, until it is killed', async () => {
    const other = await child(`
      const sink = await openSink({ type: 'jsonl', target: out });
      const stream = await sink.open(streamOf());
      await stream.commit({ records: records(1, 2), state: { n: 2 } });
      console.log('ready');
      setInterval(() => {}, 1000);
    `);
    expect(await other.said).toBe('ready\n');
    const began = performance.now();
    await expect(opened()).rejects.toMatchObject({
      code: 'output_locked',
      where: out,
      message: expect.stringMatching(/by process \d+ on /) as string,
    });
    expect(performance.now() - began).toBeLessThan(5000);
    other.kill();
    await other.end;
    const sink = await opened();
    expect([...(await sink.state('users'))]).toEqual([['n', 2]]);
    expect(await idsIn(out, 'jsonl')).toEqual([1, 2]);
    // A lock that is not ours any more: nothing is written.
    const stream = await sink.open(streamOf());
    await rm(join(out, '.ferrule', 'lock'));
    await expect(stream.commit({ records: records(3, 1), state: {} })).rejects.toMatchObject({ code: 'output_locked' });
    expect(await idsIn(out, 'jsonl')).toEqual([1, 2]);
  });

  it.each(FOLDER_TYPES)('on a disk that becomes full keeps what was committed, and the next run goes on: %s', async (type) => {
    // No file may have more than 8 KiB.
    const other = await child(
      `process.on('SIGXFSZ', () => {});
       const sink = await openSink({ type: '${type}', target: out });
       const stream = await sink.open(streamOf());
       let n = 0;
       try {
         for (; n < 1000; n++) await stream.commit({ records: records(n * 10, 10 * (n + 1)), state: { n: n + 1 } });
       } catch (error) {
         const again = await stream.commit({ records: [], state: { n: 0 } }).catch((failure) => failure === error);
         console.log(JSON.stringify({ n, again, code: error.code, message: error.message }));
       }
       await sink.close();`,
      'ulimit -f 8;',
    );
    const { n, ...rest } = JSON.parse(await other.said) as { n: number };
    await other.end;
    expect(rest).toEqual({ again: true, code: 'output_failed', message: expect.stringContaining('EFBIG') as string });
    expect(n).toBeGreaterThan(1);
    const rows = Array.from({ length: n }, (_, at) => Array.from({ length: 10 * (at + 1) }, (_, index) => at * 10 + index)).flat();
    expect(await idsIn(out, type)).toEqual(rows);
    const sink = await opened(type);
    expect([...(await sink.state('users'))]).toEqual([['n', n]]);
    const stream = await sink.open(streamOf());
    await stream.commit({ records: records(0, 500), state: {} });
    expect(await idsIn(out, type)).toEqual([...rows, ...records(0, 500).map(({ id }) => id)]);
  });
});

describe('what cannot be', () => {
  it('is said: a folder that cannot be made, a name that is no file name', async () => {
    await writeFile(out, '');
    await expect(opened()).rejects.toMatchObject({ code: 'output_failed', where: out });
    const sink = await opened('jsonl', join(base, 'other'));
    await expect(sink.open(streamOf({ name: '../users' }))).rejects.toMatchObject({ code: 'output_failed', where: '../users' });
    await expect(sink.state('.hidden')).rejects.toMatchObject({ code: 'output_failed' });
  });
});
