import { inspect } from 'node:util';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ERRORS } from '../../framework/core/error-table.ts';
import { isFerruleError } from '../../framework/core/errors.ts';
import { Redactor } from '../../framework/core/redact.ts';
import { Secret } from '../../framework/core/secret.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import { createClient } from '../../framework/http/client.ts';
import type { Authenticator, Client, ClientEvent, Decode, ResetUnit } from '../../framework/http/types.ts';
import { acme } from '../acme.ts';
import { canary, plainCanary } from '../canary.ts';
import { FakeClock, fixedRandom } from '../clock.ts';
import { type Edit, edit, edited, hostile } from './hostile.ts';
import { jsonText } from './json.ts';
import { type RawAnswer, type RawServer, serveRaw } from './raw-server.ts';
import { must, type Property, thrownBy } from './target.ts';

// ── what a server could say ──────────────────────────────────────────────────────────────────────────────────────

const TOKEN = plainCanary('fuzz answers token');
const CLIENT_SECRET = canary('fuzz answers client secret');
/** A token that only the answer knows: nobody may show it either. */
const NEW_TOKEN = plainCanary('fuzz answers new token');
const formsOf = (secret: string): string[] => [
  ...[secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('base64')],
  ...[Buffer.from(secret).toString('base64url'), Buffer.from(secret).toString('hex')],
];
const FORMS = [TOKEN, CLIENT_SECRET].flatMap(formsOf);
/** What the request held, shown back, as debug pages do. */
const echo = fc.constantFrom(...FORMS, `Bearer ${TOKEN}`, `authorization: Bearer ${TOKEN}`);

const message = fc
  .tuple(fc.constantFrom('error', 'message', 'error_description', 'errors', 'detail', 'code', 'x'), echo, jsonText)
  .map(([key, said, more]) => `{"${key}":${JSON.stringify(`you sent ${said} `)},"items":[{"id":1}],"more":${more}}`);
const grant = fc
  .tuple(fc.constantFrom('3600', '"3600"', '-1', '1e999', '0', 'null', '"x"', '9'.repeat(30)), jsonText)
  .map(([ends, more]) => `{"access_token":"${NEW_TOKEN}","token_type":"Bearer","expires_in":${ends},"scope":${more}}`);
const items = fc.array(jsonText, { maxLength: 3 }).map((all) => `{"items":[${all.join(',')}]}`);
const markup = fc
  .tuple(fc.constantFrom('<a>', '<html><pre>', '<?xml version="1.0"?><e>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;', '<a b="'), echo)
  .map((all) => all.join(''));
const text = fc.oneof(
  message,
  grant,
  grant,
  items,
  jsonText,
  markup,
  fc.constantFrom('', 'access_token=x&expires_in=1', '[]', 'null', '\ufeff{}'),
);
const broken = fc
  .record({ of: text, edits: fc.array(edit(), { maxLength: 3 }), said: echo, at: fc.nat() })
  .map(({ of, edits, said, at }) => {
    const pieces = edited(of.match(/\w+|\W/g) ?? [], edits);
    return at % 3 === 0
      ? [...pieces.slice(0, at % (pieces.length + 1)), said, ...pieces.slice(at % (pieces.length + 1))].join('')
      : pieces.join('');
  });
const body: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 3, arbitrary: text.map((one) => Buffer.from(one)) },
  { weight: 4, arbitrary: broken.map((one) => Buffer.from(one)) },
  { weight: 1, arbitrary: broken.map((one) => Buffer.from(one, 'utf16le')) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)) },
  { weight: 1, arbitrary: fc.nat({ max: 300_000 }).map((size) => Buffer.alloc(size, ' ')) },
);

const ENCODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  'x-deflate': (bytes) => deflateRawSync(bytes, { level: 1 }),
  br: (bytes) => brotliCompressSync(bytes, { params: { 1: 1 } }),
  identity: (bytes) => bytes,
  'gzip, br': (bytes) => brotliCompressSync(gzipSync(bytes, { level: 1 }), { params: { 1: 1 } }),
};
const SAID_ENCODINGS = ['zstd', 'gzip,gzip,gzip,gzip,gzip', 'GZIP', ',', 'chunked', TOKEN, ...Object.keys(ENCODERS)];
const encoding = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ name: '', said: undefined }) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(ENCODERS)).map((name) => ({ name, said: name })) },
  { weight: 1, arbitrary: fc.constantFrom(...SAID_ENCODINGS).map((said) => ({ name: '', said })) },
);

