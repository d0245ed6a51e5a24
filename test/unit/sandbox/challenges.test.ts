import { connectSpec } from '../../../framework/engine/connect.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { canary } from '../../canary.ts';
import { send, spec } from './wire.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.close());

const ACME = spec(`
spec: 1
name: acme
title: Acme
version: 1.0.0
auth:
  digest: { type: digest }
  domain: { type: ntlm }
  key: { type: bearer }
http: { base_url: https://api.acme.com/v1 }
check: { get: /things }
streams:
  things: { get: /things, primary_key: [id], columns: { id: integer } }
`);

const fields = { username: 'ana', password: canary('challenges') };

it.each(['digest', 'domain'])('by %s: let in, whatever other ways there are', async (method) => {
  sandbox = await startSandbox(ACME, { method, fields });
  await using connection = await connectSpec(ACME, sandbox.inputs, { sandbox: { addresses: sandbox.addresses } });
  expect((await connection.http.get('/things')).status).toBe(200);
});

it.each([
  ['nothing', {}],
  ['a stray token', { authorization: `Bearer ${canary('stray').slice(0, 30)}` }],
])('%s: all ways are named', async (_, headers) => {
  sandbox = await startSandbox(ACME, { method: 'digest', fields });
  const { status, headers: said } = await send(sandbox, 'https://api.acme.com/v1/things', { headers });
  expect(status).toBe(401);
  expect(said['www-authenticate']).toMatch(/^Digest .*algorithm=SHA-256.*, NTLM, Bearer/);
});
