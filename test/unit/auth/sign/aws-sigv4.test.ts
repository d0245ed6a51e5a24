import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  awsSigv4,
  type HeaderPair,
  type Message,
  type Signing,
  signInHeaders,
  signInQuery,
} from '../../../../framework/auth/sign/aws-sigv4.ts';
import type { SignerContext, Unsigned } from '../../../../framework/auth/signer.ts';
import { systemRandom } from '../../../../framework/core/clock.ts';
import { isFerruleError } from '../../../../framework/core/errors.ts';
import { type Incoming, pairs } from '../../../../framework/sandbox/request.ts';
import { awsSigv4 as twin } from '../../../../framework/sandbox/schemes/aws-sigv4.ts';
import { canary, plainCanary } from '../../../canary.ts';

// The signing test suite that AWS publishes (awslabs/aws-c-auth) lies beside the checkout and is read in place.
const SUITE = fileURLToPath(new URL('../../../../../shared/vectors/aws-sigv4', import.meta.url));
const present = existsSync(SUITE);

// Named here so that each is reported as skipped where the folder is absent.
const CASES = `get-header-key-duplicate get-header-value-multiline get-header-value-order get-header-value-trim get-relative-normalized
  get-relative-relative-normalized get-relative-relative-unnormalized get-relative-unnormalized get-slash-dot-slash-normalized
  get-slash-dot-slash-unnormalized get-slash-normalized get-slash-pointless-dot-normalized get-slash-pointless-dot-unnormalized
  get-slash-unnormalized get-slashes-normalized get-slashes-unnormalized get-space-normalized get-space-unnormalized get-unreserved
  get-utf8 get-vanilla get-vanilla-empty-query-key get-vanilla-query get-vanilla-query-order-encoded get-vanilla-query-order-key-case
  get-vanilla-query-unreserved get-vanilla-utf8-query get-vanilla-with-session-token post-header-key-case post-header-key-sort
  post-header-value-case post-sts-header-after post-sts-header-before post-vanilla post-vanilla-empty-query-value post-vanilla-query
  post-x-www-form-urlencoded post-x-www-form-urlencoded-parameters`.split(/\s+/);
const PLACEMENTS = ['header', 'query'] as const;
const BOTH = CASES.flatMap((name) => PLACEMENTS.map((placement) => [name, placement] as const));
// What node:http cannot tell apart or does not accept: repeated names (joined by ", ") and folded lines.
const NOT_BY_NODE = new Set(['get-header-key-duplicate', 'get-header-value-order', 'get-header-value-multiline']);

interface Wire {
  method: string;
  path: string;
  query: string;
  headers: HeaderPair[];
  body: string;
}

const text = (name: string, file: string): string => readFileSync(`${SUITE}/${name}/${file}`, 'utf8');

/** The suite's own form: no space after a colon, LF, folded lines, raw spaces in the path. */
function parse(source: string): Wire {
  const [head = '', ...rest] = source.split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(first)!;
  const [path = '', ...query] = target.split('?');
  const headers: [string, string][] = [];
  for (const line of lines.filter(Boolean)) {
    const at = line.indexOf(':');
    if (line.startsWith(' ')) headers.at(-1)![1] += `\n${line}`;
    else headers.push([line.slice(0, at).toLowerCase(), line.slice(at + 1)]);
  }
  return { method, path, query: query.join('?'), headers, body: rest.join('\n\n') };
}

interface Context {
  credentials: { access_key_id: string; secret_access_key: string; token?: string };
  expiration_in_seconds: number;
  normalize: boolean;
  region: string;
  service: string;
  sign_body: boolean;
  timestamp: string;
  omit_session_token?: boolean;
}

const contextOf = (name: string): Context => JSON.parse(text(name, 'context.json')) as Context;

function signingOf(context: Context, body: string): Signing {
  return {
    accessKeyId: context.credentials.access_key_id,
    secretAccessKey: context.credentials.secret_access_key,
    sessionToken: context.credentials.token,
    service: context.service,
    region: context.region,
    now: Date.parse(context.timestamp),
    normalize: context.normalize,
    payload: createHash('sha256').update(body).digest('hex'),
    sendPayload: context.sign_body,
    omitSessionToken: context.omit_session_token === true,
    expires: context.expiration_in_seconds,
  };
}

function valuesOf(context: Context, placement: string): Record<string, string | undefined> {
  return {
    access_key_id: context.credentials.access_key_id,
    secret_access_key: context.credentials.secret_access_key,
    session_token: context.credentials.token,
    service: context.service,
    region: context.region,
    placement,
    expires: String(context.expiration_in_seconds),
    signed_body: context.sign_body ? 'yes' : 'no',
    normalize: String(context.normalize),
    omit_session_token: String(context.omit_session_token === true),
  };
}

