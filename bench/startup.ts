// What a start costs, beside an empty Node program: npm run build && node scripts/run.mjs bench/startup.ts
// In turn, whole processes, medians; the ratio is what counts, since these machines are noisy.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const ROUNDS = 15;

const server = createServer((_, response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"username":"ann"}}'),
);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const firstRequest = `
import { connect } from './dist/lib/index.js';
const site = 'https://acme.jamacloud.com';
const connection = await connect('jama-connect', { method: 'basic', fields: { site, username: 'u', password: 'p' } }, { sandbox: { addresses: { [site]: '${origin}' } } });
const { data } = await connection.http.get('/users/current').json();
if (data.username !== 'ann') process.exit(1);
await connection.close();`;

const programs: Record<string, string[]> = {
  empty: ['--input-type=module', '-e', ''],
  version: ['dist/cli.js', '--version'],
  connect: ['--input-type=module', '-e', firstRequest],
};

/** Milliseconds from spawn to exit. */
async function run(args: string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${args.join(' ').slice(0, 60)} ended with ${code}`);
  return performance.now() - started;
}

const times: Record<string, number[]> = {};
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [name, args] of Object.entries(programs)) {
    const time = await run(args);
    if (round >= 0) times[name] = [...(times[name] ?? []), time];
  }
}
server.close();

const median = (values: number[] = []): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const [empty, version, connect] = [median(times.empty), median(times.version), median(times.connect)];
const limit = 1.5 * empty + 60;
console.log(
  `empty ${empty.toFixed(0)} ms, --version ${version.toFixed(0)} ms (at most ${limit.toFixed(0)}), import to first request ${connect.toFixed(0)} ms`,
);
console.log(`ratio --version/empty ${(version / empty).toFixed(2)}, connect/empty ${(connect / empty).toFixed(2)} (at most 4)`);
