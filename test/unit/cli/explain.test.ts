import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../framework/cli/main.ts';
import { textWidth } from '../../../framework/cli/table.ts';
import { plainCanary } from '../../canary.ts';
import { fakeIo } from '../../cli-io.ts';
import { misfits } from '../../scenarios/json-schemas.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

const SECRET = plainCanary('explained in a terminal');
const SPEC = `spec: 1
name: own
title: Own
version: 1.0.0
fields: { site: { type: url } }
choices: { region: { default: eu, options: { eu: { path: eu }, us: { path: us } } } }
auth:
  app:
    type: oauth2_client_credentials
    token_url: \${fields.site}/token
    scopes: [read, write]
http:
  base_url: \${fields.site}/\${region.path}
  allow_http: loopback
  errors:
    rules:
      - { status: [418], then: retry }
      - { status: [404], kind: permission, hint: Ask the owner to share it. }
check: { get: /me }
streams:
  orders:
    get: /orders
    errors: { rules: [{ status: [422], kind: data }] }
`;

let home: string;
let server: LocalServer;
let served: Record<string, Answer[]>;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'ferrule-explain-'));
  writeFileSync(join(home, 'own.yaml'), SPEC);
  writeFileSync(join(home, 'secret.txt'), SECRET);
  served = {};
  const token = { json: { access_token: `${SECRET}token`, expires_in: 3600, scope: 'read' } };
  server = await serve(({ path }: Received) => (path === '/token' ? token : (served[path]?.shift() ?? { json: [] })));
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});

async function run(...argv: string[]): Promise<[number, string]> {
  const io = fakeIo({ env: { FERRULE_HOME: home, NO_COLOR: '1' }, cwd: home, columns: 80 });
  io.clock = { ...io.clock, now: Date.now, sleep: async () => {} };
  const inputs = ['--field', `site=${server.origin}`, '--field', 'client_id=app', '--field', 'client_secret=@secret.txt'];
  const code = await main(['explain', 'own.yaml', ...argv, ...inputs, '--allow-loopback'], io);
  expect(io.out() + io.err()).not.toContain(SECRET.slice(0, 12));
  return [code, io.out() + io.err()];
}

it('fits a terminal of 80 columns, and sends nothing', async () => {
  const [code, text] = await run('orders');
  expect(code).toBe(0);
  expect(text.split('\n').filter((line) => textWidth(line) > 80)).toEqual([]);
  expect(text).toContain('  token: asked for before this request\n  sent before this request: token\n');
  expect(text).toMatch(/path {4}\/eu +own.yaml:13 +field site \(entered\),\n +region=eu\n/);
  expect(server.received).toEqual([]);
});

it.each<[string, string[], Answer[], number, string[]]>([
  [
    'what a rule classed, by its line',
    ['/lost'],
    [{ status: 404, json: { message: 'gone' } }],
    1,
    ['status 404, classed permission [forbidden] by own.yaml:18; 1 request', 'next: Ask the owner to share it.'],
  ],
  ['retries', ['GET', '/tea'], [{ status: 418 }, { json: {} }], 0, ['sent again after ', ' answered 418.', 'status 200, good; 2 requests']],
  ['what the stream itself says', ['orders'], [{ status: 422 }], 1, ['classed data [response_malformed] by own.yaml:23; 1 request']],
  ['a renewed token', ['/me'], [{ status: 401 }, { json: {} }], 0, ['the token was renewed', 'status 200, good; 2 requests']],
])('--send tells %s', async (_, request, answers, exitCode, lines) => {
  served[`/eu${(request.at(-1) as string).replace(/^orders$/, '/orders')}`] = [...answers];
  const [code, text] = await run(...request, '--send');
  expect(code).toBe(exitCode);
  for (const line of lines) expect(text).toContain(line);
  expect(text).toContain('scopes asked: read write; granted: read; missing: write');
  expect(text).toMatch(/token: obtained \S+, \d+ m?s ago; ends/);
});

it('--json has the line of each part, as its schema says', async () => {
  served['/eu/lost'] = [{ status: 404 }];
  const [code, text] = await run('/lost', '--send', '--json');
  expect([code, misfits('explain', text)]).toEqual([1, []]);
  expect(JSON.parse(text)).toMatchObject({ choices: { region: 'eu' }, sent: { status: 404, rule: 'own.yaml:18' } });
});
