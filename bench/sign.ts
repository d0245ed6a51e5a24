// What a signature costs through `.http`: node scripts/run.mjs bench/sign.ts. One keep-alive server, each way of signing beside a bearer token.

import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectSpec } from '../framework/engine/connect.ts';
import type { Connection } from '../framework/engine/connection.ts';
import { loadText } from '../framework/spec/load.ts';

const WARM_UP = 1000;
const REQUESTS = 3000;
const PAGE = JSON.stringify({ data: Array.from({ length: 50 }, (_, id) => ({ id, name: `item ${id}`, done: id % 2 === 0 })) });
const NOTHING_SECRET = 'bench-only-0123456789';
const ED25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const WAYS: Record<string, [auth: string, fields: Record<string, string>]> = {
  unsigned: ['{ type: bearer }', { token: NOTHING_SECRET }],
  aws_sigv4: [
    '{ type: aws_sigv4, service: execute-api, region: eu-west-1 }',
    { access_key_id: 'AKIDEXAMPLE', secret_access_key: NOTHING_SECRET },
  ],
  oauth1: [
    '{ type: oauth1, signature_method: HMAC-SHA256 }',
    { consumer_key: 'ck', consumer_secret: NOTHING_SECRET, token: 'tk', token_secret: NOTHING_SECRET },
  ],
  digest: ['{ type: digest }', { username: 'jo', password: NOTHING_SECRET }],
  custom: [
    `{ type: custom, fields: { secret: { secret: true } }, vars: { signed: '\${[request.method, request.host, request.path, request.params].join("\\n")}' }, send: { headers: { X-Signature: '\${hex(hmac("sha256", fields.secret, vars.signed))}' } } }`,
    { secret: NOTHING_SECRET },
  ],
  'http_signature (hmac-sha256)': [
    "{ type: http_signature, alg: hmac-sha256, components: ['@method', '@target-uri'], fields: { private_key: null, key: { secret: true } } }",
    { key_id: 'k', key: Buffer.from(NOTHING_SECRET).toString('base64') },
  ],
  'http_signature (ed25519)': [
    "{ type: http_signature, alg: ed25519, components: ['@method', '@target-uri'] }",
    { key_id: 'k', private_key: ED25519 },
  ],
};

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function open(origin: string, auth: string, fields: Record<string, string>): Promise<Connection> {
  const { spec, findings } = loadText(
    `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\nauth: { key: ${auth} }\nhttp: { base_url: 'https://api.acme.test' }\ncheck: { get: /me }\n`,
    'acme.yaml',
  );
  if (!spec) throw new Error(findings.map(({ message }) => message).join('\n'));
  return await connectSpec(spec, { fields }, { sandbox: { addresses: { 'https://api.acme.test': origin } } });
}

/** One way beside a bearer token, in turn, in a process of its own: no way pays for what another has made of the compiled code. */
async function measure(name: string, origin: string): Promise<void> {
  const connections: [string, Connection][] = [];
  for (const way of ['unsigned', name]) connections.push([way, await open(origin, ...(WAYS[way] as [string, Record<string, string>]))]);
  const times: Record<string, number[]> = { unsigned: [], [name]: [] };
  for (let round = 0; round < WARM_UP + REQUESTS; round++) {
    // The other one is first in each round: what the one before it leaves behind falls on both alike.
    for (const [way, { http }] of round % 2 === 0 ? connections : [...connections].reverse()) {
      const started = performance.now();
      await http.get(`/${way.slice(0, 6)}/items`, { searchParams: { page: 1, filter: 'a b' } }).json();
      const took = performance.now() - started;
      if (round >= WARM_UP) times[way]?.push(took);
    }
  }
  const [unsigned, signed] = [median(times.unsigned ?? []), median(times[name] ?? [])];
  const micros = (ms: number) => `${(ms * 1000).toFixed(0)} µs`;
  console.log(`ratio ${(signed / unsigned).toFixed(3)} ${name} (medians: bearer ${micros(unsigned)}, signed ${micros(signed)})`);
  for (const [, connection] of connections) await connection.close();
}

async function measureAll(origin: string): Promise<void> {
  for (const name of Object.keys(WAYS)) {
    if (name === 'unsigned') continue;
    const child = fork('scripts/run.mjs', ['bench/sign.ts', 'measure', name, origin]);
    const [code] = (await once(child, 'exit')) as [number];
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
  }
}

if (process.argv[2] === 'serve') {
  const CHALLENGE = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256';
  const server = createServer(({ url = '', headers }, response) => {
    // Only the first request of the digest way comes without a header: it asks for its challenge.
    if (url.startsWith('/digest') && headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': CHALLENGE }).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(PAGE);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
} else if (process.argv[2] === 'measure') {
  const [name = '', origin = ''] = process.argv.slice(3);
  await measure(name, origin);
} else {
  const child = fork('scripts/run.mjs', ['bench/sign.ts', 'serve']);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
  try {
    await measureAll(`http://127.0.0.1:${port}`);
  } finally {
    child.kill();
  }
}
