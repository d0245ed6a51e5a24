/** The sandbox against clients that nobody here wrote: curl, requests, botocore, pyspnego. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Sandbox, startSandbox } from '../../framework/sandbox/index.ts';
import { loadConnector } from '../../framework/spec/load.ts';
import { canary, plainCanary } from '../canary.ts';
import { installed } from './programs.ts';

const run = promisify(execFile);
const HOST = 'api.acme.com';
const PASSWORD = canary('sandbox password');
const KEY = { access_key_id: 'AKIDACME', secret_access_key: plainCanary('sandbox secret') };

let sandbox: Sandbox;
afterEach(() => sandbox?.close());

async function start(method: string, fields: Record<string, string>, spec = 'signed'): Promise<void> {
  sandbox = await startSandbox(await loadConnector(`test/integration/specs/${spec}.yaml`), { method, fields });
}

async function curl(...args: string[]): Promise<number> {
  const plain = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}', '--noproxy', '*', '--header', `Host: ${HOST}`];
  const { stdout } = await run('curl', [...plain, ...args.slice(0, -1), `${sandbox.origin}${args.at(-1)}`]);
  return Number(stdout);
}

async function python(scheme: string, request: object): Promise<number> {
  const whole = JSON.stringify({ origin: sandbox.origin, host: HOST, path: '/v1/things', ...request });
  const { stdout } = await run(installed('python/bin/python'), [resolve('test/integration/clients.py'), scheme, whole]);
  return Number(stdout);
}

const SEARCH = { method: 'POST', path: '/v1/things/search', body: '{"kind":"any"}' };

describe('Digest', () => {
  const user = { username: 'ana', password: PASSWORD };

  it.each([
    ['right', user, 200],
    ['a wrong password', { ...user, password: canary('sandbox other') }, 401],
    ['another user', { ...user, username: 'eve' }, 401],
  ] as const)('%s', async (_, given, status) => {
    await start('digest', user);
    const pair = ['--digest', '--user', `${given.username}:${given.password}`];
    expect(await curl(...pair, '/v1/things?a=b%20c&z=1')).toBe(status);
    expect(await curl(...pair, '--json', SEARCH.body, SEARCH.path)).toBe(status);
    expect(await python('digest', given)).toBe(status);
  });
});

describe('AWS Signature Version 4', () => {
  const ways = (['header', 'query'] as const).flatMap((placement) =>
    (['execute-api', 's3'] as const).map((service) => ({ placement, service, region: 'eu-west-1' })),
  );

  it.each(ways)('botocore, $placement, $service', async (way) => {
    await start(way.service === 's3' ? 'storage' : 'keys', KEY);
    expect(await python('sigv4', { ...KEY, ...way, path: '/v1/things?a=b%20c&z=1' })).toBe(200);
    // botocore puts the body of what it signs in the query there too.
    if (way.placement === 'header') expect(await python('sigv4', { ...KEY, ...way, ...SEARCH })).toBe(200);
    expect(await python('sigv4', { ...KEY, ...way, secret_access_key: plainCanary('sandbox other secret') })).toBe(401);
    expect(await python('sigv4', { ...KEY, ...way, region: 'us-east-1' })).toBe(401);
    expect(await python('sigv4', { ...KEY, ...way, session_token: 'stray' })).toBe(401);
  });

  it('curl', async () => {
    await start('keys', KEY);
    const signed = (secret: string) => ['--aws-sigv4', 'aws:amz:eu-west-1:execute-api', '--user', `${KEY.access_key_id}:${secret}`];
    const json = ['--header', 'Content-Type: application/json', '--data', SEARCH.body];
    expect(await curl(...signed(KEY.secret_access_key), '/v1/things?a=b%20c&z=1')).toBe(200);
    expect(await curl(...signed(KEY.secret_access_key), ...json, SEARCH.path)).toBe(200);
    expect(await curl(...signed(plainCanary('sandbox other secret')), ...json, SEARCH.path)).toBe(401);
  });
});

// curl's own NTLM has no MIC (MS-NLMP, 3.1.5.1.2), pyspnego's has.
// curl knows no letters beyond ASCII here.
const PLAIN = plainCanary('sandbox windows');

it.each([
  ['right', { username: 'ana', password: PLAIN }, 200],
  ['a wrong password', { username: 'ana', password: plainCanary('sandbox other') }, 401],
] as const)('NTLM by pyspnego and curl: %s', async (_, given, status) => {
  await start('ntlm', { site: `https://${HOST}`, username: 'ana', password: PLAIN }, 'ntlm');
  expect(await python('ntlm', { ...given, path: '/me' })).toBe(status);
  expect(await curl('--ntlm', '--user', `${given.username}:${given.password}`, '/me')).toBe(status);
});
