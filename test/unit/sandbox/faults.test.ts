import type { Clock } from '../../../framework/core/clock.ts';
import { type Fault, type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { canary, plainCanary } from '../../canary.ts';
import { at, bearer, type Got, send, spec } from './wire.ts';

const ACME = `
spec: 1
name: acme
title: Acme
version: 1.0.0
auth:
  app: { type: oauth2_client_credentials, token_url: https://auth.acme.com/token }
http:
  base_url: https://api.acme.com/v1
  errors: { message: error.text, code: error.code }
  rate_limit:
    - { requests: 3, per: 1s, limit: X-Limit, remaining: X-Left, reset: { header: X-Reset, as: epoch } }
    - { requests: 5, per: 1m }
streams:
  things: { get: /things, records: data, primary_key: [id], columns: { id: integer }, paginate: { type: next_token, from: next, into: query.after, size: query.limit, page_size: 10 } }
  counted: { get: /counted, records: data, primary_key: [id], columns: { id: integer }, paginate: { type: page, page: query.page, size: query.limit, page_size: 10 } }
`;
const START = Date.UTC(2026, 0, 1);
let now = START;
const slept: number[] = [];
const clock: Clock = {
  now: () => now,
  sleep: (ms) => {
    slept.push(ms);
    return Promise.resolve();
  },
};

let sandbox: Sandbox;
let token: string;
const things = (query = 'limit=10'): Promise<Got> => send(sandbox, `https://api.acme.com/v1/things?${query}`, { headers: bearer(token) });
const newToken = (): Promise<Got> => {
  const { client_id = '', client_secret = '' } = sandbox.inputs.fields;
  return send(sandbox, 'https://auth.acme.com/token', { form: { grant_type: 'client_credentials', client_id, client_secret } });
};
async function start(options: SandboxOptions = {}): Promise<void> {
  now = START;
  slept.length = 0;
  sandbox = await startSandbox(spec(ACME), { clock, fields: { client_secret: canary('faults') }, ...options });
  token = at((await newToken()).body, 'access_token') as string;
}
afterEach(() => sandbox.close());

describe('faults on request', () => {
  it.each<[string, Fault, Record<string, string | undefined>]>([
    ['seconds', { kind: 'rate_limit', wait: 7 }, { 'retry-after': '7', 'x-reset': undefined }],
    ['a date', { kind: 'rate_limit', header: 'http_date', wait: 7 }, { 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' }],
    // 2026-01-01T00:00:07Z
    ['the spec’s own header', { kind: 'rate_limit', header: 'reset', wait: 7 }, { 'x-reset': '1767225607', 'retry-after': undefined }],
    ['no header', { kind: 'rate_limit', header: 'none' }, { 'retry-after': undefined, 'x-reset': undefined }],
  ])('429 that tells the wait by %s, once', async (_, fault, headers) => {
    await start({ faults: [fault] });
    const got = await things();
    expect([got.status, at(got.body, 'error', 'code'), typeof at(got.body, 'error', 'text')]).toEqual([429, 'TOO_MANY_REQUESTS', 'string']);
    expect(Object.fromEntries(Object.keys(headers).map((name) => [name, got.headers[name]]))).toEqual(headers);
    expect((await things()).status).toBe(200);
  });

  it('5xx so many times, after so many requests, for one stream only', async () => {
    await start();
    sandbox.faults.add({ kind: 'server_error', status: 502, times: 2, after: 1, stream: 'things' });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index++) statuses.push((await things()).status);
    expect(statuses).toEqual([200, 502, 502, 200, 200]);
    sandbox.faults.add({ kind: 'server_error', stream: 'counted' });
    expect((await things()).status).toBe(200);
    sandbox.faults.clear();
    expect(sandbox.faults.list()).toEqual([]);
  });

  it('tokens expire in the middle of a read, and a new one goes on from the same place', async () => {
    await start();
    const first = await things();
    sandbox.faults.add({ kind: 'expire_tokens' });
    const next = `limit=10&after=${encodeURIComponent(at(first.body, 'next') as string)}`;
    expect((await things(next)).status).toBe(401);
    token = at((await newToken()).body, 'access_token') as string;
    const second = await things(next);
    expect([second.status, at(second.body, 'data', 0, 'id')]).toEqual([200, (at(first.body, 'data', 9, 'id') as number) + 1]);
  });

  it('cuts the connection before the head or in the body', async () => {
    await start({ faults: [{ kind: 'cut_before_head' }, { kind: 'cut_in_body' }] });
    await expect(things()).rejects.toThrow(/socket hang up|ECONNRESET/);
    await expect(things()).rejects.toThrow(/aborted/);
    expect((await things()).status).toBe(200);
    expect(sandbox.requests.map(({ status }) => status)).toEqual([200, 0, 200, 200]);
  });

  it('gives HTML in place of JSON, and slow answers', async () => {
    await start({ faults: [{ kind: 'html' }, { kind: 'slow', wait: 2500 }] });
    const page = await things();
    expect([page.status, page.headers['content-type'], page.text.includes('<title>')]).toEqual([200, 'text/html; charset=utf-8', true]);
    expect((await things()).status).toBe(200);
    expect(slept).toEqual([2500]);
  });

  it('closes at once while an answer is being slow, and waits for nothing more', async () => {
    let waiting = 0;
    const patient: Clock = {
      now: () => START,
      sleep: (_ms, signal) => {
        waiting += 1;
        return new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            waiting -= 1;
            reject(signal.reason);
          });
        });
      },
    };
    await start({ clock: patient, faults: [{ kind: 'slow', wait: 3_600_000 }] });
    const pending = expect(things()).rejects.toThrow(/socket hang up|ECONNRESET/);
    while (waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    await sandbox.close();
    await pending;
    expect(waiting).toBe(0);
  });

  it('repeats a page: the same token again, or the first numbered page', async () => {
    await start();
    const first = await things();
    const after = at(first.body, 'next') as string;
    sandbox.faults.add({ kind: 'repeat_page', times: 2 });
    const again = await things(`limit=10&after=${encodeURIComponent(after)}`);
    expect(at(again.body, 'next')).toBe(after);
    const counted = await send(sandbox, 'https://api.acme.com/v1/counted?page=3&limit=10', { headers: bearer(token) });
    expect(at(counted.body, 'data', 0, 'id')).toBe(
      at((await send(sandbox, 'https://api.acme.com/v1/counted?page=1&limit=10', { headers: bearer(token) })).body, 'data', 0, 'id'),
    );
  });

  it('the token endpoint fails when it is meant', async () => {
    await start();
    sandbox.faults.add({ kind: 'server_error', where: 'token' }, { kind: 'html', where: 'token' });
    expect((await things()).status).toBe(200);
    expect((await newToken()).status).toBe(503);
    expect((await newToken()).text).toContain('<title>');
    expect((await newToken()).status).toBe(200);
  });

  it('is steered over HTTP too', async () => {
    await start();
    const at_ = (path: string): string => `${sandbox.origin}/__sandbox${path}`;
    expect((await send(sandbox, at_('/faults'), { json: { kind: 'server_error', times: 3 } })).body).toEqual([
      { kind: 'server_error', times: 3, after: 0 },
    ]);
    expect((await things()).status).toBe(503);
    expect((await send(sandbox, at_('/faults'), { method: 'DELETE' })).body).toEqual([]);
    expect((await things()).status).toBe(200);
    const wrong = await send(sandbox, at_('/faults'), { json: { kind: 'earthquake' } });
    expect([wrong.status, at(wrong.body, 'message')]).toEqual([400, expect.stringContaining('earthquake')]);
    expect((await send(sandbox, at_('/faults'), { text: 'no json' })).status).toBe(400);
    expect(at((await send(sandbox, at_(''))).body, 'expected')).toEqual({ things: 250, counted: 250 });
    expect((await send(sandbox, at_('/revoke'), { json: { token } })).body).toEqual({ revoked: true });
    expect((await things()).status).toBe(401);
    token = at((await newToken()).body, 'access_token') as string;
    await send(sandbox, at_('/expire'), { method: 'POST' });
    expect((await things()).status).toBe(401);
    expect((await send(sandbox, at_('/nothing'))).status).toBe(404);
  });
});

