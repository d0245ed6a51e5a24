// What `.http` costs beside bare got: node scripts/run.mjs bench/http.ts. One keep-alive server in a process of its own, the two in turn.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import got from 'got';
import { Redactor } from '../framework/core/redact.ts';
import { Secret } from '../framework/core/secret.ts';
import { createClient } from '../framework/http/client.ts';

const ROUNDS = 60;
const REQUESTS = 40;
const PAGE = JSON.stringify({ data: Array.from({ length: 50 }, (_, id) => ({ id, name: `item ${id}`, done: id % 2 === 0 })) });

async function measure(origin: string): Promise<void> {
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true });
  const token = new Secret('0123456789abcdef');
  const client = createClient({
    baseUrl: origin,
    redactor: new Redactor(),
    network: { allowLoopback: true, allowHttpLoopback: true },
    auth: {
      renewable: false,
      renew: async () => {},
      apply: async (draft) => ({
        draft: { ...draft, headers: { ...draft.headers, authorization: new Secret(`Bearer ${token.reveal()}`) } },
      }),
    },
  });
  const bare = () =>
    got
      .get(`${origin}/items`, { searchParams: { page: 1 }, headers: { authorization: `Bearer ${token.reveal()}` }, agent: { http: agent } })
      .json();
  const ours = () => client.http.get('/items', { searchParams: { page: 1 } }).json();
  const time = async (request: () => Promise<unknown>) => {
    const started = performance.now();
    for (let i = 0; i < REQUESTS; i++) await request();
    return performance.now() - started;
  };
  for (const request of [bare, ours, bare, ours]) await time(request);
  const ratios: number[] = [];
  let both = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    // Who is first alternates, so that neither has the warmer machine.
    const [first, second] = round % 2 === 0 ? [bare, ours] : [ours, bare];
    const times = [await time(first), await time(second)];
    const [b = 1, o = 1] = round % 2 === 0 ? times : times.reverse();
    ratios.push(o / b);
    both = [(both[0] ?? 0) + b, (both[1] ?? 0) + o];
  }
  ratios.sort((a, b) => a - b);
  const each = both.map((ms) => ((ms * 1000) / ROUNDS / REQUESTS).toFixed(0));
  console.log(`ratio ${(ratios[ROUNDS / 2] ?? 0).toFixed(3)} (bare got ${each[0]} µs, .http ${each[1]} µs a request)`);
  await client.close();
  agent.destroy();
}

if (process.argv[2] === 'serve') {
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(PAGE));
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
} else {
  const child = fork('scripts/run.mjs', ['bench/http.ts', 'serve']);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
  try {
    await measure(`http://127.0.0.1:${port}`);
  } finally {
    child.kill();
  }
}
