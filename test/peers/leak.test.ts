import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isFerruleError } from '../../framework/core/errors.ts';
import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { connectSpec, type Inputs } from '../../framework/engine/connect.ts';
import { eventLog } from '../../framework/engine/event-log.ts';
import { runLog } from '../../framework/engine/run-log.ts';
import type { ClientEvent } from '../../framework/http/types.ts';
import { addresses, specOf } from '../acme.ts';
import { searcher } from '../canaries/search.ts';
import { canary, plainCanary } from '../canary.ts';
import { FakeClock, fixedRandom } from '../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';
import { memorySink } from '../sink.ts';

/** All that must be seen nowhere. The last ones come only while the connection runs. */
const SECRETS = {
  apiKey: plainCanary('L1 api key'),
  password: canary('L1 password'),
  clientSecret: canary('L1 client secret'),
  signingKey: canary('L1 signing key'),
  brokenKey: plainCanary('L1 key that is none'),
  session: plainCanary('L1 session token'),
  access: plainCanary('L1 access token'),
  accessAnew: plainCanary('L1 renewed access token'),
  refresh: plainCanary('L1 refresh token'),
  refreshAnew: plainCanary('L1 rotated refresh token'),
};
const PEM = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const STEMS = Object.entries(SECRETS).map(([label, secret]) => ({ label, stem: /CANARY([0-9a-f]{24})/.exec(secret)?.[1] ?? '' }));
const search = searcher(STEMS);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** The provider's four ways of writing what it was sent. */
const FORMS = [
  (text: string): string => text,
  base64,
  (text: string): string => Buffer.from(text).toString('base64url'),
  encodeURIComponent,
];

/** A spec whose streams go wrong in all ways that a provider has. */
function specFor(auth: string): SpecDocument {
  const plain = ['s400', 's401', 's403', 's404', 's422', 's429', 's500', 'html', 'broken', 'cut', 'squeezed', 'away', 'moved'];
  return specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { main: { ${auth} } }
http: { base_url: 'https://api.acme.test/v1', retry: { max_retries: 1 } }
check: { get: /s400 }
defaults: { primary_key: [id] }
streams:
${plain.map((way) => `  ${way}: { get: /${way}, paginate: { type: next_url, from: next } }`).join('\n')}
  inside: { get: /inside, errors: { message: error, rules: [{ when: '\${has(response.body.error)}', kind: request }] } }
  nowhere: { get: /nowhere, records: data.items }
  undated: { get: /undated, cursor: { field: at, format: date } }
  again: { get: /again, records: data, paginate: { type: next_token, from: next, into: query.after } }
  misfit: { get: /misfit, columns: { id: integer, at: integer } }
  lines: { get: /lines, decode: jsonl }
  sheet: { get: /sheet, decode: csv }
  job:
    job:
      create: { post: /jobs, capture: { id: id } }
      poll: { get: '/job/\${job.id}' }
      status: state
      states: { done: [ready], failed: [error], running: [queued] }
      message: why
      download: { get: /none }`);
}

/** Read once for each method. */
const specs = new Map<string, SpecDocument>();
function specOfAuth(auth: string): SpecDocument {
  const spec = specs.get(auth) ?? specFor(auth);
  specs.set(auth, spec);
  return spec;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** As it may stand in a query: what is encoded already stays as it is. */
const queried = (text: string): string =>
  text
    .split(' ')
    .map((word) => (/^[\w.~!*'()%+/=-]*$/.test(word) ? word : encodeURIComponent(word)))
    .join('&');

/** An answer that goes wrong in the way of that name, and says back `sent`. */
function wrong(way: string, sent: string, response: ServerResponse): Answer | undefined {
  const status = /^s(\d{3})$/.exec(way)?.[1];
  if (status !== undefined)
    return {
      status: Number(status),
      headers: { ...(way === 's429' && { 'retry-after': '400' }) },
      json: { message: sent, error: 'invalid_grant' },
    };
  switch (way) {
    case 'html':
      return { headers: { 'content-type': 'text/html' }, text: `<p>${sent}</p>` };
    case 'broken':
      return { headers: JSON_TYPE, text: `{"message": ${sent}` };
    case 'cut':
      response.destroy();
      return undefined;
    case 'squeezed':
      return { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, text: sent };
    case 'away':
      return { status: 302, headers: { location: `https://evil.test/?x=${queried(sent)}` } };
    case 'moved':
      return { json: { id: 1, next: `https://evil.test/moved?x=${queried(sent)}` } };
    case 'again':
      return { json: { data: [{ id: 1 }], next: sent } };
    case 'nowhere':
      return { json: { data: { rows: sent } } };
    case 'lines':
      return { headers: JSON_TYPE, text: `{"id":1}\n{"id":${sent}\n` };
    case 'sheet':
      return { headers: { 'content-type': 'text/csv' }, text: `id,at\n1,"${sent}\n` };
    case 'jobs':
      return { json: { id: 1 } };
    case 'job':
      return { json: { state: 'error', why: sent } };
    default:
      return { json: { id: 1, at: sent, error: sent } };
  }
}