const TYPES = [
  'application/json',
  'application/json; charset=utf-16le',
  'application/problem+json',
  'text/html; charset=iso-8859-1',
  'application/xml',
  'text/csv',
];
const ODD_TYPES = [
  'application/json; charset=nope',
  'text/plain;charset="utf-8',
  ';;;',
  'application/x-www-form-urlencoded',
  'application/json, text/html',
  '',
];
const HEADERS: Record<string, string[]> = {
  'Content-Type': [...TYPES, ...TYPES, ...ODD_TYPES],
  'Retry-After': [
    '0',
    '1',
    '120',
    '-1',
    '9'.repeat(400),
    '1e3',
    'Fri, 31 Dec 1999 23:59:59 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    'Sun',
    '',
    'NaN',
  ],
  Link: [
    '</c/1?page=2>; rel=next',
    '<>; rel=next',
    '<https://evil.test/x>; rel=next',
    `<${'a'.repeat(2000)}>;${' '.repeat(2000)}`,
    'next',
    `<?k=${TOKEN}>; rel="next"`,
  ],
  Location: [
    '/v1/c/ok',
    'https://evil.test/',
    'http://127.0.0.1:1/',
    '//evil.test',
    '',
    '?',
    'https://[',
    'javascript:x',
    `/v1/x?${TOKEN}`,
    'https://user:pw@api.acme.test/',
  ],
  'Set-Cookie': ['a=b', '__proto__=x', '=', `sid=${TOKEN}; Path=/`, 'a', ';'],
  'WWW-Authenticate': [
    'Bearer',
    `Bearer realm="${TOKEN}", error="invalid_token", error_description="no ${TOKEN}"`,
    'Bearer error="insufficient_scope", scope="a b"',
    'Digest',
    'Bearer error="',
    ',',
  ],
  'X-Left': ['0', '5', '999999999', '-1', 'x', '0, 0'],
  'X-Limit': ['1', '999999999', '0', ''],
  'X-Reset': ['1', '9'.repeat(300), '2026-01-02T03:05:05Z', '1767323075', '1h', 'Fri, 02 Jan 2026 03:04:35 GMT'],
  Connection: ['close', 'keep-alive', 'upgrade'],
  'X-Odd': ['\u00e9\u0080', '\t', 'a\0b', 'a\rb', 'x'.repeat(9000), TOKEN],
};
const header = fc
  .constantFrom(...Object.keys(HEADERS))
  .chain((name) =>
    fc
      .oneof({ weight: 9, arbitrary: fc.constantFrom(...HEADERS[name]!) }, { weight: 1, arbitrary: hostile })
      .map((value) => `${name}: ${value}`),
  );
const headers = fc.array(fc.oneof({ weight: 20, arbitrary: header }, { weight: 1, arbitrary: hostile }), { maxLength: 6 });