describe('the suite of AWS', () => {
  it('is there, and whole', () => {
    if (!present) {
      if (process.env.CI !== 'true') return;
      throw new Error('The AWS signing vectors are missing: they belong in ../shared/vectors/aws-sigv4, beside the checkout.');
    }
    expect(readdirSync(SUITE).sort()).toEqual(CASES);
  });

  const onSuite = present ? it : it.skip;

  onSuite.each(BOTH)('%s, %s: every stage', (name, placement) => {
    const { method, path, query, headers, body } = parse(text(name, 'request.txt'));
    const message: Message = { method, path, query, headers };
    const signing = signingOf(contextOf(name), body);
    const signed = placement === 'header' ? signInHeaders(message, signing) : signInQuery(message, signing);
    expect(signed.canonicalRequest).toBe(text(name, `${placement}-canonical-request.txt`));
    expect(signed.stringToSign).toBe(text(name, `${placement}-string-to-sign.txt`));
    expect(signed.signature).toBe(text(name, `${placement}-signature.txt`));
    const whole = 'query' in signed ? { ...message, query: signed.query } : { ...message, headers: [...headers, ...signed.headers] };
    const wanted = parse(text(name, `${placement}-signed-request.txt`));
    // The suite puts what it adds anywhere; the order of headers of different names says nothing (RFC 9110, 5.3).
    const sorted = (list: readonly HeaderPair[]) => [...list].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    expect({ ...whole, body, headers: sorted(whole.headers) }).toEqual({ ...wanted, headers: sorted(wanted.headers) });
  });

  onSuite.each(BOTH.filter(([name]) => !NOT_BY_NODE.has(name)))("%s, %s: the sandbox's reading", (name, placement) => {
    const { method, path, query, headers, body } = parse(text(name, `${placement}-signed-request.txt`));
    const context = contextOf(name);
    const check = (sent: Incoming) =>
      twin.verify(sent, { values: valuesOf(context, placement), now: Date.parse(context.timestamp), fresh: String, memory: new Map() });
    // node:http gives the target one character per byte and takes white space off both ends of a value.
    const bytewise = (value: string) => Buffer.from(value).toString('latin1');
    const sent = incoming(
      method,
      bytewise(path),
      bytewise(query),
      Object.fromEntries(headers.map(([key, value]) => [key, value.trim()])),
      body,
    );
    expect(check(sent)).toBe('good');
    expect(check({ ...sent, method: 'PUT' })).toBe('wrong');
  });
});

function incoming(method: string, path: string, search: string, headers: Record<string, string>, body: string): Incoming {
  return { method, host: headers.host ?? '', path, query: pairs(search), search, headers, cookies: {}, body, bytes: Buffer.from(body) };
}

const NOW = Date.UTC(2026, 10, 24, 12);
const VALUES = {
  access_key_id: plainCanary('aws-id'),
  secret_access_key: canary('aws-secret'),
  service: 'execute-api',
  region: 'eu-west-1',
};
const TOKEN = { session_token: plainCanary('aws-token') };
type Values = Record<string, string | undefined>;

function context(values: Values, now = NOW): SignerContext {
  return { values, now, random: systemRandom, memory: {} };
}

const REQUEST: Unsigned = {
  method: 'POST',
  href: 'https://API.example.com:8443/items/a%20b/%C3%A9?z=1&a=%7E&a=x%2By&flag',
  headers: { 'content-type': 'application/json', 'user-agent': 'test', 'x-amz-target': 'List', accept: 'application/json' },
  body: Buffer.from('{"é":1}'),
};

/** What arrives: the transport's own headers too. */
function send(request: Unsigned, values: Values, now = NOW): Incoming {
  const signature = awsSigv4.sign(request, context(values, now));
  const url = new URL(signature.href ?? request.href);
  const headers = { ...request.headers, ...signature.headers, host: url.host, connection: 'close', 'user-agent': 'changed' };
  return incoming(request.method, url.pathname, url.search.slice(1), headers, Buffer.from(request.body).toString());
}

const verify = (sent: Incoming, values: Values, now = NOW) => twin.verify(sent, { values, now, fresh: String, memory: new Map() });

