// What a signature costs through `.http`: node scripts/run.mjs bench/sign.ts. One keep-alive server, each way of signing beside a bearer token.

import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectSpec } from '../framework/engine/connect.ts';
import type { Connection } from '../framework/engine/connection.ts';
import { loadText } from '../framework/spec/load.ts';

const WARM_UP = 500;
const REQUESTS = 2000;
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

async function measure(origin: string): Promise<void> {
  const connections = new Map<string, Connection>();
  for (const [name, [auth, fields]] of Object.entries(WAYS)) connections.set(name, await open(origin, auth, fields));
  const times = new Map<string, number[]>(Object.keys(WAYS).map((name) => [name, []]));
  const all = [...connections];
  for (let round = 0; round < WARM_UP + REQUESTS; round++) {
    // Another one is first in each round: what the one before it leaves behind falls on all alike.
    const turn = round % all.length;
    for (const [name, { http }] of [...all.slice(turn), ...all.slice(0, turn)]) {
      const started = performance.now();
      await http.get(`/${name.slice(0, 6)}/items`, { searchParams: { page: 1, filter: 'a b' } }).json();
      const took = performance.now() - started;
      if (round >= WARM_UP) times.get(name)?.push(took);
    }
  }
  const unsigned = median(times.get('unsigned') ?? []);
  for (const [name, taken] of times) {
    if (name === 'unsigned') continue;
    const signed = median(taken);
    console.log(
      `ratio ${(signed / unsigned).toFixed(3)} ${name} (medians: unsigned ${(unsigned * 1000).toFixed(0)} µs, signed ${(signed * 1000).toFixed(0)} µs)`,
    );
  }
  for (const connection of connections.values()) await connection.close();
}

if (process.argv[2] === 'serve') {
  const CHALLENGE = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256';
  const server = createServer(({ url = '', headers }, response) => {
    // Only the first request of the digest way comes without a header: it asks for its challenge.
    if (url.startsWith('/digest') && headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': CHALLENGE }).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(PAGE);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
} else {
  const child = fork('scripts/run.mjs', ['bench/sign.ts', 'serve']);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
  try {
    await measure(`http://127.0.0.1:${port}`);
  } finally {
    child.kill();
  }
}
