import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { canary, plainCanary } from '../canary.ts';
import { type Edit, edit, edited, hostile } from './hostile.ts';
import { jsonText } from './json.ts';
import type { RawAnswer } from './raw-server.ts';

export const TOKEN = plainCanary('fuzz answers token');
export const CLIENT_SECRET = canary('fuzz answers client secret');
/** A token that only the answer knows: nobody may show it either. */
export const NEW_TOKEN = plainCanary('fuzz answers new token');
export const formsOf = (secret: string): string[] => [
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

export interface Answer {
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

export const answer: fc.Arbitrary<Answer> = fc.record({
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
export function rawOf(one: Answer): RawAnswer {
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