describe('signer and sandbox', () => {
  it.each<[string, Values]>([
    ['plain', {}],
    ['in the query', { placement: 'query' }],
    ['with a token', TOKEN],
    ['with a token in the query', { ...TOKEN, placement: 'query' }],
    ['with a token that is not signed', { ...TOKEN, omit_session_token: 'true' }],
    ['with a token in the query that is not signed', { ...TOKEN, omit_session_token: 'true', placement: 'query' }],
    ['with a token left blank', { session_token: '' }],
    ['the hash sent', { signed_body: 'yes' }],
    ['the body unsigned', { signed_body: 'unsigned' }],
    ['the body unsigned in the query', { signed_body: 'unsigned', placement: 'query' }],
    ['as sent', { normalize: 'false' }],
    ['S3', { service: 's3' }],
    ['S3 in the query', { service: 's3', placement: 'query' }],
  ])('%s', (_, more) => {
    const values = { ...VALUES, ...more };
    const sent = send(REQUEST, values);
    expect(verify(sent, values)).toBe('good');
    for (const other of [
      { secret_access_key: canary('aws-other') },
      { access_key_id: plainCanary('aws-other') },
      { region: 'eu-west-2' },
      { service: 'sqs' },
      { session_token: plainCanary('aws-other') },
    ]) {
      expect(verify(sent, { ...values, ...other })).toBe('wrong');
    }
    for (const change of [
      { method: 'PUT' },
      { path: '/items/a%20c/%C3%A9' },
      { search: `${sent.search}&more=1` },
      { headers: { ...sent.headers, host: 'evil.example.com:8443' } },
      { headers: { ...sent.headers, 'content-type': 'text/plain' } },
      { headers: { ...sent.headers, 'x-amz-late': '1' } },
    ]) {
      expect(verify({ ...sent, ...change }, values)).toBe('wrong');
    }
    const unsigned = more.signed_body === 'unsigned' || (more.service === 's3' && more.placement === 'query');
    expect(verify({ ...sent, bytes: Buffer.from('{}') }, values)).toBe(unsigned ? 'good' : 'wrong');
  });

  it.each<[string, Values, number, string]>([
    ['five minutes', {}, 300, 'good'],
    ['more than five minutes', {}, 301, 'expired'],
    ['a clock ahead', {}, -301, 'expired'],
    ['within the default of a query', { placement: 'query' }, 300, 'good'],
    ['past the default of a query', { placement: 'query' }, 301, 'expired'],
    ['within X-Amz-Expires', { placement: 'query', expires: '3600' }, 3600, 'good'],
    ['past X-Amz-Expires', { placement: 'query', expires: '3600' }, 3601, 'expired'],
    ['a query from the future', { placement: 'query' }, -301, 'wrong'],
  ])('time: %s', (_, more, seconds, verdict) => {
    const values = { ...VALUES, ...more };
    expect(verify(send(REQUEST, values), values, NOW + seconds * 1000)).toBe(verdict);
  });

  it.each<[string, Record<string, string>, string, string]>([
    ['nothing', {}, '', 'missing'],
    ['another scheme', { authorization: 'Bearer x' }, '', 'wrong'],
    ['half a header', { authorization: 'AWS4-HMAC-SHA256 Credential=a/b' }, '', 'wrong'],
    ['half a query', {}, 'X-Amz-Signature=00', 'wrong'],
  ])('%s is %s', (_, headers, search, verdict) => {
    expect(verify(incoming('GET', '/', search, { host: 'api.example.com', ...headers }, ''), VALUES)).toBe(verdict);
  });

  it('refuses both placements at once, and a signature that does not cover the host', () => {
    const [header, query] = [send(REQUEST, VALUES), send(REQUEST, { ...VALUES, placement: 'query' })];
    expect(verify({ ...header, search: query.search }, VALUES)).toBe('wrong');
    const signing = signingOf({ ...CONTEXT, credentials: VALUES }, '');
    const bare = signInHeaders({ method: 'GET', path: '/', query: '', headers: [] }, signing);
    const sent = incoming('GET', '/', '', { host: 'api.example.com', ...Object.fromEntries(bare.headers) }, '');
    expect(verify(sent, VALUES)).toBe('wrong');
  });

  it('leaves the default port out of the host, and old signature headers behind', () => {
    const request = { ...REQUEST, href: 'https://api.example.com:443/', headers: { 'x-amz-date': 'old', authorization: 'old' } };
    const { headers } = awsSigv4.sign(request, context(VALUES));
    const plain = awsSigv4.sign({ ...request, href: 'https://api.example.com/', headers: {} }, context(VALUES));
    expect(headers).toEqual(plain.headers);
    expect(headers?.['x-amz-date']).toBe('20261124T120000Z');
  });

  it('sends the path of S3 as it is signed, and no other path', () => {
    const request = { ...REQUEST, href: "https://api.example.com/a+b(1)/%C3%A9'!*?q=(1)" };
    const s3 = { ...VALUES, service: 's3' };
    const path = 'https://api.example.com/a%2Bb%281%29/%C3%A9%27%21%2A?q=(1)';
    expect(awsSigv4.sign(request, context(s3)).href).toBe(path);
    expect(awsSigv4.sign(request, context({ ...s3, placement: 'query' })).href).toContain(`${path}&X-Amz-Algorithm=`);
    expect(awsSigv4.sign(request, context(VALUES)).href).toBeUndefined();
  });

  it("keeps the href's query as it is and adds to it", () => {
    const { href, headers } = awsSigv4.sign(REQUEST, context({ ...VALUES, placement: 'query' }));
    expect(headers).toBeUndefined();
    expect(href).toMatch(/^https:\/\/api\.example\.com:8443\/items\/a%20b\/%C3%A9\?z=1&a=%7E&a=x%2By&flag&X-Amz-Algorithm=/);
  });
});