const STATUSES = [
  '200',
  '201',
  '204',
  '206',
  '301',
  '302',
  '303',
  '304',
  '307',
  '400',
  '401',
  '403',
  '404',
  '407',
  '408',
  '410',
  '425',
  '429',
  '500',
  '502',
  '503',
  '599',
];
const status = fc.oneof(
  { weight: 12, arbitrary: fc.constant('200') },
  { weight: 16, arbitrary: fc.constantFrom(...STATUSES) },
  { weight: 1, arbitrary: fc.constantFrom('100', '101', '102', '103', '199', '600', '999', '000', '20', '2000', '-1', 'abc', '') },
);
const version = fc.oneof(
  { weight: 40, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2', 'HTTP/1.', 'ICY', 'http/1.1', '', '\r\n\r\nHTTP/1.1') },
);
const FRAMES = [
  'length',
  'length',
  'length',
  'chunked',
  'chunked',
  'longer',
  'shorter',
  'none',
  'both',
  'bad chunk',
  'no end',
  'twice',
  'not a length',
] as const;

interface Answer {
  version: string;
  status: string;
  reason: string;
  headers: string[];
  body: Buffer;
  encoding: { name: string; said: string | undefined };
  /** How much of the encoded body is sent, in hundredths. */
  part: number;
  frame: (typeof FRAMES)[number];
  /** To the bytes of the head. */
  edits: Edit[];
  cuts: number[];
  reset: boolean;
}

const answer: fc.Arbitrary<Answer> = fc.record({
  ...{ version, status, headers, body, encoding },
  reason: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('OK', '', 'No') }, { weight: 1, arbitrary: fc.oneof(hostile, echo) }),
  part: fc.oneof({ weight: 6, arbitrary: fc.constant(100) }, { weight: 1, arbitrary: fc.nat({ max: 99 }) }),
  frame: fc.constantFrom(...FRAMES),
  edits: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Edit[]>([]) },
    { weight: 2, arbitrary: fc.array(edit(), { minLength: 1, maxLength: 3 }) },
  ),
  cuts: fc.array(fc.nat(), { maxLength: 2 }),
  reset: fc.boolean(),
});

/** The body as it is framed, with the headers that say so. */
function framed(frame: Answer['frame'], content: Buffer): { lines: string[]; bytes: Buffer; sound: boolean } {
  const chunks = (size: string, end: string) => Buffer.concat([Buffer.from(`${size}\r\n`), content, Buffer.from(`\r\n${end}`)]);
  const hex = content.length.toString(16);
  const chunked = content.length === 0 ? Buffer.from('0\r\n\r\n') : chunks(hex, '0\r\n\r\n');
  const length = `Content-Length: ${content.length}`;
  const encodingLine = 'Transfer-Encoding: chunked';
  switch (frame) {
    case 'length':
      return { lines: [length], bytes: content, sound: true };
    case 'chunked':
      return { lines: [encodingLine], bytes: chunked, sound: true };
    case 'longer':
      return { lines: [`Content-Length: ${content.length + 3}`], bytes: content, sound: false };
    case 'shorter':
      return { lines: [`Content-Length: ${content.length >> 1}`], bytes: content, sound: false };
    case 'none':
      return { lines: [], bytes: content, sound: false };
    case 'both':
      return { lines: [length, encodingLine], bytes: chunked, sound: false };
    case 'bad chunk':
      return { lines: [encodingLine], bytes: chunks(`${hex}z`, '0\r\n\r\n'), sound: false };
    case 'no end':
      return { lines: [encodingLine], bytes: chunks(hex, ''), sound: false };
    case 'twice':
      return { lines: [length, `Content-Length: ${content.length + 1}`], bytes: content, sound: false };
    case 'not a length':
      return { lines: ['Content-Length: 0x1,-1'], bytes: content, sound: false };
  }
}

/** A connection that could stay open only where the answer ends where it says. */
function rawOf(one: Answer): RawAnswer {
  const whole = ENCODERS[one.encoding.name]?.(one.body) ?? one.body;
  const content = whole.subarray(0, Math.ceil((whole.length * one.part) / 100));
  const { lines, bytes, sound } = framed(one.frame, content);
  const said = one.encoding.said === undefined ? [] : [`Content-Encoding: ${one.encoding.said.replace('x-deflate', 'deflate')}`];
  const head = `${[`${one.version} ${one.status} ${one.reason}`, ...one.headers, ...said, ...lines].join('\r\n')}\r\n\r\n`;
  const all = Buffer.concat([Buffer.from(edited([...head], one.edits).join(''), 'latin1'), bytes]);
  const hasBody = /^(?:2|4|5)\d\d$/.test(one.status) && one.status !== '204';
  const keeps =
    sound &&
    hasBody &&
    one.edits.length === 0 &&
    one.version === 'HTTP/1.1' &&
    one.headers.every((line) => /^[A-Z][\w-]+: [\x20-\x7e]*$/.test(line));
  const cuts = one.cuts.map((cut) => (all.length === 0 ? 0 : cut % all.length)).sort((a, b) => a - b);
  const pieces = [0, ...cuts].map((from, at) => all.subarray(from, cuts[at] ?? all.length)).filter(({ length }) => length > 0);
  return { pieces, then: keeps ? 'keep' : one.reset && one.edits.length > 0 ? 'reset' : 'end' };
}