describe('rate limits of the spec', () => {
  it('are told always and enforced on request', async () => {
    await start();
    const left: (string | undefined)[] = [];
    for (let index = 0; index < 5; index++) left.push((await things()).headers['x-left']);
    expect(left).toEqual(['2', '1', '0', '0', '0']);
    await sandbox.close();
    await start({ enforceLimits: true });
    now = START + 400;
    const answers: [number, string | undefined][] = [];
    for (let index = 0; index < 4; index++) {
      const { status, headers } = await things();
      answers.push([status, headers['retry-after'] ?? headers['x-limit']]);
    }
    expect(answers).toEqual([
      [200, '3'],
      [200, '3'],
      [200, '3'],
      [429, '1'],
    ]);
    now = START + 1000;
    expect((await things()).status).toBe(200);
    // The sixth within the minute: the other limit, and its wait.
    const sixth = await things();
    expect([sixth.status, sixth.headers['retry-after']]).toEqual([429, '59']);
  });
});

describe('what a login of the spec’s own gives', () => {
  it('captures are issued, and only they open the API', async () => {
    const LOGIN = `
spec: 1
name: acme
title: Acme
version: 1.0.0
auth:
  login:
    type: basic
    vars: { who: 'user \${fields.username}' }
    steps:
      - { name: login, post: 'https://login.acme.com/v1/session', body: { user: '\${fields.username}', password: '\${fields.password}' }, capture: { session: data.session }, expires: { in: data.ttl } }
    send: { headers: { Authorization: null, X-Session: '\${token.session}', X-Who: '\${vars.who}' } }
http: { base_url: https://api.acme.com }
streams: { things: { get: /things, primary_key: [id], columns: { id: integer } } }
`;
    const password = plainCanary('login');
    sandbox = await startSandbox(spec(LOGIN), { fields: { username: 'ana', password } });
    const login = (json: unknown): Promise<Got> => send(sandbox, 'https://login.acme.com/v1/session', { json });
    expect((await login({ user: 'ana', password: 'x' })).status).toBe(401);
    const got = await login({ user: 'ana', password });
    expect(got.body).toEqual({ data: { session: expect.any(String), ttl: 3600 } });
    const use = async (session: string, who: string): Promise<number> =>
      (await send(sandbox, 'https://api.acme.com/things', { headers: { 'x-session': session, 'x-who': who } })).status;
    const session = at(got.body, 'data', 'session') as string;
    expect([await use(session, 'user ana'), await use('x', 'user ana'), await use(session, 'user eve')]).toEqual([200, 401, 401]);
    expect(Object.keys(sandbox.addresses)).toEqual(['https://api.acme.com', 'https://login.acme.com']);
  });
});