/** What of a request proves who sends it, in all forms, another one first each time: messages are cut. */
function shown({ headers, query, body }: Received, turn: number): string {
  // The Basic proof is in base64 already: what is in it, too.
  const basic = /^Basic (.*)/.exec(headers.authorization ?? '')?.[1];
  const proofs = [headers.authorization, headers['x-key'], query.get('key'), body, basic && Buffer.from(basic, 'base64').toString()];
  const said = proofs.filter((one) => typeof one === 'string' && one !== '') as string[];
  return FORMS.flatMap((_, at) => said.map((one) => (FORMS[(at + turn) % FORMS.length] ?? base64)(one))).join(' ');
}

/** All that could be seen of something: hidden fields, causes, the stack. */
const all = (value: unknown): string =>
  [
    inspect(value, { showHidden: true, depth: 20, maxArrayLength: null, maxStringLength: null }),
    JSON.stringify(value),
    String((value as Error | undefined)?.stack),
  ].join('\n');

/** Where what was seen came from, and the text. */
type Seen = [from: string, text: string][];

interface World {
  folder: string;
  seen: Seen;
  /** Codes of the errors that there were. */
  codes: Set<string>;
  /** Every byte that was sent to the provider. */
  wire: string[];
}

/** Connects with a method, lets everything go wrong, and gathers all that can be seen of it. */
async function goWrong(world: World, name: string, auth: string, inputs: Inputs, hostile?: { path: string; way: string }): Promise<void> {
  const { seen, codes } = world;
  const note = (from: string, error: unknown): void => {
    if (!isFerruleError(error)) throw error;
    codes.add(error.code);
    seen.push([`${name}: ${from}`, all(error)]);
  };
  let tokens = 0;
  const server: LocalServer = await serve((request, response) => {
    const { path } = request;
    const sent = shown(request, server.received.length);
    if (path === hostile?.path) return wrong(hostile.way, sent, response);
    if (path === '/login') return { json: { session: SECRETS.session } };
    if (path === '/token') {
      tokens += 1;
      const [access_token, refresh_token] =
        tokens === 1 ? [SECRETS.access, SECRETS.refreshAnew] : [SECRETS.accessAnew, SECRETS.refreshAnew];
      return { json: { access_token, refresh_token, expires_in: 3600 } };
    }
    return wrong(path.split('/')[2] ?? '', sent, response);
  });
  const clock = new FakeClock();
  const log = await runLog(join(world.folder, 'runs'), { connector: 'acme', streams: [], options: {}, destination: 'memory' }, { clock });
  const whole = eventLog(join(world.folder, `${name}.jsonl`), 5);
  const onEvent = (event: ClientEvent): void => {
    seen.push([`${name}: event`, JSON.stringify(event)]);
    log.onHttp(event);
    whole(event);
  };
  try {
    const connection = await connectSpec(specOfAuth(auth), inputs, { ...addresses(server.origin), clock, random: fixedRandom(), onEvent });
    const streams = hostile === undefined ? connection.streams().map((one) => one.name) : ['s400'];
    for (const stream of streams) {
      const outcomes = await connection.readInto(memorySink(), {
        streams: [stream],
        badRecords: 'fail',
        onEvent: (event) => {
          seen.push([`${name}: run event`, JSON.stringify(event)]);
          log.onEvent(event);
        },
      });
      for (const outcome of outcomes) {
        expect([name, stream, outcome.complete]).toEqual([name, stream, false]);
        note(stream, outcome.error);
        seen.push([`${name}: outcome`, all(outcome)]);
      }
      await connection.http
        .get(`/${stream}`)
        .json()
        .catch((error: unknown) => note(`.http ${stream}`, error));
      // What a 429 asked for is over.
      if (stream === 's429') clock.advance(400_000);
    }
    if (hostile === undefined) seen.push([`${name}: check`, all(await connection.check())]);
    await connection.explain({ method: 'GET', path: '/s400' }).then(
      (explanation) => seen.push([`${name}: explanation`, all(explanation)]),
      (error: unknown) => note('explanation', error),
    );
    await connection.close();
  } catch (error) {
    note('connect', error);
  } finally {
    await log.end();
    world.wire.push(...server.received.map((one) => `${one.method} ${one.path}?${one.query} ${JSON.stringify(one.headers)} ${one.body}`));
    await server.close();
  }
}

