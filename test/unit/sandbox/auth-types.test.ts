import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Clock } from '../../../framework/core/clock.ts';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { connectSpec, type Inputs } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { canary, plainCanary } from '../../canary.ts';
import { send, spec } from './wire.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const acme = (auth: string, more = ''): string => `
spec: 1
name: acme
title: Acme
version: 1.0.0
auth:
  main: ${auth}
http: { base_url: https://api.acme.com/v1${more} }
check: { get: /things }
streams:
  things: { get: /things, primary_key: [id], columns: { id: integer } }
`;

interface Stand {
  sandbox: Sandbox;
  clock: Clock;
  /** Seconds. */
  pass(seconds: number): void;
  connect(inputs?: Inputs, options?: Parameters<typeof connectSpec>[2]): Promise<Connection>;
}

/** A sandbox for a spec, and our client on the same clock. */
async function stand(auth: string, options: SandboxOptions = {}, more = ''): Promise<Stand> {
  let now = Date.UTC(2026, 0, 1);
  const clock: Clock = {
    now: () => now,
    sleep: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
  const document = spec(acme(auth, more));
  const sandbox = await startSandbox(document, { clock, ...options });
  open.push(sandbox);
  return {
    sandbox,
    clock,
    pass: (seconds) => {
      now += seconds * 1000;
    },
    connect: async (inputs, more = {}) => {
      const connection = await connectSpec(document, inputs ?? sandbox.inputs, {
        sandbox: { addresses: sandbox.addresses },
        clock,
        retry: { countMax: 0 },
        ...more,
      });
      open.push(connection);
      return connection;
    },
  };
}

/** The status that our client gets. */
async function status(connection: Connection): Promise<number> {
  try {
    return (await connection.http.get('/things')).status;
  } catch (error) {
    if (isFerruleError(error) && error.status !== undefined) return error.status;
    throw error;
  }
}

/** What the provider answered to each request, in order. */
const statuses = (sandbox: Sandbox): number[] => sandbox.requests.map((one) => one.status);

/** Sends a request of our client once more, with other headers (undefined: without) or another query. */
async function again(
  sandbox: Sandbox,
  at: number,
  headers: Record<string, string | undefined> = {},
  query?: string,
  from = sandbox,
): Promise<number> {
  const { method, origin, path, query: pairs, headers: sent, body } = from.requests.at(at)!;
  const search = query ?? pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  const all = Object.entries({ ...sent, ...headers }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = body === '' ? {} : { text: body };
  return (await send(sandbox, `${origin}${path}${search && `?${search}`}`, { method, headers: Object.fromEntries(all), ...text })).status;
}

/** Runs curl and gives the status. */
async function curl(sandbox: Sandbox, ...args: string[]): Promise<number> {
  const plain = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}', '--noproxy', '*'];
  const { stdout } = await promisify(execFile)('curl', [
    ...plain,
    '--header',
    'Host: api.acme.com',
    ...args,
    `${sandbox.origin}/v1/things`,
  ]);
  return Number(stdout);
}

describe('digest (RFC 7616)', () => {
  const password = canary('digest');

  it('one challenge for many requests, and another when the nonce has aged', async () => {
    const { sandbox, connect, pass } = await stand('{ type: digest }');
    const connection = await connect();
    expect([await status(connection), await status(connection)]).toEqual([200, 200]);
    expect(statuses(sandbox)).toEqual([401, 200, 200]);
    expect(await again(sandbox, -1)).toBe(401);
    pass(301);
    expect(await status(connection)).toBe(200);
    expect(statuses(sandbox).slice(-2)).toEqual([401, 200]);
  });

  it.each<[string, string[], number]>([
    ['right', ['--digest', '--user', `ana:${password}`], 200],
    ['another password', ['--digest', '--user', 'ana:other'], 401],
    ['another user', ['--digest', '--user', `eve:${password}`], 401],
    ['Basic', ['--user', `ana:${password}`], 401],
    ['nothing', [], 401],
  ])('by curl: %s', async (_, args, wanted) => {
    const { sandbox } = await stand('{ type: digest }', { fields: { username: 'ana', password } });
    expect(await curl(sandbox, ...args)).toBe(wanted);
  });

  it('a withdrawn password is refused', async () => {
    const { sandbox } = await stand('{ type: digest }', { fields: { username: 'ana', password } });
    sandbox.revoke(password);
    expect(await curl(sandbox, '--digest', '--user', `ana:${password}`)).toBe(401);
  });
});

describe('aws_sigv4', () => {
  const secret = plainCanary('aws');
  const fields = { access_key_id: 'AKIDACME', secret_access_key: secret };
  const AUTH = '{ type: aws_sigv4, service: execute-api, region: eu-west-1 }';
  const signed = (key: string, scope = 'aws:amz:eu-west-1:execute-api'): string[] => ['--aws-sigv4', scope, '--user', key];

  it.each<[string, string[], number]>([
    ['right', signed(`AKIDACME:${secret}`), 200],
    ['another secret', signed('AKIDACME:other'), 401],
    ['another key', signed(`AKIDOTHER:${secret}`), 401],
    ['another region', signed(`AKIDACME:${secret}`, 'aws:amz:us-east-1:execute-api'), 401],
    ['another service', signed(`AKIDACME:${secret}`, 'aws:amz:eu-west-1:s3'), 401],
    ['a stray security token', [...signed(`AKIDACME:${secret}`), '--header', 'X-Amz-Security-Token: stray'], 401],
    ['nothing', [], 401],
  ])('by curl: %s', async (_, args, wanted) => {
    const sandbox = await startSandbox(spec(acme(AUTH)), { fields });
    open.push(sandbox);
    expect(await curl(sandbox, ...args)).toBe(wanted);
  });

  it.each(['header', 'query'])('our client, in the %s: right, changed, too old', async (placement) => {
    const { sandbox, connect, pass } = await stand(AUTH.replace(' }', `, placement: ${placement} }`));
    const connection = await connect();
    expect(await status(connection)).toBe(200);
    expect(await again(sandbox, -1)).toBe(200);
    expect(await again(sandbox, -1, { host: 'other.acme.com' })).toBe(401);
    pass(placement === 'header' ? 301 : 7 * 86_400);
    expect(await again(sandbox, 0)).toBe(401);
  });
});

describe('oauth1 (RFC 5849)', () => {
  it.each(['HMAC-SHA1', 'HMAC-SHA256', 'PLAINTEXT'])('%s: right, used twice, each part wrong, too old', async (signature_method) => {
    const auth = `{ type: oauth1, signature_method: ${signature_method}, realm: acme }`;
    const { sandbox, connect } = await stand(auth);
    expect(await status(await connect())).toBe(200);
    expect(await again(sandbox, 0)).toBe(401);
    // Another one of the same credential has not seen this nonce.
    const unused = await stand(auth);
    const replay = (change?: (header: string) => string | undefined, query?: string): Promise<number> =>
      again(unused.sandbox, 0, change && { authorization: change(sandbox.requests[0]!.headers.authorization!) }, query, sandbox);
    for (const name of ['consumer_key', 'token', 'signature', 'signature_method', 'timestamp']) {
      expect(await replay((header) => header.replace(new RegExp(`oauth_${name}="[^"]*"`), `oauth_${name}="other"`))).toBe(401);
    }
    expect(await replay((header) => header.replace('realm="acme"', 'realm="other"'))).toBe(401);
    expect(await replay(() => undefined)).toBe(401);
    if (signature_method !== 'PLAINTEXT') expect(await replay(undefined, 'limit=1')).toBe(401);
    unused.pass(301);
    expect(await replay()).toBe(401);
    unused.pass(-301);
    expect(await replay()).toBe(200);
  });

  it('signs with an RSA key that the sandbox has made', async () => {
    const { connect } = await stand('{ type: oauth1, signature_method: RSA-SHA256, fields: { private_key: { type: pem } } }');
    expect(await status(await connect())).toBe(200);
  });
});
