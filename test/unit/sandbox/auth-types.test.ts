import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
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

describe('http_signature (RFC 9421)', () => {
  const AUTH =
    "{ type: http_signature, alg: ALG, components: ['@method', '@target-uri', date], nonce: true, send: { headers: { Date: '${http_date(now)}' } } }";

  it.each(['ed25519', 'ecdsa-p256-sha256', 'rsa-pss-sha512', 'rsa-v1_5-sha256', 'hmac-sha256'])(
    '%s: right, used twice, each part wrong, too old',
    async (alg) => {
      const auth = AUTH.replace('ALG', alg).replace(
        ', send:',
        alg === 'hmac-sha256' ? ', fields: { private_key: { type: text, secret: true } }, send:' : ', send:',
      );
      const { sandbox, connect } = await stand(auth);
      const connection = await connect();
      expect([await status(connection), await status(connection)]).toEqual([200, 200]);
      expect(await again(sandbox, 0)).toBe(401);
      const unused = await stand(auth);
      const replay = (headers: Record<string, string | undefined> = {}, query?: string): Promise<number> =>
        again(unused.sandbox, 0, headers, query, sandbox);
      const { 'signature-input': input = '', signature = '' } = sandbox.requests[0]!.headers;
      expect(await replay({ date: 'Thu, 01 Jan 2026 00:00:01 GMT' })).toBe(401);
      expect(await replay({}, 'limit=1')).toBe(401);
      expect(await replay({ 'signature-input': input.replace(/keyid="[^"]*"/, 'keyid="other"') })).toBe(401);
      expect(await replay({ signature: signature.replace(/:[^:]{6}/, ':AAAAAA') })).toBe(401);
      expect(await replay({ signature: undefined })).toBe(401);
      expect(await replay({ signature: undefined, 'signature-input': undefined })).toBe(401);
      unused.pass(301);
      expect(await replay()).toBe(401);
      unused.pass(-301);
      expect(await replay()).toBe(200);
    },
  );
});

describe('ntlm', () => {
  const password = canary('ntlm');
  const fields = { username: 'ana', password };

  // The scheme wants a MIC (MS-NLMP 3.1.5.1.2), which curl has none of.
  it.each<[string, Record<string, string>, number]>([
    ['right', {}, 200],
    ['in capitals, with its domain', { username: 'ANA', domain: 'ACME' }, 200],
    ['another password', { password: 'other' }, 401],
    ['another user', { username: 'eve' }, 401],
  ])('%s', async (_, changed, wanted) => {
    const { connect } = await stand('{ type: ntlm }', { fields });
    expect(await status(await connect({ fields: { ...fields, ...changed } }))).toBe(wanted);
  });

  it('one handshake for a connection; nothing, or Basic, is refused', async () => {
    const { sandbox, connect } = await stand('{ type: ntlm }', { fields });
    expect([await curl(sandbox), await curl(sandbox, '--user', `ana:${password}`)]).toEqual([401, 401]);
    const connection = await connect();
    expect([await status(connection), await status(connection)]).toEqual([200, 200]);
    expect(statuses(sandbox).slice(-2)).toEqual([200, 200]);
    expect(await again(sandbox, -2)).toBe(401);
  });
});

describe('wsse', () => {
  it('right, used twice, each part wrong, too old', async () => {
    const { sandbox, connect } = await stand('{ type: wsse }');
    const connection = await connect();
    expect([await status(connection), await status(connection)]).toEqual([200, 200]);
    expect(await again(sandbox, 0)).toBe(401);
    const unused = await stand('{ type: wsse }');
    const token = sandbox.requests[0]!.headers['x-wsse']!;
    const replay = (headers: Record<string, string | undefined> = {}): Promise<number> =>
      again(unused.sandbox, 0, headers, undefined, sandbox);
    for (const name of ['Username', 'PasswordDigest', 'Nonce', 'Created']) {
      expect(await replay({ 'x-wsse': token.replace(new RegExp(`${name}="[^"]*"`), `${name}="2026-01-01T00:00:00Zx"`) })).toBe(401);
    }
    expect(await replay({ 'x-wsse': undefined })).toBe(401);
    expect(await replay({ authorization: undefined })).toBe(401);
    unused.pass(301);
    expect(await replay()).toBe(401);
    unused.pass(-301);
    expect(await replay()).toBe(200);
  });

  it('the digest is the one of the profile: by a hand that knows only its text', async () => {
    const { sandbox } = await stand('{ type: wsse }', { fields: { username: 'bob', password: 'taadtaadpstcsm' } });
    const [nonce, created] = ['d36e316282959a9ed4c89851497a717f', '2026-01-01T00:00:00Z'];
    const digest = createHash('sha1').update(`${nonce}${created}taadtaadpstcsm`).digest('base64');
    const token = `UsernameToken Username="bob", PasswordDigest="${digest}", Nonce="${Buffer.from(nonce).toString('base64')}", Created="${created}"`;
    const got = await send(sandbox, 'https://api.acme.com/v1/things', {
      headers: { authorization: 'WSSE profile="UsernameToken"', 'x-wsse': token },
    });
    expect(got.status).toBe(200);
  });
});

describe('jwt', () => {
  const AUTH =
    "{ type: jwt, jwt: { alg: ALG, key: '${fields.key}', header: { kid: k1 }, claims: { iss: '${fields.who}', aud: acme }, lifetime: 5m }, fields: { who: {}, key: { type: pem } } }";

  const authOf = (alg: string): string =>
    AUTH.replace('ALG', alg).replace('type: pem', alg.startsWith('HS') ? 'secret: true' : 'type: pem');

  it.each(['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA', 'HS256'])('%s: right, again right, wrong, expired', async (alg) => {
    const { sandbox, connect, pass } = await stand(authOf(alg));
    const connection = await connect();
    expect(await status(connection)).toBe(200);
    expect(await again(sandbox, 0)).toBe(200);
    const { authorization = '' } = sandbox.requests[0]!.headers;
    const [head, , signature] = authorization.split('.');
    const claims = Buffer.from(JSON.stringify({ iss: 'other', aud: 'acme', exp: 9999999999 })).toString('base64url');
    expect(await again(sandbox, 0, { authorization: [head, claims, signature].join('.') })).toBe(401);
    expect(await again(sandbox, 0, { authorization: authorization.slice(0, -6) })).toBe(401);
    expect(await again(sandbox, 0, { authorization: undefined })).toBe(401);
    pass(301);
    expect(await again(sandbox, 0)).toBe(401);
    expect(await status(connection)).toBe(200);
  });

  it.each([
    ['another issuer', { fields: { who: 'other' } }],
    ['another key', { fields: { key: plainCanary('hs256-other') } }],
  ])('%s', async (_, changed) => {
    const { sandbox, connect } = await stand(authOf('HS256'));
    const fields = { ...sandbox.inputs.fields, ...changed.fields };
    expect(await status(await connect({ fields }))).toBe(401);
  });
});

describe('custom', () => {
  // As many a provider has it: an HMAC over verb, path, query, body, time and a fresh id.
  const AUTH = `
    type: custom
    fields: { key: {}, secret: { secret: true } }
    vars:
      stamp: '\${string(epoch(now))}'
      text: '\${[request.method, request.path, request.params, request.body_sha256, vars.stamp, uuid].join("|")}'
    send:
      headers:
        X-Key: '\${fields.key}'
        X-Stamp: '\${vars.stamp}'
        Authorization: 'HMAC \${uuid}:\${hex(hmac("sha256", fields.secret, vars.text))}'
`;

  it('an HMAC: right, used twice, each part wrong, too old', async () => {
    const { sandbox, connect } = await stand(AUTH);
    const connection = await connect();
    expect([await status(connection), await status(connection)]).toEqual([200, 200]);
    expect(await again(sandbox, 0)).toBe(401);
    const unused = await stand(AUTH);
    const { authorization = '' } = sandbox.requests[0]!.headers;
    const replay = (headers: Record<string, string | undefined> = {}, query?: string): Promise<number> =>
      again(unused.sandbox, 0, headers, query, sandbox);
    expect(await replay({ authorization: authorization.replace(/:[0-9a-f]{4}/, ':0000') })).toBe(401);
    expect(await replay({ authorization: authorization.replace(/ [0-9a-f]{4}/, ' 0000') })).toBe(401);
    expect(await replay({ 'x-stamp': '1767225601' })).toBe(401);
    expect(await replay({ 'x-key': 'other' })).toBe(401);
    expect(await replay({}, 'limit=1')).toBe(401);
    for (const name of ['authorization', 'x-stamp', 'x-key']) expect(await replay({ [name]: undefined })).toBe(401);
    unused.pass(301);
    expect(await replay()).toBe(401);
    unused.pass(-301);
    expect(await replay()).toBe(200);
  });
});