// ── who hears it ─────────────────────────────────────────────────────────────────────────────────────────────────

interface Batch {
  answers: Answer[];
  way: 'call' | 'stream' | 'read' | 'token';
  decode: Decode;
  retries: number;
  unit: ResetUnit;
}

const SPEC = acme(`auth:
  key: { type: bearer }
  oauth: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token' }
fields:
  number: { title: Number }
streams:
  items:
    get: /c/\${fields.number}
    records: items
    paginate: { type: link_header, max_pages: 3 }
`);

const AUTH: Authenticator = {
  renewable: true,
  renew: async () => {},
  apply: async (draft) => ({ draft: { ...draft, headers: { ...draft.headers, authorization: new Secret(`Bearer ${TOKEN}`) } } }),
};

const TIMEOUT = { connect: 5000, response: 5000, total: 20_000 };
const MOST_BYTES = 100_000;

/** The secret that the way holds; what another one holds is any text to it. */
const HELD: Record<Batch['way'], string> = { call: TOKEN, stream: TOKEN, read: TOKEN, token: CLIENT_SECRET };

let server: RawServer;
let numbers = 0;
/** What events have shown; thrown from where they are heard it would become part of the call. */
const leaks: Error[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);

function clientOf({ retries, unit, way }: Batch, clock: FakeClock): Client {
  const redactor = new Redactor();
  redactor.add(HELD[way]);
  return createClient({
    baseUrl: 'https://api.acme.test/v1',
    network: { addressMap: new Map([['https://api.acme.test', server.origin]]) },
    ...{
      auth: AUTH,
      redactor,
      clock,
      random: fixedRandom(),
      timeout: TIMEOUT,
      maxResponseBytes: MOST_BYTES,
      retry: { max_retries: retries },
    },
    limits: [{ requests: 1000, per: 1000, remaining: 'X-Left', limit: 'X-Limit', reset: { header: 'X-Reset', as: unit } }],
    onEvent: (event) => hearEvent(event, way),
  });
}

function hearEvent(event: ClientEvent, way: Batch['way']): void {
  const refused = event.type === 'retry' || (event.type === 'response' && !isGood(event.status));
  const thrown = thrownBy(() => mustHide(event, `the event ${event.type}`, way, refused));
  if (thrown !== undefined) leaks.push(thrown.error as Error);
}

const isGood = (code: number): boolean => code >= 200 && code < 300;

/** In none of the forms in which a server could have sent it back. A refusal is shown (http/trace.ts), so a new token in one may be too. */
function mustHide(shown: unknown, what: string, way: Batch['way'], refused: boolean): void {
  const all = inspect(shown, { depth: 9, showHidden: true, maxStringLength: null, maxArrayLength: null }) + JSON.stringify(shown);
  for (const form of [...formsOf(HELD[way]), ...(way === 'token' && !refused ? formsOf(NEW_TOKEN) : [])])
    must(!all.includes(form), () => `${what} shows the secret: ${all.slice(0, 2000)}`);
}

function checkError(error: unknown, way: Batch['way']): void {
  must(isFerruleError(error), () => `it threw ${inspect(error)}`);
  must(Object.hasOwn(ERRORS, error.code) && error.kind !== 'internal', () => `code ${error.code}, kind ${error.kind}: ${error.stack}`);
  must(error.message !== '' && error.next !== '', () => `it says nothing: ${inspect(error)}`);
  must(error.retryAfter === undefined || Number.isFinite(error.retryAfter), () => `retryAfter ${error.retryAfter}`);
  mustHide(error, 'the error', way, error.status !== undefined && !isGood(error.status));
}

