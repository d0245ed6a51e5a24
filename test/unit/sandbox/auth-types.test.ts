import { execFile } from 'node:child_process';
import { createHash, createPrivateKey, createSign, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../../../framework/core/clock.ts';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { connectSpec, type Inputs } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { canary, plainCanary } from '../../canary.ts';
import { at, type Got, send, spec } from './wire.ts';

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

describe('wsse in words of its own', () => {
  // As Emarsys has it: the nonce without dashes, the digest over hex text.
  const AUTH = `
    type: wsse
    vars: { nonce: '\${uuid.replace("-", "")}', created: '\${format(now, "iso")}' }
    send:
      headers:
        Authorization: null
        X-WSSE: 'UsernameToken Username="\${fields.username}", PasswordDigest="\${base64(hex(hash("sha1", vars.nonce + vars.created + fields.password)))}", Nonce="\${vars.nonce}", Created="\${vars.created}"'
`;

  it('right, another password, another digest, sent twice', async () => {
    const { sandbox, connect } = await stand(AUTH);
    expect(await status(await connect())).toBe(200);
    expect(await again(sandbox, 0)).toBe(401);
    expect(await status(await connect({ fields: { ...sandbox.inputs.fields, password: plainCanary('wsse-other') } }))).toBe(401);
    const unused = await stand(AUTH);
    const token = sandbox.requests[0]!.headers['x-wsse']!;
    const replay = (text: string): Promise<number> => again(unused.sandbox, 0, { 'x-wsse': text }, undefined, sandbox);
    expect(await replay(token.replace('Digest="', 'Digest="A'))).toBe(401);
    expect(await replay(token.replace('Nonce="', 'Nonce="0'))).toBe(401);
    expect(await replay(token)).toBe(200);
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

const TOKEN = 'https://auth.acme.com/token';
const URLS = `token_url: '${TOKEN}'`;
/** Presses the page's button. */
const accepting =
  (sandbox: Sandbox, decision = 'accept') =>
  async ({ authorizeUrl }: { authorizeUrl: string }): Promise<string> =>
    (await send(sandbox, `${authorizeUrl}${authorizeUrl.includes('?') ? '&' : '?'}auto=${decision}`)).headers.location ?? '';
/** The form that our client has sent to the token endpoint. */
const tokenForm = (sandbox: Sandbox): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(sandbox.requests.findLast(({ path }) => path === '/token')!.body));
async function asks(sandbox: Sandbox, form: Record<string, string | undefined>): Promise<[number, unknown]> {
  const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const got = await send(sandbox, TOKEN, { form: given });
  return [got.status, at(got.body, 'error')];
}

describe('oauth2_password (RFC 6749, 4.3)', () => {
  const AUTH = `{ type: oauth2_password, ${URLS}, scopes: [read] }`;

  it('right; renewed with the refresh token; expired', async () => {
    const { sandbox, connect, pass } = await stand(AUTH);
    const connection = await connect();
    expect(await status(connection)).toBe(200);
    pass(3601);
    expect(await again(sandbox, -1)).toBe(401);
    expect(await status(connection)).toBe(200);
    expect(tokenForm(sandbox).grant_type).toBe('refresh_token');
  });

  it.each<[string, Record<string, string | undefined>, [number, string]]>([
    ['another password', { password: 'other' }, [400, 'invalid_grant']],
    ['another user', { username: 'other' }, [400, 'invalid_grant']],
    ['no password', { password: undefined }, [400, 'invalid_request']],
    ['another client', { client_id: 'other' }, [401, 'invalid_client']],
    ['another client secret', { client_secret: 'other' }, [401, 'invalid_client']],
    ['another scope', { scope: 'write' }, [400, 'invalid_scope']],
    ['another grant type', { grant_type: 'client_credentials' }, [400, 'unsupported_grant_type']],
    ['no grant type', { grant_type: undefined }, [400, 'invalid_request']],
    ['a stray parameter', { audience: 'x' }, [400, 'invalid_request']],
  ])('%s', async (_, changes, wanted) => {
    const { sandbox, connect } = await stand(AUTH);
    await status(await connect());
    expect(await asks(sandbox, { ...tokenForm(sandbox), ...changes })).toEqual(wanted);
  });
});

describe('oauth2_jwt_bearer (RFC 7523)', () => {
  const AUTH = `{ type: oauth2_jwt_bearer, ${URLS}, jwt: { alg: RS256, key: '\${fields.private_key}', claims: { sub: '\${fields.user}' } }, fields: { user: {}, private_key: { type: pem } } }`;

  it('right; the assertion again, changed, of another issuer, audience or key, expired', async () => {
    const { sandbox, connect } = await stand(AUTH);
    expect(await status(await connect())).toBe(200);
    const form = tokenForm(sandbox);
    expect(await asks(sandbox, form)).toEqual([400, 'invalid_grant']);
    const unused = await stand(AUTH);
    const [head = '', claims = '', signature = ''] = form.assertion!.split('.');
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    expect(said).toMatchObject({ iss: sandbox.inputs.fields.client_id, aud: TOKEN, sub: sandbox.inputs.fields.user });
    // Signed by a hand that shares nothing with the client.
    const signs = (changes: Record<string, unknown>, key = sandbox.inputs.fields.private_key!): string => {
      const input = `${head}.${Buffer.from(JSON.stringify({ ...said, ...changes })).toString('base64url')}`;
      return `${input}.${createSign('sha256').update(input).sign(key, 'base64url')}`;
    };
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const past = { exp: Date.UTC(2025, 11, 31) / 1000 };
    for (const assertion of [
      `${head}.${claims}.${signature.slice(2)}`,
      signs({ iss: 'other' }),
      signs({ sub: 'other' }),
      signs({ aud: 'https://other.acme.com/token' }),
      signs(past),
      signs({}, other),
      'no.jwt',
    ]) {
      expect(await asks(unused.sandbox, { ...form, assertion })).toEqual([400, 'invalid_grant']);
    }
    expect(await asks(unused.sandbox, { ...form, assertion: undefined })).toEqual([400, 'invalid_request']);
    expect(await asks(unused.sandbox, { ...form, assertion: signs({ jti: 'new' }) })).toEqual([200, undefined]);
  });
});

describe('oauth2_saml2_bearer (RFC 7522)', () => {
  const AUTH = `{ type: oauth2_saml2_bearer, ${URLS}, assertion: { issuer: '\${fields.client_id}', subject: '\${fields.user}', audience: www.acme.com, key: '\${fields.private_key}' }, fields: { user: {}, private_key: { type: pem } } }`;

  it('right; the assertion again, changed, too old, none', async () => {
    const { sandbox, connect } = await stand(AUTH);
    expect(await status(await connect())).toBe(200);
    const form = tokenForm(sandbox);
    expect(await asks(sandbox, form)).toEqual([400, 'invalid_grant']);
    const unused = await stand(AUTH);
    const xml = Buffer.from(form.assertion!, 'base64url').toString();
    const changed = (from: string, to: string): string => {
      expect(xml).toContain(from);
      return Buffer.from(xml.replace(from, to)).toString('base64url');
    };
    for (const assertion of [
      changed('www.acme.com', 'www.other.com'),
      changed(sandbox.inputs.fields.user!, 'other'),
      changed('SignatureValue>', 'SignatureValue>AA'),
      changed(TOKEN, 'https://other.acme.com/token'),
      changed('Version="2.0"', 'Version="2.1"'),
    ]) {
      expect(await asks(unused.sandbox, { ...form, assertion })).toEqual([400, 'invalid_grant']);
    }
    expect(await asks(unused.sandbox, { ...form, assertion: undefined })).toEqual([400, 'invalid_request']);
    unused.pass(301);
    expect(await asks(unused.sandbox, form)).toEqual([400, 'invalid_grant']);
    unused.pass(-301);
    expect(await asks(unused.sandbox, form)).toEqual([200, undefined]);
  });

  it('with the certificate that a person has beside the key', async () => {
    const { sandbox, connect } = await stand(
      AUTH.replace("key: '${", "certificate: '${fields.certificate}', key: '${").replace(
        'user: {},',
        'user: {}, certificate: { type: pem, secret: false },',
      ),
    );
    const { certificate = '', private_key = '' } = sandbox.inputs.fields;
    const read = new X509Certificate(certificate);
    expect([read.subject, read.verify(read.publicKey), read.checkPrivateKey(createPrivateKey(private_key))]).toEqual([
      'CN=Sandbox',
      true,
      true,
    ]);
    expect(await status(await connect())).toBe(200);
  });

  it.each([
    ['issuer', { client_id: 'other' }],
    ['subject', { user: 'other' }],
    ['audience', { audience: 'www.other.com' }],
  ])('rightly signed, of another %s', async (_, changed) => {
    const auth = AUTH.replace('audience: www.acme.com', "audience: '${fields.audience}'")
      .replace('fields: {', 'fields: { audience: {},')
      .replace('{ type: oauth2_saml2_bearer,', '{ type: oauth2_saml2_bearer, client_auth: none, token: { body: { client_id: anybody } },');
    const { sandbox, connect } = await stand(auth, { fields: { client_id: 'anybody' } });
    expect(await status(await connect())).toBe(200);
    const fields = { ...sandbox.inputs.fields, ...changed };
    await expect(connect({ fields }).then((connection) => connection.http.get('/things'))).rejects.toMatchObject({
      providerCode: 'invalid_grant',
    });
  });
});

describe('oauth2_token_exchange (RFC 8693)', () => {
  it('right; another subject token, its type, none; for another resource (RFC 8707)', async () => {
    const { sandbox, connect } = await stand(
      `{ type: oauth2_token_exchange, ${URLS}, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', resource: 'https://api.acme.com/v1' }`,
    );
    expect(await status(await connect())).toBe(200);
    const form = tokenForm(sandbox);
    expect(await asks(sandbox, form)).toEqual([200, undefined]);
    expect(await asks(sandbox, { ...form, subject_token: 'other' })).toEqual([400, 'invalid_request']);
    expect(await asks(sandbox, { ...form, subject_token: undefined })).toEqual([400, 'invalid_request']);
    expect(await asks(sandbox, { ...form, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' })).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await asks(sandbox, { ...form, resource: 'https://other.acme.com' })).toEqual([400, 'invalid_target']);
    expect(await asks(sandbox, { ...form, client_secret: 'other' })).toEqual([401, 'invalid_client']);
  });
});

describe('oauth2_device (RFC 8628)', () => {
  const AUTH = `{ type: oauth2_device, ${URLS}, device_authorization_url: 'https://auth.acme.com/device', client_auth: none, fields: { client_secret: null }, scopes: [read] }`;
  const decide = (sandbox: Sandbox, code: string, decision: string): Promise<Got> =>
    send(sandbox, `${sandbox.origin}/__sandbox/device`, { form: { user_code: code, decision } });

  it('pending until the person has entered the code; the code is good once', async () => {
    const { sandbox, connect } = await stand(AUTH);
    const connection = await connect(undefined, {
      showCode: async ({ userCode, verificationUri, complete }) => {
        const page = await send(sandbox, complete!);
        expect([page.status, page.text.includes(userCode), verificationUri]).toEqual([200, true, `${sandbox.origin}/__sandbox/device`]);
        expect((await decide(sandbox, 'AAAA-AAAA', 'accept')).status).toBe(400);
        expect((await decide(sandbox, userCode.toLowerCase(), 'accept')).status).toBe(200);
        expect((await decide(sandbox, userCode, 'deny')).status).toBe(400);
      },
    });
    expect(await status(connection)).toBe(200);
    expect(await asks(sandbox, tokenForm(sandbox))).toEqual([400, 'invalid_grant']);
  });

  it('refused by the person', async () => {
    const { sandbox, connect } = await stand(AUTH);
    const connecting = connect(undefined, { showCode: ({ userCode }) => decide(sandbox, userCode, 'deny') });
    await expect(connecting).rejects.toMatchObject({ code: 'consent_denied' });
  });

  it('too early, too often, too late; another code or client; by itself where consent is automatic', async () => {
    const { sandbox, pass } = await stand(AUTH, { fields: { client_id: 'acme-tv' } });
    const form = { client_id: 'acme-tv', scope: 'read' };
    const asked = (await send(sandbox, 'https://auth.acme.com/device', { form })).body as Record<string, string>;
    expect(asked).toMatchObject({ expires_in: 300, interval: 5, verification_uri: `${sandbox.origin}/__sandbox/device` });
    const poll = (changes: Record<string, string> = {}): Promise<[number, unknown]> =>
      asks(sandbox, {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: asked.device_code!,
        client_id: 'acme-tv',
        ...changes,
      });
    expect(await poll()).toEqual([400, 'authorization_pending']);
    pass(4);
    expect(await poll()).toEqual([400, 'slow_down']);
    pass(9);
    expect(await poll()).toEqual([400, 'slow_down']);
    pass(20);
    expect(await poll()).toEqual([400, 'authorization_pending']);
    expect(await poll({ device_code: 'other' })).toEqual([400, 'invalid_grant']);
    expect(await poll({ client_id: 'other' })).toEqual([401, 'invalid_client']);
    pass(300);
    expect(await poll()).toEqual([400, 'expired_token']);
    const refused = await send(sandbox, 'https://auth.acme.com/device', { form: { ...form, scope: 'write' } });
    expect([refused.status, at(refused.body, 'error')]).toEqual([400, 'invalid_scope']);
    const automatic = await stand(AUTH, { autoConsent: true });
    expect(await status(await automatic.connect(undefined, { showCode: () => undefined }))).toBe(200);
  });
});

describe.each([
  [
    'private_key_jwt',
    "client_assertion: { alg: ES256, key: '${fields.private_key}' }, fields: { client_secret: null, private_key: { type: pem } }",
  ],
  ['client_secret_jwt', 'client_assertion: { alg: HS512 }'],
])('client_auth %s (RFC 7523, 2.2)', (place, more) => {
  const AUTH = `{ type: oauth2_client_credentials, ${URLS}, client_auth: ${place}, ${more} }`;

  it('right; used twice, changed, another type, none, expired', async () => {
    const { sandbox, connect } = await stand(AUTH);
    expect(await status(await connect())).toBe(200);
    const form = tokenForm(sandbox);
    expect(form.client_secret).toBeUndefined();
    const refused = [401, 'invalid_client'];
    expect(await asks(sandbox, form)).toEqual(refused);
    const unused = await stand(AUTH);
    const [head = '', claims = '', signature = ''] = form.client_assertion!.split('.');
    const other = Buffer.from(JSON.stringify({ iss: 'other', sub: 'other', aud: TOKEN, jti: 'x', exp: 9999999999 })).toString('base64url');
    expect(await asks(unused.sandbox, { ...form, client_assertion: `${head}.${other}.${signature}` })).toEqual(refused);
    expect(await asks(unused.sandbox, { ...form, client_assertion: `${head}.${claims}.${signature.slice(4)}` })).toEqual(refused);
    expect(await asks(unused.sandbox, { ...form, client_assertion: undefined })).toEqual(refused);
    expect(await asks(unused.sandbox, { ...form, client_assertion_type: 'other' })).toEqual(refused);
    expect(await asks(unused.sandbox, { ...form, client_id: 'other' })).toEqual(refused);
    unused.pass(301);
    expect(await asks(unused.sandbox, form)).toEqual(refused);
    unused.pass(-301);
    expect(await asks(unused.sandbox, form)).toEqual([200, undefined]);
  });
});

describe('discovery and registration', () => {
  it.each<[string, string, string]>([
    ['openid', 'discovery: openid', 'https://auth.acme.com/tenant/.well-known/openid-configuration'],
    ['oauth (RFC 8414)', 'discovery: oauth', 'https://auth.acme.com/.well-known/oauth-authorization-server/tenant'],
  ])('%s: the endpoints are those of the metadata', async (_, words, url) => {
    const { sandbox, connect } = await stand(`{ type: oauth2_client_credentials, issuer: 'https://auth.acme.com/tenant', ${words} }`);
    expect(await status(await connect())).toBe(200);
    expect(sandbox.requests.map(({ origin, path }) => `${origin}${path}`)).toEqual([
      url,
      'https://auth.acme.com/oauth/token',
      'https://api.acme.com/v1/things',
    ]);
    const got = await send(sandbox, url);
    expect(got.body).toMatchObject({ issuer: 'https://auth.acme.com/tenant', token_endpoint: 'https://auth.acme.com/oauth/token' });
  });

  it('a resource names its issuer (RFC 9728), where the client registers itself (RFC 7591)', async () => {
    const { sandbox, connect } = await stand(
      "{ type: oauth2_authorization_code, discovery: resource, resource: 'https://api.acme.com/v1', issuer_hosts: [api.acme.com], registration: { client_name: Ferrule }, client_auth: none }",
    );
    const connection = await connect(undefined, { consent: accepting(sandbox) });
    expect(await status(connection)).toBe(200);
    expect(statuses(sandbox)).toEqual([200, 200, 201, 302, 200, 200]);
    const authorize = sandbox.requests[3]!;
    const url = (changes: Record<string, string>): string =>
      `${authorize.origin}${authorize.path}?${new URLSearchParams({ ...Object.fromEntries(authorize.query), ...changes })}`;
    expect((await send(sandbox, url({ client_id: 'other' }))).status).toBe(400);
    expect((await send(sandbox, url({ redirect_uri: 'http://localhost:9/other' }))).status).toBe(400);
    expect((await send(sandbox, url({ resource: 'https://other.acme.com' }))).headers.location).toContain('error=invalid_target');
    const registers = (body: unknown): Promise<Got> => send(sandbox, 'https://api.acme.com/oauth/registration', { json: body });
    expect((await registers({ redirect_uris: ['http://evil.example.com/'] })).body).toMatchObject({ error: 'invalid_redirect_uri' });
    expect((await registers({})).status).toBe(400);
    // A code is for the client that has asked for it.
    const redirect_uri = 'http://localhost:8765/callback';
    const other = (await registers({ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' })).body as { client_id: string };
    const verifier = plainCanary('verifier').padEnd(64, '~');
    const code_challenge = createHash('sha256').update(verifier).digest('base64url');
    const back = await send(sandbox, url({ redirect_uri, code_challenge, auto: 'accept' }));
    // RFC 9207: it promises to say who it is, and does.
    const said = (await send(sandbox, 'https://api.acme.com/.well-known/oauth-authorization-server')).body;
    expect(said).toMatchObject({ issuer: 'https://api.acme.com', authorization_response_iss_parameter_supported: true });
    expect(new URL(back.headers.location!).searchParams.get('iss')).toBe('https://api.acme.com');
    const code = new URL(back.headers.location!).searchParams.get('code')!;
    const redeemed = await send(sandbox, 'https://api.acme.com/oauth/token', {
      form: {
        grant_type: 'authorization_code',
        code,
        redirect_uri,
        code_verifier: verifier,
        client_id: other.client_id,
        resource: 'https://api.acme.com/v1',
      },
    });
    expect([redeemed.status, at(redeemed.body, 'error_description')]).toEqual([400, 'the code belongs to another client']);
  });
});

describe('oauth1 with its three legs (RFC 5849, 2)', () => {
  const AUTH =
    "{ type: oauth1, request_url: 'https://auth.acme.com/request', authorize_url: 'https://auth.acme.com/authorize', token_url: 'https://auth.acme.com/token' }";

  it('a temporary token, the page, the token; nothing is good twice', async () => {
    const { sandbox, connect } = await stand(AUTH);
    const connection = await connect(undefined, { consent: accepting(sandbox) });
    expect([await status(connection), await status(connection)]).toEqual([200, 200]);
    expect(sandbox.requests.map(({ path }) => path)).toEqual(['/request', '/authorize', '/token', '/v1/things', '/v1/things']);
    expect(statuses(sandbox)).toEqual([200, 302, 200, 200, 200]);
    for (const index of [0, 2, 3]) expect(await again(sandbox, index)).toBe(401);
    expect(await again(sandbox, 1)).toBe(400);
    const issued = sandbox.tokens.access;
    expect(sandbox.revoke(issued.at(-1)!)).toBe(true);
    await expect(status(connection)).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(sandbox.requests.findLast(({ path }) => path === '/v1/things')!.status).toBe(401);
  });

  it('the temporary token is good once, and not before the person has accepted', async () => {
    const { sandbox, connect } = await stand(AUTH.replace(' }', ', signature_method: PLAINTEXT }'));
    await connect(undefined, { consent: accepting(sandbox) });
    const { authorization = '' } = sandbox.requests[2]!.headers;
    const fresh = authorization.replace(/oauth_nonce="[^"]*"/, 'oauth_nonce="fresh"');
    expect(await again(sandbox, 2, { authorization: fresh })).toBe(401);
    const { authorization: first = '' } = sandbox.requests[0]!.headers;
    const asked = await send(sandbox, 'https://auth.acme.com/request', {
      method: 'POST',
      headers: { authorization: first.replace(/oauth_nonce="[^"]*"/, 'oauth_nonce="another"') },
    });
    expect(asked.text).toMatch(/^oauth_token=[^&]+&oauth_token_secret=[^&]+&oauth_callback_confirmed=true$/);
    const temporary = new URLSearchParams(asked.text);
    const forged = fresh
      .replace(/oauth_token="[^"]*"/, `oauth_token="${encodeURIComponent(temporary.get('oauth_token')!)}"`)
      .replace(
        /oauth_signature="([^"]*)%26[^"]*"/,
        `oauth_signature="$1%26${encodeURIComponent(encodeURIComponent(temporary.get('oauth_token_secret')!))}"`,
      );
    expect(await again(sandbox, 2, { authorization: forged })).toBe(401);
    expect(await again(sandbox, 2, { authorization: forged.replace(/oauth_verifier="[^"]*"(, *)?/, '') })).toBe(401);
  });

  it('refused by the person', async () => {
    const { sandbox, connect } = await stand(AUTH);
    await expect(connect(undefined, { consent: accepting(sandbox, 'deny') })).rejects.toMatchObject({ code: 'consent_denied' });
  });

  it('another consumer secret, another verifier', async () => {
    const { sandbox, connect } = await stand(AUTH);
    const fields = { ...sandbox.inputs.fields, consumer_secret: plainCanary('oauth1-other') };
    await expect(connect({ fields }, { consent: accepting(sandbox) })).rejects.toMatchObject({ status: 401 });
    const forging = async (asked: { authorizeUrl: string }): Promise<string> =>
      (await accepting(sandbox)(asked)).replace(/oauth_verifier=[^&]*/, 'oauth_verifier=other');
    await expect(connect(undefined, { consent: forging })).rejects.toMatchObject({ status: 401 });
  });
});

describe('a computed header', () => {
  const AUTH = `{ type: api_key, fields: { team: { required: false } }, send: { headers: { X-Key: '\${fields.api_key}', X-Team: '\${given(has(fields.team), hex(hash("sha256", default(fields.team, ""))))}' } } }`;

  it('is what the expression gives for these fields, or left out where it gives nothing', async () => {
    const without = await stand(AUTH);
    expect(await status(await without.connect())).toBe(200);
    expect(without.sandbox.requests[0]!.headers['x-team']).toBeUndefined();
    const given = await stand(AUTH, { fields: { team: 'red' } });
    expect(await status(await given.connect())).toBe(200);
    expect(given.sandbox.requests[0]!.headers['x-team']).toBe(createHash('sha256').update('red').digest('hex'));
    expect(await again(given.sandbox, 0, { 'x-team': 'red' })).toBe(401);
    expect(await again(given.sandbox, 0, { 'x-team': undefined })).toBe(401);
  });
});

describe('sessions and steps', () => {
  const login = (more: string): string => `
    type: session
    steps:
      - { name: login, post: https://api.acme.com/login, encode: form, body: { user: '\${fields.username}', pass: '\${fields.password}' }, ${more} }
`;
  const signsIn = (sandbox: Sandbox, form: Record<string, string>): Promise<Got> => send(sandbox, 'https://api.acme.com/login', { form });

  it.each<[string, string]>([
    [
      'cookies',
      "capture: { sid: '\\${response.cookies.JSESSIONID}', csrf: { path: '\\${response.headers[\"x-csrf\"]}' } } }\n    send: { headers: { Authorization: null, X-CSRF: '\\${token.csrf}' }, cookies: { JSESSIONID: '\\${token.sid}' }",
    ],
    ['XML', 'decode: xml, capture: { access_token: Envelope.Body.LoginResponse.SessionId } }\n    send: {'],
    ['text', 'decode: text, capture: { access_token: $ } }\n    send: {'],
    ['text by its content type', 'capture: { access_token: $ } }\n    send: {'],
    ['a token of a certain form', "capture: { access_token: { path: data.token, pattern: '^tok_[A-Z0-9]{16}$' } } }\n    send: {"],
    ['a JWT that says its end', 'capture: { access_token: token }, expires: { jwt: access_token } }\n    send: {'],
    ['its end as a time', 'capture: { access_token: token }, expires: { at: until, as: epoch } }\n    send: {'],
    [
      'a condition that a good answer fulfils',
      'expect: \'\\${response.body.status == "ok" && response.body.code == 0}\', capture: { access_token: token } }\n    send: {',
    ],
  ])('%s: right, wrong, missing, expired', async (_, words) => {
    const [step, send] = words.replaceAll('\\\\$', '$').replaceAll('\\$', '$').split(' }\n    ') as [string, string];
    const { sandbox, connect, pass } = await stand(`${login(step)}    ${send} }\n`);
    const connection = await connect();
    expect([await status(connection), await status(connection)]).toEqual([200, 200]);
    const { authorization = '', cookie = '' } = sandbox.requests[1]!.headers;
    expect(await again(sandbox, 1, cookie === '' ? { authorization: `${authorization}x` } : { cookie: `${cookie}x` })).toBe(401);
    expect(await again(sandbox, 1, { authorization: undefined, cookie: undefined })).toBe(401);
    pass(3601);
    expect(await again(sandbox, 1)).toBe(401);
    expect(await status(connection)).toBe(200);
    const { username = '', password = '' } = sandbox.inputs.fields;
    expect((await signsIn(sandbox, { user: username, pass: 'other' })).status).toBe(401);
    expect((await signsIn(sandbox, { user: 'other', pass: password })).status).toBe(401);
    expect((await signsIn(sandbox, { user: username })).status).toBe(400);
  });

  it('what a step has brought goes into the next one', async () => {
    const { sandbox, connect } = await stand(`
    type: session
    steps:
      - { name: ticket, get: https://api.acme.com/ticket, query: { user: '\${fields.username}' }, capture: { ticket: ticket } }
      - { name: login, post: https://api.acme.com/login, body: { ticket: '\${token.ticket}', hash: '\${hex(hash("md5", token.ticket + fields.password))}' }, capture: { access_token: token } }
`);
    expect(await status(await connect())).toBe(200);
    const signsInWith = async (changes: Record<string, string>): Promise<number> => {
      const json = { ...(JSON.parse(sandbox.requests[1]!.body) as Record<string, string>), ...changes };
      return (await send(sandbox, 'https://api.acme.com/login', { json })).status;
    };
    expect([await signsInWith({}), await signsInWith({ ticket: 'other' }), await signsInWith({ hash: 'other' })]).toEqual([200, 401, 401]);
  });

  it('a JWT of a step of its own is shown for a token', async () => {
    const auth = `
    type: custom
    fields: { app: {}, key: { type: pem } }
    steps:
      - { name: app, jwt: { alg: RS256, key: '\${fields.key}', claims: { iss: '\${fields.app}' }, lifetime: 10m } }
      - { name: exchange, post: 'https://api.acme.com/app/token', headers: { Authorization: 'Bearer \${token.app}' }, capture: { installation: token }, expires: { in: expires_in } }
    send: { headers: { Authorization: 'token \${token.installation}' } }
`;
    const { sandbox, connect } = await stand(auth);
    expect(await status(await connect())).toBe(200);
    expect(await again(sandbox, 1, { authorization: 'token other' })).toBe(401);
    expect(await again(sandbox, 0, { authorization: 'Bearer no.jwt.here' })).toBe(401);
    expect(await status(await connect({ fields: { ...sandbox.inputs.fields, app: 'other' } }))).toBe(401);
  });

  it('an assumed role: a signed call whose XML answer brings the keys that sign from then on', async () => {
    const { sandbox, connect, pass } = await stand(`
    type: aws_sigv4
    service: execute-api
    region: eu-west-1
    steps:
      - name: role
        get: https://sts.amazonaws.com/
        query: { Action: AssumeRole, RoleArn: 'arn:aws:iam::1:role/acme' }
        sign: { service: sts, region: us-east-1 }
        decode: xml
        capture:
          access_key_id: { path: AssumeRoleResponse.AssumeRoleResult.Credentials.AccessKeyId, pattern: '^ASIA[A-Z0-9]{16}$' }
          secret_access_key: AssumeRoleResponse.AssumeRoleResult.Credentials.SecretAccessKey
          session_token: AssumeRoleResponse.AssumeRoleResult.Credentials.SessionToken
        expires: { at: AssumeRoleResponse.AssumeRoleResult.Credentials.Expiration, as: iso }
`);
    const connection = await connect();
    expect(await status(connection)).toBe(200);
    expect(statuses(sandbox)).toEqual([200, 200]);
    expect(sandbox.requests[1]!.headers.authorization).toMatch(/Credential=ASIA[A-Z0-9]{16}\//);
    pass(3601);
    expect(await status(connection)).toBe(200);
    expect(statuses(sandbox)).toEqual([200, 200, 200, 200]);
    const other = { ...sandbox.inputs.fields, secret_access_key: plainCanary('aws-other') };
    expect(await status(await connect({ fields: other }))).toBe(401);
    expect(sandbox.requests.at(-1)!.host).toBe('sts.amazonaws.com');
  });

  it('a day ahead in a login; a field that is left at its default', async () => {
    const { sandbox, connect } = await stand(`
    type: session
    fields: { company: { default: '0' } }
    steps:
      - name: session
        put: https://api.acme.com/session
        query: { until: '\${format(now + duration("48h"), "date")}' }
        capture: { access_token: value.token }
        expires: { default: 1h }
    send: { headers: { Authorization: 'Basic \${base64(fields.company + ":" + token.access_token)}' } }
`);
    expect(await status(await connect())).toBe(200);
    expect(await status(await connect({ fields: { ...sandbox.inputs.fields, company: '1' } }))).toBe(401);
    const until = async (day: string) => (await send(sandbox, `https://api.acme.com/session?until=${day}`, { method: 'PUT' })).status;
    expect([await until('2026-01-03'), await until('2026-01-04')]).toEqual([200, 401]);
  });

  it('a key in the body', async () => {
    const { sandbox, connect } = await stand("{ type: api_key, send: { body: { key: '${fields.api_key}' } } }");
    const connection = await connect();
    expect(connection.connector).toBe('acme');
    const asks = async (json: unknown): Promise<number> =>
      (
        await send(sandbox, 'https://api.acme.com/v1/things', {
          method: 'GET',
          json,
          headers: { 'content-length': String(JSON.stringify(json).length) },
        })
      ).status;
    expect(await asks({ key: sandbox.inputs.fields.api_key })).toBe(200);
    expect([await asks({ key: 'other' }), await asks({})]).toEqual([401, 401]);
  });
});

describe('pages of the providers', () => {
  const CODE = `type: oauth2_authorization_code, authorize_url: 'https://auth.acme.com/authorize', ${URLS}`;

  it('what comes with the code is good afterwards, and nothing else', async () => {
    const { sandbox, connect } = await stand(
      `{ ${CODE}, authorize: { capture: { realm: { path: '\${callback.realmId}', secret: false, pattern: '^[0-9]{15}$' } } }, send: { headers: { X-Realm: '\${token.realm}' } } }`,
    );
    expect(await status(await connect(undefined, { consent: accepting(sandbox) }))).toBe(200);
    expect(await again(sandbox, -1)).toBe(200);
    expect(await again(sandbox, -1, { 'x-realm': '123456789012345' })).toBe(401);
    expect(sandbox.requests.at(-1)!.headers['x-realm']).toBe('123456789012345');
  });

  it('a page with names of its own, and no response_type', async () => {
    const { sandbox, connect } = await stand(
      `{ ${CODE}, authorize: { query: { app: '\${fields.client_id}', back: '\${oauth.redirect_uri}', client_id: null, redirect_uri: null, response_type: null, scope: null }, code: own_code } }`,
    );
    expect(await status(await connect(undefined, { consent: accepting(sandbox), redirectUri: 'https://acme.example/back' }))).toBe(200);
    expect(tokenForm(sandbox)).toMatchObject({ grant_type: 'authorization_code', redirect_uri: 'https://acme.example/back' });
    const page = (app: string, back: string) =>
      send(sandbox, `https://auth.acme.com/authorize?${new URLSearchParams({ app, back, state: 'x' })}`);
    expect((await page('other', 'https://acme.example/back')).status).toBe(400);
    expect((await page(sandbox.inputs.fields.client_id ?? '', 'http://acme.example/back')).status).toBe(400);
  });

  it('a state of another name comes back, with a code and with a refusal', async () => {
    const { sandbox, connect } = await stand(`{ ${CODE}, authorize: { state: customField } }`);
    expect(await status(await connect(undefined, { consent: accepting(sandbox) }))).toBe(200);
    const asked = sandbox.requests.find(({ path }) => path === '/authorize')!;
    const names = asked.query.map(([name]) => name);
    expect([names.includes('customField'), names.includes('state')]).toEqual([true, false]);
    await expect(connect(undefined, { consent: accepting(sandbox, 'deny') })).rejects.toMatchObject({ code: 'consent_denied' });
  });

  it('an installation page, whose callback brings a token and a shop', async () => {
    const { sandbox, connect } = await stand(
      "{ type: custom, install: { url: 'https://acme.com/apps/install?app=ferrule', capture: { key: '${callback.api_key}', shop: { path: '${callback.shop}', type: host, hosts: ['*.acme.com'] } } }, send: { headers: { X-Key: '${token.key}', X-Shop: '${token.shop}' } } }",
    );
    const connection = await connect(undefined, { consent: accepting(sandbox) });
    expect(await status(connection)).toBe(200);
    expect(sandbox.requests.at(-1)!.headers['x-shop']).toBe('sandbox.acme.com');
    expect(await again(sandbox, -1, { 'x-key': 'other' })).toBe(401);
    expect(await again(sandbox, -1, { 'x-shop': 'other.acme.com' })).toBe(401);
    expect((await send(sandbox, 'https://acme.com/apps/install?app=other')).status).toBe(400);
    expect((await send(sandbox, 'https://acme.com/apps/install?app=ferrule&stray=1')).status).toBe(400);
  });

  it('what ends the grant (RFC 7009)', async () => {
    const { sandbox, connect } = await stand(
      `{ ${CODE}, revoke: { post: https://auth.acme.com/revoke, encode: form, body: { token: '\${token.refresh_token}' } } }`,
    );
    const connection = await connect(undefined, { consent: accepting(sandbox) });
    expect(await status(connection)).toBe(200);
    const { client_id = '', client_secret = '' } = sandbox.inputs.fields;
    const ends = async (token: string, secret = client_secret): Promise<number> =>
      (await send(sandbox, 'https://auth.acme.com/revoke', { form: { token, client_id, client_secret: secret } })).status;
    const [token = ''] = sandbox.tokens.refresh;
    expect([await ends('other'), await ends(token, 'other')]).toEqual([200, 401]);
    expect(await again(sandbox, 2)).toBe(200);
    await connection.revoke();
    expect(await again(sandbox, 2)).toBe(401);
    expect(await ends(token)).toBe(200);
  });

  it('what ends a session', async () => {
    const { sandbox, connect } = await stand(
      "{ type: session, steps: [{ name: login, post: https://api.acme.com/login, body: { user: '${fields.username}', pass: '${fields.password}' }, capture: { sid: '${response.cookies.sid}' } }], send: { headers: { Authorization: null }, cookies: { sid: '${token.sid}' } }, logout: { delete: https://api.acme.com/login, cookies: { sid: '${token.sid}' } } }",
    );
    const connection = await connect();
    expect(await status(connection)).toBe(200);
    await connection.revoke();
    expect(await again(sandbox, 1)).toBe(401);
  });

  it('two calls that renew', async () => {
    const { sandbox, connect, pass } = await stand(
      `{ ${CODE}, refresh: [{}, { post: https://auth.acme.com/second, from: access_token, body: { grant_type: again, refresh_token: null, assertion: '\${token.access_token}' }, capture: { access_token: null, second: second_token } }], token: { capture: { second: second_token } }, send: { headers: { X-Second: '\${token.second}' } } }`,
    );
    const connection = await connect(undefined, { consent: accepting(sandbox) });
    expect(await status(connection)).toBe(200);
    pass(3601);
    expect(await again(sandbox, -1)).toBe(401);
    expect(await status(connection)).toBe(200);
    expect(sandbox.requests.map(({ path }) => path).slice(-3)).toEqual(['/token', '/second', '/v1/things']);
  });

  it('an access token that renews itself, at an address of its own', async () => {
    const { sandbox, connect, pass } = await stand(
      `{ ${CODE}, client_auth: none, refresh: { from: access_token, get: https://auth.acme.com/extend, encode: query, body: { grant_type: null, refresh_token: null, token: '\${token.access_token}' } } }`,
    );
    const connection = await connect(undefined, { consent: accepting(sandbox) });
    expect(await status(connection)).toBe(200);
    pass(3601);
    expect(await status(connection)).toBe(200);
    expect(sandbox.requests.map(({ path }) => path).slice(-2)).toEqual(['/extend', '/v1/things']);
    const extended = async (token: string): Promise<number> => {
      const { client_id = '' } = sandbox.inputs.fields;
      return (await send(sandbox, `https://auth.acme.com/extend?${new URLSearchParams({ client_id, token })}`)).status;
    };
    const [token = ''] = sandbox.tokens.access;
    expect([await extended(token), await extended('other')]).toEqual([200, 400]);
    sandbox.revoke(token);
    expect(await extended(token)).toBe(400);
  });
});

describe('what there is no stand-in for', () => {
  it('client certificates are a matter of TLS, which the sandbox does not speak', async () => {
    await expect(stand('{ type: mutual_tls }')).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('the other methods of the same provider have one', async () => {
    const { sandbox, connect } = await stand('{ type: mutual_tls }\n  key: { type: bearer }');
    expect(sandbox.inputs.method).toBe('key');
    expect(await status(await connect())).toBe(200);
    expect(() => sandbox.inputsFor('main')).toThrow(expect.objectContaining({ code: 'not_supported', where: 'auth.main' }));
  });
});