const CLIENT = `type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token'`;
const CODE = `type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token', refresh: { rotates: true }`;

test('L1 no log, event, error, outcome or explanation shows a secret in any form, whatever a provider says back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ferrule-peers-'));
  const world: World = { folder, seen: [], codes: new Set(), wire: [] };
  const client = { client_id: 'app', client_secret: SECRETS.clientSecret };
  const signed = (alg: string, field: string): string =>
    `type: jwt, fields: { signing_key: { ${field} } }, jwt: { alg: ${alg}, key: '\${fields.signing_key}', claims: { iss: app } }`;
  try {
    const key = `type: api_key, send: { headers: { X-Key: '\${fields.api_key}' }, query: { key: '\${fields.api_key}' } }`;
    await goWrong(world, 'key', key, { fields: { api_key: SECRETS.apiKey } });
    await goWrong(world, 'basic', 'type: basic', { fields: { username: 'ann', password: SECRETS.password } });
    const login = `type: session, steps: [{ name: login, post: 'https://auth.acme.test/login', body: { user: '\${fields.username}', password: '\${fields.password}' }, capture: { access_token: session } }]`;
    await goWrong(world, 'session', login, { fields: { username: 'ann', password: SECRETS.password } });
    await goWrong(world, 'client', CLIENT, { fields: client });
    const tokens = { access_token: SECRETS.access, refresh_token: SECRETS.refresh };
    await goWrong(world, 'code', CODE, { fields: client, tokens });
    await goWrong(world, 'signed', signed('HS256', 'secret: true'), { fields: { signing_key: SECRETS.signingKey } });
    await goWrong(world, 'signed by a PEM', signed('EdDSA', 'type: pem'), { fields: { signing_key: PEM } });
    const none = `-----BEGIN PRIVATE KEY-----\n${SECRETS.brokenKey}\n-----END PRIVATE KEY-----\n`;
    await goWrong(world, 'signed by none', signed('EdDSA', 'type: pem'), { fields: { signing_key: none } });
    // What gives tokens goes wrong itself.
    for (const way of ['s400', 's401', 's429', 's500', 'html', 'broken', 'cut', 'squeezed', 'away', 'odd']) {
      const hostile = { path: '/token', way };
      await goWrong(world, `client ${way}`, CLIENT, { fields: client }, hostile);
      await goWrong(world, `code ${way}`, CODE, { fields: client, tokens: { ...tokens, expires_at: 1 } }, hostile);
      await goWrong(world, `session ${way}`, login, { fields: { username: 'ann', password: SECRETS.password } }, { path: '/login', way });
    }
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());
    for (const name of files) world.seen.push([`file ${name}`, readFileSync(join(folder, name), 'utf8')]);
  } finally {
    rmSync(folder, { recursive: true });
  }

  const { seen, codes, wire } = world;
  // The search is not blind: all that goes over the wire is found there, and a form that does not is found where it is put.
  const over = new Set(search(wire.join('\n')).map(({ label }) => label));
  expect([...over].sort()).toEqual(['access', 'accessAnew', 'apiKey', 'clientSecret', 'password', 'refresh', 'refreshAnew', 'session']);
  expect(search(base64(`a key: ${SECRETS.signingKey}`)).map(({ label }) => label)).toEqual(['signingKey']);
  // Nor was there nothing to see.
  expect([...codes].sort()).toEqual([
    'connection_failed',
    'credential_sandbox',
    'cursor_missing',
    'forbidden',
    'input_malformed',
    'job_failed',
    'page_repeated',
    'rate_limited',
    'reconnect_required',
    'record_malformed',
    'records_missing',
    'redirect_refused',
    'request_refused',
    'response_malformed',
    'server_failed',
    'token_malformed',
    'token_refused',
    'unauthorized',
  ]);
  expect(seen.length).toBeGreaterThan(2000);

  const jwts = wire.flatMap((one) => /"authorization":"Bearer (eyJ[^"]+)"/.exec(one)?.[1] ?? []);
  const signatures = [...new Set(jwts.map((jwt) => jwt.split('.')[2] as string))];
  // HS256: 32 bytes; EdDSA: 64.
  expect(new Set(signatures.map(({ length }) => length))).toEqual(new Set([43, 86]));
  const pem = PEM.split('\n')[1] as string;
  const leaked = seen.flatMap(([from, text]) => [
    ...search(text).map(({ label, form }) => `${label} (${form}) in ${from}`),
    ...(signatures.some((signature) => text.includes(signature)) ? [`a signed token in ${from}`] : []),
    ...(text.includes(pem) || text.includes(base64(pem)) ? [`a PEM key in ${from}`] : []),
  ]);
  expect([...new Set(leaked)]).toEqual([]);
});
