import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionStringOptions } from '../../../framework/engine/connection-string.ts';
import { Catalogue, connectionStringOf, fromConnectionString } from '../../../framework/index.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { readySpec } from '../../../framework/spec/ready-spec.ts';
import { canary } from '../../canary.ts';

let sandbox: Sandbox;
let secret: string;
const folder = mkdtempSync(join(tmpdir(), 'ferrule-string-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function start(connector: string): Promise<void> {
  secret = canary('connection-string').replaceAll(/[;="']/g, '');
  sandbox = await startSandbox(await readySpec(`connectors/${connector}.yaml`), {
    autoConsent: true,
    records: 12,
    fields: { client_secret: secret },
  });
}
afterEach(() => sandbox.close());

/** The person's browser: it agrees, and gives back the address that it ends on. */
const asked: string[] = [];
const consent: ConnectionStringOptions['consent'] = async ({ authorizeUrl }) => {
  asked.push(authorizeUrl);
  const { origin } = new URL(authorizeUrl);
  const answer = await fetch(sandbox.addresses[origin] + authorizeUrl.slice(origin.length), { redirect: 'manual' });
  return answer.headers.get('location') ?? '';
};
const options = (more: ConnectionStringOptions = {}): ConnectionStringOptions => ({ sandbox: { addresses: sandbox.addresses }, ...more });
const tokenCalls = (): number => sandbox.requests.filter(({ path }) => path === '/oauth/token').length;

describe('a connection from one string', () => {
  it('client credentials, row limit and log, the connector by the string', async () => {
    await start('jama-connect');
    const { client_id, site } = sandbox.inputsFor('oauth').fields;
    const log = join(folder, 'events.log');
    const text =
      `Connector=jama-connect;AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=${client_id};OAuthClientSecret="${secret}";Url=${site};MaxRows=3;Logfile=${log};Verbosity=3`.replace(
        'Url=',
        'site=',
      );
    await using jama = await fromConnectionString(text, options());
    let records = 0;
    for await (const _ of jama.read('projects')) records += 1;
    expect(records).toBe(3);
    let more = 0;
    for await (const _ of jama.read('projects', { limit: 5 })) more += 1;
    expect(more).toBe(5);

    const lines = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.slice(0, 2)).toEqual([
      expect.objectContaining({ type: 'request', name: 'token', method: 'POST' }),
      expect.objectContaining({ type: 'response', name: 'token', status: 200 }),
    ]);
    expect(lines.some((line) => 'headers' in line || 'body' in line)).toBe(false);
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });

  it('GETANDREFRESH asks once where tokens are kept; Scope stands in place of the spec’s', async () => {
    await start('jumpseller');
    const { client_id } = sandbox.inputsFor('oauth').fields;
    const text = `Profile=C:\\profiles\\Jumpseller.apip;AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=${client_id};OAuthClientSecret='${secret}';CallbackURL=http://localhost:33333;Scope=read_store read_products;OAuthSettingsLocation=memory://once`;
    asked.length = 0;
    const first = await fromConnectionString(text, options({ consent }));
    expect((await first.check()).ok).toBe(true);
    await first.close();
    const url = new URL(asked[0] ?? '');
    expect([url.searchParams.get('scope'), url.searchParams.get('redirect_uri')]).toEqual([
      'read_store read_products',
      'http://localhost:33333',
    ]);

    await using second = await fromConnectionString(text, options());
    expect((await second.check()).ok).toBe(true);
    expect([asked.length, tokenCalls()]).toEqual([1, 1]);
    await expect(fromConnectionString(text.replace('once', 'elsewhere'), options())).rejects.toMatchObject({ code: 'reconnect_required' });
  });

  it('REFRESH renews what it was given and never asks; OFF uses the token as long as it lasts', async () => {
    await start('jumpseller');
    const { client_id } = sandbox.inputsFor('oauth').fields;
    const whole = `Connector=jumpseller;AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=${client_id};OAuthClientSecret='${secret}'`;
    const first = await fromConnectionString(whole, options({ consent }));
    await first.close();

    const masked = await connectionStringOf(first.credential);
    expect(masked).not.toContain(secret);
    const refresh = await connectionStringOf(first.credential, { reveal: true });
    expect(refresh).toContain('InitiateOAuth=REFRESH');
    sandbox.expire();
    await using renewing = await fromConnectionString(refresh, options());
    await renewing.http.get('/store/info.json').json();
    expect(tokenCalls()).toBe(2);

    const token = /OAuthAccessToken=("[^"]*"|[^;]*)/.exec(await connectionStringOf(renewing.credential, { reveal: true }))?.[0];
    // No client ID, no secret: nothing will ever be asked for with them.
    await using off = await fromConnectionString(`Connector=jumpseller;AuthScheme=OAuth;${token}`, options());
    await off.http.get('/store/info.json').json();
    sandbox.expire();
    await expect(off.http.get('/store/info.json').json()).rejects.toMatchObject({ code: 'reconnect_required', where: 'InitiateOAuth' });
    expect((await off.check()).steps).toEqual([expect.objectContaining({ name: 'authenticate', ok: false })]);
    expect(tokenCalls()).toBe(2);

    const empty = whole.replace('GETANDREFRESH', 'REFRESH') + ';OAuthSettingsLocation=memory://empty';
    await expect(fromConnectionString(empty, options({ consent }))).rejects.toMatchObject({ code: 'reconnect_required' });
  });

  it('says which connectors there are, and what has no meaning here', async () => {
    await start('jumpseller');
    const text = 'AuthScheme=Basic;User=ann;Password=x';
    await expect(fromConnectionString(text)).rejects.toMatchObject({
      code: 'connection_string_malformed',
      next: expect.stringContaining('jumpseller'),
    });
    await expect(fromConnectionString(text, { connector: 'acme', catalogue: new Catalogue(['connectors']) })).rejects.toMatchObject({
      code: 'connector_unknown',
    });
    const state = 'AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=a;OAuthClientSecret=b;State=c';
    await expect(fromConnectionString(state, { connector: 'jumpseller' })).rejects.toMatchObject({ code: 'not_supported', where: 'State' });
    const ca = `${text};SSLServerCert=${join(folder, 'none.pem')}`;
    await expect(fromConnectionString(ca, { connector: 'jumpseller' })).rejects.toMatchObject({
      code: 'input_malformed',
      where: 'SSLServerCert',
    });
    const log = `${text};Logfile=${folder}`;
    await expect(fromConnectionString(log, { connector: 'jumpseller' })).rejects.toMatchObject({ code: 'output_failed' });
  });
});