// AWS's suite has neither S3 nor a path that is already encoded: these five were worked out by botocore 1.44.5 (SigV4Auth, S3SigV4Auth,
// S3SigV4QueryAuth, SigV4QueryAuth) with its clock held at 2026-11-24T12:00:00Z.
it.each<[string, Partial<Unsigned> & { href: string }, Values, string]>([
  [
    'a path encoded twice',
    {
      method: 'POST',
      href: 'https://api.example.com:8443/items/a%20b/%C3%A9?z=1&b=x%2By&a=~',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{}'),
    },
    {},
    '4905537e0f913ffd9c728093c1a0d68e6f3c7b744ca5830fee20a6705de65cfe',
  ],
  [
    'S3 with a token',
    {
      method: 'PUT',
      href: 'https://bucket.s3.example.com/a%20b//%C3%A9/x',
      headers: { 'content-type': 'text/plain' },
      body: Buffer.from('hello'),
    },
    { service: 's3', session_token: 'token/+=' },
    '81aed3d11c3fd9300e6f419fd01772eb53faa84a465cadf49d8bb1525e46802c',
  ],
  [
    'S3 with a token in the query',
    { href: 'https://bucket.s3.example.com/a%20b/%C3%A9?versionId=3' },
    { service: 's3', session_token: 'token/+=', placement: 'query', expires: '900' },
    'c759e5cc7e89da1c491663eaa978f4d64c61dbe4b55032443a4b3992185c0f5e',
  ],
  [
    // botocore was given the path as its own client writes it: /a%2Bb%281%29/x
    'S3 with reserved characters in its path',
    { href: 'https://bucket.s3.example.com/a+b(1)/x?versionId=3' },
    { service: 's3' },
    'bf7d97d3c6635104b298ed4d30169160acad6dc5dc94fd3072fe97ec33627c98',
  ],
  [
    'a path encoded twice, in the query',
    { href: 'https://api.example.com:8443/items/a%20b/%C3%A9?z=1&b=x%2By&a=~' },
    { placement: 'query', expires: '900' },
    '077ee428b9014410b0e038de46edae46695cfa65a0340b773f6e06205d00aac1',
  ],
])('botocore agrees: %s', (_, request, more, signature) => {
  const values = { ...VALUES, access_key_id: 'AKIDEXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', ...more };
  const whole = { method: 'GET' as const, headers: {}, body: Buffer.from(''), ...request };
  const signed = awsSigv4.sign(whole, context(values));
  expect(signed.headers?.authorization ?? signed.href).toMatch(new RegExp(`Signature=${signature}$`));
  expect(verify(send(whole, values), values)).toBe('good');
});

const CONTEXT = {
  expiration_in_seconds: 300,
  normalize: true,
  region: VALUES.region,
  service: VALUES.service,
  sign_body: false,
  timestamp: new Date(NOW).toISOString(),
};

it.each<[string, Values, string, string]>([
  ['no key id', { access_key_id: undefined }, 'input_missing', 'fields.access_key_id'],
  ['no secret', { secret_access_key: '' }, 'input_missing', 'fields.secret_access_key'],
  ['no region', { region: undefined }, 'input_missing', 'region'],
  ['no service', { service: undefined }, 'input_missing', 'service'],
  ['a key id with a slash', { access_key_id: `${plainCanary('aws-id')}/x` }, 'input_malformed', 'fields.access_key_id'],
  ['a region with a space', { region: 'eu west' }, 'input_malformed', 'region'],
  ['another placement', { placement: 'body' }, 'input_malformed', 'placement'],
  ['another signed_body', { signed_body: 'maybe' }, 'input_malformed', 'signed_body'],
  ['expires past seven days', { expires: '604801' }, 'input_malformed', 'expires'],
  ['expires 0', { expires: '0' }, 'input_malformed', 'expires'],
])('%s is an error that names the field and no secret', (_, more, code, where) => {
  const act = () => awsSigv4.sign(REQUEST, context({ ...VALUES, ...more }));
  try {
    act();
    throw new Error('It signed.');
  } catch (error) {
    if (!isFerruleError(error)) throw error;
    expect(error).toMatchObject({ code, where, kind: 'input' });
    expect(JSON.stringify(error)).not.toContain('CANARY');
  }
});
