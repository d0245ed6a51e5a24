// What `.http` costs beside bare got: node scripts/run.mjs bench/http.ts. One keep-alive server in a process of its own, the two in turn.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import got from 'got';
import { Redactor } from '../framework/core/redact.ts';
import { Secret } from '../framework/core/secret.ts';
import { createClient } from '../framework/http/client.ts';

const WARM_UP = 1000;
const REQUESTS = 5000;
const PAGE = JSON.stringify({ data: Array.from({ length: 50 }, (_, id) => ({ id, name: `item ${id}`, done: id % 2 === 0 })) });

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

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
    await request();
    return performance.now() - started;
  };
  for (let i = 0; i < WARM_UP; i++) for (const request of [bare, ours]) await request();
  // One request each in turn, who is first alternating: what else the machine does falls on both alike, and the median leaves it out.
  const times: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
  for (let i = 0; i < REQUESTS; i++) {
    if (i % 2 === 0) times.bare.push(await time(bare));
    times.ours.push(await time(ours));
    if (i % 2 === 1) times.bare.push(await time(bare));
  }
  const [b, o] = [median(times.bare), median(times.ours)];
  console.log(`ratio ${(o / b).toFixed(3)} (medians: bare got ${(b * 1000).toFixed(0)} µs, .http ${(o * 1000).toFixed(0)} µs a request)`);
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
