import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../framework/cli/main.ts';
import { destinationText } from '../../../framework/cli/run-log.ts';
import { textWidth } from '../../../framework/cli/table.ts';
import type { RunRecord } from '../../../framework/engine/run-record.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { loadFile } from '../../../framework/spec/load.ts';
import { fakeIo } from '../../cli-io.ts';
import { misfits } from '../../scenarios/json-schemas.ts';

let folder: string;
let sandbox: Sandbox;
let env: Record<string, string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ferrule-runs-'));
  env = { FERRULE_HOME: join(folder, 'home'), NO_COLOR: '1' };
  const { spec } = await loadFile('connectors/jumpseller.yaml');
  sandbox = await startSandbox(spec!, { records: 30, parents: 2 });
  expect(await main(['connect', 'jumpseller', '--sandbox', sandbox.origin], fakeIo({ env }))).toBe(0);
});
afterEach(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

interface Ended {
  code: number;
  out: string;
  err: string;
}

async function ferrule(args: string[], more: { columns?: number; env?: Record<string, string> } = {}): Promise<Ended> {
  const io = fakeIo({ cwd: folder, ...more, env: { ...env, ...more.env } });
  return { code: await main(args, io), out: io.out(), err: io.err() };
}

async function runs(...args: string[]): Promise<RunRecord[]> {
  const { code, out } = await ferrule(['runs', ...args, '--json']);
  expect(code).toBe(0);
  expect(misfits('runs', out)).toEqual([]);
  return (JSON.parse(out) as { runs: RunRecord[] }).runs;
}

describe('ferrule runs', () => {
  it('lists reads into destinations, and shows one in full', async () => {
    expect((await ferrule(['runs'])).out).toMatch(/^No such run is logged in .*runs\.\n$/);
    sandbox.faults.add({ kind: 'server_error', path: '/customers.json', times: 1 });
    expect(await ferrule(['read', 'jumpseller', 'customers', 'categories', '--out', 'csv:data', '--concurrency', '2'])).toMatchObject({
      code: 0,
    });
    sandbox.faults.add({ kind: 'html', path: '/categories.json', times: Number.POSITIVE_INFINITY });
    expect(await ferrule(['read', 'jumpseller', 'categories', 'promotions'])).toMatchObject({ code: 1 });
    // What goes to standard output is kept nowhere, nor is what nobody wants logged.
    await ferrule(['read', 'jumpseller', 'customers', '--out', '-']);
    await ferrule(['read', 'jumpseller', 'customers', '--no-run-log']);

    const [failed, done, ...none] = await runs();
    expect(none).toEqual([]);
    expect(done).toMatchObject({
      state: 'done',
      connector: 'jumpseller',
      credential: 'jumpseller',
      method: 'basic',
      streams: ['customers', 'categories'],
      options: { concurrency: 2 },
      destination: `csv:${join(folder, 'data')}`,
      outcomes: [
        { stream: 'customers', complete: true, records: 30, requests: 2, answered: { '200': 1 } },
        { stream: 'categories', complete: true, requests: 1, answered: { '200': 1 } },
      ],
    });
    expect(failed).toMatchObject({ state: 'failed', outcomes: [{ error: { code: 'response_malformed' } }, { complete: true }] });
    expect((await runs('--failed')).map(({ id }) => id)).toEqual([failed!.id]);
    expect(await runs('--connector', 'jampp')).toEqual([]);
    expect(await runs('last', '--connector', 'jumpseller')).toEqual([failed]);
    expect(await runs(done!.id)).toEqual([done]);
    expect(await runs(done!.id.slice(-4))).toEqual([done]);

    const list = (await ferrule(['runs'], { columns: 80 })).out;
    expect(list).toMatch(/^Run +When \(UTC\) +Connector +Streams +Records +Time +Ended\n/);
    expect(list).toMatch(new RegExp(`^${done!.id.slice(-4)} .* done$`, 'm'));
    const shown = (await ferrule(['runs', done!.id], { columns: 80 })).out;
    expect(shown).toContain('customers: complete, 30 records on 1 page in ');
    expect(shown).toMatch(/^ {2}asked 2 times, answered \d{3} ×1, \d{3} ×1$/m);
    expect(shown).toMatch(/^ {2}sent again 1 time: GET /m);
    expect(shown).toMatch(/^ {2}waited .* before sending again$/m);
    const why = (await ferrule(['runs', 'last'], { columns: 80 })).out;
    expect(why).toContain('error[response_malformed]: ');
    expect(why).toContain('next: Check base URL and path');
    for (const text of [list, shown, why]) {
      // A path has no spaces to break it at.
      const wide = text.split('\n').filter((line) => textWidth(line) > 80 && !line.includes(folder));
      expect(wide).toEqual([]);
      expect(text).not.toContain('\u001b');
    }
  }, 20_000);

  it('wants one that there is, and one only', async () => {
    expect(await ferrule(['runs', 'last'])).toMatchObject({ code: 2, err: expect.stringContaining('error[input_unknown]') });
    await ferrule(['read', 'jumpseller', 'promotions']);
    await ferrule(['read', 'jumpseller', 'promotions']);
    expect((await ferrule(['runs', '20'])).err).toContain('2 runs begin with "20"');
    expect((await ferrule(['runs', 'zz'])).err).toContain('No run "zz" is logged');
    expect((await ferrule(['runs', 'last', '--failed'])).err).toContain('No such run is logged');
  });

  it('logs a destination that does not open, and one that was stopped', async () => {
    writeFileSync(join(folder, 'taken'), 'a file');
    expect(await ferrule(['read', 'jumpseller', 'promotions', '--out', 'taken'])).toMatchObject({ code: 2 });
    expect(await runs('last')).toMatchObject([{ state: 'failed', error: { code: 'output_failed' }, outcomes: [{ complete: false }] }]);
    const io = fakeIo({ env, cwd: folder });
    sandbox.faults.add({ kind: 'slow', path: '/customers.json', wait: 1500 });
    const running = main(['read', 'jumpseller', 'customers', '--out', 'data'], io);
    while (!(await runs('last'))[0]?.streams.includes('customers')) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await runs('last')).toMatchObject([{ state: 'running' }]);
    io.abort(new Error('stopped'));
    await running;
    expect(await runs('last')).toMatchObject([{ state: 'stopped' }]);
  });

  it('warns once where a log cannot be written, and reads all the same', async () => {
    writeFileSync(join(folder, 'home', 'runs'), 'a file');
    const { code, err } = await ferrule(['read', 'jumpseller', 'promotions']);
    expect(code).toBe(0);
    expect(err.match(/warning\[output_failed\]: The run cannot be logged/g)).toHaveLength(1);
    expect(err).not.toContain('error[');
    expect(
      readFileSync(join(folder, 'out', 'jumpseller', 'promotions.jsonl'), 'utf8')
        .trimEnd()
        .split('\n'),
    ).toHaveLength(30);
    expect(await ferrule(['runs'])).toMatchObject({ code: 2, err: expect.stringContaining('error[output_unreadable]') });
  });
});

it('names a database without its user and its password', () => {
  expect(destinationText({ type: 'postgres', target: 'postgres://ann:secret@db.test:5433/ads?schema=raw' })).toBe(
    'postgres://db.test:5433/ads, schema raw',
  );
  expect(destinationText({ type: 'postgres', target: 'postgres://ann:sec?ret@db' })).toBe('postgres');
  expect(destinationText({ type: 'duckdb', target: '/a/b.duckdb' })).toBe('duckdb:/a/b.duckdb');
});