/** Through the client alone; several at once over kept connections, and then a sound answer. */
async function throughClient(batch: Batch, own: readonly number[]): Promise<void> {
  const clock = new FakeClock();
  const client = clientOf(batch, clock);
  const ask = async (path: string): Promise<void> => {
    const draft = { method: 'GET' as const, url: path };
    if (batch.way === 'call') await client.call(draft, { decode: batch.decode });
    else for await (const _chunk of (await client.stream(draft)).body);
  };
  try {
    const outcomes = await Promise.allSettled(own.map((number) => ask(`/c/${number}`)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') checkError(outcome.reason, batch.way);
    // Whatever was asked of the client, after the longest wait that there is it goes on.
    clock.advance(2 ** 31 * 1000 + 1000);
    let after: unknown;
    // A kept connection may just have been closed, or hold what came behind an answer: each try uses up one such.
    for (let tries = 0; tries <= BATCH && after !== '{"ok":true}'; tries++) {
      const sound = client.call({ method: 'GET', url: '/c/ok' });
      after = await sound.then(({ body: read }) => JSON.stringify(read), String);
    }
    must(after === '{"ok":true}', () => `afterwards it says ${after}`);
  } finally {
    await client.close();
  }
}

/** A connection of its own for each: with a token that the answer is to bring, or reading records from it. */
async function throughConnection({ way, retries }: Batch, number: number): Promise<void> {
  const fields = {
    number: String(number),
    ...(way === 'token' ? { client_id: String(number), client_secret: new Secret(CLIENT_SECRET) } : { token: new Secret(TOKEN) }),
  };
  try {
    await using connection = await connectSpec(
      SPEC,
      { method: way === 'token' ? 'oauth' : 'key', fields },
      {
        sandbox: { addresses: { 'https://api.acme.test': server.origin, 'https://auth.acme.test': server.origin } },
        ...{ clock: new FakeClock(), random: fixedRandom(), timeout: TIMEOUT, retry: { countMax: retries }, environment: {} },
        onEvent: (event) => hearEvent(event, way),
      },
    );
    if (way === 'token') await connection.http.get('c/ok').json();
    else for await (const _record of connection.read('items'));
  } catch (error) {
    checkError(error, way);
  }
}

async function opened(): Promise<() => Promise<void>> {
  const before = resources();
  server = await serveRaw();
  process.on('unhandledRejection', onUnhandled);
  return async () => {
    await server.close();
    process.off('unhandledRejection', onUnhandled);
    let left = resources();
    for (let turn = 0; turn < 40 && left.length > before.length; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50).unref());
      left = resources();
    }
    must(left.length <= before.length, () => `left behind: ${left} (before: ${before})`);
  };
}

const resources = (): string[] => process.getActiveResourcesInfo().filter((name) => /^TCP|^Timeout|ZLIB/.test(name));

/** So many at once, at most. */
const BATCH = 30;

export const answers: Property<Batch> = {
  name: 'answers',
  batch: { count: (batch) => batch.answers.length, average: BATCH / 2 },
  open: opened,
  input: fc.record({
    answers: fc.array(answer, { minLength: 1, maxLength: BATCH, size: 'max' }),
    way: fc.constantFrom('call', 'call', 'call', 'stream', 'read', 'token'),
    decode: fc.constantFrom('json', 'auto', 'text', 'bytes'),
    retries: fc.constantFrom(0, 0, 0, 2),
    unit: fc.constantFrom('seconds', 'epoch', 'epoch_ms', 'iso', 'http_date', 'duration'),
  }),
  async check(batch) {
    const own = batch.answers.map((one) => {
      numbers += 1;
      server.answers.set(numbers, rawOf(one));
      return numbers;
    });
    try {
      if (batch.way === 'call' || batch.way === 'stream') await throughClient(batch, own);
      else await Promise.all(own.map((number) => throughConnection(batch, number)));
    } finally {
      for (const number of own) server.answers.delete(number);
    }
    const [leak] = leaks.splice(0);
    if (leak !== undefined) throw leak;
    must(unhandled.length === 0, () => `nobody heard of ${inspect(unhandled.splice(0))}`);
  },
};
